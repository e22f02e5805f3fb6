"""The material of reports: statements, alerts and what else is known, from recorded data or from the topics."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from monitor.core.agreements.book import Book
from monitor.core.alerts.alert import Alert
from monitor.core.clocks.terms import Plan
from monitor.core.facts.events import Event, Fact, Subject
from monitor.core.facts.ledger import attributes_of
from monitor.core.objectives.status import WindowStatus
from monitor.core.series.series import Change
from monitor.core.subjects.late import contributions
from monitor.replay.local import ReplayResult
from monitor.replay.records import ClockRecord


class Contributed(NamedTuple):
    """A change of counts that one outage or lead brought to a series."""

    subject: Subject
    subject_id: str
    change: Change


class Excluded(NamedTuple):
    """Something that no figure counts: how much of it, and why."""

    number: int
    what: str
    detail: str = ""


class Rejection(NamedTuple):
    """A row or record that was refused: where it stands, and why."""

    place: str
    reason: str
    detail: str


@dataclass(slots=True, kw_only=True)
class Sources:
    """What a report is made of. Instants are epoch milliseconds.

    ``statements`` are those of closed periods, ``running`` the newest status of each window. ``changes`` are the
    contributions of outages and leads. ``as_of_ms`` is the instant up to which everything is known. ``origin`` names
    the data in words.
    """

    book: Book
    statements: Sequence[WindowStatus]
    running: Sequence[WindowStatus]
    alerts: Sequence[Alert]
    records: Sequence[ClockRecord] = ()
    changes: Sequence[Contributed] = ()
    as_of_ms: int
    origin: str
    excluded: list[Excluded] = field(default_factory=list)
    rejections: list[Rejection] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def from_replay(result: ReplayResult, book: Book, origin: str) -> Sources:
    """Return the material of recorded data that was replayed."""
    reading = result.reading
    events = [] if reading is None else [one for one in reading.events if one.fact.time_ms < result.until_ms]
    found = Sources(
        book=book,
        statements=result.statements,
        running=result.statuses,
        alerts=result.alerts,
        records=result.records,
        changes=contributed(events, book, result.until_ms),
        as_of_ms=result.until_ms,
        origin=origin,
    )
    if reading is not None:
        found.excluded += [Excluded(count, "rows rejected", reason) for reason, count in reading.reasons().items()]
        found.rejections = [Rejection(f"{one.file}:{one.line}", one.reason, one.detail) for one in reading.rejected]
        odd = sum(not one.is_measured for one in reading.odd)
        found.excluded += _those(
            (reading.filtered, "rows left out by the mapping"),
            (reading.doubled, "rows that stand in the data twice"),
            (reading.without_event, "rows in which nothing happened that is measured"),
            (odd, "subjects whose events contradict each other"),
        )
        found.warnings += reading.warnings
    found.excluded += [
        Excluded(count, "events not taken", reason.replace("_", " "))
        for reason, count in result.rejected_events.items()
    ]
    found.excluded += _those(
        (result.repeats, "events that came twice"),
        (result.too_late, "corrections that came too late for their period"),
        (result.cut, "events after the end that was asked for"),
    )
    return found


def _those(*told: tuple[int, str]) -> list[Excluded]:
    return [Excluded(count, what) for count, what in told if count]


def contributed(events: Iterable[Event], book: Book, now_ms: int) -> list[Contributed]:
    """Return what outages and leads count in their series at an instant, from their events in any order."""
    ledgers: dict[tuple[Subject, str], dict[str, Fact]] = {}
    for event in events:
        if event.subject in ("outage", "lead"):
            ledgers.setdefault((event.subject, event.subject_id), {}).setdefault(event.fact.id, event.fact)
    plan = Plan(book)
    found: list[Contributed] = []
    for (subject, subject_id), by_id in ledgers.items():
        facts = sorted(by_id.values(), key=lambda one: one[:3])
        changes, _ = contributions(subject, subject_id, facts, attributes_of(facts), plan, now_ms)
        found += [Contributed(subject, subject_id, one) for one in changes]
    return found
