"""What a worker counts of a source partition, and histograms: counted by `stream`, shown by `metrics`.

Each counter stands here once, under one name, so that neither of the two needs to know the other.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from math import inf
from typing import Final, NamedTuple, Self

WORK_BOUNDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
"""Upper bounds, seconds, for how long the work on a batch takes."""
DELAY_BOUNDS: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Upper bounds, seconds, for how long after its instant something was announced."""


class Histogram(NamedTuple):
    """Durations in seconds: sum, number, and ``(upper bound, how many were at most that)``; the last bound is inf."""

    sum: float
    observations: int
    buckets: tuple[tuple[float, int], ...]


class Durations:
    """A histogram in the making.

    Raises:
        ValueError: the bounds are not ascending, or hold infinity, which is always there.
    """

    __slots__ = ("_bounds", "_counts", "_sum")

    def __init__(self, bounds: Sequence[float] = WORK_BOUNDS) -> None:
        if list(bounds) != sorted(set(bounds)) or inf in bounds:
            raise ValueError(f"bounds must be finite and ascend: {bounds}")
        self._bounds = tuple(bounds)
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0

    def add(self, seconds: float) -> None:
        """Count one duration; one that equals a bound is within it."""
        self._sum += seconds
        self._counts[bisect_left(self._bounds, seconds)] += 1

    def histogram(self) -> Histogram:
        """Return the durations counted so far."""
        buckets, below = [], 0
        for bound, count in zip((*self._bounds, inf), self._counts, strict=True):
            below += count
            buckets.append((bound, below))
        return Histogram(self._sum, below, tuple(buckets))


@dataclass(slots=True)
class PartitionStats:
    """The counters of one source partition since this worker took it over."""

    events: int = 0
    batches: int = 0
    ticks: int = 0
    commits: int = 0
    faults: int = 0
    """How often work on a record or a row failed by a fault of the program and was taken back."""
    set_aside: int = 0
    """Rows that are left alone, as the work on them fails."""
    skipped: int = 0
    """Records below the position: applied before."""
    holes: int = 0
    """Offsets without a record for a committed reader: markers, aborted or compacted records."""
    lost: int = 0
    """Offsets between the position and the topic's first one: expired before they were read."""
    rereads: int = 0
    """How often the source was sought back to the position."""
    rows: int = 0
    restored_rows: int = 0
    restore_seconds: float = 0.0
    position: int = 0
    highwater: int = 0
    caught_up: bool = False
    open: bool = False
    batch_seconds: Durations = field(default_factory=Durations)
    """From the start of the fold to its end."""
    commit_seconds: Durations = field(default_factory=Durations)
    tick_delay_seconds: Durations = field(default_factory=Durations)
    """From the instant for which a timer was armed to the commit of the tick's work."""

    @property
    def lag(self) -> int:
        """Offsets between the position and the end of the records that a committed reader can see."""
        return max(0, self.highwater - self.position)

    def copy(self) -> Self:
        """Return the counters as they are now: another thread may read them while these go on counting."""
        return deepcopy(self)
