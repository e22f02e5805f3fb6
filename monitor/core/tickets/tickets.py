"""Tickets: the counts that one ticket contributes to its series, derived from its facts alone (domain.md §3).

Each count stands in the pane of the instant at which it happened:

- **Opened**: at the first ``opened``.
- **Reopened**: at each ``reopened`` of a ticket that was solved (resolved or closed). A stray one counts nowhere.
- **Handed over**: at each ``assigned`` to another team than the one that had the ticket; the first team takes it over
  from nobody.

A cancelled ticket counts nowhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.core.agreements.clock_metrics import SOLVED
from monitor.core.series.series import Change, SeriesKey

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitor.core.facts.events import Fact


def ticket_changes(facts: Sequence[Fact], series: SeriesKey) -> list[Change]:
    """Return the counts of a ticket in its series. Facts are ordered."""
    if any(fact.type == "cancelled" for fact in facts):
        return []
    found: list[tuple[int, str]] = []
    is_opened = is_solved = False
    team = ""
    for fact in facts:
        if fact.type == "opened" and not is_opened:
            is_opened = True
            found.append((fact.time_ms, "opened"))
        if fact.type in SOLVED:
            is_solved = True
        elif fact.type == "reopened" and is_solved:
            is_solved = False
            found.append((fact.time_ms, "reopened"))
        now_of = str(fact.attributes.get("team", team))
        if fact.type == "assigned" and team not in {"", now_of}:
            found.append((fact.time_ms, "handed_over"))
        team = now_of
    return [Change(series, at_ms, ((name, 1),)) for at_ms, name in found]
