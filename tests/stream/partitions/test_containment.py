"""The work on one record or row fails: its neighbours stand as if it had not been there, and the worker goes on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import pytest
from aiokafka.errors import KafkaConnectionError
from aiokafka.structs import ConsumerRecord
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.agreements.book import Book
from monitor.core.pieces import Pieces
from monitor.core.subjects import engine
from monitor.core.time.windows import Window
from monitor.counters import PartitionStats
from monitor.errors import DecodeError, StateError
from monitor.stream.agents import ingest
from monitor.stream.agents.books import Books
from monitor.stream.agents.ingest import Ingest
from monitor.stream.agents.tally import Outlets, Tally, burier
from monitor.stream.kafka.fetched import Unreadable
from monitor.stream.partitions import containment, set_aside
from monitor.stream.partitions.containment import Containment, place_of
from monitor.stream.partitions.partition import PartitionState
from monitor.stream.partitions.ports import Now
from monitor.stream.partitions.sources import Burial, Source
from monitor.wire.events import decode
from monitor.wire.rows import SOURCE_ROWS
from tests.core.stories import agreement, clock, ms
from tests.stream.counting import Counting, CountingCodec
from tests.stream.fakes import FakeWriter, record

CHANGELOG = ("app-in-state", 0)
FAULTS = ("before", "halfway", "row", "output")


class Faulty(Counting):
    """Counts, and fails on some records: at once, after half of its changes, in a row or in an output."""

    def __init__(self, state: PartitionState) -> None:
        super().__init__(state, silence_ms=100, grace_ms=0, alerts="alerts", silent="silent")
        self.newest = self.committed_newest = 0
        self.broken_rows: set[bytes] = set()
        self.rows_a_tick: list[int] = []

    def batch(
        self,
        records: Sequence[ConsumerRecord],
        now: Now,
        *,
        due: bool = True,
    ) -> Iterator[None]:
        for one in records:
            match one.value:
                case b"before":
                    raise RecursionError("too deep")
                case b"halfway":
                    self.state.put(one.key, (0, 99, 0))
                    self.state.put(b"another", (0, 99, 0))
                    self.state.emit("alerts", one.key, b"wrong")
                    raise ValueError("in the midst of it")
                case b"row":
                    self.state.put(one.key, "what does not encode")
                case b"output":
                    self.state.emit("alerts", one.key, b"x" * 5000)
                case b"unreadable":
                    raise StateError("a row that cannot be read")
                case _:
                    yield from super().batch((one,), now, due=due)
                    self.newest = max(self.newest, one.timestamp)
        if due:
            yield from self.tick(now)

    def tick(self, now: Now) -> Pieces[bool]:
        yield from ()
        if not now.caught_up:
            return False
        keys = self.state.due_keys(now.ms)
        self.rows_a_tick.append(len(keys))
        for key in keys:
            if key in self.broken_rows:
                raise ZeroDivisionError("a row")
            _, count, due = self.state.get(key)
            self.state.emit(self.silent, key, b"%d" % count)
            self.state.put(key, (0, count, due))
        return False

    def committed(self) -> None:
        self.committed_newest = self.newest

    def recover(self, error: Exception) -> Pieces[str]:  # noqa: ARG002 - the protocol's
        yield from ()
        self.newest = self.committed_newest
        return ""


class Scene:
    """A partition with its containment, and what was buried."""

    def __init__(self, *, skips: dict[tuple[str, int, int], str] | None = None, buries: bool = True) -> None:
        self.writer = FakeWriter()
        self.state = PartitionState(
            topic="in", partition=0, changelog="app-in-state", codec=CountingCodec(), writer=self.writer,
            max_record_bytes=4000,
        )  # fmt: skip
        self.processor = Faulty(self.state)
        self.stats = PartitionStats()
        self.buried: dict[int, tuple[str, str]] = {}
        source = Source(
            topic="in", processor=lambda _state: self.processor, codec=CountingCodec(),
            burial=Burial(self._bury, lambda: skips or {}) if buries else None,
        )  # fmt: skip
        self.work = Containment(self.state, source, self.processor, self.stats, self.state.commit)

    def _bury(self, state: PartitionState, one: ConsumerRecord, reason: str, detail: str) -> None:
        key = b"in/0/%d" % one.offset
        state.emit("dead-letters", key, one.value)
        state.after_commit(lambda: self.buried.update({one.offset: (reason, detail)}))

    async def take(self, *records: ConsumerRecord, now_ms: int = 0) -> None:
        await self.work.batch(records, records[-1].offset + 1, Now(now_ms, caught_up=True))

    def written(self, topic: str) -> list[tuple[bytes, bytes | None]]:
        return [
            (key, value)
            for (name, _), records in self.writer.committed.items()
            if name == topic
            for key, value, _ in records
        ]


def good(offset: int, key: bytes = b"k") -> ConsumerRecord:
    return record(offset, key=key, value=b"good", timestamp=1000 + offset)


def bad(offset: int, fault: str, key: bytes = b"k") -> ConsumerRecord:
    return record(offset, key=key, value=fault.encode(), timestamp=1000 + offset)


@pytest.mark.parametrize("fault", FAULTS)
async def test_the_record_becomes_a_dead_letter_and_its_neighbours_are_counted(fault: str) -> None:
    on = Scene()

    await on.take(good(0), good(1), bad(2, fault), good(3, b"other"), good(4))

    assert {key: CountingCodec().decode(key, row)[1] for key, row in on.state.rows.items()} == {b"k": 3, b"other": 1}
    assert [(offset, reason) for offset, (reason, _) in on.buried.items()] == [(2, "internal_error")]
    assert on.written("dead-letters") == [(b"in/0/2", fault.encode())]
    assert on.written("alerts") == []
    assert on.state.position == 5
    assert on.processor.newest == 1004


async def test_the_dead_letter_says_what_failed_and_where(caplog: pytest.LogCaptureFixture) -> None:
    containment._reported.clear()
    on = Scene()

    await on.take(bad(0, "row"))

    _, detail = on.buried[0]
    assert detail.startswith("RowError at monitor/stream/partitions/partition.py:")
    assert "row b'k' does not encode" in detail
    (said,) = caplog.records
    assert "record in/0/0 becomes a dead letter" in said.getMessage()
    assert said.exc_info is not None

    # and the traceback of the same fault is not logged again
    await on.take(bad(1, "row"))
    assert caplog.records[-1].exc_info is None


async def test_a_batch_of_nothing_but_failing_records_is_buried_whole_in_one_transaction() -> None:
    on = Scene()

    await on.take(*(bad(offset, FAULTS[offset % len(FAULTS)]) for offset in range(50)))

    assert sorted(on.buried) == list(range(50))
    assert len(on.writer.transactions) == 1
    assert on.state.position == 50


async def test_the_end_of_a_batch_is_the_position_also_where_it_ends_in_a_hole() -> None:
    on = Scene()

    await on.work.batch((good(3), bad(4, "before")), 9, Now(0, caught_up=True))

    assert on.state.position == 9


async def test_unreadable_rows_and_a_silent_broker_stop_it_nonetheless() -> None:
    on = Scene()
    with pytest.raises(StateError, match="a row that cannot be read"):
        await on.take(good(0), bad(1, "unreadable"))

    on = Scene()
    on.writer.fail = KafkaConnectionError()
    with pytest.raises(StateError, match="the transaction failed"):
        await on.take(good(0))


async def test_a_source_that_can_bury_nothing_stops_with_the_error_itself() -> None:
    with pytest.raises(RecursionError):
        await Scene(buries=False).take(bad(0, "before"))


async def test_what_an_operator_has_skipped_is_buried_unread_with_the_reason() -> None:
    on = Scene(skips={("in", 0, 1): "it kills the worker (dana)", ("in", 1, 2): "another partition's"})

    await on.take(good(0), bad(1, "unreadable"), good(2))

    assert on.buried == {1: ("skipped", "it kills the worker (dana)")}
    assert CountingCodec().decode(b"k", on.state.rows[b"k"])[1] == 2


async def test_what_stands_for_a_batch_that_cannot_be_read_is_buried_with_its_bytes() -> None:
    on = Scene()

    unreadable = record(1, value=Unreadable(b"the batch", "ValueError: codec 7 is unknown"))
    await on.take(good(0), unreadable, good(2))

    assert on.buried == {1: ("unreadable_batch", "ValueError: codec 7 is unknown")}
    assert on.written("dead-letters") == [(b"in/0/1", b"the batch")]


async def test_a_due_row_on_which_the_work_fails_is_no_fault_of_the_records_beside_it() -> None:
    on = Scene()
    await on.take(good(0, b"broken"))
    on.processor.broken_rows = {b"broken"}

    await on.take(good(1), good(2), now_ms=10_000)

    assert on.buried == {}
    assert CountingCodec().decode(b"k", on.state.rows[b"k"])[1] == 2


async def ticks(on: Scene, now_ms: int) -> int:
    count = 0
    while await on.work.tick(Now(now_ms, caught_up=True)) or len(on.written("silent")) < 99:
        count += 1
        assert count < 100
    return count


async def test_a_row_on_which_a_tick_fails_is_found_by_halving_and_the_others_are_told() -> None:
    on = Scene()
    await on.take(*(good(offset, b"%d" % offset) for offset in range(100)))
    on.processor.broken_rows = {b"42"}

    count = await ticks(on, 10_000)

    assert Counter(key for key, _ in on.written("silent")) == Counter(b"%d" % n for n in range(100) if n != 42)
    assert list(on.state.set_aside.keys) == [b"42"]
    assert count < 30
    # it is not due any more: nothing wakes the worker for it
    assert on.state.next_wake_ms() is None


async def test_a_row_that_was_set_aside_is_looked_at_again_when_it_changes_or_an_hour_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    on = Scene()
    await on.take(*(good(offset, b"%d" % offset) for offset in range(100)))
    on.processor.broken_rows = {b"42", b"43"}
    await on.work.tick(Now(10_000, caught_up=True))
    while len(on.state.set_aside.keys) < 2:
        await on.work.tick(Now(10_000, caught_up=True))
    on.processor.broken_rows = set()

    await on.work.batch((good(100, b"42"),), 101, Now(0, caught_up=False))
    for _ in range(20):
        await on.work.tick(Now(10_000, caught_up=True))
    assert (b"42", b"2") in on.written("silent")
    assert b"43" not in dict(on.written("silent"))

    later = set_aside.time.monotonic() + set_aside.ASIDE_S + 1
    monkeypatch.setattr(set_aside.time, "monotonic", lambda: later)
    await on.work.tick(Now(10_000, caught_up=True))
    assert (b"43", b"1") in on.written("silent")


async def test_a_subject_on_which_another_book_fails_is_set_aside_and_the_sweep_of_the_others_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # given open tickets under one book of agreements
    desk = agreement(clock(budgets={"P1": "4h"}, at_risk=()))
    books, writer = Books(Book((desk,), 1)), FakeWriter(partitions=1)
    state = PartitionState(topic="tickets", partition=0, changelog="state", codec=SOURCE_ROWS, writer=writer)
    outlets = Outlets(
        alerts="alerts", partials="partials", partials_partitions=1, dead_letters="dead", status="status",
        statements="statements",
    )  # fmt: skip
    processor = Ingest(
        state, subject="ticket", books=books, outlets=outlets, tally=Tally(), retention_ms=86_400_000, lateness_ms=0
    )
    source = Source(topic="tickets", processor=lambda _: processor, codec=SOURCE_ROWS, burial=Burial(lambda *_: None))
    work = Containment(state, source, processor, PartitionStats(), state.commit)
    body = b'{"id":"e","type":"opened","time":%d,"ticket":"T-%d","priority":"P1"}'
    opened = [
        record(number, key=b"T-%d" % number, value=body % (ms("Mon 09:00"), number), topic="tickets")
        for number in range(40)
    ]
    await work.batch(opened, 40, Now(ms("Mon 09:00"), caught_up=True))

    # when the next book cannot be laid over one of them
    real = engine.steps

    def steps(subject: str, subject_id: str, *rest: object) -> object:
        if subject_id == "T-7":
            raise ZeroDivisionError
        return real(subject, subject_id, *rest)

    monkeypatch.setattr(engine, "steps", steps)
    books.book = Book((agreement(clock(budgets={"P1": "2h"}, at_risk=())),), 2)
    count = 0
    while await work.tick(Now(ms("Mon 10:00"), caught_up=True)):
        count += 1
        assert count < 60

    # then all others have the new deadline, and nothing is swept for ever
    due = {key: state.codec.wake_ms(row) for key, row in state.rows.items() if key[:1] == b"s"}
    assert {key for key, at_ms in due.items() if at_ms != ms("Mon 11:00") + 1} == {b"sT-7"}
    assert list(state.set_aside.keys) == [b"sT-7"]


async def test_panes_go_though_the_tick_that_dropped_them_was_taken_back(monkeypatch: pytest.MonkeyPatch) -> None:
    # given the pane of a ticket that was resolved
    hour = Window("rolling", 3_600_000)
    desk = agreement(clock(budgets={"P1": "4h"}, at_risk=(), windows=(hour,)))
    writer = FakeWriter(partitions=1)
    state = PartitionState(topic="tickets", partition=0, changelog="state", codec=SOURCE_ROWS, writer=writer)
    outlets = Outlets(
        alerts="alerts", partials="partials", partials_partitions=1, dead_letters="dead", status="status",
        statements="statements",
    )  # fmt: skip
    processor = Ingest(
        state, subject="ticket", books=Books(Book((desk,), 1)), outlets=outlets, tally=Tally(),
        retention_ms=30 * 86_400_000, lateness_ms=0,
    )  # fmt: skip
    source = Source(topic="tickets", processor=lambda _: processor, codec=SOURCE_ROWS, burial=Burial(lambda *_: None))
    work = Containment(state, source, processor, PartitionStats(), state.commit)
    body = b'{"id":"%s","type":"%s","time":%d,"ticket":"T-1","priority":"P1"}'
    life = [(b"opened", ms("Mon 09:00")), (b"resolved", ms("Mon 10:00"))]
    await work.batch(
        [record(place, key=b"T-1", value=body % (kind, kind, at_ms), topic="tickets")
         for place, (kind, at_ms) in enumerate(life)],
        2, Now(ms("Mon 10:00"), caught_up=True),
    )  # fmt: skip
    expiry_ms = processor.next_tick_ms()
    assert expiry_ms is not None

    # when the tick that drops it fails
    def failing(*_: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as broken:
        broken.setattr(ingest, "encode_partial", failing)
        assert not await work.tick(Now(expiry_ms, caught_up=True))
    assert [key for key in state.rows if key[:1] == b"p" and b"minute" in key]

    # then it goes an hour later
    again_ms = processor.next_tick_ms()
    assert again_ms == expiry_ms + 3_600_000
    await work.tick(Now(again_ms, caught_up=True))
    assert not [key for key in state.rows if key[:1] == b"p" and b"minute" in key]


async def test_letters_that_were_cut_are_counted_once_they_are_written() -> None:
    writer, tally = FakeWriter(partitions=1), Tally()
    state = PartitionState(topic="tickets", partition=0, changelog="state", codec=SOURCE_ROWS, writer=writer)
    outlets = Outlets(
        alerts="alerts", partials="partials", partials_partitions=1, dead_letters="dead", status="status",
        statements="statements", max_dead_letter_bytes=10,
    )  # fmt: skip
    make = burier(outlets, tally)
    make(state, record(0, value=b"x" * 10, topic="tickets"), "bad_json", "")
    make(state, record(1, value=b"x" * 11, topic="tickets"), "bad_json", "")
    assert not tally.cut

    await state.commit(2)

    assert (tally.cut, tally.dead_letters) == ({"tickets": 1}, {("tickets", "bad_json"): 2})


faults = st.sampled_from(["good"] * 4 + list(FAULTS))
keys = st.sampled_from([b"a", b"b", b"c"])


@given(st.lists(st.tuples(faults, keys), min_size=1, max_size=40), st.data())
@settings(max_examples=100)
async def test_law_whatever_fails_the_rest_is_as_if_it_had_not_been_there(
    drawn: list[tuple[str, bytes]], data: st.DataObject
) -> None:
    records = [
        (good(offset, key) if fault == "good" else bad(offset, fault, key)) for offset, (fault, key) in enumerate(drawn)
    ]
    with_faults, without = Scene(), Scene()
    start = 0
    while start < len(records):
        end = data.draw(st.integers(start + 1, len(records)))
        await with_faults.take(*records[start:end])
        start = end
    kept = [one for one in records if one.value == b"good"]
    if kept:
        await without.take(*kept)

    assert with_faults.state.rows == without.state.rows
    assert with_faults.written("alerts") == without.written("alerts")
    assert sorted(with_faults.buried) == [one.offset for one in records if one.value != b"good"]
    assert with_faults.state.position == len(records)
    assert with_faults.processor.newest == without.processor.newest


def test_the_place_of_an_error_is_the_deepest_one_in_this_program() -> None:
    with pytest.raises(DecodeError) as inside:
        decode("ticket", b"T", b"[]")
    with pytest.raises(ValueError, match="invalid literal") as outside:
        int("x")

    assert place_of(inside.value).startswith("monitor/wire/")
    assert place_of(outside.value) == "outside of the program"
