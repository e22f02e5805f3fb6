"""The dashboard of outages: is anything down now, and are availability and repair times kept?"""

from __future__ import annotations

from monitor.metrics import catalogue as m
from monitor.metrics.dashboards.dashboard import Heading, Row, dashboard
from monitor.metrics.dashboards.panels import (
    ANY_IS_BAD,
    ANY_IS_WARNING,
    COUNT,
    GREEN,
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
from monitor.metrics.dashboards.promql import named, told_apart, total
from monitor.metrics.dashboards.scopes import (
    OUTAGES,
    due_first,
    due_next,
    measure_of,
    silence,
    variables,
    window_of,
)
from monitor.metrics.dashboards.states import history, states
from monitor.metrics.dashboards.tickets import against_target, at_risk_now, spread_of_times, verdicts

_EACH = "agreement, measure, series"
_UP_DOWN = states(up=(0, "up", GREEN), down=(1, "down", RED))


def outages() -> Json:
    """Return the dashboard."""
    return dashboard(
        "sla-outages",
        "SLA · Outages",
        "What is down now, and are availability and repair times kept?",
        [
            *variables(OUTAGES, m.OUTAGES_OPEN),
            window_of(OUTAGES, m.OUTAGE_AVAILABILITY, "24h"),
            measure_of(OUTAGES, m.CLOCK_ELAPSED_SPREAD, "Repairs", "The repair clock whose times are shown below"),
        ],
        [
            Row(
                4,
                [
                    (4, _open()),
                    (4, _oldest()),
                    (4, due_first(OUTAGES, to_list("Due next"))),
                    (4, _lowest()),
                    (4, _coverage()),
                    (4, silence("outage")),
                ],
            ),
            Heading("Now", "What is down, and when the next repair is due."),
            Row(8, [(10, _down()), (14, due_next(OUTAGES))]),
            Heading("Against the agreements", "What was promised beside what is."),
            Row(8, [(12, _availability()), (12, verdicts(OUTAGES))]),
            Row(7, [(14, at_risk_now(OUTAGES, m.CLOCKS_OPEN)), (10, _without_service())]),
            Heading("How often, how long", "Failures, repairs and what they meant to customers."),
            Row(
                4,
                [
                    (3, _failures()),
                    (4, _between()),
                    (4, _saidi()),
                    (4, _saifi()),
                    (3, _caidi()),
                    (3, _customers_served()),
                    (3, _customers_unknown()),
                ],
            ),
            Row(8, [(6, _by_measure()), (6, _repair()), (6, spread_of_times(OUTAGES)), (6, _downtime())]),
        ],
    )


def _open() -> Json:
    return stat(
        "Open outages",
        "Outages that are not restored.",
        Query(total(OUTAGES.of(m.OUTAGES_OPEN))),
        thresholds=ANY_IS_BAD,
        to=to_list("Up and down"),
    )


def _oldest() -> Json:
    text = "How long the oldest open outage has lasted; 0 while none is open. An open outage is in no mean yet."
    query = f"max({OUTAGES.of(m.OUTAGES_OLDEST)} or 0 * {OUTAGES.of(m.OUTAGES_OPEN)})"
    return stat(
        "Oldest open outage",
        text,
        Query(query),
        SECONDS,
        ANY_IS_BAD,
        decimals=0,
        words={0: "none"},
        to=to_list("Up and down"),
    )


def _lowest() -> Json:
    text = "Availability of the service that has the lowest, in the chosen window and by the agreement's formula."
    text += " In the colour of the most urgent verdict on one."
    code = f"max({OUTAGES.of(m.OBJECTIVE_CODE, indicator='availability')})"
    query = Query(told_apart(f"min({OUTAGES.of(m.OUTAGE_AVAILABILITY)})", code), "{{verdict}}")
    return told("Lowest availability", text, query, RATIO, decimals=2, to=to_list("Availability, against the target"))


def _failures() -> Json:
    text = "Outages that started in the chosen window, over all services."
    return stat("Failures", text, Query(total(OUTAGES.of(m.OUTAGE_FAILURES))), COUNT)


def _between() -> Json:
    text = (
        "MTBF of the service that fails most often, in the chosen window: time up / failures. Absent without a failure."
    )
    return stat(
        "Between failures", text, Query(f"min({OUTAGES.of(m.OUTAGE_MTBF)})"), SECONDS, decimals=1, none="None failed"
    )


def _down() -> Json:
    text = "Whether a service had an open outage, at 60 instants of the time range."
    query = f"sgn({OUTAGES.each(m.OUTAGES_OPEN, _EACH)})"
    return history("Up and down", text, Query(query, "{{series}}"), _UP_DOWN)


def _availability() -> Json:
    text = "Availability in the chosen window."
    return against_target(OUTAGES, "Availability, against the target", text, "availability", RATIO, decimals=2)


def _repair() -> Json:
    text = (
        "The four MTTRs in the chosen window: mean time from the start of an outage to its acknowledgement, response, "
        "restoration and resolution, over the outages that got there; of the slowest service."
    )
    query = f"max by (stage) ({OUTAGES.of(m.OUTAGE_MTTR)})"
    return newest(bars("Mean time to repair", text, Query(f"sort({query})", "{{stage}}"), SECONDS, linked=False))


def _downtime() -> Json:
    text = "Downtime in the chosen window: the weighted union of the outages, before anything is excluded."
    return lines("Downtime", text, [Query(OUTAGES.each(m.OUTAGE_DOWNTIME, _EACH), "{{series}}")], SECONDS)


def _saidi() -> Json:
    text = "SAIDI in the chosen window: how long an average customer was without service; of the worst service."
    query = f"max({OUTAGES.of(m.OUTAGE_SAIDI, basis='all')})"
    return stat("Time lost (SAIDI)", text, Query(query), SECONDS, decimals=1, to=to_list("Customer time lost"))


def _saifi() -> Json:
    text = "SAIFI in the chosen window: how often an average customer was interrupted; of the worst service."
    query = f"max({OUTAGES.of(m.OUTAGE_SAIFI, basis='all')})"
    return stat("Interruptions (SAIFI)", text, Query(query), COUNT, decimals=2)


def _caidi() -> Json:
    text = "CAIDI in the chosen window: how long a customer's interruption lasted on the average; of the worst service."
    query = f"max({OUTAGES.of(m.OUTAGE_CAIDI, basis='all')})"
    return stat("Each (CAIDI)", text, Query(query), SECONDS, decimals=1)


def _coverage() -> Json:
    text = (
        "The share of the promised time in which the monitor saw anything, in the chosen window, of the service that "
        "it saw least of. Blind time is neither up nor down."
    )
    text += " In the colour of the verdict on it, where it is promised."
    code = f"max({OUTAGES.whole().of(m.OBJECTIVE_CODE, indicator='coverage')})"
    query = Query(told_apart(f"min({OUTAGES.of(m.OUTAGE_COVERAGE)})", code), "{{verdict}}")
    return told("Coverage", text, query, RATIO, decimals=2)


def _without_service() -> Json:
    text = "SAIDI in the chosen window, of all days and (ordinary) without major event days."
    query = f"max by ({_EACH}, basis) ({named(OUTAGES.of(m.OUTAGE_SAIDI))})"
    return lines("Customer time lost", text, [Query(query, "{{series}} · {{basis}}")], SECONDS)


def _customers_served() -> Json:
    text = "ASAI in the chosen window: the share of the customers' time with service; of the worst service."
    return stat("Served (ASAI)", text, Query(f"min({OUTAGES.of(m.OUTAGE_ASAI)})"), RATIO, decimals=3)


def _customers_unknown() -> Json:
    text = (
        "Interruptions in the chosen window whose customers no event names. SAIDI, SAIFI, CAIDI and ASAI leave them "
        "out, and no promise is kept by a figure that leaves something out."
    )
    return stat("Not counted", text, Query(total(OUTAGES.of(m.OUTAGES_UNKNOWN))), thresholds=ANY_IS_WARNING)


def _by_measure() -> Json:
    text = "The lowest availability of each measure in the chosen window; a composite service is a measure of its own."
    query = f"min by (agreement, measure) ({OUTAGES.of(m.OUTAGE_AVAILABILITY)})"
    return newest(bars("Availability by measure", text, Query(query, "{{measure}}"), RATIO, linked=False))
