"""Local times by a pattern of ``strptime``, cut into a date and a time of day.

The standard library is the definition, and is slow. Where a pattern has only the usual fields (`_FIELDS`), those of the
date beside each other and those of the time of day as well, most texts fit a stricter expression, whose fields can mean
nothing else. The rows of a file have the same dates and the same times of day again and again, so each is worked out
once. Every other text, and every other pattern, goes to ``strptime``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from typing import Final, NamedTuple

_FIELDS: Final = {
    "Y": (r"\d{4}", r"\d{4}"),
    "m": (r"\d{1,2}", r"\d\d"),
    "d": (r"\d{1,2}", r"\d\d"),
    "H": (r"\d{1,2}", r"\d\d"),
    "I": (r"\d{1,2}", r"\d\d"),
    "M": (r"[0-5]?\d", r"[0-5]\d"),
    "S": (r"[0-5]?\d", r"[0-5]\d"),
    "f": (r"\d{1,6}", r"\d{6}"),
    "p": ("AM|PM|am|pm", "AM|PM|am|pm"),
}
"""By directive: the expression of a field that stands by itself, and of one beside another: its length is fixed then,
because ``strptime`` tries the longest number first."""
_OF_DATES: Final = frozenset("Ymd")
_HOURS: Final = 24
_NOON: Final = 12
_TOKEN: Final = re.compile(r"%(.)|([^%])", re.DOTALL)


class Cut(NamedTuple):
    """How the texts of a pattern are cut.

    Attributes:
        match: fits a text as a whole; the groups of what it finds are named as the directives, and ``date`` and
            ``clock`` are the date and the time of day with all that stands between their fields.
        between: what stands between the date and the time of day behind it; empty if they stand otherwise.
        fields: the directives.
    """

    match: Callable[[str], re.Match[str] | None]
    between: str
    fields: frozenset[str]

    @staticmethod
    def date(found: re.Match[str]) -> datetime | None:
        """Return the midnight of the date of a text that has matched; None if there is no such date."""
        try:
            return datetime(int(found["Y"]), int(found["m"]), int(found["d"]))  # noqa: DTZ001 - of any zone
        except ValueError:
            return None

    def clock_ms(self, found: re.Match[str]) -> int | None:
        """Return the milliseconds from midnight to the time of day; None if there is no such time."""
        fields = self.fields
        hour = int(found["H"]) if "H" in fields else 0
        if "p" in fields:
            hour = int(found["I"])
            if not 1 <= hour <= _NOON:
                return None
            hour = hour % _NOON + (_NOON if found["p"] in ("PM", "pm") else 0)
        if hour >= _HOURS:
            return None
        minutes = hour * 60 + (int(found["M"]) if "M" in fields else 0)
        clock_ms = (minutes * 60 + (int(found["S"]) if "S" in fields else 0)) * 1000
        return clock_ms + (int(found["f"][:3].ljust(3, "0")) if "f" in fields else 0)


@lru_cache(maxsize=256)
def cut_by(form: str) -> Cut | None:
    """Return how the texts of a pattern are cut; None for an unusual pattern."""
    tokens = _TOKEN.findall(form)
    names = [name for name, _ in tokens if name]
    usual = _FIELDS.keys() >= set(names) and len(names) == len(set(names)) and set(names) >= _OF_DATES
    # A clock of twelve hours needs its half of the day, and only it has one.
    if not usual or ("I" in names) != ("p" in names) or {"H", "I"} <= set(names):
        return None
    if "".join(f"%{name}" if name else literal for name, literal in tokens) != form:
        return None
    of_date = [place for place, (name, _) in enumerate(tokens) if name in _OF_DATES]
    of_clock = [place for place, (name, _) in enumerate(tokens) if name and name not in _OF_DATES]
    expressions = _expressions(tokens)
    if of_clock:
        if not (of_date[-1] < of_clock[0] or of_clock[-1] < of_date[0]):
            return None
        _in_group(expressions, of_clock, "clock")
    else:
        expressions.append("(?P<clock>)")
    _in_group(expressions, of_date, "date")
    between = tokens[of_date[-1] + 1 : of_clock[0]] if of_clock else []
    is_whole = of_date[0] == 0 and of_clock and of_clock[-1] == len(tokens) - 1
    match = re.compile("".join(expressions), re.ASCII).fullmatch
    return Cut(match, "".join(literal for _, literal in between) if is_whole else "", frozenset(names))


def _in_group(expressions: list[str], places: list[int], name: str) -> None:
    """Put the expressions from the first place to the last into a group."""
    expressions[places[0]] = f"(?P<{name}>{expressions[places[0]]}"
    expressions[places[-1]] += ")"


def _expressions(tokens: list[tuple[str, str]]) -> list[str]:
    """Return an expression for each directive or character of a pattern."""
    found = []
    for place, (name, literal) in enumerate(tokens):
        beside = [tokens[one] for one in (place - 1, place + 1) if 0 <= one < len(tokens)]
        is_alone = all(not other and not mark.isdigit() for other, mark in beside)
        found.append(f"(?P<{name}>{_FIELDS[name][0 if is_alone else 1]})" if name else re.escape(literal))
    return found
