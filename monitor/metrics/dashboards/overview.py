"""Overview: what is broken, what breaks next, how long is left?"""

from __future__ import annotations

from typing import Final

from monitor.metrics import catalogue as m
from monitor.metrics import own
from monitor.metrics.dashboards.dashboard import Heading, Row, dashboard
from monitor.metrics.dashboards.panels import (
    ANY_IS_BAD,
    ANY_IS_WARNING,
    COUNT,
    EACH_MINUTE,
    GREEN,
    LOOKS_OF_STATE,
    RATIO,
    RED,
    SECONDS,
    Json,
    Query,
    gauge,
    lines,
    link,
    stat,
    steps,
    to_board,
    to_list,
)
from monitor.metrics.dashboards.promql import Regex, indicators, select, total, worded
from monitor.metrics.dashboards.scopes import OVERVIEW, due_first, due_next, due_soon, silence, variables, window_of
from monitor.metrics.dashboards.states import MOST_ROWS, timeline
from monitor.metrics.dashboards.tables import AGREEMENT_CELL, Column, table

_EACH: Final = "agreement, kind, objective, series, window"
_DETAILS: Final = link(
    "Details of ${__data.fields.Agreement}",
    "/d/sla-${__data.fields.kind}s?var-agreement=${__data.fields.Agreement}&${__url_time_range}",
)
_WORST_SHARES: Final = "Shares, the worst first"


def overview() -> Json:
    """Return the dashboard."""
    return dashboard(
        "sla-overview",
        "SLA · Overview",
        "What is broken, what breaks next, how long is left?",
        [*variables(OVERVIEW, m.OBJECTIVE_TARGET), window_of(OVERVIEW, m.OBJECTIVE_CODE, "24h")],
        [
            Row(
                4,
                [
                    (4, _breached()),
                    (4, _at_risk()),
                    (4, due_first(OVERVIEW, to_list("Due next"))),
                    (3, due_soon(OVERVIEW, to_list("Due next"))),
                    (3, _overdue()),
                    (3, _outages()),
                    (3, _budget()),
                ],
            ),
            Heading("What breaks next", "What can still be saved, and whether the figures are fresh."),
            Row(8, [(15, due_next(OVERVIEW)), (5, _kept()), (4, silence())]),
            Heading("What is broken", "Which objectives miss their targets or are about to, the worst first."),
            Row(8, [(14, _timeline()), (10, _announced())]),
            Row(7, [(24, _urgent(_WORST_SHARES, "ratio", RATIO))]),
            Row(7, [(24, _urgent("Durations, the worst first", "ms", SECONDS))]),
            Heading("What is agreed", "The agreements that all of this is measured by."),
            Row(7, [(24, _agreements())]),
        ],
    )


def _breached() -> Json:
    text = (
        "Objectives whose figure misses its target now, in at least one of their series and windows. What was "
        "announced stays announced."
    )
    query = Query(OVERVIEW.objectives("breached"))
    return stat("Objectives breached", text, query, thresholds=ANY_IS_BAD, to=to_list(_WORST_SHARES))


def _at_risk() -> Json:
    text = (
        "Objectives that are breached nowhere, and passed in at least one of their series and windows the threshold "
        "at which the agreement wants a warning."
    )
    query = Query(OVERVIEW.objectives("at_risk"))
    return stat("Objectives at risk", text, query, thresholds=ANY_IS_WARNING, to=to_list(_WORST_SHARES))


def _overdue() -> Json:
    text = "Open clocks (of tickets, repairs, leads) that are past due. A ticket has a clock for each promise on it."
    query = Query(total(OVERVIEW.of(m.CLOCKS_OVERDUE)))
    return stat("Past due", text, query, thresholds=ANY_IS_BAD, to=to_board("sla-tickets", "Clocks past due"))


def _outages() -> Json:
    text = "Outages that are not restored yet."
    query = Query(total(OVERVIEW.of(m.OUTAGES_OPEN)))
    return stat("Open outages", text, query, thresholds=ANY_IS_BAD, to=to_board("sla-outages", "Outages"))


def _budget() -> Json:
    text = "What is left of the error budget of which the least is left, in its own period. Below 0 it is used up."
    every = OVERVIEW.whole()
    spent, burns = every.of(m.BUDGET_SPENT), every.of(m.BUDGET_BURN)
    # A budget burns in its own period only.
    own = f"{spent} and on (agreement, objective, window) {burns} or ({spent} unless on (agreement, objective) {burns})"
    to = to_board("sla-budgets", "Budgets")
    return stat(
        "Budget left", text, Query(f"1 - max(({own}) < inf)"), RATIO, steps(RED, (0.0001, GREEN)), decimals=0, to=to,
        below_0="used up", none="No budget is agreed",
    )  # fmt: skip


def _kept() -> Json:
    text = "Share of the judged objectives that keep their target everywhere. No data and few samples are no judgement."
    judged = f"(max by (agreement, objective) ({OVERVIEW.whole().of(m.OBJECTIVE_CODE)}) >= 2)"
    return gauge(
        "Objectives kept", text, Query(f"sum({judged} < bool 5) / count({judged})"), steps(RED, (0.9999, GREEN))
    )


def _urgent(title: str, unit: str, shown_in: str) -> Json:
    of: dict[str, str | Regex] = {"indicator": indicators(unit)}
    text = (
        "Every objective on such a figure in each of its series, in the chosen window, or its own ones where it has no "
        "such window: its verdict, what it is now, what the last closed period was stated with (of a window without "
        "periods, and of one that is not stated yet: what it was a day, week, month … ago), what was promised, by "
        "which share of the target it misses that (below 0: keeps it), and of how many measurements."
    )
    every = OVERVIEW.whole()
    verdicts = OVERVIEW.verdicts(_EACH, **of)
    stated = every.each(m.OBJECTIVE_STATED, _EACH, **of)
    figures = {
        "N": every.each(m.OBJECTIVE_VALUE, _EACH, **of),
        "B": f"({stated} or {every.a_period_before(m.OBJECTIVE_VALUE, _EACH, **of)} or NaN * ({verdicts}))",
        "T": every.each(m.OBJECTIVE_TARGET, _EACH, **of),
        "D": every.off_target(_EACH, **of),
        "S": every.each(m.OBJECTIVE_SAMPLES, _EACH, **of),
    }
    return table(
        title,
        text,
        [
            Query(verdicts, ref="V"),
            *(Query(f"{one} and on ({_EACH}) ({verdicts})", ref=ref) for ref, one in figures.items()),
        ],
        [
            Column("Verdict", value="V", verdict=True, width=100),
            Column("Objective", label="objective", links=[_DETAILS], width=230),
            Column("Of", label="series"),
            Column("Window", label="window", width=80),
            Column("Now", value="N", unit=shown_in, width=90, decimals=2),
            Column("Before", value="B", unit=shown_in, width=90, decimals=2),
            Column("Target", value="T", unit=shown_in, width=90, decimals=2),
            Column("Off target", value="D", unit=RATIO, width=120, decimals=1),
            Column("Samples", value="S", unit=COUNT, width=85),
            Column("Agreement", label="agreement", links=[AGREEMENT_CELL], width=180),
            Column("kind", label="kind", hidden=True),
        ],
        sort=["Verdict", "Off target"],
    )


def _timeline() -> Json:
    text = (
        f"The verdicts over time on what is breached or at risk now, the {MOST_ROWS} that miss their targets most, in "
        "the chosen window; an objective without that window in its own. All of them: the tables below."
    )
    query = OVERVIEW.urgent("agreement, objective, series", MOST_ROWS)
    return timeline(
        "Broken and at risk now", text, Query(query, "{{objective}} · {{series}}"), none="Nothing is broken"
    )


def _announced() -> Json:
    text = "What was announced of clocks and objectives: at risk, breached, resolved, voided, rearmed."
    rate = f"sum by (state) (increase({select(own.ALERTS, {})}[$__rate_interval]))"
    query = Query(worded(rate, "state"), "{{state}}")
    panel = lines("Announcements", text, [query], COUNT, stacked=True, linked=False, looks=LOOKS_OF_STATE, decimals=0)
    return panel | EACH_MINUTE


def _agreements() -> Json:
    text = "What is agreed with whom: each version that the monitor knows. Only accepted ones bind."
    label = ("agreement", "name", "provider", "customer", "service", "version", "status")
    info = select(m.AGREEMENT_INFO, {"agreement": Regex("$agreement")})
    return table(
        "Agreements",
        text,
        [Query(f"max by ({', '.join(label)}) ({info})")],
        [
            Column("Agreement", label="agreement", links=[AGREEMENT_CELL], width=160),
            Column("Name", label="name"),
            Column("Provider", label="provider", width=165),
            Column("Customer", label="customer", width=195),
            Column("Service", label="service"),
            Column("Version", label="version", width=85),
            Column("Status", label="status", width=100),
        ],
        sort=["Agreement"],
        rising=True,
    )
