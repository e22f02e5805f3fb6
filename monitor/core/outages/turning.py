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

from monitor.core.time.units import DAY_MS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitor.core.agreements.objectives import Objective
    from monitor.core.outages.customers import Counting
    from monitor.core.outages.interruptions import Outlook
    from monitor.core.series.figures import Figure

NEVER: Final = float("inf")
_CUSTOMER_TIME: Final = frozenset({"saidi", "saidi_net"})
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


def steady_customers_ms(
    objectives: Sequence[Objective],
    figures: Sequence[Figure],
    ahead: Outlook,
    counting: Counting,
    from_ms: int,
    now_ms: int,
) -> float | None:
    """Return for how long no verdict on customers in a period can change without an event, in ms; None: nobody knows.

    The time without service grows by a millisecond for each customer that is out, and it is at most that of all
    interruptions, momentary ones and those of major event days included. A figure without a value, because there is no
    threshold of major event days, keeps none once all that began before the period is sustained.

    Args:
        objectives: what was promised for the period.
        figures: the figures of the period.
        ahead: how the customer time of the period may grow.
        counting: how customers are counted.
        from_ms: the start of the period.
        now_ms: the instant of the evaluation.
    """
    total = counting.served
    if not total or not ahead.certain:
        return None
    found = NEVER
    by_name = {one.indicator: one for one in figures}
    for objective in objectives:
        figure = by_name.get(objective.indicator)
        if objective.indicator not in _CUSTOMER_TIME or figure is None or objective.budget is not None:
            return None
        if figure.value is None:
            if now_ms < from_ms + counting.terms.momentary_ms + DAY_MS:
                return None
            continue
        for bound in (objective.target, objective.at_risk):
            left_ms = NEVER if bound is None else _customer_time_left_ms(objective, figure.value, bound, total, ahead)
            if left_ms is None:
                return None
            found = min(found, left_ms)
    return found if found == NEVER else max(0, floor(found) - 1)


def _customer_time_left_ms(
    objective: Objective, value: float, bound: float, total: int, ahead: Outlook
) -> float | None:
    """Return for how long a mean time without service stays on its side of a bound at least."""
    if objective.is_beyond(value, bound):
        # In a period it never shrinks, unless its day turns out to be a major event.
        return NEVER if objective.indicator == "saidi" else None
    left_ms = bound * total - ahead.customer_ms
    if left_ms <= 0:
        return None
    return left_ms / ahead.customers if ahead.customers else NEVER


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
