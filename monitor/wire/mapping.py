"""Mappings: the declared rules by which rows of a foreign source become events. No programming is needed.

A `RowMapping` holds the rules; a `Mapper` applies them to one row after the other. Rows come from CSV or JSON files
(`monitor.replay`) or are the parsed JSON of a foreign topic; this module does not know which. The language, key by key
with an example each: ``deploy/mappings/README.md``. `monitor.config.mappings.mapping` reads it.

**Rows that belong together.** The mapper remembers the last row of each group, so that ``becomes``, ``leaves``,
``changed`` and ``previous`` can distinguish a change of state from its mere repetition. A row that is older than the
last one by the columns of ``order`` is rejected (``stale_row``): the change that it seems to show has been overtaken.

**Order and ids.** The sequence of a fact is ``sequence column × number of events in the mapping + place of the event``
(without such a column: the place of the row in its group), so several events of one row, and rows of one minute, stay
in order. Ids come from a template; the default ``{subject_id}:{type}:{time_ms}:{sequence}`` is the same on every run.

**Live sources** (`monitor.stream.agents.mapped`) are topics of JSON objects, one row a record. Nothing is remembered
between two records, so there are no groups.

A row is taken whole or rejected whole, with one of `REASONS` or a reason of the mapping's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any, Final

from monitor.core.facts.events import Event
from monitor.core.pieces import Pieces, at_once
from monitor.errors import DecodeError
from monitor.wire.instants import rfc3339
from monitor.wire.mapping_compiled import Compiler
from monitor.wire.mapping_events import Choice, Rule
from monitor.wire.mapping_functions import Of
from monitor.wire.mapping_rules import EPISODE, MOST_REPETITIONS, Order, RowMapping
from monitor.wire.mapping_view import NOTHING_BEFORE, PARTS_AT_ONCE, UNREAD, Columns, Past, View, keep
from monitor.wire.row_values import whole_number_of

PARTS_AN_EVENT: Final = 2
"""A list may have at most this many parts for each event that a row may make: most parts make no event."""
_new: Final[Callable[..., Any]] = tuple.__new__
"""Makes a named tuple of all its fields in half the time that a call of its name takes."""
_MOST_SHARED: Final = 1 << 16
"""Texts of cells that rows share."""
_DIGITS: Final = 1_000
"""A number with more digits is ordered as a text: Python converts none of more than 4,300 digits."""


class _Shared(dict[str, str | None]):
    """The texts of cells; equal ones are one object.

    Rows that are put in order wait in memory, and those of a group are much alike.
    """

    def __init__(self, missing: frozenset[str]) -> None:
        super().__init__()
        self._missing = missing

    def __missing__(self, cell: str) -> str | None:
        text = cell.strip()
        if len(self) >= _MOST_SHARED:
            self.clear()
        found = self[cell] = None if text in self._missing else text
        return found


class Mapper:
    """Applies one mapping to rows, one after the other; it remembers the last row of each group."""

    def __init__(self, mapping: RowMapping, most_events: int = MOST_REPETITIONS) -> None:
        self.mapping = mapping
        self.most_events = most_events
        self._memory: dict[tuple[str, ...], Past] = {}
        self._orders: dict[tuple[str, ...], Order] = {}
        """Orders by their texts: waiting rows share them."""
        conditions = [*mapping.where, *(one for rule in mapping.reject for one in rule.when)]
        conditions += [one for rule in mapping.events for one in rule.when]
        conditions += mapping.episodes.begin if mapping.episodes else ()
        looked_back = {one.column for one in conditions if one.looks_back}
        looked_back |= {
            source.column for rule in mapping.events for source in rule.attributes.values() if source.previous
        }
        remembered = sorted(looked_back)
        columns = self._columns = Columns(mapping.missing)
        compiler = Compiler(columns, remembered)
        self._remembered = [columns.place(column) for column in remembered or mapping.group]
        self._seen_of = itemgetter(*self._remembered, self._remembered[0]) if self._remembered else None
        self._group = [columns.place(column) for column in mapping.group]
        self._order = [columns.place(column) for column in mapping.order]
        self._sequence = columns.place(mapping.sequence) if mapping.sequence else None
        self._where = compiler.conditions(mapping.where)
        self._reject = [(one.reason, compiler.conditions(one.when)) for one in mapping.reject]
        self._by_time = compiler.instant(mapping.by_time) if mapping.by_time else None
        self._episode_column = columns.place(EPISODE) if mapping.episodes else -1
        self._begins = compiler.conditions(mapping.episodes.begin) if mapping.episodes else None
        self._began_at = compiler.instant(mapping.episodes.at) if mapping.episodes else None
        self._rules = [
            Rule(index, rule, mapping.subject, columns, compiler) for index, rule in enumerate(mapping.events)
        ]
        self._choice = Choice(self._rules, columns, remembered)
        self._is_plain = len(self._rules) <= most_events and not any(one.rule.each or one.repeat for one in self._rules)
        """Whether each rule makes one event of a row at most, and all of them no more than one row may."""

    def view(self, row: Mapping[str, object]) -> View:
        """Return a row as the mapping sees it."""
        return View(self._columns, row, row, [UNREAD] * len(self._columns.names))

    def views_of_cells(self, named: Mapping[str, int]) -> Callable[[Sequence[str]], View]:
        """Return the function that makes a view of the cells of a line; ``named`` has the place of each column."""
        columns, missing = self._columns, self._columns.missing
        unread = [place for place, name in enumerate(columns.names) if name not in named]
        # Two cells at least: of one, `itemgetter` makes no tuple.
        cells_of = itemgetter(*(named.get(name, 0) for name in columns.names), 0)
        row: dict[str, object] = {}
        shared = _Shared(missing).__getitem__

        def view(cells: Sequence[str]) -> View:
            texts = [None if (text := cell.strip()) in missing else text for cell in cells_of(cells)]
            for place in unread:
                texts[place] = UNREAD
            return View(columns, row, named, texts)

        def view_that_waits(cells: Sequence[str]) -> View:
            texts = list(map(shared, cells_of(cells)))
            for place in unread:
                texts[place] = UNREAD
            return View(columns, row, named, texts)

        return view_that_waits if self.mapping.group else view

    def place(self, view: View) -> int | None:
        """Note the values of the columns that rows of one group share, and where a row stands in its group.

        Returns:
            The time by which the rows are ordered where no columns are named for it; None without one.

        Raises:
            DecodeError: ``missing_field``, or what is wrong with the time by which the rows are ordered.
        """
        group = self._group_of(view)
        view.order = self._order_of(view)
        time_ms = None if self._by_time is None else self._by_time(view)
        view.group = group
        return time_ms

    def events(self, row: Mapping[str, object]) -> list[Event] | None:
        """Return the events that a row makes, maybe none; None for a row that ``where`` leaves out.

        Raises:
            DecodeError: the row is rejected, and the memory of its group stays as it was.
        """
        return self.take(self.view(row))

    def making(self, row: Mapping[str, object]) -> Pieces[list[Event] | None]:
        """Do the work of ``events`` in pieces: a body of a megabyte has thousands of parts.

        The memory of the row's group changes at the end only; no other row may be mapped before it.
        """
        return (yield from self._taking(self.view(row)))

    def take(self, view: View) -> list[Event] | None:
        """Return the events of a row, as ``events`` does."""
        if not self._is_plain:
            return at_once(self._taking(view))
        number = self._begin(view)
        if number is None:
            return None
        made: list[Event] = []
        for holds, make in self._choice.of(view):
            if holds is None or holds(view):
                event = make(view, number)
                if event is not None:
                    made.append(event)
        if self._group:
            self._remember(view)
        return made

    def _taking(self, view: View) -> Pieces[list[Event] | None]:
        number = self._begin(view)
        if number is None:
            return None
        made: list[Event] = []
        try:
            for rule in self._rules:
                if rule.is_of_every_row or rule.is_its_row(view.past):
                    yield from self._of_parts(made, rule, view, number)
        finally:
            view.forget_parts()
        if self._group:
            self._remember(view)
        return made

    def _of_parts(self, made: list[Event], rule: Rule, view: View, number: int) -> Pieces[None]:
        """Make the events of the parts of a list, of repetitions, or of the row itself."""
        parts: Iterable[View] = (view,)
        holds, make = rule.holds, rule.make
        if rule.repeat is not None:
            parts = view.repetitions(*rule.repeat)
        elif rule.each is not None:
            parts = yield from view.parts(rule.each, rule.rule.separator, PARTS_AN_EVENT * self.most_events)
        for place, part in enumerate(parts):
            if place % PARTS_AT_ONCE == PARTS_AT_ONCE - 1:
                yield
            if holds is None or holds(part):
                event = make(part, number)
                if event is not None:
                    if len(made) >= self.most_events:
                        raise DecodeError("too_many_events", f"at most {self.most_events:,} are made of one row")
                    made.append(event)

    def _begin(self, view: View) -> int | None:
        """Find out where a row stands, and return the number of its first event; None if ``where`` leaves it out."""
        past, group = NOTHING_BEFORE, view.group
        is_placed = group is not None
        if self._group:
            if group is None:
                group = view.group = self._group_of(view)
            past = view.past = self._memory.get(group, NOTHING_BEFORE)
        if self._where is not None and not self._where(view):
            return None
        for reason, is_wrong in self._reject:
            if is_wrong is None or is_wrong(view):
                raise DecodeError(reason)
        if self._order:
            if not is_placed:
                view.order = self._order_of(view)
            if view.order < past.order:
                raise DecodeError("stale_row", ", ".join(self.mapping.order))
        if self._began_at is not None:
            self._look_for_episode(view, self._began_at)
        number = past.rows if self._sequence is None else whole_number_of(view.needed(self._sequence))
        return number * len(self._rules)

    def _remember(self, view: View) -> None:
        """Remember a row whose events are made, for the next row of its group."""
        assert view.group is not None
        assert self._seen_of is not None
        seen = self._seen_of(view.texts)
        if UNREAD in seen:
            seen = tuple([view.text(place) for place in self._remembered])
        _, _, rows, episode, rows_of_episode = view.past
        self._memory[view.group] = _new(Past, (seen, view.order, rows + 1, episode, rows_of_episode + 1))

    def _group_of(self, view: View) -> tuple[str, ...]:
        return tuple([view.needed(column) for column in self._group])

    def _order_of(self, view: View) -> Order:
        texts = tuple([view.needed(column) for column in self._order])
        found = self._orders.get(texts)
        if found is None:
            found = tuple([_sort_key(text) for text in texts])
            keep(self._orders, texts, found)
        return found

    def _look_for_episode(self, view: View, began_at: Of[int | None]) -> None:
        """Find the episode of a row, if one has begun: it is the one of the row before, or begins with this row."""
        if self._begins is None or self._begins(view):
            began_ms = began_at(view)
            if began_ms is None:
                assert self.mapping.episodes is not None
                raise DecodeError("missing_field", " ".join(self.mapping.episodes.at.columns))
            view.past = view.past._replace(episode=rfc3339(began_ms), rows_of_episode=0)
        view.texts[self._episode_column] = view.past.episode


def _sort_key(text: str) -> tuple[int, int, str]:
    return (0, int(text), "") if text.isdecimal() and len(text) <= _DIGITS else (1, 0, text)
