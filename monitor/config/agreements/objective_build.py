"""Objectives of agreement files: a promise about a figure that exists, in a unit and direction that make sense."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from monitor.config.agreements.budget_build import budget
from monitor.config.reading.shape import did_you_mean
from monitor.core.agreements.indicators import INDICATORS
from monitor.core.agreements.measures import for_each_kind
from monitor.core.agreements.objectives import Objective

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitor.config.agreements.agreement_shape import ObjectiveShape
    from monitor.config.reading.quantities import Amount
    from monitor.core.agreements.indicators import Indicator, Needs, Unit
    from monitor.core.agreements.lead_measure import LeadRule
    from monitor.core.agreements.measures import CallRule, Measure, MeasureKind, OutageRule

    Told = Callable[[Sequence[str | int], str, str], None]
    """Takes a path below the objective, what is wrong there, and a hint."""
    Lack = tuple[str, str] | None
    """The mistake and a hint."""

_UNITS: Final[dict[Unit, tuple[str, str]]] = {
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
    indicator, facts = of
    unit, comparison = facts.unit, facts.comparison
    target = shape.target.amount
    fits = _fits(target, "target", unit, told)
    if unit == "count" and facts.counts not in {"customers", "scores"} and not target.value.is_integer():
        told(("target",), "must be a whole number", "write 3")
        fits = False
    if shape.target.comparison not in (None, comparison):
        told(("target",), f"of {indicator}, {facts.better} is better", f"write '{comparison} …'")
        fits = False
    if not _warns_before(shape, facts, told) or not fits:
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

    found = replace(found, budget=budget(shape.budget, found, unit, measure, below))
    if found.by_slices and found.at_risk is not None and found.at_risk <= found.judged.target:
        good = f"{found.judged.target * 100:.6g} %"
        told(("at_risk",), "is not before the budget is used up", f"it is a share of good slices: more than {good}")
    return found


def _warns_before(shape: ObjectiveShape, facts: Indicator, told: Told) -> bool:
    """Return whether the warning has the right unit and comes before the target is missed, after telling if not.

    That of timeslices is a share of good ones, and is compared with their goal once it is known.
    """
    if shape.at_risk is None:
        return True
    by_slices = shape.budget is not None and shape.budget.method == "timeslices"
    if not _fits(shape.at_risk, "at_risk", "ratio" if by_slices else facts.unit, told):
        return False
    room = shape.at_risk.value - shape.target.amount.value
    # A target in another unit is told of itself, and cannot be compared.
    if by_slices or shape.target.amount.unit != shape.at_risk.unit or (room if facts.comparison == ">=" else -room) > 0:
        return True
    told(("at_risk",), "is not before the target is missed", f"choose a {facts.better} value")
    return False


def _indicator(measure: Measure, name: str, told: Told) -> tuple[str, Indicator] | None:
    """Return the indicator that is meant, and its facts; None after telling why the measure does not have it."""
    kind, indicator = measure.kind, name
    indicator = measure.aliases.get(indicator, indicator)
    known = INDICATORS[kind]
    if indicator not in known:
        words = [*known, *measure.aliases]
        told(("indicator",), f"is no figure of a {kind}: {name!r}", did_you_mean(name, words))
        return None
    facts = known[indicator]
    if (lacks := _LACKS[kind](measure, indicator, facts.needs)) is not None:
        told(("indicator",), *lacks)
        return None
    return indicator, facts


def _lacks_nothing(rule: Measure, indicator: str, needs: Needs) -> Lack:  # noqa: ARG001 - it has all figures of its kind
    return None


def _calls_lack(rule: CallRule, indicator: str, needs: Needs) -> Lack:
    if needs == "repeats" and not rule.repeat_within_ms:
        return f"needs to know who calls again: {indicator!r}", "add repeat_within: 7d to the calls"
    return None


def _leads_lack(rule: LeadRule, indicator: str, needs: Needs) -> Lack:
    has = {
        "follow_up": rule.follow_up_within_ms,
        "close": rule.close_within_ms,
        "activity": rule.activity,
        "goal": rule.goal or rule.goals,
    }
    if needs and not has[needs]:
        key = {"close": "close_within: 90d", "activity": "activity: 3"}.get(needs, needs)
        return f"{indicator} needs {key.partition(':')[0]}", f"add {key} to {rule.id}"
    return None


def _outages_lack(rule: OutageRule, indicator: str, needs: Needs) -> Lack:
    hint = ""
    if rule.parts:
        names = ", ".join(sorted(name for name, one in INDICATORS["outage"].items() if not one.needs))
        hint = f"composite services have {names}" if needs else ""
    elif needs in {"customers", "major_days"} and rule.customers is None:
        hint = "add customers to the measure: how many are served"
    elif needs == "major_days" and rule.customers is not None and not rule.customers.major_days:
        hint = (
            "add major_event_days to the customers of the measure: beta, or the daily SAIDI beyond which a day is one"
        )
    return (f"{indicator} is no figure of {rule.id!r}", hint) if hint else None


_LACKS: Final[Mapping[MeasureKind, Callable[[Any, str, Needs], Lack]]] = for_each_kind(
    {
        "clock": _lacks_nothing,
        "call": _calls_lack,
        "outage": _outages_lack,
        "lead": _leads_lack,
        "ticket": _lacks_nothing,
    }
)
"""By kind: the function that says what a rule lacks for an indicator with its needs; None: it has the figure."""


def _fits(amount: Amount, key: str, unit: Unit, told: Told) -> bool:
    if amount.unit == "count" and unit == "amount":
        return True
    if amount.unit != unit:
        told((key,), f"must be {_UNITS[unit][0]}", f"write {_UNITS[unit][1]}")
    return amount.unit == unit
