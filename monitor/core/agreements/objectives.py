"""Objectives: promised targets for the figures of a measure in its windows (domain.md §7)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from monitor.core.agreements.budget_rule import BudgetRule
from monitor.core.time.windows import Window

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

    def is_beyond(self, value: float, bound: float) -> bool:
        """Return whether a value, unrounded, lies on the bad side of a bound. A value at the bound does not."""
        return value < bound if self.comparison == ">=" else value > bound


def budget_windows(objective: Objective) -> tuple[Window, ...]:
    """Return the windows of an objective's burn alerts, each once."""
    rule = objective.budget
    if rule is None:
        return ()
    return tuple(dict.fromkeys(window for one in rule.alerts for window in (one.long, one.short)))
