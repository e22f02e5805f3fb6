"""One evaluation of one series: the inputs that its steps share, and the lists in which they collect results."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from monitor.core.alerts.alert import Alert
    from monitor.core.objectives.status import WindowStatus
    from monitor.core.series.retention import Slices
    from monitor.core.time.windows import Window
    from monitor.core.windows.terms import Binding, Scope


class Look(NamedTuple):
    """One evaluation of one series: its instant and terms, its results, and when it must be repeated (``wakes_ms``)."""

    now_ms: int
    scope: Scope
    slices: Slices
    binding: Binding
    statuses: list[WindowStatus]
    alerts: list[Alert]
    ended: list[str]
    wakes_ms: list[int]


class Spot(NamedTuple):
    """The context of a judgement: window, start of its period (`ROLLING`: none), instant, version, objectives."""

    window: str
    period_ms: int
    at_ms: int
    version: int
    enforced: frozenset[str]
    over: str


def spot_of(binding: Binding, window: Window, period_ms: int, at_ms: int) -> Spot:
    """Return the context in which a window is judged by the terms that hold for its series."""
    return Spot(
        window.name, period_ms, at_ms, binding.agreement.version, binding.enforced(window), binding.over
    )  # fmt: skip
