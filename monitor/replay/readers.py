"""Events out of recorded data: rows of files through mappings, several tables together."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple

from monitor.core.facts.events import Event
from monitor.errors import DecodeError
from monitor.replay.odd_subjects import OddSubject, odd_subjects, without_impossible
from monitor.replay.rows import PROGRESS_ROWS, Progress, Row, read_rows
from monitor.wire.mapping import Mapper
from monitor.wire.mapping_rules import Order, RowMapping
from monitor.wire.mapping_view import View
from monitor.wire.wording import plural

__all__ = [
    "PROGRESS_ROWS",
    "Progress",
    "Reading",
    "Rejected",
    "Table",
    "read_events",
    "read_tables",
    "without_collection",
]

OnRow = Callable[[str, int, Sequence[Event]], None]
"""Told of each row that made events: its file and line, and the events."""


class Rejected(NamedTuple):
    """A rejected line: its file and number, the reason, its text."""

    file: str
    line: int
    reason: str
    detail: str


class Table(NamedTuple):
    """Files of one form, and the mapping that makes events of their rows."""

    data: Sequence[Path]
    mapping: RowMapping


@dataclass(slots=True)
class Reading:
    """The events in the order of the rows, and the number of rows by their fate.

    ``rows`` is the sum of ``filtered`` (left out by ``where``), ``doubled`` (in a group: equal to an earlier row in
    every column), rejected ones, and those that made events or none (``without_event``: nothing happened that the
    mapping asks for). ``odd`` are the subjects whose events contradict each other: of those that ended before they
    began no event is among ``events``. ``warnings`` are sentences about what may be wrong with the data.
    """

    events: list[Event] = field(default_factory=list)
    rows: int = 0
    filtered: int = 0
    doubled: int = 0
    without_event: int = 0
    rejected: list[Rejected] = field(default_factory=list)
    odd: list[OddSubject] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    of_files: dict[str, int] = field(default_factory=dict)
    """The number of rows of each file."""

    def reasons(self) -> dict[str, int]:
        """Return how many rows were rejected for each reason, the most frequent first."""
        return dict(Counter(one.reason for one in self.rejected).most_common())


def read_events(data: Sequence[Path], mapping: RowMapping, on_progress: Progress | None = None) -> Reading:
    """Read files with one mapping, as `read_tables` does."""
    return read_tables([Table(data, mapping)], on_progress)


def read_tables(tables: Sequence[Table], on_progress: Progress | None = None, on_row: OnRow | None = None) -> Reading:
    """Read tables, each with its mapping. Events of one subject belong together, whichever table they come from.

    A group of rows may go on from one file of its table to the next.

    Raises:
        ConfigError: a file cannot be read, is of no known format, or lacks a column that its mapping names.
    """
    reading = Reading()
    with without_collection():
        for table in tables:
            _TableReader(table, reading, on_row).read(on_progress)
        reading.rejected.sort(key=lambda one: (one.file, one.line))
        reading.odd = odd_subjects(reading.events)
        reading.events = without_impossible(reading.events, reading.odd)
    return reading


@contextmanager
def without_collection() -> Iterator[None]:
    """Keep the garbage collector from looking at all events again and again: it took a third of the time.

    Rows and events refer to nothing that refers back to them, so it would find nothing. Nor does it look at those that
    are kept (``freeze``): they go when the last reference to them goes.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


class _TableReader:
    """Reads one table."""

    def __init__(self, table: Table, reading: Reading, on_row: OnRow | None) -> None:
        self._table = table
        self._mapping = table.mapping
        self._reading = reading
        self._on_row = on_row
        self._mapper = Mapper(table.mapping)
        self._seen: set[int] = set()
        self._newest: dict[tuple[str, ...], int] = {}
        self._backwards: list[str] = []

    def read(self, on_progress: Progress | None) -> None:
        rows: Iterable[Row] = self._rows(on_progress)
        if self._mapping.order or self._mapping.by_time:
            rows = self._in_order(rows)
        self._take(rows)
        if self._backwards:
            count = plural(len(self._backwards), "row")
            self._reading.warnings.append(
                f"time goes backwards in {count} of their groups, first in {self._backwards[0]}: "
                f"if the file is not in the order of what happened, add group: {{order: [column]}} to the mapping "
                f"{self._mapping.name!r}"
            )

    def _rows(self, on_progress: Progress | None) -> Iterator[Row]:
        for path in self._table.data:
            yield from read_rows(path, self._mapper, on_progress)

    def _take(self, rows: Iterable[Row]) -> None:
        """Make the events of all rows, and count the rows by their fate."""
        reading, seen, take, on_row = self._reading, self._seen, self._mapper.take, self._on_row
        events, of_files = reading.events, reading.of_files
        is_grouped = bool(self._mapping.group)
        looks_at_time = is_grouped and not self._mapping.order and not self._mapping.by_time
        for file, line, view, reason, detail, whole in rows:
            of_files[file] = of_files.get(file, 0) + 1
            if view is None:
                reading.rejected.append(Rejected(file, line, reason, detail))
                continue
            if is_grouped:
                # By all columns, also those that nobody reads: two comments of one minute differ in their texts.
                if whole in seen:
                    reading.doubled += 1
                    continue
                seen.add(whole)
            try:
                made = take(view)
            except DecodeError as error:
                reading.rejected.append(Rejected(file, line, error.reason, error.detail))
                continue
            if made is None:
                reading.filtered += 1
            elif made:
                events += made
                if looks_at_time:
                    self._look_at_time(file, line, view, made)
                if on_row is not None:
                    on_row(file, line, made)
            else:
                reading.without_event += 1
        reading.rows = sum(of_files.values())

    def _look_at_time(self, file: str, line: int, view: View, events: Sequence[Event]) -> None:
        """Note a row that happened before the one before it in its group, where no order was asked for."""
        assert view.group is not None
        at_ms = max(event.fact.time_ms for event in events)
        if at_ms < self._newest.get(view.group, at_ms):
            self._backwards.append(f"{file}:{line}")
        self._newest[view.group] = at_ms

    def _in_order(self, rows: Iterable[Row]) -> Iterator[Row]:
        """Yield the rows group by group, each group in its order: logs are not always written in the order of events.

        A row without a time of its own stays behind the row before it.
        """
        groups: dict[tuple[str, ...], list[tuple[Order, int, Row]]] = {}
        by_time = self._mapping.by_time is not None
        for row in rows:
            view = row.view
            if view is not None:
                try:
                    time_ms = self._mapper.place(view)
                except DecodeError:
                    pass  # the mapper will reject it for the same reason
                else:
                    assert view.group is not None
                    own = groups.get(view.group)
                    if own is None:
                        own = groups[view.group] = []
                    if time_ms is None:
                        time_ms = own[-1][1] if by_time and own else 0
                    own.append((view.order, time_ms, row))
                    continue
            yield row
        for group in list(groups):
            rows_of_group = groups.pop(group)  # they go as their events are made: memory holds one or the other
            rows_of_group.sort(key=itemgetter(0, 1))
            for _, _, row in rows_of_group:
                yield row
