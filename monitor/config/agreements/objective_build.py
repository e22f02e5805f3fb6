"""Objectives of agreement files: a promise about a figure that exists, in a unit and direction that make sense."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from monitor.config.agreements.budget_build import BY_REPEATS, budget
from monitor.config.reading.shape import did_you_mean
from monitor.core.agreements.indicators import (
    COMPOSITE_INDICATORS,
    CUSTOMER_INDICATORS,
    INDICATORS,
    MAJOR_DAY_INDICATORS,
)
from monitor.core.agreements.lead_measure import LeadRule
from monitor.core.agreements.measures import CallRule, CompositeRule, OutageRule
from monitor.core.agreements.objectives import Objective

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from monitor.config.agreements.agreement_shape import ObjectiveShape
    from monitor.config.reading.quantities import Amount
    from monitor.core.agreements.measures import Measure
    from monitor.core.agreements.objectives import Comparison

    Told = Callable[[Sequence[str | int], str, str], None]
    """Takes a path below the objective, what is wrong there, and a hint."""

FIRST_CALL: Final = ("fcr_flag", "fcr_flag_net", "fcr", "fcr_net", "fcr_provisional")
_OF_GOAL: Final = frozenset({"leads_needed", "leads_needed_now", "needed_to_date", "pace"})
_MORE_IS_BETTER: Final = frozenset({
    "compliance", "availability", "mtbf", "coverage", "asai", *(f"SL{n}" for n in range(1, 7)), *FIRST_CALL,
    "follow_up", "depth", "depth_kept", "created", "handed_over", "attempted", "contacted", "qualified", "won",
    "customers", "revenue", "delivered", "close_rate", "average_deal", "marketing_share", "pace",
})  # fmt: skip
_PER_CUSTOMER: Final = frozenset({"saifi", "saifi_net", "maifi"})
"""Counts of an average customer: no whole numbers."""
_UNITS: Final = {
    "ratio": ("a percent", "95 %"),
    "ms": ("a duration", "30s"),
    "count": ("a whole number", "3"),
    "amount": ("a whole amount", "48000"),
}


def objective(shape: ObjectiveShape, measures: Sequence[Measure], told: Told) -> Objective | None:
    """Return the objective, or None after telling what is wrong with it."""
    measure = next((one for one in measures if one.id == shape.of), None)
    if measure is None:
        known_ids = [one.id for one in measures]
        told(("of",), f"there is no measure {shape.of!r}", did_you_mean(shape.of, known_ids))
        return None
    of = _indicator(measure, shape.indicator, told)
    if of is None:
        return None
    indicator, unit = of
    comparison: Comparison = ">=" if indicator in _MORE_IS_BETTER else "<="
    target = shape.target.amount
    fits = _fits(target, "target", unit, told)
    if unit == "count" and indicator not in _PER_CUSTOMER and not target.value.is_integer():
        told(("target",), "must be a whole number", "write 3")
        fits = False
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


def _indicator(measure: Measure, name: str, told: Told) -> tuple[str, str] | None:
    """Return the indicator that is meant, and its unit; None after telling why the measure does not have it."""
    kind, indicator = measure.kind, name
    indicator = measure.aliases.get(indicator, indicator)
    known = INDICATORS[kind]
    if indicator not in known:
        words = [*known, *measure.aliases]
        told(("indicator",), f"is no figure of a {kind}: {name!r}", did_you_mean(name, words))
        return None
    if isinstance(measure, CallRule) and indicator in BY_REPEATS and not measure.repeat_within_ms:
        told(("indicator",), f"needs to know who calls again: {indicator!r}", "add repeat_within: 7d to the calls")
        return None
    if isinstance(measure, LeadRule) and not _is_promised(measure, indicator, told):
        return None
    if isinstance(measure, OutageRule) and (hint := _not_counted(measure, indicator)):
        told(("indicator",), f"{indicator} is no figure of {measure.id!r}", hint)
        return None
    return indicator, known[indicator]


def _is_promised(measure: LeadRule, indicator: str, told: Told) -> bool:
    """Return whether the measure has what the figure is taken against."""
    missing = "goal" if measure.goal is None and indicator in _OF_GOAL else ""
    if indicator == "follow_up" and not measure.follow_up_within_ms:
        missing = "follow_up"
    if missing:
        told(("indicator",), f"{indicator} needs {missing}", f"add {missing} to {measure.id}")
    return not missing


def _not_counted(measure: OutageRule, indicator: str) -> str:
    """Return what to do so that an outage measure has a figure; "" where it has it."""
    if isinstance(measure, CompositeRule):
        names = ", ".join(sorted(COMPOSITE_INDICATORS))
        return "" if indicator in COMPOSITE_INDICATORS else f"composite services have {names}"
    if indicator in CUSTOMER_INDICATORS and measure.customers is None:
        return "add customers to the measure: how many are served"
    if indicator in MAJOR_DAY_INDICATORS and measure.customers is not None and not measure.customers.major_days:
        return (
            "add major_event_days to the customers of the measure: beta, or the daily SAIDI beyond which a day is one"
        )
    return ""


def _fits(amount: Amount, key: str, unit: str, told: Told) -> bool:
    if amount.unit == "count" and unit == "amount":
        return True
    if amount.unit != unit:
        told((key,), f"must be {_UNITS[unit][0]}", f"write {_UNITS[unit][1]}")
    return amount.unit == unit


def _better(comparison: Comparison) -> str:
    return "higher" if comparison == ">=" else "lower"
