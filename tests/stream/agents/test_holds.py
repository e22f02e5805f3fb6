"""What holds the event loop is bounded, however much there is: restores, sweeps, agreements, bodies, the collector.

Between two pauses: lines of the program that run, or rows, records and objects that are gone through.
"""

from __future__ import annotations

import asyncio
import gc
from contextlib import asynccontextmanager
from itertools import pairwise

import orjson
import pytest
from aiokafka.structs import TopicPartition
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.agreements.book import Book
from monitor.core.pieces import LOT, at_once
from monitor.core.series.series import Pane, PaneKey, SeriesKey
from monitor.core.windows.rows import MergedPane, merged_pane_key
from monitor.counters import PartitionStats
from monitor.stream.agents import books as books_module
from monitor.stream.agents.books import Books
from monitor.stream.agents.sweep import Sweep
from monitor.stream.kafka import pace
from monitor.stream.kafka.connection import RESTORE_RECORDS, Connection
from monitor.stream.partitions.collector import calm_collector
from monitor.stream.partitions.containment import Containment
from monitor.stream.partitions.partition import POSITION, PartitionState
from monitor.stream.partitions.ports import Now
from monitor.stream.partitions.sending import OUTPUTS_AT_ONCE
from monitor.stream.partitions.sources import Source
from monitor.wire.mapping import Mapper
from monitor.wire.rows import EVALUATE_ROWS
from tests.benchmarks.holds import MAPPING, large_bodies
from tests.core.paging_stage import alert
from tests.core.stories import ms
from tests.stream.agents.test_evaluate import DESK, Partition, partial, resolved
from tests.stream.counting import ROW, CountingCodec
from tests.stream.fakes import FakeWriter, record
from tests.stream.kafka.test_pace import Desk, records
from tests.stream.notifying import Partition as Alerts
from tests.stretches import MOST_LINES, stretches

ROWS = 30_000


@pytest.fixture
def hasty(monkeypatch):
    """Every stretch of work has taken its time at once."""
    monkeypatch.setattr(pace, "HOLD_S", 0.0)


class Turns:
    """Counts the turns of the loop that others get, and what they see in each."""

    def __init__(self, look=lambda: None):
        self.seen, self.look = [], look
        self.task = asyncio.ensure_future(self._run())

    async def _run(self):
        while True:
            self.seen.append(self.look())
            await asyncio.sleep(0)

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        self.task.cancel()


# -- restores


def counting_state(rows=ROWS):
    state = PartitionState(
        topic="in", partition=0, changelog="state", codec=CountingCodec(), writer=FakeWriter(batch_limit=1 << 30)
    )
    state.load(
        record(0, key=b"%05d" % number, value=ROW.pack(1_000 + number * 7 % rows, 1, 0)) for number in range(rows)
    )
    return state


def test_the_wakes_of_a_restore_are_found_in_pieces():
    state = counting_state()
    asked = []
    wake_ms = state.codec.wake_ms
    state.codec.wake_ms = lambda row: asked.append(row) or wake_ms(row)

    most = before = 0
    for _ in state.loaded():
        most, before = max(most, len(asked) - before), len(asked)

    assert (most, len(asked)) == (LOT, ROWS)
    assert state.next_wake_ms() == 1_000


def test_the_keys_of_all_rows_are_sorted_by_kind_in_pieces():
    state = counting_state()

    by_kind, of_kind = stretches(state.keys_by_kind()), stretches(state.keys_of(b"1"))

    assert by_kind.longest < MOST_LINES / 4
    assert by_kind.made.keys() == {b"0", b"1", b"2"}
    assert of_kind.longest < MOST_LINES / 4
    assert of_kind.made == by_kind.made[b"1"] == [key for key in state.rows if key[:1] == b"1"]


@pytest.mark.usefixtures("hasty")
async def test_while_wakes_are_noted_anew_the_next_one_is_known():
    """Given rows that change their wishes often, when too many are noted, then others may ask all the while."""
    state = counting_state(4 * LOT)
    at_once(state.loaded())
    async with Turns(state.next_wake_ms) as turns:
        for round_ in range(3):
            for number in range(4 * LOT):
                state.put(b"%05d" % number, (1_000 + (number * 7 + round_) % (4 * LOT), round_ + 2, 0))
            await state.commit(round_)

    assert set(turns.seen[1:]) == {1_000}
    assert len(state._wakes) == 4 * LOT, "they were noted anew"
    assert len(turns.seen) > 3 * 4


async def test_a_restore_lets_others_run_between_two_handfuls_of_rows_that_are_there_at_once(monkeypatch):
    """aiokafka hands over what it has fetched without a pause: 14,000 rows in one go."""
    rows = [record(number, key=b"%05d" % number, value=ROW.pack(0, 1, 0)) for number in range(4 * RESTORE_RECORDS)]
    rows.append(record(len(rows), key=POSITION, value=b"5"))
    changelog = TopicPartition("state", 0)

    class Reader:
        at = 0

        def assign(self, partitions):
            pass

        async def end_offsets(self, partitions):
            return {partition: len(rows) if partition == changelog else 5 for partition in partitions}

        async def beginning_offsets(self, partitions):
            return dict.fromkeys(partitions, 0)

        async def position(self, partition):  # noqa: ARG002 - aiokafka's
            return self.at

        async def getmany(self, *, timeout_ms, max_records):  # noqa: ARG002 - aiokafka's
            found, self.at = rows[self.at : self.at + max_records], min(len(rows), self.at + max_records)
            return {changelog: found}

    @asynccontextmanager
    async def reader(_self):
        yield Reader()

    monkeypatch.setattr(Connection, "reader", reader)
    state = PartitionState(topic="in", partition=0, changelog="state", codec=CountingCodec(), writer=FakeWriter())

    async with Turns(lambda: len(state.rows)) as turns:
        await asyncio.sleep(0)
        await Connection(bootstrap="").restore(state, lambda: None)

    assert state.position == 5
    sizes = sorted(set(turns.seen))
    assert max(after - before for before, after in pairwise(sizes)) <= RESTORE_RECORDS
    assert len(sizes) >= 5


async def test_an_evaluator_finds_its_series_in_pieces_and_shows_what_it_knew_until_then():
    partition = Partition(DESK)
    await partition.take(partial(*resolved("met")))
    while await partition.tick("Mon 10:00"):
        pass
    row = EVALUATE_ROWS.encode(b"w", MergedPane({"tickets/0": Pane({"met": 1}, {}, {}, {}, {})}))
    for number in range(ROWS):
        series = SeriesKey("desk", "resolution", (f"c{number % 1_000}",))
        partition.state.rows[merged_pane_key(PaneKey(series, "day", number * 86_400_000))] = row
    shown = dict(partition.processor.evaluator.latest)

    restored = stretches(partition.processor.restore())
    assert restored.longest < MOST_LINES < restored.lines
    partition.processor.evaluator.latest.update(shown)
    again = partition.processor.recover(ValueError("something failed"))
    for _ in again:
        assert partition.processor.evaluator.latest.keys() == shown.keys()
        assert partition.processor.next_tick_ms() is not None
    assert partition.processor.evaluator.latest == shown
    assert len(partition.processor.evaluator.places()) == 1


async def test_alerts_are_found_again_in_pieces_and_none_of_them_stays_decoded():
    alerts = Alerts()
    await alerts.hear(*[alert(f"T-{number}") for number in range(300)], now="Mon 09:00")
    heir = Alerts(rows=alerts.state.rows)
    before = heir.processor.open_pages()

    decoded = []
    for _ in heir.processor.restore():
        decoded.append(len(heir.state._decoded))
        assert heir.processor.open_pages() == before, "what is known stays known until all is found again"

    assert len(decoded) > 300 / 64
    assert set(decoded) == {0}
    assert heir.processor.open_pages() == alerts.processor.open_pages()


# -- sweeps and ticks


@given(
    st.lists(st.binary(min_size=1, max_size=2), unique=True, max_size=30),
    st.lists(st.tuples(st.integers(1, 9), st.integers(0, 9)), min_size=40, max_size=40),
)
def test_law_a_sweep_comes_to_every_row_once_whatever_a_tick_leaves(keys, ticks):
    sweep, seen = Sweep.of(keys), []
    for limit, done in [*ticks, (99, 99)]:
        taken = sweep.next(limit)
        missed = set(taken[done:]) if done else set()
        seen += taken if not missed else taken[:done]
        sweep = sweep.after(taken, missed)
    assert sweep.left == 0
    assert sorted(seen) == sorted(keys)


@pytest.mark.usefixtures("hasty")  # how much is done in a stretch must not depend on how fast the machine is
async def test_a_sweep_of_many_subjects_begins_in_pieces():
    desk = Desk()
    await desk.take(records(tickets=1, facts=1))
    (key,) = [key for key in desk.state.rows if key[:1] == b"s"]
    for number in range(ROWS):
        desk.state.rows[b"sX-%05d" % number] = desk.state.rows[key]
    desk.books.book = Book((DESK,), 2)

    did = stretches(desk.ingest.tick(Now(ms("Tue 12:00"), caught_up=True)))

    assert did.made, "more is left"
    assert did.longest < MOST_LINES


@pytest.mark.usefixtures("hasty")
async def test_a_tick_that_folds_one_long_ledger_lets_others_run_and_ends_with_it():
    desk = Desk()
    await desk.take(records(tickets=2, facts=200))
    while await desk.tick():
        pass
    desk.books.book = Book((DESK,), 2)
    source = Source(topic="tickets", processor=lambda _: desk.ingest, codec=desk.state.codec)
    work = Containment(desk.state, source, desk.ingest, PartitionStats(), desk.state.commit)

    async with Turns() as turns:
        more = await work.tick(Now(ms("Tue 12:00"), caught_up=True))

    assert more
    assert desk.stamps().count(2) == 1
    assert len(turns.seen) > 200 / 8


async def test_a_partition_that_is_let_go_in_mid_tick_has_written_nothing_of_it():
    """Given a tick that is cut off between two pieces, then its next owner finds the rows of before."""
    desk = Desk()
    await desk.take(records(tickets=3, facts=50))
    written = [dict(desk.state.rows), {place: list(found) for place, found in desk.writer.committed.items()}]
    desk.books.book = Book((DESK,), 2)

    tick = desk.ingest.tick(Now(ms("Tue 12:00"), caught_up=True))
    while not desk.state._touched:
        try:
            next(tick)
        except StopIteration:
            break
    tick.close()

    assert [desk.state.rows, desk.writer.committed] == written


async def test_keys_of_many_records_are_hashed_in_pieces(monkeypatch):
    monkeypatch.setattr(pace, "HOLD_S", 0.0)
    state = counting_state(0)
    for number in range(500):
        state.emit("events", b"k", b"v", partition_key=b"%d" % number)

    async with Turns() as turns:
        await state.commit(1)

    assert len(turns.seen) > 500 / OUTPUTS_AT_ONCE


# -- agreements and bodies


def test_of_a_large_book_one_agreement_is_read_at_a_time(monkeypatch):
    from tests.stream.agents.test_books import document  # noqa: PLC0415 - only here

    read = []
    parse = books_module.parse_document
    monkeypatch.setattr(books_module, "parse_document", lambda *args: read.append(args) or parse(*args))
    found = [(f"desk-{n}/1".encode(), orjson.dumps(document(agreement=f"desk-{n}"))) for n in range(20)]
    books = Books()
    told = []
    books.on_change(lambda: told.append(len(books.book.agreements)))

    before = 0
    for _ in books.taking(found):
        assert len(read) - before <= 1
        assert not books.book.agreements, "what is half read is not in force"
        before = len(read)

    assert (len(read), told) == (20, [20])


def test_a_body_of_a_megabyte_is_mapped_in_pieces():
    from monitor.config.mappings.mapping import load_mapping  # noqa: PLC0415 - only here

    mapper = Mapper(load_mapping(MAPPING, live=True), 1_000)
    _, body = next(large_bodies())

    did = stretches(mapper.making(orjson.loads(body)))

    assert did.longest < MOST_LINES < did.lines / 4


# -- the collector


def test_the_collector_looks_at_few_objects_at_a_time():
    """A look at 200,000 objects takes 60 ms, and nobody can interrupt it."""
    thresholds, looked_at = gc.get_threshold(), []

    def note(phase, info):
        if phase == "start" and info["generation"] < 2:
            looked_at.append(sum(len(gc.get_objects(generation)) for generation in range(info["generation"] + 1)))

    try:
        calm_collector()
        gc.callbacks.append(note)
        kept = [[] for _ in range(300_000)]
    finally:
        gc.callbacks.remove(note)
        gc.set_threshold(*thresholds)
        gc.unfreeze()

    assert len(kept) == 300_000
    assert looked_at
    assert max(looked_at) < 105_000
