"""Sums: what many subjects changed in their series, added up by whoever folded them elsewhere (the native fast path).

Clocks of which nothing was announced are counted in two ways only: as open (running or paused), and as kept. Calls are
counted as `monitor.core.calls.calls` has it; each of their items is a change by itself.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

from monitor.core.series import longest, sketch
from monitor.core.series.panes import apply
from monitor.core.series.series import Change, Counts, SeriesKey
from monitor.core.time.units import MINUTE_MS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from monitor.core.series.series import Pane

RUNNING: Final[Counts] = (("open", 1),)
"""The live counts of a running clock of which nothing was announced."""
PAUSED: Final[Counts] = (("open", 1), ("paused", 1))
"""The live counts of a paused one."""

Minute = tuple[SeriesKey, int, "Sequence[tuple[str, int]]", "Sequence[tuple[int, int]]", "Mapping[int, int]"]
"""What clocks that stopped in time, or calls, add to a series in one minute: the series, the minute since the epoch,
counts by name, durations by bucket, and their list of the longest (`monitor.core.series.longest`)."""


class Sums(NamedTuple):
    """What the facts of some subjects changed in their series."""

    live: Sequence[tuple[SeriesKey, bool, int]]
    """For each series and whether the clocks are paused: by how much the number of open clocks changed. A series that
    was touched is named, also if nothing is left of the change."""
    minutes: Sequence[Minute]
    put: Sequence[bytes] = ()
    """The keys of panes that have such changes already: the caller put their rows."""
    new: Mapping[int, Sequence[bytes]] = MappingProxyType({})
    """Those of them that are new, by the instant at which they must be dropped (ms)."""
    changes: Sequence[Change] = ()
    """What is no sum: items of panes, and what stands in live panes beside clocks. Nothing of it is too late."""


def live_changes(sums: Sums) -> dict[tuple[SeriesKey, Counts], int]:
    """Return how often which counts go into the live pane of each series."""
    return {(series, PAUSED if is_paused else RUNNING): times for series, is_paused, times in sums.live}


def add(panes: Sequence[Pane], minute: Minute) -> None:
    """Add what clocks or calls add to a series in a minute to its panes, one of each width, in place."""
    series, number, added, durations, listed = minute
    apply(panes, Change(series, number * MINUTE_MS, tuple(added)))
    for pane in panes:
        buckets = pane.buckets
        for bucket, n in durations:
            sketch.count(buckets, bucket, n)
        longest.merge(pane.longest, listed)
        if not buckets:
            pane.longest.clear()
