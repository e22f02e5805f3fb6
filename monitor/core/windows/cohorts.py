"""Second statements of a series: a period owes them for its cohorts (`monitor.core.agreements.cohorts`).

The statement of a period notes what it owes in the row of the cohort's window: the start of the period. It is stated,
and the note deleted, once the cohort can be judged. A cohort that waits does not hold back those of later periods.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from monitor.core.agreements.measures import RESTORED
from monitor.core.time.periods import period_window, window_span
from monitor.core.time.spans import Span
from monitor.core.windows.evaluation import Found, Look, spot_of
from monitor.core.windows.rows import WindowRow

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from monitor.core.kinds import KindPanes
    from monitor.core.objectives.status import WindowStatus
    from monitor.core.pieces import Pieces
    from monitor.core.time.windows import Window
    from monitor.core.windows.announcing import Telling
    from monitor.core.windows.binding import Binding
    from monitor.core.windows.panes import SeriesPanes
    from monitor.core.windows.parts import Part
    from monitor.core.windows.rows import WindowRows

    State = Callable[[Look, Window, Part, int, int], Pieces[tuple[WindowStatus, Found]]]
    """Makes the statement of a part of a period, given the number of its parts and the instant of its close."""

COHORTS_AT_ONCE: Final = 8
"""The most cohorts of one window that one evaluation states; the rest waits for the next one."""


class Cohorts:
    """States the cohorts of one series. ``closed`` and ``unfinished`` are those of `Closing`, of the last run."""

    __slots__ = ("_panes", "_rows", "_telling", "closed", "held", "unfinished")

    def __init__(self, panes: SeriesPanes, rows: WindowRows, telling: Telling) -> None:
        self.closed = False
        self.unfinished = False
        self.held: list[int] = []
        """When those were to be stated that the last run held back (`Look.holds_back`)."""
        self._panes = panes
        self._rows = rows
        self._telling = telling

    def owe(self, window: Window, start_ms: int, parts: Sequence[Part]) -> Pieces[None]:
        """Note what the statement of a period could not judge in any of its parts."""
        later: set[str] = set()
        for part in parts:
            later |= yield from outlasting(part.binding, self._panes, window, Span(part.from_ms, part.to_ms))
        for cohort in sorted(later):
            name = window._replace(cohort=cohort).name
            owed = {**self._rows.get(name).told, start_ms: {}}
            self._rows.put(name, WindowRow(owed, min(owed)))

    def run(self, look: Look, state: State) -> Pieces[tuple[bool, Found]]:
        """State the cohorts that can be judged, in pieces; return whether any is still to be stated."""
        self.closed = self.unfinished = False
        self.held = []
        found = Found()
        windows = [one for one in map(period_window, self._rows.names()) if one is not None and one.cohort]
        for window in sorted(windows):
            stated = 0
            for start_ms in sorted(self._rows.get(window.name).told):
                if stated == COHORTS_AT_ONCE:
                    self.unfinished = True
                    break
                is_over = yield from self._state(look, window, start_ms, state, found)
                stated += is_over
            self.closed |= stated > 0
        return any(window.name in self._rows.names() for window in windows), found

    def _state(self, look: Look, window: Window, start_ms: int, state: State, found: Found) -> Pieces[bool]:
        """State the cohort of a period if it can be judged; return whether it is owed no longer."""
        span = window_span(window, look.slices.zone, start_ms)
        parts = [
            part for part in look.scope.parts(self._rows.series, window.period, span) if window in part.binding.cohorts
        ]
        close_ms = 0
        for part in parts:
            assert part.binding.measure is not None  # it has cohorts
            over_ms = yield from _over_ms(part.binding, self._panes, window, Span(part.from_ms, part.to_ms))
            if over_ms is None:
                return False
            lateness_ms = part.binding.agreement.allowed_lateness_ms
            close_ms = max(close_ms, over_ms + part.binding.measure.lasts_ms + lateness_ms)
        if close_ms > look.now_ms:
            found.wakes_ms.append(close_ms)
            return False
        if look.holds_back(self._rows.series.agreement, window, close_ms):
            self.held.append(close_ms)
            return False
        for part in parts:
            status, stated = yield from state(look, window, part, len(parts), close_ms)
            found.add(stated)
            if part is parts[-1]:
                spot = spot_of(part.binding, window, start_ms, close_ms)
                found.add(self._telling.announce(look, spot, status, rolling=False))
            found.statuses.append(status)
        owed = {one: told for one, told in self._rows.get(window.name).told.items() if one != start_ms}
        self._rows.put(window.name, WindowRow(owed, min(owed)) if owed else None)
        return True


def outlasting(binding: Binding, panes: KindPanes, window: Window, period: Span) -> Pieces[frozenset[str]]:
    """Return the promises that cannot be judged yet when a period is stated, its allowed lateness after its end."""
    found: set[str] = set()
    for one in binding.cohorts:
        if one.period == window:
            over_ms = yield from _over_ms(binding, panes, one, period)
            if over_ms is None or over_ms > period.end_ms + binding.agreement.allowed_lateness_ms:
                found.add(one.cohort)
    return frozenset(found)


def _over_ms(binding: Binding, panes: KindPanes, window: Window, period: Span) -> Pieces[int | None]:
    """Return when the last span of a cohort is over; None: nobody knows yet."""
    if window.cohort == RESTORED:
        return (yield from panes.restored_ms(window, period))
    assert binding.measure is not None  # it has cohorts
    return binding.measure.span_end_ms(window.cohort, period.end_ms, binding.agreement.calendars)
