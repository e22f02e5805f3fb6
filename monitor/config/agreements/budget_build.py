"""Error budgets of agreement files: of shares, with windows and slices that panes can make up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from monitor.core.agreements.budget_rule import USUAL_ALERTS, BudgetRule, BurnAlert, period_ms, scaled
from monitor.core.agreements.indicators import NAMED
from monitor.core.time.units import HOUR_MS, MINUTE_MS
from monitor.core.time.windows import WIDTH_MS, Window, width_for

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from monitor.config.agreements.budget_shape import BudgetShape, BurnAlertShape
    from monitor.core.agreements.measures import Measure
    from monitor.core.agreements.objectives import Objective

    Told = Callable[[Sequence[str | int], str, str], None]
    """Takes a path below the budget, what is wrong there, and a hint."""

_LONGEST_MS: Final = 366 * 24 * HOUR_MS


def budget(shape: BudgetShape, objective: Objective, unit: str, measure: Measure, told: Told) -> BudgetRule:
    """Return the budget of an objective, after telling what is wrong with it.

    Args:
        shape: what the file says.
        objective: the objective, without its budget.
        unit: that of its figure.
        measure: what the figure is of.
        told: takes the mistakes.
    """
    period = max(objective.windows, key=period_ms)
    goal = 0.0
    if NAMED[objective.indicator].needs == "repeats" and (shape.method == "timeslices" or shape.alerts != "off"):
        told(
            ("alerts",) if shape.method == "events" else ("method",),
            f"{objective.indicator} is not known while it burns: who calls again shows only later",
            "write alerts: off, or promise fcr_flag",
        )
    if shape.method == "events":
        if unit != "ratio":
            told(("method",), f"{objective.indicator} is no share of events", "write method: timeslices and good: 99 %")
        if shape.good is not None:
            told(("good",), "is for timeslices", "leave it out: the objective's target says how many events may be bad")
    else:
        goal = _goal(shape, objective, unit, told)
        if measure.sliced and objective.indicator not in measure.sliced:
            only = ", ".join(sorted(measure.sliced))
            told(("method",), f"slices of {measure.kind}s are of the {only}, not of {objective.indicator}", "")
        if shape.slice % MINUTE_MS or HOUR_MS % shape.slice:
            told(("slice",), "does not divide an hour into whole minutes", "write 1m, 5m, 15m or 1h")
    return BudgetRule(period, shape.method, goal, shape.slice, _alerts(shape, period, told), shape.minimum_events)


def _goal(shape: BudgetShape, objective: Objective, unit: str, told: Told) -> float:
    if shape.good is not None:
        return shape.good
    if unit == "ratio" and objective.comparison == ">=":
        return objective.target
    told(("good",), "is missing: which share of the slices must be good?", "write good: 99 %")
    return 1.0


def _alerts(shape: BudgetShape, period: Window, told: Told) -> tuple[BurnAlert, ...]:
    if shape.alerts == "off":
        return ()
    if shape.alerts == "default":
        return scaled(USUAL_ALERTS, period)
    found: list[BurnAlert] = []
    for number, one in enumerate(shape.alerts):
        at = ("alerts", number)
        _check_windows(one, at, told)
        pair = BurnAlert(one.burn, one.long, one.short, one.urgency)
        if any(other.name == pair.name for other in found):
            told(at, f"the pair {pair.name} is named twice", "keep one of them")
        found.append(pair)
    return tuple(found)


def _check_windows(shape: BurnAlertShape, at: tuple[str | int, ...], told: Told) -> None:
    if shape.short >= shape.long:
        told((*at, "short"), "is not shorter than long", "a twelfth of it is usual: 1h and 5m")
    for name, length_ms in (("long", shape.long), ("short", shape.short)):
        if length_ms % WIDTH_MS[width_for(Window("rolling", length_ms))] or length_ms > _LONGEST_MS:
            told(
                (*at, name),
                "no window can have this length",
                "whole minutes up to 2h, quarters of an hour up to 48h, whole hours up to 366d",
            )
