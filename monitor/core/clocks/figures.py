"""The figures of clocks in a window, from the sums of its panes (domain.md §3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from monitor.core.series.durations import duration_figures
from monitor.core.series.figures import Figure, Share, quotient

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from monitor.core.series.measured import Panes
    from monitor.core.series.series import Pane
    from monitor.core.time.windows import Width


SHARES: Final[Mapping[str, Share]] = {"compliance": {"met": (1, 1), "breached": (0, 1), "overdue": (0, 1)}}
"""By indicator: how often each count is in the numerator and in the denominator of the share."""


def clock_figures(pane: Pane, overdue: int, targets: Sequence[int] = ()) -> tuple[Figure, ...]:
    """Return the figures of a clock measure.

    Args:
        pane: the sum of the window's panes: clocks that stopped in it.
        overdue: the number of clocks past due at the window's end (now, if the window holds the present): they count
            as breached before they stop. 0 for a window that lies in the past.
        targets: the durations that percentiles are compared with (`monitor.core.series.durations.targets_of`).
    """
    counts = pane.counts
    met, stopped = counts.get("met", 0), counts.get("met", 0) + counts.get("breached", 0)
    formula = "met / (met + breached + overdue)"
    if undated := counts.get("undated", 0):
        formula += f", without {undated} that had no due instant"
    return (
        quotient("compliance", met, stopped + overdue, "ratio", formula),
        quotient("mean", counts.get("elapsed_ms", 0), stopped, "ms", "sum of elapsed / (met + breached)"),
        *duration_figures("clock", pane, "elapsed times", targets),
        *_lateness(counts),
    )


def _lateness(counts: Mapping[str, int]) -> tuple[Figure, ...]:
    """Return the mean time by which missed targets were missed, if the clock counts it and any was missed."""
    late_ms = counts.get("late_ms")
    if late_ms is None:
        return ()
    return (quotient("late", late_ms, counts.get("breached", 0), "ms", "sum of (elapsed - target) / breached"),)


def overdue_at(panes: Panes, end_ms: int, width: Width = "day") -> int:
    """Return how many clocks were overdue at the start of a local day, or of a pane, by the facts known now."""
    return panes.live().counts.get("overdue", 0) - panes.overdue_from(width, end_ms)
