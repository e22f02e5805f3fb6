"""Timeslices: finds the slices of time that were bad (`monitor.core.objectives.budget`)."""

from __future__ import annotations

from itertools import accumulate
from math import gcd
from typing import TYPE_CHECKING, NamedTuple

from monitor.core.agreements.budget_rule import slice_width
from monitor.core.kinds import KINDS
from monitor.core.pieces import at_once, gathering
from monitor.core.series.measured import Stretch
from monitor.core.series.panes import merge_panes
from monitor.core.series.series import empty_pane
from monitor.core.time.spans import Span, uniting

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from monitor.core.agreements.agreement import Agreement
    from monitor.core.agreements.measures import Measure
    from monitor.core.agreements.objectives import Objective
    from monitor.core.pieces import Pieces
    from monitor.core.series.figures import Figure
    from monitor.core.series.series import OutageRecord
    from monitor.core.windows.panes import SeriesPanes


class Found(NamedTuple):
    """Bad slices as spans, settled and not; the instant up to which slices are settled; whether a pane's slice was."""

    settled: list[tuple[int, int]]
    fresh: list[tuple[int, int]]
    settled_ms: int
    any_settled: bool


def within(spans: Iterable[Span], span: Span) -> list[Span]:
    """Return the parts of slices that lie in a span."""
    return [
        Span(max(start, span.start_ms), min(end, span.end_ms))
        for start, end in spans
        if end > span.start_ms and start < span.end_ms
    ]


def joined(slices: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Yield slices, which are in order, joined to stretches: a bad day is one stretch, not 1,440 minutes."""
    stretch: tuple[int, int] | None = None
    for start_ms, end_ms in slices:
        if stretch is not None and stretch[1] == start_ms:
            stretch = stretch[0], end_ms
            continue
        if stretch is not None:
            yield stretch
        stretch = start_ms, end_ms
    if stretch is not None:
        yield stretch


def packed(spans: Sequence[tuple[int, int]]) -> tuple[int, ...]:
    """Return spans, which are in order and apart, encoded in few small numbers, without loss.

    The first number is the unit, which divides all distances. Then follows the distance from each bound to the next, in
    units. If every second minute is bad, a stretch takes two bytes of a row: half a mebibyte for a year.
    """
    if not spans:
        return ()
    at_ms, steps = 0, list[int]()
    for start_ms, end_ms in spans:
        steps += (start_ms - at_ms, end_ms - start_ms)
        at_ms = end_ms
    unit = gcd(*steps)
    return unit, *[step // unit for step in steps]


def unpacked(numbers: Sequence[int]) -> tuple[tuple[int, int], ...]:
    """Return the spans that `packed` encoded."""
    bounds = [numbers[0] * steps for steps in accumulate(numbers[1:])] if numbers else []
    return tuple(zip(bounds[::2], bounds[1::2], strict=True))


def misses(objective: Objective, figures: Sequence[Figure]) -> bool:
    """Return whether the objective's figure misses the target. A figure without a value does not."""
    value = next(one.value for one in figures if one.indicator == objective.indicator)
    if value is None:
        return False
    return objective.is_beyond(value, objective.target)


class PaneSlices:
    """The slices of a measure whose panes add up: each is the sum of the panes that begin in it."""

    __slots__ = ("_panes",)

    def __init__(self, panes: SeriesPanes) -> None:
        self._panes = panes

    def find(self, objective: Objective, rule: Measure, agreement: Agreement, settled_ms: int, limit_ms: int) -> Found:
        """Return the bad slices from ``settled_ms`` on; those that end up to ``limit_ms`` are settled."""
        budget = objective.budget
        assert budget is not None
        slice_ms = budget.slice_ms
        width = slice_width(slice_ms)
        starts: dict[int, list[int]] = {}
        for start_ms in self._panes.starts(width):
            if start_ms >= settled_ms:
                starts.setdefault(start_ms - start_ms % slice_ms, []).append(start_ms)
        found = Found([], [], max(settled_ms, limit_ms - limit_ms % slice_ms), any_settled=False)
        for slice_start_ms in sorted(starts):
            total = merge_panes(self._panes.pane(width, one) for one in starts[slice_start_ms])
            whole = Span(slice_start_ms, slice_start_ms + slice_ms)
            of = Stretch(agreement, whole, whole.end_ms, total, empty_pane())
            figures = at_once(KINDS[rule.kind].budget_figures(rule, of))
            is_settled = slice_start_ms + slice_ms <= limit_ms
            if is_settled:
                found = found._replace(any_settled=True)
            if misses(objective, figures):
                whose = found.settled if is_settled else found.fresh
                whose.append((slice_start_ms, slice_start_ms + slice_ms))
        return found


class RecordSlices:
    """The slices of a measure that holds records. Results of past slices are kept as long as no record changes."""

    __slots__ = ("_bad", "_panes", "_records")

    def __init__(self, panes: SeriesPanes) -> None:
        self._panes = panes
        self._records: list[tuple[str, OutageRecord]] = []
        self._bad: dict[int, bool] = {}

    def find(
        self, objective: Objective, rule: Measure, agreement: Agreement, span: Span, as_of_ms: int
    ) -> Pieces[list[Span]]:
        """Return the bad slices in the part of a span that has passed, in pieces."""
        budget = objective.budget
        assert budget is not None
        slice_ms = budget.slice_ms
        records = yield from gathering(self._panes.outages(budget.period, Span(0, as_of_ms + 1)))
        if records != self._records:
            self._records = records
            self._bad.clear()
        end_ms = min(span.end_ms, as_of_ms)
        down = yield from uniting(
            (max(one.start_ms, span.start_ms), min(one.restored_ms or end_ms, end_ms))
            for _, one in records
            if one.kind == "outage"
        )
        starts = {
            start_ms for from_ms, to_ms in down for start_ms in range(from_ms - from_ms % slice_ms, to_ms, slice_ms)
        }
        bad: list[Span] = []
        for start_ms in sorted(starts):
            if (yield from self._is_bad(objective, rule, agreement, Span(start_ms, start_ms + slice_ms), as_of_ms)):
                bad.append(Span(start_ms, start_ms + slice_ms))
            yield
        return bad

    def _is_bad(
        self, objective: Objective, rule: Measure, agreement: Agreement, span: Span, as_of_ms: int
    ) -> Pieces[bool]:
        start_ms, end_ms = span
        known = self._bad.get(start_ms)
        if known is not None:
            return known
        touching = [
            (name, one)
            for name, one in self._records
            if one.start_ms < end_ms and (not one.restored_ms or one.restored_ms > start_ms)
        ]
        of = Stretch(agreement, span, as_of_ms, empty_pane(), empty_pane(), touching)
        bad = misses(objective, (yield from KINDS[rule.kind].budget_figures(rule, of)))
        if end_ms <= as_of_ms:
            self._bad[start_ms] = bad
        return bad
