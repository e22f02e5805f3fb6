"""Objectives: promised targets for the figures of a measure in its windows (domain.md §7)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

from monitor.core.agreements.budget_rule import GOOD_SLICES, BudgetRule
from monitor.core.time.windows import Window

Comparison = Literal[">=", "<="]


class Judged(NamedTuple):
    """What a verdict compares: the figure of an indicator with a target."""

    indicator: str
    comparison: Comparison
    target: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """A promise about a figure: indicator of a measure, target, windows, minimum sample.

    ``at_risk`` is an optional second threshold on the safe side of the target. ``indicator`` is one of
    `INDICATORS` for the kind of the measure. Ratios are written as shares (0.95), durations in milliseconds.

    If the error budget is one of timeslices, indicator and target are promised of each slice, and the verdict is that
    on the share of good slices (`judged`); ``at_risk`` is then such a share, too.
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

    @property
    def judged(self) -> Judged:
        """What verdicts compare: the figure with the target, or the share of good slices with its goal."""
        if self.by_slices:
            assert self.budget is not None
            return Judged(GOOD_SLICES, ">=", self.budget.goal)
        return Judged(self.indicator, self.comparison, self.target)

    @property
    def by_slices(self) -> bool:
        """Whether the objective is judged by its timeslices."""
        return self.budget is not None and self.budget.method == "timeslices"

    def is_beyond(self, value: float, bound: float) -> bool:
        """Return whether a value, unrounded, lies on the bad side of a bound. A value at the bound does not."""
        return is_beyond(self.comparison, value, bound)


def is_beyond(comparison: str, value: float, bound: float) -> bool:
    """Return whether a value, unrounded, lies on the bad side of a bound. A value at the bound does not."""
    return value < bound if comparison == ">=" else value > bound


def budget_windows(objective: Objective) -> tuple[Window, ...]:
    """Return the windows of an objective's burn alerts, each once."""
    rule = objective.budget
    if rule is None:
        return ()
    return tuple(dict.fromkeys(window for one in rule.alerts for window in (one.long, one.short)))
