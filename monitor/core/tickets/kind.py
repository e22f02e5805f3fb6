"""The kind of measures that count tickets, called by `monitor.core.kinds`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.core.pieces import ready
from monitor.core.series.measured import Measured
from monitor.core.tickets.figures import ticket_figures
from monitor.core.tickets.tickets import ticket_changes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from monitor.core.agreements.agreement import Agreement
    from monitor.core.agreements.ticket_measure import TicketRule
    from monitor.core.facts.events import Fact, Value
    from monitor.core.pieces import Pieces
    from monitor.core.series.figures import Figure
    from monitor.core.series.measured import Panes, Stretch, WindowView
    from monitor.core.series.series import Change, SeriesKey


def rules(agreement: Agreement) -> Sequence[TicketRule]:
    """Return the measures of an agreement that count tickets."""
    return agreement.tickets


def story_of(facts: Sequence[Fact]) -> None:
    """Return nothing: the rules share no work."""


def changes(
    subject_id: str,  # noqa: ARG001 - no ticket is an item of its own
    facts: Sequence[Fact],
    attributes: Mapping[str, Value],  # noqa: ARG001 - the series holds them
    rule: TicketRule,  # noqa: ARG001
    agreement: Agreement,  # noqa: ARG001 - tickets are counted around the clock
    series: SeriesKey,
    now_ms: int,  # noqa: ARG001 - only events change a count
    story: None,  # noqa: ARG001
) -> tuple[list[Change], int]:
    """Return the changes of a ticket in its series, and 0: no instant alters them by itself."""
    return ticket_changes(facts, series), 0


def lasts_until_ms(facts: Sequence[Fact]) -> int:
    """Return the instant of the last fact."""
    return facts[-1].time_ms


def measured(rule: TicketRule, of: WindowView[Panes]) -> Pieces[Measured]:  # noqa: ARG001
    """Return the figures of a window. Which tickets are open is told by the clocks."""
    return ready(Measured(ticket_figures(of.summed()), {}, 0, of.shown))


def wakes_ms(rule: TicketRule, of: WindowView[Panes], live: Mapping[str, int]) -> Pieces[list[int]]:  # noqa: ARG001
    """Return no instant: only events change a count."""
    return ready([])


def budget_figures(rule: TicketRule, of: Stretch) -> Pieces[tuple[Figure, ...]]:  # noqa: ARG001
    """Return the figures of an error budget: there is none of numbers, and the loader refuses it."""
    return ready(ticket_figures(of.pane))


def whole_figures(rule: TicketRule, of: Stretch, values: Sequence[str] | None) -> tuple[Figure, ...]:  # noqa: ARG001
    """Return the figures of all data in one pane."""
    return ticket_figures(of.pane)
