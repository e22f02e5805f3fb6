"""Damages of agreement files: sums on objectives whose figures can be counted in hours or cases."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from monitor.config.reading.shape import did_you_mean
from monitor.core.agreements.consequence_rules import Basis, DamageRule
from monitor.core.agreements.indicators import NAMED
from monitor.core.objectives.damages import LATE
from monitor.core.time.windows import Window

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from decimal import Decimal

    from monitor.config.agreements.consequences_shape import DamagesShape
    from monitor.core.agreements.measures import ClockRule, Measure
    from monitor.core.agreements.objectives import Objective
    from monitor.core.time.windows import WindowKind

    Told = Callable[[Sequence[str | int], str, str], None]
    """Takes a path below the consequences, what is wrong there, and a hint."""

_NO_CASES: Final = frozenset({"occupancy", "marketing_share", "pace"})
"""Shares of time, of money and of a plan: their numerators are no cases."""
_LATENESS: Final = ("clock", "compliance")
"""The indicator that clocks, each late by some time of its own, decide."""


def damages(
    shapes: Sequence[DamagesShape], objectives: dict[str, Objective], measures: Mapping[str, Measure], told: Told
) -> list[DamageRule]:
    """Return the rules of damages, after reporting their mistakes."""
    found: list[DamageRule] = []
    for number, one in enumerate(shapes):
        at = ("damages", number)
        objective = objective_of(objectives, one.objective, one.window, at, told)
        due = _sum_of(one, at, told)
        if objective is None or due is None:
            continue
        basis, rate = due
        if basis == "per_hour" and not _has_hours(objective, measures[objective.measure]):
            told((*at, basis), f"{objective.indicator} has no hours beyond its target", "write per_case, or fixed")
        if basis == "per_case" and not _has_cases(objective):
            what = "an objective of timeslices" if objective.by_slices else objective.indicator
            told((*at, basis), f"{what} counts no cases", "write per_hour, or fixed")
        if one.cap is not None and one.cap < rate:
            told((*at, "cap"), f"is less than {basis}, {rate:f}: not even one is paid", "raise it")
        if any((rule.objective, rule.window, rule.basis) == (objective.id, one.window, basis) for rule in found):
            told((*at, basis), f"{objective.id!r} has damages {basis} of the {one.window} already", "keep one of them")
        found.append(DamageRule(objective.id, one.window, basis, rate, one.cap))
    return found


def _sum_of(shape: DamagesShape, at: tuple[str | int, ...], told: Told) -> tuple[Basis, Decimal] | None:
    """Return the sum of an entry and what it is for, after reporting that it has none, or two.

    It is no matter of the entry's shape: what else is wrong with the entry is told beside it.
    """
    sums: tuple[tuple[Basis, Decimal | None], ...] = (
        ("fixed", shape.fixed), ("per_hour", shape.per_hour), ("per_case", shape.per_case),
    )  # fmt: skip
    given = [(basis, rate) for basis, rate in sums if rate is not None]
    if len(given) != 1:
        told(at, "needs one sum: fixed, per_hour or per_case", "write {fixed: 5000}; two sums are two entries")
        return None
    if not given[0][1]:
        told(at, "is a sum of 0", "write the sum that is due, or leave the entry out")
        return None
    return given[0]


def with_lateness(
    clocks: Sequence[ClockRule], objectives: Iterable[Objective], rules: Iterable[DamageRule]
) -> tuple[ClockRule, ...]:
    """Return clocks that count the time by which their targets are missed, where a promise or damages ask for it."""
    by_id = {one.id: one for one in objectives}
    asked = {one.measure for one in by_id.values() if one.indicator == LATE}
    asked |= {
        by_id[rule.objective].measure
        for rule in rules
        if rule.basis == "per_hour" and by_id[rule.objective].indicator == _LATENESS[1]
    }
    return tuple(replace(one, counts_late=True) if one.id in asked else one for one in clocks)


def _has_hours(objective: Objective, measure: Measure) -> bool:
    """Return whether a figure is a duration, a share of time, or that of clocks, each of which is late by some time."""
    indicator = NAMED[objective.judged.indicator]
    return indicator.unit == "ms" or indicator.counts == "time" or (measure.kind, objective.indicator) == _LATENESS


def _has_cases(objective: Objective) -> bool:
    indicator = NAMED[objective.judged.indicator]
    return (
        indicator.unit in {"ratio", "count"} and indicator.counts == "events" and objective.indicator not in _NO_CASES
    )


def objective_of(
    by_id: dict[str, Objective], name: str, window: WindowKind, at: tuple[str | int, ...], told: Told
) -> Objective | None:
    """Return the objective that a consequence names, after reporting that there is none, or none by that period."""
    objective = by_id.get(name)
    if objective is None:
        told((*at, "objective"), f"there is no objective {name!r}", did_you_mean(name, by_id))
    elif Window(window) not in objective.windows:
        told((*at, "window"), f"{name!r} is not judged by the {window}", f"add {window} to its windows")
        return None
    return objective
