"""Pace: how long work has held the event loop. Long work asks it when to pause, so that other work runs in time.

Heartbeats, commits and scrapes of all partitions wait for the loop: no step may hold it for more than 50 ms.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from monitor.core.pieces import Pieces

T = TypeVar("T")

HOLD_S: Final = 0.02
"""Work that has held the loop for so long lets other work run. A step that cannot be interrupted adds to that."""


class Pace:
    """Measures stretches of work. A stretch begins with the pace, or where the last one ended."""

    __slots__ = ("_until", "others_s")

    def __init__(self) -> None:
        self._until = time.perf_counter() + HOLD_S
        self.others_s = 0.0
        """How long other work ran while `kept_by` paused (seconds)."""

    def is_over(self) -> bool:
        """Return whether other work should run now. If so, the next stretch begins."""
        now = time.perf_counter()
        if now < self._until:
            return False
        self._until = now + HOLD_S
        return True

    def kept_by(self, pieces: Pieces[T]) -> Pieces[T]:
        """Do work in pieces and pause only where other work should run; return the result of the work."""
        while True:
            try:
                next(pieces)
            except StopIteration as end:
                made: T = end.value
                return made
            if self.is_over():
                paused = time.perf_counter()
                yield
                # The time of other work is no part of the next stretch.
                now = time.perf_counter()
                self.others_s += now - paused
                self._until = now + HOLD_S

    def while_in_time(self, todo: Iterable[T]) -> Iterator[T]:
        """Yield the first item, and then more until other work should run."""
        for one in todo:
            yield one
            if self.is_over():
                return


async def in_turns(pieces: Pieces[T]) -> T:
    """Do work in pieces, let other work run at each of its pauses, and return the result of the work."""
    while True:
        try:
            next(pieces)
        except StopIteration as end:
            made: T = end.value
            return made
        await asyncio.sleep(0)
