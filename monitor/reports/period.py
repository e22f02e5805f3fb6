"""The periods that a report can be about, and how people name them: ``2026-11``, ``2026-Q4``, ``2026-W48`` …."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Final, NamedTuple

from monitor.core.time.periods import date_start, period, period_date, period_name
from monitor.core.time.windows import WindowKind
from monitor.errors import ReportError

_DAY: Final = re.compile(r"(\d{4})-(\d{2})-(\d{2})")
_WEEK: Final = re.compile(r"(\d{4})-[Ww](\d{1,2})")
_MONTH: Final = re.compile(r"(\d{4})-(\d{2})")
_QUARTER: Final = re.compile(r"(\d{4})-[Qq]([1-4])")
_YEAR: Final = re.compile(r"(\d{4})")
GRAMMAR: Final = "2026-11 (a month), 2026-Q4, 2026-W48, 2026 or 2026-11-03 (a day)"
_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip


class Period(NamedTuple):
    """A calendar period ``[from_ms, to_ms)`` of a zone: its kind, and its name as an argument of a command."""

    window: WindowKind
    name: str
    from_ms: int
    to_ms: int
    zone: str

    @property
    def title(self) -> str:
        """The name that people use: ``November 2026``, ``week 48 of 2026 (23 to 29 November)``."""
        return period_title(self.window, self.zone, self.from_ms)

    def holds(self, at_ms: int) -> bool:
        """Return whether an instant lies in the period."""
        return self.from_ms <= at_ms < self.to_ms


def period_at(window: WindowKind, zone: str, at_ms: int) -> Period:
    """Return the period of a kind that holds an instant."""
    span = period(zone, window, at_ms)
    return Period(window, period_name(window, zone, span.start_ms), span.start_ms, span.end_ms, zone)


def parse_period(text: str, zone: str) -> Period:
    """Return the period of a name.

    Raises:
        ReportError: it is no name of a period.
    """
    try:
        window, first = _parsed(text.strip())
    except ValueError:
        raise ReportError(f"{text!r} is no period: write {GRAMMAR}") from None
    return period_at(window, zone, date_start(zone, first))


def _parsed(text: str) -> tuple[WindowKind, date]:
    if found := _DAY.fullmatch(text):
        return "day", date(int(found[1]), int(found[2]), int(found[3]))
    if found := _WEEK.fullmatch(text):
        return "week", date.fromisocalendar(int(found[1]), int(found[2]), 1)
    if found := _MONTH.fullmatch(text):
        return "month", date(int(found[1]), int(found[2]), 1)
    if found := _QUARTER.fullmatch(text):
        return "quarter", date(int(found[1]), 3 * int(found[2]) - 2, 1)
    if found := _YEAR.fullmatch(text):
        return "year", date(int(found[1]), 1, 1)
    raise ValueError(text)


def period_title(window: WindowKind, zone: str, start_ms: int) -> str:
    """Return the name of the period that begins at an instant as people write it."""
    first = date.fromisoformat(period_date(zone, start_ms))
    month = _MONTHS[first.month - 1]
    if window == "week":
        last = first + timedelta(days=6)
        begin = f"{first.day}" if first.month == last.month else f"{first.day} {month}"
        year, week, _ = first.isocalendar()
        return f"week {week} of {year} ({begin} to {last.day} {_MONTHS[last.month - 1]})"
    return {
        "day": f"{first.day} {month} {first.year}",
        "month": f"{month} {first.year}",
        "quarter": f"{month} to {_MONTHS[(first.month + 1) % 12]} {first.year}",
        "year": f"{first.year}",
    }[window]
