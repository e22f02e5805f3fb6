"""Error budgets and consequences as metrics."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from monitor.metrics import catalogue as m

if TYPE_CHECKING:
    from collections.abc import Callable

    from monitor.core.budget import BudgetFigure
    from monitor.core.consequences import Consequence
    from monitor.core.figures import WindowStatus
    from monitor.metrics.catalogue import Metric

    Set = Callable[[Metric, tuple[str, ...], float | None], None]
    """Takes a metric, its labels and the value; None: it is absent."""


def show_outcomes(put: Set, labels: tuple[str, ...], status: WindowStatus) -> None:
    """Show the budgets of a window, and what follows from its closed periods."""
    for budget in status.budgets:
        _show_budget(put, labels, budget)
    credits_due: dict[tuple[str, str], list[Consequence]] = {}
    for one in status.consequences:
        if one.kind == "credit":
            credits_due.setdefault((one.objective, one.currency), []).append(one)
        else:
            standing = one.kind.removeprefix("termination_")
            put(m.TERMINATION_MISSES, (one.objective, standing, *labels), len(one.evidence.misses))
    for (objective, currency), found in credits_due.items():
        values = (objective, currency, *labels)
        put(m.CREDIT, values, float(sum(one.amount for one in found)))
        ends_ms = [one.claim_until_ms for one in found if one.claim_until_ms]
        put(m.CREDIT_CLAIM, values, min(ends_ms) / 1000 if ends_ms else None)


def _show_budget(put: Set, labels: tuple[str, ...], budget: BudgetFigure) -> None:
    in_time = budget.unit == "ms"
    values = (budget.objective, "seconds" if in_time else "events", *labels)
    scale = 1000 if in_time else 1
    put(m.BUDGET_ALLOWED, values, budget.total / scale)
    put(m.BUDGET_CONSUMED, values, budget.consumed / scale)
    put(m.BUDGET_REMAINING, values, budget.remaining / scale)
    put(m.BUDGET_SPENT, values, inf if budget.consumed_share is None and budget.exhausted else budget.consumed_share)
    for burn in budget.burns:
        endless = burn.rate is None and burn.bad > 0
        put(m.BUDGET_BURN, (*values, burn.window), inf if endless else burn.rate)
