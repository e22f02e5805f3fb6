"""Calls: does anybody wait too long now, and is the service level kept?"""

from __future__ import annotations

from monitor.metrics import catalogue as m
from monitor.metrics.dashboards.dashboard import Row, dashboard
from monitor.metrics.dashboards.panels import (
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
from monitor.metrics.dashboards.promql import Regex, Scope, named, spread
from monitor.metrics.dashboards.scopes import CALLS, measure_of, variables, window_of
from monitor.metrics.dashboards.tickets import silence, verdicts
from monitor.metrics.declaring import SERIES

_EACH = "agreement, measure, series"
_SERVICE_LEVELS = Regex("SL[1-6]")


def calls() -> Json:
    """Return the dashboard."""
    return dashboard(
        "sla-calls",
        "SLA · Calls",
        "Does anybody wait too long now, and is the service level kept?",
        [
            *variables(CALLS, m.CALLS_WAITING),
            window_of(CALLS, m.CALL_SERVICE_LEVEL, "30m"),
            measure_of(CALLS, m.CALL_WAIT_SPREAD, "Waits of", "The measure whose waits are shown below"),
        ],
        [
            Row(4, [(5, _waiting()), (5, _longest()), (5, _answer()), (4, _abandoned()), (5, silence("call"))]),
            Row(7, [(12, _service_level()), (12, verdicts(CALLS))]),
            Row(7, [(12, _waits()), (12, _speed())]),
            Row(6, [(8, _queue()), (8, _formulas()), (8, _giving_up())]),
            Row(6, [(6, _handling()), (6, _first_call()), (4, _satisfaction()), (4, _occupancy()), (4, _callbacks())]),
        ],
    )


def _waiting() -> Json:
    text = "Calls that wait now. Where a call counts in several measures, those of the largest one count."
    each = f"max by ({', '.join(SERIES)}) ({CALLS.of(m.CALLS_WAITING)})"
    query = f"sum(max by (agreement) (sum by (agreement, measure) ({each})))"
    return stat("Waiting now", text, Query(query), COUNT, steps(GREEN, (5, ORANGE), (15, RED)))


def _longest() -> Json:
    text = "How long the call has been waiting that waits the longest; 0 while nobody waits."
    query = f"max({CALLS.of(m.CALLS_LONGEST)} or 0 * {CALLS.of(m.CALLS_WAITING)})"
    return stat("Longest wait now", text, Query(query), SECONDS, steps(GREEN, (20, ORANGE), (60, RED)), decimals=0)


def _answer() -> Json:
    text = "Average speed of answer in the chosen window: the mean wait of the answered calls, of the slowest measure."
    query = f"max({CALLS.of(m.CALL_ANSWER)})"
    return stat("Speed of answer", text, Query(query), SECONDS, steps(GREEN, (20, ORANGE), (60, RED)), decimals=0)


def _abandoned() -> Json:
    text = "Abandoned / offered calls in the chosen window without the short ones, of the worst measure."
    query = f"max({CALLS.of(m.CALL_ABANDONMENT, counting='net')})"
    return stat("Abandoned", text, Query(query), RATIO, steps(GREEN, (0.04, ORANGE), (0.05, RED)), decimals=1)


def _service_level() -> Json:
    text = (
        "Share of the calls that were answered in time, by the formula that binds and in the chosen window. Dashed: "
        "the target, and where it is at risk."
    )
    return lines(
        "Service level, against the target",
        text,
        _promised(CALLS, "agreement, objective, series", _SERVICE_LEVELS, "{{objective}} · {{series}}"),
        RATIO,
        decimals=1,
    )


def _promised(scope: Scope, by: str, indicator: Regex, name: str) -> list[Query]:
    """Return the queries of objectives on a figure: its value, its target, and the bound from which it is at risk."""
    target = scope.each(m.OBJECTIVE_TARGET, "agreement, objective", indicator=indicator)
    warning = scope.each(m.OBJECTIVE_WARNING, "agreement, objective", indicator=indicator)
    return [
        Query(scope.each(m.OBJECTIVE_VALUE, by, indicator=indicator), name),
        Query(target, "target {{objective}}", "T", RED),
        Query(warning, "at risk {{objective}}", "W", ORANGE),
    ]


def _waits() -> Json:
    text = (
        f"How long answered calls had waited: ${CALLS.measure}, in its shortest window. Each column is the whole "
        "window at that instant."
    )
    query = spread(CALLS.whole().of_chosen(m.CALL_WAIT_SPREAD))
    return heatmap(f"Waits: ${CALLS.measure}", text, Query(query), "calls")


def _speed() -> Json:
    text = "The wait that 9 of 10 answered calls had at most, in the chosen window (within 0.8 %). Dashed: the mean."
    return lines(
        "Waits: 9 of 10 within, and the mean",
        text,
        [
            Query(CALLS.each(m.CALL_WAIT_PERCENTILE, _EACH, percentile="90"), "{{measure}} · {{series}}"),
            Query(CALLS.each(m.CALL_ANSWER, _EACH), "mean {{measure}} · {{series}}", "M", GREEN),
        ],
        SECONDS,
    )


def _queue() -> Json:
    text = "Calls that wait, over time."
    return lines("Waiting", text, [Query(CALLS.each(m.CALLS_WAITING, _EACH), "{{measure}} · {{series}}")], COUNT)


def _formulas() -> Json:
    text = (
        "The six service levels of the chosen measure and window, from one set of counts. The agreement says which one "
        "binds."
    )
    good = f"sum by (formula) ({CALLS.of_chosen(m.CALL_SERVICE_LEVEL_GOOD)})"
    counted = f"sum by (formula) ({CALLS.of_chosen(m.CALL_SERVICE_LEVEL_SAMPLES)})"
    panel = bars(
        f"Service level by formula: ${CALLS.measure}",
        text,
        Query(f"{good} / {counted}", "{{formula}}"),
        RATIO,
        most=1,
        linked=False,
    )
    return newest(panel)


def _giving_up() -> Json:
    text = (
        "Abandoned / offered calls as promised, in all windows of the objective. Dashed: the target, and the warning."
    )
    by, name = "agreement, objective, series, window", "{{objective}} · {{series}} · {{window}}"
    queries = _promised(CALLS.whole(), by, Regex("abandonment|abandonment_net"), name)
    return lines("Abandoned, against the target", text, queries, RATIO, decimals=1)


def _handling() -> Json:
    text = "Mean time of agents with a handled call, in the chosen window: talk, hold and wrap-up together (AHT)."
    query = Query(CALLS.each(m.CALL_HANDLE, _EACH, part="all"), "{{measure}} · {{series}}")
    return lines("Handle time", text, [query], SECONDS)


def _first_call() -> Json:
    text = (
        "Calls that were resolved the first time, in the chosen window: by the flag of their end, and by that nobody "
        "called again so far. The latter gets lower until the time for repeat calls is over; the statement tells when."
    )
    by = f"max by ({_EACH}, by) ({named(CALLS.of(m.CALL_FIRST, counting='gross', by=Regex('flag|repeat_so_far')))})"
    return lines("First call resolution", text, [Query(by, "{{measure}} · {{series}} · {{by}}")], RATIO, decimals=1)


def _satisfaction() -> Json:
    text = "The mean of the scores that customers gave to calls in the chosen window, of the worst measure and series."
    return stat("Satisfaction", text, Query(f"min({CALLS.of(m.CALL_SATISFACTION)})"), decimals=2)


def _occupancy() -> Json:
    text = "Handle time / (handle time + available time) of the agents whose states are told, of the busiest measure."
    query = f"max({CALLS.of(m.CALL_OCCUPANCY)})"
    return stat("Occupancy", text, Query(query), RATIO, steps(GREEN, (0.85, ORANGE), (0.95, RED)), decimals=0)


def _callbacks() -> Json:
    text = "Customers who asked for a callback and have not been reached yet. 0 where none was ever promised one."
    query = f"sum({CALLS.of(m.CLOCKS_OPEN)}) or 0 * sum({CALLS.of(m.CALLS_WAITING)})"
    return stat("Callbacks to make", text, Query(query), COUNT, steps(GREEN, (5, ORANGE), (15, RED)))
