"""Calls: does anybody wait too long now, and is the service level kept?"""

from __future__ import annotations

from monitor.metrics import catalogue as m
from monitor.metrics.dashboards.dashboard import Heading, Row, dashboard
from monitor.metrics.dashboards.panels import (
    BLUE,
    BROKEN,
    COUNT,
    GREEN,
    KEPT,
    LOOKS_OF_VERDICT,
    RATIO,
    RISK,
    SECONDS,
    UNJUDGED,
    Json,
    Query,
    bars,
    lines,
    newest,
    stat,
    to_list,
    told,
)
from monitor.metrics.dashboards.promql import Regex, Scope, any_of, named, spread, told_apart, worded
from monitor.metrics.dashboards.scopes import CALLS, due_first, measure_of, silence, variables, window_of
from monitor.metrics.dashboards.states import heatmap
from monitor.metrics.dashboards.tables import Column, table
from monitor.metrics.dashboards.tickets import against_target, verdicts
from monitor.metrics.declaring import SERIES

_EACH = "agreement, measure, series"
_WORST_BY = ("agreement", "objective", "series", "window")
_SERVICE_LEVELS = Regex("SL[1-6]")
_QUEUES = "Queues"


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
            Row(
                5,
                [
                    (4, _waiting()),
                    (4, _longest()),
                    (7, _kept()),
                    (3, _answer()),
                    (3, _abandoned()),
                    (3, silence("call")),
                ],
            ),
            Heading("Queues and agents", "Who waits, and who answers."),
            Row(8, [(24, _queues())]),
            Row(
                6,
                [
                    (6, _queue()),
                    (6, _handling()),
                    (4, _occupancy()),
                    (4, _callbacks()),
                    (4, due_first(CALLS, to_list("Callbacks to make"), "Next callback due")),
                ],
            ),
            Heading("Against the agreements", "What was promised beside what is."),
            Row(8, [(12, _service_level()), (12, verdicts(CALLS))]),
            Row(7, [(10, _giving_up()), (8, _first_call()), (6, _satisfaction())]),
            Heading("How long callers waited", "Waits of answered calls, and what each formula makes of them."),
            Row(8, [(9, _waits()), (9, _speed()), (6, _formulas())]),
        ],
    )


def _waiting() -> Json:
    text = "Calls that wait now. Where a call counts in several measures, those of the largest one count."
    each = f"max by ({', '.join(SERIES)}) ({CALLS.of(m.CALLS_WAITING)})"
    query = f"sum(max by (agreement) (sum by (agreement, measure) ({each})))"
    return stat("Waiting now", text, Query(query), COUNT, to=to_list(_QUEUES))


def _longest() -> Json:
    text = (
        "How long the call has been waiting that waits the longest; 0 while nobody waits. Red: longer than its measure "
        "answers calls in time."
    )
    longest = f"max({CALLS.of(m.CALLS_LONGEST)} or 0 * {CALLS.of(m.CALLS_WAITING)})"
    limits = f"max by (agreement, measure) ({CALLS.of(m.CALL_LIMIT)})"
    late = f"count({CALLS.of(m.CALLS_LONGEST)} > on (agreement, measure) group_left () {limits})"
    cases = {"too long": f"{longest} and on () {late}", "in time": f"{longest} unless on () {late}"}
    looks = {"too long": BROKEN, "in time": KEPT}
    query = Query(any_of(cases, "wait"), "{{wait}}")
    return told("Oldest wait", text, query, SECONDS, looks, decimals=0, to=to_list(_QUEUES))


def _judged(metric_value: str, indicator: str | Regex) -> str:
    """Return a value in the colour of the most urgent verdict on an indicator in the chosen window."""
    code = f"max({CALLS.of(m.OBJECTIVE_CODE, indicator=indicator)})"
    return told_apart(metric_value, code)


def _worst(scope: Scope, indicator: str | Regex) -> tuple[str, str, str]:
    """Return value, target and verdict of the objective that misses its target most, or is nearest to it."""
    worst = f"topk(1, {scope.off_target(', '.join(_WORST_BY), indicator=indicator)})"
    of = (m.OBJECTIVE_VALUE, m.OBJECTIVE_TARGET, m.OBJECTIVE_CODE)
    each = (scope.each(one, ", ".join(_WORST_BY), indicator=indicator) for one in of)
    value, target, code = (f"max({one} and on ({', '.join(_WORST_BY)}) {worst})" for one in each)
    return value, target, code


def _kept() -> Json:
    text = (
        "The service level that is nearest to its goal, or misses it most, in the chosen window, in the colour of its "
        "verdict, beside that goal."
    )
    value, target, code = _worst(CALLS, _SERVICE_LEVELS)
    goal = any_of({"goal": target}, "verdict")
    looks = {**LOOKS_OF_VERDICT, "goal": BLUE}
    return told(
        "Service level, and its goal",
        text,
        Query(f"{told_apart(value, code)} or {goal}", "{{verdict}}"),
        RATIO,
        looks,
        decimals=1,
        names=True,
        to=to_list("Service level, against the target"),
    )


def _answer() -> Json:
    text = (
        "Average speed of answer in the chosen window: the mean wait of the answered calls, of the slowest measure. In "
        "the colour of the verdict on it, where it is promised."
    )
    query = _judged(f"max({CALLS.of(m.CALL_ANSWER)})", "asa")
    return told("Answer speed", text, Query(query, "{{verdict}}"), SECONDS, decimals=0, to=to_list(_QUEUES))


def _abandoned() -> Json:
    text = (
        "Abandoned / offered calls of the objective that misses its target most, or is nearest to it, in any of its "
        "windows and in the colour of its verdict. Where none is promised: of the worst measure in the chosen window."
    )
    value, _, code = _worst(CALLS.whole(), Regex("abandonment|abandonment_net"))
    worst = f"max({CALLS.of(m.CALL_ABANDONMENT, counting='net')})"
    query = told_apart(f"({value} or {worst})", code)
    to = to_list("Abandoned, against the target")
    return told("Abandoned", text, Query(query, "{{verdict}}"), RATIO, decimals=1, to=to)


def _queues() -> Json:
    text = (
        "Each measure and queue: the verdict on its service level in the chosen window, its goal, who waits and for "
        "how long, and what became of the others."
    )
    by = _EACH
    level: dict[str, str | Regex] = {"indicator": _SERVICE_LEVELS}
    return table(
        _QUEUES,
        text,
        [
            Query(CALLS.each(m.CALLS_WAITING, by), ref="W"),
            Query(_if_any(CALLS.each(m.CALLS_LONGEST, by)), ref="L"),
            Query(CALLS.each(m.OBJECTIVE_CODE, by, **level), ref="V"),
            Query(_if_any(CALLS.each(m.OBJECTIVE_VALUE, by, **level)), ref="S"),
            Query(CALLS.each(m.OBJECTIVE_TARGET, by, **level), ref="T"),
            Query(_if_any(CALLS.each(m.CALL_ANSWER, by)), ref="A"),
            Query(_if_any(CALLS.each(m.CALL_ABANDONMENT, by, counting="net")), ref="G"),
            Query(_if_any(CALLS.each(m.CALL_OCCUPANCY, by)), ref="O"),
        ],
        [
            Column("Verdict", value="V", verdict=True, width=100),
            Column("Of", label="series"),
            Column("Measure", label="measure"),
            Column("Waiting", value="W", unit=COUNT, width=100),
            Column("Oldest wait", value="L", unit=SECONDS, width=110, decimals=0),
            Column("Service level", value="S", unit=RATIO, width=120, decimals=1),
            Column("Goal", value="T", unit=RATIO, width=80, decimals=1),
            Column("Speed of answer", value="A", unit=SECONDS, width=140, decimals=0),
            Column("Abandoned", value="G", unit=RATIO, width=100, decimals=1),
            Column("Occupancy", value="O", unit=RATIO, width=100, decimals=0),
            Column("Agreement", label="agreement", hidden=True),
        ],
        sort=["Verdict", "Waiting"],
    )


def _if_any(expression: str) -> str:
    """Return an expression, and NaN for the queues that have no such value: its column stays where it is."""
    return f"{expression} or NaN * {CALLS.each(m.CALLS_WAITING, _EACH)}"


def _service_level() -> Json:
    text = "Share of the calls that were answered in time, by the formula that binds and in the chosen window."
    return against_target(CALLS, "Service level, against the target", text, _SERVICE_LEVELS, RATIO, decimals=1)


def _waits() -> Json:
    text = (
        f"How long answered calls had waited: ${CALLS.measure}, in its shortest window. Each column is the whole "
        "window at that instant."
    )
    query = spread(CALLS.whole().of_chosen(m.CALL_WAIT_SPREAD))
    return heatmap(f"Waits: ${CALLS.measure}", text, Query(query), "calls", none="No call was answered")


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
    query = Query(CALLS.each(m.CALLS_WAITING, _EACH), "{{measure}} · {{series}}")
    return lines("Waiting", text, [query], COUNT, decimals=0)


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
        decimals=1,
    )
    return newest(panel)


def _giving_up() -> Json:
    text = "Abandoned / offered calls as promised, in the windows of the objective."
    of = Regex("abandonment|abandonment_net")
    return against_target(CALLS.whole(), "Abandoned, against the target", text, of, RATIO, decimals=1)


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
    query = Query(worded(worded(by, "by"), "by"), "{{measure}} · {{series}} · {{by}}")
    return lines("First call resolution", text, [query], RATIO, decimals=0, most=1)


def _satisfaction() -> Json:
    text = "The mean of the scores that customers gave to calls in the chosen window, of the worst measure and series."
    none = "Nobody was asked"
    return stat("Satisfaction", text, Query(f"min({CALLS.of(m.CALL_SATISFACTION)})"), decimals=2, none=none)


def _occupancy() -> Json:
    text = (
        "Handle time / (handle time + available time) of the agents whose states are told, of the busiest measure. In "
        "the colour of the verdict on it, where it is promised."
    )
    query = _judged(f"max({CALLS.of(m.CALL_OCCUPANCY)})", "occupancy")
    return told(
        "Agents' occupancy", text, Query(query, "{{verdict}}"), RATIO, decimals=0, none="No agent's state is told"
    )


def _callbacks() -> Json:
    text = (
        "Customers who asked for a callback and have not been reached yet; orange: one of them later than promised. 0 "
        "where none was ever promised one."
    )
    number = f"(sum({CALLS.of(m.CLOCKS_OPEN)}) or 0 * sum({CALLS.of(m.CALLS_WAITING)}))"
    late = f"(sum({CALLS.of(m.CLOCKS_OVERDUE)}) > 0)"
    cases = {"late": f"{number} and on () {late}", "to make": f"{number} unless on () {late}"}
    looks = {"late": RISK, "to make": UNJUDGED}
    return told("Callbacks to make", text, Query(any_of(cases, "callbacks"), "{{callbacks}}"), COUNT, looks)
