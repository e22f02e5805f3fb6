"""One source partition from its assignment to its revocation, with a fake broker and a hand-turned clock."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiokafka.errors import IllegalStateError, KafkaConnectionError, ProducerFenced

from monitor.counters import PartitionStats
from monitor.errors import StateError
from monitor.stream.kafka.batch import Batch, View
from monitor.stream.partitions import following, runner
from monitor.stream.partitions.clock import HandClock, wall_ms
from monitor.stream.partitions.partition import POSITION, FencedError
from monitor.stream.partitions.runner import PartitionRunner
from monitor.stream.partitions.sources import Source
from tests.stream.counting import Counting, CountingCodec
from tests.stream.fakes import FakeConnection, FakeEvent, FakeUpstream, FakeWriter, record
from tests.stream.running import until

START_MS = 1_000_000


class Scene:
    """A runner with all that is around it."""

    def __init__(
        self, *, position: int = 0, end: int = 0, committed: int | None = None, visible: Sequence[int] = ()
    ) -> None:
        self.writer = FakeWriter()
        self.upstream = FakeUpstream()
        self.upstream.end = end
        self.upstream.committed = committed
        self.clock = HandClock(START_MS)
        self.stats = PartitionStats()
        self.failures: list[BaseException] = []
        self.processor: Counting | None = None
        self.let_go: list[tuple[object, bool, bool]] = []
        self.connection = FakeConnection(self.writer, position=position, end=end)
        self.connection.visible = list(visible)
        self.runner = PartitionRunner(
            source=Source(topic="in", processor=self._make, codec=CountingCodec(), let_go=self._let_go),
            partition=0,
            app_id="app",
            changelog="app-in-state",
            connection=self.connection,
            clock=self.clock,
            upstream=self.upstream,
            stats=self.stats,
            failed=self.failures.append,
        )

    def _let_go(self, state: object) -> None:
        self.let_go.append((state, self.writer.open, self.processor is not None))

    def _make(self, state: object) -> Counting:
        self.processor = Counting(state, silence_ms=100, grace_ms=0, alerts="alerts", silent="silent")
        return self.processor

    def hear(self, position: int, highwater: int | None = None) -> None:
        """The consumer has just heard from the broker."""
        self.upstream.seen = View(position if highwater is None else highwater, wall_ms())

    def grow_deaf(self) -> None:
        """The broker has said nothing for three seconds."""
        self.upstream.seen = View(1, wall_ms() - 3000)
        self.runner._standing._asked_ms -= 3000

    async def apply(self, event: FakeEvent) -> None:
        self.runner.submit(event)
        await until(lambda: event.message in self.upstream.done)

    async def wait(self, pulses: int) -> None:
        """So many pulses of the worker pass, and the task gets its turns."""
        for _ in range(pulses):
            self.runner.pulse()
            await asyncio.sleep(0)
        await asyncio.sleep(0.01)

    @property
    def told(self) -> list[tuple[bytes, bytes]]:
        return [(key, value) for key, value, _ in self.writer.committed.get(("silent", 0), [])]


@asynccontextmanager
async def scene(**options: Any) -> AsyncIterator[Scene]:
    made = Scene(**options)
    await until(lambda: made.runner.is_open or bool(made.failures))
    try:
        yield made
    finally:
        await made.runner.close()


def batch(start: int, end: int, *, highwater: int | None = None, age_ms: int = 0, records: bool = True) -> FakeEvent:
    now = wall_ms()
    return FakeEvent(
        Batch(
            [record(offset, timestamp=START_MS) for offset in range(start, end)] if records else [],
            start,
            end,
            end if highwater is None else highwater,
            now - age_ms,
        )
    )


async def test_a_batch_is_acknowledged_after_its_commit_and_not_before() -> None:
    async with scene() as on:
        on.writer.gate.clear()
        event = batch(0, 3)
        on.runner.submit(event)
        await until(lambda: on.writer.open)

        assert not event.acked
        assert not on.upstream.done
        on.writer.gate.set()
        await until(lambda: event.acked)

        assert on.runner.state.position == 3
        assert on.stats.events == 3


async def test_records_below_the_position_are_not_applied_again() -> None:
    async with scene(position=4, end=4) as on:
        event = batch(2, 6)
        await on.apply(event)

        assert event.acked
        assert on.runner.state.get(b"k")[1] == 2
        assert on.stats.skipped == 2


async def test_a_batch_of_repeats_only_is_acknowledged_without_a_transaction() -> None:
    async with scene(position=9, end=9) as on:
        event = batch(2, 6)
        await on.apply(event)

        assert event.acked
        assert on.writer.transactions == []


async def test_offsets_without_records_move_the_position_without_a_transaction() -> None:
    async with scene(position=4, end=6) as on:
        event = batch(4, 6, records=False)
        await on.apply(event)

        assert on.runner.state.position == 6
        assert on.writer.transactions == []
        assert not event.acked
        assert on.stats.holes == 2


async def test_a_batch_beyond_the_position_is_dropped_and_the_source_sought_back() -> None:
    async with scene(position=4, end=4) as on:
        event = batch(7, 9)
        await on.apply(event)

        assert on.upstream.seeks == [4]
        assert not event.acked
        assert on.runner.state.position == 4
        assert on.stats.events == 0


async def test_a_source_that_never_delivers_from_the_position_stops_the_worker() -> None:
    async with scene(position=4, end=4) as on:
        for _ in range(6):
            await on.apply(batch(7, 9))
        await until(lambda: bool(on.failures))

        assert isinstance(on.failures[0], StateError)
        assert "from offset 4 on are not delivered" in str(on.failures[0])


async def test_what_retention_removed_is_counted_as_lost_and_the_rest_applied() -> None:
    async with scene(position=4, end=9) as on:
        on.upstream.first = 7
        event = batch(7, 9)
        await on.apply(event)

        assert event.acked
        assert on.stats.lost == 3
        assert on.runner.state.position == 9


async def test_if_part_of_what_is_missing_was_removed_the_source_is_sought_to_what_is_left() -> None:
    async with scene(position=4, end=9) as on:
        on.upstream.first = 6
        await on.apply(batch(7, 9))

        assert on.upstream.seeks == [6]


async def test_until_the_end_of_the_opening_is_reached_no_batch_is_caught_up() -> None:
    async with scene(end=6) as on:
        await on.apply(batch(0, 3))
        await on.apply(batch(3, 6))

        assert on.processor.seen == [False, True]


async def test_a_batch_that_reaches_an_old_end_is_not_caught_up() -> None:
    async with scene() as on:
        await on.apply(batch(0, 3, age_ms=1500))

        assert on.processor.seen == [False]


async def test_a_batch_short_of_the_end_is_caught_up_if_its_newest_record_is_fresh() -> None:
    async with scene() as on:
        event = batch(0, 3, highwater=50)
        event.value.records[-1] = record(2, timestamp=wall_ms())
        await on.apply(event)
        await on.apply(batch(3, 5, highwater=50))

        assert on.processor.seen == [True, False]


async def test_a_deadline_fires_without_any_record() -> None:
    async with scene() as on:
        on.hear(1)
        await on.apply(batch(0, 1))
        assert on.told == []

        on.clock.advance(100)
        await until(lambda: bool(on.told))

        assert on.told == [(b"k", b"1")]
        assert on.runner.state.position == 1


async def test_what_comes_due_during_a_commit_does_not_wait_for_the_next_look_at_what_was_left_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(runner, "IDLE_RETRY_S", 3600.0)
    async with scene() as on:
        on.hear(2)
        # given deadlines at 100 and 150 ms
        early, late = record(0, key=b"early", timestamp=START_MS), record(1, key=b"late", timestamp=START_MS + 50)
        await on.apply(FakeEvent(Batch([early, late], 0, 2, 2, wall_ms())))

        # when the second comes due while the first is being committed
        on.writer.gate.clear()
        on.clock.advance(100)
        await until(lambda: on.writer.open)
        on.clock.advance(50)
        on.writer.gate.set()

        # then it is told at once
        await until(lambda: len(on.told) == 2)
        assert on.told == [(b"early", b"1"), (b"late", b"1")]


async def test_a_thawed_process_asks_for_the_end_and_announces_nothing_that_the_backlog_may_disprove() -> None:
    async with scene() as on:
        on.hear(1)
        await on.apply(batch(0, 1))
        assert on.runner.caught_up
        asked = on.upstream.asked

        on.clock.advance(100)
        time.sleep(0.6)  # noqa: ASYNC251 - frozen: the timer that is set for now fires late, records come in
        on.upstream.end = 5
        on.hear(1)
        await until(lambda: on.upstream.asked > asked and not on.runner.caught_up)
        assert on.told == []

        await on.apply(batch(1, 5))
        await until(lambda: bool(on.told))
        assert on.told == [(b"k", b"5")]


async def test_after_a_standstill_even_a_fresh_batch_is_not_caught_up_before_the_end_that_was_asked_for() -> None:
    async with scene() as on:
        asked = on.upstream.asked
        on.upstream.end = 6
        on.runner.distrust()
        await on.apply(batch(0, 3))
        await on.apply(batch(3, 6))

        assert on.processor.seen == [False, True]
        assert on.upstream.asked == asked + 1


async def test_a_tick_asks_for_the_end_if_the_consumer_has_not_heard_from_the_broker() -> None:
    async with scene() as on:
        await on.apply(batch(0, 1))
        on.grow_deaf()
        asked = on.upstream.asked

        on.upstream.end = 1
        on.clock.advance(100)
        await until(lambda: bool(on.told))

        assert on.upstream.asked > asked


async def test_while_the_broker_does_not_answer_nothing_is_judged_by_the_clock(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with scene() as on:
        await on.apply(batch(0, 1))

        async def silent() -> int:
            on.upstream.asked += 1
            raise KafkaConnectionError

        monkeypatch.setattr(on.upstream, "end_offset", silent)
        on.grow_deaf()
        on.clock.advance(100)
        await until(lambda: on.upstream.asked >= 2)

        assert on.told == []


async def test_records_that_wait_and_do_not_come_are_fetched_again() -> None:
    """The group's offset may be ahead of the rows, or a batch was lost on its way here."""
    async with scene(position=4, end=9) as on:
        await on.wait(following.STALL_PULSES)
        assert on.upstream.seeks == []
        await on.wait(1)
        assert on.upstream.seeks == [4]

        await on.apply(batch(4, 9))
        await on.wait(10 * following.STALL_PULSES)
        assert on.upstream.seeks == [4]


async def test_a_batch_ends_the_wait_that_began_before_it() -> None:
    async with scene(position=4, end=9) as on:
        await on.wait(following.STALL_PULSES + 1)
        assert on.upstream.seeks == [4]
        await on.wait(following.STALL_PULSES + 2)  # of twice as many
        await on.apply(batch(4, 6, highwater=9))

        await on.wait(following.STALL_PULSES)
        assert on.upstream.seeks == [4]
        await on.wait(1)
        assert on.upstream.seeks == [4, 6]


async def test_a_seek_that_fails_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async with scene(position=4, end=9) as on:
        seek = on.upstream.seek

        async def refused(_: int) -> None:
            monkeypatch.setattr(on.upstream, "seek", seek)
            raise IllegalStateError("No current assignment")

        monkeypatch.setattr(on.upstream, "seek", refused)
        await on.wait(following.STALL_PULSES + 1)
        assert on.upstream.seeks == []
        await on.wait(2 * following.STALL_PULSES + 1)

        assert on.upstream.seeks == [4]
        assert on.failures == []


async def test_records_that_never_come_stop_the_worker_after_longer_and_longer_waits() -> None:
    async with scene(position=4, end=9) as on:
        for wait in (8, 16, 32, 64, 128):
            before = len(on.upstream.seeks)
            await on.wait(wait)
            assert len(on.upstream.seeks) == before
            await on.wait(1)
            assert len(on.upstream.seeks) == before + 1
        await on.wait(256)
        assert on.failures == []
        await on.wait(1)

        assert isinstance(on.failures[0], StateError)
        assert "from offset 4 on are not delivered" in str(on.failures[0])


async def test_nothing_is_fetched_again_while_a_batch_is_worked_on() -> None:
    async with scene(position=4, end=9) as on:
        on.writer.gate.clear()
        event = batch(4, 6, highwater=9)
        on.runner.submit(event)
        await until(lambda: on.writer.open)
        await on.wait(10 * following.STALL_PULSES)
        on.writer.gate.set()
        await until(lambda: event.acked)

        assert on.runner.lag == 3
        assert on.upstream.seeks == []


async def test_closing_waits_for_the_commit_in_flight_and_drops_what_waits() -> None:
    async with scene() as on:
        on.writer.gate.clear()
        first, second = batch(0, 3), batch(3, 5)
        on.runner.submit(first)
        await until(lambda: on.writer.open)
        on.runner.submit(second)

        closing = asyncio.ensure_future(on.runner.close())
        await asyncio.sleep(0.05)
        assert not closing.done()
        on.writer.gate.set()
        await closing

        assert first.acked
        assert not second.acked
        assert on.upstream.done == [first.message, second.message]
        assert on.writer.stopped


async def test_closing_does_not_wait_for_a_long_restore() -> None:
    made = Scene()
    forever = asyncio.Event()

    async def slow(*_: object) -> None:
        await forever.wait()

    made.connection.restore = slow
    await asyncio.sleep(0)

    await asyncio.wait_for(made.runner.close(), 5)

    assert made.failures == []
    assert made.writer.stopped


async def test_a_tick_that_wants_its_ownership_proved_is_committed_though_it_has_nothing_to_write() -> None:
    async with scene() as on:
        await on.apply(batch(0, 1))
        on.runner.state.due_keys = lambda *_: on.runner.state.prove() or []  # type: ignore[method-assign]
        on.clock.advance(100)
        await until(lambda: len(on.writer.transactions) == 2)

        assert on.writer.transactions[-1] == {("app-in-state", 0): [(POSITION, b"1", [])]}


@pytest.mark.parametrize(
    ("harm", "error"),
    [
        (lambda on: setattr(on.writer, "fail", ProducerFenced()), FencedError),
        (lambda on: setattr(on.writer, "fail", KafkaConnectionError()), StateError),
        (lambda on: setattr(on.processor, "batch", _broken), ZeroDivisionError),
    ],
    ids=["fenced", "refused", "a broken processor"],
)
async def test_a_failing_batch_is_reported_once_and_not_acknowledged(
    harm: Callable[[Scene], None], error: type[Exception]
) -> None:
    async with scene() as on:
        harm(on)
        event = batch(0, 3)
        await on.apply(event)
        await until(lambda: bool(on.failures))

        assert not event.acked
        assert [type(failure) for failure in on.failures] == [error]


async def test_a_failing_tick_is_reported_like_a_failing_batch() -> None:
    async with scene() as on:
        on.hear(1)
        await on.apply(batch(0, 1))
        on.writer.fail = ProducerFenced()

        on.clock.advance(100)
        await until(lambda: bool(on.failures))

        assert isinstance(on.failures[0], FencedError)


async def test_a_writer_that_cannot_start_is_reported() -> None:
    made = Scene()

    async def refuse() -> None:
        raise KafkaConnectionError

    made.writer.start = refuse
    await until(lambda: bool(made.failures))

    assert "cannot become the writer" in str(made.failures[0])
    await made.runner.close()


def _broken(*_: object) -> None:
    raise ZeroDivisionError


async def test_whoever_works_for_a_partition_hears_at_once_that_it_is_let_go() -> None:
    async with scene() as on:
        on.writer.gate.clear()
        on.runner.submit(batch(0, 3))
        await until(lambda: on.writer.open)
        closing = asyncio.ensure_future(on.runner.close())
        await asyncio.sleep(0)
        # while its last commit is under way
        assert on.let_go == [(on.runner.state, True, True)]
        on.writer.gate.set()
        await closing
        assert on.let_go[-1] == (on.runner.state, False, True)


async def test_also_of_one_that_is_let_go_before_it_is_open() -> None:
    on = Scene()
    await on.runner.close()
    assert on.let_go[0][0] is on.let_go[-1][0] is on.runner.state


class TestALostChangelog:
    @pytest.mark.parametrize(
        ("position", "committed", "visible", "knows"),
        [
            (0, 7, [0, 6], "none"),  # created anew
            (0, 7, [], "none"),  # … and what was acknowledged has expired
            (4, 7, [4, 5, 6], "4"),  # cut
            (4, 7, [6], "4"),
        ],
    )
    async def test_it_stops_the_worker_and_names_the_way_out(
        self, position: int, committed: int, visible: list[int], knows: str
    ) -> None:
        async with scene(position=position, end=9, committed=committed, visible=visible) as on:
            (error,) = on.failures

            assert isinstance(error, StateError)
            assert f"up to {committed} were acknowledged, but app-in-state knows of {knows}" in str(error)
            assert "sla-monitor topics accept-loss in" in str(error)
            assert on.processor is None
            assert on.writer.transactions == []

    @pytest.mark.parametrize(
        ("position", "committed", "visible"),
        [
            (0, None, [0]),  # the first start
            (0, 0, [0]),  # the loss was accepted
            (7, 7, []),
            (7, 3, [3, 4, 5, 6]),  # a hint that lags behind
            (4, 7, []),  # between the two are markers of transactions only
            (4, 7, [3, 7]),
        ],
    )
    async def test_all_else_is_no_accident(self, position: int, committed: int | None, visible: list[int]) -> None:
        async with scene(position=position, end=9, committed=committed, visible=visible) as on:
            assert on.failures == []
            assert on.runner.is_open

    async def test_rows_without_a_committed_offset_are_worth_a_line(self, caplog: pytest.LogCaptureFixture) -> None:
        async with scene(position=4, end=9) as on:
            assert on.runner.is_open
        assert "offsets up to 4 were applied, but the group has committed none" in caplog.text


class TestASourceThatBeginsAnew:
    async def test_it_stops_the_worker_before_its_records_are_taken_for_repeats(self) -> None:
        async with scene(position=9, end=9) as on:
            on.upstream.end = 2
            event = batch(0, 2)
            await on.apply(event)

            (error,) = on.failures
            assert "ends at offset 2, but offsets up to 9 were applied" in str(error)
            assert not event.acked

    async def test_an_old_batch_of_a_source_that_goes_on_is_a_repeat(self) -> None:
        async with scene(position=9, end=9) as on:
            await on.apply(batch(0, 2))

            assert on.failures == []
            assert on.upstream.asked == 1
            assert on.stats.skipped == 2
