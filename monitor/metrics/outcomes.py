"""Error budgets and consequences as metrics."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Final

from monitor.metrics import catalogue as m

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from monitor.core.objectives.budget import BudgetFigure
    from monitor.core.objectives.consequence import Consequence, ConsequenceKind
    from monitor.core.objectives.status import WindowStatus
    from monitor.metrics.declaring import Metric

    Put = Callable[[Metric, str, Mapping[tuple[tuple[str, ...], tuple[str, ...]], float]], None]
    """Takes a metric, the labels of a window, and the values by the labels before and after those."""


_MONEY: Final[Mapping[ConsequenceKind, tuple[Metric, Metric]]] = {
    "credit": (m.CREDIT, m.CREDIT_CLAIM),
    "damages": (m.DAMAGES, m.DAMAGES_CLAIM),
}
"""The amount and the end of the first claim, for each kind of consequence that is an amount of money."""


def show_outcomes(put: Put, labels: str, status: WindowStatus) -> None:
    """Show the budgets of a window, and the consequences of its closed periods."""
    for budget in status.budgets:
        _show_budget(put, labels, budget)
    due: dict[ConsequenceKind, dict[tuple[str, str], list[Consequence]]] = {kind: {} for kind in _MONEY}
    misses: dict[tuple[tuple[str, ...], tuple[str, ...]], float] = {}
    for one in status.consequences:
        if one.kind in due:
            due[one.kind].setdefault((one.objective, one.currency), []).append(one)
        else:
            misses[(one.objective, one.kind.removeprefix("termination_")), ()] = len(one.evidence.misses)
    if misses:
        put(m.TERMINATION_MISSES, labels, misses)
    for kind, (amount, claim) in _MONEY.items():
        for before, found in due[kind].items():
            put(amount, labels, {(before, ()): float(sum(one.amount for one in found))})
            ends_ms = [one.claim_until_ms for one in found if one.claim_until_ms]
            if ends_ms:
                put(claim, labels, {(before, ()): min(ends_ms) / 1000})


def _show_budget(put: Put, labels: str, budget: BudgetFigure) -> None:
    in_time = budget.unit == "ms"
    before = (budget.objective, "seconds" if in_time else "events")
    scale = 1000 if in_time else 1
    put(m.BUDGET_ALLOWED, labels, {(before, ()): budget.total / scale})
    put(m.BUDGET_CONSUMED, labels, {(before, ()): budget.consumed / scale})
    put(m.BUDGET_REMAINING, labels, {(before, ()): budget.remaining / scale})
    spent = inf if budget.consumed_share is None and budget.exhausted else budget.consumed_share
    if spent is not None:
        put(m.BUDGET_SPENT, labels, {(before, ()): spent})
    rates = {burn.window: inf if burn.rate is None and burn.bad > 0 else burn.rate for burn in budget.burns}
    known: dict[tuple[tuple[str, ...], tuple[str, ...]], float] = {
        (before, (window,)): rate for window, rate in rates.items() if rate is not None
    }
    if known:
        put(m.BUDGET_BURN, labels, known)
