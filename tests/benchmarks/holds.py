"""The longest time for which hostile records hold the event loop: heartbeats, commits and scrapes wait for it.

The processor's time is measured: what other processes take is not counted.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import orjson
from aiokafka.structs import ConsumerRecord

from monitor.bootstrap import calm_collector
from monitor.config.mapping import load_mapping
from monitor.core.book import Book
from monitor.core.pieces import at_once
from monitor.stream.books import Books
from monitor.stream.containment import Containment
from monitor.stream.ingest import Ingest, Outlets, Tally, burier
from monitor.stream.mapped import Mapped
from monitor.stream.partition import PartitionState, Source
from monitor.stream.stats import PartitionStats
from monitor.wire.rows import SOURCE_ROWS
from tests.benchmarks import write_json
from tests.core.stories import MONDAY_MS, agreement, clock
from tests.stream.fakes import FakeWriter
from tests.wire.foreign_bodies import jira_change, jira_issue_event

MINUTE_MS = 60_000
NOW_MS = MONDAY_MS + 7 * 24 * 60 * MINUTE_MS
FACTS = 1_000
BATCH = 3_000
DESK = agreement(
    clock("acknowledge", {"*": "2h"}), clock("first_response"), clock("resolution", cycles="sum"),
    clock("next_response", at_risk=("50%",)),
)  # fmt: skip
MAPPING = Path(__file__).parents[2] / "deploy" / "mappings" / "jira.yaml"
OUTLETS = Outlets(
    alerts="alerts", partials="partials", partials_partitions=1, dead_letters="dead", status="status",
    statements="statements",
)  # fmt: skip
KINDS = ("acknowledged", "responded", "paused", "resumed", "resolved", "reopened", "customer_replied", "updated")


class Partition:
    """One source partition, from decoding to a commit that costs nothing."""

    def __init__(self, topic: str) -> None:
        self.books = Books(Book((DESK,), 1))
        self.state = PartitionState(topic=topic, partition=0, changelog="state", codec=SOURCE_ROWS, writer=FakeWriter())
        tally = Tally()
        self.processor: Ingest | Mapped
        if topic == "tickets":
            self.processor = Ingest(
                self.state, subject="ticket", books=self.books, outlets=OUTLETS, tally=tally,
                retention_ms=10**12, lateness_ms=MINUTE_MS,
            )  # fmt: skip
        else:
            self.processor = Mapped(
                self.state, mapping=load_mapping(MAPPING, live=True), topic="tickets", outlets=OUTLETS, tally=tally,
                lateness_ms=MINUTE_MS,
            )  # fmt: skip
        at_once(self.processor.restore())
        source = Source(
            topic=topic, processor=lambda _state: self.processor, codec=SOURCE_ROWS, bury=burier(OUTLETS, tally)
        )
        self._work = Containment(self.state, source, self.processor, PartitionStats(), self.state.commit)

    async def take(self, values: Iterable[tuple[bytes, bytes]]) -> None:
        records = [
            ConsumerRecord(self.state.topic, 0, self.state.position + place, 0, 0, key, value, None, 1, len(value), ())
            for place, (key, value) in enumerate(values)
        ]
        for start in range(0, len(records), BATCH):
            part = records[start : start + BATCH]
            await self._work.batch(part, part[-1].offset + 1, NOW_MS, caught_up=True)
            await self.tick()

    async def tick(self) -> None:
        while await self._work.tick(NOW_MS, caught_up=True):  # noqa: ASYNC110 - as the runner does
            await asyncio.sleep(0)


def event(ticket: int, number: int, kind: str = "", **attributes: object) -> tuple[bytes, bytes]:
    kind = kind or (KINDS[number % len(KINDS)] if number else "opened")
    body = {
        "id": f"{ticket}-{number}", "type": kind, "time": MONDAY_MS + number * MINUTE_MS, "ticket": f"T-{ticket}",
        "priority": "P1", **attributes,
    }  # fmt: skip
    return body["ticket"].encode(), orjson.dumps(body)


def backwards() -> Iterator[tuple[bytes, bytes]]:
    """A thousand facts of one ticket: the first one first, the others backwards."""
    yield event(0, 0)
    for number in reversed(range(1, FACTS)):
        yield event(0, number)


def full_ledger() -> Iterator[tuple[bytes, bytes]]:
    """A ticket that is refused nearly all of 30,000 events."""
    for number in range(30 * FACTS):
        yield event(0, number)


def priorities() -> Iterator[tuple[bytes, bytes]]:
    """A ticket whose priority changes a thousand times."""
    for number in range(FACTS):
        yield event(0, number, "priority_changed" if number else "opened", priority=f"P{1 + number % 3}")


def long_texts() -> Iterator[tuple[bytes, bytes]]:
    """Fifty tickets whose rows are as long as rows may be."""
    text = "x" * 1_000
    more = {"service": text, "team": text, "agent": text, "channel": text, "category": text, "customer": text}
    for number in range(180):
        for ticket in range(50):
            yield event(ticket, number, "updated" if number else "opened", **more)


def long_ledgers() -> Iterator[tuple[bytes, bytes]]:
    """Forty tickets of 300 facts each, which another book has folded again."""
    for number in range(300):
        for ticket in range(40):
            yield event(ticket, number)


def large_bodies() -> Iterator[tuple[bytes, bytes]]:
    """Twenty bodies of nearly a megabyte, each with thousands of changes."""
    items = [{"field": "labels", "to": f"{number:05}"} for number in range(1_999)]
    body = jira_issue_event("issue_updated", NOW_MS, changelog={"id": "1", "items": items})
    value = orjson.dumps(body | {f"column-{number}": number for number in range(45_000)})
    return iter([(b"k", value)] * 20)


def many_events() -> Iterator[tuple[bytes, bytes]]:
    """Twenty bodies that make a thousand events each."""
    items = [jira_change("assignee", None, f"agent-{number}") for number in range(1_000)]
    value = orjson.dumps(jira_issue_event("issue_updated", NOW_MS, changelog={"id": "1", "items": items}))
    return iter([(b"k", value)] * 20)


LOADS: dict[str, tuple[str, Callable[[], Iterator[tuple[bytes, bytes]]]]] = {
    "facts backwards": ("tickets", backwards),
    "full ledger": ("tickets", full_ledger),
    "priorities": ("tickets", priorities),
    "long texts": ("tickets", long_texts),
    "another book": ("tickets", long_ledgers),
    "large bodies": ("hooks", large_bodies),
    "many events": ("hooks", many_events),
}


class Watch:
    """Notes the most of the processor's time between two turns of the event loop."""

    def __init__(self) -> None:
        self.longest_s = 0.0
        self._task = asyncio.ensure_future(self._turn())

    async def _turn(self) -> None:
        while True:
            before = time.process_time()
            await asyncio.sleep(0)
            self.longest_s = max(self.longest_s, time.process_time() - before)

    def end(self) -> float:
        self._task.cancel()
        return self.longest_s


async def measured(topic: str, load: Callable[[], Iterator[tuple[bytes, bytes]]]) -> tuple[float, float]:
    """Return the longest hold and the processor's time for a load, both in seconds."""
    on, values = Partition(topic), list(load())
    if load is long_ledgers:
        await on.take(values)
        on.books.book, values = Book((DESK,), 2), []
    calm_collector()  # as a worker does; the records and the writer's memory, which no worker has, are left out, too
    started = time.process_time()
    watch = Watch()
    await asyncio.sleep(0)
    if values:
        await on.take(values)
    else:
        await on.tick()
    return watch.end(), time.process_time() - started


def main(json_path: Path | None) -> None:
    figures = {}
    for name, (topic, load) in LOADS.items():
        hold_s, cpu_s = asyncio.run(measured(topic, load))
        figures[name] = {"longest_hold_ms": hold_s * 1000, "cpu_s": cpu_s}
        print(
            f"{name:16}  longest hold {hold_s * 1000:7.1f} ms    CPU {cpu_s:6.2f} s    {(load.__doc__ or '').strip()}"
        )
    write_json(figures, json_path)
