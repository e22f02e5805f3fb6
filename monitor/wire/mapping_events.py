"""The events that a row may make: whether its rules concern the row, and what makes them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import takewhile
from operator import itemgetter
from typing import Any, Final

from monitor.core.facts.events import Event, Fact, Subject
from monitor.errors import DecodeError
from monitor.wire.mapping_compiled import Compiler
from monitor.wire.mapping_functions import Id, Of
from monitor.wire.mapping_rules import EACH, REPETITION, Condition, EventRule
from monitor.wire.mapping_view import UNREAD, Columns, Past, View, keep

_new: Final[Callable[..., Any]] = tuple.__new__
"""Makes a named tuple of all its fields in half the time that a call of its name takes."""


class Rule:
    """An event that a row may make, as functions of the row."""

    __slots__ = ("chosen", "each", "holds", "is_of_every_row", "make", "repeat", "rest", "rule")

    def __init__(self, index: int, rule: EventRule, subject: Subject, columns: Columns, compiler: Compiler) -> None:
        part = EACH if rule.each else REPETITION if rule.repeat else ""
        self.rule = rule
        self.is_of_every_row = not rule.in_episode and rule.rows == "every"
        self.each = columns.place(rule.each) if rule.each else None
        repeat = rule.repeat
        self.repeat = repeat and (columns.place(repeat.times), columns.place(repeat.after) if repeat.after else None)
        self.holds: Of[bool] | None = compiler.conditions(rule.when, part)
        chosen = list(takewhile(_names_values, rule.when))
        self.chosen: Of[bool] | None = compiler.conditions(chosen, part)
        """Those of the first conditions that few texts decide."""
        self.rest: Of[bool] | None = compiler.conditions(rule.when[len(chosen) :], part)
        self.make = _maker(index, rule, subject, compiler, part)

    def is_its_row(self, past: Past) -> bool:
        """Return whether the event is made of a row with this place in its group, and in its episode if one began."""
        rule = self.rule
        if rule.in_episode and past.episode is None:
            return False
        is_first = (past.rows_of_episode if rule.in_episode else past.rows) == 0
        return rule.rows == "every" or (rule.rows == "first") == is_first


def _names_values(one: Condition) -> bool:
    """Return whether the texts with which a condition compares its column are all that decides it, and few."""
    is_of_texts = any(values is not None for values in (one.is_in, one.not_in, one.becomes, one.leaves))
    return is_of_texts and not (one.same_as or one.differs_from or one.compared or one.changed is not None)


def _maker(
    index: int, rule: EventRule, subject: Subject, compiler: Compiler, part: str
) -> Callable[[View, int], Event | None]:
    """Return the function that makes a rule's event of a row and the number of the row's first event.

    It returns None if the event has not happened.
    """
    kind, optional, new = rule.type, rule.optional, _new
    at: Of[int | None] = compiler.instant(rule.at, part)
    subject_id_of: Of[str] = compiler.subject_id(rule.subject_id, part)
    event_id_of: Id = compiler.event_id(rule.id, kind)
    attributes_of = compiler.attributes(rule.attributes, part)

    def make(view: View, number: int) -> Event | None:
        time_ms = at(view)
        if time_ms is None:
            if optional:
                return None
            raise DecodeError("missing_field", " ".join(rule.at.columns))
        subject_id, sequence = subject_id_of(view), number + index
        event_id = event_id_of(view, subject_id, time_ms, sequence)
        fact = new(Fact, (time_ms, sequence, event_id, kind, attributes_of(view)))
        event: Event = new(Event, (subject, subject_id, fact))
        return event

    return make


_Makers = Sequence[tuple[Of[bool] | None, Callable[[View, int], Event | None]]]
"""The rules whose events a row may make: what is left to be tested of their conditions, and what makes the event."""


class Choice:
    """The rules that concern a row, as far as the texts decide it with which conditions compare columns.

    There are few such texts, so what they decide is kept. Before the columns have been read, all is left to be tested.
    """

    def __init__(self, rules: Sequence[Rule], columns: Columns, remembered: Sequence[str]) -> None:
        self._rules = rules
        self._known: dict[object, _Makers] = {}
        named = sorted({one.column for of in rules for one in takewhile(_names_values, of.rule.when)})
        places = [columns.place(name) for name in named]
        before = [remembered.index(name) for name in named if name in remembered]
        # Of whose episode a row is, the texts do not tell.
        is_known = bool(places) and not any(one.rule.in_episode for one in rules)
        # Two places at least: of one, `itemgetter` makes no tuple.
        self._texts_of = itemgetter(*places, places[0]) if is_known else None
        self._before_of = itemgetter(*before) if before else None

    def of(self, view: View) -> _Makers:
        """Return the rules that concern a row."""
        texts_of, before_of, before = self._texts_of, self._before_of, view.past.seen
        if texts_of is None:
            return self._untested(view)
        texts = texts_of(view.texts)
        # Also whether it is the first row of its group decides: nothing was seen before it.
        key = texts if before is None else (texts, None if before_of is None else before_of(before))
        found = self._known.get(key)
        if found is None:
            if UNREAD in texts:
                return self._untested(view)
            chosen = [one for one in self._of_place(view) if one.chosen is None or one.chosen(view)]
            found = keep(self._known, key, [(one.rest, one.make) for one in chosen])
        return found

    def _untested(self, view: View) -> _Makers:
        return [(one.holds, one.make) for one in self._of_place(view)]

    def _of_place(self, view: View) -> list[Rule]:
        """Return the rules of rows with this place in their group."""
        return [one for one in self._rules if one.is_of_every_row or one.is_its_row(view.past)]
