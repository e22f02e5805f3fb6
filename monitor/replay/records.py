"""Clock records: one line for each clock that was measured, for those who want to check a figure subject by subject."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from monitor.core.clocks import clock as clocks
from monitor.core.clocks.due import due_had_it_gone_on_ms, is_overdue
from monitor.core.subjects.contribution import Contribution, contribution

if TYPE_CHECKING:
    from monitor.core.clocks.clock_value import Clock
    from monitor.core.facts.events import Subject
    from monitor.core.subjects.rows import SubjectRow

RecordVerdict = Literal["met", "breached", "open", "overdue", "cancelled", "undated"]


class ClockRecord(NamedTuple):
    """One clock of one subject, as it stood at the end of the replay.

    ``elapsed_ms`` is business time without pauses, ``wall_ms`` all time from start to stop (to the end of the replay
    while it is open). ``due_ms`` is the instant at which the budget was, or would have been, used up; None while the
    clock is paused. ``overdue`` clocks are open and past due.
    """

    subject: Subject
    subject_id: str
    agreement: str
    agreement_version: int
    clock: str
    metric: str
    cycle: int
    priority: str
    labels: dict[str, str]
    start_ms: int
    stop_ms: int | None
    elapsed_ms: int
    wall_ms: int
    budget_ms: int
    calendar: str
    due_ms: int | None
    verdict: RecordVerdict
    flagged: bool
    contribution: Contribution

    def as_json(self) -> dict[str, Any]:
        """Return the record as an object for JSON."""
        return self._asdict() | {"contribution": self.contribution._asdict()}


def verdict_of(clock: Clock, of: clocks.Terms, until_ms: int) -> RecordVerdict:
    """Return the verdict on a clock at an instant."""
    if clock.state == "cancelled":
        return "cancelled"
    if clocks.is_undated(clock):
        return "undated"
    if clock.state in ("running", "paused"):
        return "overdue" if is_overdue(clock, until_ms, of) else "open"
    return "breached" if clocks.is_breached(clock) else "met"


def record_of(
    subject: Subject, subject_id: str, row: SubjectRow, clock: Clock, of: clocks.Terms, until_ms: int
) -> ClockRecord:
    """Return the record of one clock at an instant."""
    is_open = clock.state in ("running", "paused")
    elapsed_ms = clocks.elapsed_at(clock, until_ms, of.calendar)
    return ClockRecord(
        subject=subject,
        subject_id=subject_id,
        agreement=clock.series.agreement,
        agreement_version=clock.version,
        clock=clock.series.measure,
        metric=of.rule.metric,
        cycle=clock.cycle,
        priority=str(row.known().get("priority", "")),
        labels=dict(zip(of.rule.by, clock.series.values, strict=True)),
        start_ms=clock.start_ms,
        stop_ms=None if is_open else clock.stop_ms,
        elapsed_ms=elapsed_ms,
        wall_ms=clocks.wall_at(clock, until_ms, of),
        budget_ms=clock.budget_ms,
        calendar=clock.calendar,
        due_ms=due_had_it_gone_on_ms(clock, of.calendar),
        verdict=verdict_of(clock, of, until_ms),
        flagged=clock.flagged,
        contribution=contribution(row.facts, clock, of, until_ms),
    )
