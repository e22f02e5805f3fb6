"""Simulations: recorded events under an agreement that did not hold, beside those that did.

The newest version of each agreement is taken, a draft too, as if it had been accepted and had held since the first
event: that is the question. It ends where it says that it ends. The agreements that it is compared with bind as they
are written: from their ``valid_from`` on, drafts not at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from monitor.core.agreements.book import Book
from monitor.core.objectives.consequence import Consequence
from monitor.core.objectives.consequences import consequences_of
from monitor.core.recompute.differences import ClockId, ClockVerdict
from monitor.replay.local import Progress, ReplayResult, run_replay

if TYPE_CHECKING:
    from monitor.core.facts.events import Event
    from monitor.replay.records import ClockRecord, RecordVerdict

_VERDICTS: Final[dict[RecordVerdict, ClockVerdict]] = {
    "met": "met", "breached": "breached", "overdue": "breached", "open": "open", "cancelled": "cancelled",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The results of events under a book. ``consequences`` follow from the periods that closed in the replay."""

    book: Book
    result: ReplayResult
    verdicts: dict[ClockId, ClockVerdict]
    consequences: list[Consequence]

    def credits(self) -> dict[tuple[str, str], Decimal]:
        """Return the payable credits under the caps, by agreement and currency."""
        found: dict[tuple[str, str], Decimal] = {}
        for one in self.consequences:
            if one.kind == "credit":
                place = one.agreement, one.currency
                found[place] = found.get(place, Decimal(0)) + one.payable
        return found


def as_if_accepted(book: Book, from_ms: int) -> Book:
    """Return a book in which the newest version of each agreement holds from an instant on, up to its own end."""
    newest = [book.latest(name) for name in sorted({one.id for one in book.agreements})]
    return Book(
        tuple(replace(one, status="accepted", valid_from_ms=from_ms) for one in newest if one is not None),
        book.stamp,
    )


def outcome(
    events: Sequence[Event], book: Book, *, until_ms: int | None = None, on_progress: Progress | None = None
) -> Outcome:
    """Return the results of events under a book. Time ends at ``until_ms``, or just after the last event."""
    result = run_replay(events, book, until_ms=until_ms, on_progress=on_progress)
    return Outcome(
        book=book,
        result=result,
        verdicts={clock_id(record): _VERDICTS[record.verdict] for record in result.records},
        consequences=consequences_of(result.statements, book),
    )


def clock_id(record: ClockRecord) -> ClockId:
    """Return which clock a record is of."""
    return ClockId(record.subject, record.subject_id, record.agreement, record.clock, record.cycle)


def cut(events: Iterable[Event], from_ms: int | None, until_ms: int | None) -> list[Event]:
    """Return the events of the subjects that began at or after an instant, up to another one.

    A subject that began earlier is left out whole: half a story would be judged as another one.
    """
    kept = [event for event in events if until_ms is None or event.fact.time_ms < until_ms]
    if from_ms is None:
        return kept
    early = {(event.subject, event.subject_id) for event in kept if event.fact.time_ms < from_ms}
    return [event for event in kept if (event.subject, event.subject_id) not in early]
