"""Agreements as the engine uses them: one version of what a provider and a customer have agreed (domain.md §1).

An agreement has two kinds of parts: **measures** (`monitor.core.measures`) say what is timed or counted,
**objectives** (`monitor.core.objectives`) what is promised of their figures. `monitor.config` builds these from files;
nothing here reads files. All instants and durations are milliseconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

from monitor.core.calendar import Calendar
from monitor.core.consequences import NO_CONSEQUENCES, Consequences
from monitor.core.lead_rule import LeadRule
from monitor.core.measures import EVERYTHING, MINUTE_MS, CallRule, ClockRule, Filter, Measure, OutageRule
from monitor.core.objectives import Objective

Form = Literal["customer", "service"]
Status = Literal["draft", "accepted", "terminated"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """Somebody who is told, or to whom a problem is reported."""

    role: str
    name: str = ""
    email: str = ""
    phone: str = ""


class Step(NamedTuple):
    """A step of the escalation ladder: whom to tell so long after an alert that nobody has acknowledged.

    ``hours`` names the calendar of the agreement in whose open hours they may be told; closed, the step waits.
    """

    after_ms: int
    receivers: tuple[str, ...]
    hours: str = "always"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notify:
    """Who is told of an agreement's alerts: names of receivers, which the settings describe.

    ``receivers`` are told of what is breached, those under ``at_risk`` of what is at risk. The first notice of a page
    waits ``group_wait_ms`` for more alerts of the same storm; further ones follow at most every ``group_interval_ms``.
    """

    receivers: tuple[str, ...] = ()
    at_risk: tuple[str, ...] = ()
    group_wait_ms: int = 10_000
    group_interval_ms: int = MINUTE_MS
    escalation: tuple[Step, ...] = ()

    def everybody(self) -> frozenset[str]:
        """Return all receivers that are named."""
        return frozenset((*self.receivers, *self.at_risk, *(one for step in self.escalation for one in step.receivers)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """One version of one agreement. Only an accepted one binds; a version holds from ``valid_from_ms`` on."""

    id: str
    version: int
    name: str
    form: Form
    provider: str
    customer: str
    service: str
    status: Status
    valid_from_ms: int
    terminates_ms: int | None = None
    zone: str = "UTC"
    covers: Filter = EVERYTHING
    calendars: Mapping[str, Calendar]
    clocks: tuple[ClockRule, ...] = ()
    calls: tuple[CallRule, ...] = ()
    outages: tuple[OutageRule, ...] = ()
    leads: tuple[LeadRule, ...] = ()
    objectives: tuple[Objective, ...] = ()
    contacts: tuple[Contact, ...] = ()
    notify: Notify = Notify()
    allowed_lateness_ms: int = 15 * MINUTE_MS
    """How long after its end a calendar period waits for late events before its statement is made."""
    consequences: Consequences = NO_CONSEQUENCES

    def measures(self) -> tuple[Measure, ...]:
        """All measures, clocks first."""
        return (*self.clocks, *self.calls, *self.outages, *self.leads)

    def measure(self, measure_id: str) -> Measure | None:
        """Return the measure of that id."""
        return next((measure for measure in self.measures() if measure.id == measure_id), None)
