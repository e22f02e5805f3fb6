"""Reads what the tools left on their topics: announced breaches, and panes in changelogs and partials."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, Final

import orjson
from aiokafka import AIOKafkaConsumer

from monitor.core.series.longest import longest_of
from monitor.wire.announcements import decode_alert
from monitor.wire.partials import Partial, decode_partial
from tests.benchmarks.peers.work import Totals

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

QUIET: Final = 3
"""After so many empty fetches of half a second a topic is read to its end."""
_PANE: Final = struct.Struct(">qqq")
_WINDOW_BYTES: Final = 12
"""Kafka Streams puts the start of a window and a sequence number behind the key."""


async def records(bootstrap: str, topic: str) -> AsyncIterator[Any]:
    """Yield the records of a topic that a committed reader sees."""
    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=bootstrap, auto_offset_reset="earliest", isolation_level="read_committed"
    )
    await consumer.start()
    try:
        quiet = 0
        while quiet < QUIET:
            fetched = await consumer.getmany(timeout_ms=500)
            quiet = 0 if fetched else quiet + 1
            for batch in fetched.values():
                for record in batch:
                    yield record
    finally:
        await consumer.stop()


async def ids(bootstrap: str, topic: str) -> list[str]:
    """Return the tickets of the records that a tool wrote for late answers."""
    return [orjson.loads(record.value)["ticket"] async for record in records(bootstrap, topic)]


async def alerted(bootstrap: str, topic: str) -> list[str]:
    """Return the tickets of the monitor's alerts for broken deadlines."""
    alerts = [decode_alert(record.value) async for record in records(bootstrap, topic)]
    return [one.key.what for one in alerts if one.key.kind == "ticket" and one.state == "breached"]


async def changelog(bootstrap: str, topic: str) -> dict[tuple[int, bytes], bytes]:
    """Return the newest value of each key and partition that is or was there; its deletion is passed over."""
    newest = {}
    async for record in records(bootstrap, topic):
        if record.value:
            newest[record.partition, record.key] = record.value
    return newest


def kafka_streams_panes(rows: dict[tuple[int, bytes], bytes], *, windowed: bool) -> list[tuple[str, Totals]]:
    """Return customers and panes of a changelog that our Kafka Streams program wrote.

    Args:
        rows: the changelog.
        windowed: the store is one of windows, not one of keys ``customer|minute``.
    """
    return [
        ((key[:-_WINDOW_BYTES] if windowed else key.rpartition(b"|")[0]).decode(), Totals(*_PANE.unpack(value)))
        for (_, key), value in rows.items()
    ]


def faust_panes(rows: dict[tuple[int, bytes], bytes]) -> list[tuple[str, Totals]]:
    """Return customers and panes of the changelog of our stock Faust agent's windowed table."""
    return [(orjson.loads(key)[0].rpartition("/")[0], Totals(*orjson.loads(value))) for (_, key), value in rows.items()]


def monitor_panes(rows: dict[tuple[int, bytes], bytes]) -> list[tuple[str, Totals]]:
    """Return customers and one-minute panes of the monitor's partials."""
    found = []
    for (_, key), value in rows.items():
        one = decode_partial(key, value)
        if isinstance(one, Partial) and one.pane is not None and one.pane_key.width == "minute":
            pane = one.pane
            count = pane.counts.get("met", 0) + pane.counts.get("breached", 0)
            if count:
                totals = Totals(count, pane.counts["elapsed_ms"], longest_of(pane.longest) or 0)
                found.append((one.pane_key.series.values[0], totals))
    return found
