"""The work on a partition of partials: merge the panes of all sources, judge the windows, announce, report."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from math import inf
from typing import Final, Literal

from aiokafka.structs import ConsumerRecord

from monitor.core.agreements.book import Book
from monitor.core.objectives.status import WindowStatus
from monitor.core.pieces import Pieces
from monitor.core.series.series import SeriesKey, decode_pane_key, rest_of
from monitor.core.windows.evaluator import Evaluation, Evaluator
from monitor.core.windows.reports import REPORT, Reports
from monitor.core.windows.rest import MOST_SERIES
from monitor.core.windows.rows import decode_window_key
from monitor.errors import DecodeError, RowError
from monitor.stream.agents.books import Books, SeenBook
from monitor.stream.agents.horizon import MARKER, Horizon
from monitor.stream.agents.native_partials import MERGED, NativeMerge
from monitor.stream.agents.native_way import Native
from monitor.stream.agents.tally import Outlets, Tally, bury, count_later
from monitor.stream.kafka.pace import Pace
from monitor.stream.partitions.partition import PartitionState
from monitor.stream.partitions.ports import Now
from monitor.stream.partitions.sending import partition_of
from monitor.stream.partitions.set_aside import ASIDE_S
from monitor.wire.announcements import encode_alert, encode_statement, encode_status, status_key
from monitor.wire.finished_reports import encode_report
from monitor.wire.partials import Marker, Partial, decode_partial

SERIES_AT_ONCE = 4
"""Series that are evaluated before their statuses and alerts are emitted."""
TICK_S = 0.025
"""How long a tick begins further series before it is committed. One series may take longer."""

REST = 4
"""The pause after an evaluation, as a multiple of its length: a series of 10^5 outages takes half a second."""

EVALUATED: Final = (b"w", b"x", b"v")
"""The first bytes of the keys of rows in which series are found, in the order in which the rows are read. Series that
are shown have rows of the first kind."""
RECORDS_AT_ONCE = 256
"""Partials that are folded before others may run."""
FEW_RECORDS = 16
"""Partials that are folded before the time is checked: up to a millisecond each, if they hold as many items as fit."""


_Reporting = Literal["", "noting", "announcing"]
"""What is being done about reports."""


class Evaluate:
    """Folds partials into windows and judges them, at most once per ``interval_ms``."""

    def __init__(
        self,
        state: PartitionState,
        *,
        books: Books,
        outlets: Outlets,
        tally: Tally,
        interval_ms: int,
        sources: Iterable[str] = (),
        max_series: int = MOST_SERIES,
        native: Native | None = None,
    ) -> None:
        self.state = state
        self.books = books
        self.outlets = outlets
        self.tally = tally
        self.interval_ms = interval_ms
        self._max_series = max_series
        self._native = None if native is None else NativeMerge(native, state, tally)
        self.evaluator = self._empty()
        self.reports = Reports(state)
        self._reporting: _Reporting = ""
        self._left: _Reporting = ""
        """The work on reports that failed and is left, so that windows are judged on: the next owner tries it again."""
        self.seconds = 0.0
        """Time spent in evaluations."""
        self.horizon = Horizon(state, sources)
        self._dirty = True
        self._next_ms = 0
        self._seen = SeenBook(books)
        self._suspect: SeriesKey | None = None
        """The series that is being announced."""
        self._retry_at = inf
        """When series that were left alone are tried again (monotonic seconds)."""
        self.committed()

    def restore(self) -> Pieces[None]:
        """Find the series in the rows, in pieces.

        Until that is done, figures are shown from the evaluator of before.
        """
        keys = yield from self.state.keys_by_kind()
        evaluator = yield from self._restored(keys)
        self.horizon.restore(keys.get(MARKER, ()))
        self.evaluator = evaluator
        self.reports = Reports(self.state, keys.get(REPORT, ()))
        self.committed()

    def _restored(self, keys: Mapping[bytes, Sequence[bytes]]) -> Pieces[Evaluator]:
        evaluator = self._empty()
        yield from evaluator.restoring(key for first in EVALUATED for key in keys.get(first, ()))
        return evaluator

    def _empty(self) -> Evaluator:
        return Evaluator(self.state, self._owns, max_series=self._max_series)

    def _owns(self, agreement_id: str) -> bool:
        """Return whether the panes of an agreement come to this partition."""
        return partition_of(agreement_id.encode(), self.outlets.partials_partitions) == self.state.partition

    def batch(
        self,
        records: Sequence[ConsumerRecord],
        now: Now,  # noqa: ARG002 - nothing is judged here
        *,
        due: bool = True,  # noqa: ARG002 - nothing is judged here
    ) -> Pieces[None]:
        """Apply panes, and the markers of the sources' progress."""
        pace = Pace()
        if self._native is None:
            yield from self._merge(records, pace)
        else:
            for left in self._native.merging(records, self.evaluator, self.books):
                yield from self._merge(left, pace)
                if left:
                    yield from pace.kept_by(self.state.pack(MERGED))  # what is packed the package may take over
                yield
        self._dirty = True

    def _merge(self, records: Sequence[ConsumerRecord], pace: Pace) -> Pieces[None]:
        count = 0
        for place, partial in enumerate(self._newest(records)):
            if place % FEW_RECORDS == 0 and place and (pace.is_over() or place % RECORDS_AT_ONCE == 0):
                yield
            if not isinstance(partial, Marker):
                self.evaluator.fold(partial.source, partial.pane_key, partial.pane, self.books.book)
                count += 1
            else:
                self.horizon.hear(partial)
        if count:
            count_later(self.state, self.tally.merged, "python", count)

    def _newest(self, records: Sequence[ConsumerRecord]) -> Iterator[Partial | Marker]:
        """Yield the content of the last readable record of each key: the records in between are never seen.

        The keys are in the order of their first records: the series that comes first gets a place, wherever a batch
        ends. A tombstone for a pane does not take back the record with a value before it: both are applied. A record
        that cannot be read becomes a dead letter, and hides none that came before it.
        """
        by_key: dict[bytes | None, ConsumerRecord] = {}
        again: dict[bytes | None, list[ConsumerRecord]] = {}
        for record in records:
            first = by_key.setdefault(record.key, record)
            if first is not record:
                again.setdefault(record.key, [first]).append(record)
        for key, record in by_key.items():
            if key in again:
                yield from self._last_two(again[key])
            elif (partial := self._decoded(record)) is not None:
                yield partial

    def _last_two(self, records: Sequence[ConsumerRecord]) -> Iterable[Partial | Marker]:
        """Return the last readable record with a value and the last one without, the newer of them last."""
        found: dict[bool, Partial | Marker] = {}
        for record in reversed(records):
            is_gone = record.value is None
            if is_gone not in found and (partial := self._decoded(record)) is not None:
                found[is_gone] = partial
        return reversed(found.values())

    def _decoded(self, record: ConsumerRecord) -> Partial | Marker | None:
        """Return what a record holds; None: it cannot be read and is a dead letter."""
        try:
            return decode_partial(record.key, record.value)
        except DecodeError as error:
            bury(self.state, self.outlets, self.tally, record, error.reason, error.detail)
            return None

    def tick(self, now: Now) -> Pieces[bool]:
        """Judge the windows that changed or that time has moved on; return whether more is left.

        All of it is judged as of the tick's beginning and by the book of that moment. Records that come between two
        pieces are folded after the tick, and a new book is applied by the next one.
        """
        if not now.caught_up:
            return False  # records that are still to be read would change the figures: the runner asks again soon
        now_ms = now.ms
        book = self.books.book
        if self._seen.is_old:
            self._seen.book = book
            self._try_again()
        elif self.evaluator.left_alone and time.monotonic() >= self._retry_at:
            self._try_again()
        as_of_ms = self.horizon.as_of_ms(now_ms)
        if as_of_ms is None:
            self._next_ms = now_ms + self.interval_ms
            return False
        started, pace = time.perf_counter(), Pace()
        more = True
        while more and time.perf_counter() - started < TICK_S:
            self._suspect = None
            done = yield from pace.kept_by(self.evaluator.evaluating(as_of_ms, book, limit=SERIES_AT_ONCE))
            self._emit(done, now_ms, book)
            more = done.more
        self.horizon.looked(as_of_ms)
        took_s = time.perf_counter() - started - pace.others_s
        self.seconds += took_s
        if more:
            return True
        if self._report(as_of_ms, book):
            return True
        self._dirty = False
        self._next_ms = now_ms + max(self.interval_ms, round(took_s * 1000 * REST))
        return False

    def _emit(self, done: Evaluation, now_ms: int, book: Book) -> None:
        for status in done.statuses:
            self._suspect = status.series
            if status.closed:
                key, value = encode_statement(status, self.outlets.source)
                self.state.emit(self.outlets.statements, key, value, partition_key=key)
                self._note(status, book)
            else:
                key, value = encode_status(status, self.outlets.source)
                self.state.emit(self.outlets.status, key, value, partition_key=key)
        for series, window in done.ended:  # after its last status: readers of the compacted topic forget it
            key = status_key(series, window)
            self.state.emit(self.outlets.status, key, None, partition_key=key)
        for alert in done.alerts:
            if now_ms - alert.at_ms > self.outlets.backfill_age_ms:
                alert = alert.told_late()  # noqa: PLW2901 - the same alert, marked
            count_later(self.state, self.tally.alerts, (alert.key.kind, alert.state))
            key, value = encode_alert(alert, self.outlets.source)
            self.state.emit(self.outlets.alerts, key, value, partition_key=alert.key.agreement.encode())

    def _note(self, statement: WindowStatus, book: Book) -> None:
        if self._left != "noting":
            self._reporting = "noting"
            self.reports.stated(statement, book)
            self._reporting = ""

    def _report(self, as_of_ms: int, book: Book) -> bool:
        """Announce the reports of finished periods; return whether more wait for the next transaction."""
        if self._left:
            return False
        self._reporting = "announcing"
        for report in self.reports.finished(as_of_ms, book):
            key, value = encode_report(report, self.outlets.source)
            self.state.emit(self.outlets.reports, key, value, partition_key=key)
        self._reporting = ""
        return self.reports.is_waiting

    def committed(self) -> None:
        """Remember the horizon's fields, for `recover`. The evaluator follows from the rows."""
        self._memory = self.horizon.remember()

    def recover(self, error: Exception) -> Pieces[str]:
        """Make the evaluator anew from the rows; a series on which the work fails is left alone for an hour.

        Where the work on reports fails, none is announced until the partition is opened anew. If it was announcing, the
        rows go on noting what is owed.
        """
        reporting, self._reporting = self._reporting, ""
        failed, before = None if reporting else self._failed(error), self.evaluator
        keys = yield from self.state.keys_by_kind()
        self.evaluator = yield from self._restored(keys)
        self.reports = Reports(self.state, keys.get(REPORT, ()))
        self.evaluator.latest.update(before.latest)
        self.evaluator.left_alone = before.left_alone
        self.horizon.recall(self._memory)
        self._dirty, self._suspect = True, None
        if reporting:
            self._left = reporting
            return f"{reporting} reports"
        if failed is None:
            return ""
        self.evaluator.left_alone.add(failed)
        self._retry_at = min(self._retry_at, time.monotonic() + ASIDE_S)
        return f"series {failed}"

    def _failed(self, error: Exception) -> SeriesKey | None:
        """Return the series whose evaluation, announcement or row failed."""
        if isinstance(error, RowError) and error.key[:1] in _KEYS:
            return _KEYS[error.key[:1]](error.key)
        return self._suspect or self.evaluator.at_work

    def _try_again(self) -> None:
        self._retry_at = inf
        self.evaluator.left_alone.clear()
        self.evaluator.touch_all()

    def next_tick_ms(self) -> int | None:
        """Return when windows are to be judged again."""
        if self._dirty or self.horizon.is_held or self._seen.is_old:
            return self._next_ms
        due_ms = self.evaluator.next_ms(self._next_ms)
        return None if due_ms is None else max(due_ms, self._next_ms)


_KEYS: Final[dict[bytes, Callable[[bytes], SeriesKey]]] = {
    b"w": lambda key: decode_pane_key(key).series,
    b"x": lambda key: rest_of(decode_pane_key(key).series),
    b"v": lambda key: decode_window_key(key)[0],
    b"c": lambda key: decode_window_key(key)[0],
}
"""The functions that read the series from the keys of the rows that an evaluation writes."""
