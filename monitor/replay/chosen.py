"""The measures and windows that a user asks a replay's text for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from monitor.core.agreements.agreement import windows_of
from monitor.core.agreements.cohorts import cohort_windows

if TYPE_CHECKING:
    from monitor.core.agreements.book import Book
    from monitor.core.series.series import SeriesKey


@dataclass(frozen=True, slots=True)
class Chosen:
    """The measures whose figures are shown (``agreement``, ``measure`` or ``agreement/measure``; none: all), by window.

    ``windows`` are the names of the windows whose figures are shown one by one, beside those of the whole of the data.
    """

    of: tuple[str, ...] = ()
    windows: tuple[str, ...] = ()

    def has(self, series: SeriesKey) -> bool:
        """Return whether the figures of a series are asked for."""
        names = {series.agreement, series.measure, f"{series.agreement}/{series.measure}"}
        return not self.of or not names.isdisjoint(self.of)

    def mistakes(self, book: Book) -> list[str]:
        """Return what is asked for that no agreement has, with what there is instead."""
        names: dict[str, None] = {}
        windows: dict[str, None] = {}
        for agreement in book.agreements:
            for measure in agreement.measures():
                names |= dict.fromkeys((agreement.id, measure.id, f"{agreement.id}/{measure.id}"))
                shown = (*windows_of(agreement, measure), *cohort_windows(agreement, measure))
                windows |= dict.fromkeys(window.name for window in shown)
        found = [
            f"--of {one}: no agreement or measure has this name; there are {', '.join(names)}"
            for one in self.of
            if one not in names
        ]
        return found + [
            f"--window {one}: no agreement has figures by this window; there are {', '.join(windows)} "
            f"(name others under windows of the measure)"
            for one in self.windows
            if one not in windows
        ]
