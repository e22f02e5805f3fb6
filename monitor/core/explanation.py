"""Why a clock stands as it does: the stretches of its life, which add up to what has elapsed (domain.md §3).

elapsed = the sum of the counted stretches;   [start, stop or now) = all stretches, one after the other
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from monitor.core import clock as clocks
from monitor.core.contribution import Contribution, contribution
from monitor.core.course import Course
from monitor.core.timeline import Span, subtract

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from monitor.core.clock import Terms
    from monitor.core.events import Fact, Value
    from monitor.core.rows import Clock, SubjectRow

StretchKind = Literal["counted", "closed", "paused", "solved", "outside"]
"""``counted``: open hours, they are elapsed time; ``closed``: the calendar is not open; ``paused``: a pause that counts
for this clock; ``solved``: between a stop and a reopening; ``outside``: of the states in which this clock runs."""

Standing = Literal["running", "paused", "at_risk", "overdue", "met", "breached", "cancelled"]


class Stretch(NamedTuple):
    """One stretch ``[start_ms, end_ms)`` of a clock's life. ``reason`` is that of a pause ("" where none was given)."""

    start_ms: int
    end_ms: int
    kind: StretchKind
    reason: str = ""


class Explanation(NamedTuple):
    """Why a clock stands as it does at an instant.

    ``priority`` is the one whose target holds, ``target_of`` the line of the agreement that gives it: the priority's
    own or ``*``. ``stop_ms`` is -1 while it is open, ``due_ms`` where it never will be as it stands. ``wall_ms`` is the
    time elapsed without calendar and pauses.
    """

    agreement: str
    version: int
    clock: str
    metric: str
    cycle: int
    priority: str
    target_of: str
    budget_ms: int
    calendar: str
    start_ms: int
    stop_ms: int
    due_ms: int
    elapsed_ms: int
    wall_ms: int
    standing: Standing
    flagged: bool
    stretches: tuple[Stretch, ...]
    contribution: Contribution


def explain(row: SubjectRow, clock: Clock, of: Terms, now_ms: int) -> Explanation:
    """Return why a clock of a subject stands as it does.

    Args:
        row: the subject's.
        clock: one of its clocks.
        of: its terms.
        now_ms: up to when an open clock is told.
    """
    is_open = clock.state in ("running", "paused")
    end_ms = max(now_ms, clock.start_ms) if is_open else clock.stop_ms
    elapsed_ms = clocks.elapsed_at(clock, end_ms, of.calendar)
    priority = row.known().get("priority")
    return Explanation(
        clock.series.agreement,
        clock.version,
        of.rule.id,
        of.rule.metric,
        clock.cycle,
        _text(priority),
        _text(priority) if _text(priority) in of.rule.budgets else "*",
        clock.budget_ms,
        clock.calendar,
        clock.start_ms,
        -1 if is_open else clock.stop_ms,
        clocks.due_or_missed_ms(clock, of.calendar),
        elapsed_ms,
        clocks.wall_at(clock, end_ms, of),
        _standing(clock, elapsed_ms, of),
        clock.flagged,
        tuple(_stretches(row.facts, clock, of, end_ms)),
        contribution(row.facts, clock, of, end_ms),
    )


def _standing(clock: Clock, elapsed_ms: int, of: Terms) -> Standing:
    if clock.state == "cancelled":
        return "cancelled"
    if clock.state == "stopped":
        return "breached" if clocks.is_breached(clock) else "met"
    if elapsed_ms >= clock.budget_ms:
        return "overdue"
    if any(elapsed_ms >= one.elapsed_ms for one in of.thresholds):
        return "at_risk"
    return "paused" if clock.state == "paused" else "running"


def _stretches(facts: Sequence[Fact], clock: Clock, of: Terms, end_ms: int) -> Iterator[Stretch]:
    runs = list(zip(clock.runs[::2], clock.runs[1::2], strict=True))
    if clock.state == "running":
        runs.append((clock.since_ms, end_ms))
    at_ms = clock.start_ms
    for start_ms, stop_ms in runs:
        if at_ms < start_ms:
            yield _halt(facts, of, at_ms, start_ms)
        opened = clocks.calendar_at(clock, start_ms, of).open_spans(start_ms, stop_ms)
        closed = subtract([Span(start_ms, stop_ms)], opened)
        kinds = [(one, "counted") for one in opened] + [(one, "closed") for one in closed]
        for span, kind in sorted(kinds):
            yield Stretch(*span, kind)  # type: ignore[arg-type]  # one of the two
        at_ms = stop_ms
    if at_ms < end_ms:
        yield _halt(facts, of, at_ms, end_ms)


def _halt(facts: Sequence[Fact], of: Terms, start_ms: int, end_ms: int) -> Stretch:
    """Return a stretch in which the clock stood still: what began it tells why."""
    if of.metric.course == "states":
        course = Course(fact for fact in facts if fact.time_ms <= start_ms)
        return Stretch(start_ms, end_ms, "outside", min(course.states(), key=len))
    began = [fact for fact in facts if fact.time_ms <= start_ms]
    pauses = [fact for fact in began if fact.type == "paused"]
    if pauses and (pauses[-1].time_ms == start_ms or not any(fact.time_ms == start_ms for fact in began)):
        return Stretch(start_ms, end_ms, "paused", _text(pauses[-1].attributes.get("reason")))
    return Stretch(start_ms, end_ms, "solved")


def _text(value: Value | None) -> str:
    return "" if value is None else str(value)
