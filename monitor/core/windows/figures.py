"""The figures of what is counted in panes, whatever kind of measure it is: of clocks, calls and leads.

Outages are no sums: their figures are made of the outages themselves (`monitor.core.outages.figures.outage_figures`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.core.agreements.lead_measure import LeadRule
from monitor.core.agreements.measures import CallRule
from monitor.core.calls.figures import call_figures
from monitor.core.calls.repeats import NO_TALLY
from monitor.core.clocks.figures import clock_figures
from monitor.core.leads.figures import lead_figures
from monitor.core.time.windows import Width

if TYPE_CHECKING:
    from monitor.core.agreements.agreement import Agreement
    from monitor.core.agreements.measures import Measure
    from monitor.core.calls.repeats import Tally
    from monitor.core.series.figures import Figure
    from monitor.core.series.series import Pane
    from monitor.core.time.spans import Span
    from monitor.core.time.windows import WindowKind
if TYPE_CHECKING:
    from monitor.core.windows.panes import SeriesPanes


def pane_figures(
    measure: Measure,
    agreement: Agreement,
    pane: Pane,
    kind: WindowKind,
    shown: Span,
    as_of_ms: int,
    *,
    overdue: int = 0,
    tally: Tally = NO_TALLY,
) -> tuple[Figure, ...]:
    """Return the figures of a measure of clocks, calls or leads.

    Args:
        measure: what is counted.
        agreement: that of the measure.
        pane: the sum of the panes.
        kind: the kind of the window that they make up.
        shown: the part of it in which the agreement held.
        as_of_ms: the instant of the look, or of the close.
        overdue: of clocks: how many are past due.
        tally: of calls: who called again.
    """
    if isinstance(measure, CallRule):
        return call_figures(measure, pane, tally)
    if isinstance(measure, LeadRule):
        return lead_figures(measure, agreement, pane, kind, shown, as_of_ms)
    return clock_figures(pane, overdue)


def overdue_at(panes: SeriesPanes, end_ms: int, width: Width = "day") -> int:
    """Return how many clocks were overdue at the start of a local day, or of a pane, as far as is known now."""
    counts = panes.live().counts
    overdue = counts.get("overdue", 0)
    for start_ms in panes.starts(width):
        if start_ms >= end_ms:
            since = panes.pane(width, start_ms).counts
            overdue += since.get("overdue_out", 0) - since.get("overdue_in", 0)
    return overdue
