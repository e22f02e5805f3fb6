"""Deliveries under way: tasks beside the partitions, so that no receiver holds up a transaction or another receiver.

A partition starts only what its rows hold, committed; it takes the outcomes with a tick. When it is let go, whatever
is under way is cut off: its next owner begins again, with the same ids.

**Ownership.** A process that was frozen (SIGSTOP, a suspended machine) does not know that its partitions have another
owner by now, who may have ended the page long ago. So no attempt begins unless a transaction of the partition has begun
within `PROOF_S` before it and has succeeded: a fenced worker's fails. An attempt that had to wait for its receiver for
longer asks for another one.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable
from math import inf
from typing import Final, NamedTuple, Self

from monitor.core.paging.delivery import Attempt
from monitor.core.paging.notices import Courier, Notice, Outcome
from monitor.stream.partitions.clock import wall_ms

log = logging.getLogger(__name__)

ATTEMPT_TIMEOUT_S: Final = 60.0
"""A courier has its own, shorter one: this is for one that hangs all the same."""
PROOF_S: Final = 5.0
"""How long a commit proves that the partition is still ours. No broker takes it from a silent worker sooner: that takes
the time-out of a session. (Only a second process with the same ``instance_id`` may be quicker.)"""


class Instant(NamedTuple):
    """A moment by two clocks: one of them stands still while the machine is suspended, the other one may be set."""

    monotonic_s: float
    wall_s: float

    @classmethod
    def now(cls) -> Self:
        """Return this moment."""
        return cls(time.monotonic(), wall_ms() / 1000)

    def age_s(self) -> float:
        """Return how long ago it was, by the clock that has gone further."""
        now = Instant.now()
        return max(now.monotonic_s - self.monotonic_s, now.wall_s - self.wall_s)


class Result(NamedTuple):
    """What came of an attempt."""

    receiver: str
    notice: Notice
    outcome: Outcome


class Deliveries:
    """The attempts of one worker. ``courier`` None: the settings describe no receiver.

    No more attempts to one receiver are under way than it has places; those of other receivers never wait for it.
    """

    def __init__(self, courier: Courier | None) -> None:
        self.courier = courier
        self._listeners: list[Callable[[], None]] = []
        self._places: dict[str, asyncio.Semaphore] = {}

    def on_result(self, listener: Callable[[], None]) -> None:
        """Call a listener whenever an attempt has ended or wants a commit before it begins."""
        self._listeners.append(listener)

    def under_way(self) -> UnderWay:
        """Return the attempts of one partition, none yet."""
        return UnderWay(self)

    async def attempt(self, receiver: str, notice: Notice, proof: Callable[[], Awaitable[None]]) -> Outcome:
        """Attempt one delivery, once its receiver has room and ``proof`` has shown that the partition is still ours."""
        if self.courier is None or not self.courier.knows(receiver):
            what = "no receiver of this name" if self.courier is not None else "no receivers at all"
            return Outcome("misconfigured", 0, f"the settings of this worker describe {what}")
        places = self._places.get(receiver)
        if places is None:
            places = self._places[receiver] = asyncio.Semaphore(self.courier.places(receiver))
        # Waiting for a place is not a part of the attempt: its time-out begins with it.
        async with places:
            await proof()
            try:
                async with asyncio.timeout(ATTEMPT_TIMEOUT_S):
                    return await self.courier.deliver(receiver, notice)
            except TimeoutError:
                return Outcome("retry", 0, f"no outcome within {ATTEMPT_TIMEOUT_S:g} s")
            except Exception as error:  # a courier never raises; if it does, no page may be lost for it
                log.exception("the courier failed at receiver %s", receiver)
                return Outcome("retry", 0, f"the courier failed: {type(error).__name__}")

    def wanted(self) -> None:
        """Tell the listeners that a partition wants a tick: an attempt has ended, or needs a proof."""
        for listener in tuple(self._listeners):
            listener()


class UnderWay:
    """The attempts of one partition."""

    def __init__(self, deliveries: Deliveries) -> None:
        self._deliveries = deliveries
        self._tasks: set[asyncio.Task[None]] = set()
        self._results: list[Result] = []
        self._proved = Instant(-inf, -inf)
        self._proof = asyncio.Event()
        self._is_cut_off = False
        self.wants_proof = False

    def start(self, attempts: Iterable[Attempt], proved: Instant) -> None:
        """Begin attempts after a commit. ``proved`` is when it began."""
        if self._is_cut_off:
            return
        self._proved = proved
        self.wants_proof = False
        self._proof.set()
        for attempt in attempts:
            task = asyncio.ensure_future(self._run(attempt))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def __len__(self) -> int:
        return len(self._tasks)

    @property
    def has_results(self) -> bool:
        """Whether attempts have ended whose outcomes were not taken yet."""
        return bool(self._results)

    def take(self) -> list[Result]:
        """Return the outcomes since the last time."""
        results, self._results = self._results, []
        return results

    def cut_off(self) -> None:
        """End all attempts for good: the partition has another owner by now, or will have."""
        self._is_cut_off = True
        for task in self._tasks:
            task.cancel()

    async def _run(self, attempt: Attempt) -> None:
        outcome = await self._deliveries.attempt(attempt.receiver, attempt.notice, self._ownership)
        self._results.append(Result(attempt.receiver, attempt.notice, outcome))
        self._deliveries.wanted()

    async def _ownership(self) -> None:
        """Return once a commit that began not long ago has succeeded."""
        while self._proved.age_s() > PROOF_S:
            self._proof.clear()
            self.wants_proof = True
            self._deliveries.wanted()
            await self._proof.wait()
