"""The error budgets of one series: what they say in each window, and the alerts that they burn too fast.

Burn alerts are announced on one key for each series, objective and pair of windows; a pair that pages is told as
``breached``, one for a ticket as ``at_risk``. Like a rolling window they are judged as of now.

The slices of calls and clocks are settled once they ended longer ago than the allowed lateness: their panes go, the
bad ones stay in the row as spans. Those of outages are made of the outages themselves, each time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from monitor.core.agreements.budget_rule import period_ms
from monitor.core.agreements.objectives import budget_windows
from monitor.core.kinds import KINDS
from monitor.core.objectives.budget import (
    BudgetFigure,
    BudgetUnit,
    Burn,
    Share,
    burn_of,
    burns_too_fast,
    figure_of,
    share_of,
)
from monitor.core.objectives.burn_alerts import burn_alert
from monitor.core.objectives.verdicts import QUIET, Announced, ended
from monitor.core.series.measured import Stretch
from monitor.core.series.series import Pane, SeriesKey, empty_pane
from monitor.core.time.periods import window_span
from monitor.core.time.spans import Span, measure
from monitor.core.time.units import DAY_MS, MINUTE_MS
from monitor.core.time.windows import Window
from monitor.core.windows.evaluation import Found, Look
from monitor.core.windows.timeslices import PaneSlices, RecordSlices, joined, packed, unpacked, within

if TYPE_CHECKING:
    from monitor.core.agreements.budget_rule import BudgetRule
    from monitor.core.agreements.objectives import Objective
    from monitor.core.alerts.alert import Alert
    from monitor.core.objectives.status import WindowStatus
    from monitor.core.pieces import Pieces
    from monitor.core.rows import Rows
    from monitor.core.time.calendar import Calendar
    from monitor.core.windows.binding import Binding
    from monitor.core.windows.panes import SeriesPanes

_SEPARATOR = "\x1f"
_KEPT_AT_LEAST_MS = 4 * DAY_MS


class BudgetRow(NamedTuple):
    """What is remembered of a series' budgets. Its key begins with ``b``.

    ``told`` holds, by ``objective|pair``, what was announced; ``bad`` and ``settled_ms``, by objective, the bad slices,
    packed (`monitor.core.windows.timeslices`), and up to when slices are settled.
    """

    told: dict[str, Announced]
    bad: dict[str, tuple[int, ...]]
    settled_ms: dict[str, int]


def encode_budget_key(series: SeriesKey) -> bytes:
    """Return the row key of a series' budgets: ``b`` + its parts joined with the unit separator."""
    return b"b" + _SEPARATOR.join((series.agreement, series.measure, *series.values)).encode()


class SeriesBudgets:
    """Keeps the budgets of one series. Without a budget in its agreement it does nothing."""

    __slots__ = ("_bad", "_pane_slices", "_panes", "_record_slices", "_row", "_rows", "_settled", "series")

    def __init__(self, panes: SeriesPanes, rows: Rows) -> None:
        self.series = panes.series
        self._panes = panes
        self._rows = rows
        self._row: BudgetRow | None = None
        self._bad: dict[str, list[Span]] = {}
        """The bad slices of each objective with timeslices, as of the last look."""
        self._settled: dict[str, tuple[tuple[int, int], ...]] = {}
        """Those of them that are settled, as they stand in the row."""
        self._record_slices: dict[str, RecordSlices] = {}
        self._pane_slices: dict[str, PaneSlices] = {}

    def windows(self, binding: Binding) -> list[Window]:
        """Return the windows whose sums the burn rates are made of."""
        return [window for one in _kept(binding) for window in budget_windows(one)]

    def settle(self, look: Look) -> None:
        """Find the bad slices as of a look, and settle those that nothing in time can change any more."""
        rule = look.binding.measure
        if rule is None or not rule.adds_up:
            return
        lateness_ms = look.binding.agreement.allowed_lateness_ms
        for objective in _kept(look.binding):
            budget = objective.budget
            if budget is None or budget.method != "timeslices":
                continue
            row = self._load()
            known = self._settled.get(objective.id)
            if known is None:
                known = unpacked(row.bad.get(objective.id, ()))
            settled_ms = row.settled_ms.get(objective.id, 0)
            slices = self._pane_slices.setdefault(objective.id, PaneSlices(self._panes))
            found = slices.find(objective, rule, look.binding.agreement, settled_ms, look.now_ms - lateness_ms)
            kept_ms = look.now_ms - 2 * period_ms(budget.period) - lateness_ms - _KEPT_AT_LEAST_MS
            bad = tuple(one for one in joined((*known, *found.settled)) if one[1] > kept_ms)
            if found.any_settled or bad != known:
                self._put(BudgetRow(
                    row.told,
                    {**row.bad, objective.id: packed(bad)},
                    {**row.settled_ms, objective.id: found.settled_ms},
                ))  # fmt: skip
            self._settled[objective.id] = bad
            self._bad[objective.id] = [Span(*one) for one in (*bad, *found.fresh)]

    def figures(
        self, look: Look, binding: Binding, window: Window, status: WindowStatus
    ) -> Pieces[tuple[tuple[BudgetFigure, ...], Found]]:
        """Return the budgets of a window, in its running state those of a period with burn rates, and their alerts.

        In pieces: nobody else asks these budgets for anything before the last one.
        """
        figures: list[BudgetFigure] = []
        found = Found()
        for objective in binding.shown(window):
            rule = objective.budget
            if rule is None:
                continue
            burns: tuple[Burn, ...] = ()
            if window == rule.period and not status.closed:
                burns, burning = yield from self._burns(look, binding, objective)
                found.add(burning)
            unit: BudgetUnit = "ms" if _counts_time(binding, rule) else "count"
            share = yield from self._share(binding, objective, status)
            figures.append(figure_of(objective, unit, share, burns))
        return tuple(figures), found

    def end_others(self, look: Look) -> list[Alert]:
        """End the alerts of pairs that are judged no more."""
        row = self._load()
        if not any(one.firing for one in row.told.values()):
            return []
        judged = {
            _name(objective, pair.name)
            for objective in _kept(look.binding)
            for pair in (objective.budget.alerts if objective.budget else ())
        }
        over = look.binding.over
        return [
            self._told(look, name, ended(standing, look.now_ms, over)[0], over, None)
            for name, standing in row.told.items()
            if name not in judged and standing.firing
        ]

    # -- shares

    def _share(self, binding: Binding, objective: Objective, status: WindowStatus) -> Pieces[Share]:
        """Return what was bad in a window; what is measured in time is of all of it, also of what is to come."""
        rule = objective.budget
        if rule is not None and rule.method == "timeslices":
            return (yield from self._sliced(binding, objective, Span(status.from_ms, status.to_ms), status.as_of_ms))
        share = share_of(objective, status.figures)
        if binding.measure is None or not binding.measure.counts_time or status.as_of_ms >= status.to_ms:
            return share
        to_come = _open_ms(_hours(binding), max(status.from_ms, status.as_of_ms), status.to_ms)
        return Share(share.bad, share.all + to_come)

    def _sliced(self, binding: Binding, objective: Objective, span: Span, as_of_ms: int) -> Pieces[Share]:
        if binding.measure is not None and not binding.measure.adds_up:
            slices = self._record_slices.setdefault(objective.id, RecordSlices(self._panes))
            bad = yield from slices.find(objective, binding.measure, binding.agreement, span, as_of_ms)
        else:
            bad = self._bad.get(objective.id, [])
        return Share(measure(within(bad, span)), _open_ms(_hours(binding), span.start_ms, span.end_ms))

    # -- burn rates

    def _burns(self, look: Look, binding: Binding, objective: Objective) -> Pieces[tuple[tuple[Burn, ...], Found]]:
        """Return the burn rates of all windows, and the alerts of the pairs that changed."""
        found = Found()
        rule = objective.budget
        assert rule is not None
        shares: dict[Window, Share] = {}
        for window in budget_windows(objective):
            share, move_ms = yield from self._burnt(look, binding, objective, window)
            shares[window] = share
            if move_ms is not None:
                found.wakes_ms.append(move_ms)
            if share.bad and _counts_time(binding, rule):
                step_ms = max(MINUTE_MS, window.length_ms // 60 // MINUTE_MS * MINUTE_MS)
                found.wakes_ms.append(look.now_ms - look.now_ms % step_ms + step_ms)
        minimum = 0 if _counts_time(binding, rule) else rule.minimum_events
        for pair in rule.alerts if binding.agreement.status != "draft" else ():
            name = _name(objective, pair.name)
            was = self._load().told.get(name, QUIET)
            if look.now_ms < was.since_ms:  # an older look is repeated then
                found.wakes_ms.append(was.since_ms)
                continue
            long, short = shares[pair.long], shares[pair.short]
            fast = burns_too_fast(objective, pair, long, short, minimum=minimum)
            burn = burn_of(objective, pair.long, long)
            if fast and not was.firing:
                state = "breached" if pair.urgency == "page" else "at_risk"
                version = binding.agreement.version
                now = Announced(state, was.cycle + 1, look.now_ms, version)  # type: ignore[arg-type]
                found.alerts.append(self._told(look, name, now, "burns_budget", burn))
            elif was.firing and not fast:
                found.alerts.append(self._told(look, name, ended(was, look.now_ms, "")[0], "burns_less", burn))
        return tuple(burn_of(objective, window, share) for window, share in shares.items()), found

    def _burnt(
        self, look: Look, binding: Binding, objective: Objective, window: Window
    ) -> Pieces[tuple[Share, int | None]]:
        """Return the bad share of a window that ends now, and when a pane next enters or leaves it (None: never)."""
        rule, now_ms = binding.measure, look.now_ms
        assert rule is not None
        began_ms = look.scope.began_ms(self.series.agreement)
        if objective.budget is not None and objective.budget.method == "timeslices":
            span = Span(min(now_ms, max(began_ms, now_ms - window.length_ms)), now_ms)
            return (yield from self._sliced(binding, objective, span, now_ms)), None
        move_ms = None
        if rule.adds_up:
            span = window_span(window, look.slices.zone, now_ms)
            counts = Pane(self._panes.total(window, span).counts, {}, {}, {})  # burn rates need no percentiles
            of = Stretch(binding.agreement, span, now_ms, counts, self._panes.live())
            move_ms = self._panes.next_move_ms(window, span)
        else:
            span = Span(min(now_ms, max(began_ms, now_ms - window.length_ms)), now_ms)
            records = self._panes.outages(objective.budget.period if objective.budget else window, Span(0, now_ms + 1))
            of = Stretch(binding.agreement, span, now_ms, empty_pane(), empty_pane(), records)
        return share_of(objective, (yield from KINDS[rule.kind].budget_figures(rule, of))), move_ms

    # -- telling and rows

    def _told(self, look: Look, name: str, now: Announced, reason: str, burn: Burn | None) -> Alert:
        """Store the announced state of a pair of windows; return its alert."""
        row = self._load()
        self._put(row._replace(told={**row.told, name: now}))
        objective, _, pair = name.partition("|")
        began = look.scope.book.exact(self.series.agreement, now.version)
        version = look.binding.agreement.version
        return burn_alert(self.series, began, objective, pair, now, reason, version, burn)

    def _load(self) -> BudgetRow:
        if self._row is None:
            stored = self._rows.get(encode_budget_key(self.series))
            self._row = stored if isinstance(stored, BudgetRow) else BudgetRow({}, {}, {})
        return self._row

    def _put(self, row: BudgetRow) -> None:
        self._row = row
        self._rows.put(encode_budget_key(self.series), row)


def _kept(binding: Binding) -> list[Objective]:
    """Return the objectives with a budget that are judged."""
    if binding.measure is None or not binding.windows:
        return []
    return [one for one in binding.judged() if one.budget is not None]


def _name(objective: Objective, pair: str) -> str:
    return f"{objective.id}|{pair}"


def _hours(binding: Binding) -> Calendar | None:
    """Return the service hours; None: around the clock."""
    return None if binding.measure is None else binding.agreement.hours_of(binding.measure)


def _counts_time(binding: Binding, rule: BudgetRule) -> bool:
    """Return whether a budget is one of time, not of events."""
    return rule.method == "timeslices" or (binding.measure is not None and binding.measure.counts_time)


def _open_ms(hours: Calendar | None, from_ms: int, to_ms: int) -> int:
    return measure(hours.open_spans(from_ms, to_ms)) if hours is not None else max(0, to_ms - from_ms)
