"""The figures of counted tickets in a window, from the sums of its panes (domain.md §3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.core.series.figures import Figure

if TYPE_CHECKING:
    from monitor.core.series.series import Pane


def ticket_figures(pane: Pane) -> tuple[Figure, ...]:
    """Return how many tickets were opened, reopened and handed over; none of all is no value."""
    of = {name: pane.counts.get(name, 0) for name in ("opened", "reopened", "handed_over")}
    is_measured = any(of.values())
    return tuple(
        [
            Figure(f"tickets_{name}", float(number) if is_measured else None, number, number, "count", text)
            for (name, number), text in zip(
                of.items(),
                ("tickets opened", "solved tickets that were opened again", "tickets given to another team"),
                strict=True,
            )
        ]
    )
