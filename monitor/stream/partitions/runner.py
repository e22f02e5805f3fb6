"""Runs one source partition: opens its state, applies batches, fires its timer, and closes it.

All of that happens in one task, so there is one writer and one order. While this task waits for the broker, the tasks
of other partitions run. How a batch is compared with the position: `monitor.stream.partitions.following`.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable
from math import inf
from typing import Any, Final

from aiokafka.errors import KafkaError

from monitor.counters import PartitionStats
from monitor.stream.kafka.batch import Batch
from monitor.stream.kafka.connection import Connection
from monitor.stream.kafka.pace import Pace, in_turns
from monitor.stream.kafka.refusals import stopped
from monitor.stream.partitions.accidents import check_changelog, check_end
from monitor.stream.partitions.caught_up import LATE_S, Standing
from monitor.stream.partitions.clock import Clock, wall_ms
from monitor.stream.partitions.collector import collect_young
from monitor.stream.partitions.containment import Containment
from monitor.stream.partitions.following import Following
from monitor.stream.partitions.partition import PartitionState
from monitor.stream.partitions.ports import Now, Upstream
from monitor.stream.partitions.sources import Source

log = logging.getLogger(__name__)

BEHIND_RETRY_S: Final = 0.5
IDLE_RETRY_S: Final = 0.25
"""Between two ticks while a row stays due although the last tick worked on all due rows."""
LONGEST_TIMER_S: Final = 30.0
"""The longest wait of a timer: the wall clock may be set meanwhile."""
OPEN_TIMEOUT_S: Final = 60.0
OPEN_GRACE_S: Final = 1.0
"""How long a partition that is let go while it opens may continue opening."""


class PartitionRunner:
    """One owned source partition, from its assignment to its revocation.

    ``failed`` is called once, with the error of the first failure. Nothing is acknowledged after that.
    """

    def __init__(
        self,
        *,
        source: Source,
        partition: int,
        app_id: str,
        changelog: str,
        connection: Connection,
        clock: Clock,
        upstream: Upstream,
        stats: PartitionStats,
        failed: Callable[[BaseException], None],
    ) -> None:
        self.source = source
        self.stats = stats
        self.upstream = upstream
        self.caught_up = False
        self.is_open = False
        self.progress_at = time.monotonic()
        self._connection = connection
        self._clock = clock
        self._failed = failed
        self._writer = connection.writer(f"{app_id}-{source.topic}-{partition}")
        self.state = PartitionState(
            topic=source.topic,
            partition=partition,
            changelog=changelog,
            codec=source.codec,
            writer=self._writer,
            commit_timeout_s=connection.transaction_timeout_s,
            max_record_bytes=connection.max_record_bytes,
        )
        self._work_on: Containment | None = None
        self._inbox: deque[Any] = deque()
        self._work = asyncio.Event()
        self._tick_due = False
        self._closing = False
        self._ticks = True
        self._standing = Standing(self.state.name, upstream)
        self._left_over = False
        self._told: bool | None = None  # the value of caught_up that the processor was last given
        self._following = Following(self.state, upstream, stats)
        self._timer: asyncio.TimerHandle | None = None
        self._armed = (0.0, 0, 0.0)  # loop time and wall time of arming, delay
        self._task = asyncio.ensure_future(self._run())
        self._task.add_done_callback(self._ended)
        self._unlisten = clock.on_turn(self._arm)

    # -- from outside

    def submit(self, event: Any) -> None:  # noqa: ANN401 - Faust's event
        """Take over a batch. It is acknowledged after its commit, or dropped when the partition closes."""
        if self._closing:
            self.upstream.finished(event.message)
            return
        self._inbox.append(event)
        self._work.set()

    def distrust(self) -> None:
        """Have the broker asked for the source's end before the clock judges again: the process stood still."""
        self._standing.trusted = False
        self._progressed()  # a frozen process could make no progress

    def end_ticks(self) -> None:
        """Judge nothing by the clock any more: the source will not be read any longer."""
        self._ticks = False
        self._disarm()

    def pulse(self) -> None:
        """Notice that records wait in the source while none comes.

        The worker calls it at an even pace unless it is frozen.

        The task itself would not notice: it sleeps while there is no batch and nothing is due.
        """
        if self._inbox or not self.is_open or not self.lag:
            self._following.pulses_in_vain = 0
            return
        self._following.pulses_in_vain += 1
        if self._following.is_stalled:
            self._work.set()

    @property
    def lag(self) -> int:
        """The offsets between the position and the known end of the source."""
        view = self.upstream.view()
        if view is not None:
            self.stats.highwater = view.highwater
        return self.stats.lag

    async def close(self, grace_s: float = 20.0) -> None:
        """Finish the commit in flight, drop the batches that wait, and let go of the partition.

        It never stops the producer during a commit: one that is stopped in mid-transaction leaves its waiters hanging
        for ever.
        """
        self._closing = True
        self.source.let_go(self.state)
        self._unlisten()
        self._disarm()
        self._work.set()
        if not self.is_open:
            # aiokafka's clients that are cut off while they connect leave connections behind, which log errors later.
            await asyncio.wait([self._task], timeout=OPEN_GRACE_S)
            self._task.cancel()
        _, pending = await asyncio.wait([self._task], timeout=grace_s)
        if pending:
            log.error("%s: the last commit did not end within %g s", self.state.name, grace_s)
            self._task.cancel()
            await asyncio.wait([self._task], timeout=1.0)
        self.source.let_go(self.state)  # once more: the processor may have been made since the first call
        self.is_open = self.stats.open = False
        for event in self._inbox:
            self.upstream.finished(event.message)
        self._inbox.clear()
        try:
            async with asyncio.timeout(5.0):
                await self._writer.stop()
        except (TimeoutError, KafkaError) as error:
            log.warning("%s: the producer did not stop cleanly: %r", self.state.name, error)

    # -- the task

    async def _run(self) -> None:
        await self._open()
        while not self._closing:
            if self._inbox:
                event = self._inbox[0]
                try:
                    await self._apply(event)
                finally:
                    self._inbox.popleft()
                    self.upstream.finished(event.message)
                del event  # and its records
                collect_young()
            if self._following.is_stalled and not self._closing:
                self._following.pulses_in_vain = 0
                if not self._inbox:
                    await self._following.seek_back(self.state.position, "records wait in the source and none has come")
            if self._tick_due and not self._closing:
                self._tick_due = False
                if not self._ticks:
                    continue
                await self._tick()
            self._arm()
            if not self._inbox and not self._tick_due and not self._closing:
                self._work.clear()
                await self._work.wait()

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._failed(error)

    async def _open(self) -> None:
        started = time.monotonic()
        try:
            async with asyncio.timeout(OPEN_TIMEOUT_S):
                await self._writer.start()  # fences earlier owners; the broker ends their open transaction
        except (TimeoutError, KafkaError) as error:
            raise stopped(f"{self.state.name}: cannot become the writer of this partition", error, "Write") from error
        try:
            ends = await self._connection.restore(self.state, self._progressed)
            await check_changelog(self.state, await self.upstream.committed_offset(), self._connection)
        except KafkaError as error:
            raise stopped(f"{self.state.name}: cannot restore the rows", error, "Read") from error
        processor = self.source.processor(self.state)
        self._progressed()
        # No other work is asked of the processor before this ends (`is_open`). Letting the partition go cuts it off.
        await in_turns(Pace().kept_by(processor.restore()))
        self._work_on = Containment(self.state, self.source, processor, self.stats, self._commit)
        self.caught_up = self._standing.opened(ends.end, self.state.position)
        self.stats.restored_rows = self.stats.rows = len(self.state.rows)
        self.stats.restore_seconds = time.monotonic() - started
        self.stats.highwater = ends.end
        self.stats.position = self.state.position
        self.stats.caught_up = self.caught_up
        self._progressed()
        self.is_open = self.stats.open = True
        log.info(
            "%s: %d rows restored in %.3f s, position %d, %d offsets to catch up",
            self.state.name, self.stats.restored_rows, self.stats.restore_seconds, self.state.position,
            max(0, ends.end - self.state.position),
        )  # fmt: skip

    def _progressed(self) -> None:
        self.progress_at = time.monotonic()

    # -- batches

    async def _apply(self, event: Any) -> None:  # noqa: ANN401 - Faust's event
        batch: Batch = event.value
        if not await self._following.follows(batch):
            return
        await check_end(self.state, batch, self.upstream)
        records = self._following.unapplied(batch)
        if not self._standing.trusted:
            await self._standing.ask(self.state.position)
        end = max(batch.end, self.state.position)
        self.stats.highwater = max(batch.highwater, end)
        caught_up = self._standing.judge(batch, end)
        if records:
            assert self._work_on is not None
            await self._work_on.batch(records, end, self._now(caught_up=caught_up))
            self.stats.events += len(records)
            self.stats.batches += 1
            event.ack()
        elif batch.records:
            event.ack()  # all records were applied before: only the group's offset lags behind
        else:
            # Only transaction markers. The stored position stays behind: they are not worth a transaction.
            self.state.position = end
        self._following.seeks = self._following.pulses_in_vain = 0
        self._left_over = False
        self._settled(caught_up=caught_up)

    def _now(self, *, caught_up: bool) -> Now:
        """Return the present for a batch or a tick, and note what the processor is told."""
        self._told = caught_up
        return Now(self._clock.now_ms(), caught_up)

    async def _commit(self, position: int) -> None:
        started = time.perf_counter()
        await self.state.commit(position)
        self.stats.commit_seconds.add(time.perf_counter() - started)
        self.stats.commits += 1

    def _settled(self, *, caught_up: bool) -> None:
        self.caught_up = caught_up
        self.stats.caught_up = caught_up
        self.stats.position = self.state.position
        self.stats.rows = len(self.state.rows)
        self.stats.set_aside = len(self.state.set_aside.keys)
        self._progressed()

    # -- the timer

    async def _check_source(self, late_s: float) -> None:
        """Make sure, before a tick, that the known end of the source may be relied on."""
        if self.caught_up and self._standing.trusted and late_s <= LATE_S and self._standing.heard():
            return
        self.caught_up = self.stats.caught_up = await self._standing.ask(self.state.position)
        self.stats.highwater = max(self.stats.highwater, self._standing.target or 0)

    async def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        armed_at, armed_wall_ms, delay = self._armed
        # A suspended machine may stop the loop's clock, but not the wall clock.
        late = max(loop.time() - armed_at, (wall_ms() - armed_wall_ms) / 1000) - delay
        await self._check_source(late)
        if self._closing or not (self._due() or self._told is not self.caught_up):
            return
        assert self._work_on is not None
        now = self._now(caught_up=self.caught_up)
        commits = self.stats.commits
        more = await self._work_on.tick(now)
        self.stats.ticks += 1
        if self.stats.commits > commits:
            self._settled(caught_up=self.caught_up)
            self.stats.tick_delay_seconds.add(max(0.0, loop.time() - armed_at - delay))
        # Rows that came due during the tick do not count: no tick has worked on them yet.
        self._left_over = not more and self._next_wake_ms() <= now.ms
        if more:
            self._armed = (loop.time(), wall_ms(), 0.0)
            self._tick_due = True
            await asyncio.sleep(0)

    def _next_wake_ms(self) -> float:
        """Return when rows or the processor want a tick, ``inf`` if they do not."""
        wakes = (self.state.next_wake_ms(), None if self._work_on is None else self._work_on.processor.next_tick_ms())
        return min((wake for wake in wakes if wake is not None), default=inf)

    def _wait_s(self) -> float:
        """Return the real seconds until rows or the processor want a tick, ``inf`` if they do not."""
        wake_ms = self._next_wake_ms()
        return inf if wake_ms == inf else self._clock.seconds_until(int(wake_ms))

    def _due(self) -> bool:
        return self._wait_s() <= 0

    def clock_was_set(self) -> None:
        """Judge anew, after asking for the source's end: the clock shows another time than a moment ago."""
        self._standing.trusted = False
        self._told = None
        self._arm()

    def look_again(self) -> None:
        """Set the timer anew: the processor's next tick has changed without a batch."""
        self._arm()

    def _arm(self) -> None:
        """Set the one timer to the nearest instant at which rows or the processor want a tick."""
        self._disarm()
        if self._closing or not self._ticks or not self.is_open or self._tick_due:
            return
        delay = 0.0 if self._told is not self.caught_up else min(self._wait_s(), LONGEST_TIMER_S)
        if not self.caught_up and self._told is False:  # check again soon whether it has caught up
            delay = BEHIND_RETRY_S
        elif self._left_over:
            delay = max(delay, IDLE_RETRY_S)
        loop = asyncio.get_running_loop()
        self._armed = (loop.time(), wall_ms(), delay)
        self._timer = loop.call_later(delay, self._fire)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _fire(self) -> None:
        self._timer = None
        self._tick_due = True
        self._work.set()
