"""The parts of a mapping: the rules by which `monitor.wire.mapping` makes events of rows."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final, Literal, NamedTuple

from monitor.core.facts.events import Subject, Value

REASONS: Final[dict[str, str]] = {
    "missing_field": "a column that the row needs is empty: of the subject's id, the group, the order, or of the time "
    "of an event that the row says has happened",
    "bad_time": "a time fits none of the formats",
    "bad_zone": "a column that says in which zone times are names none",
    "nonexistent_time": "a local time that the clocks of the zone skipped",
    "absurd_time": "a time before 1970-01-02 or after 2099",
    "bad_number": "a sequence, an attribute, a length of time or a compared value is no number",
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

EPISODE: Final = "episode"
"""The column of the row's episode in its group: the instant at which it began, RFC 3339."""
LONGEST_COMPARED: Final = 10_000
"""A longer text fits no pattern: what a record of somebody else costs has a bound."""

Order = tuple[tuple[int, int, str], ...]
"""The sort key of the rows of a group: whole numbers in numeric order, before texts."""

Which = Literal["every", "first", "later"]
Unit = Literal["h:m:s", "h:m", "m:s", "ms", "s", "m", "h", "d"]
"""How a length of time is written: ``0:02:45``, ``0:02``, ``2:45``, or as a plain number of a unit."""


class Length(NamedTuple):
    """A column with a length of time."""

    column: str
    unit: Unit = "h:m:s"


class ZoneColumn(NamedTuple):
    """A column that names the zone of a row's times.

    ``values`` translates its texts into names of zones; ``otherwise`` is the zone of rows without a text, or of texts
    that are not in ``values``.
    """

    column: str
    values: Mapping[str, str] | None = None
    otherwise: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Instant:
    """A time: the columns that hold it (joined with a space, as a date and a time of day), its formats and zone.

    Attributes:
        columns: the columns; none if it is a constant.
        formats: the formats that are tried.
        zone: the zone of times without an offset.
        zone_column: the column that names it, in place of ``zone``.
        days_since: its column is a number of days after this date, at midnight.
        plus: lengths of time that are added; if one of them has no value there is no time.
        constant_ms: the time itself, epoch milliseconds.
        next_day_if_before: if it is earlier than this other time, the day after is meant: a shift past midnight.
    """

    columns: tuple[str, ...]
    formats: tuple[str, ...]
    zone: str = ""
    zone_column: ZoneColumn | None = None
    days_since: date | None = None
    plus: tuple[Length, ...] = ()
    constant_ms: int | None = None
    next_day_if_before: Instant | None = None

    def reads(self) -> tuple[str, ...]:
        """Return all columns that it is made of."""
        zone = () if self.zone_column is None else (self.zone_column.column,)
        other = () if self.next_day_if_before is None else self.next_day_if_before.reads()
        return (*self.columns, *(one.column for one in self.plus), *zone, *other)


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """Comparisons of a column with constants, and with another time: a missing value passes none of them.

    Attributes:
        prefix: the text begins with one of these.
        pattern: the text fits one of these patterns as a whole (`monitor.wire.patterns`).
        above: the number is larger.
        below: the number is smaller.
        at_least: the number is this one or larger.
        at_most: the number is this one or smaller.
        before: the first time is earlier than the second.
        after: the first time is later than the second.
    """

    prefix: tuple[str, ...] = ()
    pattern: tuple[re.Pattern[str], ...] = ()
    above: float | None = None
    below: float | None = None
    at_least: float | None = None
    at_most: float | None = None
    before: tuple[Instant, Instant] | None = None
    after: tuple[Instant, Instant] | None = None

    @property
    def is_of_numbers(self) -> bool:
        """Return whether the column is compared as a number."""
        return any(one is not None for one in (self.above, self.below, self.at_least, self.at_most))

    def reads(self) -> tuple[str, ...]:
        """Return the columns of the times."""
        return tuple([name for one in (*(self.before or ()), *(self.after or ())) for name in one.reads()])


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
        compared: comparisons with constants and with other times.
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
    compared: Compared | None = None
    looks_back: bool = field(init=False)
    """Whether the condition needs the group's previous row."""

    def __post_init__(self) -> None:
        """Work out what each row would ask for again."""
        looks_back = self.changed is not None or self.becomes is not None or self.leaves is not None
        object.__setattr__(self, "looks_back", looks_back)

    def columns(self) -> tuple[str, ...]:
        """Return all columns that the condition reads; some of the names may be empty."""
        return (self.column, self.same_as, self.differs_from, *(self.compared.reads() if self.compared else ()))


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
        span: a column that holds a length of time.
    """

    constant: Value | None = None
    column: str = ""
    previous: bool = False
    values: Mapping[str, str] | None = None
    otherwise: str | None = None
    times: float = 1.0
    instant: Instant | None = None
    duration: tuple[Instant, Instant] | None = None
    span: Length | None = None

    def reads(self) -> tuple[str, ...]:
        """Return the columns that it reads; some of the names may be empty."""
        instants = (*(self.duration or ()), *([self.instant] if self.instant else []))
        return (self.column, self.span.column if self.span else "", *(name for one in instants for name in one.reads()))


class Repeat(NamedTuple):
    """How often an event is made: the column with that number.

    The repetitions are numbered from 1, or after the number in the column ``after``.
    """

    times: str
    after: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRule:
    """One event that a row may make. Its ids are templates; ``separator`` cuts the ``each`` column into parts.

    ``optional``: without a time the event has not happened, and is not made; otherwise the row is rejected.
    ``in_episode``: its ids name the episode, so that rows outside of any make none, and ``rows`` counts those of the
    episode.
    """

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
    optional: bool = False
    in_episode: bool = False


class Episodes(NamedTuple):
    """When an episode of a group begins: the row's conditions, and its time, which becomes the column ``episode``."""

    begin: tuple[Condition, ...]
    at: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """The conditions of rows that are known to be wrong, and the reason under which they are listed."""

    reason: str
    when: tuple[Condition, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FileForm:
    """The form of the rows in files.

    An empty format is taken from the file's name: ``.csv``, ``.jsonl``, ``.json``, with ``.gz`` or without.
    """

    format: Literal["", "csv", "jsonl", "json"] = ""
    delimiter: str = ","
    encoding: str = "utf-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class RowMapping:
    """A whole mapping."""

    name: str
    subject: Subject
    subject_id: str
    """The template of the ids of its subjects; an event may have another one."""
    events: tuple[EventRule, ...]
    missing: frozenset[str] = frozenset({""})
    """Texts that mean "no value"; the empty one is always among them."""
    sequence: str = ""
    group: tuple[str, ...] = ()
    order: tuple[str, ...] = ()
    by_time: Instant | None = None
    """The time by which the rows of a group are put in order where no columns are named for it; None: they stay."""
    episodes: Episodes | None = None
    where: tuple[Condition, ...] = ()
    reject: tuple[Rejection, ...] = ()
    file: FileForm = FileForm()
