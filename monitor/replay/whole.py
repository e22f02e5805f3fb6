"""The figures over the whole of the data: what people compare with a spreadsheet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from monitor.core.agreement import Agreement, Book, CallRule, ClockRule, OutageRule
from monitor.core.figures import Figure
from monitor.core.indicators import call_figures, clock_figures, outage_figures
from monitor.core.panes import merge_panes
from monitor.core.series import Pane, SeriesKey, Width, decode_pane_key

Rule = ClockRule | CallRule | OutageRule

WIDEST_FIRST: Final[tuple[Width, ...]] = ("day", "hour", "quarter", "minute")


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


def whole_figures(rows: Mapping[bytes, Pane], book: Book, from_ms: int, to_ms: int) -> list[WholeFigures]:
    """Return the figures of all panes together: of each series, and of all series of a measure.

    Args:
        rows: all panes there ever were, by their row keys.
        book: the agreements; the newest version that has a measure says how it is counted.
        from_ms: the first instant of the data.
        to_ms: the instant behind its last.
    """
    found: dict[SeriesKey, dict[Width, list[Pane]]] = {}
    for key, row in rows.items():
        series, width, _ = decode_pane_key(key)
        found.setdefault(series, {}).setdefault(width, []).append(row)
    whole: list[WholeFigures] = []
    measures: dict[tuple[str, str], list[tuple[Pane, Pane]]] = {}
    for series, of in found.items():
        agreement, rule = _rule(book, series)
        if agreement is None or rule is None:
            continue
        pane, live = merge_panes(_widest(of)), merge_panes(of.get("live", ()))
        measures.setdefault(series[:2], []).append((pane, live))
        whole.append(
            WholeFigures(
                series=series,
                labels=dict(zip(rule.by, series.values, strict=False)),
                total=not rule.by,
                from_ms=from_ms,
                to_ms=to_ms,
                figures=_figures(agreement, rule, pane, live, from_ms, to_ms),
                live=dict(live.counts),
            )
        )
    for (agreement_id, measure), all_of in measures.items():
        series = SeriesKey(agreement_id, measure, ())
        agreement, rule = _rule(book, series)
        if agreement is None or rule is None or len(all_of) == 1:
            continue
        pane, live = (merge_panes(one) for one in zip(*all_of, strict=True))
        whole.append(
            WholeFigures(
                series=series,
                labels={},
                total=True,
                from_ms=from_ms,
                to_ms=to_ms,
                figures=_figures(agreement, rule, pane, live, from_ms, to_ms),
                live=dict(live.counts),
            )
        )
    return whole


def _figures(agreement: Agreement, rule: Rule, pane: Pane, live: Pane, from_ms: int, to_ms: int) -> tuple[Figure, ...]:
    if isinstance(rule, ClockRule):
        return clock_figures(pane, live)
    if isinstance(rule, CallRule):
        return call_figures(rule, pane)
    hours = agreement.calendars[rule.service_hours] if rule.service_hours != "always" else None
    return outage_figures(rule, pane.outages.items(), from_ms, to_ms, to_ms, hours)


def _rule(book: Book, series: SeriesKey) -> tuple[Agreement | None, Rule | None]:
    """Return the newest version that has the series' measure, and the measure."""
    versions = [one for one in book.agreements if one.id == series.agreement]
    for agreement in sorted(versions, key=lambda one: (one.valid_from_ms, one.version), reverse=True):
        measure = agreement.measure(series.measure)
        if isinstance(measure, Rule):
            return agreement, measure
    return None, None


def _widest(of: Mapping[Width, list[Pane]]) -> list[Pane]:
    """Return the panes of one width: each width holds all there is, so the fewest do."""
    return next((of[width] for width in WIDEST_FIRST if width in of), [])
