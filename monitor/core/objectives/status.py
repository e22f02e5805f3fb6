"""The status of a window: its figures and the verdict on each objective."""

from __future__ import annotations

from typing import Literal, NamedTuple

from monitor.core.objectives.budget import BudgetFigure
from monitor.core.objectives.consequence import Consequence
from monitor.core.series.figures import Figure
from monitor.core.series.series import SeriesKey

Verdict = Literal["met", "on_track", "at_risk", "breached", "no_data", "low_sample"]


class ObjectiveVerdict(NamedTuple):
    """What became of one objective: its figure against its target.

    ``on_track`` while a calendar period runs and the target is kept so far, ``met`` once it has closed (or for a
    rolling window that keeps it), ``low_sample`` below the minimum sample, ``no_data`` without a value.
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

    ``labels`` are the series' attributes by name. ``live`` are the counts of what is open now (clocks: open, paused,
    at_risk, overdue; calls: waiting, longest_wait_ms; outages: open, oldest_ms, blind). ``budgets`` are those of
    the objectives that have one. The ``consequences`` of a statement are what follows from it, those of a period that
    runs the credits of earlier ones that can still be claimed.
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
    """Of a statement: who at the customer may see it, as the agreement says."""
