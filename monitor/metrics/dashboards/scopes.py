"""The variables that narrow the dashboards down, and the scopes in which their queries are made."""

from __future__ import annotations

from typing import Final

from monitor.metrics import catalogue as m
from monitor.metrics.dashboards.dashboard import Variable
from monitor.metrics.dashboards.promql import Scope, select
from monitor.metrics.declaring import Metric

OVERVIEW: Final = Scope(("agreement", "customer", "service", "queue"))
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
        text = (
            f"Only figures that are split by {label}" if label != "agreement" else "Only what these agreements promise"
        )
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


def last_event(kind: str = "") -> str:
    """Return the newest event time of all sources, or of those of one kind of subject."""
    return f"max({select(m.LAST_EVENT, {'kind': kind} if kind else {})})"
