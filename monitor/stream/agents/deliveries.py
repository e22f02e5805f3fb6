"""Deliveries under way: tasks beside the partitions, so that no receiver holds up a transaction or another receiver.

A partition starts only attempts whose notices are in its committed rows. It takes their outcomes with a tick. When the
partition is let go, attempts under way are cut off: its next owner starts them again, with the same ids.

**Ownership.** A process that was frozen (SIGSTOP, a suspended machine) does not know that its partitions have another
owner by now, who may have ended the page long ago. So an attempt begins only if a transaction of the partition began
within the last `PROOF_S` and has succeeded: the transaction of a fenced worker fails. An attempt that waited longer
than that for its receiver asks for another transaction.
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
"""A courier has a shorter timeout of its own. This one ends a courier that hangs all the same."""
PROOF_S: Final = 5.0
"""How long a commit proves that the partition is still ours. A broker takes a partition from a silent worker only after
the session timeout, which is longer. (Only a second process with the same ``instance_id`` may be quicker.)"""


class Instant(NamedTuple):
    """A moment by two clocks: the monotonic one may stand still while the machine sleeps, the wall clock may be set."""

    monotonic_s: float
    wall_s: float

    @classmethod
    def now(cls) -> Self:
        """Return this moment."""
        return cls(time.monotonic(), wall_ms() / 1000)

    def age_s(self) -> float:
        """Return how long ago the moment was, by the clock that has advanced further."""
        now = Instant.now()
        return max(now.monotonic_s - self.monotonic_s, now.wall_s - self.wall_s)


class Result(NamedTuple):
    """The outcome of an attempt, with the receiver and the notice of it."""

    receiver: str
    notice: Notice
    outcome: Outcome


class Deliveries:
    """The attempts of one worker. ``courier`` None: the settings describe no receiver.

    A receiver has a number of places, and never more attempts under way than that. Attempts to other receivers never
    wait for it.
    """

    def __init__(self, courier: Courier | None) -> None:
        self.courier = courier
        self._listeners: list[Callable[[], None]] = []
        self._places: dict[str, asyncio.Semaphore] = {}

    def on_result(self, listener: Callable[[], None]) -> None:
        """Call a listener whenever an attempt has ended or wants a commit before it begins."""
        self._listeners.append(listener)

    def under_way(self) -> UnderWay:
        """Return an empty set of attempts for one partition."""
        return UnderWay(self)

    async def attempt(self, receiver: str, notice: Notice, proof: Callable[[], Awaitable[None]]) -> Outcome:
        """Attempt one delivery once its receiver has a free place and ``proof`` has shown that we own the partition."""
        if self.courier is None or not self.courier.knows(receiver):
            what = "no receiver of this name" if self.courier is not None else "no receivers at all"
            return Outcome("misconfigured", 0, f"the settings of this worker describe {what}")
        places = self._places.get(receiver)
        if places is None:
            places = self._places[receiver] = asyncio.Semaphore(self.courier.places(receiver))
        # The timeout is of the attempt alone: waiting for a place is no part of it.
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
        """Notify the listeners that a partition wants a tick: an attempt has ended, or needs a proof."""
        for listener in tuple(self._listeners):
            listener()


class UnderWay:
    """The attempts of one partition that are under way, and the outcomes that were not taken yet."""

    def __init__(self, deliveries: Deliveries) -> None:
        self._deliveries = deliveries
        self._tasks: set[asyncio.Task[None]] = set()
        self._results: list[Result] = []
        self._proved = Instant(-inf, -inf)
        self._proof = asyncio.Event()
        self._is_cut_off = False
        self.wants_proof = False

    def start(self, attempts: Iterable[Attempt], proved: Instant) -> None:
        """Begin attempts after a commit. ``proved`` is the moment at which that commit began."""
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
        """Return the outcomes since the last call."""
        results, self._results = self._results, []
        return results

    def cut_off(self) -> None:
        """End all attempts for good: the partition has another owner by now, or will have one."""
        self._is_cut_off = True
        for task in self._tasks:
            task.cancel()

    async def _run(self, attempt: Attempt) -> None:
        outcome = await self._deliveries.attempt(attempt.receiver, attempt.notice, self._ownership)
        self._results.append(Result(attempt.receiver, attempt.notice, outcome))
        self._deliveries.wanted()

    async def _ownership(self) -> None:
        """Return once a commit has succeeded that began less than `PROOF_S` ago."""
        while self._proved.age_s() > PROOF_S:
            self._proof.clear()
            self.wants_proof = True
            self._deliveries.wanted()
            await self._proof.wait()
