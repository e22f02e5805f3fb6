"""Closing periods, calendar-aligned or tumbling: each is stated once, its allowed lateness after its end.

The rules are in `monitor.core.windows.evaluator`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from monitor.core.clocks.figures import overdue_at
from monitor.core.objectives.verdicts import unjudged
from monitor.core.time.periods import CALENDAR_KINDS, period_window, window_span
from monitor.core.time.spans import Span
from monitor.core.time.windows import Width, Window, width_for
from monitor.core.windows.cohorts import Cohorts
from monitor.core.windows.evaluation import Found, Look, spot_of
from monitor.core.windows.panes import SeriesPanes
from monitor.core.windows.rows import WindowRow

if TYPE_CHECKING:
    from monitor.core.pieces import Pieces
    from monitor.core.windows.announcing import Telling
    from monitor.core.windows.cohorts import State
    from monitor.core.windows.rows import WindowRows


PERIODS_AT_ONCE: Final = 8
"""The most periods of one kind that one evaluation closes: after a long stop the rest waits for the next one."""


class Closing:
    """Closes the periods of one series in their order.

    The function that makes the statements is passed to each run. If it were kept, it would make a reference cycle, and
    the memory of a series that is put to sleep would stay in use until the garbage collector runs. ``closed`` is
    whether the last run closed a period, ``unfinished`` whether periods are still to be closed.
    """

    __slots__ = ("_cohorts", "_panes", "_rows", "_telling", "closed", "unfinished")

    def __init__(self, panes: SeriesPanes, rows: WindowRows, telling: Telling) -> None:
        self.closed = False
        self.unfinished = False
        self._panes = panes
        self._rows = rows
        self._telling = telling
        self._cohorts = Cohorts(panes, rows, telling)

    def run(self, look: Look, state: State) -> Pieces[tuple[bool, Found]]:
        """Close the periods whose lateness is over, in pieces; return whether any period is still to be closed."""
        self.closed = self.unfinished = False
        pending, found = False, Found()
        for window in self._windows(look):
            is_pending, closed = yield from self._close_window(look, window, state)
            pending |= is_pending
            found.add(closed)
        owed, stated = yield from self._cohorts.run(look, state)
        found.add(stated)
        self.closed |= self._cohorts.closed
        self.unfinished |= self._cohorts.unfinished
        return pending or owed, found

    def _windows(self, look: Look) -> list[Window]:
        """Return the windows with periods to close, short ones first: those that run and those no longer judged."""
        names = {window.name for window in look.binding.windows} | self._rows.names()
        windows = [window for window in map(period_window, names) if window is not None and not window.cohort]
        return sorted(windows, key=lambda one: (CALENDAR_KINDS.index(one.kind) if not one.length_ms else -1, one))

    def _close_window(self, look: Look, window: Window, state: State) -> Pieces[tuple[bool, Found]]:
        found = Found()
        self._open_from(look, window)
        for _ in range(PERIODS_AT_ONCE):
            row = self._rows.get(window.name)
            span = window_span(window, look.slices.zone, row.open_from_ms)
            to_ms = look.scope.end_ms(self._rows.series, span.start_ms, span.end_ms)
            binding = look.scope.binding(self._rows.series, to_ms - 1)
            lateness_ms = binding.agreement.allowed_lateness_ms if binding else 0
            if to_ms <= span.start_ms:  # the agreement was over before the period: there is nothing to state
                binding, to_ms = None, span.end_ms
                if to_ms + lateness_ms > look.now_ms:
                    found.wakes_ms.append(to_ms + lateness_ms)
                    return False, found
            close_ms = to_ms + lateness_ms
            if close_ms > look.now_ms:
                found.wakes_ms.append(close_ms)
                return True, found
            if not self._began(look, row, span, width_for(window)):
                self._rows.put(window.name, row._replace(open_from_ms=span.end_ms))
                continue
            spot = spot_of(binding or look.binding, window, span.start_ms, close_ms)
            if binding is not None and window in binding.windows:
                status, stated = yield from state(look, binding, window, span, to_ms, close_ms)
                yield from self._cohorts.owe(binding, window, Span(span.start_ms, to_ms))
                found.add(stated)
                found.add(self._telling.announce(look, spot, status, rolling=False))
                if binding.agreement.status != "draft":
                    found.statuses.append(status)
            else:
                for name, standing in row.told.get(span.start_ms, {}).items():
                    found.add(self._telling.end(look, spot, standing, "period_closed", unjudged(name))[1])
            told = {start_ms: one for start_ms, one in row.told.items() if start_ms > span.start_ms}
            self._rows.put(window.name, WindowRow(told, span.end_ms, row.closed + 1, shown=row.shown))
            self.closed = True
        self.unfinished = True
        return True, found

    def _began(self, look: Look, row: WindowRow, period: Span, width: Width) -> bool:
        """Return whether a series has anything to state at the end of a period.

        Subjects that were only open in the period do not count: they may be gone at a later evaluation, and whether
        there is a statement must not depend on when the evaluation takes place.
        """
        if row.closed or row.told.get(period.start_ms) or look.scope.needs_no_event(self._rows.series):
            return True
        measured = any(start_ms < period.end_ms for start_ms in self._panes.starts(width))
        return measured or overdue_at(self._panes, period.end_ms, width) > 0

    def _open_from(self, look: Look, window: Window) -> None:
        """Find the first period to close: the period of the first pane, as long as none has been closed."""
        row = self._rows.get(window.name)
        first_ms = min(self._panes.starts(width_for(window)), default=look.now_ms)
        first_ms = max(min(first_ms, look.now_ms), look.scope.began_ms(self._rows.series.agreement))
        first_ms = window_span(window, look.slices.zone, first_ms).start_ms
        if row.open_from_ms == 0 or (first_ms < row.open_from_ms and not row.closed):
            self._rows.put(window.name, row._replace(open_from_ms=first_ms))
        elif row.dormant and self._panes:
            open_from_ms = max(row.open_from_ms, first_ms)
            told = {start_ms: one for start_ms, one in row.told.items() if start_ms >= open_from_ms}
            self._rows.put(window.name, row._replace(told=told, open_from_ms=open_from_ms, dormant=False))
