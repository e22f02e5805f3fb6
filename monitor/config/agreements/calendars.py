"""Calendars of agreement files, compiled: equal ones share one compiled `Calendar`, across agreements and versions."""

from __future__ import annotations

import warnings
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import holidays

from monitor.config.reading.quantities import weekdays
from monitor.config.reading.shape import did_you_mean
from monitor.core.time.calendar import Calendar
from monitor.core.time.opening_hours import EARLIEST_YEAR, LATEST_YEAR, CalendarSpec, DayHours
from monitor.wire.contract import LATEST_MS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date

    from monitor.config.agreements.agreement_shape import CalendarShape, HolidaysShape
    from monitor.core.agreements.measures import Budget

    Named = tuple[tuple[date, str], ...]
    """Dates in order, and what they are called."""
    Told = Callable[[Sequence[str | int], str, str], None]
    """Takes a path below the calendar, what is wrong there, and a hint."""

ALWAYS: Final[Calendar] = Calendar.always()
_ALL_DAY: Final[DayHours] = ((0, 1440),)


def compile_calendar(shape: CalendarShape, zone: str, told: Told) -> Calendar | None:
    """Return the calendar, or None after reporting its mistakes. ``zone`` is that of the agreement."""
    week: list[DayHours] = [()] * 7
    for days, intervals in shape.hours.items():
        for number in weekdays(days):
            week[number] = intervals
    closed = _closed(shape.holidays, told)
    if closed is None:
        return None
    for day, one in shape.holidays.dates.items():
        if any(end <= start for start, end in one.open):
            at = ("holidays", "dates", day.isoformat())
            told(
                at, "passes midnight", "a holiday ends with its day: write until 24:00, the next day has its own hours"
            )
            return None
    if not any(week):
        # Exceptions come to an end, and after the last of them nothing would ever be due.
        told(("hours",), "leaves every day of the week closed", "give hours to at least one day: mon-fri: 09:00-17:00")
        return None
    if all(hours == _ALL_DAY for hours in week) and not closed and not shape.exceptions:
        return ALWAYS
    try:
        return _compiled(
            shape.zone or zone,
            tuple(week),
            closed,
            shape.holidays.zone,
            tuple(sorted(shape.exceptions.items())),
            tuple(sorted((day, one.open) for day, one in shape.holidays.dates.items() if one.open)),
        )
    except ValueError as error:
        told((), str(error), "give hours to at least one day")
        return None


@lru_cache(maxsize=4096)
def uses_up(calendar: Calendar, budget: Budget) -> bool:
    """Return whether the calendar's open time is enough for a budget that starts with the latest possible event."""
    if budget.days:
        return calendar.has_days(LATEST_MS, budget.days, budget.by_minute)
    return calendar.lasts(LATEST_MS, budget.budget_ms)


def is_in_hours(shape: CalendarShape, minute: int) -> bool:
    """Return whether on some day of the week or exception a calendar is open up to this time of day, or beyond it."""
    return any(
        start < minute <= end if start < end else minute > start or minute <= end
        for intervals in (*shape.hours.values(), *shape.exceptions.values())
        for start, end in intervals
        if minute > 0
    )


def overlapping(intervals: DayHours) -> bool:
    """Return whether a minute of the day is in two of its intervals."""
    ends = sorted((start, end if end > start else end + 1440) for start, end in intervals)
    return any(before[1] > after[0] for before, after in pairwise(ends))


def _closed(shape: HolidaysShape, told: Told) -> Named | None:
    """Return the holidays with their names; those of the file come before the country's."""
    own = {day: one.name or "" for day, one in shape.dates.items()}
    if shape.country is None:
        if shape.subdivision is not None:
            told(("holidays", "subdivision"), "needs a country", "add country: DE")
            return None
        return tuple(sorted(own.items()))
    supported = holidays.list_supported_countries()
    if shape.country not in supported:
        told(("holidays", "country"), f"is not known: {shape.country!r}", _code_hint(shape.country, supported))
        return None
    subdivisions = supported[shape.country]
    if shape.subdivision is not None and shape.subdivision not in subdivisions:
        told(
            ("holidays", "subdivision"),
            f"is not known of {shape.country}: {shape.subdivision!r}",
            _code_hint(shape.subdivision, subdivisions),
        )
        return None
    public = dict(public_holidays(shape.country, shape.subdivision))
    return tuple(sorted((public | {day: name or public.get(day, "") for day, name in own.items()}).items()))


def _code_hint(code: str, known: Sequence[str]) -> str:
    return did_you_mean(code, known) or "write the ISO 3166 code: DE, and BE for its subdivision"


@lru_cache(maxsize=256)
def public_holidays(country: str, subdivision: str | None) -> Named:
    """Return the public holidays of all years of calendars that the library `holidays` knows of, with English names."""
    years = range(EARLIEST_YEAR, LATEST_YEAR + 1)
    with warnings.catch_warnings():
        # It warns of each year for which it knows no movable feasts (India's beyond 2035): so far off, nobody acts.
        warnings.simplefilter("ignore", UserWarning)
        found = holidays.country_holidays(country, subdiv=subdivision, years=years, language="en_US")
        return tuple(sorted(found.items()))


@lru_cache(maxsize=1024)
def _compiled(
    zone: str,
    hours: tuple[DayHours, ...],
    closed: Named,
    holiday_zone: str | None,
    exceptions: tuple[tuple[date, DayHours], ...],
    partial: tuple[tuple[date, DayHours], ...],
) -> Calendar:
    names = dict(closed)
    return Calendar(
        CalendarSpec(
            zone=zone,
            hours=hours,
            holidays=frozenset(names),
            holiday_zone=holiday_zone,
            exceptions=dict(exceptions),
            partial=dict(partial),
            names=names,
        )
    )
