"""Marketing and sales in a period: speed and depth of follow-up, the calculation of the goal, and the pace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, NamedTuple

from monitor.core.agreements.agreement import Agreement
from monitor.core.agreements.lead_measure import ONE, GoalPeriod, LeadRule
from monitor.core.leads.goal import goal_period, leads_needed, needed_to_date, sales_goal
from monitor.core.leads.leads import DEEPEST, STAGES
from monitor.core.objectives.status import WindowStatus
from monitor.core.series.figures import Figure
from monitor.core.series.series import LIVE, Change, SeriesKey, labels_in
from monitor.core.time.periods import period as period_of
from monitor.core.time.units import DAY_MS, HOUR_MS, MINUTE_MS
from monitor.reports.scope import Scope
from monitor.reports.sources import Sources
from monitor.reports.words import about

_CENTS: Final = 100
_BOUNDS_MS: Final = (
    5 * MINUTE_MS, 15 * MINUTE_MS, 30 * MINUTE_MS, HOUR_MS, 2 * HOUR_MS, 4 * HOUR_MS, 8 * HOUR_MS, DAY_MS, 3 * DAY_MS,
)  # fmt: skip
"""The classes of the speed of follow-up; the promised time divides a class in two."""


class SpeedClass(NamedTuple):
    """How many leads were followed up within ``to_ms`` and later than the class before; None: later, or not yet."""

    to_ms: int | None
    leads: int
    kept: bool


class DepthClass(NamedTuple):
    """How many leads had so many attempts; the last class: so many or more."""

    attempts: int
    leads: int


class Day(NamedTuple):
    """The leads that were delivered, and needed, from the start of the period to the end of a day."""

    end_ms: int
    delivered: float | None
    needed: float


class Term(NamedTuple):
    """A line of the goal's calculation: as agreed, and by what happened (None: unknown)."""

    name: str
    unit: str
    agreed: float | None
    measured: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadPart:
    """One series of a lead measure in the period."""

    measure: str
    about: str
    figures: Mapping[str, Figure]
    promised_ms: int
    attempts: int
    within_ms: int
    speed: tuple[SpeedClass, ...]
    waiting: int
    depth: tuple[DepthClass, ...]
    funnel: tuple[tuple[str, int], ...]
    goal: tuple[Term, ...]
    days: tuple[Day, ...]

    @property
    def promises_follow_up(self) -> bool:
        """Whether a time or a number of attempts was promised, and any lead was handed over."""
        handed = self.waiting or any(one.leads for one in self.speed) or any(one.leads for one in self.depth)
        return bool(handed and (self.promised_ms or self.attempts > 1))


def lead_parts(sources: Sources, scope: Scope) -> tuple[LeadPart, ...]:
    """Return the part of each series of the agreement's lead measures, in the order of the agreement."""
    changes: dict[SeriesKey, list[Change]] = {}
    for one in sources.changes:
        if one.subject == "lead" and one.change.at_ms != LIVE and scope.period.holds(one.change.at_ms):
            changes.setdefault(one.change.series, []).append(one.change)
    order = [one.id for one in scope.agreement.leads]
    statuses = [
        one
        for one in (sources.statements if scope.closed else sources.running)
        if one.series.measure in order
        and scope.has(one)
        and one.window == scope.period.window
        and scope.period.holds(one.from_ms)
    ]
    found = []
    for status in sorted(statuses, key=lambda one: (order.index(one.series.measure), one.series.values)):
        rule = next(one for one in scope.agreement.leads if one.id == status.series.measure)
        found.append(
            _part(rule.of_series(status.series.values), status, changes.get(status.series, ()), scope, sources)
        )
    return tuple(found)


def _part(rule: LeadRule, status: WindowStatus, changes: Sequence[Change], scope: Scope, sources: Sources) -> LeadPart:
    figures = {one.indicator: one for one in status.figures}
    until_ms = min(scope.period.to_ms, sources.as_of_ms)
    return LeadPart(
        measure=rule.id,
        about=about(labels_in(rule.by, status.series)),
        figures=figures,
        promised_ms=rule.follow_up_within_ms,
        attempts=rule.attempts,
        within_ms=rule.depth_within_ms,
        speed=_speed(rule, changes),
        waiting=sum(number for one in changes for name, number in one.counts if name in ("waiting", "waiting_beyond")),
        depth=tuple(DepthClass(n, round(figures[f"depth_{n}"].numerator)) for n in range(DEEPEST + 1)),
        funnel=(("created", round(figures["created"].numerator)),
                *((stage, round(figures[stage].numerator)) for stage in STAGES)),
        goal=_terms(rule, figures, goal_period(scope.period.window)),
        days=_days(rule, changes, scope.agreement, scope, until_ms),
    )  # fmt: skip


def _speed(rule: LeadRule, changes: Sequence[Change]) -> tuple[SpeedClass, ...]:
    """Return the leads by the business time from the hand-over to the first attempt."""
    took = [one.value_ms for one in changes if one.value_ms >= 0]
    if not took:
        return ()
    promised_ms = rule.follow_up_within_ms
    bounds = sorted({*_BOUNDS_MS, *([promised_ms] if promised_ms else [])})
    found: list[SpeedClass] = []
    left = len(took)
    for bound in bounds:
        # "Within" is inclusive, unless the promise is strict: then what took exactly so long is later.
        leads = sum(one < bound or (one == bound and not rule.strict) for one in took) - (len(took) - left)
        left -= leads
        found.append(SpeedClass(bound, leads, not promised_ms or bound <= promised_ms))
    return (*found, SpeedClass(None, left, not promised_ms))


def _terms(rule: LeadRule, figures: Mapping[str, Figure], kind: GoalPeriod | None) -> tuple[Term, ...]:
    """Return the calculation of marketing's goal line by line (domain.md §6), agreed and recomputed."""
    goal = rule.goal
    if goal is None or kind is None:
        return ()
    value = {name: one.value for name, one in figures.items()}
    sales = sales_goal(goal, kind) / _CENTS
    share, deal, rate = (value.get(name) for name in ("marketing_share", "average_deal", "close_rate"))
    agreed_share, agreed_rate = Fraction(str(goal.share)), Fraction(str(goal.close_rate))
    agreed_deal = Fraction(goal.average_deal, _CENTS)
    measured_revenue = None if share is None else float(sales) * share
    return (
        Term("sales goal", "amount", float(sales), None),
        Term("× share of the revenue from marketing's leads", "ratio", goal.share, share),
        Term("= revenue from marketing's leads", "amount", float(sales * agreed_share), measured_revenue),
        Term("/ average deal", "amount", float(agreed_deal), deal),
        Term(
            "= customers needed", "count", float(sales * agreed_share / agreed_deal),
            None if measured_revenue is None or not deal else measured_revenue / deal,
        ),
        Term("/ leads that become customers", "ratio", float(agreed_rate), rate),
        Term("= leads needed, rounded up", "count", float(leads_needed(goal, kind)), value.get("leads_needed_now")),
        Term("leads delivered, by weight", "count", None, value.get("delivered")),
    )  # fmt: skip


def _days(
    rule: LeadRule, changes: Sequence[Change], agreement: Agreement, scope: Scope, until_ms: int
) -> tuple[Day, ...]:
    """Return delivered and needed leads by the day, from the start of the period; nothing without a goal."""
    goal, kind = rule.goal, goal_period(scope.period.window)
    if goal is None or kind is None or not changes:
        return ()
    delivered = sorted(
        (one.at_ms, number) for one in changes for name, number in one.counts if name == "delivered_weight"
    )
    calendar = agreement.calendars[goal.calendar]
    found: list[Day] = []
    at_ms = scope.period.from_ms
    while at_ms < scope.period.to_ms:
        end_ms = period_of(agreement.zone, "day", at_ms).end_ms
        so_far = sum(weight for instant_ms, weight in delivered if instant_ms < end_ms) / ONE
        needed = needed_to_date(goal, kind, agreement.zone, calendar, scope.period.from_ms, end_ms)
        found.append(Day(end_ms, so_far if at_ms < until_ms else None, needed))
        at_ms = end_ms
    return tuple(found)
