"""Overview: is every promise kept, and if not, which one is the most urgent?"""

from __future__ import annotations

from typing import Final

from monitor.metrics import catalogue as m
from monitor.metrics.dashboards.dashboard import Row, dashboard
from monitor.metrics.dashboards.panels import (
    ANY_IS_BAD,
    ANY_IS_WARNING,
    COUNT,
    EACH_MINUTE,
    GREEN,
    ORANGE,
    QUIET,
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
    timeline,
)
from monitor.metrics.dashboards.promql import Regex, age_of, indicators, select, total
from monitor.metrics.dashboards.scopes import OVERVIEW, last_event, variables
from monitor.metrics.dashboards.tables import AGREEMENT_CELL, Column, table
from monitor.metrics.declaring import OBJECTIVE

_EACH: Final = "agreement, kind, objective, series, window"
_DETAILS: Final = link(
    "Details of ${__data.fields.Agreement}",
    "/d/sla-${__data.fields.kind}s?var-agreement=${__data.fields.Agreement}&${__url_time_range}",
)


def overview() -> Json:
    """Return the dashboard."""
    return dashboard(
        "sla-overview",
        "SLA · Overview",
        "Is every promise kept, and if not, which one is the most urgent?",
        variables(OVERVIEW, m.OBJECTIVE_TARGET),
        [
            Row(
                4, [(4, _breached()), (4, _at_risk()), (4, _overdue()), (4, _outages()), (4, _kept()), (4, _silence())]
            ),
            Row(9, [(13, _urgent("Shares, the most urgent first", "ratio", RATIO)), (11, _timeline())]),
            Row(8, [(13, _urgent("Durations, the most urgent first", "ms", SECONDS)), (11, _announced())]),
            Row(6, [(24, _agreements())]),
        ],
    )


def _number(verdict: str) -> str:
    found = OVERVIEW.of(m.OBJECTIVE_VERDICT, verdict=verdict)
    return f"sum(max by ({', '.join(OBJECTIVE)}) ({found}))"


def _breached() -> Json:
    text = (
        "Objectives whose figure misses its target now, in any series and window. What was announced stays announced."
    )
    return stat("Objectives breached", text, Query(_number("breached")), thresholds=ANY_IS_BAD)


def _at_risk() -> Json:
    text = "Objectives that still keep their target but passed the threshold at which the agreement wants a warning."
    return stat("Objectives at risk", text, Query(_number("at_risk")), thresholds=ANY_IS_WARNING)


def _overdue() -> Json:
    text = "Open clocks (of tickets, repairs, leads) that are past due. A ticket has a clock for each promise on it."
    return stat("Clocks past due", text, Query(total(OVERVIEW.of(m.CLOCKS_OVERDUE))), thresholds=ANY_IS_BAD)


def _outages() -> Json:
    text = "Outages that are not restored yet."
    return stat("Open outages", text, Query(total(OVERVIEW.of(m.OUTAGES_OPEN))), thresholds=ANY_IS_BAD)


def _kept() -> Json:
    text = "Share of the judged objectives that keep their target. No data and too few samples are no judgement."
    kept = f"({_number('met')} + {_number('on_track')} + {_number('at_risk')})"
    return gauge(
        "Objectives kept",
        text,
        Query(f"{kept} / ({kept} + {_number('breached')})"),
        steps(RED, (0.9, ORANGE), (1, GREEN)),
    )


def _silence() -> Json:
    text = (
        "Event time of the newest event of any source, measured by the monitor's clock. Figures are as old as that. "
        "Each source by itself: The monitor itself."
    )
    return stat("Since the last event", text, Query(age_of(last_event())), SECONDS, QUIET, decimals=0)


def _urgent(title: str, unit: str, shown_in: str) -> Json:
    of = {"indicator": indicators(unit)}
    text = (
        "Every objective on such a figure in each of its series and windows: its verdict, what it is now, what was "
        "promised, and how many measurements it is made of."
    )
    digits = 2 if shown_in == RATIO else 1
    return table(
        title,
        text,
        [
            Query(OVERVIEW.verdicts(_EACH, **of), ref="V"),
            Query(OVERVIEW.each(m.OBJECTIVE_VALUE, _EACH, **of), ref="N"),
            Query(OVERVIEW.each(m.OBJECTIVE_TARGET, _EACH, **of), ref="T"),
            Query(OVERVIEW.each(m.OBJECTIVE_SAMPLES, _EACH, **of), ref="S"),
        ],
        [
            Column("Verdict", value="V", verdict=True, width=90),
            Column("Objective", label="objective", links=[_DETAILS]),
            Column("Of", label="series"),
            Column("Window", label="window", width=70),
            Column("Now", value="N", unit=shown_in, width=85, decimals=digits),
            Column("Target", value="T", unit=shown_in, width=85, decimals=digits),
            Column("Samples", value="S", unit=COUNT, width=75),
            Column("Agreement", label="agreement", links=[AGREEMENT_CELL]),
            Column("kind", label="kind", hidden=True),
        ],
        sort=["Verdict"],
    )


def _timeline() -> Json:
    text = "The verdict on each objective over time: the most urgent of all its series and windows that are judged."
    return timeline("Verdicts", text, Query(OVERVIEW.verdicts("agreement, objective"), "{{objective}} ({{agreement}})"))


def _announced() -> Json:
    text = "What was announced of clocks and objectives: at risk, breached, resolved, voided, rearmed."
    rate = f"sum by (state) (increase({select(m.ALERTS, {})}[$__rate_interval]))"
    return lines("Announcements", text, [Query(rate, "{{state}}")], COUNT, stacked=True, linked=False) | EACH_MINUTE


def _agreements() -> Json:
    text = "What is agreed with whom: each version that the monitor knows. Only accepted ones bind."
    label = ("agreement", "name", "provider", "customer", "service", "version", "status")
    info = select(m.AGREEMENT_INFO, {"agreement": Regex("$agreement")})
    return table(
        "Agreements",
        text,
        [Query(f"max by ({', '.join(label)}) ({info})")],
        [
            Column("Agreement", label="agreement", links=[AGREEMENT_CELL]),
            *[Column(one.capitalize(), label=one) for one in label[1:]],
            Column("Known", value="A", hidden=True),
        ],
        sort=["Known"],
    )
