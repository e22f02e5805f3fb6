"""The last word on each notice, from the topic of deliveries."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from monitor.config.settings.settings import Settings
from monitor.errors import DecodeError
from monitor.read_model.topics import read_all
from monitor.wire.deliveries import decode_delivery
from monitor.wire.envelopes import DeliveryData


def newest_deliveries(settings: Settings, note: Callable[[str], None]) -> list[DeliveryData]:
    """Return the last word on each notice, in the order of time; ``note`` is told of each record that is no delivery.

    Raises:
        BrokerError: the topic does not exist, or Kafka does not answer.
    """
    newest: dict[str, DeliveryData] = {}
    for record in asyncio.run(read_all(settings, settings.topics.deliveries)):
        try:
            one = decode_delivery(record.value)
        except DecodeError as error:
            note(f"{record.topic}/{record.partition}/{record.offset} is none of ours: {error}")
            continue
        newest.pop(one.notice, None)
        newest[one.notice] = one
    return sorted(newest.values(), key=lambda one: one.at_ms)
