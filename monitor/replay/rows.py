"""Rows of recorded data: lines of CSV, lines of JSON, or the objects of a JSON array.

A line that is no row is told with the reason why; the reader of events rejects it like a row that makes no sense.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
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
from monitor.wire.mapping import Mapper
from monitor.wire.mapping_rules import RowMapping
from monitor.wire.mapping_view import View

Progress = Callable[[str, int, int], None]
"""Told every now and then: what is being done (a file's name, ``replay``), how much of it, and of how much."""

PROGRESS_ROWS: Final = 1_000
_DELIMITERS: Final = {",": "a comma", ";": "a semicolon", "\t": "a tab", "|": "a bar"}
_FORMATS: Final = {".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "json"}


class Row(NamedTuple):
    """A row: its file and the line it begins in (of a JSON array: its place); of a line that is none, the reason why.

    ``view`` is the row as its mapping sees it, None for a line that is none. ``whole`` is a hash of all its content,
    also of columns that the mapping does not name.
    """

    file: str
    line: int
    view: View | None
    reason: str = ""
    detail: str = ""
    whole: int = 0


def read_rows(path: Path, mapper: Mapper, on_progress: Progress | None = None) -> Iterator[Row]:
    """Read the rows of one file, or of standard input.

    Raises:
        ConfigError: the file cannot be read, is of no known format, or lacks a column that the mapping names.
    """
    try:
        size = 0 if path == STDIN else path.stat().st_size
        with opened(path) as (raw, content):
            rows = _rows(content, path, mapper)
            if on_progress is None or not size:
                yield from rows
                return
            for number, row in enumerate(rows):
                if number % PROGRESS_ROWS == 0:
                    on_progress(path.name, raw.tell(), size)
                yield row
            on_progress(path.name, size, size)
    except (*UNREADABLE, LookupError) as error:
        raise mistake_in(path, f"cannot be read: {error}") from error


def _rows(content: io.BufferedReader, path: Path, mapper: Mapper) -> Iterator[Row]:
    form, name = mapper.mapping.file, name_of(path)
    first = content.peek(1024)[:1024].removeprefix(codecs.BOM_UTF8).lstrip()[:1]
    kind = form.format or _format_of(path, first)
    if kind == "csv":
        return _csv_rows(lines_of(content), path, mapper)
    if kind == "json" and first == b"[":
        return (_row_of(name, item, mapper) for item in items_of(content, path, form.encoding))
    return _json_rows(name, lines_of(content), mapper)


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
    """The lines of a file as text, with their number and size; one of them may be taken again.

    Attributes:
        texts: the lines.
        again: the line that comes next to who takes this object for an iterator (the csv reader); empty: the next one.
        number: how many lines have been read.
        size: the bytes of the present row, which its reader sets back.
        bad: what is wrong with the encoding of the present row.
    """

    def __init__(self, lines: Iterable[bytes | None], encoding: str) -> None:
        self.texts = self._decode(lines, encoding)
        self.again = ""
        self.number = 0
        self.size = 0
        self.bad = ""

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        text, self.again = self.again, ""
        return text or next(self.texts)

    def _decode(self, lines: Iterable[bytes | None], encoding: str) -> Iterator[str]:
        for number, line in enumerate(lines, 1):
            if line is None:
                raise _TooLongError
            self.size += len(line)
            if self.size > LONGEST_LINE:
                raise _TooLongError
            self.number = number
            if number == 1:
                line = line.removeprefix(codecs.BOM_UTF8)  # noqa: PLW2901
            try:
                yield line.decode(encoding)
            except UnicodeDecodeError as error:
                self.bad = str(error)
                yield line.decode(encoding, errors="replace")


def _csv_rows(raw: Iterable[bytes | None], path: Path, mapper: Mapper) -> Iterator[Row]:
    mapping, file = mapper.mapping, name_of(path)
    delimiter = mapping.file.delimiter
    lines = _Decoded(raw, mapping.file.encoding)
    reader = csv.reader(lines, delimiter=delimiter, strict=False)
    longest = csv.field_size_limit()
    try:
        header = [name.strip() for name in next(reader, [])]
        _check_header(path, header, mapping)
        # Only what the mapping names: rows that are put in order wait in memory.
        view_of = mapper.views_of_cells({name: header.index(name) for name in columns_of(mapping)})
        new: Callable[..., Row] = tuple.__new__  # half the time of a call of the named tuple
        is_hashed, width = bool(mapping.group), len(header)
        lines.size = 0
        for text in lines.texts:
            line, row = lines.number, text.rstrip("\r\n")
            if '"' in row or "\r" in row or "\n" in row or len(row) > longest:
                # The csv reader defines what a row is, and may go on in the lines behind this one.
                lines.again = text
                cells = next(reader)
            else:
                cells = row.split(delimiter) if row else []  # in half its time
            lines.size = 0
            if lines.bad:
                yield Row(file, line, None, "bad_utf8", lines.bad)
                lines.bad = ""
            elif cells and len(cells) != width:
                yield Row(file, line, None, "wrong_columns", f"{len(cells)} columns, the header has {width}")
            elif cells:
                yield new(Row, (file, line, view_of(cells), "", "", hash(tuple(cells)) if is_hashed else 0))
    except _TooLongError:
        message = f"has a row that cannot be read: {TOO_LONG}"
        raise mistake_in(path, message, "is a quote never closed?", lines.number + 1) from None
    except csv.Error as error:
        raise mistake_in(path, f"is no CSV: {error}", line=lines.number) from error


def _check_header(path: Path, header: list[str], mapping: RowMapping) -> None:
    """Refuse a header that lacks columns which the mapping names; other columns may have any name, or none."""
    if not any(header):
        raise mistake_in(path, "is empty: its first line has to name the columns", line=1)
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


def _row_of(file: str, item: Item, mapper: Mapper) -> Row:
    if isinstance(item.value, dict):
        return Row(file, item.place, mapper.view(item.value), whole=hash(orjson.dumps(item.value)))
    reason = "bad_json" if item.problem else "not_an_object"
    return Row(file, item.place, None, reason, item.problem or type(item.value).__name__)


def _json_rows(file: str, lines: Iterable[bytes | None], mapper: Mapper) -> Iterator[Row]:
    form = mapper.mapping.file
    for number, raw in enumerate(lines, 1):
        if raw is None:
            yield Row(file, number, None, LINE_TOO_LONG, TOO_LONG)
            continue
        line = raw.removeprefix(codecs.BOM_UTF8) if number == 1 else raw
        if not line.strip():
            continue
        try:
            value = orjson.loads(line if form.encoding == "utf-8" else line.decode(form.encoding))
        except UnicodeDecodeError as error:
            yield Row(file, number, None, "bad_utf8", str(error))
            continue
        except orjson.JSONDecodeError as error:
            # orjson tells bad UTF-8 as bad JSON.
            yield Row(file, number, None, "bad_utf8" if not _is_utf8(line) else "bad_json", str(error))
            continue
        if isinstance(value, dict):
            yield Row(file, number, mapper.view(value), whole=hash(line.strip()))
        else:
            yield Row(file, number, None, "not_an_object", type(value).__name__)


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True
