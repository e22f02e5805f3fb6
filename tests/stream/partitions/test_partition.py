"""A partition's rows and their writer."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest
from aiokafka.errors import MessageSizeTooLargeError, ProducerFenced
from aiokafka.partitioner import DefaultPartitioner
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.pieces import at_once
from monitor.errors import RowError, StateError
from monitor.stream.partitions.partition import POSITION, FencedError, PartitionState
from monitor.stream.partitions.sending import partition_of
from tests.stream.counting import CountingCodec
from tests.stream.fakes import FakeWriter, record

CHANGELOG = ("app-in-state", 2)


def state_of(writer: FakeWriter, **options) -> PartitionState:
    return PartitionState(
        topic="in", partition=2, changelog="app-in-state", codec=CountingCodec(), writer=writer, **options
    )


def row(wake: int = 0, count: int = 1) -> tuple[int, int, int]:
    return (wake, count, 0)


async def test_rows_position_and_outputs_are_one_transaction() -> None:
    writer = FakeWriter()
    state = state_of(writer)

    state.put(b"a", row())
    state.emit("alerts", b"x", b"told", headers=[("h", b"1")])
    await state.commit(7)

    assert writer.transactions == [
        {
            CHANGELOG: [(b"a", CountingCodec().encode(b"a", row()), []), (POSITION, b"7", [])],
            ("alerts", 2): [(b"x", b"told", [("h", b"1")])],
        }
    ]
    assert state.position == 7
    assert not state.dirty


async def test_an_output_goes_to_the_partition_it_names_or_to_that_of_its_key() -> None:
    writer = FakeWriter(partitions=8)
    state = state_of(writer)

    state.emit("out", b"k", b"1", partition=5)
    state.emit("out", b"k", b"2", partition_key=b"customer")
    await state.commit(1)

    by_key = DefaultPartitioner()(b"customer", list(range(8)), list(range(8)))
    assert writer.committed["out", 5] == [(b"k", b"1", [])]
    assert writer.committed["out", by_key] == [(b"k", b"2", [])]


@given(st.binary(min_size=1, max_size=40), st.integers(1, 200))
def test_a_key_has_the_partition_that_kafkas_default_partitioner_gives_it(key: bytes, count: int) -> None:
    everywhere = list(range(count))

    assert partition_of(key, count) == DefaultPartitioner()(key, everywhere, everywhere)


async def test_a_row_that_did_not_change_is_not_written_again() -> None:
    writer = FakeWriter()
    state = state_of(writer)
    state.put(b"a", row())
    await state.commit(1)

    state.put(b"a", row())
    state.put(b"never there", None)
    await state.commit(2)

    assert writer.transactions[1] == {CHANGELOG: [(POSITION, b"2", [])]}


async def test_a_deleted_row_becomes_a_tombstone_and_is_gone() -> None:
    writer = FakeWriter()
    state = state_of(writer)
    state.put(b"a", row())
    await state.commit(1)

    state.put(b"a", None)
    assert state.get(b"a") is None
    await state.commit(2)

    assert writer.transactions[1][CHANGELOG][0] == (b"a", None, [])
    assert state.rows == {}


async def test_a_put_row_is_seen_before_its_commit_and_after_it() -> None:
    state = state_of(FakeWriter())

    state.put(b"a", row(count=3))
    assert state.get(b"a") == row(count=3)
    await state.commit(1)

    assert state.get(b"a") == row(count=3)


async def test_more_records_than_fit_in_a_batch_are_sent_in_several_and_none_is_dropped() -> None:
    writer = FakeWriter(batch_limit=10)
    state = state_of(writer)

    for number in range(35):
        state.emit("out", b"%d" % number, b"v")
    await state.commit(1)

    assert [key for key, _, _ in writer.committed["out", 2]] == [b"%d" % number for number in range(35)]
    assert writer.batches == 4 + 1


async def test_a_record_that_is_too_large_is_an_error_that_names_topic_and_key() -> None:
    state = state_of(FakeWriter(), max_record_bytes=100)

    with pytest.raises(RowError, match=r"207 bytes for topic dead-letters, key b'the key', is larger than 100"):
        state.emit("dead-letters", b"the key", b"x" * 200)
    with pytest.raises(RowError, match=r"103 bytes for topic alerts, key b'k', is larger than 100"):
        state.emit("alerts", b"k", b"x" * 95, headers=[("name", b"123")])
    with pytest.raises(RowError, match=r"101 bytes for topic partials, key b'k', is larger than 100"):
        state.emit_all("partials", [(b"j", None, b"desk"), (b"k", b"x" * 100, b"desk")])


async def test_records_that_are_emitted_together_are_those_that_are_emitted_one_by_one() -> None:
    one, other = FakeWriter(), FakeWriter()
    each, together = state_of(one), state_of(other)
    records = [(b"k", b"1", b"desk"), (b"l", None, b"payroll")]

    for key, value, by in records:
        each.emit("out", key, value, partition_key=by)
    together.emit_all("out", iter(records))
    await each.commit(1)
    await together.commit(1)

    assert one.transactions == other.transactions
    assert sum(len(sent) for (topic, _), sent in one.transactions[0].items() if topic == "out") == 2


async def test_a_row_that_is_too_large_or_does_not_encode_is_an_error_that_names_it_before_the_transaction() -> None:
    state = state_of(FakeWriter(), max_record_bytes=10)
    state.put(b"large", row())

    with pytest.raises(RowError, match=r"row b'large' of \d+ bytes is larger than 10") as refused:
        state.seal()
    assert refused.value.key == b"large"

    state = state_of(writer := FakeWriter())
    state.put(b"odd", "no row")
    with pytest.raises(RowError, match=r"row b'odd' does not encode"):
        state.seal()
    assert writer.transactions == []


async def test_what_is_taken_back_leaves_the_state_as_it_was_committed() -> None:
    state, done = state_of(writer := FakeWriter()), []
    state.put(b"a", row())
    state.after_commit(lambda: done.append("first"))
    await state.commit(1)

    state.put(b"a", None)
    state.put(b"b", row())
    list(state.pack(b"b"))
    state.emit("alerts", b"k", b"v")
    state.after_commit(lambda: done.append("second"))
    state.take_back()

    assert not state.dirty
    assert state.get(b"a") == row()
    assert state.get(b"b") is None
    await state.commit(2)
    assert done == ["first"]
    assert [list(one) for one in writer.transactions] == [[("app-in-state", 2)]] * 2


async def test_a_fenced_writer_says_that_another_worker_owns_the_partition() -> None:
    writer = FakeWriter()
    writer.fail = ProducerFenced()
    state = state_of(writer)
    state.put(b"a", row())

    with pytest.raises(FencedError, match="in/2: another worker owns this partition"):
        await state.commit(1)

    assert state.rows == {}
    assert state.position == 0


async def test_a_refused_transaction_is_a_state_error_and_nothing_is_applied() -> None:
    writer = FakeWriter()
    writer.fail = MessageSizeTooLargeError()
    state = state_of(writer)
    state.put(b"a", row())

    with pytest.raises(StateError, match="the transaction failed"):
        await state.commit(1)

    assert state.rows == {}


async def test_a_commit_that_the_broker_does_not_confirm_ends_in_an_error() -> None:
    writer = FakeWriter()
    writer.gate.clear()
    state = state_of(writer, commit_timeout_s=0.02)
    state.put(b"a", row())

    with pytest.raises(StateError, match=r"was not confirmed within 0\.02 s"):
        await state.commit(1)


async def test_rows_are_due_in_order_up_to_an_instant_and_a_limit() -> None:
    state = state_of(FakeWriter())
    for key, wake in ((b"c", 30), (b"a", 10), (b"b", 20), (b"never", 0)):
        state.put(key, row(wake))
    await state.commit(1)

    assert state.next_wake_ms() == 10
    assert state.due_keys(25, limit=1) == [b"a"]
    assert state.due_keys(25) == [b"b"]
    assert state.due_keys(25) == []


async def test_a_due_row_that_is_left_alone_stays_due() -> None:
    state = state_of(FakeWriter())
    state.put(b"a", row(10))
    await state.commit(1)

    assert state.due_keys(10) == [b"a"]
    state.settle()

    assert state.due_keys(10) == [b"a"]


async def test_a_wake_that_moved_is_due_at_its_new_instant_only() -> None:
    state = state_of(FakeWriter())
    state.put(b"a", row(10))
    await state.commit(1)
    state.put(b"a", row(50))
    await state.commit(2)

    assert state.due_keys(49) == []
    assert state.next_wake_ms() == 50
    assert state.due_keys(50) == [b"a"]


async def test_a_position_row_that_is_no_number_is_an_error() -> None:
    state = state_of(FakeWriter())
    state.load([record(0, key=POSITION, value=b"many")])

    with pytest.raises(StateError, match="is no number"):
        at_once(state.loaded())


KEYS = st.sampled_from([b"a", b"b", b"c", b"d"])
STEP = st.lists(st.tuples(KEYS, st.none() | st.integers(0, 60)), max_size=6)


@settings(max_examples=60)
@given(st.lists(STEP, max_size=12), st.integers(0, 60))
def test_what_is_restored_from_the_changelog_is_what_was_committed(steps: list, until_ms: int) -> None:
    async def scenario() -> None:
        writer = FakeWriter(batch_limit=2)
        state = state_of(writer)
        for number, step in enumerate(steps, 1):
            for key, wake in step:
                state.put(key, None if wake is None else row(wake, number))
            await state.commit(number)
        heir = state_of(FakeWriter())
        heir.load([record(0, key=key, value=value) for key, value, _ in writer.committed.get(CHANGELOG, [])])
        at_once(heir.loaded())

        assert heir.rows == state.rows
        assert heir.position == state.position == len(steps)
        awake = sorted((heir.get(key)[0], key) for key in heir.rows if 0 < heir.get(key)[0] <= until_ms)
        assert sorted(heir.due_keys(until_ms)) == sorted(state.due_keys(until_ms)) == sorted(k for _, k in awake)

    asyncio.run(scenario())


async def test_what_follows_from_where_the_others_stand_is_in_the_same_transaction() -> None:
    state = state_of(writer := FakeWriter())
    for _ in range(2):
        state.emit("events", b"k", b"v", partition=1)
        state.emit("events", b"k", b"v", partition=1)

        def act(ends: Mapping[tuple[str, int], int]) -> None:
            state.put(b"ends", row(0, ends["events", 1]))
            state.emit("markers", b"m", b"%d" % ends["events", 1], partition=0)

        state.after_sending(act)
        assert state.dirty
        await state.commit(1)

    assert len(writer.transactions) == 2
    assert writer.committed["markers", 0] == [(b"m", b"2", []), (b"m", b"4", [])]
    assert state.get(b"ends") == row(0, 4)
    assert not state.dirty


@given(
    st.dictionaries(st.binary(min_size=1, max_size=2), st.integers(0, 400_000), max_size=60), st.integers(1, 400_000)
)
def test_law_the_rows_that_wake_until_an_instant_are_found_once_and_stay_noted(wakes, until_ms) -> None:
    state = state_of(FakeWriter())
    for key, wake in wakes.items():
        state.put(key, row(1_000_000))  # each is noted twice, as a row that has changed
        state.put(key, row(wake))
    asyncio.run(state.commit(1))
    expected = sorted(wake for wake in wakes.values() if 0 < wake <= until_ms)
    state.next_wake_ms()  # the earliest slot is in order by now

    found = at_once(state.waking_until(until_ms, limit=1_000))

    assert sorted(wake for wake, _, _ in found) == expected
    assert len(at_once(state.waking_until(until_ms, limit=3))) == min(3, len(expected))
    assert len(state.due_keys(until_ms)) == len(expected)
