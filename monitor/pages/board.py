"""The board: what is broken, what breaks next and how long is left, made of an overview. Pure: it reads no clock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Final, NamedTuple

from monitor.core.agreements.agreement import Agreement
from monitor.core.agreements.measures import ANY
from monitor.core.alerts.alert import OF_SERIES, Alert
from monitor.core.objectives.budget import BudgetFigure
from monitor.core.objectives.forecast import Forecast, forecast
from monitor.core.objectives.status import ObjectiveVerdict, WindowStatus
from monitor.core.series.series import SeriesKey
from monitor.core.time.calendar import AlwaysOpen, Calendar, CalendarRangeError
from monitor.core.time.units import MINUTE_MS
from monitor.core.time.windows import rolling_ms
from monitor.pages.filters import Filters, choices, passes, together
from monitor.read_model.overview import Line, Out, Overview

WORST_FIRST: Final = ("breached", "at_risk", "on_track", "met", "low_sample", "provisional", "no_data")
_PLACES: Final = {verdict: place for place, verdict in enumerate(WORST_FIRST)}
GRACE_MS: Final = 2 * MINUTE_MS
"""So long after its due instant a clock that is not announced as missed is taken for one that is paused."""


TextOf = Callable[[str, int], Agreement | None]


class Due(NamedTuple):
    """A clock that is at risk or missed, and is still open.

    ``left_ms`` is the open time of its calendar to the due instant, below zero once that is past; None: it has none.
    ``runs`` is whether the calendar is open now. ``is_held`` means that the due instant has passed without a breach:
    the clock is paused, or its due instant has moved.
    """

    alert: Alert
    agreement: Agreement | None
    left_ms: int | None
    runs: bool
    is_held: bool

    @property
    def used(self) -> float | None:
        """The used share of the budget, 0 to 1."""
        budget = self.alert.budget_ms
        return None if not budget or self.left_ms is None else min(1.0, max(0.0, 1 - self.left_ms / budget))

    @property
    def about(self) -> dict[str, str]:
        """The attributes of the subject by name."""
        return about_of(self.alert)


class Standing(NamedTuple):
    """One objective over all its series and windows: the worst of them, and how many have which verdict."""

    agreement: Agreement
    objective: str
    measure: str
    worst: Line | None
    counts: Mapping[str, int]
    together: str
    """In words, by which of the wanted attributes it is not split."""

    @property
    def verdict(self) -> str:
        """The verdict of the worst series and window; ``no_data`` if there is none."""
        return "no_data" if self.worst is None else self.worst.verdict.verdict


class Budget(NamedTuple):
    """The error budget of an objective in its longest window, for one series; a month comes before 30 days."""

    agreement: str
    status: WindowStatus
    figure: BudgetFigure
    forecast: Forecast | None
    """When it is used up if it goes on like that; None: nobody can tell."""

    @property
    def used_up_ms(self) -> int | None:
        """When it is used up at its pace; None: not in this window, or nobody can tell."""
        return None if self.forecast is None else self.forecast.used_up_ms

    @property
    def left(self) -> float:
        """The share that is left; below zero once more was bad than allowed."""
        share = self.figure.consumed_share
        return (0.0 if self.figure.exhausted else 1.0) if share is None else 1 - share

    @property
    def is_rolling(self) -> bool:
        """Whether the window goes with the time: what is used comes back when it leaves the window."""
        return rolling_ms(self.status.window) is not None


class Work(NamedTuple):
    """The open subjects of one measure: its live gauges added up over all its series."""

    agreement: str
    measure: str
    kind: str
    gauges: Mapping[str, int]


class Board(NamedTuple):
    """What a reader sees within five seconds. ``late_ms``: for how long nothing was judged, if that is too long."""

    now_ms: int
    as_of_ms: int | None
    late_ms: int | None
    blind: int
    filters: Filters
    choices: Mapping[str, list[str]]
    next: tuple[Due, ...]
    held: tuple[Due, ...]
    missed: tuple[Due, ...]
    standings: tuple[Standing, ...]
    budgets: tuple[Budget, ...]
    work: tuple[Work, ...]

    def objectives(self, verdict: str) -> int:
        """Return how many objectives have a verdict in their worst series."""
        return sum(one.verdict == verdict for one in self.standings)

    @property
    def judged(self) -> int:
        """How many objectives have a verdict at all."""
        return sum(one.worst is not None for one in self.standings)

    def most(self, kind: str, gauge: str) -> int:
        """Return a number of open subjects: of each agreement the largest of its measures, as these overlap."""
        found: dict[str, int] = {}
        for one in self.work:
            if one.kind == kind:
                found[one.agreement] = max(found.get(one.agreement, 0), one.gauges.get(gauge, 0))
        return sum(found.values())

    def longest(self, kind: str, gauge: str) -> int:
        """Return the longest wait or age over all measures of a kind."""
        return max((one.gauges.get(gauge, 0) for one in self.work if one.kind == kind), default=0)


def about_of(alert: Alert) -> dict[str, str]:
    """Return whom an alert is about: its attributes by name, as they are now."""
    own = {"agreement", "promise", "objective", "measure", "metric", "indicator", "window", "subject", "urgency"}
    return {name: value for name, value in (alert.labels | dict(alert.details)).items() if value and name not in own}


def board(found: Overview, filters: Filters, text_of: TextOf) -> Board:
    """Return the board. ``text_of`` finds a version of an agreement."""
    current = {one.id: one for one in found.agreements}
    now_ms = found.now_ms
    lines = found.lines if not filters.is_set else [
        one for one in found.lines
        if passes(filters, one.status.series.agreement, current.get(one.status.series.agreement), one.status.labels)
    ]  # fmt: skip
    late_ms = found.late_ms
    clocks = [
        _due(one, text_of(one.alert.key.agreement, one.alert.version) or current.get(one.alert.key.agreement), now_ms)
        for one in found.out
        if one.alert.key.kind not in OF_SERIES
        and passes(filters, one.alert.key.agreement, current.get(one.alert.key.agreement), about_of(one.alert))
    ]
    risky = [one for one in clocks if one.alert.state == "at_risk"]
    held = [one for one in risky if late_ms is None and _is_past(one, now_ms, found.speed)]
    statuses = {id(one.status): one.status for one in lines}.values()
    work = _work(statuses, current)
    return Board(
        now_ms=now_ms,
        as_of_ms=found.as_of_ms,
        late_ms=late_ms,
        blind=sum(one.gauges.get("blind", 0) > 0 for one in work),
        filters=filters,
        choices=choices(
            found.agreements, (one.status.labels for one in found.lines if one.verdict is one.status.verdicts[0])
        ),
        next=tuple(sorted([one for one in risky if one not in held], key=_by_time_left)),
        held=tuple(one._replace(is_held=True) for one in sorted(held, key=_by_time_left)),
        missed=tuple(sorted([one for one in clocks if one.alert.state == "breached"], key=_by_time_left)),
        standings=_standings(found.agreements, lines, filters),
        budgets=_budgets(statuses),
        work=work,
    )


def _due(out: Out, agreement: Agreement | None, now_ms: int) -> Due:
    calendar = _calendar(out.alert, agreement)
    due_ms = out.alert.due_ms
    if due_ms is None:
        return Due(out.alert, agreement, None, runs=True, is_held=False)
    return Due(out.alert, agreement, *time_left(calendar, due_ms, now_ms), is_held=False)


def time_left(calendar: Calendar, due_ms: int, now_ms: int) -> tuple[int, bool]:
    """Return the open time up to a due instant, below zero if it is past, and whether the calendar is open now."""
    try:
        left_ms = calendar.elapsed(now_ms, due_ms) if due_ms > now_ms else -calendar.elapsed(due_ms, now_ms)
        return left_ms, calendar.is_open(now_ms)
    except CalendarRangeError:
        return due_ms - now_ms, True


def _calendar(alert: Alert, agreement: Agreement | None) -> Calendar:
    """Return the calendar in whose open hours the clock of an alert counts; around the clock if it is not known."""
    rule = agreement.clock(alert.key.promise) if agreement is not None else None
    budget = rule.budget(dict(alert.details).get("priority") or ANY) if rule is not None else None
    if agreement is None or budget is None:
        return AlwaysOpen()
    return agreement.calendars.get(budget.calendar) or AlwaysOpen()


def _is_past(one: Due, now_ms: int, speed: float) -> bool:
    return one.alert.due_ms is not None and one.alert.due_ms + GRACE_MS * max(1.0, speed / 60) < now_ms


def _by_time_left(one: Due) -> tuple[bool, int, str]:
    return one.left_ms is None, one.left_ms or 0, one.alert.key.text()


def _standings(agreements: Iterable[Agreement], lines: Iterable[Line], filters: Filters) -> tuple[Standing, ...]:
    found: dict[tuple[str, str], list[Line]] = {}
    for line in lines:
        if not line.status.closed:
            found.setdefault((line.status.series.agreement, line.verdict.objective), []).append(line)
    standings = []
    for agreement in agreements:
        for objective in agreement.objectives:
            of = found.get((agreement.id, objective.id), [])
            if not of and filters.is_set:
                continue
            worst = min(of, key=_badness) if of else None
            counts: Counter[str] = Counter(one.verdict.verdict for one in of)
            apart = "" if worst is None else together(filters, worst.status.labels)
            standings.append(Standing(agreement, objective.id, objective.measure, worst, counts, apart))
    return tuple(sorted(standings, key=_worst_standing))


def _badness(line: Line) -> tuple[int, float, tuple[str, ...], str]:
    return _PLACES[line.verdict.verdict], _margin(line.verdict), line.status.series.values, line.status.window


def _margin(verdict: ObjectiveVerdict) -> float:
    """Return how far the value is on the good side of the target, as a share of the target."""
    if verdict.value is None:
        return 0.0
    margin = verdict.value - verdict.target if verdict.comparison == ">=" else verdict.target - verdict.value
    return margin / abs(verdict.target) if verdict.target else margin


def _worst_standing(one: Standing) -> tuple[int, float, str, str]:
    margin = 0.0 if one.worst is None else _margin(one.worst.verdict)
    return _PLACES[one.verdict], margin, one.agreement.id, one.objective


def _budgets(statuses: Iterable[WindowStatus]) -> tuple[Budget, ...]:
    """Return each budget in the longest of its windows, the one with the least left first."""
    found: dict[tuple[object, str], tuple[WindowStatus, BudgetFigure]] = {}
    for status in statuses:
        for figure in status.budgets:
            key = status.series, figure.objective
            longest = found.get(key)
            if longest is None or _length(status) > _length(longest[0]):
                found[key] = status, figure
    budgets = [Budget(of.series.agreement, of, figure, forecast(of, figure)) for of, figure in found.values()]
    return tuple(sorted(budgets, key=lambda one: (one.left, one.agreement, one.figure.objective, one.status.series)))


def _length(status: WindowStatus) -> float:
    """Return how long a window is. A calendar period counts a tenth more: months and quarters differ by a few days."""
    return (status.to_ms - status.from_ms) * (1.0 if rolling_ms(status.window) else 1.1)


def _work(statuses: Iterable[WindowStatus], agreements: Mapping[str, Agreement]) -> tuple[Work, ...]:
    """Return the live gauges of each measure: of each series those of the window that was judged last."""
    of_series: dict[SeriesKey, WindowStatus] = {}
    for status in statuses:
        known = of_series.get(status.series)
        if status.live and (known is None or known.as_of_ms < status.as_of_ms):
            of_series[status.series] = status
    found: dict[tuple[str, str], dict[str, int]] = {}
    for status in of_series.values():
        gauges = found.setdefault((status.series.agreement, status.series.measure), {})
        for name, value in status.live.items():
            is_age = name.endswith("_ms")
            gauges[name] = max(gauges.get(name, 0), value) if is_age else gauges.get(name, 0) + value
    work = []
    for (agreement_id, measure_id), gauges in sorted(found.items()):
        agreement = agreements.get(agreement_id)
        measure = agreement.measure(measure_id) if agreement is not None else None
        if measure is not None:
            work.append(Work(agreement_id, measure_id, measure.kind, gauges))
    return tuple(work)
