"""The rows of a partition, as the core sees them: decoded values under byte keys."""

from __future__ import annotations

from typing import Protocol


class Rows(Protocol):
    """Where the core finds and leaves rows. A row that is put is seen by the next get of the same batch."""

    def get(self, key: bytes) -> object | None:
        """Return the decoded row of a key."""
        ...

    def put(self, key: bytes, row: object | None) -> None:
        """Set a row; None deletes it."""
        ...
