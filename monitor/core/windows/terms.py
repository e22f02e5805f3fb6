"""The terms that a book sets for one series at an instant: the version that holds, its measure, its windows."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from itertools import product
from math import prod
from typing import TYPE_CHECKING, Final

from monitor.core.agreements.agreement import windows_of
from monitor.core.agreements.cohorts import cohort_windows
from monitor.core.agreements.measures import MEASURE_KINDS, MeasureKind
from monitor.core.clocks.terms import Plan
from monitor.core.series.retention import Slices
from monitor.core.series.series import SeriesKey, is_rest
from monitor.core.time.spans import Span
from monitor.core.time.windows import width_for
from monitor.core.windows.binding import Binding
from monitor.core.windows.parts import Part, parts_of

if TYPE_CHECKING:
    from collections.abc import Collection

    from monitor.core.agreements.agreement import Agreement
    from monitor.core.agreements.book import Book
    from monitor.core.agreements.measures import Measure
    from monitor.core.time.windows import Width, Window

    _Windows = tuple[Measure, tuple[Window, ...], tuple[Window, ...], tuple[frozenset[str] | None, ...]]

MOST_FORESEEN: Final = 1_000


class Scope:
    """A book, prepared for the evaluator's questions. A new book needs a new scope."""

    def __init__(self, book: Book) -> None:
        self.book = book
        self._plan = Plan(book)
        self._versions: dict[str, list[Agreement]] = {}
        self._measures: dict[tuple[str, int, int, str], _Windows | None] = {}
        """By agreement, version, edition and measure: the measure, its windows, those of its cohorts, and the values
        that the filters list of each attribute that it is split by (None: any)."""
        self._bindings: dict[tuple[str, int, int, str, bool, int, bool], Binding] = {}
        """The terms of each measure of a version: of its rest, of series that it means, of those after its end."""
        self._periods: dict[tuple[str, str], frozenset[Window]] = {}
        self._named: dict[tuple[str, str], frozenset[tuple[str, ...]]] = {}
        self._changes_ms: dict[str, list[int]] = {}
        self._began_ms: dict[str, int] = {}
        for agreement in sorted(book.agreements, key=lambda one: (one.valid_from_ms, one.version)):
            self._versions.setdefault(agreement.id, []).append(agreement)
        self._capped: dict[str, frozenset[str]] = {}
        for agreement_id, versions in self._versions.items():
            if kinds := frozenset().union(*(one.consequences.capped() for one in versions)):
                self._capped[agreement_id] = kinds
            instants = {one.valid_from_ms for one in versions}
            instants |= {one.terminates_ms for one in versions if one.terminates_ms is not None}
            self._changes_ms[agreement_id] = sorted(instants)
            binding = [one.valid_from_ms for one in versions if one.status != "draft"]
            self._began_ms[agreement_id] = binding[0] if binding else versions[0].valid_from_ms

    def capped(self, agreement: str | None = None) -> Collection[str]:
        """Return the kinds of periods in which an agreement grants money under a cap; None: the agreements that do.

        What a cap leaves goes to periods in the order in which they close, whichever series they are of.
        """
        return self._capped.keys() if agreement is None else self._capped.get(agreement, ())

    def slices(self, series: SeriesKey) -> Slices | None:
        """Return the pane widths of the series' measure and how long they are kept; None if no version has it."""
        return self._plan.slices(series.agreement, series.measure)

    def periods(self, series: SeriesKey) -> frozenset[Window]:
        """Return the windows of the measure whose periods close, in whichever version has them."""
        key = series[:2]
        if key not in self._periods:
            self._periods[key] = frozenset(
                window
                for agreement in self._versions.get(series.agreement, [])
                if (found := self._measure(agreement, series.measure)) is not None
                for window in found[1]
                if window.kind != "rolling"
            )
        return self._periods[key]

    def period_widths(self, series: SeriesKey) -> frozenset[Width]:
        """Return the widths of the panes that the measure's periods are made of."""
        return frozenset(width_for(window) for window in self.periods(series))

    def parts(self, series: SeriesKey, window: Window, span: Span) -> tuple[Part, ...]:
        """Return the parts of a period in which a window was promised to a series (`monitor.core.windows.parts`)."""
        instants = self._changes_ms.get(series.agreement, [])
        changes = instants[bisect_right(instants, span.start_ms) : bisect_left(instants, span.end_ms)]
        return parts_of(lambda at_ms: self.binding(series, at_ms), changes, window, span)

    def part_at(self, series: SeriesKey, window: Window, span: Span, at_ms: int) -> Span:
        """Return the part of a period in which an instant lies; for a draft, whose time is in no part, the period."""
        for part in self.parts(series, window, span):
            if part.from_ms <= at_ms < part.to_ms:
                return Span(part.from_ms, part.to_ms)
        return span

    def promised_ms(self, series: SeriesKey, window: Window, from_ms: int) -> int | None:
        """Return the first instant from one on at which a window is promised to a series; None: it never is again."""
        instants = self._changes_ms.get(series.agreement, [])
        for at_ms in (from_ms, *instants[bisect_right(instants, from_ms) :]):
            binding = self.binding(series, at_ms)
            if binding is not None and window in binding.windows and binding.agreement.status != "draft":
                return at_ms
        return None

    def binding(self, series: SeriesKey, at_ms: int) -> Binding | None:
        """Return the terms that hold for a series at an instant; None before the first version."""
        agreement = self.book.version(series.agreement, at_ms)
        if agreement is None:
            return None
        rest = is_rest(series)
        found = self._measure(agreement, series.measure)
        fits = found is not None and len(found[0].by) == len(series.values) - rest
        meant = fits and found is not None and (rest or _is_meant(found[0], found[3], series))
        is_over = agreement.terminates_ms is not None and at_ms >= agreement.terminates_ms
        key = (agreement.id, agreement.version, agreement.edition_ms, series.measure, rest, fits + meant, is_over)
        binding = self._bindings.get(key)
        if binding is None:
            # A series that does not fit belongs to a version that split the figures by other attributes.
            measure, windows, cohorts, _ = found if found is not None and fits else (None, (), (), ())
            over = "terminated" if is_over else "agreement_changed"
            if not meant or is_over:
                windows = cohorts = ()
            binding = self._bindings[key] = Binding(agreement, measure, windows, over, rest, cohorts)
        return binding

    def _measure(self, agreement: Agreement, measure_id: str) -> _Windows | None:
        key = (agreement.id, agreement.version, agreement.edition_ms, measure_id)
        if key not in self._measures:
            measure = agreement.measure(measure_id)
            self._measures[key] = (
                None
                if measure is None
                else (
                    measure,
                    windows_of(agreement, measure),
                    cohort_windows(agreement, measure),
                    tuple(_listed(agreement, measure, name) for name in measure.by),
                )
            )
        return self._measures[key]

    def began_ms(self, agreement_id: str) -> int:
        """Return when the agreement began: with its first version that is no draft, else with its first version."""
        return self._began_ms.get(agreement_id, 0)

    def next_change_ms(self, agreement_id: str, after_ms: int) -> int | None:
        """Return the next instant at which another version takes effect or the agreement ends; None: there is none."""
        instants = self._changes_ms.get(agreement_id, [])
        place = bisect_right(instants, after_ms)
        return instants[place] if place < len(instants) else None

    def foreseen(self, agreement_id: str, kinds: Collection[MeasureKind] = MEASURE_KINDS) -> list[SeriesKey]:
        """Return the series that an agreement names: they are shown even if no event ever happened.

        They are series of outages, because no outage is a figure, and of leads with a goal, because no lead is one too.
        If the filters list the values of all attributes that a measure is split by, each combination is a series. If a
        measure has more than `MOST_FORESEEN` combinations, none is: a product of long lists does not name services.
        """
        found = {
            SeriesKey(agreement_id, rule.id, values): None
            for agreement in self._versions.get(agreement_id, [])
            for rule in agreement.measures()
            if rule.kind in kinds and rule.needs_no_event
            for values in _combinations(agreement, rule)
        }
        return list(found)

    def needs_no_event(self, series: SeriesKey) -> bool:
        """Return whether the series' measure, in the newest version that has it, has figures without any event.

        The rest has no such figures: it is shown as long as anything is counted in it.
        """
        newest = self._newest(series)
        return newest is not None and not is_rest(series) and newest[1].needs_no_event

    def is_named(self, series: SeriesKey) -> bool:
        """Return whether the newest version lists the series' values in its filters, so that it is always shown."""
        measure = series[:2]
        if measure not in self._named:
            newest = self._newest(series)
            self._named[measure] = frozenset(_combinations(*newest) if newest is not None else ())
        return series.values in self._named[measure]

    def _newest(self, series: SeriesKey) -> tuple[Agreement, Measure] | None:
        """Return the newest version that has the series' measure."""
        for agreement in reversed(self._versions.get(series.agreement, [])):
            measure = agreement.measure(series.measure)
            if measure is not None:
                return agreement, measure
        return None


def _listed(agreement: Agreement, measure: Measure, name: str) -> frozenset[str] | None:
    """Return the values of an attribute that the filters of agreement and measure list; None: neither names it."""
    lists = [values for one in (agreement.covers, measure.where) for listed, values in one.any_of if listed == name]
    return frozenset.intersection(*lists) if lists else None


def _combinations(agreement: Agreement, measure: Measure) -> list[tuple[str, ...]]:
    lists = [_listed(agreement, measure, name) or measure.named.get(name) for name in measure.by]
    values = [sorted(one) for one in lists if one is not None]
    if len(values) < len(lists) or prod(map(len, values)) > MOST_FORESEEN:
        return []
    return list(product(*values))


def _is_meant(measure: Measure, listed: tuple[frozenset[str] | None, ...], series: SeriesKey) -> bool:
    """Return whether a series that needs no event is still named: its values are among those that the filters list."""
    if not measure.needs_no_event:
        return True
    return all(values is None or value in values for values, value in zip(listed, series.values, strict=True))
