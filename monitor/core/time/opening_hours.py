"""Opening hours: the specification of a calendar, and the open spans of one year of it (domain.md §3).

An instant is open when its *local reading* (date and time of day in the zone) lies in the hours of that date:

- Hours act on calendar days. An overnight shift (22:00-06:00) is two pieces, the evening of its own day and the
  morning of the next, and each belongs to the day it falls on. 09:00-09:00 is around the clock until the next morning.
- A holiday closes its day from midnight to midnight, in ``holiday_zone`` if that is another zone: a shift that runs
  into it ends at midnight, and one that begins on it is open from the midnight after.
- A partial holiday leaves its date, in the zone of the holidays, open where the hours and its own intervals overlap.
- An exception replaces all hours of its date, also on a holiday. Without intervals the date is closed. The part of an
  overnight exception after midnight is open, whatever holds for the next date.

Clock changes need no rule of their own: the local reading decides. No instant reads a local time that does not exist,
so 01:00-04:00 lasts two hours on the day that skips 02:00-03:00. A repeated local time is read twice, and both times
count. Hours and their complement always make up the whole day of 23, 24 or 25 h.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from monitor.core.time.spans import Span, subtract, union
from monitor.core.time.units import DAY_MS, MINUTE_MS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

DayHours = tuple[tuple[int, int], ...]
"""The open intervals of one day: (start, end) in minutes of local time; end <= start runs into the next day."""

EARLIEST_YEAR: Final = 1970
LATEST_YEAR: Final = 2199
MINUTES_OF_DAY: Final = 1440

_DAYS_OF_WEEK: Final = 7
_EPOCH_DAY: Final = date(1970, 1, 1).toordinal()
# Since 1970 every zone of the tz database has at least 6.9 days between two changes: a step holds at most one change.
_PROBE_S: Final = 3 * 86_400


class CalendarRangeError(ValueError):
    """The question or its answer lies outside the range of calendars, or no open time is left in it."""


def year_start_ms(year: int) -> int:
    """Return the first instant of a UTC year."""
    return (date(year, 1, 1).toordinal() - _EPOCH_DAY) * DAY_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarSpec:
    """The specification of a calendar. The module's docstring defines its meaning.

    Attributes:
        zone: IANA name of the zone of hours and exceptions.
        hours: seven tuples of intervals, Monday first. An interval is (start, end) in minutes after midnight, 1440 is
            24:00; end <= start runs into the next day. Overlapping intervals count once.
        holidays: the dates that are closed from midnight to midnight.
        holiday_zone: zone of the holidays' midnights; None: ``zone``.
        exceptions: the intervals of single dates, in place of their hours and holidays; empty: closed.
        partial: the intervals that stay open on a partial holiday; they do not pass midnight.
        names: the names of the holidays that have one.

    Raises:
        ValueError: not seven days, an interval outside the day, a partial holiday that passes midnight or is none of
            the holidays, or a date that is not a plain ``date``.
    """

    zone: str
    hours: tuple[DayHours, ...]
    holidays: frozenset[date] = frozenset()
    holiday_zone: str | None = None
    exceptions: Mapping[date, DayHours] = field(default_factory=dict)
    partial: Mapping[date, DayHours] = field(default_factory=dict)
    names: Mapping[date, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse a specification that would be misread."""
        if len(self.hours) != _DAYS_OF_WEEK:
            raise ValueError(f"hours need seven days, Monday first, not {len(self.hours)}")
        for day in (*self.holidays, *self.exceptions):
            # A datetime is a date, but equals no plain date: the day would silently stay open.
            if type(day) is not date:
                raise ValueError(f"a holiday or exception is a date without a time of day: {day!r}")
        if not self.holidays.issuperset(self.partial):
            raise ValueError("a partial holiday is one of the holidays")
        if any(end <= start for parts in self.partial.values() for start, end in parts):
            raise ValueError("a partial holiday ends with its day: an interval of it does not pass midnight")
        days = (*self.hours, *self.exceptions.values(), *self.partial.values())
        for start, end in (part for day in days for part in day):
            if not (0 <= start < MINUTES_OF_DAY and 0 <= end <= MINUTES_OF_DAY):
                raise ValueError(
                    f"an interval starts at 0..1439 and ends at 0..1440 minutes of the day: ({start}, {end})"
                )


class OpeningHours:
    """A specification, prepared to return the open spans of any year.

    Raises:
        ValueError: a zone is unknown.
    """

    __slots__ = ("_exceptions", "_holiday_zone", "_holidays", "_names", "_ordered", "_spec", "_week", "_zone")

    def __init__(self, spec: CalendarSpec) -> None:
        self._spec = spec
        self._zone = _zone(spec.zone)
        # None: the holidays are dates of the hours themselves.
        of_holidays = spec.zone if spec.holiday_zone is None else spec.holiday_zone
        self._holiday_zone = None if of_holidays == spec.zone else _zone(of_holidays)
        # Hours act on calendar days: the part of an overnight shift after midnight goes to the next weekday.
        week: list[list[Span]] = [[] for _ in spec.hours]
        for weekday, hours in enumerate(spec.hours):
            today, tomorrow = _split_at_midnight(hours)
            week[weekday] += today
            week[(weekday + 1) % _DAYS_OF_WEEK] += tomorrow
        self._week = [union(day) for day in week]
        # The closed spans of each holiday, in milliseconds after its midnight.
        self._holidays = {
            day.toordinal(): subtract([(0, DAY_MS)], _split_at_midnight(spec.partial.get(day, ()))[0])
            for day in spec.holidays
        }
        self._names = {day.toordinal(): name for day, name in spec.names.items()}
        self._ordered = sorted(self._holidays)
        self._exceptions = {day.toordinal(): _split_at_midnight(hours) for day, hours in spec.exceptions.items()}

    def is_like(self, other: OpeningHours) -> bool:
        """Return whether both are of the same specification."""
        return self._spec == other._spec

    def ever_opens(self) -> bool:
        """Return whether any instant of the range is open."""
        if any(self._week):
            return any(self.year(year) for year in range(EARLIEST_YEAR, LATEST_YEAR + 1))
        # A local date lies in the UTC year of the same number or, at the ends of the year, in a neighbour.
        near = {date.fromordinal(day).year + by for day in self._exceptions for by in (-1, 0, 1)}
        return any(self.year(year) for year in sorted(near) if EARLIEST_YEAR <= year <= LATEST_YEAR)

    def year(self, year: int) -> list[Span]:
        """Return the open spans of a UTC year, in normal form."""
        start_ms, end_ms = year_start_ms(year), year_start_ms(year + 1)
        regular: list[tuple[int, int]] = []
        exceptional: list[tuple[int, int]] = []
        holidays: list[tuple[int, int]] = []
        # Local dates reach a day over the ends of the UTC year; the night of an overnight exception one more.
        first, last = date(year, 1, 1).toordinal() - 2, date(year, 12, 31).toordinal() + 1
        for day in range(first, last + 1):
            midnight_ms = (day - _EPOCH_DAY) * DAY_MS
            closed = self._holidays.get(day)
            if closed:
                holidays += _shifted(closed, midnight_ms)
            if day in self._exceptions:
                today, tomorrow = self._exceptions[day]
                exceptional += _shifted(today, midnight_ms)
                exceptional += _shifted(tomorrow, midnight_ms + DAY_MS)
            else:
                opened = self._week[(day - 1) % _DAYS_OF_WEEK]
                if closed and self._holiday_zone is None:
                    opened = subtract(opened, closed)
                regular += _shifted(opened, midnight_ms)
        readings = _readings(self._zone, start_ms, end_ms)
        hours = _instants(regular, readings)
        if holidays and self._holiday_zone:
            hours = [*subtract(hours, _instants(holidays, _readings(self._holiday_zone, start_ms, end_ms)))]
        return union(hours + _instants(sorted(exceptional), readings))

    def holidays(self, start_ms: int, end_ms: int) -> list[tuple[int, int, str]]:
        """Return the parts of a span that holidays close: (start_ms, end_ms, name) in order; a name may be empty.

        Time of a holiday that an exception opens is included.
        """
        first = bisect_left(self._ordered, start_ms // DAY_MS + _EPOCH_DAY - 1)
        found: list[tuple[int, int, str]] = []
        for day in self._ordered[first : bisect_right(self._ordered, end_ms // DAY_MS + _EPOCH_DAY + 1)]:
            midnight_ms = (day - _EPOCH_DAY) * DAY_MS
            local = [*_shifted(self._holidays[day], midnight_ms)]
            near = _readings(self._holiday_zone or self._zone, midnight_ms - DAY_MS, midnight_ms + 2 * DAY_MS)
            for span in union(_instants(local, near)):
                from_ms, to_ms = max(span.start_ms, start_ms), min(span.end_ms, end_ms)
                if from_ms < to_ms:
                    found.append((from_ms, to_ms, self._names.get(day, "")))
        return found

    def read_before(self, year: int, minute: int) -> Iterator[tuple[int, int, int]]:
        """Yield when each date of a year reads a time before a minute of the day, as (ordinal, start_ms, end_ms).

        A date that the zone skipped has no such stretch; a date on which clocks are turned back may have two.
        """
        first, last = date(year, 1, 1).toordinal(), date(year, 12, 31).toordinal()
        margin_ms = 2 * DAY_MS  # dates of the zone reach a day over the ends of the UTC year
        for from_ms, to_ms, offset_ms in _readings(
            self._zone, year_start_ms(year) - margin_ms, year_start_ms(year + 1) + margin_ms
        ):
            earliest, latest = ((at_ms + offset_ms) // DAY_MS + _EPOCH_DAY for at_ms in (from_ms, to_ms - 1))
            for day in range(max(first, earliest), min(last, latest) + 1):
                midnight_ms = (day - _EPOCH_DAY) * DAY_MS - offset_ms
                start_ms, end_ms = max(from_ms, midnight_ms), min(to_ms, midnight_ms + minute * MINUTE_MS)
                if start_ms < end_ms:
                    yield day, start_ms, end_ms


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    # ZoneInfoNotFoundError is a KeyError; a folder of the database ("Europe") is an OSError.
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"no IANA time zone has the name {name!r}") from error


def _split_at_midnight(hours: DayHours) -> tuple[list[Span], list[Span]]:
    """Return the parts of a day's intervals on the day and on the next, in milliseconds after their midnights."""
    today: list[Span] = []
    tomorrow: list[Span] = []
    for start, end in hours:
        if end > start:
            today.append(Span(start * MINUTE_MS, end * MINUTE_MS))
        else:
            today.append(Span(start * MINUTE_MS, DAY_MS))
            tomorrow.append(Span(0, end * MINUTE_MS))
    return today, tomorrow


def _shifted(spans: Iterable[Span], by_ms: int) -> Iterator[tuple[int, int]]:
    return ((start_ms + by_ms, end_ms + by_ms) for start_ms, end_ms in spans)


def _readings(zone: ZoneInfo, start_ms: int, end_ms: int) -> list[tuple[int, int, int]]:
    """Cut a span at the changes of the zone's offset; return (start_ms, end_ms, offset_ms) of each piece."""

    def offset_s(at_s: int) -> int:
        offset = datetime.fromtimestamp(at_s, zone).utcoffset()
        assert offset is not None
        return offset.days * 86_400 + offset.seconds

    pieces: list[tuple[int, int, int]] = []
    at_s, stop_s = start_ms // 1000, end_ms // 1000
    piece_s, offset = at_s, offset_s(at_s)
    while at_s < stop_s:
        next_s = min(at_s + _PROBE_S, stop_s)
        after = offset_s(next_s)
        if after != offset:
            # The first second of the new offset lies in (at_s, next_s].
            low, high = at_s, next_s
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if offset_s(middle) == offset else (low, middle)
            pieces.append((piece_s * 1000, high * 1000, offset * 1000))
            piece_s, offset = high, after
        at_s = next_s
    pieces.append((piece_s * 1000, stop_s * 1000, offset * 1000))
    return pieces


def _instants(local: list[tuple[int, int]], readings: list[tuple[int, int, int]]) -> list[tuple[int, int]]:
    """Return the instants whose local reading lies in one of the local spans.

    The local spans are sorted and each at most a day long. The result may hold empty and touching spans.
    """
    spans: list[tuple[int, int]] = []
    for from_ms, to_ms, offset_ms in readings:
        first = bisect_left(local, (from_ms + offset_ms - DAY_MS,))
        stop = bisect_left(local, (to_ms + offset_ms,))
        spans += [
            (max(start_ms - offset_ms, from_ms), min(end_ms - offset_ms, to_ms))
            for start_ms, end_ms in local[first:stop]
        ]
    return spans
