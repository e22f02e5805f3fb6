"""The variables that narrow the dashboards down, and the scopes in which their queries are made."""

from __future__ import annotations

from typing import Final

from monitor.metrics import catalogue as m
from monitor.metrics import own
from monitor.metrics.dashboards.dashboard import Variable
from monitor.metrics.dashboards.panels import (
    ANY_IS_WARNING,
    COUNT,
    KEPT,
    NOT_SO,
    RISK,
    SECONDS,
    UNJUDGED,
    Json,
    Query,
    stat,
    told,
)
from monitor.metrics.dashboards.promql import Regex, Scope, any_of, named, said_in_a_row, select
from monitor.metrics.dashboards.tables import AGREEMENT_CELL, Column, table
from monitor.metrics.declaring import Metric

OVERVIEW: Final = Scope(("agreement", "customer", "service", "queue"), {}, "verdict_window")
TICKETS: Final = Scope(("agreement", "customer", "service"), {"kind": "ticket"}, "clock_window", "clock_measure")
CALLS: Final = Scope(("agreement", "queue"), {"kind": "call"}, "call_window", "call_measure")
LEADS: Final = Scope(("agreement", "team"), {"kind": "lead"}, "lead_window", "lead_measure")
OUTAGES: Final = Scope(("agreement", "service"), {"kind": "outage"}, "outage_window", "repair_measure")
BUDGETS: Final = Scope(("agreement", "service", "queue"), {}, "budget_window")

_TITLES: Final = {
    "agreement": "Agreement",
    "customer": "Customer",
    "service": "Service",
    "queue": "Queue",
    "team": "Team",
}


def variables(scope: Scope, of: Metric) -> list[Variable]:
    """Return the variables of a scope's labels: the values that a metric has, each within those chosen before it."""
    found: list[Variable] = []
    for label in scope.labels:
        text = "Only what these agreements promise"
        if label != "agreement":
            text = f"Figures of these, and those that are not split by {label}: they hold for all"
        within = Scope(tuple(one.name for one in found), scope.fixed)
        found.append(Variable(label, _TITLES[label], text, within.of(of), label))
    return found


def window_of(scope: Scope, of: Metric, first: str) -> Variable:
    """Return the variable that chooses a window, of those in which a metric is shown."""
    selector = Scope(("agreement",), scope.fixed).of(of)
    text = "The window of the figures below"
    return Variable(scope.window, "Window", text, selector, "window", many=False, first=first)


def measure_of(scope: Scope, of: Metric, title: str, text: str) -> Variable:
    """Return the variable that chooses one measure, of those that a metric is shown of."""
    selector = Scope(("agreement",), scope.fixed).of(of)
    return Variable(scope.measure, title, text, selector, "measure", many=False)


USUAL_GAPS: Final = 10
"""A silence of so many usual gaps between two events is unusual: by chance it happens once in 20,000 gaps."""
LOOKS_OF_SILENCE: Final = {"usual": KEPT, "unusual": RISK, "too early to tell": UNJUDGED}


def last_event(kind: str = "") -> str:
    """Return the newest event time of all sources, or of those of one kind of subject."""
    return f"max({select(own.LAST_EVENT, {'kind': kind} if kind else {})})"


def silence(kind: str = "") -> Json:
    """Return how long ago the newest event happened: of a kind of subject, or of any.

    It is judged by what is usual for the kind: by the mean gap of a week, and the longest one of the day before.
    """
    of = f"of a {kind}" if kind else "of any kind, or of the one that is silent unusually long"
    text = (
        f"Event time of the newest event {of}, by the monitor's clock: figures are as old as that. Unusual: longer "
        f"than {USUAL_GAPS} mean gaps of a week, and than any gap of the day before, as soon as there is a day before: "
        "nights are silent."
    )
    matchers: dict[str, str | Regex] = {"kind": kind or Regex(".+")}
    latest = select(own.LAST_EVENT, matchers)
    age = f"(scalar(max({select(own.MONITOR_TIME, {})})) - max by (kind) ({latest}))"
    passed = f"scalar(max(delta({select(own.MONITOR_TIME, {})}[1w])))"
    events = f"increase({select(own.EVENTS, {})}[1w])"
    happened = f"sum by (kind) ({events} * on (topic, partition) group_left (kind) ({latest} > bool 0))"
    longest = f"max_over_time({age}[1d:5m] offset 6h)"
    before = f"max by (kind) ({latest} offset 30h)"  # else it is not of a whole day
    long = f"({age} > {USUAL_GAPS} * {passed} / ({happened}))"
    unusual = f"max({long} > {longest} and {before})"
    told_by_now = f"(count({happened} > 0) unless on () count({long} unless {before}))"
    youngest = f"(scalar(max({select(own.MONITOR_TIME, {})})) - {last_event(kind)})"
    cases = {
        "unusual": unusual,
        "too early to tell": f"{youngest} unless on () {told_by_now} unless on () {unusual}",
        "usual": f"{youngest} and on () {told_by_now} unless on () {unusual}",
    }
    query = Query(any_of(cases, "silence"), "{{silence}}")
    return told("Last event", text, query, SECONDS, LOOKS_OF_SILENCE, decimals=0, none="No event yet", names=not kind)


def due_next(scope: Scope) -> Json:
    """Return what breaks next: for each series the time until its next clock is due, the shortest first."""
    text = (
        "How long until the next open clock of a promise is due, for those due within a day, and how many are due "
        "within the hour. What is past due is not among them."
    )
    by = "agreement, kind, measure, series"
    # Each worker tells of the subjects that it owns.
    soon = f"sum by ({by}) ({named(scope.of(m.CLOCKS_DUE_SOON))})"
    none = said_in_a_row("no clock is due within a day", NOT_SO)
    return table(
        "Due next",
        text,
        [
            Query(f"min by ({by}) ({named(scope.of(m.CLOCKS_DUE_NEXT))}) or on () {none}", ref="N"),
            Query(f"{soon} or on () {none}", ref="H"),
        ],
        [
            Column("Due in", value="N", unit=SECONDS, width=100, decimals=1, words={NOT_SO: "–"}),
            Column("Within 1 h", value="H", unit=COUNT, width=100, danger=RISK, words={NOT_SO: "–"}),
            Column("Promise", label="measure"),
            Column("Of", label="series"),
            Column("Agreement", label="agreement", links=[AGREEMENT_CELL]),
            Column("kind", label="kind", hidden=True),
        ],
        sort=["Due in"],
        rising=True,
    )


def due_first(scope: Scope, to: Json, title: str = "Next due in") -> Json:
    """Return how long until the next open clock is due."""
    text = "How long until the next open clock is due, if that is within a day. Paused clocks are not due."
    query = f"min({scope.of(m.CLOCKS_DUE_NEXT)}) or vector({NOT_SO:g})"
    words = {NOT_SO: "not today"}
    return stat(title, text, Query(query), SECONDS, decimals=0, to=to, words=words)


def due_soon(scope: Scope, to: Json) -> Json:
    """Return how many clocks are due within the hour."""
    text = "Open clocks that are due within the next hour: what can still be saved."
    query = f"sum({scope.of(m.CLOCKS_DUE_SOON)}) or 0 * sum({scope.of(m.CLOCKS_OPEN)})"
    return stat("Due within 1 h", text, Query(query), thresholds=ANY_IS_WARNING, to=to)
