"""The status of a window: its figures and the verdict on each objective."""

from __future__ import annotations

from typing import Literal, NamedTuple

from monitor.core.agreements.budget_rule import GOOD_SLICES
from monitor.core.objectives.budget import BudgetFigure, good_slices
from monitor.core.objectives.consequence import Consequence
from monitor.core.series.figures import Figure
from monitor.core.series.series import SeriesKey

Verdict = Literal["met", "on_track", "at_risk", "breached", "no_data", "low_sample", "provisional"]


class ObjectiveVerdict(NamedTuple):
    """The verdict on one objective, with the figure and the target that were compared.

    ``on_track``: a calendar period runs and the target is kept so far. ``met``: the target was kept in a closed period,
    or is kept in a rolling window. ``low_sample``: the sample is below the minimum. ``no_data``: there is no value, or
    one that lacks something (`Figure.lacking`) and so proves nothing. ``provisional``: the period is closed, but the
    promise outlasts it and is stated later (`monitor.core.agreements.cohorts`).
    """

    objective: str
    indicator: str
    comparison: str
    target: float
    at_risk: float | None
    value: float | None
    sample: int
    minimum_sample: int
    verdict: Verdict


class WindowStatus(NamedTuple):
    """All figures and verdicts of one series in one window ``[from_ms, to_ms)``; ``closed`` makes it a statement.

    ``labels`` are the series' attributes by name. ``live`` holds the gauges of open subjects (clocks: open, paused,
    at_risk, overdue; calls: waiting, longest_wait_ms; outages: open, oldest_ms, blind, and maintenance if any is under
    way). ``budgets`` are those of the objectives that have an error budget. A statement's ``consequences`` are those of
    its own period; the ``consequences`` of a running period are the credits of earlier periods that can still be
    claimed.
    """

    series: SeriesKey
    labels: dict[str, str]
    window: str
    from_ms: int
    to_ms: int
    as_of_ms: int
    version: int
    figures: tuple[Figure, ...]
    verdicts: tuple[ObjectiveVerdict, ...]
    live: dict[str, int]
    closed: bool = False
    budgets: tuple[BudgetFigure, ...] = ()
    consequences: tuple[Consequence, ...] = ()
    audience: tuple[str, ...] = ()
    """The people at the customer who may see a statement, as the agreement names them. Empty unless closed."""
    parts: int = 1
    """In how many parts the period is stated: an amendment in it changed the promise. Each part is a statement."""
    details: tuple[tuple[str, str], ...] = ()
    """The details of the service that a statement is about, as the agreement names them. Empty unless closed."""
    before: tuple[tuple[str, float], ...] = ()
    """The values of the newest closed period of the same window, by objective. Empty where there is none."""


def judged_figure(status: WindowStatus, verdict: ObjectiveVerdict) -> Figure | None:
    """Return the figure that a verdict compared with its target; None if the window does not have it."""
    if verdict.indicator == GOOD_SLICES:
        return next((good_slices(one) for one in status.budgets if one.objective == verdict.objective), None)
    return next((one for one in status.figures if one.indicator == verdict.indicator), None)
