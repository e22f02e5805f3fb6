"""One evaluation of one series: what all who take part in it are handed, and where they put what they find."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from monitor.core.alerts.alert import Alert
    from monitor.core.objectives.status import WindowStatus
    from monitor.core.series.retention import Slices
    from monitor.core.time.windows import Window
    from monitor.core.windows.terms import Binding, Scope


class Look(NamedTuple):
    """One evaluation of one series: as of when, by which terms; what it finds; when to look again."""

    now_ms: int
    scope: Scope
    slices: Slices
    binding: Binding
    statuses: list[WindowStatus]
    alerts: list[Alert]
    ended: list[str]
    wakes_ms: list[int]


class Spot(NamedTuple):
    """Where and by what objectives are judged: window, start of its period (`ROLLING`: none), instant, version."""

    window: str
    period_ms: int
    at_ms: int
    version: int
    enforced: frozenset[str]
    over: str


def spot_of(binding: Binding, window: Window, period_ms: int, at_ms: int) -> Spot:
    """Return the spot at which a window is judged by what holds for its series."""
    return Spot(
        window.name, period_ms, at_ms, binding.agreement.version, binding.enforced(window), binding.over
    )  # fmt: skip
