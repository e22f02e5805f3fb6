"""The instants at which rows wake, earliest first.

Most rows change before they wake: of a hundred wakes that are noted, few are ever due. So wakes are noted in slots of a
few seconds, and only those of the earliest slot are checked and ordered. A heap of all wakes costs twice as much. A
slot holds keys alone, as each row says itself when it wakes: a pair for each would cost the memory, and would keep the
garbage collector busy.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

SLOT_BITS: Final = 13
"""A slot is 2^13 ms, 8.2 s."""

Wake = tuple[int, bytes]
"""The instant (ms) and the key of the row."""


class Wakes:
    """Wakes of rows.

    ``wake_of`` returns the instant at which the row of a key wakes now, 0 for never. A wake that was noted and is not
    the row's any more is dropped silently.
    """

    def __init__(self, wake_of: Callable[[bytes], int]) -> None:
        self._wake_of = wake_of
        self._later: dict[int, list[bytes]] = {}
        self._slots: list[int] = []
        """The numbers of the later slots, a heap."""
        self._earliest: list[Wake] = []
        """The wakes before the later slots, a heap."""
        self._until_slot = -1
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def note(self, *wakes: Wake) -> None:
        """Note wakes."""
        self._note(wakes)

    def note_rows(self, instants: Mapping[bytes, int]) -> None:
        """Note the wakes of rows by their keys: one pair at a time is alive."""
        self._note(zip(instants.values(), instants, strict=True))

    def _note(self, wakes: Iterable[Wake]) -> None:
        later, until_slot = self._later, self._until_slot
        for wake in wakes:
            self._count += 1
            slot = wake[0] >> SLOT_BITS
            noted = later.get(slot)
            if noted is not None:
                noted.append(wake[1])
            elif slot <= until_slot:
                heapq.heappush(self._earliest, wake)
            else:
                later[slot] = [wake[1]]
                heapq.heappush(self._slots, slot)

    def first(self) -> Wake | None:
        """Return the earliest wake that is current; it stays noted."""
        while True:
            while self._earliest:
                wake = self._earliest[0]
                if self._wake_of(wake[1]) == wake[0]:
                    return wake
                heapq.heappop(self._earliest)
                self._count -= 1
            if not self._slots:
                return None
            slot = self._until_slot = heapq.heappop(self._slots)
            noted, wake_of = self._later.pop(slot), self._wake_of
            # A row that has changed within the slot is noted twice.
            wakes = [(wake_of(key), key) for key in dict.fromkeys(noted)]
            self._earliest = [wake for wake in wakes if wake[0] and wake[0] >> SLOT_BITS == slot]
            self._count -= len(noted) - len(self._earliest)
            heapq.heapify(self._earliest)

    def noted_until(self, until_ms: int) -> Iterator[list[bytes]]:
        """Yield the keys of the rows that may wake at or before an instant, slot by slot, earliest first.

        All stay noted. Some wake later or never, and some are yielded twice. Wakes may be noted and taken between two
        slots: those are seen or not.
        """
        yield [key for _, key in self._earliest]
        for slot in sorted(one for one in self._slots if one <= until_ms >> SLOT_BITS):
            yield list(self._later.get(slot, ()))

    def take(self, until_ms: int) -> Wake | None:
        """Return the earliest wake that is current and not after an instant, and forget it."""
        wake = self.first()
        if wake is None or wake[0] > until_ms:
            return None
        heapq.heappop(self._earliest)
        self._count -= 1
        return wake
