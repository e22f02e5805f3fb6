"""Due rules in business days: "within 3 business days by 17:00" (domain.md §3).

A **business day** for such a rule is a date of the calendar's zone with open time before HH:MM. Its **cut-off** is the
end of that open time: HH:MM itself, or an earlier closing (a Friday that ends at 16:00, half a holiday). A clock that
starts before the cut-off of a business day, also before its opening or in its lunch break, is received on that day. A
clock that starts at or after the cut-off, or on no business day, is received on the next business day. It is due at the
cut-off of the Nth business day after that.

The budget of the clock is the open time from its start to that due instant. So it is a clock like all others: pauses
move its due instant, and ``elapsed([start, due)) == budget``.
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from monitor.core.time.opening_hours import EARLIEST_YEAR, LATEST_YEAR, CalendarRangeError

if TYPE_CHECKING:
    from monitor.core.time.opening_hours import OpeningHours


class CutOffs:
    """The cut-offs of the business days for one HH:MM, in minutes of the day (1440 is 24:00).

    The cut-offs of a year are computed when they are first needed.
    """

    __slots__ = ("_by_minute", "_found", "_from", "_hours", "_to")

    def __init__(self, hours: OpeningHours, by_minute: int) -> None:
        self._hours = hours
        self._by_minute = by_minute
        # The cut-offs of the dates of the years from _from up to, but without, _to, in order.
        self._found: list[int] = []
        self._from = self._to = 0

    def due(self, start_ms: int, days: int) -> int:
        """Return the cut-off of the Nth business day after the one on which a start is received.

        Raises:
            CalendarRangeError: fewer business days are left within the range of calendars.
        """
        # The cut-off of the year before's last date may lie in this UTC year.
        first = max(EARLIEST_YEAR, datetime.fromtimestamp(start_ms // 1000, UTC).year - 1)
        if not self._to:
            self._from = self._to = first
        while self._from > first:
            self._from -= 1
            self._found = self._year(self._from) + self._found
        while (place := bisect_right(self._found, start_ms) + days) >= len(self._found):
            if self._to > LATEST_YEAR:
                raise CalendarRangeError(
                    f"the calendar ends with the year {LATEST_YEAR}, before {days} business days after {start_ms}"
                )
            self._found += self._year(self._to)
            self._to += 1
        return self._found[place]

    def _year(self, year: int) -> list[int]:
        """Return the cut-offs of the dates of a local year; they may lie in the UTC years before and after it."""
        years = range(max(EARLIEST_YEAR, year - 1), min(LATEST_YEAR, year + 1) + 1)
        opened = [span for one in years for span in self._hours.year(one)]
        starts = [span.start_ms for span in opened]
        last: dict[int, int] = {}
        for day, from_ms, to_ms in self._hours.read_before(year, self._by_minute):
            place = bisect_right(starts, to_ms - 1) - 1
            if place >= 0 and opened[place].end_ms > from_ms:
                last[day] = min(opened[place].end_ms, to_ms)
        return list(last.values())
