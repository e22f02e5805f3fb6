"""The values that a demonstration shows: taken once for each picture."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from monitor.core.agreements.agreement import Agreement
from monitor.core.agreements.indicators import NAMED
from monitor.core.agreements.objectives import Objective
from monitor.core.alerts.alert import Alert, AlertKey
from monitor.core.objectives.status import ObjectiveVerdict, Verdict, WindowStatus

WORST_FIRST: Final[tuple[Verdict, ...]] = (
    "breached",
    "at_risk",
    "on_track",
    "met",
    "low_sample",
    "no_data",
    "provisional",
)
"""The unit of each indicator; no name has two."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counters:
    """The counters of the worker so far."""

    events: int = 0
    lag: int = 0
    """Records that are still to be read, over all sources."""
    dead_letters: Mapping[str, int] = field(default_factory=dict)
    """By reason."""
    alerts: Mapping[str, int] = field(default_factory=dict)
    """By state."""
    pages: Mapping[str, int] = field(default_factory=dict)
    """How many pages began, by receiver."""
    detection_delay_s: float | None = None
    """How long after its instant an alert was announced, as the caller sums it up (real seconds)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoView:
    """One moment of a demonstration. ``alerts`` are all of it so far, or the newest, in the order of their arrival."""

    start_ms: int
    now_ms: int
    """The demonstration's clock."""
    speed: float
    ran_s: float
    """Real seconds since the start."""
    agreements: Sequence[Agreement] = ()
    statuses: Sequence[WindowStatus] = ()
    alerts: Sequence[Alert] = ()
    counters: Counters = Counters()
    healthy: bool = True
    health: str = ""
    """Why it is healthy or not, in a line."""
    addresses: Mapping[str, str] = field(default_factory=dict)
    """What to open, by its name."""
    first_breach_s: float | None = None
    """Real seconds from the start to the first breach that was seen."""


class Promise(NamedTuple):
    """One objective and how it stands.

    ``worst`` is its worst series and window; None: nothing was measured yet. ``standing`` tells how many series and
    windows have each verdict.
    """

    agreement: Agreement
    objective: Objective
    worst: tuple[WindowStatus, ObjectiveVerdict] | None
    standing: Mapping[Verdict, int]


def promises(view: DemoView) -> list[Promise]:
    """Return all objectives of the agreements in their order, each by its worst series and window."""
    found: dict[tuple[str, str], list[tuple[WindowStatus, ObjectiveVerdict]]] = {}
    for status in view.statuses:
        if not status.closed:
            for verdict in status.verdicts:
                found.setdefault((status.series.agreement, verdict.objective), []).append((status, verdict))
    result = []
    for agreement in view.agreements:
        for objective in agreement.objectives:
            hits = found.get((agreement.id, objective.id), [])
            standing = Counter(one.verdict for _, one in hits)
            worst = min(hits, key=lambda hit: _badness(*hit)) if hits else None
            result.append(Promise(agreement, objective, worst, standing))
    return result


def _badness(status: WindowStatus, verdict: ObjectiveVerdict) -> tuple[int, float, tuple[str, ...], str]:
    short = 0.0
    if verdict.value is not None:
        short = verdict.value - verdict.target if verdict.comparison == ">=" else verdict.target - verdict.value
    return WORST_FIRST.index(verdict.verdict), short, status.series.values, status.window


def standing_alerts(alerts: Sequence[Alert]) -> dict[AlertKey, Alert]:
    """Return the newest announcement on each key that is still out: at risk or breached."""
    newest: dict[AlertKey, Alert] = {}
    for alert in alerts:
        newest[alert.key] = alert
    return {key: alert for key, alert in newest.items() if alert.state in ("at_risk", "breached")}


def at_risk(view: DemoView) -> list[Alert]:
    """Return the clocks at risk by their due instant, then the objectives at risk."""
    out = [alert for alert in standing_alerts(view.alerts).values() if alert.state == "at_risk"]
    # What is past its due instant is breached, and said to be in a moment.
    waiting = [alert for alert in out if alert.due_ms is None or alert.due_ms > view.now_ms]
    return sorted(waiting, key=lambda alert: (alert.due_ms is None, alert.due_ms or 0, alert.key))


def summary(view: DemoView) -> dict[str, Any]:
    """Return the values of a demonstration for JSON. Shares are 0..1, durations of figures milliseconds."""
    states = Counter(view.counters.alerts) or Counter(alert.state for alert in view.alerts)
    return {
        "ran_seconds": round(view.ran_s, 3),
        "simulated_seconds": (view.now_ms - view.start_ms) / 1000,
        "speed": view.speed,
        "events": view.counters.events,
        "alerts": dict(sorted(states.items())),
        "first_breach_after_seconds": None if view.first_breach_s is None else round(view.first_breach_s, 3),
        "detection_delay_seconds": view.counters.detection_delay_s,
        "dead_letters": dict(sorted(view.counters.dead_letters.items())),
        "pages": dict(sorted(view.counters.pages.items())),
        "lag": view.counters.lag,
        "healthy": view.healthy,
        "agreements": [f"{agreement.id} version {agreement.version}" for agreement in view.agreements],
        "objectives": [_objective_line(promise) for promise in promises(view)],
        "addresses": dict(view.addresses),
    }


def _objective_line(promise: Promise) -> dict[str, Any]:
    objective = promise.objective
    return {
        "agreement": promise.agreement.id,
        "objective": objective.id,
        "measure": objective.measure,
        **objective.judged._asdict(),
        "unit": NAMED[objective.judged.indicator].unit,
        "worst": _worst_line(*promise.worst) if promise.worst else None,
        "verdicts": dict(promise.standing),
    }


def _worst_line(status: WindowStatus, verdict: ObjectiveVerdict) -> dict[str, Any]:
    return {
        "labels": status.labels,
        "window": status.window,
        "value": verdict.value,
        "sample": verdict.sample,
        "verdict": verdict.verdict,
    }
