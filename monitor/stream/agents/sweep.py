"""Sweeps: rows that are all to be looked at once because something changed for all of them, a few with each tick."""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import NamedTuple


class Sweep(NamedTuple):
    """The rows that are still to be looked at: the first ``left`` of some keys, the last one next.

    The keys are never changed, of however many rows they are: what is remembered of a sweep is where it stood.
    """

    keys: Sequence[bytes] = ()
    left: int = 0

    @classmethod
    def of(cls, keys: Sequence[bytes]) -> Sweep:
        """Return a sweep that begins."""
        return cls(keys, len(keys))

    def next(self, limit: int) -> list[bytes]:
        """Return so many of those that are left, the next one first."""
        return list(reversed(self.keys[max(0, self.left - limit) : self.left]))

    def after(self, taken: Sequence[bytes], missed: Container[bytes] = ()) -> Sweep:
        """Return the sweep after a tick that has taken these from `next` and has missed those from the first one on."""
        for place, key in enumerate(taken):
            if key in missed:
                return Sweep(self.keys, self.left - place)
        return Sweep(self.keys, self.left - len(taken))
