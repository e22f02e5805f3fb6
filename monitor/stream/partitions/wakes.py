"""The instants at which rows wake, earliest first.

Most rows change before they wake: of a hundred wakes that are noted, few are ever due. So wakes are noted in slots of a
few seconds, and only those of the earliest slot are checked and ordered. A heap of all wakes costs twice as much.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import Final

SLOT_BITS: Final = 13
"""A slot is 2^13 ms, 8.2 s."""

Wake = tuple[int, bytes]
"""The instant (ms) and the key of the row."""


class Wakes:
    """Wakes of rows.

    ``is_current`` decides whether a row still wakes at that instant; other wakes are dropped silently.
    """

    def __init__(self, is_current: Callable[[Wake], bool]) -> None:
        self._is_current = is_current
        self._later: dict[int, list[Wake]] = {}
        self._slots: list[int] = []
        """The numbers of the later slots, a heap."""
        self._earliest: list[Wake] = []
        """The wakes before the later slots, a heap."""
        self._until_slot = -1
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def note(self, wake: Wake) -> None:
        """Note a wake."""
        self._count += 1
        slot = wake[0] >> SLOT_BITS
        if slot <= self._until_slot:
            heapq.heappush(self._earliest, wake)
            return
        noted = self._later.get(slot)
        if noted is None:
            self._later[slot] = [wake]
            heapq.heappush(self._slots, slot)
        else:
            noted.append(wake)

    def first(self) -> Wake | None:
        """Return the earliest wake that is current; it stays noted."""
        while True:
            while self._earliest:
                if self._is_current(self._earliest[0]):
                    return self._earliest[0]
                heapq.heappop(self._earliest)
                self._count -= 1
            if not self._slots:
                return None
            self._until_slot = heapq.heappop(self._slots)
            noted = self._later.pop(self._until_slot)
            self._earliest = [wake for wake in noted if self._is_current(wake)]
            self._count -= len(noted) - len(self._earliest)
            heapq.heapify(self._earliest)

    def take(self, until_ms: int) -> Wake | None:
        """Return the earliest wake that is current and not after an instant, and forget it."""
        wake = self.first()
        if wake is None or wake[0] > until_ms:
            return None
        heapq.heappop(self._earliest)
        self._count -= 1
        return wake
