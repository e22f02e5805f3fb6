"""Damages: how much is due for a missed objective beside credits (domain.md §8).

    damages = sum × quantity, rounded once, half up, to the hundredth of the currency

The quantity is that of the period's figure:

- ``fixed``: 1, for each period that missed the objective.
- ``per_hour``: the hours beyond the target, as exact parts of an hour. Of a duration: figure − target. Of a share of
  time, such as the availability: target × period − time that was up. Of an objective of timeslices: the time of the bad
  slices beyond the error budget. Of the compliance of a clock: the sum, over the
  clocks that missed their targets, of the time beyond each one's own.
- ``per_case``: the cases that missed. Of a share: the bad ones, all of them. Of a number: those beyond the target.

Caps are applied afterwards (`monitor.core.objectives.consequences`).
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Final, NamedTuple

from monitor.core.agreements.indicators import NAMED
from monitor.core.time.units import HOUR_MS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitor.core.agreements.consequence_rules import DamageRule
    from monitor.core.agreements.objectives import Objective
    from monitor.core.series.figures import Figure

_CENT: Final = Decimal("0.01")
_MILLIONTH: Final = Decimal("0.000001")
LATE: Final = "late"
"""The figure of a clock whose numerator is the time by which its missed targets were missed, in milliseconds."""


class Damages(NamedTuple):
    """The damages of a period without any cap, and the hours or cases counted, rounded to a millionth."""

    amount: Decimal
    quantity: Decimal


def damages_of(rule: DamageRule, objective: Objective, figures: Sequence[Figure]) -> Damages:
    """Return the damages for a period that missed an objective.

    Args:
        rule: the rule of the agreement, whose basis fits the objective's indicator.
        objective: the objective that was missed.
        figures: those of the statement; the judged one has a value. It is among them, also the share of good slices.
    """
    by_name = {one.indicator: one for one in figures}
    figure = by_name[objective.judged.indicator]
    if rule.basis == "fixed":
        quantity = Fraction(1)
    elif rule.basis == "per_hour":
        quantity = Fraction(max(0, _beyond_ms(objective, figure, by_name.get(LATE)))) / HOUR_MS
    else:
        quantity = max(Fraction(0), _cases(objective, figure))
    return Damages(_decimal(quantity * Fraction(rule.rate), _CENT), _decimal(quantity, _MILLIONTH))


def _beyond_ms(objective: Objective, figure: Figure, late: Figure | None) -> int:
    """Return the time beyond the target, to the nearest millisecond."""
    name, comparison, target = objective.judged
    indicator = NAMED[name]
    if indicator.unit == "ms":
        beyond = Fraction(figure.value or 0) - Fraction(target)
        return round(beyond if comparison == "<=" else -beyond)
    if indicator.counts == "time":
        return round(Fraction(str(target)) * Fraction(figure.denominator) - Fraction(figure.numerator))
    return 0 if late is None else round(late.numerator)


def _cases(objective: Objective, figure: Figure) -> Fraction:
    more = objective.comparison == ">="
    if NAMED[objective.indicator].unit == "ratio":
        return Fraction(figure.denominator) - Fraction(figure.numerator) if more else Fraction(figure.numerator)
    beyond = Fraction(figure.value or 0) - Fraction(objective.target)
    return -beyond if more else beyond


def _decimal(value: Fraction, to: Decimal) -> Decimal:
    scaled = value / Fraction(to)
    # Fractions have no rounding half up; all of these are 0 or more.
    return Decimal((2 * scaled.numerator + scaled.denominator) // (2 * scaled.denominator)) * to
