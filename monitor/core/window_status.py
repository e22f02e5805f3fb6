"""The status of one window: figures, verdicts and what is open, from the panes of its series."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from monitor.core.calendar import AlwaysOpen
from monitor.core.figures import Figure, WindowStatus
from monitor.core.indicators import call_figures, clock_figures, outage_figures
from monitor.core.measures import CallRule, ClockRule, OutageRule
from monitor.core.shares import overdue_at
from monitor.core.verdicts import judge

if TYPE_CHECKING:
    from monitor.core.measures import Window
    from monitor.core.scope import Binding
    from monitor.core.series import Pane
    from monitor.core.timeline import Span
    from monitor.core.windows import SeriesPanes

_CLOCK_COUNTS: Final = ("open", "paused", "at_risk", "overdue")
_AGES: Final = frozenset({"longest_wait_ms", "oldest_ms"})
_GROW: Final = frozenset({"availability", "downtime", "mtbf"})
"""The figures that differ at each instant: the length of what has passed is part of them."""


class News(NamedTuple):
    """What of a status is worth telling: at once, and what grows with time now and then."""

    at_once: tuple[object, ...]
    grown: tuple[Figure, ...]


def status_of(
    panes: SeriesPanes, binding: Binding, window: Window, span: Span, shown: Span, as_of_ms: int, *, closed: bool
) -> WindowStatus:
    """Return what a window says.

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
    figures: tuple[Figure, ...]
    if isinstance(measure, OutageRule):
        hours = binding.agreement.calendars.get(measure.service_hours)
        if isinstance(hours, AlwaysOpen):
            hours = None
        records = panes.outages(window, span)
        figures = outage_figures(measure, records, shown.start_ms, shown.end_ms, as_of_ms, hours)
        counts = {"open": live.counts.get("open", 0), "oldest_ms": _age_ms(live, as_of_ms)}
    else:
        # The kept sum is that of the running window; a period that closes is summed up for once.
        total = panes.sum_of(window, span) if closed else panes.total(window, span)
        durations = sum(total.buckets.values())
        if isinstance(measure, CallRule):
            figures = call_figures(measure, total)
            counts = {"waiting": live.counts.get("waiting", 0), "longest_wait_ms": _age_ms(live, as_of_ms)}
        else:
            assert isinstance(measure, ClockRule)
            figures = clock_figures(total, overdue_at(panes, span.end_ms) if closed else live.counts.get("overdue", 0))
            counts = {name: live.counts.get(name, 0) for name in _CLOCK_COUNTS}
            if live.counts.get("incomplete"):
                counts["incomplete"] = live.counts["incomplete"]
    calendar = window.kind != "rolling"
    verdicts = tuple(
        [judge(one, figures, durations, calendar=calendar, closed=closed) for one in binding.shown(window)]
    )
    labels = dict(zip(measure.by, panes.series.values, strict=True))
    return WindowStatus(
        panes.series, labels, window.name, shown.start_ms, shown.end_ms, as_of_ms, binding.agreement.version,
        figures, verdicts, counts, closed, binding.agreement.audience(measure.id, window.name) if closed else (),
    )  # fmt: skip


def news_of(status: WindowStatus, *, calendar: bool) -> News:
    """Return what of a status is news: not that time passed, nor that what is open grew older with it."""
    live = {name: n and status.as_of_ms - n if name in _AGES else n for name, n in status.live.items()}
    of_window = (status.labels, status.version, status.from_ms if calendar else 0, live)
    grown = tuple([one for one in status.figures if one.indicator in _GROW])
    if not grown:
        return News((status.figures, status.verdicts, of_window), ())
    figures = [one[:3] for one in status.figures if one.indicator not in _GROW]  # failures are told with P, too
    verdicts = [one._replace(value=None) if one.indicator in _GROW else one for one in status.verdicts]
    return News((figures, verdicts, of_window), grown)


def _age_ms(live: Pane, as_of_ms: int) -> int:
    """Return how long the oldest item has been open."""
    return max(0, as_of_ms - min(live.calls.values())) if live.calls else 0
