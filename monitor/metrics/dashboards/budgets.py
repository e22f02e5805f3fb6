"""The dashboard of error budgets: how much of each is used, how fast it burns, and what misses cost."""

from __future__ import annotations

from monitor.metrics import catalogue as m
from monitor.metrics.dashboards.dashboard import Row, dashboard
from monitor.metrics.dashboards.panels import (
    ANY_IS_BAD,
    ANY_IS_WARNING,
    COUNT,
    GREEN,
    ORANGE,
    RATIO,
    RED,
    SECONDS,
    Json,
    Query,
    bars,
    lines,
    newest,
    stat,
    steps,
)
from monitor.metrics.dashboards.promql import Regex, age_of
from monitor.metrics.dashboards.scopes import BUDGETS, variables, window_of

_EACH = "agreement, objective, series"
_SPENT = steps(GREEN, (0.5, ORANGE), (1, RED))


def budgets() -> Json:
    """Return the dashboard."""
    return dashboard(
        "sla-budgets",
        "SLA · Budgets",
        "How much of what may go wrong is used, how fast does it go, and what do misses cost?",
        [*variables(BUDGETS, m.BUDGET_CONSUMED), window_of(BUDGETS, m.BUDGET_CONSUMED, "month")],
        [
            Row(
                4,
                [(5, _most_used()), (5, _fastest()), (4, _credits()), (4, _damages()), (3, _claims()), (3, _rights())],
            ),
            Row(8, [(12, _used()), (12, _over_time())]),
            Row(8, [(12, _burning("page", "5m|30m|1h|6h")), (12, _burning("ticket", "2h|6h|24h|3d"))]),
            Row(8, [(8, _left_events()), (8, _left_time()), (8, _credits_over_time())]),
        ],
    )


def _most_used() -> Json:
    text = "Share of the error budget that is used in the chosen window, of the objective that has used the most."
    return stat("Most used budget", text, Query(f"max({BUDGETS.of(m.BUDGET_SPENT)})"), RATIO, _SPENT, decimals=1)


def _fastest() -> Json:
    text = "The highest burn rate over the last hour, in all windows: 1 uses the budget up at the end of its period."
    query = f"max({BUDGETS.whole().of(m.BUDGET_BURN, over='1h')} or 0 * {BUDGETS.whole().of(m.BUDGET_CONSUMED)})"
    return stat("Burning fastest", text, Query(query), COUNT, steps(GREEN, (1, ORANGE), (14.4, RED)), decimals=1)


def _credits() -> Json:
    text = "Service credits of closed periods that can still be claimed, before caps: sla-monitor statements --credits."
    query = f"sum({BUDGETS.whole().of(m.CREDIT)}) or vector(0)"
    return stat("Credits to claim", text, Query(query), COUNT, ANY_IS_WARNING, decimals=2)


def _damages() -> Json:
    text = "Damages for closed periods that can still be claimed, before caps: sla-monitor statements --credits."
    query = f"sum({BUDGETS.whole().of(m.DAMAGES)}) or vector(0)"
    return stat("Damages to claim", text, Query(query), COUNT, ANY_IS_WARNING, decimals=2)


def _claims() -> Json:
    text = "How long the first of the credits and damages can still be claimed; 0 while there is none."
    ends = f"min({BUDGETS.whole().of(m.CREDIT_CLAIM)} or {BUDGETS.whole().of(m.DAMAGES_CLAIM)})"
    query = f"-({age_of(ends)}) or vector(0)"
    return stat("First claim ends in", text, Query(query), SECONDS, decimals=0)


def _rights() -> Json:
    text = "Objectives missed so often that the customer may terminate, or that one more miss would let them."
    query = f"count({BUDGETS.whole().of(m.TERMINATION_MISSES)}) or vector(0)"
    return stat("Termination", text, Query(query), COUNT, ANY_IS_BAD)


def _used() -> Json:
    text = "Share of each error budget that is used in the chosen window. From 100 % on the target is missed."
    query = BUDGETS.each(m.BUDGET_SPENT, _EACH)
    return newest(bars("Used", text, Query(query, "{{objective}} · {{series}}"), RATIO))


def _over_time() -> Json:
    text = "Share of each error budget that is used in the chosen window, over time."
    return lines(
        "Used, over time", text, [Query(BUDGETS.each(m.BUDGET_SPENT, _EACH), "{{objective}} · {{series}}")], RATIO
    )


def _burning(urgency: str, over: str) -> Json:
    text = (
        f"Burn rates over the windows that a {urgency} is made of, of the objective that burns fastest in each. "
        "1 uses the budget up exactly at the end of its period."
    )
    burns = BUDGETS.whole().of(m.BUDGET_BURN, over=Regex(over))
    query = f"max by (over) ({burns})"
    return lines(f"Burn rates: {urgency}", text, [Query(query, "over {{over}}")], COUNT, linked=False)


def _left_events() -> Json:
    text = "How many more may be bad in the chosen window before the target is missed. Below 0 it is."
    query = BUDGETS.each(m.BUDGET_REMAINING, _EACH, unit="events")
    return lines("Left, in events", text, [Query(query, "{{objective}} · {{series}}")], COUNT, least=None)


def _left_time() -> Json:
    text = "How much longer services may be down in the chosen window before the target is missed. Below 0 it is."
    query = BUDGETS.each(m.BUDGET_REMAINING, _EACH, unit="seconds")
    return lines("Left, in time", text, [Query(query, "{{objective}} · {{series}}")], SECONDS, least=None)


def _credits_over_time() -> Json:
    text = "Service credits and damages that can be claimed, by agreement and before caps."
    each = "sum by (agreement, currency)"
    queries = [
        Query(f"{each} ({BUDGETS.whole().of(m.CREDIT)}) or vector(0)", "{{agreement}} {{currency}}"),
        Query(f"{each} ({BUDGETS.whole().of(m.DAMAGES)}) or vector(0)", "{{agreement}} {{currency}} damages"),
    ]
    return lines("Credits and damages", text, queries, COUNT, decimals=2, linked=False)
