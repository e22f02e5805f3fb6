"""Supporting agreements (domain.md §1): the OLA and UC clocks that were missed by the instant of an SLA's breach."""

from __future__ import annotations

from bisect import bisect_right
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

from monitor.core.alerts.alert import SupportingMiss
from monitor.core.clocks.due import due_or_missed_ms, missed_ms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitor.core.agreements.agreement import Agreement
    from monitor.core.clocks.clock_value import Clock
    from monitor.core.clocks.terms import Plan


class _Missed(NamedTuple):
    """A miss: when the promise was broken, under which agreement, and when it was due."""

    at_ms: int
    agreement: Agreement
    due_ms: int


class Misses:
    """When the clocks of one subject under supporting agreements missed their targets.

    They are judged as of the requested instant, without regard to later changes, so the order in which the clocks of a
    subject are brought forward does not matter. Only the last clock of each rule is judged at each call; an earlier one
    is judged once, when the next cycle of its rule has begun. So a thousand breaches of a subject cost a thousand
    judgements, not a million.

    Args:
        clocks: all clocks of the subject; only the last one of each rule may change, and others may be appended.
        plan: the agreements.
    """

    __slots__ = ("_clocks", "_last", "_past", "_plan", "_seen")

    def __init__(self, clocks: Sequence[Clock], plan: Plan) -> None:
        self._clocks = clocks
        self._plan = plan
        self._seen = 0
        self._last: dict[tuple[str, str], int] = {}
        """The place of the last clock of each rule."""
        self._past: dict[tuple[str, str], list[_Missed]] = {}
        """For each rule, the misses of the clocks before its last one, in order, with their agreement."""

    def under(self, clock: Clock, at_ms: int) -> tuple[SupportingMiss, ...]:
        """Return the supporting clocks that had missed their targets by the instant of a clock's breach.

        For a supporting clock with several cycles it is the newest miss: earlier ones were named with earlier breaches.
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
                _, agreement, due_ms = missed
                found.append(SupportingMiss(agreement.id, agreement.version, agreement.kind, rule[1], due_ms))
        return tuple(sorted(found))

    def _look(self) -> None:
        """Take note of the clocks that were appended since the last call."""
        for place in range(self._seen, len(self._clocks)):
            rule = self._clocks[place].series[:2]
            before = self._last.get(rule)
            missed = None if before is None else self._missed(self._clocks[before])
            if missed is not None:
                self._past.setdefault(rule, []).append(missed)
            self._last[rule] = place
        self._seen = len(self._clocks)

    def _before(self, rule: tuple[str, str], at_ms: int, supported: set[str], clock: str) -> _Missed | None:
        past = self._past.get(rule, ())
        for place in range(bisect_right(past, at_ms, key=_instant) - 1, -1, -1):
            if _supports(past[place][1], supported, clock):
                return past[place]
        return None

    def _missed(self, one: Clock) -> _Missed | None:
        terms = self._plan.terms(one)
        if terms is None or not terms.agreement.supports:
            return None
        at_ms = missed_ms(one, terms)
        if at_ms is None:
            return None
        due_ms = due_or_missed_ms(one, terms.calendar)
        return _Missed(at_ms, terms.agreement, at_ms if due_ms is None else due_ms)


_instant = itemgetter(0)


def _supports(agreement: Agreement, supported: set[str], clock: str) -> bool:
    return any(one.agreement in supported and (not one.clocks or clock in one.clocks) for one in agreement.supports)
