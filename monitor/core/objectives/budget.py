"""Error budgets: the allowed bad share, the part of it that is used up, and the burn rate (domain.md §7).

    budget = 1 - target          burn = bad share / budget         (a share that must stay low: budget = target)

A burn rate of 1 uses the budget up exactly at the end of the period. Shares are compared as exact fractions: 14.399 is
less than 14.4, and a bad share of 72 % is exactly 14.4 times a budget of 5 %. A target of 100 % leaves no budget, and
the first bad event is one too many: there is no burn rate, and no sample is too small.

Burn alerts come in pairs of windows (Google, *The Site Reliability Workbook*, chapter 5). The long window shows that
the burn matters, the short one that it still goes on. The usual pairs for 30 days are in `USUAL_ALERTS`. For another
period their windows are scaled with it, so that each pair stands for the same part of the budget.

The method **events** counts in the unit of the objective's figure (availability: milliseconds). The method
**timeslices** cuts the period into slices: a slice whose own figure misses the target is bad as a whole, a slice
without a figure is good. The verdict on such an objective is that of its slices (`good_slices`): it is missed as soon
as more of the whole window was bad than the budget allows.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, NamedTuple

from monitor.core.agreements.budget_rule import GOOD_SLICES, BurnAlert, Method
from monitor.core.series.figures import Figure
from monitor.core.time.windows import Window

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitor.core.agreements.objectives import Comparison, Objective
BudgetUnit = Literal["count", "ms"]


class Share(NamedTuple):
    """The bad part of a total, both in events or both in milliseconds."""

    bad: float
    all: float


class Burn(NamedTuple):
    """The burn rate in a window. The rate is None if nothing happened, or if there is no budget to burn."""

    window: str
    rate: float | None
    bad: float
    all: float


class BudgetFigure(NamedTuple):
    """The error budget of an objective in a window: amounts in ``unit`` (``count`` of events, or ``ms``).

    A total in events grows with the events so far; a total in milliseconds is that of the whole window.
    ``consumed_share`` is None without a budget. ``exhausted`` means that more was bad than was allowed. ``all`` is the
    amount that the budget is a share of.
    """

    objective: str
    method: Method
    unit: BudgetUnit
    total: float
    consumed: float
    remaining: float
    consumed_share: float | None
    exhausted: bool
    burns: tuple[Burn, ...] = ()
    all: float = 0.0


def allowed_share(objective: Objective) -> Fraction:
    """Return the share that may be bad, as the exact fraction of the written target: 1/2000 for 99.95 %."""
    rule = objective.budget
    if rule is not None and rule.method == "timeslices":
        return _allowed(">=", rule.goal)
    return _allowed(objective.comparison, objective.target)


@lru_cache(maxsize=4096)
def _allowed(comparison: Comparison, target: float) -> Fraction:
    written = Fraction(str(target))
    return 1 - written if comparison == ">=" else written


def share_of(objective: Objective, figures: Sequence[Figure]) -> Share:
    """Return the bad part of the total that the objective's figure counts."""
    figure = next(one for one in figures if one.indicator == objective.indicator)
    more = objective.comparison == ">="
    return Share(figure.denominator - figure.numerator if more else figure.numerator, figure.denominator)


def figure_of(objective: Objective, unit: BudgetUnit, share: Share, burns: tuple[Burn, ...] = ()) -> BudgetFigure:
    """Return the error budget of a window, given the bad share in it."""
    rule = objective.budget
    total = allowed_share(objective) * Fraction(share.all)
    consumed = Fraction(share.bad)
    return BudgetFigure(
        objective.id, rule.method if rule else "events", unit, float(total), share.bad, float(total - consumed),
        float(consumed / total) if total else None, consumed > total, burns, share.all,
    )  # fmt: skip


def good_slices(budget: BudgetFigure) -> Figure:
    """Return the share of good slices of a window, by time. What is still to come of the window is good so far."""
    good = max(0.0, budget.all - budget.consumed)
    value = float(Fraction(good) / Fraction(budget.all)) if budget.all else None
    return Figure(GOOD_SLICES, value, good, budget.all, "ratio", "time of good slices / time of all slices")


def burn_of(objective: Objective, window: Window, share: Share) -> Burn:
    """Return the burn rate of a window, given the bad share in it."""
    allowed = allowed_share(objective)
    rate = float(Fraction(share.bad) / Fraction(share.all) / allowed) if share.all and allowed else None
    return Burn(window.name, rate, share.bad, share.all)


def burns_too_fast(objective: Objective, alert: BurnAlert, long: Share, short: Share, *, minimum: int) -> bool:
    """Return whether both windows of a pair burn at the pair's rate or faster.

    Args:
        objective: the objective whose budget burns.
        alert: the pair of windows and its burn rate.
        long: the bad share in the long window.
        short: the bad share in the short window.
        minimum: the number of events that the long window must have.
    """
    allowed = allowed_share(objective)
    if not allowed:
        return long.bad > 0 and short.bad > 0
    limit = Fraction(str(alert.burn)) * allowed
    return long.all >= minimum and all(
        one.all > 0 and Fraction(one.bad) >= limit * Fraction(one.all) for one in (long, short)
    )
