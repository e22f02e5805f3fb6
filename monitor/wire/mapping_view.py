"""A row as a mapping sees it: its columns as texts, and conditions, times, attributes and templates made of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from monitor.core.facts.events import Value
from monitor.core.pieces import Pieces, lots
from monitor.errors import DecodeError
from monitor.wire.mapping_rules import (
    EACH,
    LONGEST_COMPARED,
    MOST_REPETITIONS,
    REPETITION,
    Compared,
    Condition,
    EventRule,
    Instant,
    Repeat,
    Source,
    ZoneColumn,
)
from monitor.wire.row_values import (
    attribute_of,
    day_ms,
    instant_ms,
    lookup,
    next_day_ms,
    number_of,
    span_ms,
    text_of,
    whole_number_of,
    zone_of,
)
from monitor.wire.templates import column_of, parts_of

_UNREAD: Final = "\x00unread"
"""The text of a column that has not been read, by identity."""
PARTS_AT_ONCE: Final = 64
"""Parts of a list that are worked on without a pause."""


class View:
    """A row as a mapping sees it: texts, None for those that mean "no value", beside the previous row's texts."""

    def __init__(
        self, row: Mapping[str, object], missing: frozenset[str], before: Mapping[str, str | None] | None = None
    ) -> None:
        self.row = row
        self.missing = missing
        self.before = before
        self._texts: dict[str, str | None] = {}
        self._made: dict[int, Value | None] = {}
        """Instants and attributes by the ``id()`` of their rules: several events share them."""
        self.held: dict[int, bool | None] = {}
        """By a condition's ``id()``: whether it holds for all parts of the row; None if that depends on the part."""
        self._lists: dict[tuple[str, str], list[View]] = {}

    def text(self, column: str) -> str | None:
        """Return a column's text; None if it has no value."""
        found = self._texts.get(column, _UNREAD)  # all rules read the same few columns
        if found is not _UNREAD:
            return found
        value = self.row.get(column)
        if value.__class__ is str:  # a cell of CSV, and most fields of JSON
            text: str | None = value.strip()
        else:
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

    def give(self, column: str, text: str | None) -> None:
        """Give the row a column of our own."""
        self._texts[column] = text

    def parts(self, rule: EventRule, most: int) -> Pieces[Iterable[View]]:
        """Return a view for each part of the column that the rule cuts into parts, or for each repetition, in pieces.

        A part that occurs twice counts once.
        """
        if rule.repeat is not None:
            return self._repetitions(rule.repeat)
        found = self._lists.get((rule.each, rule.separator))
        if found is None:  # several rules read the same list
            found = self._lists[rule.each, rule.separator] = yield from self._parts_of(rule, most)
        return found

    def _parts_of(self, rule: EventRule, most: int) -> Pieces[list[View]]:
        value = lookup(self.row, rule.each)
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
            whole = self.text(rule.each)
            parts = {} if whole is None else {part.strip(): part.strip() for part in whole.split(rule.separator or ",")}
        if len(parts) > most:
            raise DecodeError("too_many_events", f"{rule.each}: {len(parts):,} parts, at most {most:,} are looked at")
        return [_Part(self, EACH, part) for text, part in parts.items() if text and text not in self.missing]

    def _repetitions(self, repeat: Repeat) -> Iterator[View]:
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
        """Return whether a condition holds."""
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
        if condition.compared is not None and not self._compares(condition.compared, text):
            return False
        return not condition.looks_back or self._changed_so(condition, text)

    def _compares(self, by: Compared, text: str | None) -> bool:
        for pair, sign in ((by.before, 1), (by.after, -1)):
            if pair is not None:
                first, second = (self.instant(one) for one in pair)
                if first is None or second is None or (second - first) * sign <= 0:
                    return False
        if text is None:
            return not (by.prefix or by.pattern or by.is_of_numbers)
        if by.prefix and not text.startswith(by.prefix):
            return False
        if by.pattern and (len(text) > LONGEST_COMPARED or not any(one.match(text) for one in by.pattern)):
            return False
        if not by.is_of_numbers:
            return True
        number = number_of(text)
        return (
            (by.above is None or number > by.above)
            and (by.below is None or number < by.below)
            and (by.at_least is None or number >= by.at_least)
            and (by.at_most is None or number <= by.at_most)
        )

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
        rule = id(of)
        if rule in self._made:
            return self._made[rule]  # type: ignore[return-value] # an instant
        found = self._made[rule] = self._instant(of)
        return found

    def _instant(self, of: Instant) -> int | None:
        if of.constant_ms is not None:
            return of.constant_ms
        if len(of.columns) == 1 and not of.plus and of.days_since is None and of.zone_column is None:
            text = self.text(of.columns[0])
            at_ms = None if text is None else instant_ms(text, of.formats, of.zone)
            return at_ms if at_ms is None or of.next_day_if_before is None else self._after(at_ms, of, of.zone)
        texts = [self.text(column) for column in of.columns]
        later = [(self.text(one.column), one.unit) for one in of.plus]
        if None in texts or any(text is None for text, _ in later):
            return None
        text = " ".join(filter(None, texts))
        zone = of.zone if of.zone_column is None else self._zone(of.zone_column)
        at_ms = instant_ms(text, of.formats, zone) if of.days_since is None else day_ms(text, of.days_since, zone)
        at_ms += sum(span_ms(length, unit) for length, unit in later if length is not None)
        return at_ms if of.next_day_if_before is None else self._after(at_ms, of, zone)

    def _after(self, at_ms: int, of: Instant, zone: str) -> int:
        """Return a time, or the same time of the day after if it is earlier than the time that it has to follow."""
        first_ms = None if of.next_day_if_before is None else self.instant(of.next_day_if_before)
        if first_ms is None or at_ms >= first_ms:
            return at_ms
        next_ms = next_day_ms(at_ms, zone)
        # A day makes no difference where the times are further apart: that is another fault, which must show.
        return next_ms if next_ms >= first_ms else at_ms

    def _zone(self, of: ZoneColumn) -> str:
        text = self.text(of.column)
        if text is not None and of.values is not None:
            text = of.values.get(text, of.otherwise)
            if not text:
                raise DecodeError("bad_zone", f"{of.column}: {self.text(of.column)!r} is not in the map of zones")
        return of.otherwise if text is None else zone_of(text)

    def attribute(self, name: str, source: Source) -> Value | None:
        """Return an attribute's value; None if it has none."""
        if source.constant is not None:
            return source.constant
        rule = id(source)
        if rule in self._made:
            return self._made[rule]
        found = self._made[rule] = self._attribute(name, source)
        return found

    def _attribute(self, name: str, source: Source) -> Value | None:
        if source.instant is not None:
            return self.instant(source.instant)
        if source.duration is not None:
            start_ms, end_ms = (self.instant(one) for one in source.duration)
            if start_ms is None or end_ms is None:
                return None
            if end_ms < start_ms:
                raise DecodeError("negative_duration", name)
            return end_ms - start_ms
        if source.span is not None:
            length = self.text(source.span.column)
            return None if length is None else span_ms(length, source.span.unit)
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


class _Part(View):
    """One part of a row, or one repetition, as the column of its name. All other columns are those of the whole row.

    The row is not copied, and conditions that are the same for all parts are evaluated once: a large row has many
    parts.
    """

    def __init__(self, whole: View, name: str, part: object) -> None:
        super().__init__({name: part}, whole.missing, whole.before)
        self._whole = whole
        self._name = name
        self._inside = name + "."

    def text(self, column: str) -> str | None:
        found = self._texts.get(column, _UNREAD)
        if found is not _UNREAD:
            return found
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
