"""Simulated events on their way to Kafka: for ``demo`` and for ``traffic``."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Final

from aiokafka import AIOKafkaProducer

from monitor.config.settings.settings import Settings
from monitor.core.facts.events import Event
from monitor.demo.simulate import BadRecord
from monitor.installation import topic_of
from monitor.wire.events import encode_event

LOT: Final = 1_000
"""Events that are on their way at once."""


async def feed(
    writer: AIOKafkaProducer, settings: Settings, events: Iterable[Event], broken: Iterable[BadRecord] = ()
) -> None:
    """Send events, and records that are none, to the topics of their subjects; return when Kafka has them all.

    Raises:
        KafkaError: it did not take one.
    """
    records = [*((event.subject, *encode_event(event)) for event in events), *broken]
    for first in range(0, len(records), LOT):
        sent = [
            await writer.send(topic_of(settings, subject), key=key, value=value)
            for subject, key, value in records[first : first + LOT]
        ]
        await asyncio.gather(*sent)
