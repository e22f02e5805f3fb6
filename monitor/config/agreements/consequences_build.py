"""Consequences of agreement files: credits and rights that rest on objectives, periods and fees that exist."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from monitor.config.reading.shape import did_you_mean
from monitor.core.agreements.consequence_rules import Consequences, CreditRule, TerminationRule, Tier
from monitor.core.agreements.indicators import NAMED
from monitor.core.time.windows import Window

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from decimal import Decimal

    from monitor.config.agreements.consequences_shape import Cap, ConsequencesShape, CreditShape
    from monitor.core.agreements.measures import Measure
    from monitor.core.agreements.objectives import Objective
    from monitor.core.time.windows import WindowKind

    Told = Callable[[Sequence[str | int], str, str], None]
    """Takes a path below the consequences, what is wrong there, and a hint."""


def consequences(
    shape: ConsequencesShape, objectives: Sequence[Objective], measures: Sequence[Measure], told: Told
) -> Consequences:
    """Return the consequences, after reporting their mistakes."""
    by_id = {one.id: one for one in objectives}
    by_measure = {one.id: one for one in measures}
    credits_due: list[CreditRule] = []
    for number, one in enumerate(shape.credits):
        at = ("credits", number)
        objective = _objective(by_id, one.objective, one.window, at, told)
        if objective is None:
            continue
        _check_fee(shape, one, by_measure[objective.measure], at, told)
        credits_due.append(CreditRule(objective.id, one.window, _tiers(one, objective, at, told), one.fee or ""))
    rights: list[TerminationRule] = []
    for number, right in enumerate(shape.termination):
        at = ("termination", number)
        if right.misses > right.periods:
            told((*at, "misses"), f"{right.misses} misses do not fit into {right.periods} periods", "raise `in`")
        if any(one.objective == right.objective for one in rights):
            told((*at, "objective"), f"{right.objective!r} has a right to terminate already", "keep one of them")
        if _objective(by_id, right.objective, right.window, at, told) is not None:
            rights.append(TerminationRule(right.objective, right.window, right.misses, right.periods))
    if credits_due and shape.currency is None:
        told(("currency",), "is missing: credits are amounts of money", "add currency: EUR")
    return Consequences(
        currency=shape.currency or "",
        fees=dict(shape.fees),
        credits=tuple(credits_due),
        termination=tuple(rights),
        month_cap=_cap(shape, shape.caps.month),
        term_cap=_cap(shape, shape.caps.term),
        claim_within_ms=shape.claim_within or 0,
        prorated=shape.prorate,
    )


def _objective(
    by_id: dict[str, Objective], name: str, window: WindowKind, at: tuple[str | int, ...], told: Told
) -> Objective | None:
    objective = by_id.get(name)
    if objective is None:
        told((*at, "objective"), f"there is no objective {name!r}", did_you_mean(name, by_id))
    elif Window(window) not in objective.windows:
        told((*at, "window"), f"{name!r} is not judged by the {window}", f"add {window} to its windows")
        return None
    return objective


def _check_fee(
    shape: ConsequencesShape, credit: CreditShape, measure: Measure, at: tuple[str | int, ...], told: Told
) -> None:
    if credit.fee is not None:
        if credit.fee not in shape.fees:
            told((*at, "fee"), f"there is no fee {credit.fee!r}", did_you_mean(credit.fee, shape.fees))
    elif "service" not in measure.by:
        told(at, f"needs a fee: {measure.id!r} is not split by service", "add fee: with one of the fees")


def _tiers(credit: CreditShape, objective: Objective, at: tuple[str | int, ...], told: Told) -> tuple[Tier, ...]:
    indicator, comparison, target = objective.judged
    more = comparison == ">="
    word = "below" if more else "above"
    found: list[Tier] = []
    for number, tier in enumerate(credit.tiers):
        bound = tier.below if more else tier.above
        place = (*at, "tiers", number)
        if bound is None:
            told(place, f"of {indicator}, {'less' if more else 'more'} is worse", f"write {word}")
        elif bound.unit != NAMED[indicator].unit:
            as_what = "the share of good slices" if objective.by_slices else "the objective's target"
            told((*place, word), f"is no bound of {indicator}", f"write it as {as_what}")
        else:
            found.append(Tier(bound.value, tier.credit))
    in_order = sorted(found, key=lambda one: one.bound, reverse=more)
    if any(worse.share <= better.share for better, worse in pairwise(in_order)):
        told((*at, "tiers"), "a worse figure must be credited with more", "sort the tiers, and raise their credits")
    if in_order and (in_order[0].bound > target if more else in_order[0].bound < target):
        told((*at, "tiers"), "credit a figure that keeps the target", "begin where the target is missed")
    return tuple(found)


def _cap(shape: ConsequencesShape, cap: Cap | None) -> Decimal | None:
    if cap is None or cap.share is None:
        return cap.amount if cap else None
    return sum(shape.fees.values(), start=cap.share * 0) * cap.share
