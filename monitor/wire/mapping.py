"""Mappings: the declared rules by which rows of a foreign source become events. No programming is needed.

A `RowMapping` holds the rules; a `Mapper` applies them to one row after the other. Rows come from CSV or JSON lines
(`monitor.replay`) or are the parsed JSON of a foreign topic; this module does not know which. Example, as YAML
(`monitor.config.mappings.mapping` reads it; ``tests/mappings`` has three real ones)::

    subject: ticket
    subject_id: "{number}"
    missing: ["?"]
    time: {formats: ["%d/%m/%Y %H:%M"], zone: America/Sao_Paulo}
    sequence: sys_mod_count
    group: {by: [number], order: [sys_mod_count]}
    reject:
      - {reason: updated_before_opened, when: {sys_updated_at: {before: opened_at}}}
    attributes: {priority: {column: priority, values: {1 - Critical: P1, 2 - High: P2}}}
    events:
      - {type: opened, rows: first, at: opened_at}
      - {type: resolved, at: sys_updated_at, when: {incident_state: {becomes: [Resolved]}}}

**One row, several events.** Each event of the mapping whose conditions hold is made, in the order of the mapping.
``each`` makes one event for every part of a column that holds a list (``A|B|C``, or a JSON list). The part is the
column ``each`` in templates, attributes and conditions. Where the parts are objects, such as the items of a change log,
their fields are ``each.field`` and so on.

**One row, the same event several times.** Tables of aggregates hold counts. ``repeat: {times: answered}`` makes the
event as many times as the column counts. The column ``repetition`` numbers the events (from 1 on, or after the number
in ``after``), and the event's id has to contain it. An average in the row becomes the value of each event. So sums and
means over rows are right, weighted by their counts; percentiles, the longest, and shares within a time are those of the
averages. A length of time is written ``0:02:45`` in a column: ``span`` makes an attribute of it, ``plus`` adds it to an
instant. ``days_since`` reads a column that counts days from a date.

**Rows that belong together.** ``group`` names the columns whose values rows of one group share. The mapper remembers
the last row of each group, so that ``becomes``, ``leaves``, ``changed`` and ``previous`` can distinguish a change of
state from its mere repetition. ``order`` names the columns by which the rows of a group follow each other. A row that
is older than the last one is rejected (``stale_row``): the change that it seems to show has been overtaken.

**Order and ids.** The sequence of a fact is ``sequence column × number of events in the mapping + place of the event``
(without such a column: the place of the row in its group), so several events of one row, and rows of one minute, stay
in order. Ids come from a template; the default ``{subject_id}:{type}:{time_ms}:{sequence}`` is the same on every run.

**Live sources** (`monitor.stream.agents.mapped`) are topics of JSON objects, one row a record. Nothing is remembered
between two records, so there are no groups. A change must stand in the row itself, as before and after (``same_as``,
``differs_from`` compare two columns) or as items of a change log (``each``). Write ids that identify the change
(``"{changelog.id}:{type}"``): an event that is delivered twice is then known again, also after the mapping was amended.

A row is taken whole or rejected whole, with one of `REASONS` or a reason of the mapping's own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from monitor.core.facts.events import Event, Fact, Value
from monitor.core.pieces import Pieces, at_once, lots
from monitor.errors import DecodeError
from monitor.wire.fields import has_control
from monitor.wire.mapping_rules import (
    EACH,
    MOST_REPETITIONS,
    REPETITION,
    Condition,
    EventRule,
    Instant,
    Order,
    Repeat,
    RowMapping,
    Source,
)
from monitor.wire.row_values import attribute_of, day_ms, instant_ms, lookup, span_ms, text_of, whole_number_of
from monitor.wire.templates import column_of, parts_of

MAX_ID_BYTES: Final = 512
PARTS_AN_EVENT: Final = 2
"""A list may have at most this many parts for each event that a row may make: most parts make no event."""
_PARTS_AT_ONCE: Final = 64
"""Parts of a list that are worked on without a pause."""
_DIGITS: Final = 1_000
"""A number with more digits is ordered as a text: Python converts none of more than 4,300 digits."""


class _Memory(NamedTuple):
    """The memory of a group: the last row's columns that conditions look back at, its order, and the number of rows."""

    seen: dict[str, str | None]
    order: Order
    rows: int


class Mapper:
    """Applies one mapping to rows, one after the other; it remembers the last row of each group."""

    def __init__(self, mapping: RowMapping, most_events: int = MOST_REPETITIONS) -> None:
        self.mapping = mapping
        self.most_events = most_events
        self._memory: dict[tuple[str, ...], _Memory] = {}
        conditions = [*mapping.where, *(one for rule in mapping.reject for one in rule.when)]
        conditions += [one for rule in mapping.events for one in rule.when]
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
        view = _View(row, mapping.missing)
        group = tuple([view.needed(column) for column in mapping.group])
        before = self._memory.get(group) if group else None
        view.before = before.seen if before else None
        if not view.holds(mapping.where):
            return None
        for rejection in mapping.reject:
            if view.holds(rejection.when):
                raise DecodeError(rejection.reason)
        order = _order(view, mapping)
        if before is not None and order < before.order:
            raise DecodeError("stale_row", ", ".join(mapping.order))
        place = before.rows if before else 0
        number = whole_number_of(view.needed(mapping.sequence)) if mapping.sequence else place
        made: list[Event] = []
        for index, rule in enumerate(mapping.events):
            if rule.rows != "every" and (rule.rows == "first") != (place == 0):
                continue
            sequence = number * len(mapping.events) + index
            yield from self._make(made, rule, view, sequence)
        if group:
            seen = {column: view.text(column) for column in self._remembered}
            self._memory[group] = _Memory(seen, order, place + 1)
        return made

    def _make(self, made: list[Event], rule: EventRule, view: _View, sequence: int) -> Pieces[None]:
        most = self.most_events
        parts: Iterable[_View] = (view,)
        if rule.each or rule.repeat:
            parts = yield from view.parts(rule, PARTS_AN_EVENT * most)
        for place, part in enumerate(parts):
            if place % _PARTS_AT_ONCE == _PARTS_AT_ONCE - 1:
                yield
            if part.holds(rule.when):
                if len(made) >= most:
                    raise DecodeError("too_many_events", f"at most {most:,} are made of one row")
                made.append(self._event(rule, part, sequence))

    def _event(self, rule: EventRule, view: _View, sequence: int) -> Event:
        time_ms = view.instant(rule.at)
        if time_ms is None:
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


class _View:
    """A row as a mapping sees it: texts, None for those that mean "no value", beside the previous row's texts."""

    def __init__(
        self, row: Mapping[str, object], missing: frozenset[str], before: Mapping[str, str | None] | None = None
    ) -> None:
        self.row = row
        self.missing = missing
        self.before = before
        self._texts: dict[str, str | None] = {}
        self.held: dict[int, bool | None] = {}
        """By a condition's ``id()``: whether it holds for all parts of the row; None if that depends on the part."""
        self._lists: dict[tuple[str, str], list[_View]] = {}

    def text(self, column: str) -> str | None:
        """Return a column's text; None if it has no value."""
        try:
            return self._texts[column]  # all rules read the same few columns
        except KeyError:
            value = lookup(self.row, column)
            text = None if value is None else text_of(value)
            found = self._texts[column] = None if text in self.missing else text
            return found

    def needed(self, column: str) -> str:
        """Return a column's text, which must be there."""
        text = self.text(column)
        if text is None:
            raise DecodeError("missing_field", column)
        return text

    def parts(self, rule: EventRule, most: int) -> Pieces[Iterable[_View]]:
        """Return a view for each part of the column that the rule cuts into parts, or for each repetition, in pieces.

        A part that occurs twice counts once.
        """
        if rule.repeat is not None:
            return self._repetitions(rule.repeat)
        found = self._lists.get((rule.each, rule.separator))
        if found is None:  # several rules read the same list
            found = self._lists[rule.each, rule.separator] = yield from self._parts_of(rule, most)
        return found

    def _parts_of(self, rule: EventRule, most: int) -> Pieces[list[_View]]:
        value = lookup(self.row, rule.each)
        parts: dict[str, object] = {}
        if isinstance(value, Sequence) and not isinstance(value, str):
            for lot in lots(value, _PARTS_AT_ONCE):
                parts |= {
                    text_of(part): part if isinstance(part, Mapping) else text_of(part)
                    for part in lot
                    if part is not None
                }
                yield
        else:
            whole = self.text(rule.each)
            parts = {} if whole is None else {part.strip(): part.strip() for part in whole.split(rule.separator or ",")}
        if len(parts) > most:
            raise DecodeError("too_many_events", f"{rule.each}: {len(parts):,} parts, at most {most:,} are looked at")
        return [_Part(self, EACH, part) for text, part in parts.items() if text and text not in self.missing]

    def _repetitions(self, repeat: Repeat) -> Iterator[_View]:
        times, after = (
            0 if (text := self.text(column)) is None else whole_number_of(text)
            for column in (repeat.times, repeat.after or repeat.times)
        )
        if not 0 <= times <= MOST_REPETITIONS or after < 0:
            raise DecodeError("bad_number", f"{repeat.times}: {times} is no number of repetitions")
        first = after + 1 if repeat.after else 1
        for number in range(first, first + times):
            yield _Part(self, REPETITION, number)

    def holds(self, conditions: Sequence[Condition]) -> bool:
        """Return whether all conditions hold."""
        for condition in conditions:  # noqa: SIM110 - the hot path: `all` of a generator takes twice as long
            if not self.holds_one(condition):
                return False
        return True

    def holds_one(self, condition: Condition) -> bool:
        text = self.text(condition.column)
        is_in, not_in, present = condition.is_in, condition.not_in, condition.present
        if (is_in is not None and text not in is_in) or (not_in is not None and text in not_in):
            return False
        if present is not None and (text is not None) != present:
            return False
        if condition.same_as and (text is None or text != self.text(condition.same_as)):
            return False
        if condition.differs_from and text == self.text(condition.differs_from):
            return False
        if condition.before is not None:
            first, second = (self.instant(one) for one in condition.before)
            if first is None or second is None or first >= second:
                return False
        return not condition.looks_back or self._changed_so(condition, text)

    def _changed_so(self, condition: Condition, text: str | None) -> bool:
        before = self.before.get(condition.column) if self.before else None
        changed, becomes, leaves = condition.changed, condition.becomes, condition.leaves
        return (
            (changed is None or (self.before is not None and before != text) == changed)
            and (becomes is None or (text in becomes and before not in becomes))
            and (leaves is None or (text not in leaves and before in leaves))
        )

    def instant(self, of: Instant) -> int | None:
        """Return a time in epoch milliseconds; None if one of its columns has no value."""
        texts = [self.text(column) for column in of.columns]
        later = [self.text(column) for column in of.plus]
        if None in texts or None in later:
            return None
        text = " ".join(filter(None, texts))
        at_ms = instant_ms(text, of.formats, of.zone) if of.days_since is None else day_ms(text, of.days_since, of.zone)
        return at_ms + sum(span_ms(one) for one in later if one is not None)

    def attribute(self, name: str, source: Source) -> Value | None:
        """Return an attribute's value; None if it has none."""
        if source.constant is not None:
            return source.constant
        if source.instant is not None:
            return self.instant(source.instant)
        if source.duration is not None:
            start_ms, end_ms = (self.instant(one) for one in source.duration)
            if start_ms is None or end_ms is None:
                return None
            if end_ms < start_ms:
                raise DecodeError("negative_duration", name)
            return end_ms - start_ms
        if source.span:
            length = self.text(source.span)
            return None if length is None else span_ms(length)
        text = self.text(source.column) if not source.previous else (self.before or {}).get(source.column)
        if text is not None and source.values is not None:
            mapped = source.values.get(text, source.otherwise)
            if mapped is None:
                raise DecodeError("unknown_value", f"{source.column}: {text!r}")
            text = mapped
        text = source.otherwise if text is None else text
        return None if text is None else attribute_of(name, text, source.times)

    def filled(self, template: str, known: Mapping[str, str]) -> str:
        """Return a template with its columns filled in; each must have a value."""
        return "".join(
            [
                literal + ("" if name is None else known[name] if name in known else self.needed(column_of(name)))
                for literal, name in parts_of(template)
            ]
        )


class _Part(_View):
    """One part of a row, or one repetition, as the column of its name. All other columns are those of the whole row.

    The row is not copied, and conditions that are the same for all parts are evaluated once: a large row has many
    parts.
    """

    def __init__(self, whole: _View, name: str, part: object) -> None:
        super().__init__({name: part}, whole.missing, whole.before)
        self._whole = whole
        self._name = name
        self._inside = name + "."

    def text(self, column: str) -> str | None:
        try:
            return self._texts[column]
        except KeyError:
            if self._is_own(column):
                return super().text(column)
            found = self._texts[column] = self._whole.text(column)
            return found

    def _is_own(self, column: str) -> bool:
        return column == self._name or (column.startswith(self._inside) and column not in self._whole.row)

    def holds_one(self, condition: Condition) -> bool:
        known, rule = self._whole.held, id(condition)
        if rule not in known:
            is_own = any(self._is_own(column) for column in condition.columns())
            known[rule] = None if is_own else self._whole.holds_one(condition)
        held = known[rule]
        return super().holds_one(condition) if held is None else held


def _checked_id(text: str) -> str:
    if not text or len(text.encode(errors="replace")) > MAX_ID_BYTES or has_control(text):
        raise DecodeError("bad_id", repr(text[:80]))
    return text


def place_of(mapping: RowMapping, row: Mapping[str, object]) -> tuple[tuple[str, ...], Order]:
    """Return the values of the columns that rows of one group share, and the order of the row in its group.

    Raises:
        DecodeError: ``missing_field``.
    """
    view = _View(row, mapping.missing)
    return tuple([view.needed(column) for column in mapping.group]), _order(view, mapping)


def _order(view: _View, mapping: RowMapping) -> Order:
    texts = [view.needed(column) for column in mapping.order]
    return tuple([(0, int(text), "") if text.isdecimal() and len(text) <= _DIGITS else (1, 0, text) for text in texts])
