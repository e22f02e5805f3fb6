"""Facts that rewrite what clocks counted before them, so that statements hold what was known when their periods closed.

A ticket that is cancelled in May no longer counts as breached in March; another priority may judge a stop of March
anew; a reopened clock takes its stop back. The statement of March was made before, by a worker that was there. A worker
that catches up folds all facts first, so it must leave out what became known after the close. For each fact that
rewrites (`Rewriting`), `standing` keeps the number of overdue clocks as it was known at each instant, and `left_out`
says what the statements of periods that had closed leave out. Both follow from the ledger alone.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final, NamedTuple

from monitor.core.clocks.clock import passed
from monitor.core.clocks.counts import shares_of
from monitor.core.clocks.terms import RESTARTS
from monitor.core.series.series import Change
from monitor.core.subjects.late import Late
from monitor.core.time.periods import window_span

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from monitor.core.clocks.clock_value import Clock
    from monitor.core.clocks.terms import Plan
    from monitor.core.facts.events import Fact, Subject, Value
    from monitor.core.series.retention import Closing

_IN: Final = "overdue_in"
_OUT: Final = "overdue_out"
_OVERDUE: Final = (("overdue", 1),)


class Rewriting(NamedTuple):
    """A fact that changed what clocks had counted at instants before it."""

    at_ms: int
    """The instant of the fact."""
    was: tuple[Change, ...]
    """Shares that no longer hold: known up to the fact."""
    now: tuple[Change, ...]
    """Shares that hold in their place, but were not known before the fact."""

    def signed(self) -> Iterator[tuple[Change, int]]:
        """Yield the shares with 1 if they were known before the fact, or -1 if they were not yet."""
        for one in self.was:
            yield one, 1
        for one in self.now:
            yield one, -1


def counted(clocks: Iterable[Clock], plan: Plan) -> list[Change]:
    """Return the changes of clocks in their series. Of clocks that count by their last cycle the others have none."""
    clocks = list(clocks)
    shown: list[Change] = []
    last = {clock.series[:2]: clock.cycle for clock in clocks}
    for clock in clocks:
        if clock.cycle != last[clock.series[:2]]:
            of = plan.terms(clock)
            if of is not None and of.rule.cycles == "last":
                continue
        shown += shares_of(clock)
    return shown


def as_of(clocks: Iterable[Clock], at_ms: int, plan: Plan) -> list[Clock]:
    """Return clocks with the thresholds passed up to an instant; nothing is announced."""
    found = []
    for clock in clocks:
        of = plan.terms(clock) if clock.next_ms and clock.next_ms <= at_ms else None
        found.append(clock if of is None else passed(clock, at_ms, of)[0])
    return found


def may_rewrite(subject: Subject, facts: Sequence[Fact], plan: Plan) -> bool:
    """Return whether any of these facts may change what clocks counted before it."""
    restarts, dated, deciding = RESTARTS[subject], plan.dated[subject], plan.book.deciding
    known: dict[str, Value] = {}
    for place, fact in enumerate(facts):
        brought = fact.attributes
        if fact.type == "cancelled" or fact.type in restarts or not dated.isdisjoint(brought):
            return True
        if place and any(name in deciding and known.get(name) != value for name, value in brought.items()):
            return True
        known.update(brought)
    return False


def rewritten(at_ms: int, before: Iterable[Clock], after: Iterable[Clock], plan: Plan) -> list[Rewriting]:
    """Return what a fact rewrote, given the clocks just before and after it: nothing, or one."""
    was, now = (Counter(one for one in counted(clocks, plan) if 0 <= one.at_ms < at_ms) for clocks in (before, after))
    if was == now:
        return []
    return [Rewriting(at_ms, tuple((was - now).elements()), tuple((now - was).elements()))]


def standing(all_of: Iterable[Rewriting]) -> list[Change]:
    """Return the changes by which the number of overdue clocks at each instant stays as it was known then."""
    found: list[Change] = []
    for one in all_of:
        for change, sign in one.signed():
            names = dict(change.counts)
            for name, times in ((_IN, sign), (_OUT, -sign)):
                if name in names:
                    found.append(Change(change.series, change.at_ms, ((name, 1),), times=sign))
                    found.append(Change(change.series, one.at_ms, ((_OUT, 1),), times=times))
    return found


def left_out(all_of: Iterable[Rewriting], subject: Subject, plan: Plan) -> list[Late]:
    """Return what the statements of closed periods leave out of the counts as they are now."""
    found: list[Late] = []
    for one in all_of:
        for agreement_id, measure_id, closing in plan.clock_closings(subject):
            shares = [pair for pair in one.signed() if pair[0].series[:2] == (agreement_id, measure_id)]
            if not shares:
                continue
            found += _of_stops(shares, one.at_ms, closing)
            found += _of_ends(shares, _ends(one.at_ms, closing, plan, agreement_id, measure_id), closing)
    return found


def _of_stops(shares: Sequence[tuple[Change, int]], at_ms: int, closing: Closing) -> Iterator[Late]:
    """Yield the stops that a period had, or had not yet, when it closed before the fact."""
    for change, sign in shares:
        counts = tuple([count for count in change.counts if count[0] not in (_IN, _OUT)])
        if counts and closing.close_ms(window_span(closing.window, closing.zone, change.at_ms)) <= at_ms:
            yield Late(closing.window, change._replace(counts=counts, times=-sign))


def _of_ends(shares: Sequence[tuple[Change, int]], ends: Sequence[int], closing: Closing) -> Iterator[Late]:
    """Yield the clocks that were overdue at the end of a period and at its close, by the fact, are not."""
    for end_ms in ends:
        for change, sign in shares:
            names = dict(change.counts)
            if change.at_ms < end_ms and (_IN in names or _OUT in names):
                times = sign if _IN in names else -sign
                yield Late(closing.window, Change(change.series, end_ms - 1, _OVERDUE, times=times))


def _ends(at_ms: int, closing: Closing, plan: Plan, agreement_id: str, measure_id: str) -> list[int]:
    """Return the ends of periods, and of their parts, that lie before a fact and are stated after it."""
    found = set()
    slices = plan.slices(agreement_id, measure_id)
    cuts = slices.cuts_ms if slices is not None else ()
    span = window_span(closing.window, closing.zone, at_ms)
    while closing.close_ms(span) > at_ms:
        found |= {end_ms for end_ms in (span.end_ms, *cuts) if span.start_ms < end_ms <= min(span.end_ms, at_ms)}
        span = window_span(closing.window, closing.zone, span.start_ms - 1)
    return sorted(found)
