"""How long the panes of a measure are kept: as long as a window, a budget or a period needs them."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, NamedTuple

from monitor.core.agreements.agreement import Agreement
from monitor.core.agreements.budget_rule import slice_width
from monitor.core.agreements.measures import Measure
from monitor.core.agreements.objectives import budget_windows
from monitor.core.time.periods import pane_start
from monitor.core.time.units import DAY_MS, LONGEST_MONTH_MS, MINUTE_MS
from monitor.core.time.windows import Width, Window, own_width, width_for

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitor.core.time.spans import Span

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
    cuts_ms: tuple[int, ...] = ()
    """The instants, ascending and in whole minutes, at which a version takes effect or the agreement ends. A pane that
    one of them falls into is cut there: what a version promised is counted for the time in which it held."""

    def kept_ms(self, width: Width) -> int:
        """Return how long the panes of a width are kept, late ones too; 0 if there are none."""
        for one, keep_ms in self.keep_ms:  # two or three: quicker than a dictionary that is made of them
            if one == width:
                return keep_ms
        own = own_width(width)
        return 0 if own == width else self.kept_ms(own)

    def start_ms(self, width: Width, at_ms: int) -> int:
        """Return the start of the pane that holds an instant."""
        start_ms = pane_start(width, self.zone, at_ms)
        if self.cuts_ms:
            place = bisect_right(self.cuts_ms, at_ms)
            if place and self.cuts_ms[place - 1] > start_ms:
                return self.cuts_ms[place - 1]
        return start_ms


class Closing(NamedTuple):
    """The periods of a window, by when they close."""

    window: Window
    zone: str
    lateness_ms: int
    over_ms: int
    """When the agreement ends, for good."""

    def close_ms(self, period: Span) -> int:
        """Return when a period closes."""
        end_ms = self.over_ms if period.start_ms < self.over_ms < period.end_ms else period.end_ms
        return end_ms + self.lateness_ms


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


def cuts_of(versions: Sequence[Agreement]) -> tuple[int, ...]:
    """Return the instants at which the panes of an agreement's measures are cut, in whole minutes.

    At the start of a local day they cut nothing: its pane begins there.
    """
    instants = {one.valid_from_ms for one in versions}
    instants |= {one.terminates_ms for one in versions if one.terminates_ms is not None}
    return tuple(sorted({at_ms - at_ms % MINUTE_MS for at_ms in instants}))
