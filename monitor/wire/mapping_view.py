"""A row as a mapping sees it: the texts of its columns, and the values that its rules have made of them so far.

Columns have places, which `monitor.wire.mapping_compiled` gives them once for a mapping: reading a column is reading an
item of a list.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeVar

from monitor.core.pieces import Pieces, lots
from monitor.errors import DecodeError
from monitor.wire.mapping_rules import EACH, MOST_REPETITIONS, REPETITION, Order
from monitor.wire.row_values import lookup, text_of, whole_number_of

UNREAD: Final = "\x00unread"
"""The text of a column that has not been read, by identity."""
UNMADE: Final[Any] = object()
"""A value that has not been made."""
PARTS_AT_ONCE: Final = 64
"""Parts of a list that are worked on without a pause."""


_MOST_KEPT: Final = 1 << 12
"""Combinations of texts for which it is kept what follows from them."""

K = TypeVar("K")
T = TypeVar("T")


def keep(kept: dict[K, T], texts: K, found: T) -> T:
    """Keep what follows from some texts, within a bound, and return it."""
    if len(kept) >= _MOST_KEPT:
        kept.clear()
    kept[texts] = found
    return found


class Columns:
    """The columns that a mapping reads, by place, and the number of values that its rules share."""

    def __init__(self, missing: frozenset[str]) -> None:
        self.missing = missing
        self.names: list[str] = []
        self.values = 0
        self._places: dict[str, int] = {}
        self._texts: dict[str, tuple[int, ...]] = {}
        self._fields: dict[str, tuple[int, ...]] = {}

    def place(self, column: str) -> int:
        """Return the place of a column."""
        if column not in self._places:
            self._places[column] = len(self.names)
            self.names.append(column)
        return self._places[column]

    def value(self) -> int:
        """Return the place of one more value that is made once for a row."""
        self.values += 1
        return self.values - 1

    def texts_of(self, part: str) -> tuple[int, ...]:
        """Return the place of the column that is a part itself, if a rule reads it; once all columns have places."""
        found = self._texts.get(part)
        if found is None:
            found = self._texts[part] = tuple([place for place, name in enumerate(self.names) if name == part])
        return found

    def fields_of(self, part: str) -> tuple[int, ...]:
        """Return the places of the columns that may be fields of a part; once all columns have places."""
        found = self._fields.get(part)
        if found is None:
            places = [place for place, name in enumerate(self.names) if name.startswith(part + ".")]
            found = self._fields[part] = tuple(places)
        return found


class Past(NamedTuple):
    """What came before a row in its group, as the mapper remembers it.

    Attributes:
        seen: the texts of the last row that conditions look back at; None without such a row.
        order: the order of the last row.
        rows: how many rows there were.
        episode: the episode of the last row, if one had begun.
        rows_of_episode: how many rows of the episode there were.
    """

    seen: tuple[str | None, ...] | None
    order: Order
    rows: int
    episode: str | None
    rows_of_episode: int


NOTHING_BEFORE: Final = Past(None, (), 0, None, 0)


class View:
    """A row: its texts by place, None for those that mean "no value", and what came before it in its group.

    Attributes:
        columns: the columns of the mapping.
        texts: the columns' texts; `UNREAD` ones are read from ``row`` when a rule asks for them.
        made: the values that rules share; `UNMADE` ones are made when a rule asks for them.
        past: what came before it in its group; its episode is that of this row, if one has begun.
        names: the columns that the row has itself.
        group: the values of the columns that rows of one group share; None until they are asked for.
        order: the values of the columns by which the rows of a group are ordered; empty until they are asked for.
    """

    __slots__ = ("_lists", "columns", "group", "made", "names", "order", "past", "row", "texts")

    def __init__(
        self, columns: Columns, row: Mapping[str, object], names: Container[str], texts: list[str | None]
    ) -> None:
        self.columns = columns
        self.row = row
        self.names = names
        self.texts = texts
        self.made: list[Any] = [UNMADE] * columns.values
        self.past = NOTHING_BEFORE
        self.group: tuple[str, ...] | None = None
        self.order: Order = ()
        self._lists: dict[tuple[int, str], list[Part]] | None = None

    def read(self, place: int) -> str | None:
        """Read a column's text, and keep it; None if it has no value."""
        columns = self.columns
        column = columns.names[place]
        value = self.row.get(column)
        if value.__class__ is str:  # a cell of CSV, and most fields of JSON
            text: str | None = value.strip()
        else:
            value = lookup(self.row, column)
            text = None if value is None else text_of(value)
        found = self.texts[place] = None if text in columns.missing else text
        return found

    def text(self, place: int) -> str | None:
        """Return a column's text; None if it has no value."""
        text = self.texts[place]
        return self.read(place) if text is UNREAD else text

    def needed(self, place: int) -> str:
        """Return a column's text, which must be there."""
        text = self.texts[place]
        if text is UNREAD:
            text = self.read(place)
        if text is None:
            raise DecodeError("missing_field", self.columns.names[place])
        return text

    def parts(self, column: int, separator: str, most: int) -> Pieces[list[Part]]:
        """Return a view for each part of a column, in pieces. A part that occurs twice counts once."""
        known = self._lists = {} if self._lists is None else self._lists
        found = known.get((column, separator))
        if found is None:  # several rules read the same list
            found = known[column, separator] = yield from self._parts(column, separator, most)
        return found

    def _parts(self, column: int, separator: str, most: int) -> Pieces[list[Part]]:
        name = self.columns.names[column]
        value = lookup(self.row, name)
        parts: dict[str, object] = {}
        if isinstance(value, Sequence) and not isinstance(value, str):
            for lot in lots(value, PARTS_AT_ONCE):
                parts |= {
                    text_of(part): part if isinstance(part, Mapping) else text_of(part)
                    for part in lot
                    if part is not None
                }
                yield
        else:
            whole = self.text(column)
            parts = {} if whole is None else {part.strip(): part.strip() for part in whole.split(separator or ",")}
        if len(parts) > most:
            raise DecodeError("too_many_events", f"{name}: {len(parts):,} parts, at most {most:,} are looked at")
        missing = self.columns.missing
        return [Part(self, EACH, part, text) for text, part in parts.items() if text and text not in missing]

    def forget_parts(self) -> None:
        """Let go of the parts, which refer to their row: a circle would stay until the garbage collector finds it."""
        self._lists = None

    def repetitions(self, times: int, after: int | None) -> Iterator[Part]:
        """Yield a view for each repetition: the columns hold how many there are, and after which number they begin."""
        count, before = (
            0 if (text := self.text(place)) is None else whole_number_of(text)
            for place in (times, times if after is None else after)
        )
        if not 0 <= count <= MOST_REPETITIONS or before < 0:
            raise DecodeError("bad_number", f"{self.columns.names[times]}: {count} is no number of repetitions")
        first = 1 if after is None else before + 1
        if not count:
            return
        # One view for all of them: they differ in the number only.
        view, texts = Part(self, REPETITION, first, ""), self.columns.texts_of(REPETITION)
        for number in range(first, first + count):
            text = str(number)
            for place in texts:
                view.texts[place] = None if text in self.columns.missing else text
            yield view


class Part(View):
    """One part of a row, or one repetition, as the column of its name. All other columns are those of the whole row.

    The row is not copied, and whatever is the same for all parts is made once: a large row has many parts.
    """

    __slots__ = ("_name", "whole")

    def __init__(self, whole: View, name: str, part: object, text: str) -> None:
        columns = self.columns = whole.columns
        self.row = {name: part}
        self.names = ()
        self.texts = whole.texts.copy()
        for place in columns.fields_of(name):
            self.texts[place] = UNREAD
        for place in columns.texts_of(name):
            self.texts[place] = text
        self.made = whole.made
        self.past = whole.past
        self.whole = whole
        self._name = name

    def read(self, place: int) -> str | None:
        """Read a column's text, of the part or of the whole row."""
        column = self.columns.names[place]
        if column.startswith(self._name + ".") and column not in self.whole.names:
            return super().read(place)
        found = self.texts[place] = self.whole.text(place)
        return found


def is_of_part(columns: Iterable[str], part: str) -> bool:
    """Return whether one of some columns may be a part's own: a row may have a column of such a name itself."""
    return bool(part) and any(column == part or column.startswith(part + ".") for column in columns)
