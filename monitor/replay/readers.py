"""Readers: rows out of CSV and JSON lines files, gzipped or not, and events out of rows.

A line that is no row is rejected like a row that makes no sense: counted by its reason, listed with its line.
"""

from __future__ import annotations

import codecs
import csv
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

import orjson

from monitor.config.mappings.mapping import columns_of
from monitor.config.reading.shape import did_you_mean
from monitor.core.facts.events import Event
from monitor.errors import ConfigError, DecodeError, Mistake
from monitor.replay.lines import LINE_TOO_LONG, LONGEST_LINE, TOO_LONG, UNREADABLE, lines_of, opened
from monitor.wire.mapping import Mapper, place_of
from monitor.wire.mapping_rules import FileForm, Order, RowMapping

Progress = Callable[[str, int, int], None]
"""Told every now and then: what is being done (a file's name, ``replay``), how much of it, and of how much."""

PROGRESS_ROWS: Final = 1_000


class Rejected(NamedTuple):
    """A rejected line: its file and number, the reason, its text."""

    file: str
    line: int
    reason: str
    detail: str


class Row(NamedTuple):
    """A row and the line it begins in; of a line that is none, the reason why."""

    line: int
    values: Mapping[str, object]
    reason: str = ""
    detail: str = ""


@dataclass(slots=True)
class Reading:
    """The events in the order of the rows, and the number of rows by their fate.

    ``rows`` is the sum of ``filtered`` (left out by ``where``), rejected ones, and those that made events or none
    (``without_event``: nothing happened that the mapping asks for).
    """

    events: list[Event] = field(default_factory=list)
    rows: int = 0
    filtered: int = 0
    without_event: int = 0
    rejected: list[Rejected] = field(default_factory=list)
    of_files: dict[str, int] = field(default_factory=dict)
    """The number of rows of each file."""

    def reasons(self) -> dict[str, int]:
        """Return how many rows were rejected for each reason, the most frequent first."""
        return dict(Counter(one.reason for one in self.rejected).most_common())


def read_events(data: Sequence[Path], mapping: RowMapping, on_progress: Progress | None = None) -> Reading:
    """Read files with one mapping. A group of rows may go on from one file to the next.

    Raises:
        ConfigError: a file cannot be read, is of no known format, or lacks a column that the mapping names.
    """
    reading = Reading()
    mapper = Mapper(mapping)
    for path in data:
        rows: Iterable[Row] = read_rows(path, mapping, on_progress)
        if mapping.order:
            rows = _in_order(rows, mapping)
        before = reading.rows
        for row in rows:
            _take(reading, mapper, path.name, row)
        reading.of_files[path.name] = reading.of_files.get(path.name, 0) + reading.rows - before
    reading.rejected.sort(key=lambda one: (one.file, one.line))
    return reading


def _take(reading: Reading, mapper: Mapper, file: str, row: Row) -> None:
    reading.rows += 1
    if row.reason:
        reading.rejected.append(Rejected(file, row.line, row.reason, row.detail))
        return
    try:
        events = mapper.events(row.values)
    except DecodeError as error:
        reading.rejected.append(Rejected(file, row.line, error.reason, error.detail))
        return
    if events is None:
        reading.filtered += 1
    elif events:
        reading.events += events
    else:
        reading.without_event += 1


def _in_order(rows: Iterable[Row], mapping: RowMapping) -> Iterator[Row]:
    """Return the rows group by group, each group in its order: logs are not always written in the order of events."""
    groups: dict[tuple[str, ...], list[tuple[Order, Row]]] = {}
    for row in rows:
        if not row.reason:
            try:
                group, order = place_of(mapping, row.values)
            except DecodeError:
                pass  # the mapper will reject it for the same reason
            else:
                groups.setdefault(group, []).append((order, row))
                continue
        yield row
    for ordered in groups.values():
        ordered.sort(key=lambda one: one[0])
        yield from (row for _, row in ordered)


def read_rows(path: Path, mapping: RowMapping, on_progress: Progress | None = None) -> Iterator[Row]:
    """Read the rows of one file.

    Raises:
        ConfigError: as `read_events`.
    """
    form = mapping.file
    kind = form.format or _format_of(path)
    try:
        size = path.stat().st_size
        with opened(path) as (raw, content):
            lines = lines_of(content)
            rows = _csv_rows(lines, path, mapping) if kind == "csv" else _json_rows(lines, form)
            for number, row in enumerate(rows):
                if on_progress is not None and number % PROGRESS_ROWS == 0:
                    on_progress(path.name, raw.tell(), size)
                yield row
            if on_progress is not None:
                on_progress(path.name, size, size)
    except (*UNREADABLE, LookupError) as error:
        raise _unreadable(path, f"cannot be read: {error}") from error


def _unreadable(path: Path, message: str, hint: str = "", line: int | None = None) -> ConfigError:
    return ConfigError([Mistake(file=str(path), line=line, path="", message=message, hint=hint)])


def _format_of(path: Path) -> str:
    suffixes = [suffix for suffix in path.suffixes if suffix != ".gz"]
    last = suffixes[-1].lower() if suffixes else ""
    if last == ".csv":
        return "csv"
    if last in (".jsonl", ".ndjson", ".json"):
        return "jsonl"
    raise _unreadable(
        path, "is of no known format", "name it .csv or .jsonl, or add file: {format: csv} to the mapping"
    )


class _TooLongError(Exception):
    """A line, or a row of several lines, is longer than memory allows: nobody knows where the next row begins."""


class _Decoded:
    """The lines of a file as text, for the csv reader: it remembers whether one of a row was not in the encoding."""

    def __init__(self, lines: Iterable[bytes | None], encoding: str) -> None:
        self._lines = lines
        self._encoding = encoding
        self._first = True
        self.bad = ""
        self.read = 0
        """Bytes of the present row."""

    def __iter__(self) -> Iterator[str]:
        for line in self._lines:
            self.read += len(line or b"")
            if line is None or self.read > LONGEST_LINE:
                raise _TooLongError
            raw = line.removeprefix(codecs.BOM_UTF8) if self._first else line
            self._first = False
            try:
                yield raw.decode(self._encoding)
            except UnicodeDecodeError as error:
                self.bad = str(error)
                yield raw.decode(self._encoding, errors="replace")


def _csv_rows(raw: Iterable[bytes | None], path: Path, mapping: RowMapping) -> Iterator[Row]:
    lines = _Decoded(raw, mapping.file.encoding)
    reader = csv.reader(lines, delimiter=mapping.file.delimiter, strict=False)
    try:
        header = [name.strip() for name in next(reader, [])]
        _check_header(path, header, mapping)
        # Only what the mapping names: rows that are put in order wait in memory.
        named = [(name, header.index(name)) for name in sorted(columns_of(mapping))]
        line = reader.line_num + 1
        for cells in reader:
            bad, lines.bad, lines.read = lines.bad, "", 0
            if bad:
                yield Row(line, {}, "bad_utf8", bad)
            elif cells and len(cells) != len(header):
                yield Row(line, {}, "wrong_columns", f"{len(cells)} columns, the header has {len(header)}")
            elif cells:
                yield Row(line, {name: cells[place] for name, place in named})
            line = reader.line_num + 1
    except _TooLongError:
        message = f"has a row that cannot be read: {TOO_LONG}"
        raise _unreadable(path, message, "is a quote never closed?", reader.line_num + 1) from None
    except csv.Error as error:
        raise _unreadable(path, f"is no CSV: {error}", line=reader.line_num) from error


def _check_header(path: Path, header: list[str], mapping: RowMapping) -> None:
    mistakes = [
        Mistake(
            file=str(path),
            line=1,
            path="",
            message=f"has no column {column!r}, which the mapping names",
            hint=did_you_mean(column, header),
        )
        for column in sorted(columns_of(mapping) - set(header))
    ]
    twice = [name for name, count in Counter(header).items() if count > 1]
    if twice:
        mistakes.append(Mistake(file=str(path), line=1, path="", message=f"has the column {twice[0]!r} more than once"))
    if mistakes:
        raise ConfigError(mistakes)


def _json_rows(lines: Iterable[bytes | None], form: FileForm) -> Iterator[Row]:
    for number, raw in enumerate(lines, 1):
        if raw is None:
            yield Row(number, {}, LINE_TOO_LONG, TOO_LONG)
            continue
        line = raw.removeprefix(codecs.BOM_UTF8) if number == 1 else raw
        if not line.strip():
            continue
        try:
            value = orjson.loads(line if form.encoding == "utf-8" else line.decode(form.encoding))
        except UnicodeDecodeError as error:
            yield Row(number, {}, "bad_utf8", str(error))
            continue
        except orjson.JSONDecodeError as error:
            # orjson tells bad UTF-8 as bad JSON.
            yield Row(number, {}, "bad_utf8" if not _is_utf8(line) else "bad_json", str(error))
            continue
        if isinstance(value, dict):
            yield Row(number, value)
        else:
            yield Row(number, {}, "not_an_object", type(value).__name__)


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True
