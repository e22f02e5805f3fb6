"""The windows of one series: judged, announced, closed and forgotten (the rules: `monitor.core.evaluator`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from monitor.core.figures import Figure, ObjectiveVerdict, WindowStatus
from monitor.core.lead_rule import LeadRule
from monitor.core.measures import HOUR_MS, MINUTE_MS, CallRule, OutageRule, Window, WindowKind
from monitor.core.periods import period, period_date, window_span
from monitor.core.series import SeriesKey, Width
from monitor.core.shares import overdue_at
from monitor.core.timeline import Span
from monitor.core.verdicts import QUIET, Announced, Place, Told, announce, ended, objective_alert, unjudged
from monitor.core.window_status import News, news_of, status_of
from monitor.core.windows import ROLLING, SeriesPanes, WindowRow, encode_window_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from monitor.core.alerts import Alert
    from monitor.core.plan import Slices
    from monitor.core.rows import Rows
    from monitor.core.scope import Binding, Scope
    from monitor.core.series import Pane

CALENDAR_KINDS: Final[tuple[WindowKind, ...]] = ("day", "week", "month", "quarter", "year")
PERIODS_AT_ONCE: Final = 8
"""Periods of one kind that one evaluation closes: after a long stop the rest waits for the next one."""

_PANE_GRACE_MS: Final = 25 * HOUR_MS  # a day's pane begins up to a day before what it holds (see SourceEngine)


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


class SeriesWindows:
    """One series: its panes, and the rows and newest statuses of its windows.

    ``next_ms`` is when time alone changes it (None: never), ``unfinished`` whether periods are still to be closed.
    """

    __slots__ = ("_prune_ms", "_rows", "_shown", "_windows", "key", "latest", "next_ms", "panes", "unfinished")

    def __init__(self, key: SeriesKey, rows: Rows) -> None:
        self.key = key
        self.panes = SeriesPanes(key, rows)
        self.latest: dict[str, WindowStatus] = {}
        self.next_ms: int | None = None
        self.unfinished = False
        self._rows = rows
        self._shown: dict[str, tuple[int, News]] = {}
        """When each window was told last, and what."""
        self._windows: dict[str, WindowRow | None] = {}
        self._prune_ms = 0

    def __bool__(self) -> bool:
        return bool(self.panes) or bool(self._windows)

    def note(self, window: str) -> None:
        """Take note that a window has a row."""
        self._windows.setdefault(window, None)

    def fold(self, source: str, width: Width, start_ms: int, pane: Pane | None) -> bool:
        """Take over the newest pane of a source; return whether anything changed.

        None says that the source keeps it no longer. A day's pane is then kept until its periods are closed, unless it
        holds an outage that is open: nobody would tell us of its end any more.
        """
        if (
            pane is None
            and width == "day"
            and start_ms in self.panes.starts(width)
            and all(one.restored_ms for one in self.panes.pane(width, start_ms).outages.values())
        ):
            return False
        return self.panes.replace(source, width, start_ms, pane)

    def evaluate(self, now_ms: int, scope: Scope) -> tuple[list[WindowStatus], list[Alert], list[str]]:
        """Judge all windows as of an instant; return also the names of those that are shown no more."""
        self.unfinished = False
        slices, binding = scope.slices(self.key), scope.binding(self.key, now_ms)
        change_ms = scope.next_change_ms(self.key.agreement, now_ms)
        if slices is None or binding is None:  # not known, or not yet: nothing to judge it by
            self.next_ms = change_ms
            return [], [], self._forget(self._windows)
        look = Look(now_ms, scope, slices, binding, [], [], [], [] if change_ms is None else [change_ms])
        lives = bool(self.panes) or scope.of_outages(self.key) or self._was_shown()
        pending = self._close_ended(look) if lives else False
        for window in binding.windows if lives else ():
            self._judge(look, window)
        self._end_others(look)
        self._prune(look)
        if not self.panes and not (scope.of_outages(self.key) and (binding.windows or pending)):
            self._sleep(look)
        self.next_ms = min((one for one in look.wakes_ms if one > now_ms), default=None)
        return look.statuses, look.alerts, look.ended

    def _was_shown(self) -> bool:
        """Return whether the series had panes when it was last looked at: then their end is still to be shown."""
        return any(row.shown or (name in CALENDAR_KINDS and not row.dormant) for name, row in self._rows_of_windows())

    # -- running windows

    def _judge(self, look: Look, window: Window) -> None:
        span = window_span(window, look.slices.zone, look.now_ms)
        calendar = window.kind != "rolling"
        if calendar and span.start_ms < self._row(window.name).open_from_ms:
            return  # closed already: this look is older than that
        to_ms = look.scope.end_ms(self.key, span.start_ms, span.end_ms) if calendar else span.end_ms
        status = self._status(look, look.binding, window, span, to_ms, look.now_ms, closed=False)
        self.latest[window.name] = status
        self._show(look, status, news_of(status, calendar=calendar))
        spot = _spot(look.binding, window, span.start_ms if calendar else ROLLING, look.now_ms)
        self._announce(look, spot, status, rolling=not calendar)
        if calendar:
            look.wakes_ms.append(to_ms)
        if isinstance(look.binding.measure, LeadRule) and look.binding.measure.goal is not None:
            look.wakes_ms.append(period(look.slices.zone, "day", look.now_ms).end_ms)  # a working day is over then
        if isinstance(look.binding.measure, OutageRule):
            # The length of what has passed is part of its figures.
            step_ms = MINUTE_MS if status.live["open"] or status.live["blind"] else HOUR_MS
            look.wakes_ms.append(look.now_ms - look.now_ms % step_ms + step_ms)
        elif not calendar and (move_ms := self.panes.next_move_ms(window, span)) is not None:
            look.wakes_ms.append(move_ms)
        if isinstance(look.binding.measure, CallRule) and look.binding.measure.repeat_within_ms:
            # That nobody called again is confirmed by time alone.
            look.wakes_ms.append(look.now_ms - look.now_ms % HOUR_MS + HOUR_MS)

    def _show(self, look: Look, status: WindowStatus, news: News) -> None:
        """Tell what is news; what only grew with time at most once a minute."""
        at_ms, known = self._shown.get(status.window, (0, None))
        if known == news:
            return
        if known is None or known.at_once != news.at_once or look.now_ms >= at_ms + MINUTE_MS:
            self._shown[status.window] = look.now_ms, news
            look.statuses.append(status)
            row = self._row(status.window)
            if not row.shown:
                self._put(status.window, row._replace(shown=True))
        else:
            look.wakes_ms.append(at_ms + MINUTE_MS)

    def _status(
        self, look: Look, binding: Binding, window: Window, span: Span, to_ms: int, as_of_ms: int, *, closed: bool
    ) -> WindowStatus:
        from_ms = min(to_ms, max(span.start_ms, look.scope.began_ms(self.key.agreement)))
        return status_of(self.panes, binding, window, span, Span(from_ms, to_ms), as_of_ms, closed=closed)

    # -- alerts

    def _announce(self, look: Look, at: Spot, status: WindowStatus, *, rolling: bool) -> None:
        """Tell what changed for the objectives of a window; at its close also that their alerts end."""
        row = self._row(at.window)
        before = row.told.get(at.period_ms, {})
        told = dict(before)
        for verdict in status.verdicts:
            name = verdict.objective
            if name in at.enforced:
                look.wakes_ms.append(told.get(name, QUIET).since_ms)  # an older look is repeated then
                told[name], say = announce(
                    told.get(name, QUIET), verdict.verdict, verdict.comparison, at.at_ms, at.version, rolling=rolling
                )
                self._say(look, at, told[name], say, verdict, status.figures)
        for name, standing in before.items():
            if name not in at.enforced:
                told[name] = self._end(look, at, standing, at.over, unjudged(name))
        if status.closed:
            verdicts = {verdict.objective: verdict for verdict in status.verdicts}
            for name, standing in told.items():
                verdict = verdicts.get(name) or unjudged(name)
                self._end(look, at, standing, "period_closed", verdict, status.figures)
        elif told != before and any(one != QUIET for one in told.values()):
            self._put(at.window, row._replace(told={**row.told, at.period_ms: told}))

    def _end(
        self,
        look: Look,
        at: Spot,
        standing: Announced,
        reason: str,
        verdict: ObjectiveVerdict,
        figures: Iterable[Figure] = (),
    ) -> Announced:
        if at.at_ms < standing.since_ms:
            look.wakes_ms.append(standing.since_ms)
            return standing
        after, say = ended(standing, at.at_ms, reason)
        self._say(look, at, after, say, verdict, figures)
        return after

    def _say(
        self,
        look: Look,
        at: Spot,
        standing: Announced,
        say: Told | None,
        verdict: ObjectiveVerdict,
        figures: Iterable[Figure],
    ) -> None:
        if say is None:
            return
        # The labels are those with which the alert began: an amendment must not change them while it is out.
        began = look.scope.book.exact(self.key.agreement, standing.version)
        measure = began.measure(self.key.measure) if began else None
        objective = next((one for one in began.objectives if one.id == verdict.objective), None) if began else None
        labels = dict(zip(measure.by if measure else (), self.key.values, strict=False))
        day = period_date(look.slices.zone, at.period_ms) if at.period_ms != ROLLING else ""
        figure = next((one for one in figures if one.indicator == verdict.indicator), None)
        look.alerts.append(
            objective_alert(
                Place(self.key, labels, at.window, day), objective.indicator if objective else verdict.indicator,
                standing, say, at.at_ms, at.version, verdict, figure,
            )
        )  # fmt: skip

    # -- statements

    def _close_ended(self, look: Look) -> bool:
        """Close the periods that ended longer ago than their lateness; return whether any is still to be closed."""
        running = {window.kind for window in look.binding.windows}
        pending = False
        for kind in CALENDAR_KINDS:
            if kind in running or kind in self._windows:
                pending |= self._close_kind(look, Window(kind))
        return pending

    def _close_kind(self, look: Look, window: Window) -> bool:
        self._open_from(look, window)
        for _ in range(PERIODS_AT_ONCE):
            row = self._row(window.name)
            span = period(look.slices.zone, window.kind, row.open_from_ms)
            to_ms = look.scope.end_ms(self.key, span.start_ms, span.end_ms)
            binding = look.scope.binding(self.key, to_ms - 1)
            lateness_ms = binding.agreement.allowed_lateness_ms if binding else 0
            if to_ms <= span.start_ms:  # the agreement was over before: there is nothing to state
                binding, to_ms = None, span.end_ms
                if to_ms + lateness_ms > look.now_ms:
                    look.wakes_ms.append(to_ms + lateness_ms)
                    return False
            close_ms = to_ms + lateness_ms
            if close_ms > look.now_ms:
                look.wakes_ms.append(close_ms)
                return True
            if not self._began(look, row, span):
                self._put(window.name, row._replace(open_from_ms=span.end_ms))
                continue
            spot = _spot(binding or look.binding, window, span.start_ms, close_ms)
            if binding is not None and window in binding.windows:
                status = self._status(look, binding, window, span, to_ms, close_ms, closed=True)
                self._announce(look, spot, status, rolling=False)
                if binding.agreement.status != "draft":
                    look.statuses.append(status)
            else:
                for name, standing in row.told.get(span.start_ms, {}).items():
                    self._end(look, spot, standing, "period_closed", unjudged(name))
            told = {start_ms: one for start_ms, one in row.told.items() if start_ms > span.start_ms}
            self._put(window.name, WindowRow(told, span.end_ms, row.closed + 1, shown=row.shown))
            self._prune_ms = 0  # the period's panes may go now
        self.unfinished = True
        return True

    def _began(self, look: Look, row: WindowRow, period: Span) -> bool:
        """Return whether a series has anything to state yet at the end of a period.

        What was only open in it is not measured in it, and may be gone by the time of a look that comes later: whether
        there is a statement must not depend on when we look.
        """
        if row.closed or row.told.get(period.start_ms) or look.scope.of_outages(self.key):
            return True
        measured = any(start_ms < period.end_ms for start_ms in self.panes.starts("day"))
        return measured or overdue_at(self.panes, period.end_ms) > 0

    def _open_from(self, look: Look, window: Window) -> None:
        """Find the first period to be closed: that of the first pane, as long as none has been closed."""
        row = self._row(window.name)
        first_ms = min(self.panes.starts("day"), default=look.now_ms)
        first_ms = max(min(first_ms, look.now_ms), look.scope.began_ms(self.key.agreement))
        first_ms = period(look.slices.zone, window.kind, first_ms).start_ms
        if row.open_from_ms == 0 or (first_ms < row.open_from_ms and not row.closed):
            self._put(window.name, row._replace(open_from_ms=first_ms))
        elif row.dormant and self.panes:
            open_from_ms = max(row.open_from_ms, first_ms)
            told = {start_ms: one for start_ms, one in row.told.items() if start_ms >= open_from_ms}
            self._put(window.name, row._replace(told=told, open_from_ms=open_from_ms, dormant=False))

    # -- what is over

    def _end_others(self, look: Look) -> None:
        """End the alerts of rolling windows that are judged no more, and show those windows no more."""
        names = {window.name for window in look.binding.windows}
        self.panes.keep_sums(look.binding.windows)
        look.ended.extend(self._forget(self._windows.keys() - names))
        for name in sorted(self._windows.keys() - names - set(CALENDAR_KINDS)):
            self._end_all(look, name, look.binding.over)

    def _forget(self, names: Iterable[str]) -> list[str]:
        """Show windows no more; return those that were shown, by this evaluator or one before it."""
        ended = sorted(name for name in names if self._row(name).shown)
        for name in ended:
            self.latest.pop(name, None)
            self._shown.pop(name, None)
            row = self._row(name)._replace(shown=False)
            self._put(name, None if row == WindowRow({}) else row)
        return ended

    def _end_all(self, look: Look, name: str, reason: str) -> None:
        row = self._row(name)
        told = {}
        for period_ms, objectives in row.told.items():
            spot = Spot(name, period_ms, look.now_ms, look.binding.agreement.version, frozenset(), reason)
            told[period_ms] = {
                objective: self._end(look, spot, standing, reason, unjudged(objective))
                for objective, standing in objectives.items()
            }
        if told != row.told:
            self._put(name, row._replace(told=told))

    def _prune(self, look: Look) -> None:
        """Delete the panes that no window needs any more; those of days not before their periods are closed."""
        if look.now_ms < self._prune_ms:
            look.wakes_ms.append(self._prune_ms)
            return
        keep_ms = dict(look.slices.keep_ms)
        closed_to_ms = min(
            (self._row(name).open_from_ms for name in self._windows if name in CALENDAR_KINDS), default=look.now_ms
        )
        next_ms = None
        for width in self.panes.widths():
            if width == "live":
                continue
            for start_ms in list(self.panes.starts(width)):
                last_ms = self.panes.last_ms(width, start_ms, look.now_ms)
                expiry_ms = last_ms + keep_ms.get(width, 0) + _PANE_GRACE_MS
                if expiry_ms > look.now_ms:
                    next_ms = min(next_ms or expiry_ms, expiry_ms)
                elif width != "day" or start_ms < closed_to_ms:
                    self.panes.drop(width, start_ms)
        self._prune_ms = 0
        if next_ms is not None:
            # Not for each pane at its own instant, and soon enough for one that comes late.
            self._prune_ms = min(next_ms, look.now_ms + 24 * HOUR_MS) // HOUR_MS * HOUR_MS + HOUR_MS
            look.wakes_ms.append(self._prune_ms)

    def _sleep(self, look: Look) -> None:
        """End what is left of a series without panes.

        Its rows stay as long as a late pane may bring it back, those of rolling windows that ever had an alert for
        good: the next one must have another number.
        """
        look.ended.extend(self._forget(self._windows))
        late_ms = max((ms for _, ms in look.slices.keep_ms), default=0) + _PANE_GRACE_MS
        for name in sorted(self._windows):
            self._end_all(look, name, "no_data")
            row = self._row(name)
            if name in CALENDAR_KINDS:
                over_ms = row.open_from_ms + late_ms
                if over_ms > look.now_ms:
                    look.wakes_ms.append(over_ms)
                    if not row.dormant:
                        self._put(name, row._replace(dormant=True))
                    continue
            elif any(one.cycle for objectives in row.told.values() for one in objectives.values()):
                continue
            self._put(name, None)
        # Whose last row is gone has no period left to close, also where the closing was not through with empty ones.
        self.unfinished = self.unfinished and bool(self._windows)

    # -- rows

    def _rows_of_windows(self) -> Iterator[tuple[str, WindowRow]]:
        return ((name, self._row(name)) for name in self._windows)

    def _row(self, name: str) -> WindowRow:
        row = self._windows.get(name)
        if row is None:
            stored = self._rows.get(encode_window_key(self.key, name)) if name in self._windows else None
            row = stored if isinstance(stored, WindowRow) else WindowRow({})
            if name in self._windows:
                self._windows[name] = row
        return row

    def _put(self, name: str, row: WindowRow | None) -> None:
        self._rows.put(encode_window_key(self.key, name), row)
        if row is None:
            self._windows.pop(name, None)
        else:
            self._windows[name] = row


def _spot(binding: Binding, window: Window, period_ms: int, at_ms: int) -> Spot:
    return Spot(
        window.name, period_ms, at_ms, binding.agreement.version, binding.enforced(window), binding.over
    )  # fmt: skip
