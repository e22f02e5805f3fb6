"""The dashboard of leads: does marketing deliver the leads that the goal needs, does sales follow up soon and often?"""

from __future__ import annotations

from monitor.metrics import catalogue as m
from monitor.metrics.dashboards.dashboard import Row, dashboard
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
    heatmap,
    lines,
    newest,
    stat,
    steps,
)
from monitor.metrics.dashboards.promql import Regex, named, spread, total
from monitor.metrics.dashboards.scopes import LEADS, measure_of, variables, window_of
from monitor.metrics.dashboards.tickets import at_risk_now, silence, verdicts
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
            Row(4, [(5, _pace()), (5, _needed_now()), (5, _late()), (5, _close_rate()), (4, silence("lead"))]),
            Row(9, [(12, _towards_the_goal()), (12, at_risk_now(LEADS, m.CLOCKS_OPEN))]),
            Row(8, [(8, _speed()), (8, _depth()), (8, _close_rates())]),
            Row(8, [(6, _funnel()), (6, _kept()), (6, _pending()), (6, verdicts(LEADS))]),
        ],
    )  # fmt: skip


def _monthly(metric: Metric, **matchers: str | Regex) -> str:
    return LEADS.whole().of(metric, window=_MONTH, **matchers)


def _pace() -> Json:
    text = (
        "Delivered leads against those needed to date, in this month: the goal is spread over the working days, and a "
        "day counts once it is over. The lowest of all goals; none on a month's first working day."
    )
    thresholds = steps(RED, (0.9, ORANGE), (1, GREEN))
    return stat("Pace of the month", text, Query(f"min({_monthly(m.LEAD_PACE)})"), RATIO, thresholds, decimals=0)


def _needed_now() -> Json:
    text = (
        "Leads that the month's sales goal needs by what has happened in it: its close rate, average deal and share of "
        "marketing, not the agreed ones. None before marketing's first customer."
    )
    return stat("Needed, recomputed", text, Query(f"max({_monthly(m.LEADS_NEEDED, counting='now')})"), decimals=0)


def _late() -> Json:
    text = "Leads that were handed over and wait for the first attempt beyond the promised time."
    return stat("Waiting too long", text, Query(total(LEADS.of(m.LEADS_LATE))), COUNT, ANY_IS_BAD)


def _close_rate() -> Json:
    text = "Marketing's leads that became customers in this month, of those delivered in it."
    return stat("Close rate", text, Query(f"max({_monthly(m.LEAD_CLOSE_RATE)})"), RATIO, decimals=1)


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
        f"Business time from the hand-over to the first human attempt: ${LEADS.measure}, in its shortest window. Each "
        "column is the whole window at that instant."
    )
    selector = LEADS.whole().of_chosen(m.LEAD_SPEED_SPREAD)
    return heatmap("Speed of follow-up", text, Query(spread(selector)), "leads")


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
    query = f"sort_desc(sum by (stage) (max by (stage, {', '.join(SERIES)}) ({LEADS.of_chosen(m.LEAD_FUNNEL)})))"
    return newest(bars("Funnel", text, Query(query, "{{stage}}"), COUNT, linked=False))


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
    return lines("Not judged yet", text, [Query(query, "{{promise}}")], COUNT)


def _kept() -> Json:
    text = "The time within which 9 of 10 leads were followed up, in the chosen window (business time)."
    each = LEADS.of(m.LEAD_SPEED_PERCENTILE, percentile="90")
    return lines(
        "9 of 10 followed up within",
        text,
        [Query(f"max by ({_EACH}) ({named(each)})", "{{measure}} · {{series}}")],
        SECONDS,
    )
