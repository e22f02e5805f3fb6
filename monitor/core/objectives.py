"""Objectives: what is promised of the figures of a measure in a window (domain.md §7)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from monitor.core.budget import BudgetRule
from monitor.core.measures import Window

Comparison = Literal[">=", "<="]


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """A promise about a figure: indicator of a measure, target, windows, minimum sample.

    ``at_risk`` is an optional second threshold on the safe side of the target. ``indicator`` is one of
    `INDICATORS` for the kind of the measure. Ratios are written as shares (0.95), durations in milliseconds.
    """

    id: str
    measure: str
    indicator: str
    comparison: Comparison
    target: float
    windows: tuple[Window, ...]
    minimum_sample: int = 1
    at_risk: float | None = None
    budget: BudgetRule | None = None


INDICATORS: Final[dict[str, dict[str, str]]] = {
    "clock": {
        "compliance": "ratio",
        "mean": "ms",
        "p50": "ms",
        "p90": "ms",
        "p95": "ms",
        "p99": "ms",
        "longest": "ms",
    },
    "call": {
        "SL1": "ratio",
        "SL2": "ratio",
        "SL3": "ratio",
        "SL4": "ratio",
        "SL5": "ratio",
        "SL6": "ratio",
        "asa": "ms",
        "abandonment": "ratio",
        "abandonment_net": "ratio",
        "p50": "ms",
        "p90": "ms",
        "p95": "ms",
        "longest": "ms",
        "lost": "count",
    },
    "outage": {
        "availability": "ratio",
        "downtime": "ms",
        "failures": "count",
        "mtbf": "ms",
        "mttr_acknowledge": "ms",
        "mttr_respond": "ms",
        "mttr_restore": "ms",
        "mttr_resolve": "ms",
    },
}
"""The indicators of each kind of measure and their units. ``service_level`` in a file means the formula that binds."""
