"""A mapping, line by line, for people: which events it makes, of what, and when."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from monitor.wire.mapping_rules import Condition, EventRule, Instant, RowMapping

_PARTS: Final = ("is_in", "not_in", "becomes", "leaves", "same_as", "differs_from")
_WORDS: Final = {
    "is_in": "is", "not_in": "is not", "becomes": "becomes", "leaves": "leaves", "same_as": "is as",
    "differs_from": "is not as",
}  # fmt: skip
_SIGNS: Final = {"above": ">", "below": "<", "at_least": ">=", "at_most": "<="}


class EventLine(NamedTuple):
    """One event of a mapping: its type, the time, its conditions, and its attributes."""

    event: str
    at: str
    when: str
    attributes: str


def lines_of(mapping: RowMapping) -> list[EventLine]:
    """Return a line for each event of a mapping, in its order."""
    return [
        EventLine(rule.type, instant_text(rule.at), _when(rule), ", ".join(rule.attributes)) for rule in mapping.events
    ]


def instant_text(of: Instant) -> str:
    """Return a time in words: its columns, and the lengths of time that are added."""
    if not of.columns:
        return "a constant"
    return " + ".join([" ".join(of.columns), *(one.column for one in of.plus)])


def _when(rule: EventRule) -> str:
    told = [{"every": "", "first": "first row", "later": "later rows"}[rule.rows]]
    told += [f"for each of {rule.each}"] if rule.each else []
    told += [f"{rule.repeat.times} times"] if rule.repeat else []
    told += [condition_text(one) for one in rule.when]
    told += [f"if {instant_text(rule.at)} has a value"] if rule.optional else []
    return ", ".join(filter(None, told))


def condition_text(one: Condition) -> str:
    """Return a condition in words."""
    told: list[str] = []
    for name in _PARTS:
        value = getattr(one, name)
        if value is not None and value != "":
            told.append(f"{_WORDS[name]} {_values(value)}")
    if one.present is not None:
        told.append("has a value" if one.present else "has no value")
    if one.changed is not None:
        told.append("changes" if one.changed else "stays")
    if one.compared is not None:
        by = one.compared
        told += [f"begins with {_values(by.prefix)}"] if by.prefix else []
        told += ["fits a pattern"] if by.pattern else []
        told += [f"{sign} {getattr(by, name):g}" for name, sign in _SIGNS.items() if getattr(by, name) is not None]
        told += [
            f"is {name} {instant_text(pair[1])}"
            for name, pair in (("before", by.before), ("after", by.after))
            if pair is not None
        ]
    return f"{one.column} " + " and ".join(told)


def _values(value: str | Iterable[str]) -> str:
    return value if isinstance(value, str) else " or ".join(sorted(value))
