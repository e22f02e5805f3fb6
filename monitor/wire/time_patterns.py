"""Local times by a pattern of ``strptime``, cut into the hour that they lie in and the milliseconds within it.

The standard library is the definition, and is slow. Where a pattern has only the usual fields (`_FIELDS`), most texts
fit a stricter expression, whose fields can mean nothing else. The rows of a file have the same hours again and again,
so an hour is worked out once. Every other text, and every other pattern, goes to ``strptime``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from typing import Final, NamedTuple

_FIELDS: Final = {
    "Y": (r"(\d{4})", r"(\d{4})"),
    "m": (r"(\d{1,2})", r"(\d\d)"),
    "d": (r"(\d{1,2})", r"(\d\d)"),
    "H": (r"(\d{1,2})", r"(\d\d)"),
    "I": (r"(\d{1,2})", r"(\d\d)"),
    "M": (r"([0-5]?\d)", r"([0-5]\d)"),
    "S": (r"([0-5]?\d)", r"([0-5]\d)"),
    "f": (r"(\d{1,6})", r"(\d{6})"),
    "p": ("(AM|PM|am|pm)", "(AM|PM|am|pm)"),
}
"""By directive: the expression of a field that stands by itself, and of one beside another: its length is fixed then,
because ``strptime`` tries the longest number first."""
_OF_HOURS: Final = "YmdHIp"
_NOON: Final = 12
_TOKEN: Final = re.compile(r"%(.)|([^%])", re.DOTALL)


class Cut(NamedTuple):
    """How the texts of a pattern are cut: into the fields of an hour, and those within it.

    Attributes:
        match: matches a whole text; None for one that only ``strptime`` can judge.
        of_hour: the directives of the fields that tell the hour, in the order of the text.
        hour: the groups of these fields.
        minute: the group of the minutes; 0 if the pattern has none, also below.
        second: the group of the seconds.
        part: the group of the parts of a second.
    """

    match: Callable[[str], re.Match[str] | None]
    of_hour: str
    hour: tuple[int, ...]
    minute: int
    second: int
    part: int

    def local(self, fields: tuple[str, ...]) -> datetime | None:
        """Return the beginning of the hour with these fields; None if there is no such hour."""
        of = dict(zip(self.of_hour, fields, strict=True))
        hour = int(of.get("H", of.get("I", 0)))
        if "p" in of:
            if not 1 <= hour <= _NOON:
                return None
            hour = hour % _NOON + (_NOON if of["p"] in ("PM", "pm") else 0)
        try:
            return datetime(int(of["Y"]), int(of["m"]), int(of["d"]), hour)  # noqa: DTZ001 - of any zone
        except ValueError:
            return None

    def within_ms(self, found: re.Match[str]) -> int:
        """Return the milliseconds within the hour of a text that has matched."""
        within_ms = int(found[self.minute]) * 60_000 if self.minute else 0
        if self.second:
            within_ms += int(found[self.second]) * 1000
        return within_ms + int(found[self.part][:3].ljust(3, "0")) if self.part else within_ms


@lru_cache(maxsize=256)
def cut_by(form: str) -> Cut | None:
    """Return how the texts of a pattern are cut; None for an unusual pattern."""
    tokens = _TOKEN.findall(form)
    names = [name for name, _ in tokens if name]
    usual = _FIELDS.keys() >= set(names) and len(names) == len(set(names)) and {"Y", "m", "d"} <= set(names)
    # A clock of twelve hours needs its half of the day, and only it has one.
    if not usual or ("I" in names) != ("p" in names) or {"H", "I"} <= set(names):
        return None
    if "".join(f"%{name}" if name else literal for name, literal in tokens) != form:
        return None
    match = re.compile("".join(_expressions(tokens)), re.ASCII).fullmatch
    of_hour = "".join(name for name in names if name in _OF_HOURS)
    minute, second, part = (names.index(name) + 1 if name in names else 0 for name in "MSf")
    return Cut(match, of_hour, tuple(names.index(name) + 1 for name in of_hour), minute, second, part)


def _expressions(tokens: list[tuple[str, str]]) -> list[str]:
    """Return an expression for each directive or character of a pattern."""
    found = []
    for place, (name, literal) in enumerate(tokens):
        beside = [tokens[one] for one in (place - 1, place + 1) if 0 <= one < len(tokens)]
        is_alone = all(not other and not mark.isdigit() for other, mark in beside)
        found.append(_FIELDS[name][0 if is_alone else 1] if name else re.escape(literal))
    return found
