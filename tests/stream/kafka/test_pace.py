"""Work lets others run in time: between records, subjects, the facts of one subject, and rows that are encoded."""

from __future__ import annotations

import orjson
import pytest
from aiokafka.structs import ConsumerRecord

from monitor.core.agreements.book import Book
from monitor.core.pieces import at_once
from monitor.core.subjects.rows import SUBJECT
from monitor.stream.agents import ingest
from monitor.stream.agents.books import Books
from monitor.stream.agents.ingest import Ingest
from monitor.stream.agents.tally import Outlets, Tally
from monitor.stream.kafka import pace
from monitor.stream.kafka.pace import Pace
from monitor.stream.partitions import partition
from monitor.stream.partitions.partition import PartitionState
from monitor.stream.partitions.ports import Now
from monitor.wire.rows import SOURCE_ROWS
from tests.core.stories import MONDAY_MS, agreement, clock, ms
from tests.stream.fakes import FakeWriter

DESK = agreement(clock(cycles="sum"), clock("first_response"))
NOW_MS = ms("Tue 12:00")
OUTLETS = Outlets(
    alerts="alerts", partials="partials", partials_partitions=1, dead_letters="dead", status="status",
    statements="statements",
)  # fmt: skip


@pytest.fixture
def hasty(monkeypatch):
    """Every stretch of work has taken its time at once, and the time is checked wherever it can be."""
    monkeypatch.setattr(pace, "HOLD_S", 0.0)
    monkeypatch.setattr(ingest, "LONG_RECORD", 0)
    monkeypatch.setattr(partition, "PACKED_AT_ONCE", 1)


class Desk:
    """The partition of tickets."""

    def __init__(self):
        self.writer = FakeWriter()
        self.state = PartitionState(
            topic="tickets", partition=0, changelog="state", codec=SOURCE_ROWS, writer=self.writer
        )
        self.books = Books(Book((DESK,), 1))
        self.ingest = Ingest(
            self.state, subject="ticket", books=self.books, outlets=OUTLETS, tally=Tally(), retention_ms=10**12,
            lateness_ms=60_000,
        )  # fmt: skip
        at_once(self.ingest.restore())

    async def take(self, records):
        pauses = sum(1 for _ in self.ingest.batch(records, Now(NOW_MS, caught_up=True)))
        await self.state.commit(len(records))
        self.ingest.committed()
        return pauses

    async def tick(self):
        more = at_once(self.ingest.tick(Now(NOW_MS, caught_up=True)))
        await self.state.commit(self.state.position)
        self.ingest.committed()
        return more

    def stamps(self):
        return [self.state.get(key).stamp for key in self.state.rows if key[:1] == SUBJECT]


def records(tickets, facts):
    """So many facts of each of so many tickets, backwards."""
    kinds = ("opened", "paused", "resumed", "responded", "resolved", "reopened")
    found = []
    for number in reversed(range(facts)):
        for ticket in range(tickets):
            body = {
                "id": f"{ticket}-{number}", "type": kinds[number % 6] if number else "opened",
                "time": MONDAY_MS + number * 60_000, "ticket": f"T-{ticket}", "priority": "P1",
            }  # fmt: skip
            value = orjson.dumps(body)
            key = body["ticket"].encode()
            found.append(ConsumerRecord("tickets", 0, len(found), 0, 0, key, value, None, 1, len(value), ()))
    return found


@pytest.mark.usefixtures("hasty")
async def test_a_batch_in_many_pauses_is_the_same_as_in_one_go(monkeypatch):
    one_by_one, at_once = Desk(), Desk()
    batch = records(tickets=20, facts=12)

    pauses = await one_by_one.take(batch)
    monkeypatch.setattr(pace, "HOLD_S", 3600.0)
    few = await at_once.take(batch)

    assert one_by_one.writer.committed == at_once.writer.committed
    assert pauses > len(batch) > 10 * few


@pytest.mark.usefixtures("hasty")
async def test_others_may_run_between_the_facts_of_one_subject():
    """A ledger of 200 facts that is folded again for each of them would hold the loop for seconds."""
    batch = records(tickets=1, facts=200)

    pauses = await Desk().take(batch)

    assert pauses > 200 + 150  # each record, and nearly each fact


@pytest.mark.usefixtures("hasty")
async def test_a_tick_ends_in_time_and_leaves_what_it_has_not_looked_at_to_the_next():
    """Another book has all subjects folded again: 500 of them in one tick, however long their ledgers are."""
    desk = Desk()
    await desk.take(records(tickets=30, facts=3))
    while await desk.tick():
        pass
    desk.books.book = Book((DESK,), 2)

    looked = []
    more = True
    while more:
        more = await desk.tick()
        looked.append(desk.stamps().count(2))

    assert looked[:3] == [1, 2, 3]
    assert looked[-1] == 30


@pytest.mark.usefixtures("hasty")
async def test_what_is_due_and_was_not_looked_at_in_time_is_told_by_the_next_ticks():
    desk = Desk()
    await desk.take(records(tickets=30, facts=1))
    while await desk.tick():
        pass

    breached = [key for (topic, _), found in desk.writer.committed.items() if topic == "alerts" for key, _, _ in found]
    assert len(set(breached)) == 2 * 30


def test_a_pace_is_over_after_its_time_and_begins_anew(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(pace.time, "perf_counter", lambda: now[0])
    of = Pace()

    asked = []
    for step_s in (0.0, 0.019, 0.002, 0.019, 0.002):
        now[0] += step_s
        asked.append(of.is_over())

    assert asked == [False, False, True, False, True]
