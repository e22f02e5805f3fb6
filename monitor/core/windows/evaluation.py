"""Evaluations: their result, the inputs that the steps of one series share, and the findings that each step returns."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from monitor.core.alerts.alert import Alert
    from monitor.core.objectives.by_counts import ByCounts
    from monitor.core.objectives.status import WindowStatus
    from monitor.core.series.retention import Slices
    from monitor.core.series.series import SeriesKey
    from monitor.core.time.windows import Window
    from monitor.core.windows.binding import Binding
    from monitor.core.windows.terms import Scope


class Evaluation(NamedTuple):
    """The result of an evaluation: statuses that changed, statements (closed ones), alerts, and whether work is left.

    ``ended`` are the windows, by series and name, that are no longer shown, even if ``statuses`` holds them too.
    """

    statuses: list[WindowStatus]
    alerts: list[Alert]
    ended: list[tuple[SeriesKey, str]]
    more: bool


class Look(NamedTuple):
    """The instant and the terms of one evaluation of one series."""

    now_ms: int
    scope: Scope
    slices: Slices
    binding: Binding
    watched_ms: int
    """The start of the oldest pane of any series of the agreement; the instant itself if there is none."""
    shows: bool = True
    """Whether the statuses of running windows are wanted. Otherwise only windows that may announce are judged."""
    closes_ms: int | None = None
    """Until when periods are closed that share money under a cap with those of other series; None: there are none."""

    def holds_back(self, agreement: str, window: Window, close_ms: int) -> bool:
        """Return whether a period is to be closed after others of its agreement that closed before it."""
        if self.closes_ms is None or close_ms <= self.closes_ms:
            return False
        return window.kind in self.scope.capped(agreement)


class Found:
    """The findings of one step of an evaluation: the step returns them, and its caller adds them to its own."""

    __slots__ = ("alerts", "by_counts", "ended", "statuses", "wakes_ms")

    def __init__(self) -> None:
        self.statuses: list[WindowStatus] = []
        self.alerts: list[Alert] = []
        self.ended: list[str] = []
        """The names of windows that are shown no more."""
        self.wakes_ms: list[int] = []
        """The instants at which to evaluate again."""
        self.by_counts: tuple[ByCounts, ...] | None = ()
        """The objectives of running windows, if they follow from counts alone (`Look.shows` is off)."""

    def add(self, other: Found) -> None:
        """Add the findings of another step after those that are here."""
        self.statuses += other.statuses
        self.alerts += other.alerts
        self.ended += other.ended
        self.wakes_ms += other.wakes_ms
        if self.by_counts is not None:
            self.by_counts = None if other.by_counts is None else self.by_counts + other.by_counts


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
