"""Rules of a mapping as functions of a row: each rule is looked at once, not once for each row.

A function takes a `View` and returns whether a condition holds, or an instant, an attribute, an id. Rules that several
events share are worked out once a row (`Compiler.shared`). Rules of an event that is made for each part of a row take
the part's view; of these, the ones that do not read the part are worked out once for the whole row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from monitor.core.facts.events import ATTRIBUTES, Value
from monitor.errors import DecodeError
from monitor.wire.mapping_attributes import Told, attributes, value
from monitor.wire.mapping_functions import (
    Id,
    Of,
    all_of,
    checked_id,
    compares,
    date_and_time,
    default_id,
    differs_from,
    duration,
    filled,
    follows,
    id_with_own,
    is_in,
    looks_back,
    not_in,
    plain_instant,
    present,
    previous,
    same_as,
    span,
    text_of_column,
)
from monitor.wire.mapping_rules import Compared, Condition, Instant, Source, ZoneColumn
from monitor.wire.mapping_view import UNMADE, Columns, Part, View, is_of_part
from monitor.wire.row_values import (
    day_ms,
    instant_ms,
    instants_by,
    joined_instants_by,
    next_day_ms,
    span_ms,
    zone_of,
)
from monitor.wire.templates import ID_PARTS, column_of, columns_in, parts_of

T = TypeVar("T")


class Compiler:
    """Makes the functions of one mapping. It gives the columns their places."""

    def __init__(self, columns: Columns, remembered: Sequence[str]) -> None:
        self._columns = columns
        self._remembered = list(remembered)
        self._shared: dict[object, int] = {}

    def shared(self, rule: object, reads: Sequence[str], work: Of[T], part: str) -> Of[T]:
        """Return a function whose result all that share a rule take over.

        Args:
            rule: identifies the rule.
            reads: the columns that it reads.
            work: does the work.
            part: the name of the part whose views the function takes; empty: it takes whole rows.
        """
        if is_of_part(reads, part):
            return work
        place = self._shared.get(rule)
        if place is None:
            place = self._shared[rule] = self._columns.value()
        at = place

        def of_row(view: View) -> T:
            made = view.made
            found = made[at]
            if found is UNMADE:
                found = made[at] = work(view)
            return found  # type: ignore[no-any-return]

        def of_part(view: View) -> T:
            made = view.made
            found = made[at]
            if found is UNMADE:
                assert isinstance(view, Part)
                found = made[at] = work(view.whole)
            return found  # type: ignore[no-any-return]

        return of_part if part else of_row

    def conditions(self, conditions: Sequence[Condition], part: str = "") -> Of[bool] | None:
        """Return the function that says whether all conditions hold; None without any."""
        tests = [test for one in conditions for test in self._condition(one, part)]
        return all_of(tests) if tests else None

    def _condition(self, one: Condition, part: str) -> list[Of[bool]]:
        tests = self._tests(one, part)
        if not part or is_of_part(one.columns(), part):
            return tests
        whole = self._tests(one, "")
        return [self.shared(("condition", id(one)), one.columns(), all_of(whole), part)] if whole else []

    def _tests(self, one: Condition, part: str) -> list[Of[bool]]:
        """Return the tests of a condition, in the order in which they are made."""
        place = self._columns.place(one.column)
        tests: list[Of[bool]] = []
        if one.is_in is not None:
            tests.append(is_in(place, one.is_in))
        if one.not_in is not None:
            tests.append(not_in(place, one.not_in))
        if one.present is not None:
            tests.append(present(place, is_wanted=one.present))
        if one.same_as:
            tests.append(same_as(place, self._columns.place(one.same_as)))
        if one.differs_from:
            tests.append(differs_from(place, self._columns.place(one.differs_from)))
        if one.compared is not None:
            tests += self._compared(place, one.compared, part)
        if one.looks_back:
            tests += looks_back(place, self._remembered.index(one.column), one)
        return tests

    def _compared(self, place: int, by: Compared, part: str) -> list[Of[bool]]:
        tests: list[Of[bool]] = []
        for pair, sign in ((by.before, 1), (by.after, -1)):
            if pair is not None:
                first, second = (self.instant(one, part) for one in pair)
                tests.append(follows(first, second, sign))
        if by.prefix or by.pattern or by.is_of_numbers:
            tests.append(compares(place, by))
        return tests

    def instant(self, of: Instant, part: str = "") -> Of[int | None]:
        """Return the function of a time: its epoch milliseconds; None if one of its columns has no value."""
        if of.constant_ms is not None:
            constant_ms = of.constant_ms
            return lambda _: constant_ms
        is_plain = len(of.columns) == 1 and not of.plus and of.days_since is None and of.zone_column is None
        if is_plain and of.next_day_if_before is None:
            # A known text is found as fast as a shared value.
            return plain_instant(self._columns.place(of.columns[0]), instants_by(of.formats, of.zone))
        own = part if is_of_part(of.reads(), part) else ""
        work = self._plain_then(of, own) if is_plain else self._joined(of, own)
        return self.shared(("instant", id(of)), of.reads(), work, part)

    def _plain_then(self, of: Instant, part: str) -> Of[int | None]:
        at = plain_instant(self._columns.place(of.columns[0]), instants_by(of.formats, of.zone))
        after = self._after(of, part)

        def found(view: View) -> int | None:
            at_ms = at(view)
            return None if at_ms is None else after(view, at_ms, of.zone)

        return found

    def _joined(self, of: Instant, part: str) -> Of[int | None]:
        places = [self._columns.place(column) for column in of.columns]
        lengths = [(self._columns.place(one.column), one.unit) for one in of.plus]
        zone_by = None if of.zone_column is None else self._zone(of.zone_column)
        after = self._after(of, part) if of.next_day_if_before is not None else None
        if len(places) == 2 and not lengths and zone_by is None and after is None:  # noqa: PLR2004 - a date and a time
            return date_and_time(places[0], places[1], joined_instants_by(of.formats, of.zone))
        since, formats, fixed = of.days_since, of.formats, of.zone
        known = instants_by(formats, fixed) if zone_by is None else None

        def found(view: View) -> int | None:
            texts = [view.text(place) for place in places]
            later = [(view.text(place), unit) for place, unit in lengths]
            if None in texts or any(text is None for text, _ in later):
                return None
            text = " ".join(filter(None, texts))
            zone = fixed if zone_by is None else zone_by(view)
            if since is not None:
                at_ms = day_ms(text, since, zone)
            else:
                at_ms = instant_ms(text, formats, zone) if known is None else known(text)
            for length, unit in later:
                if length is not None:
                    at_ms += span_ms(length, unit)
            return at_ms if after is None else after(view, at_ms, zone)

        return found

    def _after(self, of: Instant, part: str) -> Callable[[View, int, str], int]:
        """Return the function that puts a time on the day after if the time that it has to follow is later."""
        first = None if of.next_day_if_before is None else self.instant(of.next_day_if_before, part)

        def found(view: View, at_ms: int, zone: str) -> int:
            first_ms = None if first is None else first(view)
            if first_ms is None or at_ms >= first_ms:
                return at_ms
            next_ms = next_day_ms(at_ms, zone)
            # A day makes no difference where the times are further apart: that is another fault, which must show.
            return next_ms if next_ms >= first_ms else at_ms

        return found

    def _zone(self, of: ZoneColumn) -> Of[str]:
        place = self._columns.place(of.column)

        def found(view: View) -> str:
            text = view.text(place)
            if text is not None and of.values is not None:
                text = of.values.get(text, of.otherwise)
                if not text:
                    raise DecodeError("bad_zone", f"{of.column}: {view.text(place)!r} is not in the map of zones")
            return of.otherwise if text is None else zone_of(text)

        return found

    def attributes(self, sources: Mapping[str, Source], part: str = "") -> Of[dict[str, Value]]:
        """Return the function of an event's attributes."""
        return attributes([self._told(name, one, part) for name, one in sources.items()])

    def _told(self, name: str, of: Source, part: str) -> Told:
        if of.constant is not None:
            return Told(name, of.constant)
        if of.column and not of.previous and ATTRIBUTES[name] in (str, bool):
            # As quick as a shared value would be, and mostly known by its text.
            place = self._columns.place(of.column)
            return Told(name, None, value(name, text_of_column(place), of), place)
        own = part if is_of_part(of.reads(), part) else ""
        return Told(
            name, None, self.shared(("attribute", name, id(of)), of.reads(), self._attribute(name, of, own), part)
        )

    def _attribute(self, name: str, of: Source, part: str) -> Of[Value | None]:
        if of.instant is not None:
            return self.instant(of.instant, part)
        if of.duration is not None:
            first, last = (self.instant(one, part) for one in of.duration)
            return duration(name, first, last)
        if of.span is not None:
            return span(self._columns.place(of.span.column), of)
        if of.previous:
            text = previous(self._remembered.index(of.column))
        else:
            text = text_of_column(self._columns.place(of.column))
        return value(name, text, of)

    def subject_id(self, template: str, part: str = "") -> Of[str]:
        """Return the function of a subject's id."""
        fill = self._template(template)

        def checked(view: View) -> str:
            return checked_id(fill(view))

        return self.shared(("subject", template), sorted(columns_in(template)), checked, part)

    def event_id(self, template: str, kind: str) -> Id:
        """Return the function of the ids of events of a type."""
        parts = parts_of(template)
        if [name for _, name in parts] == ["subject_id", "type", "time_ms", "sequence"] and not parts[0][0]:
            between = [literal for literal, _ in parts]
            return default_id(f"{between[1]}{kind}{between[2]}", between[3])
        if not ID_PARTS.intersection(name for _, name in parts if name is not None):
            fill = self._template(template)
            return lambda view, *_: checked_id(fill(view))
        return id_with_own(
            kind,
            [
                (literal, name or "", -1 if name is None or name in ID_PARTS else self._columns.place(column_of(name)))
                for literal, name in parts
            ],
        )

    def _template(self, template: str) -> Of[str]:
        """Return the function that fills in a template of columns, which must have values."""
        parts = parts_of(template)
        literals = [literal for literal, _ in parts]
        places = [self._columns.place(column_of(name)) for _, name in parts if name is not None]
        return filled(literals if len(literals) > len(places) else [*literals, ""], places)
