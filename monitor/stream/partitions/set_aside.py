"""Rows on which a tick fails: found by halving, and set aside so that the rows behind them need not wait.

A tick works on many due rows in one transaction. If it fails, all of it is taken back and the next tick works on half
as many rows, until the failing row stands alone. That row is set aside: it is not due until it changes or an hour has
passed. While ticks succeed, the number of rows is doubled each time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Container, Sequence
from typing import Final

NO_LIMIT: Final = 1 << 20
"""More rows than any tick works on."""
ASIDE_S: Final = 3600.0
"""How long a row is set aside. The fault may pass (a clock change, a new agreement): no restart should be needed."""


class SetAside:
    """The rows of one partition that are set aside, by key. ``limit`` is how many rows a tick may work on.

    ``note_wake`` makes a row due again at the instant at which it wakes.
    """

    def __init__(self, note_wake: Callable[[bytes], None]) -> None:
        self.keys: dict[bytes, float] = {}
        """By key, the monotonic instant at which the row is tried again."""
        self.limit = NO_LIMIT
        self._note_wake = note_wake

    def failed(self, suspects: Sequence[bytes]) -> bytes | None:
        """Take note of a failed tick on these rows; return the row that is set aside, if there was only one."""
        if len(suspects) != 1:
            self.limit = max(1, len(suspects) // 2)
            return None
        key = suspects[0]
        self.keys[key] = time.monotonic() + ASIDE_S
        return key

    def succeeded(self) -> None:
        """Take note that a tick succeeded."""
        self.limit = min(NO_LIMIT, 2 * self.limit)

    def look_again(self, changed: Container[bytes] = ()) -> None:
        """Make rows due again that have changed, or that were set aside for long enough."""
        now = time.monotonic()
        for key in [key for key, until in self.keys.items() if key in changed or until <= now]:
            del self.keys[key]
            self._note_wake(key)
