"""Measures of clocks, as `monitor.core.kinds` asks for them: how many were in time, how many are open.

The changes of their series are made as the clocks move (`monitor.core.clocks.counts`), so none are asked for here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from monitor.core.clocks.figures import clock_figures, overdue_at
from monitor.core.pieces import ready
from monitor.core.series.measured import Measured
from monitor.core.time.windows import width_for

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from monitor.core.agreements.measures import ClockRule
    from monitor.core.pieces import Pieces
    from monitor.core.series.figures import Figure
    from monitor.core.series.measured import Panes, Stretch, WindowView

_OPEN: Final = ("open", "paused", "at_risk", "overdue")


def measured(rule: ClockRule, of: WindowView[Panes]) -> Pieces[Measured]:  # noqa: ARG001 - a kind is handed its rule
    """Return the figures of a window and how many clocks are open. Overdue ones count as breached already."""
    live = of.panes.live().counts
    counts = {name: live.get(name, 0) for name in _OPEN}
    if live.get("incomplete"):
        counts["incomplete"] = live["incomplete"]
    overdue = overdue_at(of.panes, of.span.end_ms, width_for(of.window)) if of.closed else counts["overdue"]
    total = of.summed()
    return ready(Measured(clock_figures(total, overdue), counts, sum(total.buckets.values()), of.shown))


def wakes_ms(rule: ClockRule, of: WindowView[Panes], live: Mapping[str, int]) -> Pieces[list[int]]:  # noqa: ARG001
    """Return the instants at which time alone changes the figures: none, a clock that comes due is an event."""
    return ready([])


def budget_figures(rule: ClockRule, of: Stretch) -> Pieces[tuple[Figure, ...]]:  # noqa: ARG001
    """Return the figures that an error budget is made of."""
    return ready(clock_figures(of.pane, of.live.counts.get("overdue", 0)))


def whole_figures(rule: ClockRule, of: Stretch, values: Sequence[str] | None) -> tuple[Figure, ...]:  # noqa: ARG001
    """Return the figures of all data in one pane."""
    return clock_figures(of.pane, of.live.counts.get("overdue", 0))
