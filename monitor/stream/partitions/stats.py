"""What a worker counts about itself: plain numbers, read by whoever exports them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
"""Upper bounds of the histograms' buckets, seconds; a last one without bound follows."""


class Histogram(NamedTuple):
    """Durations in seconds: their sum, their number, and how many were at most each bound (cumulative)."""

    sum: float
    observations: int
    buckets: tuple[tuple[float, int], ...]


class Durations:
    """A histogram in the making."""

    __slots__ = ("_counts", "sum")

    def __init__(self) -> None:
        self.sum = 0.0
        self._counts = [0] * (len(BUCKETS) + 1)

    def add(self, seconds: float) -> None:
        """Count one duration."""
        self.sum += seconds
        self._counts[bisect_left(BUCKETS, seconds)] += 1

    def snapshot(self) -> Histogram:
        """Return it as a value."""
        cumulative, below = [], 0
        for bound, count in zip((*BUCKETS, float("inf")), self._counts, strict=True):
            below += count
            cumulative.append((bound, below))
        return Histogram(self.sum, below, tuple(cumulative))


@dataclass(slots=True)
class PartitionStats:
    """Of one source partition since this worker took it over."""

    events: int = 0
    batches: int = 0
    ticks: int = 0
    commits: int = 0
    faults: int = 0
    """How often work on a record or a row failed by a fault of the program and was taken back."""
    set_aside: int = 0
    """Rows that are left alone, as the work on them fails."""
    repeats: int = 0
    """Records below the position: applied before."""
    holes: int = 0
    """Offsets without a record for a committed reader: markers, aborted or compacted records."""
    lost: int = 0
    """Offsets between the position and the topic's first one: expired before they were read."""
    seeks: int = 0
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
    """From the instant for which a timer was armed to the commit of what it did."""

    @property
    def lag(self) -> int:
        """Offsets between the position and the end of what a committed reader can see."""
        return max(0, self.highwater - self.position)


class PartitionSnapshot(NamedTuple):
    """``PartitionStats`` at one moment."""

    events: int
    batches: int
    ticks: int
    commits: int
    faults: int
    set_aside: int
    repeats: int
    holes: int
    lost: int
    seeks: int
    rows: int
    restored_rows: int
    restore_seconds: float
    position: int
    highwater: int
    lag: int
    caught_up: bool
    open: bool
    batch_seconds: Histogram
    commit_seconds: Histogram
    tick_delay_seconds: Histogram


class Snapshot(NamedTuple):
    """All figures of a worker at one moment, by ``(topic, partition)`` for those that it owns."""

    partitions: Mapping[tuple[str, int], PartitionSnapshot]
    rebalances: int
    stalls: int
    """How often the process stood still for over half a second."""


class Stats:
    """The figures of one worker. Those of a revoked partition disappear."""

    def __init__(self) -> None:
        self.partitions: dict[tuple[str, int], PartitionStats] = {}
        self.rebalances = 0
        self.stalls = 0
        self.clock_steps = 0
        """How often the host's clock was set, by more than half a second."""

    def partition(self, topic: str, partition: int) -> PartitionStats:
        """Return the figures of a partition, new ones if it was not owned."""
        return self.partitions.setdefault((topic, partition), PartitionStats())

    def forget(self, topic: str, partition: int) -> None:
        """Drop the figures of a revoked partition."""
        self.partitions.pop((topic, partition), None)

    def snapshot(self) -> Snapshot:
        """Return all figures as values."""
        return Snapshot(
            {source: _snapshot(stats) for source, stats in self.partitions.items()}, self.rebalances, self.stalls
        )


def _snapshot(stats: PartitionStats) -> PartitionSnapshot:
    values = {name: getattr(stats, name) for name in PartitionSnapshot._fields}
    for name in ("batch_seconds", "commit_seconds", "tick_delay_seconds"):
        values[name] = values[name].snapshot()
    return PartitionSnapshot(**values)
