"""The dashboard of error budgets: how much of each is left, until when it lasts, and what misses cost."""

from __future__ import annotations

from typing import Final

from monitor.metrics import catalogue as m
from monitor.metrics import own
from monitor.metrics.dashboards.dashboard import Heading, Row, dashboard
from monitor.metrics.dashboards.panels import (
    ANY_IS_BAD,
    ANY_IS_WARNING,
    BROKEN,
    COUNT,
    GREEN,
    KEPT,
    NOT_SO,
    RATIO,
    RED,
    RISK,
    SECONDS,
    Json,
    Query,
    bars,
    lines,
    newest,
    stat,
    steps,
    to_list,
    told,
)
from monitor.metrics.dashboards.promql import BEFORE, Regex, age_of, any_of, as_before, named, select
from monitor.metrics.dashboards.scopes import BUDGETS, variables, window_of
from monitor.metrics.dashboards.tables import AGREEMENT_CELL, Column, table

_EACH = "agreement, objective, series"
_LEFT = steps(RED, (0.0001, GREEN))
_LIST: Final = "Budgets, the least left first"
_MONEY: Final = "Credits and damages"
_PACE: Final = "6h"
"""The time by whose pace a budget is forecast."""
_FOR_EVER: Final = 1e8
"""A forecast of more seconds than this (three years) is none."""
_NEVER, _GONE = 2e8, 0.0


def budgets() -> Json:
    """Return the dashboard."""
    return dashboard(
        "sla-budgets",
        "SLA · Budgets",
        "How much of what may go wrong is left, how fast does it go, and what do misses cost?",
        [*variables(BUDGETS, m.BUDGET_CONSUMED), window_of(BUDGETS, m.BUDGET_CONSUMED, "month")],
        [
            Row(
                4,
                [
                    (4, _least_left()),
                    (4, _used_up()),
                    (4, _fastest()),
                    (3, _credits()),
                    (3, _damages()),
                    (3, _claims()),
                    (3, _rights()),
                ],
            ),
            Heading("What is left", "What may still go wrong before a target is missed."),
            Row(8, [(14, _table()), (10, _left())]),
            Row(10, [(8, _burn_down()), (8, _left_events()), (8, _left_time())]),
            Heading("How fast it goes", "Burn rates against the limits at which people are told."),
            Row(8, [(12, _burning("page", "1h|6h")), (12, _burning("ticket", "24h|3d"))]),
            Heading("What misses cost", "What customers can claim for closed periods."),
            Row(6, [(24, _credits_over_time())]),
        ],
    )


def _share() -> str:
    """Return the share of each budget that is left, in the chosen window."""
    return f"1 - ({BUDGETS.each(m.BUDGET_SPENT, _EACH)} < inf)"


def _least_left() -> Json:
    text = "What is left of the budget of which the least is left, in the chosen window. Below 0 it is used up."
    query = Query(f"1 - max({BUDGETS.of(m.BUDGET_SPENT)} < inf)")
    return stat(
        "Budget left", text, query, RATIO, _LEFT, decimals=0, to=to_list(_LIST), below_0="used up",
        none="No budget is agreed",
    )  # fmt: skip


def _used_up() -> Json:
    text = "Budgets that are used up in the chosen window: the target is missed, unless good events make up for it."
    return stat(
        "Used up", text, Query(f"sum(max by ({_EACH}) ({named(BUDGETS.of(m.BUDGET_SPENT))}) >= bool 1)"),
        thresholds=ANY_IS_BAD, to=to_list(_LIST), none="No budget is agreed",
    )  # fmt: skip


def _fastest() -> Json:
    text = (
        "The highest burn rate over the last hour, in all windows: 1 uses the budget up at the end of its period. "
        "Orange and red: from the limit on at which its agreement has a ticket written or somebody called."
    )
    rates = BUDGETS.whole().of(m.BUDGET_BURN, over="1h")
    value = f"max({rates} or 0 * {BUDGETS.whole().of(m.BUDGET_CONSUMED)})"
    limit = f"min by (agreement, objective) ({_limits(over='1h')})"
    least = f"min by (agreement, objective) ({_limits()})"
    same = "on (agreement, objective) group_left ()"
    pages, tells = f"count({rates} >= {same} {limit})", f"count({rates} >= {same} {least})"
    cases = {
        "calls somebody": f"{value} and on () {pages}",
        "too fast": f"{value} and on () {tells} unless on () {pages}",
        "slow enough": f"{value} unless on () {tells}",
    }
    looks = {"calls somebody": BROKEN, "too fast": RISK, "slow enough": KEPT}
    query, to = Query(any_of(cases, "pace"), "{{pace}}"), to_list("Burn rates: page")
    return told("Burning fastest", text, query, COUNT, looks, decimals=1, to=to)


def _limits(**matchers: str | Regex) -> str:
    return select(m.BUDGET_LIMIT, {"agreement": Regex("$agreement"), **matchers})


def _credits() -> Json:
    text = "Service credits of closed periods that can still be claimed, before caps: sla-monitor statements --credits."
    query = f"sum({BUDGETS.whole().of(m.CREDIT)}) or vector(0)"
    return stat("Credits", text, Query(query), COUNT, ANY_IS_WARNING, decimals=2, words={0: "none"}, to=to_list(_MONEY))


def _damages() -> Json:
    text = "Damages for closed periods that can still be claimed, before caps: sla-monitor statements --credits."
    query = f"sum({BUDGETS.whole().of(m.DAMAGES)}) or vector(0)"
    return stat("Damages", text, Query(query), COUNT, ANY_IS_WARNING, decimals=2, words={0: "none"}, to=to_list(_MONEY))


def _claims() -> Json:
    text = "How long the first of the credits and damages can still be claimed."
    ends = f"min({BUDGETS.whole().of(m.CREDIT_CLAIM)} or {BUDGETS.whole().of(m.DAMAGES_CLAIM)})"
    query = f"-({age_of(ends)}) or vector({NOT_SO:g})"
    return stat("Claim within", text, Query(query), SECONDS, decimals=0, words={NOT_SO: "no claim"}, to=to_list(_MONEY))


def _rights() -> Json:
    text = "Objectives missed so often that the customer may terminate, or that one more miss would let them."
    query = f"count({BUDGETS.whole().of(m.TERMINATION_MISSES)}) or vector(0)"
    return stat("To end", text, Query(query), COUNT, ANY_IS_BAD, words={0: "no"})


def _table() -> Json:
    text = (
        "What is left of each budget in the chosen window, and when it is used up if it goes on as in the last "
        f"{_PACE.removesuffix('h')} hours: a forecast, by the monitor's clock."
    )
    left = f"min by ({_EACH}) ({named(BUDGETS.of(m.BUDGET_REMAINING))})"
    pace = f"deriv({BUDGETS.of(m.BUDGET_REMAINING)}[{_PACE}])"
    passed = f"scalar(max(deriv({select(own.MONITOR_TIME, {})}[{_PACE}])))"
    going = f"clamp_min(-(min by ({_EACH}) ({named(pace)})) / {passed}, 1e-12)"
    ends = f"clamp_max(clamp_min({left}, 0) / {going}, {_NEVER:g})"
    # Beyond three years the pace is nothing but noise.
    until = f"({ends} < {_FOR_EVER:g}) or {_NEVER:g} + 0 * {ends}"
    return table(
        _LIST,
        text,
        [Query(_share(), ref="L"), Query(until, ref="F")],
        [
            Column("Left", value="L", unit=RATIO, width=90, decimals=1),
            Column(
                "Used up in", value="F", unit=SECONDS, width=140, words={_NEVER: "not at this pace", _GONE: "used up"}
            ),
            Column("Objective", label="objective", width=200),
            Column("Of", label="series"),
            Column("Agreement", label="agreement", links=[AGREEMENT_CELL], width=150),
        ],
        sort=["Left"],
        rising=True,
        none="No budget is agreed",
    )


def _left() -> Json:
    text = "Share of each error budget that is left in the chosen window, the least first. Below 0: target missed."
    query = Query(f"sort({_share()})", "{{objective}} · {{series}}")
    return newest(bars("Left", text, query, RATIO, most=1, scheme="continuous-RdYlGr", decimals=0))


def _burn_down() -> Json:
    text = (
        "Share of each error budget that is left in the chosen window, over time. Dashed: where it is used up, and "
        "(grey) what was left one period before (a day, week, month …, by the window)."
    )
    before = as_before(f"1 - ({BUDGETS.a_period_before(m.BUDGET_SPENT, _EACH)} < inf)")
    queries = [
        Query(f"({_share()}) or {before}", "{{objective}} · {{series}}"),
        Query("vector(0)", "used up", "Z", BROKEN),
    ]
    return lines("Burn-down", text, queries, RATIO, least=None, most=1, linked=False, decimals=0, faint=BEFORE)


def _burning(urgency: str, over: str) -> Json:
    text = (
        f"Burn rates over the longer windows that a {urgency} is made of, of the objective that burns fastest in each. "
        f"1 uses the budget up exactly at the end of its period. Dashed: where its agreement wants a {urgency}."
    )
    burns = BUDGETS.whole().of(m.BUDGET_BURN, over=Regex(over))
    limits = f"min by (over) ({_limits(over=Regex(over), urgency=urgency)})"
    queries = [
        Query(f"max by (over) ({burns})", "over {{over}}"),
        Query(limits, "limit over {{over}}", "L", BROKEN if urgency == "page" else RISK),
    ]
    return lines(f"Burn rates: {urgency}", text, queries, COUNT, linked=False, symlog=True)


def _left_events() -> Json:
    text = "How many more may be bad in the chosen window before the target is missed. Dashed: all that may be."
    return _remaining("Left, in events", text, COUNT, "events")


def _left_time() -> Json:
    text = "How much longer services may be down in the chosen window before the target is missed. Dashed: all of it."
    return _remaining("Left, in time", text, SECONDS, "seconds")


def _remaining(title: str, text: str, unit: str, of: str) -> Json:
    allowed = f"max by (agreement, objective) ({BUDGETS.each(m.BUDGET_ALLOWED, _EACH, unit=of)})"
    queries = [
        Query(BUDGETS.each(m.BUDGET_REMAINING, _EACH, unit=of), "{{objective}} · {{series}}"),
        Query(allowed, "allowed {{objective}}", "B", KEPT),
    ]
    return lines(title, text, queries, unit, least=None)


def _credits_over_time() -> Json:
    text = "Service credits and damages that can be claimed, by agreement and before caps."
    each = "sum by (agreement, currency)"
    none = 'label_replace(vector(0), "agreement", "nothing to claim", "", "")'
    queries = [
        Query(f"{each} ({BUDGETS.whole().of(m.CREDIT)} or {none})", "{{agreement}} {{currency}}"),
        Query(f"{each} ({BUDGETS.whole().of(m.DAMAGES)} or {none})", "damages: {{agreement}} {{currency}}", "D"),
    ]
    return lines(_MONEY, text, queries, COUNT, decimals=2, linked=False)
