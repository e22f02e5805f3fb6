"""The longest time for which hostile records hold the event loop: heartbeats, commits and scrapes wait for it.

The processor's time is measured: what other processes take is not counted.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable, Coroutine, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import orjson
from aiokafka.structs import ConsumerRecord

from monitor.config.mappings.mapping import load_mapping
from monitor.core.agreements.book import Book
from monitor.core.agreements.measures import Filter, OutageRule
from monitor.core.pieces import at_once
from monitor.core.series.series import Pane, PaneKey, SeriesKey, encode_pane_key
from monitor.core.time.windows import Window
from monitor.core.windows.rows import MergedPane, merged_pane_key
from monitor.counters import PartitionStats
from monitor.stream.agents.books import Books
from monitor.stream.agents.evaluate import Evaluate
from monitor.stream.agents.ingest import Ingest
from monitor.stream.agents.mapped import Mapped
from monitor.stream.agents.tally import Outlets, Tally, burier
from monitor.stream.kafka.connection import RESTORE_RECORDS
from monitor.stream.kafka.pace import Pace, in_turns
from monitor.stream.partitions.collector import calm_collector
from monitor.stream.partitions.containment import Containment
from monitor.stream.partitions.partition import PartitionState
from monitor.stream.partitions.ports import Now, RowCodec
from monitor.stream.partitions.sources import Burial, Source
from monitor.wire.rows import EVALUATE_ROWS, SOURCE_ROWS
from tests.benchmarks import write_json
from tests.core.stories import MONDAY_MS, agreement, clock
from tests.stream.fakes import FakeWriter
from tests.stream.flow import Flow
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


class Forgetful(FakeWriter):
    """A writer that keeps nothing: what it would keep, no worker has in its memory."""

    async def commit_transaction(self) -> None:
        await super().commit_transaction()
        self.transactions.clear()
        self.committed.clear()


class Partition:
    """One source partition, from decoding to a commit that costs nothing."""

    def __init__(self, topic: str) -> None:
        self.books = Books(Book((DESK,), 1))
        self.state = PartitionState(topic=topic, partition=0, changelog="state", codec=SOURCE_ROWS, writer=Forgetful())
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
            topic=topic,
            processor=lambda _state: self.processor,
            codec=SOURCE_ROWS,
            burial=Burial(burier(OUTLETS, tally)),
        )  # fmt: skip
        self._work = Containment(self.state, source, self.processor, PartitionStats(), self.state.commit)

    async def take(self, values: Iterable[tuple[bytes, bytes]]) -> None:
        rest, offset = iter(values), self.state.position
        while batch := list(islice(rest, BATCH)):  # what no worker does is not done at once
            part = [
                ConsumerRecord(self.state.topic, 0, offset + place, 0, 0, key, value, None, 1, len(value), ())
                for place, (key, value) in enumerate(batch)
            ]
            offset += len(part)
            await asyncio.sleep(0)
            await self._work.batch(part, offset, Now(NOW_MS, caught_up=True))
            await self.tick()

    async def tick(self) -> None:
        while await self._work.tick(Now(NOW_MS, caught_up=True)):  # noqa: ASYNC110 - as the runner does
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


Measured = tuple[float, float]
"""The longest hold and the processor's time of a load, both in seconds."""


async def measured(topic: str, load: Callable[[], Iterator[tuple[bytes, bytes]]]) -> Measured:
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


def restored_state(codec: RowCodec) -> PartitionState:
    return PartitionState(topic="tickets", partition=0, changelog="state", codec=codec, writer=Forgetful())


async def restore() -> Measured:
    """A partition of a million rows is opened after a rebalance: 900,000 tickets, 100,000 panes."""
    source = Partition("tickets")
    await source.take([event(0, 0)])
    (ticket,) = [row for key, row in source.state.rows.items() if key[:1] == b"s"]
    (pane, *_) = [row for key, row in source.state.rows.items() if key[:1] == b"p"]
    rows = {b"sT-%07d" % number: ticket for number in range(900_000)}
    for number in range(100_000):
        series = SeriesKey("desk", "resolution", (f"customer-{number % 1_000:06}",))
        rows[encode_pane_key(PaneKey(series, "hour", MONDAY_MS + number // 1_000 * 60 * MINUTE_MS))] = pane
    values = [
        ConsumerRecord("state", 0, offset, 0, 0, key, row, None, 1, 1, ())
        for offset, (key, row) in enumerate(rows.items())
    ]
    calm_collector()
    state, started = restored_state(SOURCE_ROWS), time.process_time()
    watch = Watch()
    await asyncio.sleep(0)
    for start in range(0, len(values), RESTORE_RECORDS):  # as a connection does with what it has fetched
        state.load(values[start : start + RESTORE_RECORDS])
        await asyncio.sleep(0)
    await in_turns(Pace().kept_by(state.loaded()))
    processor = Ingest(
        state, subject="ticket", books=source.books, outlets=OUTLETS, tally=Tally(), retention_ms=10**12,
        lateness_ms=MINUTE_MS,
    )  # fmt: skip
    await in_turns(Pace().kept_by(processor.restore()))
    # Its first batch learns the agreements, and another book has all subjects looked at again.
    work = Containment(
        state,
        Source(topic="tickets", processor=lambda _: processor, codec=SOURCE_ROWS),
        processor,
        PartitionStats(),
        state.commit,
    )
    await work.tick(Now(MONDAY_MS, caught_up=True))
    source.books.book = Book((DESK,), 2)
    for _ in range(20):
        await work.tick(Now(MONDAY_MS, caught_up=True))
    return watch.end(), time.process_time() - started


async def reopened() -> Measured:
    """The partition of partials behind it is opened: a million rows of panes and windows of 1,000 series."""
    state = restored_state(EVALUATE_ROWS)
    books, start_ms = Books(Book((DESK,), 1)), NOW_MS - NOW_MS % (60 * MINUTE_MS)
    pane = EVALUATE_ROWS.encode(b"w", MergedPane({"tickets/0": Pane({"met": 1}, {40: 1}, {}, {}, {})}))
    for customer in range(1_000):
        series = SeriesKey("desk", "resolution", (f"customer-{customer:06}",))
        for number in range(1_000):
            state.rows[merged_pane_key(PaneKey(series, "hour", start_ms - number * 60 * MINUTE_MS))] = pane
    calm_collector()
    started = time.process_time()
    watch = Watch()
    await asyncio.sleep(0)
    processor = Evaluate(state, books=books, outlets=OUTLETS, tally=Tally(), interval_ms=1_000)
    await in_turns(Pace().kept_by(processor.restore()))
    work = Containment(
        state,
        Source(topic="partials", processor=lambda _: processor, codec=EVALUATE_ROWS),
        processor,
        PartitionStats(),
        state.commit,
    )
    for _ in range(20):
        await work.tick(Now(NOW_MS, caught_up=True))
    return watch.end(), time.process_time() - started


async def outages() -> Measured:
    """80,000 outages of a quarter of an hour are judged, as they begin and when they are restored."""
    rule = OutageRule(id="up", where=Filter(), by=(), windows=(Window("day"), Window("rolling", 60 * MINUTE_MS)))
    flow = Flow("outages", "outage", agreement(rule))
    watches: list[float] = []
    cpu_s = 0.0
    ids = [str(uuid.UUID(int=number << 64 | 7)) for number in range(80_000)]
    for kind, after_ms in (("started", 0), ("resolved", 60 * MINUTE_MS)):
        for start in range(0, len(ids), 2_000):
            some = [
                (ids[place], {"id": f"{kind}-{place}", "type": kind, "time": MONDAY_MS + place * 11 + after_ms})
                for place in range(start, start + 2_000)
            ]
            await flow.send(*some, now_ms=MONDAY_MS + 15 * MINUTE_MS + after_ms)
        calm_collector()
        started, watch = time.process_time(), Watch()
        await asyncio.sleep(0)
        more, now_ms = True, MONDAY_MS + 15 * MINUTE_MS + after_ms + MINUTE_MS
        while more:
            more = await in_turns(flow.evaluate.tick(Now(now_ms, caught_up=True)))
            await flow.partials.commit(0)
        watches.append(watch.end())
        cpu_s += time.process_time() - started
    return max(watches), cpu_s


WHOLES: dict[str, Callable[[], Coroutine[Any, Any, Measured]]] = {
    "restore": restore, "reopened": reopened, "outages": outages,
}  # fmt: skip


def main(json_path: Path | None) -> None:
    figures = {}
    cases = {name: (load.__doc__, partial(measured, topic, load)) for name, (topic, load) in LOADS.items()}
    cases |= {name: (whole.__doc__, whole) for name, whole in WHOLES.items()}
    for name, (text, case) in cases.items():
        hold_s, cpu_s = _alone(case)
        figures[name] = {"longest_hold_ms": hold_s * 1000, "cpu_s": cpu_s}
        print(f"{name:16}  longest hold {hold_s * 1000:7.1f} ms    CPU {cpu_s:6.2f} s    {(text or '').strip()}")
    write_json(figures, json_path)


def _alone(case: Callable[[], Coroutine[Any, Any, Measured]]) -> Measured:
    """Run a case in a process of its own: no garbage of another one is collected in it."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_run, case).result()


def _run(case: Callable[[], Coroutine[Any, Any, Measured]]) -> Measured:
    return asyncio.run(case())
