"""Supporting agreements (domain.md §1): which OLA or UC was missed under a breach, and whether their budgets fit."""

from __future__ import annotations

from bisect import bisect_right
from operator import itemgetter
from typing import TYPE_CHECKING, Final, NamedTuple

from monitor.core.alerts import SupportingMiss
from monitor.core.clock import due_or_missed_ms
from monitor.core.measures import ANY, HOUR_MS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from monitor.core.agreement import Agreement
    from monitor.core.measures import Budget, ClockRule
    from monitor.core.plan import Plan
    from monitor.core.rows import Clock
    from monitor.core.timeline import Span


class Misses:
    """When the clocks of one subject missed their targets, as far as their agreements support others.

    They are judged as of the instant that is asked for, whatever they have been through since: the order in which the
    clocks of a subject are brought forward changes nothing. Each clock is looked at once when the next cycle of its
    rule has begun; until then each time. So a thousand breaches of a subject cost a thousand looks, not a million.

    Args:
        clocks: all clocks of the subject; of each rule only the last one may change, others may be appended.
        plan: the agreements.
    """

    __slots__ = ("_clocks", "_last", "_past", "_plan", "_seen")

    def __init__(self, clocks: Sequence[Clock], plan: Plan) -> None:
        self._clocks = clocks
        self._plan = plan
        self._seen = 0
        self._last: dict[tuple[str, str], int] = {}
        """The place of the last clock of each rule."""
        self._past: dict[tuple[str, str], list[tuple[int, Agreement]]] = {}
        """The misses of the clocks before that one, in their order, and who had promised."""

    def under(self, clock: Clock, at_ms: int) -> tuple[SupportingMiss, ...]:
        """Return what supporting agreements had missed at the instant of a clock's breach.

        Of a clock with several cycles the newest miss tells: the earlier ones were told with the breaches before.
        """
        of = self._plan.terms(clock)
        if of is None or not self._plan.book.supporting(of.agreement):
            return ()
        self._look()
        supported = {of.agreement.id, *of.agreement.lineage}
        found = []
        for rule, place in self._last.items():
            missed = self._missed(self._clocks[place])
            if missed is None or missed[0] > at_ms or not _supports(missed[1], supported, of.rule.id):
                missed = self._before(rule, at_ms, supported, of.rule.id)
            if missed is not None:
                missed_ms, agreement = missed
                found.append(SupportingMiss(agreement.id, agreement.version, agreement.kind, rule[1], missed_ms))
        return tuple(sorted(found))

    def _look(self) -> None:
        """Take note of the clocks that have come since."""
        for place in range(self._seen, len(self._clocks)):
            rule = self._clocks[place].series[:2]
            before = self._last.get(rule)
            missed = None if before is None else self._missed(self._clocks[before])
            if missed is not None:
                self._past.setdefault(rule, []).append(missed)
            self._last[rule] = place
        self._seen = len(self._clocks)

    def _before(
        self, rule: tuple[str, str], at_ms: int, supported: set[str], clock: str
    ) -> tuple[int, Agreement] | None:
        past = self._past.get(rule, ())
        for place in range(bisect_right(past, at_ms, key=_missed_ms) - 1, -1, -1):
            if _supports(past[place][1], supported, clock):
                return past[place]
        return None

    def _missed(self, one: Clock) -> tuple[int, Agreement] | None:
        terms = self._plan.terms(one)
        if terms is None or not terms.agreement.supports:
            return None
        missed_ms = due_or_missed_ms(one, terms.calendar)
        return None if missed_ms < 0 else (missed_ms, terms.agreement)


_missed_ms = itemgetter(0)


def _supports(agreement: Agreement, supported: set[str], clock: str) -> bool:
    return any(one.agreement in supported and (not one.clocks or clock in one.clocks) for one in agreement.supports)


_YEAR_MS: Final = 366 * 24 * HOUR_MS


class TooLong(NamedTuple):
    """The supporting agreements of an SLA have more time together than it has itself for a priority.

    Budgets count the open hours of each one's own calendar; ``same_hours`` tells whether those are the same ones.
    """

    sla: str
    clock: str
    priority: str
    budget_ms: int
    supporting_ms: int
    supporting: tuple[str, ...]
    same_hours: bool


def too_long(agreements: Iterable[Agreement]) -> list[TooLong]:
    """Return where the budgets of supporting agreements add up to more than that of the clock they support.

    Of a supporting agreement with several clocks the longest counts: the clocks of one team run side by side. One that
    names no clock is compared with the longest of the SLA. The newest version of each agreement counts; drafts do not.
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
        for rule in sla.clocks:
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
        own = [other for clock in one.clocks if (other := _budget(clock, priority)) is not None]
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
    """Return the open hours of a year in which a budget counts: what tells calendars apart."""
    return agreement.calendars[budget.calendar].open_spans(from_ms, from_ms + _YEAR_MS)


def _budget(rule: ClockRule, priority: str) -> Budget | None:
    return rule.budgets.get(ANY) if priority == ANY else rule.budget(priority)
