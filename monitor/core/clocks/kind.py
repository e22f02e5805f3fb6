"""The kind of clock measures, called by `monitor.core.kinds`: clocks that stopped in time, clocks that are open.

The changes of their series are made as the clocks move (`monitor.core.clocks.counts`), so this module makes none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from monitor.core.clocks.figures import clock_figures, overdue_at
from monitor.core.pieces import ready
from monitor.core.series.durations import targets_of
from monitor.core.series.measured import Measured
from monitor.core.time.windows import width_for

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from monitor.core.agreements.measures import ClockRule
    from monitor.core.pieces import Pieces
    from monitor.core.series.figures import Figure
    from monitor.core.series.measured import Panes, Stretch, WindowView

_OPEN: Final = ("open", "paused", "at_risk", "overdue")


def measured(rule: ClockRule, of: WindowView[Panes]) -> Pieces[Measured]:
    """Return the figures of a window and the number of open clocks. Overdue clocks count as breached already."""
    live = of.panes.live().counts
    counts = {name: live.get(name, 0) for name in _OPEN}
    if live.get("incomplete"):
        counts["incomplete"] = live["incomplete"]
    if live.get("undated"):
        counts["undated"] = live["undated"]
    total = of.summed()
    overdue = counts["overdue"]
    if of.closed:  # the sum holds the difference between what was known at the end and at the close
        overdue = overdue_at(of.panes, of.span.end_ms, width_for(of.window)) + total.counts.get("overdue", 0)
    figures = clock_figures(total, overdue, targets_of(of.agreement, rule.id))
    return ready(Measured(figures, counts, sum(total.buckets.values()), of.shown))


def wakes_ms(rule: ClockRule, of: WindowView[Panes], live: Mapping[str, int]) -> Pieces[list[int]]:  # noqa: ARG001
    """Return no instants: time alone changes no figures, because a clock that comes due changes its own panes."""
    return ready([])


def is_judged_from_the_start(rule: ClockRule, live: Mapping[str, int]) -> bool:  # noqa: ARG001 - any rule
    """Return whether a new period may begin with a broken promise: clocks that are overdue count in it at once."""
    return live["overdue"] != 0


def budget_figures(rule: ClockRule, of: Stretch) -> Pieces[tuple[Figure, ...]]:
    """Return the figures of an error budget."""
    return ready(clock_figures(of.pane, of.live.counts.get("overdue", 0), targets_of(of.agreement, rule.id)))


def whole_figures(rule: ClockRule, of: Stretch, values: Sequence[str] | None) -> tuple[Figure, ...]:  # noqa: ARG001
    """Return the figures of all data in one pane."""
    return clock_figures(of.pane, of.live.counts.get("overdue", 0), targets_of(of.agreement, rule.id))
