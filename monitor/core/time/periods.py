"""Calendar-aligned periods and the spans of windows, in an IANA zone (domain.md §7).

A local day begins at the first instant that reads its date or a later one, and ends where the next day begins. It has
23 or 25 h if the clock changes. So days leave no gap and do not overlap, even if a midnight does not exist or comes
twice, or if a whole date is skipped (that day is empty). Weeks begin on Monday. All periods consist of whole days, and
a month with a clock change is an hour shorter or longer.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from monitor.core.time.spans import Span
from monitor.core.time.units import DAY_MS, HOUR_MS, MINUTE_MS
from monitor.core.time.windows import COHORT, TUMBLING, WIDTH_MS, Width, Window, width_for

if TYPE_CHECKING:
    from monitor.core.time.windows import WindowKind

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND: Final = timedelta(seconds=1)
_NO_DAY: Final = (0, 0)
# The last day that was looked up, by zone. Events come roughly in order, so it is nearly always this day: 0.15 us.
_asked: Final[dict[str, tuple[int, int]]] = {}
_UNITS_MS: Final = {"m": MINUTE_MS, "h": HOUR_MS, "d": DAY_MS}
CALENDAR_KINDS: Final[tuple[WindowKind, ...]] = ("day", "week", "month", "quarter", "year")
_MONTHS: Final[dict[WindowKind, int]] = {"month": 1, "quarter": 3, "year": 12}
_NAME_LENGTH: Final[dict[WindowKind, int]] = {"day": 10, "month": 7, "year": 4}


def day_start(zone: str, at_ms: int) -> int:
    """Return the start of the local day that holds an instant.

    Raises:
        ZoneInfoNotFoundError: the zone is unknown.
    """
    start_ms, end_ms = _asked.get(zone, _NO_DAY)
    if start_ms <= at_ms < end_ms:
        return start_ms
    start_ms, end_ms = _day_of_hour(zone, at_ms // HOUR_MS)
    if at_ms >= end_ms:  # the day ends within this hour; none is shorter than an hour
        return end_ms
    _asked[zone] = start_ms, end_ms
    return start_ms


def period(zone: str, kind: WindowKind, at_ms: int) -> Span:
    """Return the day, week, month, quarter or year that holds an instant.

    Raises:
        ValueError: the kind is that of a rolling or tumbling window (`window_span`).
        ZoneInfoNotFoundError: the zone is unknown.
    """
    return _period(zone, kind, day_start(zone, at_ms))


def period_date(zone: str, start_ms: int) -> str:
    """Return the local date of an instant (a period's start) as ``2026-11-01``."""
    return _local_date(ZoneInfo(zone), start_ms).isoformat()


def period_text(window: str, zone: str, start_ms: int) -> str:
    """Return the name of a period by its start: the local date, or for a tumbling window the instant in UTC."""
    if not window.startswith(TUMBLING):
        return period_date(zone, start_ms)
    return (_EPOCH + timedelta(milliseconds=start_ms)).strftime("%Y-%m-%dT%H:%MZ")


def period_name(kind: WindowKind, zone: str, start_ms: int) -> str:
    """Return how people name the calendar period that begins at an instant: ``2026-11``, ``2026-Q4``, ``2026-W48``."""
    first = _local_date(ZoneInfo(zone), start_ms)
    if kind == "week":
        year, week, _ = first.isocalendar()
        return f"{year:04}-W{week:02}"
    if kind == "quarter":
        return f"{first.year:04}-Q{(first.month + 2) // 3}"
    return first.isoformat()[: _NAME_LENGTH[kind]]


def pane_start(width: Width, zone: str, at_ms: int) -> int:
    """Return the start of the pane that holds an instant: of a local day, else a multiple of the width; 0 for live."""
    if width == "day":
        return day_start(zone, at_ms)
    if width == "live":
        return 0
    return at_ms - at_ms % WIDTH_MS[width]


def window_span(window: Window, zone: str, now_ms: int) -> Span:
    """Return the span that a window covers at an instant.

    A calendar window covers the period that holds the instant. Tumbling windows follow each other from the epoch on, in
    UTC, as in stream processors (Kafka Streams, Flink, Beam). Each has exactly its length, also over a clock change,
    and those of 7 d begin on Thursdays. For local days, Mondays or months an agreement names the calendar period.

    A rolling window covers the running pane and as many full panes before it as make up its length. It ends at the end
    of the running pane, so its figures lack the part of that pane that is still to come. A length that is not a
    multiple of the pane's width is rounded up to one.
    """
    if window.kind == "tumbling":
        start_ms = now_ms - now_ms % window.length_ms
        return Span(start_ms, start_ms + window.length_ms)
    if window.kind != "rolling":
        return period(zone, window.kind, now_ms)
    width_ms = WIDTH_MS[width_for(window)]
    end_ms = now_ms - now_ms % width_ms + width_ms
    return Span(end_ms - covered_ms(window), end_ms)


def covered_ms(window: Window) -> int:
    """Return the length of a rolling window in whole panes."""
    width_ms = WIDTH_MS[width_for(window)]
    return -(-window.length_ms // width_ms) * width_ms


@lru_cache(maxsize=1024)
def period_window(name: str) -> Window | None:
    """Return the window of a name if its periods close (calendar-aligned or tumbling), else None."""
    name, _, cohort = name.partition(COHORT)
    if name in CALENDAR_KINDS:
        return Window(name, cohort=cohort)
    if not name.startswith(TUMBLING):
        return None
    length = name.removeprefix(TUMBLING)
    return Window("tumbling", int(length[:-1]) * _UNITS_MS[length[-1]], cohort)


@lru_cache(maxsize=1 << 16)
def _day_of_hour(zone: str, hour: int) -> tuple[int, int]:
    """Return the local day that holds the start of a UTC hour."""
    at_ms = hour * HOUR_MS
    tz = ZoneInfo(zone)
    today = _local_date(tz, at_ms)
    start_ms, end_ms = date_start(zone, today), date_start(zone, _later(today, 1))
    if at_ms >= end_ms:  # a clock that was put back over midnight reads a date that is over
        return end_ms, date_start(zone, _later(today, 2))
    return start_ms, end_ms


@lru_cache(maxsize=4096)
def _period(zone: str, kind: WindowKind, day_ms: int) -> Span:
    day = _local_date(ZoneInfo(zone), day_ms)
    if kind == "day":
        first, after = day, _later(day, 1)
    elif kind == "week":
        first = _later(day, -day.weekday())
        after = _later(first, 7)
    elif kind in _MONTHS:
        months = _MONTHS[kind]
        first = date(day.year, (day.month - 1) // months * months + 1, 1)
        years, month = divmod(first.month - 1 + months, 12)
        after = date(first.year + years, month + 1, 1)
    else:
        raise ValueError(f"a {kind} window is no calendar period")
    return Span(date_start(zone, first), date_start(zone, after))


@lru_cache(maxsize=1 << 14)
def date_start(zone: str, day: date) -> int:
    """Return the first instant of a local date: the first that reads this date or a later one.

    Raises:
        ZoneInfoNotFoundError: the zone is unknown.
    """
    tz = ZoneInfo(zone)
    # The first of two midnights. A skipped midnight is placed by the offset before the change.
    instant = datetime(day.year, day.month, day.day, tzinfo=tz).astimezone(UTC)
    if instant.astimezone(tz).replace(tzinfo=None) == datetime(day.year, day.month, day.day):  # noqa: DTZ001
        return _to_ms(instant)
    # Skipped: the day begins where the clock was put forward, at most a day earlier.
    before = int((instant - timedelta(days=1) - _EPOCH) / _SECOND)
    after = int((instant - _EPOCH) / _SECOND)
    while after - before > 1:
        middle = (before + after) // 2
        if _local_date(tz, middle * 1000) >= day:
            after = middle
        else:
            before = middle
    return after * 1000


def _local_date(tz: ZoneInfo, at_ms: int) -> date:
    return (_EPOCH + timedelta(milliseconds=at_ms)).astimezone(tz).date()


def _later(day: date, days: int) -> date:
    return day + timedelta(days=days)


def _to_ms(instant: datetime) -> int:
    return (instant - _EPOCH) // _SECOND * 1000
