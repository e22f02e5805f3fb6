"""The dashboard of tickets: is any clock past due or about to be, and are the promised times kept?"""

from __future__ import annotations

from typing import Final

from monitor.metrics import catalogue as m
from monitor.metrics.dashboards.dashboard import Heading, Row, dashboard
from monitor.metrics.dashboards.panels import (
    ANY_IS_BAD,
    ANY_IS_WARNING,
    BLUE,
    BROKEN,
    COUNT,
    RATIO,
    RISK,
    SECONDS,
    Json,
    Query,
    lines,
    stat,
    to_list,
)
from monitor.metrics.dashboards.promql import (
    BEFORE,
    Regex,
    Scope,
    as_before,
    grown,
    named,
    said_in_a_row,
    spread,
    total,
    worded,
)
from monitor.metrics.dashboards.scopes import (
    TICKETS,
    due_first,
    due_next,
    due_soon,
    measure_of,
    silence,
    variables,
    window_of,
)
from monitor.metrics.dashboards.states import MOST_ROWS, heatmap, timeline
from monitor.metrics.dashboards.tables import AGREEMENT_CELL, Column, table
from monitor.metrics.declaring import SERIES, Metric

_EACH = "agreement, measure, series"
OBJECTIVES: Final = "agreement, objective, series"
_LIST: Final = "Past due and at risk now"
MOST_LINES: Final = 5
"""The lines of a panel that can be told apart."""


def tickets() -> Json:
    """Return the dashboard."""
    return dashboard(
        "sla-tickets",
        "SLA · Tickets",
        "What is past due or about to be, and are the promised times kept?",
        [
            *variables(TICKETS, m.CLOCKS_OPEN),
            window_of(TICKETS, m.CLOCK_COMPLIANCE, "24h"),
            measure_of(TICKETS, m.CLOCK_ELAPSED_SPREAD, "Times of", "The clock whose times are shown below"),
        ],
        [
            Row(4, [
                (4, _number("Past due", "Open clocks that are past due: each counts as breached.", m.CLOCKS_OVERDUE)),
                (4, due_first(TICKETS, to_list("Due next"))),
                (4, due_soon(TICKETS, to_list("Due next"))),
                (3, _number("At risk", "Open clocks that passed a warning and are not past due.", m.CLOCKS_AT_RISK)),
                (3, _number("Open", "Clocks that have not stopped: a ticket has one for each promise.", m.CLOCKS_OPEN)),
                (3, _number("Paused", "Open clocks that stand still, for instance for the customer.", m.CLOCKS_PAUSED)),
                (3, silence("ticket")),
            ]),
            Heading("Now", "What is due, past due and about to be."),
            Row(9, [(12, due_next(TICKETS)), (12, at_risk_now(TICKETS, m.CLOCKS_OPEN))]),
            Heading("Kept in time", "What was promised beside what is."),
            Row(9, [(12, _compliance()), (12, verdicts(TICKETS))]),
            Heading("What happened", "Times that were needed, and how many came."),
            Row(8, [(12, spread_of_times(TICKETS)), (12, _times())]),
            Row(7, [(14, _open()), (10, _counted())]),
        ],
    )  # fmt: skip


def _number(title: str, text: str, metric: Metric) -> Json:
    urgent = {m.CLOCKS_OVERDUE.name: ANY_IS_BAD, m.CLOCKS_AT_RISK.name: ANY_IS_WARNING}.get(metric.name)
    query, to = Query(total(TICKETS.of(metric))), to_list(_LIST)
    return stat(title, text, query, COUNT, urgent, to=to) if urgent else stat(title, text, query, to=to)


def at_risk_now(scope: Scope, open_clocks: Metric) -> Json:
    """Return the table of clocks that are open, with those past due and at risk first."""
    text = "Open clocks by promise and series: how many are past due, about to be, paused. The most urgent first."
    some = f"{scope.each(open_clocks, _EACH)} > 0"

    def each(metric: Metric) -> str:
        return f"{scope.each(metric, _EACH)} and on ({_EACH}) ({some}) or on () {said_in_a_row('no clock is open', 0)}"

    return table(
        _LIST,
        text,
        [
            Query(each(m.CLOCKS_OVERDUE), ref="D"),
            Query(each(m.CLOCKS_AT_RISK), ref="R"),
            Query(each(open_clocks), ref="O"),
            Query(each(m.CLOCKS_PAUSED), ref="P"),
        ],
        [
            Column("Past due", value="D", unit=COUNT, width=105, danger=BROKEN),
            Column("At risk", value="R", unit=COUNT, width=95, danger=RISK),
            Column("Promise", label="measure"),
            Column("Of", label="series"),
            Column("Open", value="O", unit=COUNT, width=75),
            Column("Paused", value="P", unit=COUNT, width=75),
            Column("Agreement", label="agreement", links=[AGREEMENT_CELL], hidden=True),
        ],
        sort=["Past due", "At risk", "Open"],
    )


def verdicts(scope: Scope) -> Json:
    """Return the verdicts of a scope over time."""
    text = (
        f"The verdicts over time on what is breached or at risk now, the {MOST_ROWS} that miss their targets most, in "
        "the chosen window; an objective without that window in its own."
    )
    query = Query(scope.urgent(OBJECTIVES, MOST_ROWS), "{{objective}} · {{series}}")
    return timeline("Broken and at risk now", text, query, none="Nothing is broken or at risk")


def against_target(
    scope: Scope, title: str, text: str, indicator: str | Regex, unit: str, *, decimals: int | None = None
) -> Json:
    """Return the objectives on a figure that miss their targets most, with their targets, and a period before.

    ``text`` says what the figure is.
    """
    of: dict[str, str | Regex] = {"indicator": indicator}
    shown = f"on ({OBJECTIVES}) ({scope.worst(OBJECTIVES, MOST_LINES, **of)})"
    now = scope.each(m.OBJECTIVE_VALUE, OBJECTIVES, **of)
    # One line for equal targets, however many objectives have them.
    promised = [
        f"max by (agreement, objective) ({scope.each(one, OBJECTIVES, **of)} and {shown})"
        for one in (m.OBJECTIVE_TARGET, m.OBJECTIVE_WARNING)
    ]
    stated = scope.each(m.OBJECTIVE_STATED, OBJECTIVES, **of)
    before = as_before(f"({stated} or {scope.a_period_before(m.OBJECTIVE_VALUE, OBJECTIVES, **of)}) and {shown}")
    text = (
        f"{text} The {MOST_LINES} that miss their targets most or are nearest to them. Dashed: the target, where it is "
        "at risk, and (grey) what the last closed period was stated with; of a window without periods, and of one that "
        "is not stated yet, the figure a day, week, month … before."
    )
    queries = [
        Query(f"({now} and {shown}) or {before}", "{{objective}} · {{series}}"),
        Query(promised[0], "target {{objective}}", "T", BROKEN),
        Query(promised[1], "at risk {{objective}}", "W", RISK),
    ]
    return lines(title, text, queries, unit, decimals=decimals, least=None, faint=BEFORE)


def _compliance() -> Json:
    text = "Share of the clocks that met their budget, in the chosen window: met / (met + breached + past due)."
    return against_target(TICKETS, "Kept in time, against the target", text, "compliance", RATIO, decimals=1)


def spread_of_times(scope: Scope) -> Json:
    """Return the heatmap of the times of one clock."""
    text = (
        f"How long the clocks ran that stopped in the time of a column, in business time: {_chosen(scope)}. By its "
        "shortest window, without those that left the window in the same time."
    )
    selector = scope.whole().of_chosen(m.CLOCK_ELAPSED_SPREAD)
    none = "No clock of this promise has stopped"
    return (
        heatmap(f"Times: {_chosen(scope)}", text, Query(spread(grown(selector))), "clocks", none=none)
        | EACH_TWO_MINUTES
    )


EACH_TWO_MINUTES: Final = {"interval": "2m"}
"""For what came up since the column before."""


def _chosen(scope: Scope) -> str:
    return f"${scope.measure}"


def _open() -> Json:
    text = (
        "Clocks over time: at risk, past due, and on the axis at the right all that are open. A promise that nobody "
        "works on shows here before it breaks."
    )
    return lines(
        "At risk, past due and open",
        text,
        [
            Query(total(TICKETS.of(m.CLOCKS_OPEN)), "open"),
            Query(total(TICKETS.of(m.CLOCKS_AT_RISK)), "at risk", "R"),
            Query(total(TICKETS.of(m.CLOCKS_OVERDUE)), "past due", "D"),
        ],
        COUNT,
        linked=False,
        looks={"open": BLUE, "at risk": RISK, "past due": BROKEN},
        aside=["open"],
        decimals=0,
    )


def _times() -> Json:
    text = (
        "The time that 9 of 10 clocks needed at most, in the chosen window (business time; error at most 0.8 %), of "
        f"the {MOST_LINES} slowest series."
    )
    of = TICKETS.of_chosen(m.CLOCK_ELAPSED_PERCENTILE, percentile="90")
    end = TICKETS.at_end().of_chosen(m.CLOCK_ELAPSED_PERCENTILE, percentile="90")
    slowest = f"topk({MOST_LINES}, max by ({_EACH}) ({named(end)}))"
    query = f"max by ({_EACH}) ({named(of)}) and on ({_EACH}) {slowest}"
    return lines(f"9 of 10 within: {_chosen(TICKETS)}", text, [Query(query, "{{series}}")], SECONDS)


def _counted() -> Json:
    text = (
        "Tickets opened, reopened or handed over to another team in the chosen window, where an agreement counts them."
    )
    counted = f"sum by (what) (max by (what, {', '.join(SERIES)}) ({TICKETS.of(m.TICKETS_COUNTED)}))"
    none = f'label_replace(0 * sum({TICKETS.of(m.CLOCKS_OPEN)}), "what", "not counted", "", "")'
    query = Query(f"{worded(counted, 'what')} or {none}", "{{what}}")
    return lines("Opened, reopened, handed over", text, [query], COUNT, decimals=0)
