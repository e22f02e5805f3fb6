"""The status of one window: figures, verdicts and what is open, from the panes of its series."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from monitor.core.agreements.indicators import NAMED
from monitor.core.kinds import KINDS
from monitor.core.objectives.status import WindowStatus
from monitor.core.objectives.verdicts import judge, judge_slices
from monitor.core.series.series import labels_in
from monitor.core.time.spans import Span
from monitor.core.windows.cohorts import outlasting

if TYPE_CHECKING:
    from monitor.core.kinds import KindPanes
    from monitor.core.objectives.budget import BudgetFigure
    from monitor.core.pieces import Pieces
    from monitor.core.series.measured import WindowView
    from monitor.core.series.series import SeriesKey
    from monitor.core.time.windows import Window
    from monitor.core.windows.binding import Binding

_AGES: Final = frozenset({"longest_wait_ms", "oldest_ms"})


class News(NamedTuple):
    """What of a status is worth telling: at once, and what grows with time now and then."""

    at_once: tuple[object, ...]
    grown: tuple[object, ...]


def status_of(series: SeriesKey, binding: Binding, of: WindowView[KindPanes]) -> Pieces[WindowStatus]:
    """Return what a window of a series says, in pieces. The panes must not change before the last one.

    ``binding`` is what holds for the series; it has a measure.
    """
    measure = binding.measure
    assert measure is not None
    figures, live, durations, shown = yield from KINDS[measure.kind].measured(measure, of)
    calendar = of.window.kind != "rolling"
    if of.window.cohort:
        figures, live = tuple([one for one in figures if NAMED[one.indicator].cohort == of.window.cohort]), {}
    later: frozenset[str] = frozenset()
    if of.closed:
        later = yield from outlasting(binding, of.panes, of.window, Span(of.span.start_ms, of.shown.end_ms))
    verdicts = tuple([
        judge(
            one, figures, durations,
            calendar=calendar, closed=of.closed, provisional=NAMED[one.indicator].cohort in later,
        )
        for one in binding.shown(of.window)
    ])  # fmt: skip
    return WindowStatus(
        series, labels_in(measure.by, series), of.window.name, shown.start_ms, shown.end_ms, of.as_of_ms,
        binding.agreement.version, figures, verdicts, live, of.closed,
        audience=binding.agreement.audience(measure.id, of.window.period.name) if of.closed else (),
        details=tuple(binding.agreement.details.items()) if of.closed else (),
    )  # fmt: skip


def with_budgets(
    status: WindowStatus, budgets: tuple[BudgetFigure, ...], binding: Binding, window: Window
) -> WindowStatus:
    """Return a status with its error budgets, and the objectives of timeslices judged by these."""
    of = {one.objective: one for one in budgets}
    objectives = {one.id: one for one in binding.shown(window) if one.by_slices}
    verdicts = tuple([
        judge_slices(
            objectives[one.objective], one, of[one.objective],
            calendar=window.kind != "rolling", closed=status.closed,
        )
        if one.objective in objectives else one
        for one in status.verdicts
    ])  # fmt: skip
    return status._replace(budgets=budgets, verdicts=verdicts)


def news_of(status: WindowStatus, *, calendar: bool) -> News:
    """Return what of a status is news: not that time passed, nor that what is open grew older with it."""
    live = {name: n and status.as_of_ms - n if name in _AGES else n for name, n in status.live.items()}
    of_window = (
        status.labels,
        status.version,
        status.from_ms if calendar else 0,
        live,
        status.consequences,
        status.before,
    )
    grown = tuple([one for one in status.figures if NAMED[one.indicator].grows])
    if not grown:
        return News((status.figures, status.verdicts, of_window), status.budgets)
    # Failures are told with P, too.
    figures = [(*one[:3], one.lacking) for one in status.figures if not NAMED[one.indicator].grows]
    verdicts = [one._replace(value=None) if NAMED[one.indicator].grows else one for one in status.verdicts]
    return News((figures, verdicts, of_window), (*grown, *status.budgets))
