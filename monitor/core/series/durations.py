"""Figures of durations: mean, percentiles and shares, from the sketch of a pane (domain.md §7)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from monitor.core.agreements.indicators import INDICATORS
from monitor.core.series import sketch
from monitor.core.series.figures import Figure

if TYPE_CHECKING:
    from collections.abc import Mapping


_QUANTILES: Final = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "longest": 1.0}
_PERCENTILES_OF: Final[dict[str, list[str]]] = {
    kind: [name for name, one in indicators.items() if one.sample == "durations"]
    for kind, indicators in INDICATORS.items()
}
_QUANTILES_OF: Final = {kind: [_QUANTILES[name] for name in names] for kind, names in _PERCENTILES_OF.items()}


def duration_figures(kind: str, buckets: Mapping[int, int], of: str) -> list[Figure]:
    """Return the percentiles and the longest that a kind of measure has."""
    n = sum(buckets.values())
    values = sketch.quantiles(buckets, _QUANTILES_OF[kind])
    figures: list[Figure] = []
    for name, q, value in zip(_PERCENTILES_OF[kind], _QUANTILES_OF[kind], values, strict=True):
        text = f"the longest of the {of}" if q == 1 else f"nearest rank {q:g} of the {of}"
        figures.append(Figure(name, value, sketch.rank_of(q, n), n, "ms", text))
    return figures
