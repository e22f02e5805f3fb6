"""Rules of error budgets: how bad time or events are counted, and at which burn rates alerts fire (domain.md §7)."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from monitor.core.time.units import DAY_MS, HOUR_MS, MINUTE_MS, USUAL_MONTH_MS
from monitor.core.time.windows import WIDTH_MS, Width, Window, width_for

if TYPE_CHECKING:
    from collections.abc import Iterable


Method = Literal["events", "timeslices"]
Urgency = Literal["page", "ticket"]
GOOD_SLICES: Final = "good_slices"
"""The share of good slices: the figure that is judged where a budget is one of timeslices, whatever the measure.

It is no figure of a measure, but follows from an objective's budget (`monitor.core.objectives.budget.good_slices`).
"""
_PERIOD_MS: Final = {
    "day": DAY_MS, "week": 7 * DAY_MS, "month": USUAL_MONTH_MS, "quarter": 90 * DAY_MS, "year": 365 * DAY_MS,
}  # fmt: skip


class BurnAlert(NamedTuple):
    """A pair of windows and a burn rate; the alert fires when both windows reach the rate."""

    burn: float
    long_ms: int
    short_ms: int
    urgency: Urgency

    @property
    def long(self) -> Window:
        """The long window, which shows that the burn matters."""
        return Window("rolling", self.long_ms)

    @property
    def short(self) -> Window:
        """The short window, which shows that the burn still goes on."""
        return Window("rolling", self.short_ms)

    @property
    def name(self) -> str:
        """The pair's name: ``1h+5m``."""
        return f"{self.long.name}+{self.short.name}"


USUAL_ALERTS: Final = (
    BurnAlert(14.4, HOUR_MS, 5 * MINUTE_MS, "page"),
    BurnAlert(6.0, 6 * HOUR_MS, 30 * MINUTE_MS, "page"),
    BurnAlert(3.0, DAY_MS, 2 * HOUR_MS, "ticket"),
    BurnAlert(1.0, 72 * HOUR_MS, 6 * HOUR_MS, "ticket"),
)
"""The pairs for a period of 30 days. At its rate each uses 2 %, 5 %, 10 % and 10 % of the budget in the long window."""


class BudgetRule(NamedTuple):
    """How the error budget of an objective is kept.

    ``period`` is the longest of the objective's windows, to which the burn alerts belong. ``goal`` is the share of good
    slices (timeslices only). With fewer than ``minimum_events`` in the long window no alert fires; time is never too
    small a sample.
    """

    period: Window
    method: Method = "events"
    goal: float = 0.0
    slice_ms: int = MINUTE_MS
    alerts: tuple[BurnAlert, ...] = ()
    minimum_events: int = 20


def period_ms(window: Window) -> int:
    """Return the length of a window; a month has 30 days, a quarter 90, a year 365."""
    return window.length_ms or _PERIOD_MS[window.kind]


def scaled(alerts: Iterable[BurnAlert], period: Window) -> tuple[BurnAlert, ...]:
    """Return the alerts of 30 days for another period: windows in proportion to it, in whole panes, rounded up."""
    part = Fraction(period_ms(period), USUAL_MONTH_MS)
    return tuple(
        one._replace(long_ms=_whole_panes(one.long_ms * part), short_ms=_whole_panes(one.short_ms * part))
        for one in alerts
    )


def _whole_panes(length_ms: Fraction) -> int:
    minutes_ms = -(-length_ms // MINUTE_MS) * MINUTE_MS
    width_ms = WIDTH_MS[width_for(Window("rolling", minutes_ms))]
    return int(-(-minutes_ms // width_ms) * width_ms)


def slice_width(slice_ms: int) -> Width:
    """Return the widest panes of which a slice is a whole number."""
    widths: tuple[Width, ...] = ("hour", "quarter", "minute")
    return next(width for width in widths if slice_ms % WIDTH_MS[width] == 0)
