"""The subjects of a replay whose ends are known: counted at once, so that their rows need not be kept to the end.

The events of a replay are known from the beginning. A subject of which no event is to come, and in which nothing is
open, changes no more: its records, its share of the figures over the whole of the data and its verdicts are taken from
its row, and the row is dropped. So a replay holds the rows of the subjects that are open, not of all there ever were.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from monitor.core.clocks.terms import Plan
from monitor.replay.call_records import CallRecord, call_records
from monitor.replay.records import ClockRecord, RecordVerdict, record_of, verdict_of
from monitor.replay.whole import WholeFigures, WholePanes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitor.core.agreements.book import Book
    from monitor.core.facts.events import Event, Subject
    from monitor.core.subjects.rows import SubjectRow


def last_ones(ordered: Sequence[Event]) -> bytearray:
    """Return for each event whether it is the last one of its subject: 1 or 0, a byte each."""
    found = bytearray(len(ordered))
    seen: defaultdict[Subject, set[str]] = defaultdict(set)
    for place in range(len(ordered) - 1, -1, -1):
        of_kind, subject_id = seen[ordered[place].subject], ordered[place].subject_id
        if subject_id not in of_kind:
            of_kind.add(subject_id)
            found[place] = 1
    return found


class Finished:
    """What is known of the subjects of a replay that change no more.

    ``keep_records`` and ``keep_calls`` are whether a record is kept of each clock, and of each call.
    """

    def __init__(self, book: Book, from_ms: int, until_ms: int, *, keep_records: bool, keep_calls: bool) -> None:
        self.subjects: Counter[Subject] = Counter()
        self.records: list[ClockRecord] = []
        self.calls: list[CallRecord] = []
        self._book = book
        self._plan = Plan(book)
        self._span_ms = from_ms, until_ms
        self._keep_records = keep_records
        self._keep_calls = keep_calls
        self._whole: dict[Subject, WholePanes] = {}
        self._again: set[tuple[Subject, bytes]] = set()
        """Subjects that were forgotten before their last event: what comes later of one makes another row."""
        self._verdicts: Counter[RecordVerdict] = Counter()
        self._first: dict[RecordVerdict, tuple[int, str, str, str, int]] = {}

    def add(self, subject: Subject, key: bytes, row: SubjectRow, *, returns: bool = False) -> None:
        """Take the row of a subject as it will be at the end. ``returns``: another one may follow."""
        until_ms, subject_id = self._span_ms[1], key[1:].decode()
        if (subject, key) not in self._again:
            self.subjects[subject] += 1
            if returns:
                self._again.add((subject, key))
        for clock in row.clocks:
            of = self._plan.terms(clock)
            if of is None:
                continue
            verdict = verdict_of(clock, of, until_ms)
            self._verdicts[verdict] += 1
            place = (clock.start_ms, subject_id, clock.series.agreement, clock.series.measure, clock.cycle)
            self._first[verdict] = min(place, self._first.get(verdict, place))
            if self._keep_records:
                self.records.append(record_of(subject, subject_id, row, clock, of, until_ms))
        if subject == "call" and self._keep_calls:
            self.calls += call_records(subject_id, row, self._book, until_ms)
        whole = self._whole.get(subject)
        if whole is None:
            whole = self._whole[subject] = WholePanes(self._plan)
        whole.add(row)

    def verdicts(self) -> dict[str, int]:
        """Return how many clocks have each verdict, in the order of the records."""
        return {verdict: self._verdicts[verdict] for verdict in sorted(self._verdicts, key=self._first.__getitem__)}

    def whole(self) -> list[WholeFigures]:
        """Return the figures over the whole of the data."""
        return [one for panes in self._whole.values() for one in panes.figures(*self._span_ms)]
