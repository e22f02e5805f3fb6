"""Marketing's goal (domain.md §6): how many leads the sales goal needs, and how many of them are due by today.

    marketing revenue goal = sales goal x share of the revenue from marketing's leads
    customers needed       = marketing revenue goal / average deal
    leads needed           = customers needed / close rate          rounded up once, at the end

The share, average deal and close rate measured so far in the period give a second number: the leads needed now.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from math import ceil
from typing import TYPE_CHECKING

from monitor.core.time.periods import period

if TYPE_CHECKING:
    from monitor.core.agreements.lead_measure import Goal, GoalPeriod
    from monitor.core.time.calendar import Calendar
    from monitor.core.time.windows import WindowKind

_MONTHS: dict[GoalPeriod, int] = {"month": 1, "quarter": 3, "year": 12}


def sales_goal(goal: Goal, kind: GoalPeriod) -> Fraction:
    """Return the sales goal of a period in cents; if none was agreed, it is derived from the shortest agreed period."""
    if kind in goal.sales:
        return Fraction(goal.sales[kind])
    agreed: GoalPeriod = min(goal.sales, key=lambda one: _MONTHS[one])
    return Fraction(goal.sales[agreed] * _MONTHS[kind], _MONTHS[agreed])


def leads_needed(goal: Goal, kind: GoalPeriod) -> int:
    """Return how many leads the sales goal of a period needs by the agreed share, average deal and close rate."""
    revenue = sales_goal(goal, kind) * Fraction(str(goal.share))
    customers = revenue / goal.average_deal
    return ceil(customers / Fraction(str(goal.close_rate)))


def leads_needed_now(
    goal: Goal, kind: GoalPeriod, *, delivered: int, customers: int, marketing_cents: int, total_cents: int
) -> int | None:
    """Return how many leads the goal of a period needs by the measured share, average deal and close rate.

    None if one of the measured numbers is still 0.

    Args:
        goal: the agreed goal.
        kind: the period.
        delivered: marketing's leads, in thousandths by weight.
        customers: how many of marketing's leads were won.
        marketing_cents: the revenue from them.
        total_cents: the revenue from all customers.
    """
    if not (delivered and customers and marketing_cents and total_cents):
        return None
    share = Fraction(marketing_cents, total_cents)
    average_deal = Fraction(marketing_cents, customers)
    close_rate = Fraction(customers * 1000, delivered)
    return ceil(sales_goal(goal, kind) * share / average_deal / close_rate)


def goal_period(kind: WindowKind) -> GoalPeriod | None:
    """Return the period whose goal a window is measured against; None for a rolling window."""
    if kind in ("quarter", "year"):
        return kind
    return None if kind == "rolling" else "month"


def needed_to_date(goal: Goal, kind: GoalPeriod, zone: str, calendar: Calendar, from_ms: int, to_ms: int) -> float:
    """Return how many leads are needed for the working days wholly within a span: each day its part of its period."""
    needed = Fraction(0)
    total = leads_needed(goal, kind)
    at_ms = from_ms
    while at_ms < to_ms:
        span = period(zone, kind, at_ms)
        days = _working_days(calendar, zone, span.start_ms, span.end_ms)
        passed = _working_days(calendar, zone, max(from_ms, span.start_ms), min(to_ms, span.end_ms))
        if days:
            needed += Fraction(total * passed, days)
        at_ms = span.end_ms
    return float(needed)


@lru_cache(maxsize=4096)
def _working_days(calendar: Calendar, zone: str, from_ms: int, to_ms: int) -> int:
    """Return how many local days with open hours lie wholly in a span."""
    days = 0
    at_ms = from_ms
    while at_ms < to_ms:
        day = period(zone, "day", at_ms)
        if from_ms <= day.start_ms and day.end_ms <= to_ms and calendar.elapsed(day.start_ms, day.end_ms):
            days += 1
        at_ms = day.end_ms
    return days
