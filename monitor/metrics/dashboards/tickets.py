"""The dashboard of tickets: is any clock past due or about to be, and are the promised times kept?"""

from __future__ import annotations

from monitor.metrics import catalogue as m
from monitor.metrics.dashboards.dashboard import Row, dashboard
from monitor.metrics.dashboards.panels import (
    ANY_IS_BAD,
    ANY_IS_WARNING,
    COUNT,
    ORANGE,
    QUIET,
    RATIO,
    RED,
    SECONDS,
    Json,
    Query,
    heatmap,
    lines,
    stat,
    timeline,
)
from monitor.metrics.dashboards.promql import Scope, age_of, named, spread, total
from monitor.metrics.dashboards.scopes import TICKETS, last_event, measure_of, variables, window_of
from monitor.metrics.dashboards.tables import AGREEMENT_CELL, Column, table
from monitor.metrics.declaring import SERIES, Metric

_EACH = "agreement, measure, series"


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
                (5, _number("Past due", "Open clocks that are past due: each counts as breached.", m.CLOCKS_OVERDUE)),
                (5, _number("At risk", "Open clocks that passed a warning and are not past due.", m.CLOCKS_AT_RISK)),
                (5, _number("Open", "Clocks that have not stopped: a ticket has one for each promise.", m.CLOCKS_OPEN)),
                (4, _number("Paused", "Open clocks that stand still, for instance for the customer.", m.CLOCKS_PAUSED)),
                (5, silence("ticket")),
            ]),
            Row(10, [(12, at_risk_now(TICKETS, m.CLOCKS_OPEN)), (12, verdicts(TICKETS))]),
            Row(8, [(12, _compliance()), (12, spread_of_times(TICKETS))]),
            Row(7, [(8, _open()), (8, _times()), (8, _counted())]),
        ],
    )  # fmt: skip


def _number(title: str, text: str, metric: Metric) -> Json:
    urgent = {m.CLOCKS_OVERDUE.name: ANY_IS_BAD, m.CLOCKS_AT_RISK.name: ANY_IS_WARNING}.get(metric.name)
    query = Query(total(TICKETS.of(metric)))
    return stat(title, text, query, COUNT, urgent) if urgent else stat(title, text, query)


def silence(kind: str) -> Json:
    """Return how long ago the newest event of a kind of subject happened."""
    text = f"Event time of the newest event of a {kind}, measured by the monitor's clock. Figures are as old as that."
    return stat("Since the last event", text, Query(age_of(last_event(kind))), SECONDS, QUIET, decimals=0)


def at_risk_now(scope: Scope, open_clocks: Metric) -> Json:
    """Return the table of clocks that are open, with those past due and at risk first."""
    text = "Open clocks by promise and series: how many are past due, about to be, paused. The most urgent first."

    def each(metric: Metric) -> str:
        return f"max by ({_EACH}) ({named(scope.of(metric))})"

    return table(
        "Past due and at risk now",
        text,
        [
            Query(each(m.CLOCKS_OVERDUE), ref="D"),
            Query(each(m.CLOCKS_AT_RISK), ref="R"),
            Query(each(open_clocks), ref="O"),
            Query(each(m.CLOCKS_PAUSED), ref="P"),
        ],
        [
            Column("Promise", label="measure"),
            Column("Of", label="series"),
            Column("Past due", value="D", unit=COUNT, width=90, danger=RED),
            Column("At risk", value="R", unit=COUNT, width=90, danger=ORANGE),
            Column("Open", value="O", unit=COUNT, width=75),
            Column("Paused", value="P", unit=COUNT, width=75),
            Column("Agreement", label="agreement", links=[AGREEMENT_CELL]),
        ],
        sort=["Past due", "At risk", "Open"],
    )


def verdicts(scope: Scope) -> Json:
    """Return the verdicts of a scope over time."""
    text = "The verdict on each objective over time, in all windows: the most urgent."
    query = scope.whole().verdicts("agreement, objective, series")
    return timeline("Verdicts", text, Query(query, "{{objective}} · {{series}}"))


def _compliance() -> Json:
    text = (
        "Share of the clocks that met their budget, in the chosen window: met / (met + breached + past due). Dashed: "
        "the target, and where it is at risk."
    )
    of = {"indicator": "compliance"}
    return lines(
        "Kept in time, against the target",
        text,
        [
            Query(
                TICKETS.each(m.OBJECTIVE_VALUE, "agreement, objective, series", **of),
                "{{objective}} · {{series}}",
            ),
            Query(TICKETS.each(m.OBJECTIVE_TARGET, "agreement, objective", **of), "target {{objective}}", "T", RED),
            Query(
                TICKETS.each(m.OBJECTIVE_WARNING, "agreement, objective", **of),
                "at risk {{objective}}",
                "W",
                ORANGE,
            ),
        ],
        RATIO,
        decimals=1,
        least=None,
    )


def spread_of_times(scope: Scope) -> Json:
    """Return the heatmap of the times of one clock."""
    text = (
        f"How long the clocks ran that stopped, in business time: {_chosen(scope)}, in its shortest window. Each "
        "column is the whole window at that instant."
    )
    return heatmap(
        f"Times: {_chosen(scope)}",
        text,
        Query(spread(scope.whole().of_chosen(m.CLOCK_ELAPSED_SPREAD))),
        "clocks",
    )


def _chosen(scope: Scope) -> str:
    return f"${scope.measure}"


def _open() -> Json:
    text = "Clocks over time: open, at risk, past due. A promise that nobody works on shows here before it breaks."
    return lines(
        "Open, at risk and past due",
        text,
        [
            Query(total(TICKETS.of(m.CLOCKS_OPEN)), "open"),
            Query(total(TICKETS.of(m.CLOCKS_AT_RISK)), "at risk", "R"),
            Query(total(TICKETS.of(m.CLOCKS_OVERDUE)), "past due", "D"),
        ],
        COUNT,
        linked=False,
    )


def _times() -> Json:
    text = "The time that 9 of 10 clocks needed at most, in the chosen window (business time; error at most 0.8 %)."
    each = TICKETS.of_chosen(m.CLOCK_ELAPSED_PERCENTILE, percentile="90")
    return lines(
        f"9 of 10 within: {_chosen(TICKETS)}",
        text,
        [Query(f"max by ({_EACH}) ({named(each)})", "{{series}}")],
        SECONDS,
    )


def _counted() -> Json:
    text = (
        "Tickets opened, reopened or handed over to another team in the chosen window, where an agreement counts them."
    )
    counted = f"sum by (what) (max by (what, {', '.join(SERIES)}) ({TICKETS.of(m.TICKETS_COUNTED)}))"
    none = f'label_replace(0 * sum({TICKETS.of(m.CLOCKS_OPEN)}), "what", "not counted", "", "")'
    return lines("Opened, reopened, handed over", text, [Query(f"{counted} or {none}", "{{what}}")], COUNT)
