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

from collections.abc import Mapping
from typing import Final, NamedTuple

from monitor.core.facts.events import Event, Fact, Value
from monitor.core.pieces import Pieces, at_once
from monitor.errors import DecodeError
from monitor.wire.fields import has_control
from monitor.wire.instants import rfc3339
from monitor.wire.mapping_rules import EPISODE, MOST_REPETITIONS, EventRule, Order, Place, RowMapping
from monitor.wire.mapping_view import PARTS_AT_ONCE, View
from monitor.wire.row_values import whole_number_of

MAX_ID_BYTES: Final = 512
PARTS_AN_EVENT: Final = 2
"""A list may have at most this many parts for each event that a row may make: most parts make no event."""
_DIGITS: Final = 1_000
"""A number with more digits is ordered as a text: Python converts none of more than 4,300 digits."""


class _Memory(NamedTuple):
    """The memory of a group.

    The last row's columns that conditions look back at, its order, the number of rows, the episode (if one has begun)
    and the number of rows in it.
    """

    seen: dict[str, str | None]
    order: Order
    rows: int
    episode: str | None
    rows_of_episode: int


class Mapper:
    """Applies one mapping to rows, one after the other; it remembers the last row of each group."""

    def __init__(self, mapping: RowMapping, most_events: int = MOST_REPETITIONS) -> None:
        self.mapping = mapping
        self.most_events = most_events
        self._memory: dict[tuple[str, ...], _Memory] = {}
        conditions = [*mapping.where, *(one for rule in mapping.reject for one in rule.when)]
        conditions += [one for rule in mapping.events for one in rule.when]
        conditions += mapping.episodes.begin if mapping.episodes else ()
        looked_back = {one.column for one in conditions if one.looks_back}
        looked_back |= {
            source.column for rule in mapping.events for source in rule.attributes.values() if source.previous
        }
        self._remembered = tuple(sorted(looked_back))

    def events(self, row: Mapping[str, object]) -> list[Event] | None:
        """Return the events that a row makes, maybe none; None for a row that ``where`` leaves out.

        Raises:
            DecodeError: the row is rejected, and the memory of its group stays as it was.
        """
        return at_once(self.making(row))

    def making(self, row: Mapping[str, object]) -> Pieces[list[Event] | None]:
        """Do the work of ``events`` in pieces: a body of a megabyte has thousands of parts.

        The memory of the row's group changes at the end only; no other row may be mapped before it.
        """
        mapping = self.mapping
        view = View(row, mapping.missing)
        group = tuple([view.needed(column) for column in mapping.group])
        before = self._memory.get(group) if group else None
        view.before = before.seen if before else None
        if not view.holds(mapping.where):
            return None
        _reject(view, mapping)
        order = _order(view, mapping)
        if before is not None and order < before.order:
            raise DecodeError("stale_row", ", ".join(mapping.order))
        place = before.rows if before else 0
        episode, place_in_episode = self._episode(view, before)
        number = whole_number_of(view.needed(mapping.sequence)) if mapping.sequence else place
        made: list[Event] = []
        for index, rule in enumerate(mapping.events):
            if (rule.in_episode or rule.rows != "every") and not _is_its_row(rule, episode, place, place_in_episode):
                continue
            sequence = number * len(mapping.events) + index
            if rule.each or rule.repeat:
                yield from self._make(made, rule, view, sequence)
            elif view.holds(rule.when):
                self._add(made, rule, view, sequence)
        if group:
            self._remember(group, view, order, place, (episode, place_in_episode))
        return made

    def _remember(
        self, group: tuple[str, ...], view: View, order: Order, place: int, episode: tuple[str | None, int]
    ) -> None:
        seen = {column: view.text(column) for column in self._remembered}
        self._memory[group] = _Memory(seen, order, place + 1, episode[0], episode[1] + 1)

    def _episode(self, view: View, before: _Memory | None) -> tuple[str | None, int]:
        """Return the episode of a row, if one has begun, and the row's place in it."""
        episodes = self.mapping.episodes
        if episodes is None:
            return None, 0
        episode, place = (before.episode, before.rows_of_episode) if before else (None, 0)
        if view.holds(episodes.begin):
            began_ms = view.instant(episodes.at)
            if began_ms is None:
                raise DecodeError("missing_field", " ".join(episodes.at.columns))
            episode, place = rfc3339(began_ms), 0
        view.give(EPISODE, episode)
        return episode, place

    def _make(self, made: list[Event], rule: EventRule, view: View, sequence: int) -> Pieces[None]:
        """Make the events of the parts of a list, or of repetitions."""
        parts = yield from view.parts(rule, PARTS_AN_EVENT * self.most_events)
        for place, part in enumerate(parts):
            if place % PARTS_AT_ONCE == PARTS_AT_ONCE - 1:
                yield
            if part.holds(rule.when):
                self._add(made, rule, part, sequence)

    def _add(self, made: list[Event], rule: EventRule, view: View, sequence: int) -> None:
        """Make one event, if it has happened."""
        event = self._event(rule, view, sequence)
        if event is None:
            return
        if len(made) >= self.most_events:
            raise DecodeError("too_many_events", f"at most {self.most_events:,} are made of one row")
        made.append(event)

    def _event(self, rule: EventRule, view: View, sequence: int) -> Event | None:
        time_ms = view.instant(rule.at)
        if time_ms is None:
            if rule.optional:
                return None
            raise DecodeError("missing_field", " ".join(rule.at.columns))
        subject_id = _checked_id(view.filled(rule.subject_id, {}))
        known = {"subject_id": subject_id, "type": rule.type, "time_ms": str(time_ms), "sequence": str(sequence)}
        event_id = _checked_id(view.filled(rule.id, known))
        attributes: dict[str, Value] = {}
        for name, source in rule.attributes.items():
            value = view.attribute(name, source)
            if value is not None:
                attributes[name] = value
        return Event(self.mapping.subject, subject_id, Fact(time_ms, sequence, event_id, rule.type, attributes))


def _reject(view: View, mapping: RowMapping) -> None:
    for rejection in mapping.reject:
        if view.holds(rejection.when):
            raise DecodeError(rejection.reason)


def _is_its_row(rule: EventRule, episode: str | None, place: int, place_in_episode: int) -> bool:
    """Return whether an event is made of a row with this place in its group, and in its episode if one has begun."""
    if rule.in_episode and episode is None:
        return False
    is_first = (place_in_episode if rule.in_episode else place) == 0
    return rule.rows == "every" or (rule.rows == "first") == is_first


def _checked_id(text: str) -> str:
    if text.isascii() and text.isprintable() and 0 < len(text) <= MAX_ID_BYTES:
        return text  # nearly every one
    if not text or len(text.encode(errors="replace")) > MAX_ID_BYTES or has_control(text):
        raise DecodeError("bad_id", repr(text[:80]))
    return text


def place_of(mapping: RowMapping, row: Mapping[str, object]) -> Place:
    """Return the values of the columns that rows of one group share, and where the row stands in its group.

    Raises:
        DecodeError: ``missing_field``, or what is wrong with the time by which the rows are ordered.
    """
    view = View(row, mapping.missing)
    group = tuple([view.needed(column) for column in mapping.group])
    return Place(group, _order(view, mapping), view.instant(mapping.by_time) if mapping.by_time else None)


def _order(view: View, mapping: RowMapping) -> Order:
    texts = [view.needed(column) for column in mapping.order]
    return tuple([(0, int(text), "") if text.isdecimal() and len(text) <= _DIGITS else (1, 0, text) for text in texts])
