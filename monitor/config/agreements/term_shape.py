"""The format of an agreement's ``term:``: start, end, notice period and renewal."""

from __future__ import annotations

import re
from typing import Annotated, Final

from pydantic import PlainValidator

from monitor.config.reading.quantities import Day
from monitor.config.reading.shape import Shape, wrong
from monitor.core.agreements.term import WARN, Length

_LENGTH: Final = re.compile(r"(\d{1,3}) ?(day|week|month|year)s?", re.ASCII)
_UNITS: Final = {"day": Length(days=1), "week": Length(days=7), "month": Length(months=1), "year": Length(months=12)}


def length(value: object) -> Length:
    """Return the length in the calendar that ``12 months``, ``90 days`` or ``1 year`` is."""
    found = _LENGTH.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None or int(found[1]) == 0:
        raise wrong(f"is no length of a term: {value!r}", "write 12 months, 1 year, 90 days")
    unit = _UNITS[found[2]]
    return Length(unit.months * int(found[1]), unit.days * int(found[1]))


LengthField = Annotated[Length, PlainValidator(length)]


class TermShape(Shape):
    """For how long the agreement was made. ``end`` is the first day on which it does not hold any more."""

    start: Day
    end: Day
    notice: LengthField = Length()
    renews: LengthField | None = None
    notice_given: Day | None = None
    warn: LengthField = WARN
