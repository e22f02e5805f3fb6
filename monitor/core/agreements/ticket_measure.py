"""The measure of tickets that are counted, not timed (domain.md §3)."""

from __future__ import annotations

from dataclasses import dataclass

from monitor.core.agreements.measures import Measure


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketRule(Measure):
    """Counts of tickets: how many are opened, reopened and handed over."""

    kind = "ticket"
