"""Clocks: how the facts of a subject start, pause, resume and stop one promise's time (domain.md §3).

    elapsed = measure([start, stop or now) ∩ open hours − ∪ pauses)
    due     = the smallest t with elapsed([start, t)) = budget
    kept    = elapsed <= budget (strict: elapsed < budget)

"Within" is inclusive. A promise is broken at the first instant at which more time than its budget has elapsed (its
*limit*): a millisecond after the due instant or, if the hours close with the due instant, after the next opening. A
target in business days names a time of day, so it is broken a millisecond after its due instant in any case.

A clock is a value; each function returns the next one. A warning (at risk) is due at a *threshold*, an amount of
elapsed business time, so that a pause moves the instant of a warning exactly as it moves the due instant.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from monitor.core.agreements.agreement import Agreement
from monitor.core.agreements.clock_metrics import METRICS, Metric
from monitor.core.agreements.measures import AtRisk, ClockRule
from monitor.core.clocks.clock_value import EXTRAS, NO_DUE, NO_EXTRA, Clock, ClockState, moved, with_extra
from monitor.core.clocks.pauses import with_begun, without_ended
from monitor.core.facts.events import counts_as
from monitor.core.series.series import SeriesKey

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from monitor.core.facts.events import Fact, Value
    from monitor.core.time.calendar import Calendar


class Threshold(NamedTuple):
    """One warning: the elapsed business time at which it is due, and the reason that its alert names."""

    elapsed_ms: int
    reason: str


class Transition(NamedTuple):
    """A clock passed a threshold, given by its index; the index after the last threshold means the breach."""

    threshold: int
    at_ms: int


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms of one clock in an agreement, resolved: looked up once, used for every fact.

    Not a tuple: to read a field of a tuple by its name takes several times as long.
    """

    agreement: Agreement
    rule: ClockRule
    metric: Metric
    budget_ms: int
    calendar_name: str
    calendar: Calendar
    thresholds: tuple[Threshold, ...]
    states: frozenset[str] = frozenset()
    """The ticket states in which the clock runs, if states drive it."""
    is_general: bool = False
    """The clock needs more than the newest fact: the ticket's state, or the ends of capped pauses."""
    limit_ms: int = 0
    """The elapsed time at which the promise is broken: the first that is more than the budget; strict: the budget."""
    by_instant: bool = False
    """The promise names its due instant (business days by HH:MM): it is broken after it, also in closed hours."""
    is_fixed: bool = False
    """The due instant comes with the record, and pauses do not move it: a paused clock is due as well."""


_new: Final[Callable[..., Any]] = tuple.__new__
"""Makes the tuples of the hot path directly: their constructors take three times as long."""


@lru_cache(maxsize=4096)
def thresholds(at_risk: tuple[AtRisk, ...], budget_ms: int) -> tuple[Threshold, ...]:
    """Return the warnings of a budget in the order in which they come due; those outside the budget are left out."""
    found = set()
    for one in at_risk:
        if one.percent:
            found.add(Threshold(int(budget_ms * one.percent / 100), f"elapsed_{one.percent:g}"))
        else:
            found.add(Threshold(budget_ms - one.before_ms, f"before_due_{one.before_ms}"))
    return tuple(sorted(one for one in found if 0 < one.elapsed_ms < budget_ms))


def terms(
    agreement: Agreement,
    rule: ClockRule,
    calendar: str,
    budget_ms: int,
    offset_ms: int = 0,
    *,
    by_instant: bool = False,
) -> Terms:
    """Return the terms of a rule's clock with this calendar and budget.

    With an offset the target began to count at that elapsed time: the warnings are placed in the rest of the budget.
    """
    metric = METRICS[rule.subject][rule.metric]
    warnings = thresholds(rule.at_risk, budget_ms - offset_ms)
    return Terms(
        agreement,
        rule,
        metric,
        budget_ms,
        calendar,
        agreement.calendars[calendar],
        tuple([Threshold(one.elapsed_ms + offset_ms, one.reason) for one in warnings]) if offset_ms else warnings,
        rule.states or metric.states,
        bool(metric.course or rule.pause_caps or rule.due_at),
        budget_ms if rule.strict else budget_ms + 1,
        by_instant or rule.due_at != "",
        rule.due_at != "" and not rule.pauses_move_due,
    )


def start(
    agreement: Agreement, rule: ClockRule, at_ms: int, cycle: int, attributes: dict[str, Value], of: Terms
) -> Clock:
    """Return a running clock on these terms."""
    values = tuple([str(attributes.get(name, "")) for name in rule.by]) if rule.by else ()
    series = _new(SeriesKey, (agreement.id, rule.id, values))
    due_ms = of.calendar.due(at_ms, of.budget_ms)
    next_ms = of.calendar.due(at_ms, of.thresholds[0].elapsed_ms) if of.thresholds else broken_at(at_ms, 0, due_ms, of)
    clock: Clock = _new(
        Clock,
        (
            series, agreement.version, cycle, at_ms, of.budget_ms, of.calendar_name, 0, False,
            "running", at_ms, 0, 0, due_ms, next_ms, 0, 0, [], [], EXTRAS[of.by_instant, rule.counts_late],
        ),
    )  # fmt: skip
    return clock


def apply(clock: Clock, fact: Fact, of: Terms) -> Clock:
    """Return the clock after a fact that is not older than any before it. Precedence: stop > pause > start."""
    kind = fact.type
    if clock.state in ("running", "paused"):
        if kind == "cancelled":
            return halted(clock, fact.time_ms, of, "cancelled")
        if counts_as(fact, of.metric.stop):
            return halted(clock, fact.time_ms, of, "stopped")
        if kind == "paused":
            return paused(clock, fact, of)
        if kind == "resumed" and (clock.state == "paused" or of.rule.pause_caps):
            return _resumed(clock, fact, of)
    elif clock.state == "stopped" and kind in of.metric.restart and of.rule.cycles == "sum":
        # The stop ended the announcements: a threshold that is passed by now is announced again, under a new id.
        return reopened(clock, fact.time_ms, of)
    return clock


def reopened(clock: Clock, at_ms: int, of: Terms) -> Clock:
    """Return a stopped clock that goes on with its old budget; the metric's ``gap`` decides about the time since."""
    anew = clock._replace(ordinal=clock.ordinal + 1, told=0, breached_ms=0)
    if clock.breached_ms:
        anew = with_extra(anew, ended=(clock.extra or NO_EXTRA).ended + 1)
    if of.metric.gap == "counted":
        elapsed_ms = clock.elapsed_ms + of.calendar.elapsed(clock.stop_ms, at_ms)
        anew = anew._replace(elapsed_ms=elapsed_ms, runs=[*clock.runs, clock.stop_ms, at_ms])
    elif of.metric.gap == "left_out":
        outside_ms = (clock.extra or NO_EXTRA).outside_ms
        anew = with_extra(anew, outside_ms=outside_ms + at_ms - clock.stop_ms)
    return run_from(anew, at_ms, of)


def started_late(clock: Clock, before: Sequence[Fact], of: Terms) -> Clock:
    """Return a clock that has just started, with the facts before its start applied to it.

    A stop that is older than the start comes from a skewed clock: the duration is 0 and flagged, never negative, and
    the clock does not count as still running. A pause that is still open holds the clock from its start on.
    """
    for fact in before if of.metric.early_stop else ():
        if counts_as(fact, of.metric.stop):
            stopped = halted(clock, clock.start_ms, of, "stopped")
            return stopped._replace(flagged=fact.time_ms < clock.start_ms)
    for fact in before:
        if fact.type in ("paused", "resumed"):
            clock = apply(clock, fact._replace(time_ms=clock.start_ms), of)
    return clock


def passed(clock: Clock, until_ms: int, of: Terms) -> tuple[Clock, list[Transition]]:
    """Return the clock after all thresholds up to and including an instant, and the transitions to announce."""
    found: list[Transition] = []
    while clock.state == "paused" and 0 < clock.next_ms <= until_ms and not of.is_fixed:
        clock = _pause_spent(clock, clock.next_ms, of)
    told, breached_ms, next_ms = clock.told, clock.breached_ms, clock.next_ms
    while next_ms and next_ms <= until_ms:
        found.append(Transition(told, next_ms))
        if told < len(of.thresholds):
            told += 1
            next_ms = next_at(clock, clock.since_ms, clock.elapsed_ms, clock.due_ms, told, of)
        else:
            breached_ms, next_ms = next_ms, 0
    after = moved(
        clock, clock.state, clock.since_ms, clock.elapsed_ms, clock.stop_ms, clock.due_ms, next_ms, told, breached_ms,
        clock.runs, clock.pauses,
    )  # fmt: skip
    return after, found


def told_until_ms(clock: Clock, of: Terms) -> int:
    """Return the instant of the last threshold that was announced for a clock that has a due instant."""
    if clock.breached_ms:
        return broken_at(clock.since_ms, clock.elapsed_ms, clock.due_ms, of)
    return next_at(clock, clock.since_ms, clock.elapsed_ms, clock.due_ms, clock.told - 1, of)


def elapsed_at(clock: Clock, now_ms: int, calendar: Calendar) -> int:
    """Return the business time that has elapsed at an instant."""
    if clock.state != "running":
        return clock.elapsed_ms
    return clock.elapsed_ms + calendar.elapsed(clock.since_ms, max(now_ms, clock.since_ms))


def calendar_at(clock: Clock, at_ms: int, of: Terms) -> Calendar:
    """Return the calendar in which a clock counted at an instant: a change of priority may have changed it."""
    for former in clock.extra.former if clock.extra else ():
        if at_ms < former.until_ms:
            return of.agreement.calendars[former.calendar]
    return of.calendar


def wall_at(clock: Clock, at_ms: int, of: Terms) -> int:
    """Return the wall-clock time of a clock from its start to its stop or, while it is open, to an instant."""
    end_ms = at_ms if clock.state in {"running", "paused"} else clock.stop_ms
    if of.metric.course == "states":
        return ran_ms(clock) + (max(0, end_ms - clock.since_ms) if clock.state == "running" else 0)
    return max(0, end_ms - clock.start_ms - (clock.extra or NO_EXTRA).outside_ms)


def runs_until(clock: Clock, now_ms: int) -> list[tuple[int, int]]:
    """Return the stretches ``(from_ms, to_ms)`` in which a clock ran; the one in which it still runs goes up to now."""
    closed = clock.runs
    runs = list(zip(closed[::2], closed[1::2], strict=True)) if closed else []
    if clock.state == "running":
        runs.append((clock.since_ms, max(now_ms, clock.since_ms)))
    return runs


def ran_ms(clock: Clock) -> int:
    """Return the wall-clock time of the closed stretches in which a clock ran."""
    return sum(clock.runs[1::2]) - sum(clock.runs[::2])


def is_undated(clock: Clock) -> bool:
    """Return whether a clock has no due instant, because none came with the record: it is neither met nor breached."""
    return clock.extra is not None and clock.extra.due_at_ms == NO_DUE


def is_breached(clock: Clock) -> bool:
    """Return whether a stopped clock is breached: that was announced, since time is passed before a stop is applied."""
    return clock.breached_ms != 0


def run_from(clock: Clock, at_ms: int, of: Terms) -> Clock:
    """Return the clock running (again) from an instant on."""
    if of.rule.due_at:
        due_ms = due_from(clock, at_ms, of)
    else:
        due_ms = of.calendar.due(at_ms, max(0, clock.budget_ms - clock.elapsed_ms))
    is_told = clock.breached_ms or not due_ms
    next_ms = 0 if is_told else next_at(clock, at_ms, clock.elapsed_ms, due_ms, clock.told, of)
    return moved(
        clock, "running", at_ms, clock.elapsed_ms, 0, due_ms, next_ms, clock.told, clock.breached_ms, clock.runs, []
    )


def due_from(clock: Clock, since_ms: int, of: Terms) -> int:
    """Return the due instant of the record for a clock that runs since an instant; 0: the record has none.

    If pauses move it, it is later by their open time.
    """
    due_ms = clock.extra.due_at_ms if clock.extra else NO_DUE
    if due_ms == NO_DUE:
        return 0
    if of.is_fixed:
        return due_ms
    return of.calendar.due(due_ms, of.calendar.elapsed(clock.start_ms, since_ms) - clock.elapsed_ms)


def next_at(clock: Clock, since_ms: int, elapsed_ms: int, due_ms: int, told: int, of: Terms) -> int:
    """Return when a clock's next threshold is passed; ``since_ms`` if its elapsed time is reached already.

    The warnings before a fixed due instant are fixed as well.
    """
    if told == len(of.thresholds):
        return broken_at(since_ms, elapsed_ms, due_ms, of)
    if of.is_fixed:
        return max(since_ms, of.calendar.due(clock.start_ms, of.thresholds[told].elapsed_ms))
    return of.calendar.due(since_ms, max(0, of.thresholds[told].elapsed_ms - elapsed_ms))


def broken_at(since_ms: int, elapsed_ms: int, due_ms: int, of: Terms) -> int:
    """Return the first instant at which the promise of a clock that runs since an instant is broken."""
    if of.by_instant and (of.rule.due_at or elapsed_ms <= of.budget_ms):
        return max(since_ms, due_ms + of.limit_ms - of.budget_ms)
    return of.calendar.due(since_ms, max(0, of.limit_ms - elapsed_ms))


def run_closed(clock: Clock, at_ms: int, of: Terms) -> tuple[int, list[int]]:
    """Return the time elapsed up to an instant, and all stretches in which the clock ran until then."""
    if clock.state != "running":
        return clock.elapsed_ms, clock.runs
    since_ms = clock.since_ms
    return clock.elapsed_ms + of.calendar.elapsed(since_ms, at_ms), [*clock.runs, since_ms, at_ms]


def halted(clock: Clock, at_ms: int, of: Terms, state: ClockState) -> Clock:
    """Return an open clock after its end, stopped or cancelled."""
    elapsed_ms, runs = run_closed(clock, at_ms, of)
    if clock.extra and (clock.extra.caps or clock.extra.spent):
        clock = with_extra(clock, caps=[], spent=[])
    return moved(
        clock, state, clock.since_ms, elapsed_ms, at_ms, 0, 0, clock.told, clock.breached_ms, runs, []
    )  # fmt: skip


def paused(clock: Clock, fact: Fact, of: Terms) -> Clock:
    """Return an open clock under one more pause, if its reason counts."""
    reason = str(fact.attributes.get("reason", ""))
    pauses = with_begun(clock.pauses, reason, of.rule.pause_on)
    if pauses is None:
        return clock
    due_ms, next_ms = (clock.due_ms, clock.next_ms) if of.is_fixed else (0, 0)
    if of.rule.pause_caps:
        extra = clock.extra or NO_EXTRA
        if reason in extra.spent:
            return clock
        cap_ms = of.rule.pause_caps.get(reason, 0)
        caps = [*extra.caps, fact.time_ms + cap_ms if cap_ms else 0]
        clock, next_ms = with_extra(clock, caps=caps), _first_of(caps)
    elapsed_ms, runs = run_closed(clock, fact.time_ms, of)
    return moved(
        clock, "paused", clock.since_ms, elapsed_ms, 0, due_ms, next_ms, clock.told, clock.breached_ms, runs, pauses
    )  # fmt: skip


def _first_of(caps: Sequence[int]) -> int:
    """Return the first instant at which a pause ceases to count; 0: never."""
    return min([one for one in caps if one], default=0)


def _pause_spent(clock: Clock, at_ms: int, of: Terms) -> Clock:
    """Return a paused clock at an instant at which pauses reach their cap: these pauses no longer count."""
    extra = clock.extra or NO_EXTRA
    left = [(reason, end) for reason, end in zip(clock.pauses, extra.caps, strict=True) if end != at_ms]
    spent = [reason for reason, end in zip(clock.pauses, extra.caps, strict=True) if end == at_ms]
    caps = [end for _, end in left]
    clock = with_extra(clock, caps=caps, spent=[*extra.spent, *spent])
    if not left:
        return run_from(clock, at_ms, of)
    pauses = [reason for reason, _ in left]
    return clock._replace(since_ms=at_ms, next_ms=_first_of(caps), pauses=pauses)


def _resumed(clock: Clock, fact: Fact, of: Terms) -> Clock:
    """Return the clock after the end of a pause: it runs again if no other is open."""
    reason = str(fact.attributes.get("reason", ""))
    left = without_ended(clock.pauses, reason, of.rule.pause_on)
    if left is None:
        return clock
    if of.rule.pause_caps:
        return _resumed_capped(clock, fact.time_ms, reason, left, of)
    if left:
        return clock._replace(pauses=left)
    return run_from(clock, fact.time_ms, of)


def _resumed_capped(clock: Clock, at_ms: int, reason: str, left: list[str], of: Terms) -> Clock:
    extra = clock.extra or NO_EXTRA
    if reason and reason in extra.spent:
        return with_extra(clock, spent=[one for one in extra.spent if one != reason])
    spent = extra.spent if reason and reason in clock.pauses else []
    caps = [end for one, end in zip(clock.pauses, extra.caps, strict=True) if one in left]
    clock = with_extra(clock, caps=caps, spent=spent)
    if left:
        return clock._replace(pauses=left, next_ms=_first_of(caps))
    return clock if clock.state == "running" else run_from(clock, at_ms, of)
