"""The windows of one series: judged, announced, closed and forgotten (the rules: `monitor.core.windows.evaluator`)."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from monitor.core.kinds import KINDS, SHARES, is_judged_from_the_start, turns_ms
from monitor.core.objectives.by_counts import by_counts
from monitor.core.series.measured import WindowView
from monitor.core.series.panes import exchanged
from monitor.core.series.series import Pane, SeriesKey, Slice, is_rest
from monitor.core.time.periods import period_window, window_span
from monitor.core.time.spans import Span
from monitor.core.time.units import MINUTE_MS
from monitor.core.time.windows import Width, Window
from monitor.core.windows.announcing import Telling
from monitor.core.windows.budgets import SeriesBudgets
from monitor.core.windows.closing import Closing
from monitor.core.windows.consequences import SeriesConsequences
from monitor.core.windows.evaluation import Found, Look, spot_of
from monitor.core.windows.panes import SeriesPanes
from monitor.core.windows.pruning import PANE_GRACE_MS, Pruning
from monitor.core.windows.rows import ROLLING, WindowRow, WindowRows
from monitor.core.windows.status import news_of, status_of, with_budgets

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from monitor.core.alerts.alert import Alert
    from monitor.core.objectives.by_counts import ByCounts
    from monitor.core.objectives.status import WindowStatus
    from monitor.core.pieces import Pieces
    from monitor.core.rows import Rows
    from monitor.core.windows.binding import Binding
    from monitor.core.windows.parts import Part
    from monitor.core.windows.terms import Scope

_ITEMS_OF: Final = "\x1e"  # no attribute holds it: the wire refuses control characters


class AsleepSeries(NamedTuple):
    """A series that was evaluated and is not needed for now: a tenth of the memory of one that is awake."""

    next_ms: int | None
    slices: tuple[Slice, ...]
    """Its panes."""
    windows: tuple[str, ...]
    """The windows that have a row."""
    latest: tuple[WindowStatus, ...]
    shown: tuple[int | WindowStatus, ...]
    """When each window was told last, and what, one after the other."""
    prune_ms: int


@lru_cache(maxsize=256)
def names_of(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return names of windows as one tuple for all series that have the same."""
    return names


class SeriesWindows:
    """One series: its panes, and the rows and newest statuses of its windows.

    ``next_ms`` is when time alone changes it (None: never), ``unfinished`` whether periods are still to be closed.
    """

    __slots__ = (
        "_budgets", "_closing", "_consequences", "_pruning", "_rows", "_shown", "_telling",
        "by_counts", "held_ms", "key", "latest", "next_ms", "panes", "parts", "unfinished",
    )  # fmt: skip

    def __init__(self, key: SeriesKey, rows: Rows) -> None:
        self.key = key
        self.panes = SeriesPanes(key, rows)
        self.latest: dict[str, WindowStatus] = {}
        self.next_ms: int | None = None
        self.unfinished = False
        self.held_ms: int | None = None
        self.by_counts: tuple[ByCounts, ...] | None = None
        """The objectives of running windows, by what is counted; None: any change may have to be announced."""
        self.parts = 0
        """How many series are counted in this one: none but in the rest."""
        self._rows = WindowRows(key, rows)
        self._telling = Telling(self._rows)
        self._closing = Closing(self.panes, self._rows, self._telling)
        self._budgets = SeriesBudgets(self.panes, rows)
        self._consequences = SeriesConsequences(key, rows)
        self._shown: dict[str, tuple[int, WindowStatus]] = {}
        """When each window was told last, and what."""
        self._pruning = Pruning(self.panes, self._rows)

    def __bool__(self) -> bool:
        return bool(self.panes) or bool(self._rows)

    def asleep(self) -> AsleepSeries:
        """Return what must be known of the series until it is needed again: the rows tell the rest."""
        return AsleepSeries(
            self.next_ms,
            self.panes.noted(),
            names_of(tuple(sorted(self._rows.names()))),
            tuple(self.latest.values()),
            tuple([one for told in self._shown.values() for one in told]),
            self._pruning.next_ms,
        )

    @classmethod
    def awake(cls, key: SeriesKey, rows: Rows, asleep: AsleepSeries) -> SeriesWindows:
        """Return a series as it was before it was put to sleep."""
        series = cls(key, rows)
        for slice_ in asleep.slices:
            series.panes.note(*slice_)
        for window in asleep.windows:
            series.note(window)
        series.latest = {one.window: one for one in asleep.latest}
        told = zip(asleep.shown[::2], asleep.shown[1::2], strict=True)
        series._shown = {status.window: (at_ms, status) for at_ms, status in told}  # type: ignore[union-attr, misc]  # they alternate
        series.next_ms, series._pruning.next_ms = asleep.next_ms, asleep.prune_ms
        return series

    def prune_soon(self) -> None:
        """Delete what no window needs at the next evaluation, not only some time later."""
        self._pruning.next_ms = 0

    def note(self, window: str) -> None:
        """Take note that a window has a row."""
        self._rows.note(window)

    def ended(self, source: str, width: Width, start_ms: int, of_periods: Collection[Width] = ()) -> bool:
        """Take note that a source no longer keeps a pane; return whether anything changed.

        A pane of a width that periods are made of (``of_periods``) is kept until they are closed, unless it holds an
        outage that is open: nobody would tell us of its end any more. A backlog may bring a pane and its end before the
        series is evaluated at all.
        """
        known = self.panes.with_items(source, width, start_ms)
        if known is None or self._pruning.is_still_stated(width, known, of_periods):
            return False
        return self.panes.replace(source, width, start_ms, None)

    def exchange(
        self, source: str, values: tuple[str, ...], width: Width, start_ms: int, old: Pane | None, new: Pane | None,
        of_periods: Collection[Width] = (),
    ) -> bool:  # fmt: skip
        """Take over the newest pane of a part, which has these values, in place of its older one.

        Counts go into the sum of the source. Items stay by themselves: together they would not fit one row.
        """
        if new is None and old is not None and self._pruning.is_still_stated(width, old, of_periods):
            return False
        total = self.panes.of_source(source, width, start_ms)
        found = self.panes.replace(source, width, start_ms, exchanged(total, old, new))
        if any(one is not None and (one.calls or one.outages) for one in (old, new)):
            items = None if new is None else Pane({}, {}, new.calls, new.outages, {})
            found |= self.panes.replace(_ITEMS_OF.join((source, *values)), width, start_ms, items)
        return found

    def follow(self, other: SeriesWindows) -> None:
        """State no period that another series has stated, whose part this one was."""
        for name, row in other._rows.items():
            own = self._rows.get(name)
            window = period_window(name)
            if window is not None and not window.cohort and own.open_from_ms < row.open_from_ms:
                self._rows.put(name, own._replace(open_from_ms=row.open_from_ms, closed=own.closed or row.closed))

    def evaluate(
        self,
        now_ms: int,
        scope: Scope,
        watched_ms: int | None = None,
        *,
        shows: bool = True,
        closes_ms: int | None = None,
    ) -> Pieces[tuple[list[WindowStatus], list[Alert], list[str]]]:
        """Judge all windows as of an instant; return also the names of those that are shown no more.

        ``watched_ms`` is since when anything of the agreement has been measured (None: nothing was yet).

        In pieces. No pane may be folded before the last one: the windows of a look are of the same panes. If it does
        not ``show`` running windows, those without an objective are passed over: they announce nothing. ``closes_ms``
        holds periods back (`Look.holds_back`); ``held_ms`` is then when the first of them closed.
        """
        self.unfinished, self.held_ms = False, None
        slices, binding = scope.slices(self.key), scope.binding(self.key, now_ms)
        change_ms = scope.next_change_ms(self.key.agreement, now_ms)
        if slices is None or binding is None:  # not known, or not yet: nothing to judge it by
            self.next_ms = change_ms
            return [], [], self._forget(self._rows.names())
        look = Look(now_ms, scope, slices, binding, now_ms if watched_ms is None else watched_ms, shows, closes_ms)
        found = Found()
        if change_ms is not None:
            found.wakes_ms.append(change_ms)
        needs_no_event = scope.needs_no_event(self.key)
        lives = bool(self.panes) or needs_no_event or any(row.shown for _, row in self._rows.items())
        pending = False
        yield from self.panes.reading()
        if lives or self._is_stated():
            self._budgets.settle(look, self._stated_to_ms(look))
            pending, closed = yield from self._closing.run(look, self._statement)
            found.add(closed)
            self.unfinished, self.held_ms = self._closing.unfinished, self._closing.held_ms
            if self._closing.closed:
                self._pruning.next_ms = 0  # the periods' panes may go now
        for window in binding.windows if lives else ():
            if shows or self._may_announce(binding, window):
                found.add((yield from self._judge(look, window)))
        found.add(self._end_others(look))
        prune_ms = yield from self._pruning.run(look)
        if prune_ms is not None:
            found.wakes_ms.append(prune_ms)
        if not self.panes and not (needs_no_event and (binding.windows or pending)):
            found.add(self._sleep(look, needs_no_event=needs_no_event))
        self.by_counts = None if shows or self._owes() else found.by_counts
        self.next_ms = min((one for one in found.wakes_ms if one > now_ms), default=None)
        return found.statuses, found.alerts, found.ended

    def _may_announce(self, binding: Binding, window: Window) -> bool:
        """Return whether a running window has objectives, or alerts that are out."""
        return bool(binding.shown(window)) or bool(self._rows.get(window.name).told)

    def _owes(self) -> bool:
        """Return whether a cohort is still to be stated: perhaps an event tells when it can be judged."""
        return any(window is not None and window.cohort for window in map(period_window, self._rows.names()))

    def _is_stated(self) -> bool:
        """Return whether periods are still stated, though there are no panes any more. Those of the rest are not."""
        return not is_rest(self.key) and any(
            period_window(name) and not row.dormant for name, row in self._rows.items()
        )

    # -- running windows

    def _judge(self, look: Look, window: Window) -> Pieces[Found]:
        span = window_span(window, look.slices.zone, look.now_ms)
        calendar = window.kind != "rolling"
        if calendar and span.start_ms < self._rows.get(window.name).open_from_ms:
            return Found()  # closed already: this look is older than that
        shown = look.scope.part_at(self.key, window, span, look.now_ms) if calendar else span
        to_ms = shown.end_ms
        view = self._view(look, look.binding, window, shown, look.now_ms, closed=False)
        if not look.shows:
            view = view._replace(wanted=frozenset([one.indicator for one in look.binding.shown(window)]))
        status, found = yield from self._status(look, look.binding, view)
        if look.shows:
            if consequences := self._consequences.open(look, window):
                status = status._replace(consequences=consequences)
                found.wakes_ms += [one.claim_until_ms for one in consequences]
            status = self._sharing(status)
            self.latest[window.name] = status
            found.add(self._show(look, status, calendar=calendar))
        else:
            self._mark_shown(window.name)
        spot = spot_of(look.binding, window, span.start_ms if calendar else ROLLING, look.now_ms)
        found.add(self._telling.announce(look, spot, status, rolling=not calendar))
        measure = look.binding.measure
        assert measure is not None
        kind = KINDS[measure.kind]
        objectives = look.binding.shown(window)
        if look.shows:
            found.wakes_ms += yield from kind.wakes_ms(measure, view, status.live)
        else:
            found.wakes_ms += yield from turns_ms(measure, view, status.figures, status.live, objectives)
            shares = SHARES[measure.kind]
            found.by_counts = by_counts(objectives, status.figures, shares, window, shown) if objectives else None
        if calendar and (look.shows or is_judged_from_the_start(measure, status.live, objectives)):
            found.wakes_ms.append(to_ms)
        if measure.adds_up and not calendar and (move_ms := self.panes.next_move_ms(window, span)) is not None:
            found.wakes_ms.append(move_ms)
        return found

    def _show(self, look: Look, status: WindowStatus, *, calendar: bool) -> Found:
        """Tell what is news; what only grew with time at most once a minute."""
        found = Found()
        at_ms, told = self._shown.get(status.window, (0, None))
        news = news_of(status, calendar=calendar)
        known = None if told is None else news_of(told, calendar=calendar)
        if known == news:
            return found
        if known is None or known.at_once != news.at_once or look.now_ms >= at_ms + MINUTE_MS:
            self._shown[status.window] = look.now_ms, status
            found.statuses.append(status)
            self._mark_shown(status.window)
        else:
            found.wakes_ms.append(at_ms + MINUTE_MS)
        return found

    def _mark_shown(self, name: str) -> None:
        """Remember that a window was judged: when its panes are gone, it is judged once more."""
        row = self._rows.get(name)
        if not row.shown:
            self._rows.put(name, row._replace(shown=True))

    def _sharing(self, status: WindowStatus) -> WindowStatus:
        """Return a status that shares what is equal with what was told of it and with the other windows."""
        _, told = self._shown.get(status.window, (0, status))
        for other in self.latest.values():
            if other.labels == status.labels:
                status = status._replace(labels=other.labels)
            if other.live == status.live:
                status = status._replace(live=other.live)
        return status._replace(
            figures=told.figures if told.figures == status.figures else status.figures,
            verdicts=told.verdicts if told.verdicts == status.verdicts else status.verdicts,
        )

    def _view(
        self, look: Look, binding: Binding, window: Window, span: Span, as_of_ms: int, *, closed: bool
    ) -> WindowView[SeriesPanes]:
        """Return a window from the beginning of the agreement on."""
        from_ms = min(span.end_ms, max(span.start_ms, look.scope.began_ms(self.key.agreement)))
        values = () if is_rest(self.key) else self.key.values
        shown = Span(from_ms, span.end_ms)
        zone = look.slices.zone
        return WindowView(self.panes, binding.agreement, window, span, shown, values, as_of_ms, zone, closed)

    def _status(
        self, look: Look, binding: Binding, view: WindowView[SeriesPanes]
    ) -> Pieces[tuple[WindowStatus, Found]]:
        status = yield from status_of(self.key, binding, view)
        if self.parts:
            status.live["series"] = self.parts
        budgets, found = yield from self._budgets.figures(look, binding, view.window, status)
        return (with_budgets(status, budgets, binding, view.window) if budgets else status), found

    def _statement(
        self, look: Look, window: Window, part: Part, parts: int, close_ms: int
    ) -> Pieces[tuple[WindowStatus, Found]]:
        binding = part.binding
        if binding.agreement is not look.binding.agreement:  # the slices of a version that no longer holds
            self._budgets.settle(look._replace(binding=binding), self._stated_to_ms(look))
        view = self._view(look, binding, window, Span(part.from_ms, part.to_ms), close_ms, closed=True)
        status, found = yield from self._status(look, binding, view)
        status = status._replace(parts=parts, live={})  # what is open now is nothing of a period that is over
        consequences, alerts = self._consequences.closed(look, binding.agreement, status)
        found.alerts += alerts
        return (status._replace(consequences=consequences) if consequences else status), found

    # -- what is over

    def _end_others(self, look: Look) -> Found:
        """End the alerts of rolling windows that are judged no more, and show those windows no more."""
        found, names = Found(), {window.name for window in look.binding.windows}
        self.panes.keep_sums(look.binding.windows, self._budgets.windows(look.binding))
        found.alerts += self._budgets.end_others(look)
        found.ended += self._forget(self._rows.names() - names)
        for name in sorted(one for one in self._rows.names() - names if period_window(one) is None):
            found.add(self._telling.end_all(look, name, look.binding.over))
        return found

    def _forget(self, names: Iterable[str]) -> list[str]:
        """Show windows no more; return those that were shown, by this evaluator or one before it."""
        ended = sorted(name for name in names if self._rows.get(name).shown)
        for name in ended:
            self.latest.pop(name, None)
            self._shown.pop(name, None)
            row = self._rows.get(name)._replace(shown=False)
            self._rows.put(name, None if row == WindowRow({}) else row)
        return ended

    def _stated_to_ms(self, look: Look) -> int:
        """Return the instant up to which all periods are closed; 0: some window has not begun to close its periods."""
        names = {window.name for window in look.binding.windows if window.kind != "rolling"} | self._rows.names()
        return min(
            (self._rows.get(name).open_from_ms for name in names if period_window(name) is not None),
            default=look.now_ms,
        )

    def _sleep(self, look: Look, *, needs_no_event: bool) -> Found:
        """End what is shown of a series without panes.

        Its rows stay as long as its periods are stated, or a late pane may bring it back, those of rolling windows that
        ever had an alert for good: the next one must have another number.
        """
        found = Found()
        found.ended += self._forget(self._rows.names())
        late_ms = max((ms for _, ms in look.slices.keep_ms), default=0) + PANE_GRACE_MS
        for name in sorted(self._rows.names()):
            found.add(self._telling.end_all(look, name, "no_data"))
            row = self._rows.get(name)
            if period_window(name) is None:
                continue  # the others are forgotten by now
            if row.closed and not row.dormant and not needs_no_event:
                continue  # until it has been silent for long
            over_ms = row.open_from_ms + late_ms
            if over_ms <= look.now_ms:
                self._rows.put(name, None)
                continue
            found.wakes_ms.append(over_ms)
        # Whose last row is gone has no period left to close, also where the closing was not through with empty ones.
        self.unfinished = self.unfinished and bool(self._rows)
        return found
