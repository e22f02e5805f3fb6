"""Objectives of agreement files: a promise about a figure that exists, in a unit and direction that make sense."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from monitor.config.budget_build import budget
from monitor.config.shape import did_you_mean
from monitor.core.measures import CallRule, ClockRule
from monitor.core.objectives import INDICATORS, Objective

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from monitor.config.agreement_shape import ObjectiveShape
    from monitor.config.quantities import Amount
    from monitor.core.measures import Measure
    from monitor.core.objectives import Comparison

    Told = Callable[[Sequence[str | int], str, str], None]
    """Takes a path below the objective, what is wrong there, and a hint."""

SERVICE_LEVEL: Final = "service_level"
"""In a file: the service level formula that binds for the calls."""

_MORE_IS_BETTER: Final = frozenset({"compliance", "availability", "mtbf", *(f"SL{n}" for n in range(1, 7))})
_UNITS: Final = {"ratio": ("a percent", "95 %"), "ms": ("a duration", "30s"), "count": ("a whole number", "3")}


def objective(shape: ObjectiveShape, measures: Sequence[Measure], told: Told) -> Objective | None:
    """Return the objective, or None after telling what is wrong with it."""
    measure = next((one for one in measures if one.id == shape.of), None)
    if measure is None:
        known_ids = [one.id for one in measures]
        told(("of",), f"there is no measure {shape.of!r}", did_you_mean(shape.of, known_ids))
        return None
    kind = "clock" if isinstance(measure, ClockRule) else "call" if isinstance(measure, CallRule) else "outage"
    indicator, known = shape.indicator, INDICATORS[kind]
    if indicator == SERVICE_LEVEL and isinstance(measure, CallRule):
        indicator = measure.formula
    if indicator not in known:
        words = [*known, *([SERVICE_LEVEL] if kind == "call" else [])]
        told(("indicator",), f"is no figure of a {kind}: {shape.indicator!r}", did_you_mean(shape.indicator, words))
        return None
    unit = known[indicator]
    comparison: Comparison = ">=" if indicator in _MORE_IS_BETTER else "<="
    target = shape.target.amount
    fits = _fits(target, "target", unit, told)
    if shape.target.comparison not in (None, comparison):
        told(("target",), f"of {indicator}, {_better(comparison)} is better", f"write '{comparison} …'")
        fits = False
    if shape.at_risk is not None:
        fits = _fits(shape.at_risk, "at_risk", unit, told) and fits
        room = shape.at_risk.value - target.value
        if fits and (room if comparison == ">=" else -room) <= 0:
            told(("at_risk",), "is not before the target is missed", f"choose a {_better(comparison)} value")
            fits = False
    if not fits:
        return None
    found = Objective(
        id=shape.id,
        measure=shape.of,
        indicator=indicator,
        comparison=comparison,
        target=target.value,
        windows=tuple(shape.windows or measure.windows),
        minimum_sample=shape.minimum_sample,
        at_risk=None if shape.at_risk is None else shape.at_risk.value,
    )
    if shape.budget is None:
        return found

    def below(path: Sequence[str | int], message: str, hint: str) -> None:
        told(("budget", *path), message, hint)

    return replace(found, budget=budget(shape.budget, found, unit, measure, below))


def _fits(amount: Amount, key: str, unit: str, told: Told) -> bool:
    if amount.unit != unit:
        told((key,), f"must be {_UNITS[unit][0]}", f"write {_UNITS[unit][1]}")
    return amount.unit == unit


def _better(comparison: Comparison) -> str:
    return "higher" if comparison == ">=" else "lower"
