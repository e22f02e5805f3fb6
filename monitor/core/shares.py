"""What a clock has in its series: one count while it is open, its outcome and its times once it has stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from monitor.core.clock import is_breached
from monitor.core.series import LIVE, Change

if TYPE_CHECKING:
    from collections.abc import Callable

    from monitor.core.rows import Clock


def share_of(clock: Clock, times: int = 1) -> Change | None:
    """Return what a clock has in its series: while it is open in the live pane, once stopped at its stop instant.

    ``times`` -1 makes it the change that takes that out.
    """
    if clock.state == "cancelled":
        return None
    if clock.state == "stopped":
        counts: tuple[tuple[str, int], ...] = (
            _BREACHED if is_breached(clock) else _MET,
            ("elapsed_ms", clock.elapsed_ms),
            ("wall_ms", clock.stop_ms - clock.start_ms),
        )
        if clock.flagged:
            counts = (*counts, ("flagged", 1))
        shown: Change = _new(Change, (clock.series, clock.stop_ms, counts, clock.elapsed_ms, None, None, times))
        return shown
    return live_share(clock, times)


def live_share(clock: Clock, times: int = 1) -> Change:
    """Return what an open clock has in the live pane of its series (``times`` as for `share_of`)."""
    how = "overdue" if clock.breach_told else "at_risk" if clock.told else ""
    live: Change = _new(Change, (clock.series, LIVE, _LIVE_COUNTS[clock.state == "paused", how], -1, None, None, times))
    return live


_new: Final[Callable[..., Any]] = tuple.__new__
"""Makes the tuples of the hot path directly: their constructors take three times as long."""
_MET: Final = ("met", 1)
_BREACHED: Final = ("breached", 1)
_LIVE_COUNTS: Final = {
    (paused, how): (("open", 1), *((("paused", 1),) if paused else ()), *(((how, 1),) if how else ()))
    for paused in (False, True)
    for how in ("", "at_risk", "overdue")
}
"""The live counts of an open clock, by whether it is paused and what was announced of it."""
