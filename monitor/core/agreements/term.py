"""Terms: how long an agreement runs, and until when notice can be given before it is renewed (domain.md §1).

A term runs from its first day up to its end, the first day on which it no longer holds, in the agreement's zone. It is
renewed again and again for the agreed length, unless notice is given before its end minus the notice period. With three
months' notice to the end of a year, notice must be given by 30 September. Later notice ends the next term.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from monitor.core.time.periods import date_start

if TYPE_CHECKING:
    from collections.abc import Iterator


_MONTHS_A_YEAR: Final = 12


class Length(NamedTuple):
    """A length in the calendar: a number of months plus a number of days."""

    months: int = 0
    days: int = 0

    def after(self, day: date, times: int = 1) -> date:
        """Return the day ``times`` this length after a day; a day that the month does not have becomes its last one."""
        years, month = divmod(day.month - 1 + self.months * times, _MONTHS_A_YEAR)
        year, month = day.year + years, month + 1
        moved = date(year, month, min(day.day, monthrange(year, month)[1]))
        return moved + timedelta(days=self.days * times)

    def before(self, day: date) -> date:
        """Return the day this length before a day."""
        return Length(-self.months, -self.days).after(day)


WARN: Final = Length(days=30)
"""The default time before an end at which people are warned of it."""


class Running(NamedTuple):
    """The term that runs at an instant: its start, its end, and the instant before which notice ends it."""

    start_ms: int
    end_ms: int
    notice_until_ms: int


class Term(NamedTuple):
    """The agreed term of an agreement.

    ``renews`` is the length of each renewal (None: the term ends for good). ``notice_given`` is the day on which notice
    was given, if it was. ``warn`` is how long before the end, and before the last instant for a notice, people are
    warned.
    """

    zone: str
    start: date
    end: date
    notice: Length = Length()
    renews: Length | None = None
    notice_given: date | None = None
    warn: Length = WARN

    def running(self, at_ms: int) -> Running:
        """Return the term that holds an instant; before the first term the first, after the last term the last."""
        start, end = self.start, self.end
        for start, end in self._terms():  # noqa: B007 - the last one that was reached
            if at_ms < date_start(self.zone, end):
                break
        return Running(*(date_start(self.zone, one) for one in (start, end, self._notice_until(end))))

    @property
    def ends_ms(self) -> int | None:
        """The instant at which the agreement ends; None: it is renewed until notice is given."""
        if self.renews is not None and self.notice_given is None:
            return None
        *_, (_, end) = self._terms()
        return date_start(self.zone, end)

    def _terms(self) -> Iterator[tuple[date, date]]:
        """Yield the start and end of each term, as long as the terms are renewed."""
        start, end = self.start, self.end
        yield start, end
        number = 0
        while self.renews is not None and not self._is_ended(end):
            number += 1
            start, end = end, self.renews.after(self.end, number)
            yield start, end

    def _notice_until(self, end: date) -> date:
        """Return the first day on which notice is too late to end the term that ends at ``end``."""
        return self.notice.before(end)

    def _is_ended(self, end: date) -> bool:
        return self.notice_given is not None and self.notice_given < self._notice_until(end)
