"""Supporting agreements whose budgets are longer than those of the agreement that they support (domain.md §1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from monitor.core.agreements.measures import ANY
from monitor.core.time.units import DAY_MS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from monitor.core.agreements.agreement import Agreement
if TYPE_CHECKING:
    from monitor.core.agreements.agreement import Agreement
if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitor.core.agreements.agreement import Agreement
    from monitor.core.agreements.measures import Budget, ClockRule
if TYPE_CHECKING:
    from monitor.core.agreements.agreement import Agreement
    from monitor.core.agreements.measures import Budget
    from monitor.core.time.spans import Span
if TYPE_CHECKING:
    from monitor.core.agreements.measures import Budget, ClockRule


_YEAR_MS: Final = 366 * DAY_MS


class TooLong(NamedTuple):
    """A finding: for a priority, the budgets of an SLA's supporting agreements together exceed the SLA's own budget.

    Each budget counts the open hours of its own calendar; ``same_hours`` is whether these hours are the same.
    """

    sla: str
    clock: str
    priority: str
    budget_ms: int
    supporting_ms: int
    supporting: tuple[str, ...]
    same_hours: bool


def too_long(agreements: Iterable[Agreement]) -> list[TooLong]:
    """Return the clocks of SLAs whose budget is exceeded by the sum of their supporting agreements' budgets.

    Of a supporting agreement with several clocks the longest budget counts: the clocks of one team run side by side. A
    supporting agreement that names no clock is compared with the SLA's longest clock. The newest accepted version of
    each agreement counts.
    """
    newest: dict[str, Agreement] = {}
    for one in sorted(agreements, key=lambda one: (one.id, one.valid_from_ms, one.version)):
        if one.status == "accepted":
            newest[one.id] = one
    found = []
    for sla in newest.values():
        supporting = [one for one in newest.values() if _supports_any(one, sla)]
        if not supporting:
            continue
        for rule in [one for one in sla.clocks if not one.due_at]:
            meant = dict(rule.where.any_of).get("priority")
            for priority in sorted(rule.budgets if meant is None else meant):
                budget = rule.budgets.get(ANY) if priority == ANY else rule.budget(priority)
                told = None if budget is None else _compared(sla, rule, priority, budget, supporting)
                if told is not None:
                    found.append(told)
    return found


def _supports_any(one: Agreement, sla: Agreement) -> bool:
    return any(support.agreement in (sla.id, *sla.lineage) for support in one.supports)


def _compared(
    sla: Agreement, rule: ClockRule, priority: str, budget: Budget, supporting: Sequence[Agreement]
) -> TooLong | None:
    ids = (sla.id, *sla.lineage)
    longest = max((one.budget(priority) or budget).budget_ms for one in sla.clocks)
    budgets: dict[str, tuple[Budget, Agreement]] = {}
    for one in supporting:
        named = {clock for support in one.supports if support.agreement in ids for clock in support.clocks}
        if rule.id not in named and (named or budget.budget_ms < longest):
            continue
        own = [other for clock in one.clocks if not clock.due_at and (other := _budget(clock, priority)) is not None]
        if own:
            budgets[one.id] = max(own), one
    total_ms = sum(own.budget_ms for own, _ in budgets.values())
    if total_ms <= budget.budget_ms:
        return None
    from_ms = max(sla.valid_from_ms, *(one.valid_from_ms for _, one in budgets.values()))
    hours = _hours(sla, budget, from_ms)
    same = all(_hours(one, own, from_ms) == hours for own, one in budgets.values())
    return TooLong(sla.id, rule.id, priority, budget.budget_ms, total_ms, tuple(sorted(budgets)), same)


def _hours(agreement: Agreement, budget: Budget, from_ms: int) -> list[Span]:
    """Return the open hours of a year in which a budget counts, to compare calendars."""
    return agreement.calendars[budget.calendar].open_spans(from_ms, from_ms + _YEAR_MS)


def _budget(rule: ClockRule, priority: str) -> Budget | None:
    return rule.budgets.get(ANY) if priority == ANY else rule.budget(priority)
