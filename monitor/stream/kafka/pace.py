"""Pace: how long work has held the event loop. What may take long asks it, and lets others run in time.

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
"""Work that has held the loop for so long lets others run. What it cannot interrupt comes on top of that."""


class Pace:
    """Measures one stretch of work after the other; each begins with the pace, or where the last one was let go."""

    __slots__ = ("_until", "others_s")

    def __init__(self) -> None:
        self._until = time.perf_counter() + HOLD_S
        self.others_s = 0.0
        """How long others ran while `kept_by` paused."""

    def is_over(self) -> bool:
        """Return whether others should run now. If so, the next stretch begins."""
        now = time.perf_counter()
        if now < self._until:
            return False
        self._until = now + HOLD_S
        return True

    def kept_by(self, pieces: Pieces[T]) -> Pieces[T]:
        """Do work in pieces and pause only where others should run; return what it makes."""
        while True:
            try:
                next(pieces)
            except StopIteration as end:
                made: T = end.value
                return made
            if self.is_over():
                paused = time.perf_counter()
                yield
                # What others take is no part of the next stretch.
                now = time.perf_counter()
                self.others_s += now - paused
                self._until = now + HOLD_S

    def while_in_time(self, todo: Iterable[T]) -> Iterator[T]:
        """Yield the first, and then more until others should run."""
        for one in todo:
            yield one
            if self.is_over():
                return


async def in_turns(pieces: Pieces[T]) -> T:
    """Do work in pieces, let others run at each of its pauses, and return what it makes."""
    while True:
        try:
            next(pieces)
        except StopIteration as end:
            made: T = end.value
            return made
        await asyncio.sleep(0)
