"""The instants at which the engine must drop rows. Thousands of panes expire at one instant."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Expiries:
    """Row keys by the instant at which they must be dropped. A key costs eight bytes here: the rows hold it anyway."""

    def __init__(self) -> None:
        self._instants: list[int] = []
        self._keys: dict[int, list[bytes]] = {}

    def __iter__(self) -> Iterator[bytes]:
        return (key for keys in self._keys.values() for key in keys)

    def note(self, at_ms: int, key: bytes) -> None:
        """Remember the instant at which a row must be dropped."""
        keys = self._keys.get(at_ms)
        if keys is None:
            self._keys[at_ms] = [key]
            heapq.heappush(self._instants, at_ms)
        else:
            keys.append(key)

    def note_all(self, at_ms: int, keys: Iterable[bytes]) -> None:
        """Remember the instant at which several rows must be dropped."""
        for key in keys:
            self.note(at_ms, key)

    def next_ms(self) -> int | None:
        """Return the first instant at which a row must be dropped; None if no row is remembered."""
        return self._instants[0] if self._instants else None

    def take(self, now_ms: int) -> bytes | None:
        """Return and forget the key of an earliest row that must be dropped by now; None: there is none."""
        if not self._instants or self._instants[0] > now_ms:
            return None
        keys = self._keys[self._instants[0]]
        key = keys.pop()
        if not keys:
            del self._keys[heapq.heappop(self._instants)]
        return key
