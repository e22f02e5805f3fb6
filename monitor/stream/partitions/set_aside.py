"""Rows on which a tick fails: found by halving, and set aside so that those behind them need not wait.

A tick works on many due rows in one transaction. If it fails, all of it is taken back and half as many rows are looked
at the next time, until the failing row stands alone. That row is set aside: it is not due any more until it changes or
an hour has passed. While ticks succeed, twice as many rows are looked at each time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Container, Sequence
from typing import Final

NO_LIMIT: Final = 1 << 20
"""More rows than any tick looks at."""
ASIDE_S: Final = 3600.0
"""How long a row is set aside. The fault may pass (a clock change, a new agreement), and nobody must restart for it."""


class SetAside:
    """The rows of one partition that are set aside, by their keys. ``limit`` is how many rows a tick may look at.

    ``note_wake`` has a row be due again when it wishes to.
    """

    def __init__(self, note_wake: Callable[[bytes], None]) -> None:
        self.keys: dict[bytes, float] = {}
        """With the monotonic instant at which each is looked at again."""
        self.limit = NO_LIMIT
        self._note_wake = note_wake

    def failed(self, suspects: Sequence[bytes]) -> bytes | None:
        """Take note that a tick failed that looked at these rows; return the row that was set aside, if it is found."""
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
        """Have rows looked at again that have changed, or that were set aside for long enough."""
        now = time.monotonic()
        for key in [key for key, until in self.keys.items() if key in changed or until <= now]:
            del self.keys[key]
            self._note_wake(key)
