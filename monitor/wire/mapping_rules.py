"""The parts of a mapping: the rules by which `monitor.wire.mapping` makes events of rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final, Literal, NamedTuple

from monitor.core.facts.events import Subject, Value

REASONS: Final[dict[str, str]] = {
    "missing_field": "a column that the row needs is empty: of the subject's id, an event's time, the group, the order",
    "bad_time": "a time fits none of the formats",
    "nonexistent_time": "a local time that the clocks of the zone skipped",
    "absurd_time": "a time before the year 2000 or after 2100",
    "bad_number": "a sequence or an attribute is no number",
    "bad_value": "an attribute is neither true nor false",
    "unknown_value": "a value is not in the map of an attribute's values, and there is no `otherwise`",
    "negative_duration": "the second of two columns is before the first",
    "too_many_events": "a row would make more events than one may",
    "bad_id": "an id is empty, longer than 512 bytes, or holds control characters",
    "stale_row": "an older row of its group than the one before",
    "not_an_object": "a JSON line holds something else than an object",
    "bad_json": "a line is no JSON",
    "bad_utf8": "a line is not in the file's encoding",
    "line_too_long": "a line of JSON is longer than 8 MiB; such a row of CSV ends the reading of its file",
    "wrong_columns": "a CSV line has more or fewer columns than the header",
}
"""The reasons for which rows are rejected, apart from those that a mapping adds."""

EACH: Final = "each"
REPETITION: Final = "repetition"
MOST_EVENTS: Final = 1_000
"""A record of a live source that would make more events than this makes none (``too_many_events``)."""
MOST_REPETITIONS: Final = 100_000
"""A row of a file makes no more events than this, and its count for ``repeat`` may not be higher (``bad_number``): one
wrong digit must not stop everything."""
DEFAULT_ID: Final = "{subject_id}:{type}:{time_ms}:{sequence}"

Order = tuple[tuple[int, int, str], ...]
"""The sort key of the rows of a group: whole numbers in numeric order, before texts."""

Which = Literal["every", "first", "later"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Instant:
    """A time: the columns that hold it (joined with a space, as a date and a time of day), its formats and zone.

    With ``days_since`` its column is a number of days after that date, at midnight. ``plus`` names columns with lengths
    of time that are added; if one of them has no value there is no time.
    """

    columns: tuple[str, ...]
    formats: tuple[str, ...]
    zone: str = ""
    days_since: date | None = None
    plus: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """A condition on one column. All tests that are given must hold. Values are compared as texts.

    Attributes:
        column: the column, or ``each``.
        is_in: the column has one of these values.
        not_in: the column has none of these values (a missing value is none of them).
        present: whether the column has a value.
        same_as: the column has a value, and this other column has the same.
        differs_from: the column's value differs from that of this other column; a missing value differs from any.
        changed: whether the value differs from that of the group's previous row (a first row's never does).
        becomes: the column has one of these values, and the previous row, if any, had none of them.
        leaves: the previous row had one of these values, and this row has none of them.
        before: the first time is earlier than the second; if either is missing, this does not hold.
    """

    column: str
    is_in: frozenset[str] | None = None
    not_in: frozenset[str] | None = None
    present: bool | None = None
    same_as: str = ""
    differs_from: str = ""
    changed: bool | None = None
    becomes: frozenset[str] | None = None
    leaves: frozenset[str] | None = None
    before: tuple[Instant, Instant] | None = None

    def columns(self) -> tuple[str, ...]:
        """Return all columns that the condition reads; some of the names may be empty."""
        compared = tuple([column for one in self.before or () for column in (*one.columns, *one.plus)])
        return (self.column, self.same_as, self.differs_from, *compared)

    @property
    def looks_back(self) -> bool:
        """Return whether the condition needs the group's previous row."""
        return self.changed is not None or self.becomes is not None or self.leaves is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The source of an attribute: one of constant, column, instant (epoch ms), duration or span (ms) is given.

    Attributes:
        constant: this value.
        column: a column, its text replaced by its entry in ``values`` (``otherwise`` for texts without an entry).
        previous: take the column from the group's previous row.
        times: a factor for numbers (1000: seconds to milliseconds).
        instant: a time.
        duration: from one time to another.
        span: a column that holds a length of time, as ``0:02:45``.
    """

    constant: Value | None = None
    column: str = ""
    previous: bool = False
    values: Mapping[str, str] | None = None
    otherwise: str | None = None
    times: float = 1.0
    instant: Instant | None = None
    duration: tuple[Instant, Instant] | None = None
    span: str = ""


class Repeat(NamedTuple):
    """How often an event is made: the column with that number.

    The repetitions are numbered from 1, or after the number in the column ``after``.
    """

    times: str
    after: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRule:
    """One event that a row may make. Its ids are templates; ``separator`` cuts the ``each`` column into parts."""

    type: str
    at: Instant
    subject_id: str
    id: str = DEFAULT_ID
    rows: Which = "every"
    when: tuple[Condition, ...] = ()
    each: str = ""
    separator: str = ""
    attributes: Mapping[str, Source] = field(default_factory=dict)
    repeat: Repeat | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """The conditions of rows that are known to be wrong, and the reason under which they are listed."""

    reason: str
    when: tuple[Condition, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FileForm:
    """The form of the rows in files.

    An empty format is taken from the file's name: ``.csv``, ``.jsonl``, with ``.gz``.
    """

    format: Literal["", "csv", "jsonl"] = ""
    delimiter: str = ","
    encoding: str = "utf-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class RowMapping:
    """A whole mapping."""

    name: str
    subject: Subject
    events: tuple[EventRule, ...]
    missing: frozenset[str] = frozenset({""})
    """Texts that mean "no value"; the empty one is always among them."""
    sequence: str = ""
    group: tuple[str, ...] = ()
    order: tuple[str, ...] = ()
    where: tuple[Condition, ...] = ()
    reject: tuple[Rejection, ...] = ()
    file: FileForm = FileForm()
