"""The terms that hold for a series at an instant: the version of its agreement, its measure and their windows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from monitor.core.agreements.indicators import NAMED

if TYPE_CHECKING:
    from monitor.core.agreements.agreement import Agreement
    from monitor.core.agreements.measures import Measure
    from monitor.core.agreements.objectives import Objective
    from monitor.core.time.windows import Window


@dataclass(frozen=True, slots=True, eq=False)
class Binding:
    """The terms that hold for a series. ``windows`` are judged; none if the measure is gone or the agreement is over.

    ``over`` is the reason with which alerts end that have lost their objective. One is shared by all series and
    instants for which the same holds, and what follows from it is computed once.
    """

    agreement: Agreement
    measure: Measure | None
    windows: tuple[Window, ...]
    over: str
    rest: bool = False
    """The series is the rest: it counts the series that its measure does not show (`monitor.core.windows.rest`)."""
    cohorts: tuple[Window, ...] = ()
    """The windows of the second statements of their periods (`monitor.core.agreements.cohorts`)."""
    _shown: dict[Window, list[Objective]] = field(default_factory=dict, init=False, repr=False)

    def judged(self) -> list[Objective]:
        """Return the objectives that are judged for the series.

        For the rest only shares and durations are judged: if the whole misses such a target, one of its series has
        missed it too. A number, or the union of many services' outages, proves nothing about any single series.
        """
        if self.measure is None or (self.rest and not self.measure.adds_up):
            return []
        found = [one for one in self.agreement.objectives if one.measure == self.measure.id]
        return [one for one in found if NAMED[one.indicator].unit in {"ratio", "ms"}] if self.rest else found

    def enforced(self, window: Window) -> frozenset[str]:
        """Return the ids of the objectives that are enforced in a window: those shown, none for a draft."""
        return frozenset() if self.agreement.status == "draft" else frozenset(one.id for one in self.shown(window))

    def shown(self, window: Window) -> list[Objective]:
        """Return the objectives that are judged in a window; of a cohort's those on its promise."""
        found = self._shown.get(window)
        if found is None:
            found = self._shown[window] = self._find_shown(window)
        return found

    def _find_shown(self, window: Window) -> list[Objective]:
        if self.measure is None or window not in (*self.windows, *self.cohorts):
            return []
        found = [one for one in self.judged() if window.period in one.windows]
        if not window.cohort:
            return found
        return [one for one in found if NAMED[one.indicator].cohort == window.cohort]
