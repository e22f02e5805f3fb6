"""Events out of recorded data: rows of files through mappings, several tables together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from monitor.core.facts.events import Event
from monitor.errors import DecodeError
from monitor.replay.lines import name_of
from monitor.replay.odd_subjects import OddSubject, odd_subjects, without_impossible
from monitor.replay.rows import PROGRESS_ROWS, Progress, Row, read_rows
from monitor.wire.mapping import Mapper, place_of
from monitor.wire.mapping_rules import Place, RowMapping

__all__ = ["PROGRESS_ROWS", "Progress", "Reading", "Rejected", "Table", "read_events", "read_tables"]

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
    for table in tables:
        _TableReader(table, reading, on_row).read(on_progress)
    reading.rejected.sort(key=lambda one: (one.file, one.line))
    reading.odd = odd_subjects(reading.events)
    reading.events = without_impossible(reading.events, reading.odd)
    return reading


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
        rows: Iterable[tuple[str, Row]] = self._rows(on_progress)
        if self._mapping.order or self._mapping.by_time:
            rows = self._in_order(rows)
        for file, row in rows:
            self._take(file, row)
        if self._backwards:
            self._reading.warnings.append(
                f"time goes backwards in {len(self._backwards):,} rows of their groups, first in {self._backwards[0]}: "
                f"if the file is not in the order of what happened, add group: {{order: [column]}} to the mapping "
                f"{self._mapping.name!r}"
            )

    def _rows(self, on_progress: Progress | None) -> Iterator[tuple[str, Row]]:
        for path in self._table.data:
            for row in read_rows(path, self._mapping, on_progress):
                yield name_of(path), row

    def _take(self, file: str, row: Row) -> None:
        reading = self._reading
        reading.rows += 1
        reading.of_files[file] = reading.of_files.get(file, 0) + 1
        if row.reason:
            reading.rejected.append(Rejected(file, row.line, row.reason, row.detail))
            return
        if self._mapping.group:
            # By all columns, also those that nobody reads: two comments of one minute differ in their texts.
            if row.whole in self._seen:
                reading.doubled += 1
                return
            self._seen.add(row.whole)
        try:
            events = self._mapper.events(row.values)
        except DecodeError as error:
            reading.rejected.append(Rejected(file, row.line, error.reason, error.detail))
            return
        if events is None:
            reading.filtered += 1
        elif events:
            reading.events += events
            self._look_at_time(file, row, events)
            if self._on_row is not None:
                self._on_row(file, row.line, events)
        else:
            reading.without_event += 1

    def _look_at_time(self, file: str, row: Row, events: Sequence[Event]) -> None:
        """Note a row that happened before the one before it in its group, where no order was asked for."""
        if not self._mapping.group or self._mapping.order or self._mapping.by_time:
            return
        group = place_of(self._mapping, row.values).group
        at_ms = max(event.fact.time_ms for event in events)
        if at_ms < self._newest.get(group, at_ms):
            self._backwards.append(f"{file}:{row.line}")
        self._newest[group] = at_ms

    def _in_order(self, rows: Iterable[tuple[str, Row]]) -> Iterator[tuple[str, Row]]:
        """Yield the rows group by group, each group in its order: logs are not always written in the order of events.

        A row without a time of its own stays behind the row before it.
        """
        groups: dict[tuple[str, ...], list[tuple[Place, str, Row]]] = {}
        for file, row in rows:
            if not row.reason:
                try:
                    place = place_of(self._mapping, row.values)
                except DecodeError:
                    pass  # the mapper will reject it for the same reason
                else:
                    own = groups.setdefault(place.group, [])
                    if self._mapping.by_time and place.time_ms is None:
                        place = place._replace(time_ms=own[-1][0].time_ms if own else None)
                    own.append((place, file, row))
                    continue
            yield file, row
        for ordered in groups.values():
            ordered.sort(key=lambda one: (one[0].order, one[0].time_ms or 0))
            yield from ((file, row) for _, file, row in ordered)
