"""The newest record of each notice, and the alerts that nobody was told of, from the topic of deliveries."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import NamedTuple

from monitor.config.settings.settings import Settings
from monitor.errors import DecodeError
from monitor.read_model.topics import read_all
from monitor.wire.deliveries import decode_delivery
from monitor.wire.envelopes import DeliveryData


class Told(NamedTuple):
    """The topic of deliveries, in the order of time."""

    notices: list[DeliveryData]
    """The newest record of each notice."""
    not_told: list[DeliveryData]
    """The newest decision of each kind not to tell an alert; ``key`` is the alert's."""


def read_deliveries(settings: Settings, note: Callable[[str], None]) -> Told:
    """Return what stands on the topic; ``note`` is told of each record that is no delivery.

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
    found = sorted(newest.values(), key=lambda one: one.at_ms)
    return Told([one for one in found if one.result != "not_told"], [one for one in found if one.result == "not_told"])


def newest_deliveries(settings: Settings, note: Callable[[str], None]) -> list[DeliveryData]:
    """Return the newest record of each notice, in the order of time. See `read_deliveries`."""
    return read_deliveries(settings, note).notices
