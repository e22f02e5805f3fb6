"""Closing periods, calendar-aligned or tumbling: each is stated once, its allowed lateness after its end.

**Which periods** are stated follows from what was measured alone, never from when an evaluation takes place: a worker
from the start, one after a stop of weeks and a replay state the same.

- The first is that in which something was first measured or overdue. A series that needs no event begins with the first
  period in which anything of its agreement was measured.
- From then on each period is stated, also an empty one, as long as the agreement promises its window, until the series
  has been silent for so long (`SILENCE_MS`). If something is measured after that, it begins anew.
- A period in which the promise changed is stated in parts (`monitor.core.windows.parts`), all of them at its close.

The other rules are in `monitor.core.windows.evaluator`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from monitor.core.clocks.figures import overdue_at
from monitor.core.objectives.verdicts import unjudged
from monitor.core.time.periods import CALENDAR_KINDS, period_window, window_span
from monitor.core.time.units import DAY_MS
from monitor.core.time.windows import Window, width_for
from monitor.core.windows.cohorts import Cohorts
from monitor.core.windows.evaluation import Found, Look, spot_of
from monitor.core.windows.panes import SeriesPanes
from monitor.core.windows.rows import WindowRow

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from monitor.core.objectives.status import WindowStatus
    from monitor.core.pieces import Pieces
    from monitor.core.time.spans import Span
    from monitor.core.time.windows import WindowKind
    from monitor.core.windows.announcing import Telling
    from monitor.core.windows.parts import Part
    from monitor.core.windows.rows import WindowRows

    State = Callable[[Look, Window, Part, int, int], Pieces[tuple[WindowStatus, Found]]]
    """Makes the statement of a part of a period, given the number of parts and the instant of the close."""

PERIODS_AT_ONCE: Final = 8
"""The most periods of one kind that one evaluation closes: after a long stop the rest waits for the next one."""
SILENCE_MS: Final[dict[WindowKind, int]] = {
    "tumbling": 7 * DAY_MS, "day": 31 * DAY_MS, "week": 366 * DAY_MS, "month": 366 * DAY_MS, "quarter": 366 * DAY_MS,
    "year": 2 * 366 * DAY_MS,
}  # fmt: skip
"""How long a series is stated after the last period in which something was measured. Each customer that ever called
once must not cost a statement a quarter of an hour for ever; a year of months, or a closed week, has no gap."""


class Closing:
    """Closes the periods of one series in their order.

    The function that makes the statements is passed to each run. If it were kept, it would make a reference cycle, and
    the memory of a series that is put to sleep would stay in use until the garbage collector runs. ``closed`` is
    whether the last run closed a period, ``unfinished`` whether periods are still to be closed, ``held_ms`` when the
    first of those closed that it held back (`Look.holds_back`).
    """

    __slots__ = ("_cohorts", "_panes", "_rows", "_telling", "closed", "held_ms", "unfinished")

    def __init__(self, panes: SeriesPanes, rows: WindowRows, telling: Telling) -> None:
        self.closed = False
        self.unfinished = False
        self.held_ms: int | None = None
        self._panes = panes
        self._rows = rows
        self._telling = telling
        self._cohorts = Cohorts(panes, rows, telling)

    def run(self, look: Look, state: State) -> Pieces[tuple[bool, Found]]:
        """Close the periods whose lateness is over, in pieces; return whether any period is still to be closed."""
        self.closed = self.unfinished = False
        held: list[int] = []
        pending, found = False, Found()
        for window in self._windows(look):
            is_pending, closed = yield from self._close_window(look, window, state, held)
            pending |= is_pending
            found.add(closed)
        owed, stated = yield from self._cohorts.run(look, state)
        found.add(stated)
        held += self._cohorts.held
        self.held_ms = min(held, default=None)
        self.closed |= self._cohorts.closed
        self.unfinished |= self._cohorts.unfinished or bool(held)
        return pending or owed, found

    def _windows(self, look: Look) -> list[Window]:
        """Return the windows with periods to close, short ones first: those that any version has, and those with a row.

        An agreement may have ended, or dropped a window, before the series was evaluated for the first time.
        """
        names = {window.name for window in look.scope.periods(self._rows.series)} | self._rows.names()
        windows = [window for window in map(period_window, names) if window is not None and not window.cohort]
        return sorted(windows, key=lambda one: (CALENDAR_KINDS.index(one.kind) if not one.length_ms else -1, one))

    def _close_window(self, look: Look, window: Window, state: State, held: list[int]) -> Pieces[tuple[bool, Found]]:
        found = Found()
        self._open_from(look, window)
        for _ in range(PERIODS_AT_ONCE):
            row = self._rows.get(window.name)
            if row.open_from_ms == 0 or row.dormant:
                return False, found
            span = window_span(window, look.slices.zone, row.open_from_ms)
            parts = look.scope.parts(self._rows.series, window, span)
            if not parts:
                if not self._pass_over(look, window, span, found):
                    return False, found
                continue
            close_ms = _over_ms(parts[-1], span) + parts[-1].binding.agreement.allowed_lateness_ms
            if self._is_later(look, window, close_ms, found, held):
                return True, found
            measured = self._is_measured(span, window)
            if not (measured or row.told.get(span.start_ms) or look.scope.needs_no_event(self._rows.series)):
                last_ms = _measured_ms(row)
                if not last_ms:  # nothing was measured so far: the first period is a later one
                    self._rows.put(window.name, row._replace(open_from_ms=span.end_ms))
                    continue
                if span.end_ms > last_ms + max(SILENCE_MS[window.kind], 2 * window.length_ms):
                    self._fall_silent(look, window, span)
                    continue
            stated: dict[str, float] = {}
            for part in parts:
                closed = yield from self._close(look, window, span, parts, part, close_ms, state)
                stated = values_of(closed.statuses[-1])
                found.add(closed)
            yield from self._cohorts.owe(window, span.start_ms, parts)
            told = {start_ms: one for start_ms, one in row.told.items() if start_ms > span.start_ms}
            measured_ms = span.end_ms if measured else _measured_ms(row)
            self._rows.put(
                window.name,
                WindowRow(told, span.end_ms, row.closed + 1, shown=row.shown, measured_ms=measured_ms, stated=stated),
            )
            self.closed = True
        self.unfinished = True
        return True, found

    def _is_later(self, look: Look, window: Window, close_ms: int, found: Found, held: list[int]) -> bool:
        """Return whether a period is closed another time: not yet over, or held back."""
        if close_ms > look.now_ms:
            found.wakes_ms.append(close_ms)
            return True
        if look.holds_back(self._rows.series.agreement, window, close_ms):
            held.append(close_ms)
            return True
        return False

    def _close(
        self, look: Look, window: Window, span: Span, parts: Sequence[Part], part: Part, close_ms: int, state: State
    ) -> Pieces[Found]:
        """State a part of a period. The alerts of the period end with its last part."""
        found, binding = Found(), part.binding
        status, stated = yield from state(look, window, part, len(parts), close_ms)
        found.add(stated)
        if part is parts[-1]:
            spot = spot_of(binding, window, span.start_ms, close_ms)
            found.add(self._telling.announce(look, spot, status, rolling=False))
        found.statuses.append(status)
        return found

    def _pass_over(self, look: Look, window: Window, span: Span, found: Found) -> bool:
        """Pass over a period in which the window was promised at no instant; return whether another one may be closed.

        Alerts of a promise that was taken back end with the period.
        """
        row = self._rows.get(window.name)
        standing = row.told.get(span.start_ms, {})
        if standing and span.end_ms > look.now_ms:
            found.wakes_ms.append(span.end_ms)
            return False
        spot = spot_of(look.binding, window, span.start_ms, span.end_ms)
        for name, one in standing.items():
            found.add(self._telling.end(look, spot, one, "period_closed", unjudged(name))[1])
        told = {start_ms: one for start_ms, one in row.told.items() if start_ms > span.start_ms}
        next_ms = look.scope.promised_ms(self._rows.series, window, span.end_ms)
        if next_ms is None:
            self._rows.put(window.name, row._replace(told=told, dormant=True))
            return False
        from_ms = window_span(window, look.slices.zone, next_ms).start_ms
        self._rows.put(window.name, row._replace(told=told, open_from_ms=from_ms))
        return True

    def _fall_silent(self, look: Look, window: Window, span: Span) -> None:
        """State nothing from this period on, up to that in which something is measured again."""
        row = self._rows.get(window.name)
        again_ms = self._measured_from(look, window, span.end_ms)
        if again_ms is not None:
            self._rows.put(window.name, row._replace(open_from_ms=again_ms, measured_ms=again_ms))
        else:
            self._rows.put(window.name, row._replace(dormant=True))

    def _is_measured(self, period: Span, window: Window) -> bool:
        """Return whether anything was measured in a period, or was overdue at its end.

        Subjects that were only open in the period do not count: they may be gone at a later evaluation, and whether
        there is a statement must not depend on when the evaluation takes place.
        """
        width = width_for(window)
        starts = self._panes.between(width, period.start_ms, period.end_ms)
        panes = (self._panes.pane(width, start_ms) for start_ms in starts)
        if any(pane.calls or pane.outages for pane in panes):  # items are never subtracted from one another
            return True
        known = 0
        if self._panes.stated_from(window, period.start_ms, period.end_ms) is not None:
            total = self._panes.sum_of(window, period)
            known = total.counts.pop("overdue", 0)
            if any(total):
                return True
        return overdue_at(self._panes, period.end_ms, width) + known > 0

    def _measured_from(self, look: Look, window: Window, from_ms: int) -> int | None:
        """Return the start of the first period from an instant on in which anything was measured; None: there is none.

        There may be panes of a period all of which became known only after its close.
        """
        while (at_ms := self._panes.stated_from(window, from_ms, look.now_ms + 1)) is not None:
            span = window_span(window, look.slices.zone, at_ms)
            if self._is_measured(span, window) or look.scope.needs_no_event(self._rows.series):
                return span.start_ms
            from_ms = span.end_ms
        return None

    def _open_from(self, look: Look, window: Window) -> None:
        """Find the first period to close: the period of the first pane, as long as none has been closed."""
        row, series = self._rows.get(window.name), self._rows.series
        if row.dormant:
            again_ms = self._measured_from(look, window, row.open_from_ms)
            if again_ms is None or look.scope.promised_ms(series, window, again_ms) is None:
                return
            from_ms = max(row.open_from_ms, again_ms)
            told = {start_ms: one for start_ms, one in row.told.items() if start_ms >= from_ms}
            self._rows.put(
                window.name,
                row._replace(told=told, open_from_ms=from_ms, dormant=False, measured_ms=from_ms),
            )
            return
        if row.closed:
            return
        first_ms = self._panes.stated_from(window, 0)
        if first_ms is None:
            first_ms = look.watched_ms if look.scope.needs_no_event(series) else look.now_ms
        first_ms = max(min(first_ms, look.now_ms), look.scope.began_ms(series.agreement))
        promised_ms = look.scope.promised_ms(series, window, window_span(window, look.slices.zone, first_ms).start_ms)
        if promised_ms is None:
            return
        from_ms = window_span(window, look.slices.zone, promised_ms).start_ms
        if 0 < row.open_from_ms > from_ms:  # periods in which nothing was measured have been passed over
            measured_ms = self._measured_from(look, window, from_ms)
            from_ms = row.open_from_ms if measured_ms is None else measured_ms
        if row.open_from_ms == 0 or from_ms < row.open_from_ms:
            self._rows.put(window.name, row._replace(open_from_ms=from_ms))


def values_of(statement: WindowStatus) -> dict[str, float]:
    """Return the judged values of a statement by objective: the last part's, where it is stated in parts.

    What is stated later, by the cohort, is left out.
    """
    return {
        one.objective: one.value for one in statement.verdicts if one.value is not None and one.verdict != "provisional"
    }


def _over_ms(last: Part, period: Span) -> int:
    """Return the end of a period with this last part: the agreement's end if that is in it, else its own.

    A promise that an amendment drops is stated with the period, so that it makes no difference when the amendment
    becomes known.
    """
    return last.to_ms if last.to_ms == last.binding.agreement.terminates_ms else period.end_ms


def _measured_ms(row: WindowRow) -> int:
    """Return the end of the newest closed period in which something was measured; 0: nothing was yet.

    A row of an earlier release does not tell: it counts as if its last period had been measured.
    """
    return row.measured_ms or (row.open_from_ms if row.closed else 0)
