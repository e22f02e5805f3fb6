"""The objectives of a period: each with its figure, verdict, the periods before it, and its error budget."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from monitor.core.agreements.objectives import Objective
from monitor.core.objectives.budget import BudgetFigure
from monitor.core.objectives.status import ObjectiveVerdict, WindowStatus, judged_figure
from monitor.core.series.figures import Figure
from monitor.core.time.periods import CALENDAR_KINDS
from monitor.core.time.windows import COHORT
from monitor.reports.period import period_at
from monitor.reports.scope import Scope
from monitor.reports.sources import Sources
from monitor.reports.words import about
from monitor.wire.outcome_words import forecast_text
from monitor.wire.promises import target_text
from monitor.wire.wording import unit_of

PERIODS: Final = 12
"""The periods that a trend shows, the report's own included."""
WORST_FIRST: Final = ("breached", "at_risk", "provisional", "low_sample", "no_data", "on_track", "met")
KEPT: Final = frozenset({"met", "on_track", "at_risk"})
"""Verdicts of an objective whose target is kept (so far)."""
_NO_FIGURE: Final = Figure("", None, 0, 0, "count", "")


class Past(NamedTuple):
    """One period of a trend; ``verdict`` is "" where nothing was stated."""

    name: str
    value: float | None
    target: float | None
    verdict: str


class Inner(NamedTuple):
    """How often an objective was kept and missed in shorter periods within the reported one."""

    window: str
    kept: int
    missed: int
    other: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectiveRow:
    """One objective of one series in the period, as it was stated. ``forecast`` says when its error budget is used up.

    ``part`` tells from when to when the row counts, where an amendment divides the period ("": the whole of it).
    """

    objective: str
    measure: str
    labels: Mapping[str, str]
    about: str
    window: str
    from_ms: int
    to_ms: int
    is_part: bool
    version: int
    verdict: ObjectiveVerdict
    figure: Figure
    budget: BudgetFigure | None
    forecast: str
    past: tuple[Past, ...]
    inner: tuple[Inner, ...]

    @property
    def unit(self) -> str:
        """The unit of value and target."""
        return unit_of(self.verdict.indicator)

    @property
    def is_cohort(self) -> bool:
        """Whether the row states a cohort: those of the period, judged once their time is over."""
        return COHORT in self.window

    @property
    def is_judged(self) -> bool:
        """Whether the target was kept or missed."""
        return self.verdict.verdict == "breached" or self.verdict.verdict in KEPT

    @property
    def has_more(self) -> bool:
        """Whether there is something to say of shorter periods within the reported one, or of an error budget."""
        return bool(self.inner) or (self.budget is not None and self.budget.consumed_share is not None)

    @property
    def distance(self) -> float:
        """How far the value lies on the bad side of its target, as a share of it; below 0 on the good side."""
        verdict = self.verdict
        if verdict.value is None:
            return 0.0
        beyond = verdict.target - verdict.value if verdict.comparison == ">=" else verdict.value - verdict.target
        return beyond / abs(verdict.target) if verdict.target else beyond


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectivePart:
    """One objective of the agreement with its rows, the worst first; ``target`` is the promise in words."""

    id: str
    measure: str
    indicator: str
    target: str
    unit: str
    rows: tuple[ObjectiveRow, ...]

    @property
    def verdicts(self) -> Counter[str]:
        """How many rows have which verdict."""
        return Counter(one.verdict.verdict for one in self.rows)

    @property
    def verdict(self) -> str:
        """The verdict on the objective as a whole: the worst of its rows that were judged, else of those that were not.

        A series of too small a sample takes nothing from an objective that the others keep.
        """
        return self.worst.verdict.verdict

    @property
    def worst(self) -> ObjectiveRow:
        """The judged row that missed its target by most, or kept it most barely; without one the first row."""
        return next((one for one in self.rows if one.is_judged), self.rows[0])


def objective_parts(sources: Sources, scope: Scope) -> tuple[ObjectivePart, ...]:
    """Return the objectives of the period in the order of the agreement."""
    stated = [one for one in sources.statements if scope.has(one)]
    running = [] if scope.closed else [one for one in sources.running if scope.has(one) and not one.closed]
    trends = _trends(stated)
    inner = _inner(stated, scope)
    found: dict[str, list[ObjectiveRow]] = {}
    for status in (*stated, *running):
        if status.window.partition(COHORT)[0] != scope.period.window or not scope.period.holds(status.from_ms):
            continue
        for verdict in status.verdicts:
            found.setdefault(verdict.objective, []).append(_row(status, verdict, scope, trends, inner))
    promises = {one.id: one for one in scope.agreement.objectives}
    order = [*(one for one in promises if one in found), *(one for one in found if one not in promises)]
    return tuple(_part(one, promises.get(one), _without_replaced(found[one])) for one in order)


def unreported(scope: Scope) -> list[Objective]:
    """Return the objectives without a statement of this kind of period: those of other windows only."""
    return [
        one
        for one in scope.agreement.objectives
        if scope.may_see(one.measure) and all(window.kind != scope.period.window for window in one.windows)
    ]


_Key = tuple[str, tuple[str, ...], str, str]
"""Measure, label values, window, objective."""


def _trends(stated: Sequence[WindowStatus]) -> dict[_Key, dict[int, ObjectiveVerdict]]:
    """Return the verdicts of each objective in each series and window by the starts of their periods (or parts)."""
    found: dict[_Key, dict[int, ObjectiveVerdict]] = {}
    for status in stated:
        for verdict in status.verdicts:
            key = (status.series.measure, status.series.values, status.window, verdict.objective)
            found.setdefault(key, {})[status.from_ms] = verdict
    return found


def _inner(stated: Sequence[WindowStatus], scope: Scope) -> dict[tuple[str, tuple[str, ...], str], list[Inner]]:
    """Return the verdicts in shorter closed periods within the reported one, by measure, series and objective."""
    counts: dict[tuple[str, tuple[str, ...], str], dict[str, Counter[str]]] = {}
    shorter = CALENDAR_KINDS[: CALENDAR_KINDS.index(scope.period.window)]
    for status in stated:
        if status.window not in shorter or not scope.period.holds(status.from_ms):
            continue
        for verdict in status.verdicts:
            key = (status.series.measure, status.series.values, verdict.objective)
            counts.setdefault(key, {}).setdefault(status.window, Counter())[verdict.verdict] += 1
    return {
        key: [_counted(window, windows[window]) for window in sorted(windows, key=CALENDAR_KINDS.index)]
        for key, windows in counts.items()
    }


def _counted(window: str, verdicts: Counter[str]) -> Inner:
    kept, missed = sum(verdicts[one] for one in KEPT), verdicts["breached"]
    return Inner(window, kept, missed, verdicts.total() - kept - missed)


def _row(
    status: WindowStatus,
    verdict: ObjectiveVerdict,
    scope: Scope,
    trends: Mapping[_Key, Mapping[int, ObjectiveVerdict]],
    inner: Mapping[tuple[str, tuple[str, ...], str], Sequence[Inner]],
) -> ObjectiveRow:
    measure, values = status.series.measure, status.series.values
    budget = next((one for one in status.budgets if one.objective == verdict.objective), None)
    trend = trends.get((measure, values, status.window, verdict.objective), {})
    return ObjectiveRow(
        objective=verdict.objective,
        measure=measure,
        labels=status.labels,
        about=about(status.labels),
        window=status.window,
        from_ms=status.from_ms,
        to_ms=status.to_ms,
        is_part=status.parts > 1,
        version=status.version,
        verdict=verdict,
        figure=judged_figure(status, verdict) or _NO_FIGURE._replace(indicator=verdict.indicator),
        budget=budget,
        forecast="" if budget is None else forecast_text(status, budget, scope.period.zone),
        past=_past(trend, verdict, scope),
        inner=tuple(inner.get((measure, values, verdict.objective), ())),
    )


def _past(trend: Mapping[int, ObjectiveVerdict], own: ObjectiveVerdict, scope: Scope) -> tuple[Past, ...]:
    """Return the last periods up to the reported one; a period in parts is shown as its last part."""
    by_period: dict[int, ObjectiveVerdict] = {}
    zone, kind = scope.period.zone, scope.period.window
    for from_ms in sorted(trend):
        by_period[period_at(kind, zone, from_ms).from_ms] = trend[from_ms]
    by_period[scope.period.from_ms] = own
    found: list[Past] = []
    at = scope.period
    for _ in range(PERIODS):
        verdict = by_period.get(at.from_ms)
        found.append(
            Past(at.name, None, None, "")
            if verdict is None
            else Past(at.name, verdict.value, verdict.target, verdict.verdict)
        )
        at = period_at(kind, zone, at.from_ms - 1)
    while found and not found[-1].verdict:
        found.pop()  # before the first statement there is no trend
    return tuple(reversed(found))


def _without_replaced(rows: Sequence[ObjectiveRow]) -> list[ObjectiveRow]:
    """Leave out rows that are provisional and that a statement of their cohort has replaced since."""
    stated = {tuple(one.labels.items()) for one in rows if one.is_cohort}
    return [one for one in rows if one.verdict.verdict != "provisional" or tuple(one.labels.items()) not in stated]


def _part(objective_id: str, promise: Objective | None, rows: Sequence[ObjectiveRow]) -> ObjectivePart:
    ordered = sorted(
        rows, key=lambda one: (WORST_FIRST.index(one.verdict.verdict), -one.distance, one.about, one.from_ms)
    )
    first = ordered[0]
    return ObjectivePart(
        id=objective_id,
        measure=first.measure,
        indicator=first.verdict.indicator,
        target=first.verdict.indicator if promise is None else target_text(promise),
        unit=first.unit,
        rows=tuple(ordered),
    )
