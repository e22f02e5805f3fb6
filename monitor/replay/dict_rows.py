"""Rows for a run without Kafka."""

from __future__ import annotations

import heapq

from monitor.core.subjects.rows import SubjectRow
from monitor.core.time.spans import NEVER_MS


class DictRows:
    """Rows in a dict, and a heap of their wakes with lazy deletion, as a partition's state keeps them.

    Wakes after ``until_ms`` are not noted: nobody asks for them. ``forgotten`` are the rows of subjects that were
    deleted, until somebody takes them out.
    """

    def __init__(self, until_ms: int = NEVER_MS) -> None:
        self.rows: dict[bytes, object] = {}
        self.forgotten: list[tuple[bytes, SubjectRow]] = []
        self._until_ms = until_ms
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
        if isinstance(row, SubjectRow) and 0 < row.wake_ms <= self._until_ms:
            known = isinstance(old, SubjectRow) and old.wake_ms == row.wake_ms
            if not known:
                heapq.heappush(self._wakes, (row.wake_ms, key))

    def drop(self, key: bytes) -> None:
        """Delete a row without a trace."""
        del self.rows[key]

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
