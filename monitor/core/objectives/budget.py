"""Error budgets: how much may go wrong, how much has, and how fast it goes (domain.md §7).

    budget = 1 - target          burn = bad share / budget         (a share that must stay low: budget = target)

A burn of 1 uses the budget up exactly at the end of the period. Shares are compared as exact fractions: 14.399 is no
14.4, and a bad share of 72 % is exactly 14.4 times a budget of 5 %. Without any budget (a target of 100 %) the first
bad event is one too many: then there is no rate, and no sample is too small.

Burn alerts come in pairs of windows (Google, *The Site Reliability Workbook*, chapter 5): the long one shows that it
matters, the short one that it still goes on. The usual pairs of 30 days stand in `USUAL_ALERTS`; for another period
their windows become longer or shorter with it, so that each stands for the same part of the budget.

**Events** are counted by what the figure counts (availability: milliseconds). With **timeslices** the period is cut
into slices; one whose own figure misses the target is bad as a whole, one without a figure is good.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, NamedTuple

from monitor.core.agreements.budget_rule import BurnAlert, Method
from monitor.core.time.windows import Window

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitor.core.agreements.objectives import Comparison, Objective
    from monitor.core.series.figures import Figure
BudgetUnit = Literal["count", "ms"]


class Share(NamedTuple):
    """So much of all was bad, in events or milliseconds."""

    bad: float
    all: float


class Burn(NamedTuple):
    """The burn rate in a window. None: nothing happened, or there is no budget to burn."""

    window: str
    rate: float | None
    bad: float
    all: float


class BudgetFigure(NamedTuple):
    """The error budget of an objective in a window: amounts in ``unit`` (``count`` of events, or ``ms``).

    What is counted in events grows with them, what is counted in time is that of the whole window. ``consumed_share``
    is None without a budget; ``exhausted`` says that more was bad than was allowed.
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


def allowed_share(objective: Objective) -> Fraction:
    """Return the share that may be bad, exactly as it was written: of 99.95 % it is 1/2000."""
    rule = objective.budget
    if rule is not None and rule.method == "timeslices":
        return _allowed(">=", rule.goal)
    return _allowed(objective.comparison, objective.target)


@lru_cache(maxsize=4096)
def _allowed(comparison: Comparison, target: float) -> Fraction:
    written = Fraction(str(target))
    return 1 - written if comparison == ">=" else written


def share_of(objective: Objective, figures: Sequence[Figure]) -> Share:
    """Return how much of what the objective's figure counts was bad."""
    figure = next(one for one in figures if one.indicator == objective.indicator)
    more = objective.comparison == ">="
    return Share(figure.denominator - figure.numerator if more else figure.numerator, figure.denominator)


def figure_of(objective: Objective, unit: BudgetUnit, share: Share, burns: tuple[Burn, ...] = ()) -> BudgetFigure:
    """Return the budget of a window in which so much of all was bad."""
    rule = objective.budget
    total = allowed_share(objective) * Fraction(share.all)
    consumed = Fraction(share.bad)
    return BudgetFigure(
        objective.id, rule.method if rule else "events", unit, float(total), share.bad, float(total - consumed),
        float(consumed / total) if total else None, consumed > total, burns,
    )  # fmt: skip


def burn_of(objective: Objective, window: Window, share: Share) -> Burn:
    """Return the burn rate of a window in which so much of all was bad."""
    allowed = allowed_share(objective)
    rate = float(Fraction(share.bad) / Fraction(share.all) / allowed) if share.all and allowed else None
    return Burn(window.name, rate, share.bad, share.all)


def burns_too_fast(objective: Objective, alert: BurnAlert, long: Share, short: Share, *, minimum: int) -> bool:
    """Return whether both windows of a pair burn at its rate or faster.

    Args:
        objective: what was promised.
        alert: the pair.
        long: what happened in the long window.
        short: what happened in the short one.
        minimum: how many events the long window must have.
    """
    allowed = allowed_share(objective)
    if not allowed:
        return long.bad > 0 and short.bad > 0
    limit = Fraction(str(alert.burn)) * allowed
    return long.all >= minimum and all(
        one.all > 0 and Fraction(one.bad) >= limit * Fraction(one.all) for one in (long, short)
    )
