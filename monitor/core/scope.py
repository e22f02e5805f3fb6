"""What a book says of one series at an instant: the version that holds, its measure, the windows to be judged."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from monitor.core.agreement import OutageRule
from monitor.core.plan import Plan, Slices, windows_of

if TYPE_CHECKING:
    from monitor.core.agreement import Agreement, Book, Measure, Objective, Window
    from monitor.core.series import SeriesKey


class Binding(NamedTuple):
    """What holds for a series. ``windows`` are those to be judged: none where the measure is gone or all is over.

    ``over`` is the reason that is told to alerts which have lost their objective.
    """

    agreement: Agreement
    measure: Measure | None
    windows: tuple[Window, ...]
    over: str

    def enforced(self, window: Window) -> frozenset[str]:
        """Return the ids of the objectives that are enforced in a window: those shown, but a draft's."""
        return frozenset() if self.agreement.status == "draft" else frozenset(one.id for one in self.shown(window))

    def shown(self, window: Window) -> list[Objective]:
        """Return the objectives that are judged in a window."""
        if self.measure is None or window not in self.windows:
            return []
        return [one for one in self.agreement.objectives if one.measure == self.measure.id and window in one.windows]


class Scope:
    """A book as the evaluator asks it. A new book makes a new scope."""

    def __init__(self, book: Book) -> None:
        self.book = book
        self._plan = Plan(book)
        self._versions: dict[str, list[Agreement]] = {}
        for agreement in sorted(book.agreements, key=lambda one: (one.valid_from_ms, one.version)):
            self._versions.setdefault(agreement.id, []).append(agreement)

    def slices(self, series: SeriesKey) -> Slices | None:
        """Return the panes of the series' measure; None where no version has it."""
        return self._plan.slices(series.agreement, series.measure)

    def binding(self, series: SeriesKey, at_ms: int) -> Binding | None:
        """Return what holds at an instant; None before the first version."""
        agreement = self.book.version(series.agreement, at_ms)
        if agreement is None:
            return None
        measure = agreement.measure(series.measure)
        if measure is not None and len(measure.by) != len(series.values):
            measure = None  # the series of a version that split the figures another way
        if agreement.terminates_ms is not None and at_ms >= agreement.terminates_ms:
            return Binding(agreement, measure, (), "terminated")
        windows = windows_of(agreement, measure) if measure is not None else ()
        return Binding(agreement, measure, windows, "agreement_changed")

    def end_ms(self, series: SeriesKey, from_ms: int, to_ms: int) -> int:
        """Return where a stretch of time ends: at its end, or before it where the agreement does."""
        agreement = self.book.version(series.agreement, to_ms - 1)
        if agreement is None or agreement.terminates_ms is None:
            return to_ms
        return max(from_ms, min(to_ms, agreement.terminates_ms))

    def began_ms(self, agreement_id: str) -> int:
        """Return when the agreement began: with its first version that is not a draft, else with its first."""
        versions = self._versions.get(agreement_id, [])
        binding = [one.valid_from_ms for one in versions if one.status != "draft"]
        return binding[0] if binding else versions[0].valid_from_ms if versions else 0

    def next_change_ms(self, agreement_id: str, after_ms: int) -> int | None:
        """Return the next instant at which another version holds or the agreement ends."""
        versions = self._versions.get(agreement_id, [])
        instants = [one.valid_from_ms for one in versions]
        instants += [one.terminates_ms for one in versions if one.terminates_ms is not None]
        return min((one for one in instants if one > after_ms), default=None)

    def of_outages(self, series: SeriesKey) -> bool:
        """Return whether the series' measure, in the newest version that has it, collects outages."""
        measures = (one.measure(series.measure) for one in reversed(self._versions.get(series.agreement, [])))
        return isinstance(next((one for one in measures if one is not None), None), OutageRule)
