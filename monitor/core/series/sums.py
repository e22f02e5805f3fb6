"""Sums: what many clocks changed in their series, added up by whoever folded them elsewhere (the native fast path).

Clocks of which nothing was announced are counted in two ways only: as open (running or paused), and as kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from monitor.core.series import longest, sketch
from monitor.core.series.series import Counts, SeriesKey

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from monitor.core.series.series import Pane

RUNNING: Final[Counts] = (("open", 1),)
"""The live counts of a running clock of which nothing was announced."""
PAUSED: Final[Counts] = (("open", 1), ("paused", 1))
"""The live counts of a paused one."""

Minute = tuple[SeriesKey, int, "Sequence[tuple[str, int]]", "Sequence[tuple[int, int]]", "Mapping[int, int]"]
"""What clocks that stopped in time add to a series in one minute: the series, the minute since the epoch, counts by
name, durations by bucket, and their list of the longest (`monitor.core.series.longest`)."""


class Sums(NamedTuple):
    """What the facts of some subjects changed in the series of their clocks."""

    live: Sequence[tuple[SeriesKey, bool, int]]
    """For each series and whether the clocks are paused: by how much the number of open clocks changed. A series that
    was touched is named, also if nothing is left of the change."""
    minutes: Sequence[Minute]


def live_changes(sums: Sums) -> dict[tuple[SeriesKey, Counts], int]:
    """Return how often which counts go into the live pane of each series."""
    return {(series, PAUSED if is_paused else RUNNING): times for series, is_paused, times in sums.live}


def add(panes: Sequence[Pane], minute: Minute) -> None:
    """Add what clocks that stopped within a minute add to a series to its panes, one of each width, in place."""
    _, _, added, durations, listed = minute
    for pane in panes:
        counts, buckets = pane.counts, pane.buckets
        for name, n in added:
            count = counts.get(name, 0) + n
            if count:
                counts[name] = count
            else:
                counts.pop(name, None)
        for bucket, n in durations:
            sketch.count(buckets, bucket, n)
        longest.merge(pane.longest, listed)
        if not buckets:
            pane.longest.clear()
