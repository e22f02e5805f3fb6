"""The counts of a clock in its series: one while it is open; its outcome and its times once it has stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from monitor.core.clocks.clock import is_breached, is_undated
from monitor.core.clocks.clock_value import NO_DUE
from monitor.core.series.series import LIVE, Change, Counts
from monitor.core.series.sums import PAUSED, RUNNING

if TYPE_CHECKING:
    from collections.abc import Callable

    from monitor.core.clocks.clock_value import Clock


def shares_of(clock: Clock) -> list[Change]:
    """Return all changes of a clock in its series: its share, and one at the instant at which it became overdue.

    From ``overdue_in`` at the due instant and ``overdue_out`` at the stop the number of overdue clocks at any instant
    can be computed (`overdue_at`), even if its source has got further since.
    """
    share = share_of(clock)
    if share is None:
        return []
    if not clock.breached_ms:
        return [share]
    return [share, Change(clock.series, clock.breached_ms, _OVERDUE_IN)]


def share_of(clock: Clock) -> Change | None:
    """Return the change by which a clock counts: in the live pane while it is open, at its stop once it has stopped."""
    state = clock.state
    if state == "stopped":
        extra, stop_ms, elapsed_ms = clock.extra, clock.stop_ms, clock.elapsed_ms
        if extra is not None and extra.due_at_ms == NO_DUE:
            return Change(clock.series, stop_ms, _UNDATED)
        wall_ms = stop_ms - clock.start_ms - (extra.outside_ms if extra else 0)
        is_late = is_breached(clock)
        counts: Counts = (_BREACHED if is_late else _MET, ("elapsed_ms", elapsed_ms), ("wall_ms", wall_ms))
        if is_late:
            counts = (*counts, ("overdue_out", 1))
        if clock.flagged:
            counts = (*counts, ("flagged", 1))
        if is_late and extra and extra.counts_late:
            counts = (*counts, ("late_ms", elapsed_ms - clock.budget_ms))
        shown: Change = _new(Change, (clock.series, stop_ms, counts, elapsed_ms, None, None, 1))
        return shown
    return None if state == "cancelled" else live_share(clock)


def live_share(clock: Clock, times: int = 1) -> Change:
    """Return the change of an open clock in the live pane of its series; ``times`` -1: the change that takes it out."""
    if clock.told or clock.breached_ms or clock.state == "paused":
        how = "overdue" if clock.breached_ms else "at_risk" if clock.told else ""
        counts = _LIVE_COUNTS[clock.state == "paused", how]
        if is_undated(clock):
            counts = (*counts, *_UNDATED)
    else:
        counts = RUNNING if clock.due_ms else _RUNNING_UNDATED
    live: Change = _new(Change, (clock.series, LIVE, counts, -1, None, None, times))
    return live


_new: Final[Callable[..., Any]] = tuple.__new__
"""Makes the tuples of the hot path directly: their constructors take three times as long."""
_OVERDUE_IN: Final = (("overdue_in", 1),)
_MET: Final = ("met", 1)
_BREACHED: Final = ("breached", 1)
_LIVE_COUNTS: Final = {
    (paused, how): (*(PAUSED if paused else RUNNING), *(((how, 1),) if how else ()))
    for paused in (False, True)
    for how in ("", "at_risk", "overdue")
}
"""The live counts of an open clock, by whether it is paused and by its announced state."""
_UNDATED: Final = (("undated", 1),)
_RUNNING_UNDATED: Final = (*RUNNING, *_UNDATED)
