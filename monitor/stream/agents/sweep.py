"""Sweeps: all rows are visited once, a few with each tick, because something has changed for all of them."""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import NamedTuple


class Sweep(NamedTuple):
    """The rows that are still to be visited: the first ``left`` of ``keys``, the last of them next.

    ``keys`` never changes, however many rows there are. So remembering a sweep costs no more than its place.
    """

    keys: Sequence[bytes] = ()
    left: int = 0

    @classmethod
    def of(cls, keys: Sequence[bytes]) -> Sweep:
        """Return a sweep that begins with all of these keys."""
        return cls(keys, len(keys))

    def next(self, limit: int) -> list[bytes]:
        """Return up to ``limit`` of the keys that are left, the next one first."""
        return list(reversed(self.keys[max(0, self.left - limit) : self.left]))

    def after(self, taken: Sequence[bytes], missed: Container[bytes] = ()) -> Sweep:
        """Return the sweep after a tick that took these keys from `next`; the first that it missed is the next one."""
        for place, key in enumerate(taken):
            if key in missed:
                return Sweep(self.keys, self.left - place)
        return Sweep(self.keys, self.left - len(taken))
