"""What became known of a subject only after a period had closed, so that its statement can leave it out.

A statement holds what was known when its period closed. A worker that catches up folds days at once, and its panes
hold later facts too: a call of a quarter hour that ended an hour later, a lead that was won. So whatever a call, an
outage or a lead counts for differently since the close of a period goes, beside its pane, into a *late* pane of the
window; the evaluator takes it out of the statement (`monitor.core.windows.panes`). Which that is follows from the
subject's ledger: the difference between its counts now and its counts by the facts up to the close.
"""

from __future__ import annotations

from bisect import bisect_left
from math import inf
from typing import TYPE_CHECKING, Final, NamedTuple

from monitor.core.facts.ledger import attributes_of
from monitor.core.kinds import COUNTED
from monitor.core.series.series import LIVE, Change, SeriesKey
from monitor.core.time.periods import window_span

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from monitor.core.clocks.terms import Plan
    from monitor.core.facts.events import Fact, Subject, Value
    from monitor.core.series.retention import Closing
    from monitor.core.time.windows import Window


Measured = tuple[str, str]
"""An agreement and a measure of it, by their ids."""
_BY_TIME: Final = frozenset({"waiting_beyond", "lost", "depth_leads"})


class Late(NamedTuple):
    """A change of counts that a statement of a window leaves out: the change of the late pane."""

    window: Window
    change: Change


class Known(NamedTuple):
    """What is known of a subject: its ledger, its contributions, and when they next change by themselves (0: never)."""

    facts: Sequence[Fact]
    shown: Sequence[Change]
    next_ms: int


def by_time_alone(shown: Iterable[Change]) -> bool:
    """Return whether contributions hold a count that no fact brought: somebody waited for too long."""
    return any(name in _BY_TIME for change in shown for name, _ in change.counts)


def contributions(
    subject: Subject,
    subject_id: str,
    facts: Sequence[Fact],
    attributes: Mapping[str, Value],
    plan: Plan,
    now_ms: int,
    of: Measured | None = None,
) -> tuple[list[Change], int]:
    """Return what a call, outage or lead counts in its series at an instant, and when that changes by itself.

    With ``of`` only what it counts for that measure of that agreement.
    """
    counted = COUNTED[subject]
    shown: list[Change] = []
    wake_ms = 0
    story = counted.story_of(facts)
    for agreement in plan.book.in_force(attributes, facts[0].time_ms):
        if of is not None and agreement.id != of[0]:
            continue
        for rule in counted.rules(agreement):
            if (of is not None and rule.id != of[1]) or not rule.where.matches(attributes):
                continue
            values = tuple([str(attributes.get(name, "")) for name in rule.by])
            series = SeriesKey(agreement.id, rule.id, values)
            changes, at_ms = counted.changes(subject_id, facts, attributes, rule, agreement, series, now_ms, story)
            shown.extend(changes)
            wake_ms = min(wake_ms or at_ms, at_ms or wake_ms)
    return shown, wake_ms


class Past:
    """What a subject counted at instants of the past, by the facts before them. Instants that saw the same share it.

    ``facts`` is its ledger, ordered.
    """

    def __init__(self, subject: Subject, subject_id: str, facts: Sequence[Fact], plan: Plan) -> None:
        self._of = subject, subject_id
        self._facts = facts
        self._plan = plan
        self._times = [fact.time_ms for fact in facts]
        self._seen: dict[tuple[Measured, int], list[tuple[int, float, list[Change]]]] = {}
        self._attributes: dict[int, Mapping[str, Value]] = {}

    def changes(self, of: Measured, before_ms: int, known: int) -> Sequence[Change]:
        """Return what it counted for a measure just before an instant, by those of its first ``known`` facts."""
        at_ms = before_ms - 1
        count = min(bisect_left(self._times, before_ms), known)
        if not count:
            return ()
        seen = self._seen.setdefault((of, count), [])
        for from_ms, until_ms, changes in seen:
            if from_ms <= at_ms < until_ms:
                return changes
        facts = self._facts[:count]
        attributes = self._attributes.get(count)
        if attributes is None:
            attributes = self._attributes[count] = attributes_of(facts)
        found, wake_ms = contributions(*self._of, facts, attributes, self._plan, at_ms, of)
        seen.append((at_ms, wake_ms or inf, found))
        return found


def late_changes(subject: Subject, known: Known, plan: Plan, past: Past, now_ms: int) -> list[Late]:
    """Return what a subject counts for differently since the closes of the periods in which it counts.

    The facts that are ``known`` are the first of those of its ``past``; they were known, and what it counts worked out,
    no later than ``now_ms``.
    """
    found: list[Late] = []
    since_ms = max(now_ms, known.facts[-1].time_ms)
    instants = sorted({fact.time_ms for fact in known.facts} | {one.at_ms for one in known.shown if one.at_ms != LIVE})
    for agreement_id, measure_id, closing in plan.closings(subject):
        for span_start_ms, span_end_ms, close_ms in _periods(closing, instants):
            if known.next_ms and known.next_ms < close_ms:
                continue  # it is not known yet what was known then
            if close_ms > since_ms:
                continue  # it has not closed: until then it counts for what it counts for now
            of = agreement_id, measure_id
            counted = past.changes(of, close_ms, len(known.facts))
            now, then = (_counts(changes, of, span_start_ms, span_end_ms) for changes in (known.shown, counted))
            if now != then:
                found += [Late(closing.window, one) for one in now]
                found += [Late(closing.window, one.undone()) for one in then]
    return found


def _periods(closing: Closing, instants: Iterable[int]) -> Iterable[tuple[int, int, int]]:
    """Return the periods that hold one of the instants: start, end, close."""
    found = {}
    for at_ms in instants:
        span = window_span(closing.window, closing.zone, at_ms)
        found[span.start_ms] = span.start_ms, span.end_ms, closing.close_ms(span)
    return found.values()


def _counts(changes: Iterable[Change], of: Measured, from_ms: int, to_ms: int) -> list[Change]:
    return [
        one._replace(call=None, outage=None)
        for one in changes
        if from_ms <= one.at_ms < to_ms and one.series[:2] == of and (one.counts or one.value_ms >= 0)
    ]
