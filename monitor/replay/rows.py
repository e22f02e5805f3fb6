"""Rows of recorded data: lines of CSV, lines of JSON, or the objects of a JSON array.

A line that is no row is told with the reason why; the reader of events rejects it like a row that makes no sense.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple

import orjson

from monitor.config.mappings.mapping import columns_of
from monitor.config.reading.shape import did_you_mean
from monitor.errors import ConfigError, Mistake
from monitor.replay.arrays import Item, items_of
from monitor.replay.lines import (
    LINE_TOO_LONG,
    LONGEST_LINE,
    STDIN,
    TOO_LONG,
    UNREADABLE,
    lines_of,
    mistake_in,
    name_of,
    opened,
)
from monitor.wire.mapping_rules import FileForm, RowMapping

Progress = Callable[[str, int, int], None]
"""Told every now and then: what is being done (a file's name, ``replay``), how much of it, and of how much."""

PROGRESS_ROWS: Final = 1_000
_DELIMITERS: Final = {",": "a comma", ";": "a semicolon", "\t": "a tab", "|": "a bar"}
_FORMATS: Final = {".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "json"}


class Row(NamedTuple):
    """A row and the line it begins in (of a JSON array: its place in it); of a line that is none, the reason why.

    ``whole`` is a hash of all its content, also of columns that the mapping does not name.
    """

    line: int
    values: Mapping[str, object]
    reason: str = ""
    detail: str = ""
    whole: int = 0


def read_rows(path: Path, mapping: RowMapping, on_progress: Progress | None = None) -> Iterator[Row]:
    """Read the rows of one file, or of standard input.

    Raises:
        ConfigError: the file cannot be read, is of no known format, or lacks a column that the mapping names.
    """
    try:
        size = 0 if path == STDIN else path.stat().st_size
        with opened(path) as (raw, content):
            for number, row in enumerate(_rows(content, path, mapping)):
                if on_progress is not None and size and number % PROGRESS_ROWS == 0:
                    on_progress(path.name, raw.tell(), size)
                yield row
            if on_progress is not None and size:
                on_progress(path.name, size, size)
    except (*UNREADABLE, LookupError) as error:
        raise mistake_in(path, f"cannot be read: {error}") from error


def _rows(content: io.BufferedReader, path: Path, mapping: RowMapping) -> Iterator[Row]:
    form = mapping.file
    first = content.peek(1024)[:1024].removeprefix(codecs.BOM_UTF8).lstrip()[:1]
    kind = form.format or _format_of(path, first)
    if kind == "csv":
        return _csv_rows(lines_of(content), path, mapping)
    if kind == "json" and first == b"[":
        return (_row_of(item) for item in items_of(content, path, form.encoding))
    return _json_rows(lines_of(content), form)


def _format_of(path: Path, first: bytes) -> str:
    if path == STDIN:
        return "json" if first in (b"[", b"{") else "csv"
    suffixes = [suffix for suffix in path.suffixes if suffix != ".gz"]
    kind = _FORMATS.get(suffixes[-1].lower() if suffixes else "")
    if kind is None:
        hint = "name it .csv, .jsonl or .json, or add file: {format: csv} to the mapping"
        raise mistake_in(path, "is of no known format", hint)
    return kind


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
                values = {name: cells[place] for name, place in named}
                yield Row(line, values, whole=hash(tuple(cells)) if mapping.group else 0)
            line = reader.line_num + 1
    except _TooLongError:
        message = f"has a row that cannot be read: {TOO_LONG}"
        raise mistake_in(path, message, "is a quote never closed?", reader.line_num + 1) from None
    except csv.Error as error:
        raise mistake_in(path, f"is no CSV: {error}", line=reader.line_num) from error


def _check_header(path: Path, header: list[str], mapping: RowMapping) -> None:
    """Refuse a header that lacks columns which the mapping names; other columns may have any name, or none."""
    file, wanted = name_of(path) if path == STDIN else str(path), columns_of(mapping)
    missing = wanted - set(header)
    if missing:
        _check_delimiter(path, header, mapping)
    mistakes = [
        Mistake(
            file=file,
            line=1,
            path="",
            message=f"has no column {column!r}, which the mapping names",
            hint=did_you_mean(column, filter(None, header)),
        )
        for column in sorted(missing)
    ]
    mistakes += [
        Mistake(file=file, line=1, path="", message=f"has the column {name!r} more than once, and the mapping reads it")
        for name, count in Counter(header).items()
        if count > 1 and name in wanted
    ]
    if mistakes:
        raise ConfigError(mistakes)


def _check_delimiter(path: Path, header: list[str], mapping: RowMapping) -> None:
    """Refuse a file whose header has more of the wanted columns when it is cut otherwise: one hint, not one each."""
    delimiter, wanted = mapping.file.delimiter, columns_of(mapping)
    text = delimiter.join(header)
    found = {delimiter: len(wanted.intersection(header))}
    for other in _DELIMITERS:
        names = next(csv.reader([text], delimiter=other), [])
        found.setdefault(other, len(wanted.intersection(name.strip() for name in names)))
    best = max(found, key=lambda other: found[other])
    if found[best] > found[delimiter]:
        cut = _DELIMITERS.get(delimiter, repr(delimiter))
        hint = f"add file: {{delimiter: {orjson.dumps(best).decode()}}} to the mapping"
        raise mistake_in(path, f"separates its columns by {_DELIMITERS[best]}, not by {cut}", hint, 1)
    first = text.lstrip()[:1]
    if first in ("{", "["):
        kind = "json" if first == "[" else "jsonl"
        raise mistake_in(path, "is JSON, not CSV", f"name it .{kind}, or add file: {{format: {kind}}} to the mapping")


def _row_of(item: Item) -> Row:
    if isinstance(item.value, dict):
        return Row(item.place, item.value, whole=hash(orjson.dumps(item.value)))
    reason = "bad_json" if item.problem else "not_an_object"
    return Row(item.place, {}, reason, item.problem or type(item.value).__name__)


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
            yield Row(number, value, whole=hash(line.strip()))
        else:
            yield Row(number, {}, "not_an_object", type(value).__name__)


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True
