"""Forecasts of error budgets: when one is used up if it goes on at its pace. Called by whoever shows a budget.

A budget of time in a calendar period has a fixed total, so the pace is that of the period so far. All others are looked
at by the longest window of which a burn rate is told: in it ``bad`` of ``all`` were bad in L, so in each millisecond

    the budget grows by    allowed × all / L       (a budget in events; one of time is fixed)
    and is used by         bad / L

In a window that goes with the time what was used comes back, and a budget in events loses the events that leave: what
leaves is taken to be like the mean of the window.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from monitor.core.time.windows import rolling_ms

if TYPE_CHECKING:
    from monitor.core.objectives.budget import BudgetFigure
    from monitor.core.objectives.status import WindowStatus


class Forecast(NamedTuple):
    """The end of a budget at its pace.

    ``used_up_ms`` is when more will be bad than is allowed; None: not within this window, or (of a window that goes
    with the time) not within its length from now on. ``left_at_end`` is the share of the budget that is left when a
    calendar period ends, 0 if it is used up before; None of a window that goes with the time. ``pace`` is the window
    whose pace it is: "" is the period so far.
    """

    used_up_ms: int | None
    left_at_end: float | None
    pace: str


def forecast(status: WindowStatus, figure: BudgetFigure) -> Forecast | None:
    """Return when a budget of a running window is used up at its pace.

    None: nobody can tell. The window is closed, has just begun, or has no budget; the budget is used up already; or
    there is no burn rate to tell the pace.
    """
    ran_ms, left = status.as_of_ms - status.from_ms, figure.remaining
    if status.closed or figure.consumed_share is None or figure.exhausted or left <= 0 or ran_ms <= 0:
        return None
    length_ms = rolling_ms(status.window)
    if length_ms is None and figure.unit == "ms":
        return _to_the_end(status, figure, figure.consumed / ran_ms, 0.0, "")
    burns = {length: one for one in figure.burns if (length := rolling_ms(one.window)) and one.all}
    if not burns or not figure.all:
        return None
    pace_ms = max(burns)
    burn, allowed = burns[pace_ms], figure.total / figure.all
    used, grown = burn.bad / pace_ms, 0.0 if figure.unit == "ms" else allowed * burn.all / pace_ms
    if length_ms is None:
        return _to_the_end(status, figure, used, grown, burn.window)
    used -= figure.consumed / length_ms
    grown -= 0.0 if figure.unit == "ms" else figure.total / length_ms
    return Forecast(_used_up_ms(status, figure, used - grown, length_ms), None, burn.window)


def _to_the_end(status: WindowStatus, figure: BudgetFigure, used: float, grown: float, pace: str) -> Forecast:
    """Return the forecast of a period, given what is used and added in each millisecond."""
    to_come_ms = max(0, status.to_ms - status.as_of_ms)
    at_ms = _used_up_ms(status, figure, used - grown, to_come_ms)
    if at_ms is not None:
        return Forecast(at_ms, 0.0, pace)
    total = figure.total + grown * to_come_ms
    return Forecast(None, max(0.0, 1 - (figure.consumed + used * to_come_ms) / total), pace)


def _used_up_ms(status: WindowStatus, figure: BudgetFigure, shrinks: float, within_ms: int) -> int | None:
    """Return when the rest is used up that shrinks by so much in each millisecond; None: not within that time."""
    if shrinks * within_ms <= figure.remaining:
        return None
    return status.as_of_ms + round(figure.remaining / shrinks)
