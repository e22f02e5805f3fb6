"""The evaluators' processor: what of a batch it takes, what it writes, and how long it keeps the event loop."""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from types import SimpleNamespace

import pytest
from aiokafka.structs import ConsumerRecord

from monitor.core.agreements.agreement import Rights
from monitor.core.agreements.book import Book
from monitor.core.agreements.measures import Filter, OutageRule
from monitor.core.pieces import at_once
from monitor.core.series.panes import apply
from monitor.core.series.series import Change, Pane, PaneKey, SeriesKey, empty_pane
from monitor.core.time.windows import Window
from monitor.core.windows.reports import Reports
from monitor.counters import PartitionStats
from monitor.errors import RowError
from monitor.stream.agents import evaluate
from monitor.stream.agents.books import Books
from monitor.stream.agents.evaluate import SERIES_AT_ONCE, Evaluate
from monitor.stream.agents.tally import Outlets, Tally
from monitor.stream.partitions.containment import Containment
from monitor.stream.partitions.partition import PartitionState
from monitor.stream.partitions.ports import Now
from monitor.stream.partitions.sending import partition_of
from monitor.stream.partitions.sources import Burial, Source
from monitor.wire.announcements import decode_statement, decode_status
from monitor.wire.finished_reports import decode_report
from monitor.wire.partials import PANE, encode_marker
from monitor.wire.rows import EVALUATE_ROWS
from tests.core.stories import agreement, clock, ms
from tests.partials import encode_partial
from tests.stream.fakes import FakeWriter

PARTITIONS = 4
DAY = Window("day")
DESK = agreement(clock(windows=(DAY,)))
OUTLETS = Outlets(
    alerts="alerts", partials="partials", partials_partitions=PARTITIONS, dead_letters="dead", status="status",
    statements="statements",
)  # fmt: skip


class Partition:
    """One partition of partials and its processor."""

    def __init__(self, *agreements, number=None, **options):
        number = partition_of(agreements[0].id.encode(), PARTITIONS) if number is None else number
        self.writer = FakeWriter(partitions=PARTITIONS)
        self.state = PartitionState(
            topic="partials", partition=number, changelog="state", codec=EVALUATE_ROWS, writer=self.writer
        )
        self.books = Books(Book(agreements, 1))
        self.processor = Evaluate(
            self.state, books=self.books, outlets=OUTLETS, tally=Tally(), interval_ms=1_000, **options
        )  # fmt: skip
        at_once(self.processor.restore())

    async def take(self, *records):
        pieces = self.processor.batch(
            [
                ConsumerRecord("partials", 0, offset, 0, 0, key, value, None, len(key or b""), len(value or b""), ())
                for offset, (key, value) in enumerate(records)
            ],
            Now(ms("Mon 00:00"), caught_up=True),
        )
        for _ in pieces:
            pass
        await self.state.commit(0)

    async def tick(self, time):
        more = at_once(self.processor.tick(Now(ms(time), caught_up=True)))
        await self.state.commit(0)
        return more

    def written(self, topic):
        return [
            record[:2] for (name, _), records in self.writer.committed.items() if name == topic for record in records
        ]


def resolved(*outcomes, priority="P1", time="Mon 09:00"):
    """The pane of a day, as a source sends it."""
    pane = empty_pane()
    series = SeriesKey("desk", "resolution", (priority,))
    for outcome in outcomes:
        apply([pane], Change(series, ms(time), ((outcome, 1), ("elapsed_ms", 60_000)), 60_000))
    return PaneKey(series, "day", ms(time) - ms(time) % 86_400_000), pane


def partial(key, pane, source="tickets/0"):
    return encode_partial(source, key, pane)


async def test_of_the_records_of_one_pane_only_the_newest_is_taken():
    partition = Partition(DESK)
    taken = []
    fold = partition.processor.evaluator.fold
    partition.processor.evaluator.fold = lambda *args: (taken.append(args[2]), fold(*args))
    one, two, other = resolved("met"), resolved("met", "breached"), resolved("met", priority="P2")

    await partition.take(partial(*one), partial(*other), partial(*two))

    assert taken == [Pane(*two[1]), Pane(*other[1])], "in the order in which they came first"


@pytest.mark.parametrize("together", [True, False])
async def test_who_came_first_has_the_place_wherever_a_batch_ends(together):
    partition = Partition(DESK, max_series=1)
    first, later, again = resolved("met"), resolved("met", priority="P2"), resolved("met", "breached")
    records = [partial(*first), partial(*later), partial(*again)]

    for batch in [records] if together else [[one] for one in records]:
        await partition.take(*batch)
    while await partition.tick("Mon 12:00"):
        pass

    shown = {series.values for series, _ in partition.processor.evaluator.latest}
    assert shown == {("P1",), ("other", "(rest)")}
    assert partition.processor.evaluator.places() == {("desk", "resolution"): (1, 1)}


async def test_an_evaluator_that_is_made_anew_keeps_its_bound():
    partition = Partition(DESK, max_series=1)
    at_once(partition.processor.recover(ValueError("something failed")))
    await partition.take(partial(*resolved("met")), partial(*resolved("met", priority="P2")))
    assert partition.processor.evaluator.places() == {("desk", "resolution"): (1, 1)}


async def test_a_pane_that_its_source_forgets_in_the_same_batch_is_still_stated():
    partition = Partition(DESK)
    key, pane = resolved("met", "breached")
    await partition.take(partial(*resolved("met")))

    await partition.take(partial(key, pane), partial(key, None))
    while await partition.tick("Tue 06:00"):
        pass

    (statement,) = [decode_statement(value) for _, value in partition.written("statements")]
    assert statement.figures[0].value == 0.5


async def test_a_look_that_takes_long_is_followed_by_a_long_rest(monkeypatch):
    partition = Partition(DESK)
    await partition.take(partial(*resolved("met")))
    looks = iter((0.0, 0.0, 1.0))  # its start, before the series, after it
    monkeypatch.setattr(evaluate, "time", SimpleNamespace(perf_counter=lambda: next(looks)))

    assert not await partition.tick("Mon 10:00")
    await partition.take(partial(*resolved("met", "breached")))

    assert partition.processor.next_tick_ms() == ms("Mon 10:00") + 4_000


async def test_windows_end_where_a_source_has_caught_up_to():
    partition = Partition(DESK)
    await partition.take(partial(*resolved("met")), encode_marker("tickets/0", ms("Mon 10:00"), behind=True))
    await partition.tick("Mon 12:00")
    await partition.take(
        encode_marker("tickets/0", ms("Mon 10:00"), behind=True), encode_marker("tickets/0", 0, behind=False)
    )
    partition.processor.evaluator.touch_all()
    await partition.tick("Mon 12:01")

    assert partition.processor.evaluator.latest.popitem()[1].as_of_ms == ms("Mon 12:01")
    assert decode_status(partition.written("status")[0][1]).as_of_ms == ms("Mon 10:00")


async def test_the_status_of_a_window_that_ends_is_taken_back():
    partition = Partition(DESK)
    await partition.take(partial(*resolved("met")))
    await partition.tick("Mon 10:00")
    partition.books.book = Book((), 2)
    await partition.tick("Mon 10:01")

    (told, value), (ended, nothing) = partition.written("status")
    assert decode_status(value).window == "day"
    assert (told, None) == (ended, nothing)


@pytest.mark.parametrize("number", range(PARTITIONS))
async def test_services_without_an_outage_are_shown_by_the_partition_of_their_agreement_alone(number):
    covers = Filter(any_of=(("service", frozenset({"dsl", "mpls"})),))
    network = agreement(OutageRule(id="ring", by=("service",), windows=(DAY,)), id="network", covers=covers)
    partition = Partition(network, number=number)

    await partition.tick("Mon 10:00")

    shown = sorted(decode_status(value).labels["service"] for _, value in partition.written("status"))
    assert shown == (["dsl", "mpls"] if number == partition_of(b"network", PARTITIONS) else [])


async def test_a_tick_looks_at_the_time_and_leaves_the_rest_for_the_next(monkeypatch):
    partition = Partition(DESK)
    await partition.take(*(partial(*resolved("met", priority=f"P{n}")) for n in range(3 * SERIES_AT_ONCE)))
    ticking = count()
    # Each look at the time is 15 ms after the one before it: the third one finds 25 ms over.
    monkeypatch.setattr(evaluate, "time", SimpleNamespace(perf_counter=lambda: next(ticking) * 0.015))

    assert await partition.tick("Mon 10:00")
    assert len(partition.written("status")) == SERIES_AT_ONCE
    assert partition.processor.next_tick_ms() <= ms("Mon 10:00")
    while await partition.tick("Mon 10:00"):
        pass
    assert len(partition.written("status")) == 3 * SERIES_AT_ONCE
    assert partition.processor.next_tick_ms() > ms("Mon 10:00")


async def test_a_series_on_which_an_evaluation_fails_is_left_alone_and_the_others_are_told(monkeypatch):
    partition = Partition(DESK)
    await partition.take(*(partial(*resolved("met", priority=f"P{n}")) for n in range(9)))
    encode = evaluate.encode_status

    def failing(status, source):
        if status.labels["priority"] == "P4":
            raise ZeroDivisionError
        return encode(status, source)

    monkeypatch.setattr(evaluate, "encode_status", failing)
    source = Source(topic="partials", processor=None, codec=EVALUATE_ROWS, burial=Burial(lambda *_: None))
    work = Containment(partition.state, source, partition.processor, PartitionStats(), partition.state.commit)

    for _ in range(20):
        await work.tick(Now(ms("Mon 10:00"), caught_up=True))

    priorities = {decode_status(value).labels["priority"] for _, value in partition.written("status")}
    assert priorities == {f"P{n}" for n in range(9) if n != 4}
    assert [series.values for series in partition.processor.evaluator.left_alone] == [("P4",)]

    # a new book, as after an agreement has changed, has it tried again
    monkeypatch.undo()
    partition.books.book = Book((DESK,), 2)
    for _ in range(20):
        await work.tick(Now(ms("Mon 10:00"), caught_up=True))
    assert {decode_status(value).labels["priority"] for _, value in partition.written("status")} == {
        f"P{n}" for n in range(9)
    }


async def test_a_row_that_cannot_be_written_names_the_series_that_is_left_alone():
    partition = Partition(DESK)
    await partition.take(partial(*resolved("met", priority="P1")), partial(*resolved("met", priority="P2")))
    (key,) = [key for key in partition.state.rows if key[:1] == b"w" and b"P2" in key]

    said = at_once(partition.processor.recover(RowError(key, "too large")))

    assert "P2" in said
    assert [series.values for series in partition.processor.evaluator.left_alone] == [("P2",)]


async def test_a_foreign_record_among_the_partials_is_buried_and_the_rest_is_taken():
    partition = Partition(DESK)
    await partition.take((b"hello", b"hello"), partial(*resolved("met")))
    await partition.tick("Mon 10:00")

    assert [value for _, value in partition.written("dead")] == [b"hello"]
    assert len(partition.written("status")) == 1


async def test_panes_of_a_newer_release_are_buried_and_hide_no_earlier_one_that_can_be_read():
    partition = Partition(DESK)
    key, value = partial(*resolved("met"))
    newer = bytes([PANE.version + 1]) + value[1:]

    await partition.take((key, value), (key, newer), (key, newer), partial(*resolved("met", priority="P2")))
    await partition.tick("Mon 10:00")

    assert [value for _, value in partition.written("dead")] == [newer, newer]
    assert {decode_status(value).labels["priority"] for _, value in partition.written("status")} == {"P1", "P2"}


async def test_what_cannot_be_read_before_what_can_was_replaced_and_is_passed_over():
    partition = Partition(DESK)
    key, value = partial(*resolved("met"))

    await partition.take((key, bytes([PANE.version + 1]) + value[1:]), (key, value))

    assert partition.written("dead") == []
    assert any(b"P1" in key for key in partition.state.rows)


@pytest.mark.parametrize("key", [b"hello", None])
async def test_each_record_that_cannot_be_read_becomes_a_dead_letter_also_of_one_key(key):
    partition = Partition(DESK)

    await partition.take((key, b"one"), (key, b"two"), (key, None))

    assert [value for _, value in partition.written("dead")] == [None, b"two", b"one"]


async def test_a_finished_period_is_reported_once_in_a_transaction_after_that_of_its_statements():
    # given a desk that owes its customer a report of each day
    reporting = replace(DESK, reports=(Rights(("customer",), "day"),))
    partition = Partition(reporting)
    await partition.take(partial(*resolved("met")), partial(*resolved("breached", priority="P2")))

    # when the day closes, and its statements are committed
    assert await partition.tick("Tue 00:15")
    assert (len(partition.written("statements")), partition.written("reports")) == (2, [])

    # then the next owner of the partition announces the report, once
    partition.processor = Evaluate(
        partition.state, books=partition.books, outlets=OUTLETS, tally=Tally(), interval_ms=1_000
    )
    at_once(partition.processor.restore())
    while await partition.tick("Tue 00:16"):
        pass
    [(key, value)] = partition.written("reports")
    assert key == b"desk/2026-03-02/customer"
    assert decode_report(value).reason == "closed"

    # and nobody announces it again
    for time in ("Tue 00:17", "Tue 12:00"):
        await partition.tick(time)
    at_once(partition.processor.recover(RuntimeError()))
    await partition.tick("Tue 13:00")
    assert len(partition.written("reports")) == 1


@pytest.mark.parametrize(("part", "work", "announced"), [("stated", "noting", 0), ("finished", "announcing", 1)])
async def test_where_reports_fail_windows_are_judged_on_and_the_next_owner_announces_what_is_owed(
    monkeypatch, part, work, announced
):
    # given reports on which the work fails
    reporting = replace(DESK, reports=(Rights(("customer",), "day"),))
    partition = Partition(reporting)
    await partition.take(partial(*resolved("met")))
    broken = RuntimeError("no such zone")

    def fails(*_):
        raise broken

    with monkeypatch.context() as patched:
        patched.setattr(Reports, part, fails)
        with pytest.raises(RuntimeError):
            await partition.tick("Tue 00:15")
        partition.state.take_back()
        assert at_once(partition.processor.recover(broken)) == f"{work} reports"

        # then the day is stated all the same
        while await partition.tick("Tue 00:16"):
            pass
    assert len(partition.written("statements")) == 1
    assert partition.processor.evaluator.left_alone == set()
    assert partition.written("reports") == []

    # and what was noted is announced by the next owner
    partition.processor = Evaluate(
        partition.state, books=partition.books, outlets=OUTLETS, tally=Tally(), interval_ms=1_000
    )
    at_once(partition.processor.restore())
    while await partition.tick("Tue 00:17"):
        pass
    assert len(partition.written("reports")) == announced
