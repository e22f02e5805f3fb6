"""How long the panes of a measure are kept: as long as a window, a budget or a period needs them."""

from __future__ import annotations

from typing import NamedTuple

from monitor.core.agreements.agreement import Agreement
from monitor.core.agreements.budget_rule import slice_width
from monitor.core.agreements.measures import Measure
from monitor.core.agreements.objectives import budget_windows
from monitor.core.time.units import DAY_MS, LONGEST_MONTH_MS
from monitor.core.time.windows import Width, width_for

LONGEST_MS = {
    "day": DAY_MS,
    "week": 7 * DAY_MS,
    "month": LONGEST_MONTH_MS,
    "quarter": 92 * DAY_MS,
    "year": 366 * DAY_MS,
}


class Slices(NamedTuple):
    """The pane widths of a measure, each with the time for which its panes are kept, and the agreement's zone."""

    zone: str
    keep_ms: tuple[tuple[Width, int], ...]
    shortest_keep_ms: int
    """The shortest of these times: a change younger than this is in time for all widths."""


def kept_for_budgets(agreement: Agreement, measure: Measure) -> list[tuple[Width, int]]:
    """Return the pane widths that burn rates and timeslices need, each with the length of its window or slice.

    Measures that hold records need none: their budgets are computed from the records, which are in the panes of every
    window.
    """
    found: list[tuple[Width, int]] = []
    for objective in agreement.objectives:
        if objective.budget is None or objective.measure != measure.id or not measure.adds_up:
            continue
        if objective.budget.method == "timeslices":
            found.append((slice_width(objective.budget.slice_ms), objective.budget.slice_ms))
        else:
            found.extend((width_for(window), window.length_ms) for window in budget_windows(objective))
    return found
