"""The figures over the whole of the data, for a comparison with a spreadsheet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from monitor.core.agreements.agreement import Agreement
from monitor.core.agreements.book import Book
from monitor.core.agreements.measures import Measure
from monitor.core.clocks.counts import share_of
from monitor.core.clocks.terms import Plan
from monitor.core.kinds import KINDS
from monitor.core.series.durations import with_beyond
from monitor.core.series.figures import Figure
from monitor.core.series.measured import Stretch
from monitor.core.series.panes import apply, merge_panes
from monitor.core.series.series import LIVE, Change, Pane, SeriesKey, empty_pane
from monitor.core.subjects.rows import SubjectRow
from monitor.core.time.spans import Span


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeFigures:
    """The figures of one series, or of all series of a measure together (no labels), over the whole of the data."""

    series: SeriesKey
    labels: dict[str, str]
    total: bool
    from_ms: int
    to_ms: int
    figures: tuple[Figure, ...]
    live: dict[str, int]

    def figure(self, indicator: str) -> Figure:
        """Return one figure by its name."""
        return next(figure for figure in self.figures if figure.indicator == indicator)


class WholePanes:
    """The counts of all subjects together: one pane for each series, however long ago its subjects were.

    Other than a pane of a window, it is never too old for a correction. The newest version of an agreement that has a
    measure says how it is counted.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._panes: dict[SeriesKey, tuple[Pane, Pane]] = {}

    def add(self, row: SubjectRow) -> None:
        """Add the contribution of a subject, as it was seen last."""
        panes, near_targets = self._panes, self._plan.near_targets
        for change in _changes(row, self._plan):
            if change.series not in panes:
                panes[change.series] = (empty_pane(), empty_pane())
            near = near_targets.get(change.series[:2]) if change.value_ms >= 0 else None
            apply([panes[change.series][change.at_ms == LIVE]], change if near is None else with_beyond(change, near))

    def figures(self, from_ms: int, to_ms: int) -> list[WholeFigures]:
        """Return the figures of each series, and of all series of a measure together.

        Args:
            from_ms: the first instant of the data.
            to_ms: the instant behind its last.
        """
        panes, plan = self._panes, self._plan
        measures: dict[tuple[str, str], list[SeriesKey]] = {}
        for series in panes:
            measures.setdefault(series[:2], []).append(series)
        whole: list[WholeFigures] = []
        for (agreement_id, measure), all_of in measures.items():
            agreement, rule = _rule(plan.book, agreement_id, measure)
            if agreement is None or rule is None:
                continue
            wanted = [(series, panes[series], not rule.by) for series in all_of]
            if len(all_of) > 1:
                merged = [merge_panes(panes[series][live] for series in all_of) for live in (False, True)]
                wanted.append((SeriesKey(agreement_id, measure, ()), (merged[0], merged[1]), True))
            whole += [
                WholeFigures(
                    series=series,
                    labels=dict(zip(rule.by, series.values, strict=False)),
                    total=total,
                    from_ms=from_ms,
                    to_ms=to_ms,
                    figures=KINDS[rule.kind].whole_figures(
                        rule,
                        Stretch(
                            agreement,
                            Span(from_ms, to_ms),
                            to_ms,
                            pane,
                            live,
                            parts=[(one.values, panes[one][False].outages) for one in all_of] if total else (),
                        ),
                        None if total else series.values,
                    ),
                    live=dict(live.counts),
                )
                for series, (pane, live), total in wanted
            ]
        return whole


def _changes(row: SubjectRow, plan: Plan) -> Iterator[Change]:
    """Return the contribution of a subject to its series."""
    yield from row.shown
    last = {clock.series[:2]: clock.cycle for clock in row.clocks}
    for clock in row.clocks:
        of = plan.terms(clock)
        if of is not None and of.rule.cycles == "last" and clock.cycle != last[clock.series[:2]]:
            continue
        change = share_of(clock)
        if change is not None:
            yield change


def _rule(book: Book, agreement_id: str, measure_id: str) -> tuple[Agreement | None, Measure | None]:
    """Return the newest version that has the series' measure, and the measure."""
    versions = [one for one in book.agreements if one.id == agreement_id]
    for agreement in sorted(versions, key=lambda one: (one.valid_from_ms, one.version), reverse=True):
        measure = agreement.measure(measure_id)
        if measure is not None:
            return agreement, measure
    return None, None
