"""The figures of what is counted in panes, whatever kind of measure it is: of clocks, calls and leads.

Outages are no sums: their figures are made of the outages themselves (`monitor.core.indicators.outage_figures`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.core.indicators import call_figures, clock_figures
from monitor.core.lead_indicators import lead_figures
from monitor.core.lead_rule import LeadRule
from monitor.core.measures import CallRule
from monitor.core.repeats import NO_TALLY

if TYPE_CHECKING:
    from monitor.core.agreement import Agreement
    from monitor.core.figures import Figure
    from monitor.core.measures import Measure, WindowKind
    from monitor.core.repeats import Tally
    from monitor.core.series import Pane
    from monitor.core.timeline import Span


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
