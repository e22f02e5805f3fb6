"""Rows for a run without Kafka."""

from __future__ import annotations

import heapq

from monitor.core.subjects.rows import SubjectRow


class DictRows:
    """Rows in a dict, and a heap of their wakes with lazy deletion, as a partition's state keeps them."""

    def __init__(self) -> None:
        self.rows: dict[bytes, object] = {}
        self.forgotten: list[tuple[bytes, SubjectRow]] = []
        self._wakes: list[tuple[int, bytes]] = []

    def get(self, key: bytes) -> object | None:
        """Return a row."""
        return self.rows.get(key)

    def put(self, key: bytes, row: object | None) -> None:
        """Set a row; None deletes it."""
        if row is None:
            old = self.rows.pop(key, None)
            if isinstance(old, SubjectRow):
                self.forgotten.append((key, old))
            return
        old = self.rows.get(key)
        self.rows[key] = row
        if isinstance(row, SubjectRow) and row.wake_ms:
            known = isinstance(old, SubjectRow) and old.wake_ms == row.wake_ms
            if not known:
                heapq.heappush(self._wakes, (row.wake_ms, key))

    def next_wake_ms(self) -> int | None:
        """Return the nearest instant at which a subject needs attention."""
        while self._wakes:
            wake_ms, key = self._wakes[0]
            row = self.rows.get(key)
            if isinstance(row, SubjectRow) and row.wake_ms == wake_ms:
                return wake_ms
            heapq.heappop(self._wakes)
        return None

    def due(self, until_ms: int) -> list[bytes]:
        """Take out the keys of the subjects whose instant has come."""
        keys: dict[bytes, None] = {}
        while (wake_ms := self.next_wake_ms()) is not None and wake_ms <= until_ms:
            keys[heapq.heappop(self._wakes)[1]] = None
        return list(keys)
