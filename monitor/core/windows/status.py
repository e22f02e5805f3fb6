"""The status of one window: figures, verdicts and what is open, from the panes of its series."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from monitor.core.agreements.indicators import NAMED
from monitor.core.agreements.lead_measure import LeadRule
from monitor.core.agreements.measures import CallRule, ClockRule, CompositeRule, OutageRule
from monitor.core.calls.repeats import NO_TALLY
from monitor.core.objectives.status import WindowStatus
from monitor.core.objectives.verdicts import judge
from monitor.core.outages.composite import composing
from monitor.core.outages.customers import Counting, served_of
from monitor.core.outages.figures import measuring
from monitor.core.outages.silence import silencing, silent_at
from monitor.core.pieces import gathering
from monitor.core.series.figures import Figure
from monitor.core.series.series import is_rest, labels_in
from monitor.core.time.spans import Span
from monitor.core.time.windows import width_for
from monitor.core.windows.figures import overdue_at, pane_figures

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitor.core.pieces import Pieces
    from monitor.core.series.series import OutageRecord, Pane
    from monitor.core.time.windows import Window
    from monitor.core.windows.panes import SeriesPanes
    from monitor.core.windows.terms import Binding

_CLOCK_COUNTS: Final = ("open", "paused", "at_risk", "overdue")
_LEAD_COUNTS: Final = ("open", "waiting", "late", "following")
_AGES: Final = frozenset({"longest_wait_ms", "oldest_ms"})


class News(NamedTuple):
    """What of a status is worth telling: at once, and what grows with time now and then."""

    at_once: tuple[object, ...]
    grown: tuple[object, ...]


def status_of(
    panes: SeriesPanes, binding: Binding, window: Window, span: Span, shown: Span, as_of_ms: int, *, closed: bool
) -> Pieces[WindowStatus]:
    """Return what a window says, in pieces. The panes must not change before the last one.

    Args:
        panes: those of the series.
        binding: what holds for it; it has a measure.
        window: the window.
        span: what the window covers.
        shown: the part of it in which the agreement held.
        as_of_ms: the instant of the look, or of the close.
        closed: the period is over: a statement.
    """
    measure = binding.measure
    assert measure is not None
    live = panes.live()
    durations = 0
    values = () if is_rest(panes.series) else panes.series.values
    figures: tuple[Figure, ...]
    if isinstance(measure, OutageRule):
        hours = binding.agreement.hours_of(measure)
        begun = _since(measure, values, shown)
        if begun.start_ms < begun.end_ms:
            shown = begun
        records = yield from gathering(panes.outages(window, span))
        counts = {"open": live.counts.get("open", 0), "oldest_ms": _age_ms(live, as_of_ms)}
        silent = 0
        if measure.blind_after_ms:
            silent, _ = yield from silent_at(measure, records, as_of_ms)
        if isinstance(measure, CompositeRule):
            counts = yield from _composite_counts(measure, records, as_of_ms)
        counts["blind"] = live.counts.get("blind", 0) + silent
        counting = None
        if measure.customers is not None:
            served = served_of(measure.customers, values)
            counting = Counting(measure.customers, served, binding.agreement.zone, panes.history)
        figures = yield from measuring(measure, records, begun.start_ms, begun.end_ms, as_of_ms, hours, counting)
    else:
        # The kept sum is that of the running window; a period that closes is summed up for once.
        total = panes.sum_of(window, span) if closed else panes.total(window, span)
        durations = sum(total.buckets.values())
        overdue, tally = 0, NO_TALLY
        if isinstance(measure, CallRule):
            if measure.repeat_within_ms:
                tally = yield from panes.repeats(window, span, measure.repeat_within_ms, as_of_ms)
            counts = {"waiting": live.counts.get("waiting", 0), "longest_wait_ms": _age_ms(live, as_of_ms)}
        elif isinstance(measure, LeadRule):
            counts = {name: live.counts.get(name, 0) for name in _LEAD_COUNTS}
            counts["longest_wait_ms"] = _age_ms(live, as_of_ms)
        else:
            assert isinstance(measure, ClockRule)
            overdue = overdue_at(panes, span.end_ms, width_for(window)) if closed else live.counts.get("overdue", 0)
            counts = {name: live.counts.get(name, 0) for name in _CLOCK_COUNTS}
            if live.counts.get("incomplete"):
                counts["incomplete"] = live.counts["incomplete"]
        figures = pane_figures(
            measure, binding.agreement, total, window.kind, shown, as_of_ms, overdue=overdue, tally=tally
        )
    calendar = window.kind != "rolling"
    verdicts = tuple(
        [judge(one, figures, durations, calendar=calendar, closed=closed) for one in binding.shown(window)]
    )
    labels = labels_in(measure.by, panes.series)
    return WindowStatus(
        panes.series, labels, window.name, shown.start_ms, shown.end_ms, as_of_ms, binding.agreement.version,
        figures, verdicts, counts, closed,
        audience=binding.agreement.audience(measure.id, window.name) if closed else (),
    )  # fmt: skip


def news_of(status: WindowStatus, *, calendar: bool) -> News:
    """Return what of a status is news: not that time passed, nor that what is open grew older with it."""
    live = {name: n and status.as_of_ms - n if name in _AGES else n for name, n in status.live.items()}
    of_window = (status.labels, status.version, status.from_ms if calendar else 0, live, status.consequences)
    grown = tuple([one for one in status.figures if NAMED[one.indicator].grows])
    if not grown:
        return News((status.figures, status.verdicts, of_window), status.budgets)
    figures = [one[:3] for one in status.figures if not NAMED[one.indicator].grows]  # failures are told with P, too
    verdicts = [one._replace(value=None) if NAMED[one.indicator].grows else one for one in status.verdicts]
    return News((figures, verdicts, of_window), (*grown, *status.budgets))


def _since(measure: OutageRule, values: tuple[str, ...], shown: Span) -> Span:
    """Return the part of a window in which the service had begun, empty at its end where it had not."""
    since_ms = measure.since_ms.get(values[0], 0) if values else 0
    return Span(min(shown.end_ms, max(shown.start_ms, since_ms)), shown.end_ms)


def _composite_counts(
    measure: CompositeRule, records: Sequence[tuple[str, OutageRecord]], as_of_ms: int
) -> Pieces[dict[str, int]]:
    """Return whether a composite service is down now, which is not whether anything is down in it, and since when."""
    told = yield from silencing(measure, records)
    stretches = yield from composing(measure, told)
    down = [
        one.start_ms
        for _, one in stretches
        if one.kind == "outage" and one.start_ms <= as_of_ms and not one.restored_ms
    ]
    return {"open": len(down), "oldest_ms": as_of_ms - min(down, default=as_of_ms)}


def _age_ms(live: Pane, as_of_ms: int) -> int:
    """Return how long the oldest item has been open."""
    return max(0, as_of_ms - min(live.calls.values())) if live.calls else 0
