"""Deliveries under way: tasks beside the partitions, so that no receiver holds up a transaction or another receiver.

A partition starts only what its rows hold, committed; it takes the outcomes with a tick. When it is let go, whatever
is under way is cut off: its next owner begins again, with the same ids.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from monitor.core.delivery import Attempt
from monitor.core.notices import Courier, Notice, Outcome

log = logging.getLogger(__name__)

ATTEMPT_TIMEOUT_S: Final = 60.0
"""A courier has its own, shorter one: this is for one that hangs all the same."""


class Result(NamedTuple):
    """What came of an attempt."""

    receiver: str
    notice: Notice
    outcome: Outcome


class Deliveries:
    """The attempts of one worker. ``courier`` None: the settings describe no receiver.

    At most ``at_once`` attempts to one receiver are under way; those of other receivers never wait for it.
    """

    def __init__(self, courier: Courier | None, *, at_once: int = 4) -> None:
        self.courier = courier
        self._listeners: list[Callable[[], None]] = []
        self._at_once: defaultdict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(at_once))

    def on_result(self, listener: Callable[[], None]) -> None:
        """Call a listener whenever an attempt has ended."""
        self._listeners.append(listener)

    def under_way(self) -> UnderWay:
        """Return the attempts of one partition, none yet."""
        return UnderWay(self)

    async def attempt(self, receiver: str, notice: Notice) -> Outcome:
        """Attempt one delivery, once its receiver has room."""
        if self.courier is None or not self.courier.knows(receiver):
            what = "no receiver of this name" if self.courier is not None else "no receivers at all"
            return Outcome("rejected", 0, f"the settings of this worker describe {what}")
        async with self._at_once[receiver]:
            try:
                async with asyncio.timeout(ATTEMPT_TIMEOUT_S):
                    return await self.courier.deliver(receiver, notice)
            except TimeoutError:
                return Outcome("retry", 0, f"no outcome within {ATTEMPT_TIMEOUT_S:g} s")
            except Exception as error:  # a courier never raises; if it does, no page may be lost for it
                log.exception("the courier failed at receiver %s", receiver)
                return Outcome("retry", 0, f"the courier failed: {type(error).__name__}")

    def ended(self) -> None:
        """Tell the listeners that an attempt has ended."""
        for listener in tuple(self._listeners):
            listener()


class UnderWay:
    """The attempts of one partition."""

    def __init__(self, deliveries: Deliveries) -> None:
        self._deliveries = deliveries
        self._tasks: set[asyncio.Task[None]] = set()
        self._results: list[Result] = []

    def start(self, attempts: Iterable[Attempt]) -> None:
        """Begin attempts."""
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
        """End all attempts: the partition has another owner by now, or will have."""
        for task in self._tasks:
            task.cancel()

    async def _run(self, attempt: Attempt) -> None:
        outcome = await self._deliveries.attempt(attempt.receiver, attempt.notice)
        self._results.append(Result(attempt.receiver, attempt.notice, outcome))
        self._deliveries.ended()
