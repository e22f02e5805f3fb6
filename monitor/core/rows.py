"""The rows of a partition, as the core sees them: decoded values under byte keys."""

from __future__ import annotations

from typing import Protocol


class Rows(Protocol):
    """The store from which the core reads rows and in which it puts them. The next ``get`` returns a row just put."""

    def get(self, key: bytes) -> object | None:
        """Return the decoded row of a key."""
        ...

    def put(self, key: bytes, row: object | None) -> None:
        """Set a row; None deletes it."""
        ...
