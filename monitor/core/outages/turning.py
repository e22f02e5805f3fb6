"""When time alone may change the verdict on an objective of outages: a bound, for a run that shows nothing in between.

Figures of outages hold the time that has passed, so they differ at each instant, but a verdict changes only when a
figure passes its target (or the threshold of ``at_risk``). How fast the figure ``U / Q`` (time up / time promised) may
move is bounded: in a calendar period each millisecond adds at most one to both, in a rolling window it changes each by
at most one. So the verdict stays as it is for at least the time that is returned here. What events change is judged
when they come.
"""

from __future__ import annotations

from math import floor
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitor.core.agreements.objectives import Objective
    from monitor.core.series.figures import Figure

NEVER: Final = float("inf")
_COUNTED: Final = frozenset({"failures", "mttr_acknowledge", "mttr_respond", "mttr_restore", "mttr_resolve"})
"""In a calendar period only events change these: each counts from its own instant on."""


def steady_ms(
    objectives: Sequence[Objective], figures: Sequence[Figure], *, calendar: bool, any_open: bool
) -> float | None:
    """Return for how long no verdict on the objectives can change without an event, in ms; None: nobody knows.

    Args:
        objectives: what was promised for the window.
        figures: the figures of the window.
        calendar: the window is a period, not a rolling window.
        any_open: whether an outage lasts, or a stretch of blind time.
    """
    found = NEVER
    by_name = {one.indicator: one for one in figures}
    failures = by_name.get("failures")
    if failures is not None and failures.value is None:  # no time was promised so far: all figures begin with the first
        return None
    for objective in objectives:
        figure = by_name.get(objective.indicator)
        if figure is None or objective.budget is not None:
            return None
        for bound in (objective.target, objective.at_risk):
            left_ms = (
                NEVER if bound is None else _left_ms(objective, figure, bound, calendar=calendar, any_open=any_open)
            )
            if left_ms is None:
                return None
            found = min(found, left_ms)
    return found if found == NEVER else max(0, floor(found) - 1)


def _left_ms(  # noqa: PLR0911 - a case for each kind of figure
    objective: Objective, figure: Figure, bound: float, *, calendar: bool, any_open: bool
) -> float | None:
    """Return for how long a figure stays on its side of a bound at least."""
    indicator = objective.indicator
    if calendar and (indicator in _COUNTED or (indicator == "mtbf" and not figure.denominator)):
        return NEVER
    if figure.value is None:
        return None
    beyond = objective.is_beyond(figure.value, bound)
    if indicator == "availability":
        return _share_left_ms(figure, bound, beyond=beyond, calendar=calendar, any_open=any_open)
    if indicator == "downtime":
        if not calendar:
            return abs(bound - figure.value)
        return bound - figure.value if any_open and not beyond else NEVER  # in a period it never shrinks
    if indicator != "mtbf" or not calendar:
        return None
    return bound * figure.denominator - figure.numerator if beyond else NEVER  # time up only grows, failures are events


def _share_left_ms(figure: Figure, bound: float, *, beyond: bool, calendar: bool, any_open: bool) -> float:
    up_ms, promised_ms = figure.numerator, figure.denominator
    if not calendar:
        return abs(bound * promised_ms - up_ms)
    if beyond:  # at best all time from now on is time up
        return (bound * promised_ms - up_ms) / (1 - bound) if bound < 1 else NEVER
    if not any_open:
        return NEVER
    return up_ms / bound - promised_ms if bound > 0 else NEVER
