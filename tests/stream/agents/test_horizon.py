"""Windows are judged up to where all sources are: before, during and after a stop."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from aiokafka.structs import ConsumerRecord

from monitor.core.agreements.book import Book
from monitor.core.pieces import at_once
from monitor.core.series.panes import apply
from monitor.core.series.series import Change, PaneKey, SeriesKey, empty_pane
from monitor.core.time.windows import Window
from monitor.stream.agents import horizon
from monitor.stream.agents.books import Books
from monitor.stream.agents.evaluate import Evaluate
from monitor.stream.agents.tally import Outlets, Tally
from monitor.stream.partitions.partition import PartitionState
from monitor.stream.partitions.ports import Now
from monitor.wire.announcements import decode_statement
from monitor.wire.partials import encode_marker
from monitor.wire.rows import EVALUATE_ROWS
from tests.core.stories import agreement, clock, ms
from tests.partials import encode_partial
from tests.stream.fakes import FakeWriter

DESK = agreement(clock(windows=(Window("day"),)))
SOURCES = ("tickets/0", "tickets/1")
OUTLETS = Outlets(
    alerts="alerts", partials="partials", partials_partitions=1, dead_letters="dead", status="status",
    statements="statements",
)  # fmt: skip


class Partition:
    """The one partition of partials of two sources; its processor can be restarted."""

    def __init__(self):
        self.writer = FakeWriter(partitions=1)
        self.state = PartitionState(
            topic="partials", partition=0, changelog="state", codec=EVALUATE_ROWS, writer=self.writer
        )
        self.restart()

    def restart(self):
        self.processor = Evaluate(
            self.state, books=Books(Book((DESK,), 1)), outlets=OUTLETS, tally=Tally(), interval_ms=1_000,
            sources=SOURCES,
        )  # fmt: skip
        at_once(self.processor.restore())

    async def take(self, *records):
        batch = [
            ConsumerRecord("partials", 0, offset, 0, 0, key, value, None, len(key), len(value or b""), ())
            for offset, (key, value) in enumerate(records)
        ]
        for _ in self.processor.batch(batch, Now(0, caught_up=True)) or ():
            pass
        await self.state.commit(0)

    async def tick(self, time):
        while at_once(self.processor.tick(Now(ms(time), caught_up=True))):
            pass
        await self.state.commit(0)

    def statements(self):
        """The statements that were made: numerator and denominator of their compliance."""
        return [
            decode_statement(record[1]).figures[0][2:4]
            for (name, _), records in self.writer.committed.items()
            if name == "statements"
            for record in records
        ]

    def shown(self):
        """The status records, True for one that was taken back."""
        return [
            record[1] is None
            for (name, _), records in self.writer.committed.items()
            if name == "status"
            for record in records
        ]


def solved(source, time, outcome="met"):
    pane = empty_pane()
    series = SeriesKey("desk", "resolution", ("P1",))
    apply([pane], Change(series, ms(time), ((outcome, 1), ("elapsed_ms", 60_000)), 60_000))
    return encode_partial(source, PaneKey(series, "day", ms(time) - ms(time) % 86_400_000), pane)


def behind(source, time):
    return encode_marker(source, ms(time) if time else 0, behind=True)


def level(source):
    return encode_marker(source, 0, behind=False)


@pytest.fixture
async def partition():
    """A monitor that was stopped on Monday at noon, when all sources were level."""
    partition = Partition()
    await partition.take(level("tickets/0"), level("tickets/1"), solved("tickets/0", "Mon 09:00"))
    await partition.tick("Mon 12:00")
    partition.restart()
    return partition


async def test_at_the_very_first_start_nothing_is_stated_before_each_source_has_been_heard_of():
    partition = Partition()
    await partition.take(solved("tickets/0", "Mon 09:00"), level("tickets/0"))
    await partition.tick("Tue 06:00")
    assert partition.statements() == []

    await partition.take(solved("tickets/1", "Mon 10:00", "breached"), behind("tickets/1", "Mon 23:00"))
    await partition.tick("Tue 06:00")
    assert partition.statements() == []

    await partition.take(level("tickets/1"))
    await partition.tick("Tue 06:01")
    assert partition.statements() == [(1, 2)]


async def test_after_a_stop_over_midnight_the_day_waits_for_what_came_meanwhile(partition):
    await partition.tick("Tue 06:00")
    await partition.take(level("tickets/0"))
    await partition.tick("Tue 06:00")
    await partition.take(behind("tickets/1", ""))
    await partition.tick("Tue 06:00")
    assert partition.statements() == []

    await partition.take(solved("tickets/1", "Mon 20:00", "breached"), behind("tickets/1", "Tue 03:00"))
    await partition.tick("Tue 06:00")
    assert partition.statements() == [(1, 2)]


async def test_what_is_shown_stays_while_a_source_does_not_know_yet_how_far_it_is(partition):
    await partition.take(behind("tickets/0", ""), behind("tickets/1", ""))
    await partition.tick("Mon 12:05")

    assert set(partition.shown()) == {False}
    assert [status.as_of_ms for status in partition.processor.evaluator.latest.values()] == [ms("Mon 12:00")]


async def test_a_source_that_was_behind_before_the_restart_still_is(partition):
    await partition.take(level("tickets/0"), behind("tickets/1", "Mon 10:00"))
    await partition.tick("Mon 12:00")
    partition.restart()
    await partition.take(level("tickets/0"))

    await partition.tick("Tue 06:00")

    assert partition.statements() == []
    assert partition.processor.next_tick_ms() is not None


async def test_after_a_short_stop_nobody_is_waited_for(partition):
    partition.processor.evaluator.touch_all()
    await partition.tick("Mon 12:00:30")

    assert [status.as_of_ms for status in partition.processor.evaluator.latest.values()] == [ms("Mon 12:00:30")]


async def test_sources_that_nobody_opens_are_not_waited_for_for_ever(partition, monkeypatch, caplog):
    now = [0.0]
    monkeypatch.setattr(horizon, "time", SimpleNamespace(monotonic=lambda: now[0]))
    await partition.take(level("tickets/0"))
    await partition.tick("Tue 06:00")
    assert partition.statements() == []

    now[0] = horizon.SILENCE_S + 1
    await partition.tick("Tue 06:01")

    assert partition.statements() == [(1, 1)]
    assert "nobody has opened tickets/1" in caplog.text


async def test_the_last_look_is_written_down_now_and_then_and_with_what_was_found(partition):
    await partition.take(level("tickets/0"), level("tickets/1"))

    def look():
        return partition.state.get(horizon.LOOK_KEY).as_of_ms

    await partition.tick("Mon 12:00:05")  # after a restart all is told again
    assert look() == ms("Mon 12:00:05")
    await partition.tick("Mon 12:00:09")
    assert look() == ms("Mon 12:00:05")
    await partition.tick("Mon 12:00:16")
    assert look() == ms("Mon 12:00:16")
    await partition.take(solved("tickets/0", "Mon 09:00", "breached"))
    await partition.tick("Mon 12:00:18")
    assert look() == ms("Mon 12:00:18")
