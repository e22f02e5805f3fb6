"""Clocks: how the facts of a subject start, pause, resume and stop one promise's time (domain.md §3).

    elapsed = measure([start, stop or now) ∩ open hours − ∪ pauses)
    due     = the smallest t with elapsed([start, t)) = budget;   breached when now >= due

A clock is a value; each function returns the next one. What is at risk is told by *thresholds*: business time elapsed
at which a warning is due, so that a pause moves the instant of a warning exactly as it moves the due instant.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from monitor.core.agreement import Agreement
from monitor.core.measures import METRICS, AtRisk, ClockRule, Metric
from monitor.core.rows import Clock, ClockState, moved
from monitor.core.series import SeriesKey

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from monitor.core.calendar import Calendar
    from monitor.core.events import Fact, Value


class Threshold(NamedTuple):
    """One warning: the business time after which it is due, and the reason that is told."""

    elapsed_ms: int
    reason: str


class Transition(NamedTuple):
    """A clock got past a threshold; a number behind that of the last threshold means the breach."""

    threshold: int
    at_ms: int


class Terms(NamedTuple):
    """What an agreement says of one clock, resolved: looked up once, used for every fact."""

    agreement: Agreement
    rule: ClockRule
    metric: Metric
    budget_ms: int
    calendar_name: str
    calendar: Calendar
    thresholds: tuple[Threshold, ...]


_new: Final[Callable[..., Any]] = tuple.__new__
"""Makes the tuples of the hot path directly: their constructors take three times as long."""


@lru_cache(maxsize=4096)
def thresholds(at_risk: tuple[AtRisk, ...], budget_ms: int) -> tuple[Threshold, ...]:
    """Return the warnings of a budget in the order in which they come; those outside of it are left out."""
    found = set()
    for one in at_risk:
        if one.percent:
            found.add(Threshold(int(budget_ms * one.percent / 100), f"elapsed_{one.percent:g}"))
        else:
            found.add(Threshold(budget_ms - one.before_ms, f"before_due_{one.before_ms}"))
    return tuple(sorted(one for one in found if 0 < one.elapsed_ms < budget_ms))


def terms(agreement: Agreement, rule: ClockRule, calendar: str, budget_ms: int) -> Terms:
    """Return what holds for the clock of a rule with this calendar and budget."""
    return Terms(
        agreement,
        rule,
        METRICS[rule.subject][rule.metric],
        budget_ms,
        calendar,
        agreement.calendars[calendar],
        thresholds(rule.at_risk, budget_ms),
    )


def start(
    agreement: Agreement, rule: ClockRule, at_ms: int, cycle: int, attributes: dict[str, Value], of: Terms
) -> Clock:
    """Return a running clock on these terms."""
    values = tuple([str(attributes.get(name, "")) for name in rule.by])
    series = _new(SeriesKey, (agreement.id, rule.id, values))
    due_ms = of.calendar.due(at_ms, of.budget_ms)
    next_ms = of.calendar.due(at_ms, of.thresholds[0].elapsed_ms) if of.thresholds else due_ms
    clock: Clock = _new(
        Clock,
        (
            series, agreement.version, cycle, at_ms, of.budget_ms, of.calendar_name, 0, False,
            "running", at_ms, 0, 0, due_ms, next_ms, 0, 0, [], [],
        ),
    )  # fmt: skip
    return clock


def counts_as(fact: Fact, types: frozenset[str]) -> bool:
    """Return whether a fact is one of these types and, as an answer, counts.

    Internal notes and automatic replies are no responses (domain.md §2), automatic attempts do not reach a lead (§6). A
    restoration that leaves anybody affected is one step of a stepwise one (§5): work on the repair, but not its end.
    """
    if fact.type not in types:
        return False
    if fact.type == "restored" and "responded" not in types:
        left = (fact.attributes.get("weight", 0), fact.attributes.get("customers_affected", 0))
        return not any(isinstance(one, int | float) and one > 0 for one in left)
    return fact.type not in {"responded", "attempted"} or (
        fact.attributes.get("public") is not False and fact.attributes.get("automatic") is not True
    )


def apply(clock: Clock, fact: Fact, of: Terms) -> Clock:
    """Return the clock after a fact that is not older than any before it. Precedence: stop > pause > start."""
    kind = fact.type
    if clock.state in ("running", "paused"):
        if kind == "cancelled":
            return _halted(clock, fact.time_ms, of, "cancelled")
        if counts_as(fact, of.metric.stop):
            return _halted(clock, fact.time_ms, of, "stopped")
        if kind == "paused":
            return _paused(clock, fact, of)
        if kind == "resumed" and clock.state == "paused":
            return _resumed(clock, fact, of)
    elif clock.state == "stopped" and kind in of.metric.restart and of.rule.cycles == "sum":
        # What was announced has ended with the stop: what is over by now is told once more, under new ids.
        anew = clock._replace(ordinal=clock.ordinal + 1, told=0, breached_ms=0)
        return _run_from(anew, fact.time_ms, of)
    return clock


def started_late(clock: Clock, before: Sequence[Fact], of: Terms) -> Clock:
    """Return a clock that has just started, as the facts with an earlier time leave it.

    A stop that is older than its start is the work of a skewed clock: the duration is 0 and flagged, never negative
    and never counted as still running. A pause that is still open holds from the start on.
    """
    for fact in before if of.metric.early_stop else ():
        if counts_as(fact, of.metric.stop):
            halted = _halted(clock, clock.start_ms, of, "stopped")
            return halted._replace(flagged=fact.time_ms < clock.start_ms)
    for fact in before:
        if fact.type in ("paused", "resumed"):
            clock = apply(clock, fact._replace(time_ms=clock.start_ms), of)
    return clock


def passed(clock: Clock, until_ms: int, of: Terms) -> tuple[Clock, list[Transition]]:
    """Return the clock with everything told that came due up to and including an instant, and what that was."""
    found: list[Transition] = []
    told, breached_ms, next_ms = clock.told, clock.breached_ms, clock.next_ms
    while next_ms and next_ms <= until_ms:
        found.append(Transition(told, next_ms))
        if told < len(of.thresholds):
            told += 1
            next_ms = _next_ms(clock.since_ms, clock.elapsed_ms, clock.due_ms, told, of)
        else:
            breached_ms, next_ms = next_ms, 0
    after = moved(
        clock, clock.state, clock.since_ms, clock.elapsed_ms, clock.stop_ms, clock.due_ms, next_ms, told, breached_ms,
        clock.runs, clock.pauses,
    )  # fmt: skip
    return after, found


def told_until_ms(clock: Clock, of: Terms) -> int:
    """Return the instant of the last threshold that a running clock told."""
    if clock.breached_ms:
        return clock.due_ms
    return _next_ms(clock.since_ms, clock.elapsed_ms, clock.due_ms, clock.told - 1, of)


def elapsed_at(clock: Clock, now_ms: int, calendar: Calendar) -> int:
    """Return the business time that has elapsed at an instant."""
    if clock.state != "running":
        return clock.elapsed_ms
    return clock.elapsed_ms + calendar.elapsed(clock.since_ms, max(now_ms, clock.since_ms))


def due_or_missed_ms(clock: Clock, calendar: Calendar) -> int:
    """Return when the clock is due, or was when it stopped too late; -1 where it never will be as it stands."""
    if clock.due_ms:
        return clock.due_ms
    if clock.state == "running" or clock.elapsed_ms < clock.budget_ms or not clock.runs:
        return -1
    before = 0
    for start_ms, end_ms in zip(clock.runs[::2], clock.runs[1::2], strict=True):
        ran = calendar.elapsed(start_ms, end_ms)
        if before + ran >= clock.budget_ms:
            return calendar.due(start_ms, clock.budget_ms - before)
        before += ran
    return -1


def is_breached(clock: Clock) -> bool:
    """Return whether a stopped clock broke its promise: elapsed reached the budget, so that due was not after stop."""
    return clock.elapsed_ms >= clock.budget_ms


def _run_from(clock: Clock, at_ms: int, of: Terms) -> Clock:
    """Return the clock running (again) from an instant on."""
    due_ms = of.calendar.due(at_ms, max(0, clock.budget_ms - clock.elapsed_ms))
    next_ms = 0 if clock.breached_ms else _next_ms(at_ms, clock.elapsed_ms, due_ms, clock.told, of)
    return moved(
        clock, "running", at_ms, clock.elapsed_ms, 0, due_ms, next_ms, clock.told, clock.breached_ms, clock.runs, []
    )


def _next_ms(since_ms: int, elapsed_ms: int, due_ms: int, told: int, of: Terms) -> int:
    """Return when the next threshold is passed (or was: what is over at the start is told at once)."""
    if told == len(of.thresholds):
        return due_ms
    return of.calendar.due(since_ms, max(0, of.thresholds[told].elapsed_ms - elapsed_ms))


def _run_closed(clock: Clock, at_ms: int, of: Terms) -> tuple[int, list[int]]:
    if clock.state != "running":
        return clock.elapsed_ms, clock.runs
    elapsed = clock.elapsed_ms + of.calendar.elapsed(clock.since_ms, at_ms)
    return elapsed, [*clock.runs, clock.since_ms, at_ms]


def _halted(clock: Clock, at_ms: int, of: Terms, state: ClockState) -> Clock:
    elapsed_ms, runs = _run_closed(clock, at_ms, of)
    return moved(
        clock, state, clock.since_ms, elapsed_ms, at_ms, 0, 0, clock.told, clock.breached_ms, runs, []
    )  # fmt: skip


def _paused(clock: Clock, fact: Fact, of: Terms) -> Clock:
    reason = str(fact.attributes.get("reason", ""))
    pause_on = of.rule.pause_on
    if (pause_on is not None and reason not in pause_on) or reason in clock.pauses:
        return clock
    elapsed_ms, runs = _run_closed(clock, fact.time_ms, of)
    pauses = [*clock.pauses, reason]
    return moved(
        clock, "paused", clock.since_ms, elapsed_ms, 0, 0, 0, clock.told, clock.breached_ms, runs, pauses
    )  # fmt: skip


def _resumed(clock: Clock, fact: Fact, of: Terms) -> Clock:
    """End the pause of that reason, or all of them where no open pause has it (pauses overlap: their union counts).

    The end of a pause that never held for this clock (its reason is not in ``pause_on``) changes nothing.
    """
    reason = str(fact.attributes.get("reason", ""))
    pause_on = of.rule.pause_on
    if reason and reason not in clock.pauses and pause_on is not None and reason not in pause_on:
        return clock
    left = [one for one in clock.pauses if one != reason] if reason in clock.pauses and reason else []
    if left:
        return clock._replace(pauses=left)
    return _run_from(clock, fact.time_ms, of)
