"""Consequences of agreement files: what rests on objectives, periods and fees that exist."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from monitor.config.agreements.damages_build import damages, objective_of
from monitor.config.reading.shape import did_you_mean
from monitor.core.agreements.consequence_rules import BreachRule, Consequences, CreditRule, TerminationRule, Tier
from monitor.core.agreements.indicators import NAMED
from monitor.core.agreements.objectives import is_beyond

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from decimal import Decimal

    from monitor.config.agreements.consequences_shape import Cap, ConsequencesShape, CreditShape, TerminationShape
    from monitor.config.reading.quantities import Amount
    from monitor.core.agreements.measures import Measure
    from monitor.core.agreements.objectives import Objective

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
        objective = objective_of(by_id, one.objective, one.window, at, told)
        if objective is None:
            continue
        _check_fee(shape, one, by_measure[objective.measure], at, told)
        credits_due.append(CreditRule(objective.id, one.window, _tiers(one, objective, at, told), one.fee or ""))
    due = damages(shape.damages, by_id, by_measure, told)
    rights, breaches = _rights(shape, by_id, told)
    for amounts, word in ((credits_due, "credits"), (due, "damages")):
        if amounts and shape.currency is None:
            told(("currency",), f"is missing: {word} are amounts of money", "add currency: EUR")
            break
    return Consequences(
        currency=shape.currency or "",
        fees=dict(shape.fees),
        credits=tuple(credits_due),
        termination=tuple(rights),
        month_cap=_cap(shape, shape.caps.month),
        term_cap=_cap(shape, shape.caps.term),
        claim_within_ms=shape.claim_within or 0,
        prorated=shape.prorate,
        damages=tuple(due),
        damages_month_cap=_cap(shape, shape.damages_caps.month),
        damages_term_cap=_cap(shape, shape.damages_caps.term),
        immediate=tuple(breaches),
    )


def _rights(
    shape: ConsequencesShape, by_id: dict[str, Objective], told: Told
) -> tuple[list[TerminationRule], list[BreachRule]]:
    """Return the rights to terminate after several misses, and those after one breach of a named kind."""
    rights: list[TerminationRule] = []
    breaches: list[BreachRule] = []
    for number, right in enumerate(shape.termination):
        at = ("termination", number)
        objective = objective_of(by_id, right.objective, right.window, at, told)
        if right.breach is not None:
            if any(one.name == right.breach for one in breaches):
                told((*at, "breach"), f"{right.breach!r} is named twice", "give each kind of breach a name of its own")
            if objective is not None:
                breaches.append(_breach(right, right.breach, objective, at, told))
            continue
        misses, periods = right.misses or 0, right.periods or 0
        if misses > periods:
            told((*at, "misses"), f"{misses} misses do not fit into {periods} periods", "raise `in`")
        if any(one.objective == right.objective for one in rights):
            told((*at, "objective"), f"{right.objective!r} has a right to terminate already", "keep one of them")
        if objective is not None:
            rights.append(TerminationRule(right.objective, right.window, misses, periods))
    return rights, breaches


def _breach(
    shape: TerminationShape, name: str, objective: Objective, at: tuple[str | int, ...], told: Told
) -> BreachRule:
    bound = _bound(objective, shape.below, shape.above, at, told) if shape.below or shape.above else None
    _, comparison, target = objective.judged
    if bound is not None and bound != target and not is_beyond(comparison, bound, target):
        word = "below" if shape.below else "above"
        told((*at, word), "lies on the good side of the target", "write a bound beyond it, or leave it out: any miss")
    return BreachRule(name, objective.id, shape.window, bound, shape.within or 0)


def _check_fee(
    shape: ConsequencesShape, credit: CreditShape, measure: Measure, at: tuple[str | int, ...], told: Told
) -> None:
    if credit.fee is not None:
        if credit.fee not in shape.fees:
            told((*at, "fee"), f"there is no fee {credit.fee!r}", did_you_mean(credit.fee, shape.fees))
    elif "service" not in measure.by:
        told(at, f"needs a fee: {measure.id!r} is not split by service", "add fee: with one of the fees")


def _tiers(credit: CreditShape, objective: Objective, at: tuple[str | int, ...], told: Told) -> tuple[Tier, ...]:
    _, comparison, target = objective.judged
    more = comparison == ">="
    found: list[Tier] = []
    for number, tier in enumerate(credit.tiers):
        bound = _bound(objective, tier.below, tier.above, (*at, "tiers", number), told)
        if bound is not None:
            found.append(Tier(bound, tier.credit))
    in_order = sorted(found, key=lambda one: one.bound, reverse=more)
    if any(worse.share <= better.share for better, worse in pairwise(in_order)):
        told((*at, "tiers"), "a worse figure must be credited with more", "sort the tiers, and raise their credits")
    if in_order and (in_order[0].bound > target if more else in_order[0].bound < target):
        told((*at, "tiers"), "credit a figure that keeps the target", "begin where the target is missed")
    return tuple(found)


def _bound(
    objective: Objective, below: Amount | None, above: Amount | None, at: tuple[str | int, ...], told: Told
) -> float | None:
    indicator, comparison, _ = objective.judged
    more = comparison == ">="
    word = "below" if more else "above"
    bound = below if more else above
    if bound is None:
        told(at, f"of {indicator}, {'less' if more else 'more'} is worse", f"write {word}")
        return None
    if bound.unit != NAMED[indicator].unit:
        as_what = "the share of good slices" if objective.by_slices else "the objective's target"
        told((*at, word), f"is no bound of {indicator}", f"write it as {as_what}")
        return None
    return bound.value


def _cap(shape: ConsequencesShape, cap: Cap | None) -> Decimal | None:
    if cap is None or cap.share is None:
        return cap.amount if cap else None
    return sum(shape.fees.values(), start=cap.share * 0) * cap.share
