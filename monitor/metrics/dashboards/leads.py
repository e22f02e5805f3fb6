"""The dashboard of leads: does marketing deliver the leads that the goal needs, does sales follow up soon and often?"""

from __future__ import annotations

from monitor.metrics import catalogue as m
from monitor.metrics.dashboards.dashboard import Heading, Row, dashboard
from monitor.metrics.dashboards.panels import (
    ANY_IS_BAD,
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
    to_list,
    told,
)
from monitor.metrics.dashboards.promql import Regex, named, spread, told_apart, total, worded
from monitor.metrics.dashboards.scopes import (
    LEADS,
    due_first,
    due_next,
    measure_of,
    silence,
    variables,
    window_of,
)
from monitor.metrics.dashboards.states import heatmap
from monitor.metrics.dashboards.tickets import at_risk_now, verdicts
from monitor.metrics.declaring import SERIES, WINDOWED, Metric

_EACH = "agreement, measure, series"
_MONTH = "month"


def leads() -> Json:
    """Return the dashboard."""
    return dashboard(
        "sla-leads",
        "SLA · Leads",
        "Does marketing deliver what the month's goal needs, and does sales follow up, soon and often enough?",
        [
            *variables(LEADS, m.LEADS_OPEN),
            window_of(LEADS, m.LEAD_DEPTH, "month"),
            measure_of(LEADS, m.LEAD_SPEED_SPREAD, "Follow-up", "The measure whose follow-up is shown below"),
        ],
        [
            Row(4, [
                (4, _pace()), (4, _needed_now()), (4, _late()), (4, due_first(LEADS, to_list("Due next"))),
                (4, _close_rate()), (4, silence("lead")),
            ]),
            Heading("Now", "Leads that wait for somebody."),
            Row(5, [(12, due_next(LEADS)), (12, at_risk_now(LEADS, m.CLOCKS_OPEN))]),
            Heading("Marketing's promise: enough leads", "Leads delivered against those that the sales goal needs."),
            Row(8, [(8, _towards_the_goal()), (7, _close_rates()), (9, _funnel())]),
            Heading("Sales' promise: soon, and often enough", "Speed and depth of follow-up against what is promised."),
            Row(8, [(8, _kept()), (8, _attempts()), (8, verdicts(LEADS))]),
            Row(8, [(8, _speed()), (8, _depth()), (8, _pending())]),
        ],
    )  # fmt: skip


def _monthly(metric: Metric, **matchers: str | Regex) -> str:
    return LEADS.whole().of(metric, window=_MONTH, **matchers)


def _pace() -> Json:
    text = (
        "Delivered leads against those needed to date, in this month: the goal is spread over the working days, and a "
        "day counts once it is over. The lowest of all goals, in the colour of the verdict on it where it is promised."
    )
    code = f"max({_monthly(m.OBJECTIVE_CODE, indicator='pace')})"
    query = Query(told_apart(f"min({_monthly(m.LEAD_PACE)})", code), "{{verdict}}")
    to = to_list("Towards the month's goal")
    return told("Pace of the month", text, query, RATIO, decimals=0, none="No goal, or its first day", to=to)


def _needed_now() -> Json:
    text = (
        "Leads that the month's sales goal needs by what has happened in it: its close rate, average deal and share of "
        "marketing, not the agreed ones. None before marketing's first customer."
    )
    query = Query(f"max({_monthly(m.LEADS_NEEDED, counting='now')})")
    return stat("Needed, recomputed", text, query, decimals=0, none="No customer yet")


def _late() -> Json:
    text = "Leads that were handed over and wait for the first attempt beyond the promised time."
    query, to = Query(total(LEADS.of(m.LEADS_LATE))), to_list("Past due and at risk now")
    return stat("Waiting too long", text, query, COUNT, ANY_IS_BAD, to=to)


def _close_rate() -> Json:
    text = "Marketing's leads that became customers in this month, of those delivered in it."
    query = Query(f"max({_monthly(m.LEAD_CLOSE_RATE)})")
    return stat("Close rate", text, query, RATIO, decimals=1, to=to_list("Close rates"))


def _towards_the_goal() -> Json:
    text = (
        "Leads delivered in this month, by weight. Dashed: those needed until today, and in the whole month as agreed."
    )

    def each(query: str) -> str:
        return f"max by (agreement, measure) ({query})"

    agreed = _monthly(m.LEADS_NEEDED, counting="agreed")
    delivered = f"{_monthly(m.LEADS_DELIVERED)} and on ({', '.join(WINDOWED)}) {agreed}"  # only measures with a goal
    return lines(
        "Towards the month's goal",
        text,
        [
            Query(each(delivered), "delivered {{measure}}"),
            Query(each(_monthly(m.LEADS_NEEDED, counting="to_date")), "needed to date {{measure}}", "T", ORANGE),
            Query(each(agreed), "needed in the month {{measure}}", "G", GREEN),
        ],
        COUNT,
    )


def _speed() -> Json:
    text = (
        f"Business time from the hand-over to the first human attempt: ${LEADS.measure}, in its shortest "
        "window. Each column is the whole window at that instant."
    )
    selector = LEADS.whole().of_chosen(m.LEAD_SPEED_SPREAD)
    return heatmap("Speed of follow-up", text, Query(spread(selector)), "leads", none="No lead was followed up")


def _depth() -> Json:
    text = (
        f"Leads by the number of attempts until they were reached, or the time for it was over: ${LEADS.measure}, in "
        "the chosen window."
    )
    query = f"sum by (attempts) (max by (attempts, {', '.join(SERIES)}) ({LEADS.of_chosen(m.LEAD_DEPTH_LEADS)}))"
    return newest(bars("Depth of follow-up", text, Query(query, "{{attempts}}"), COUNT, linked=False))


def _funnel() -> Json:
    text = (
        f"What has become of the leads that were created in the chosen window: ${LEADS.measure}. Late stages of young "
        "leads are still to come."
    )
    query = f"sum by (stage) (max by (stage, {', '.join(SERIES)}) ({LEADS.of_chosen(m.LEAD_FUNNEL)}))"
    # The bars leave as much room for names as the one with the most letters needs: it has to be the widest one, too.
    stages = f'label_replace({worded(query, "stage")}, "stage", "$1 to sales", "stage", "(handed over)")'
    return newest(bars("Funnel", text, Query(f"sort_desc({stages})", "{{stage}}"), COUNT, linked=False))


def _close_rates() -> Json:
    text = (
        "The close rate of the chosen window, which divides its wins by its leads, and the matured one: of marketing's "
        "leads created in it those won within the promised time (close_within), once that is over."
    )
    # One query: a young agreement has no matured rate yet.
    each = {"of the window": m.LEAD_CLOSE_RATE, "matured": m.LEAD_MATURED_CLOSE_RATE}
    rates = [
        f'max by ({_EACH}, rate) (label_replace({named(LEADS.of(metric))}, "rate", "{name}", "", ""))'
        for name, metric in each.items()
    ]
    return lines("Close rates", text, [Query(" or ".join(rates), "{{measure}} · {{series}} · {{rate}}")], RATIO)


def _pending() -> Json:
    text = (
        "Leads of the chosen window whose promise cannot be judged yet: the follow-up, its depth, the close. Until "
        "there are none the window's figure is provisional."
    )
    query = f"sum by (promise) (max by (promise, {', '.join(SERIES)}) ({LEADS.of(m.LEADS_PENDING)}))"
    return lines("Not judged yet", text, [Query(worded(query, "promise"), "{{promise}}")], COUNT, decimals=0)


def _kept() -> Json:
    text = (
        "The time within which 9 of 10 leads were followed up, in the chosen window (business time). Dashed: the time "
        "that is promised for each."
    )
    each = LEADS.of(m.LEAD_SPEED_PERCENTILE, percentile="90")
    promised = f"max by (agreement, measure) ({LEADS.of(m.LEAD_FOLLOW_UP_LIMIT)})"
    return lines(
        "Speed: 9 of 10 followed up within",
        text,
        [
            Query(f"max by ({_EACH}) ({named(each)})", "{{measure}} · {{series}}"),
            Query(promised, "promised {{measure}}", "T", RED),
        ],
        SECONDS,
    )


def _attempts() -> Json:
    text = (
        "Mean attempts per lead until it was reached or the time for it was over, in the chosen window. Dashed: how "
        "often each lead that is not reached has to be tried."
    )
    by = f"max by ({_EACH}) ({named(LEADS.of(m.LEAD_DEPTH))})"
    promised = f"max by (agreement, measure) ({LEADS.of(m.LEAD_DEPTH_LIMIT)})"
    return lines(
        "Depth: attempts per lead",
        text,
        [Query(by, "{{measure}} · {{series}}"), Query(promised, "promised {{measure}}", "T", RED)],
        COUNT,
        decimals=1,
    )
