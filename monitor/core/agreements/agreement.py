"""Agreements as the engine uses them: one version of the text that provider and customer agreed on (domain.md §1).

An agreement has two kinds of parts. **Measures** (`monitor.core.agreements.measures`) define which subjects are timed
or counted, and how. **Objectives** (`monitor.core.agreements.objectives`) promise targets for the figures of measures.
`monitor.config` builds agreements from files; nothing here reads files. All instants and durations are milliseconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple

from monitor.core.agreements.consequence_rules import NO_CONSEQUENCES, Consequences
from monitor.core.agreements.lead_measure import LeadRule
from monitor.core.agreements.measures import EVERYTHING, CallRule, ClockRule, Filter, Measure, OutageRule
from monitor.core.agreements.objectives import Objective
from monitor.core.agreements.term import Term
from monitor.core.time.calendar import AlwaysOpen, Calendar
from monitor.core.time.units import MINUTE_MS
from monitor.core.time.windows import Window

Form = Literal["customer", "service", "multi-level"]
Kind = Literal["sla", "ola", "uc"]
"""A service level agreement; an operational level agreement or an underpinning contract that supports one."""
Level = Literal["corporate", "customer", "service"]
Status = Literal["draft", "accepted", "terminated"]
Amendments = Literal["by_part", "by_version_at_end"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """A person who is notified, or to whom a problem is reported."""

    role: str
    name: str = ""
    email: str = ""
    phone: str = ""


class Step(NamedTuple):
    """A step of the escalation ladder: the receivers to notify ``after_ms`` after an alert that is not acknowledged.

    ``hours`` names the agreement's calendar in whose open hours they may be notified; outside of them the step waits.
    """

    after_ms: int
    receivers: tuple[str, ...]
    hours: str = "always"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notify:
    """The receivers of an agreement's alerts, by the names under which the settings describe them.

    ``receivers`` are notified of breaches, ``at_risk`` of warnings. The first notice of a page waits ``group_wait_ms``
    for more alerts of the same storm; further notices follow at most every ``group_interval_ms``.
    """

    receivers: tuple[str, ...] = ()
    at_risk: tuple[str, ...] = ()
    group_wait_ms: int = 10_000
    group_interval_ms: int = MINUTE_MS
    escalation: tuple[Step, ...] = ()

    @property
    def names_anybody(self) -> bool:
        """Whether anybody can be told of the agreement's alerts."""
        return bool(self.receivers or self.at_risk)

    def everybody(self) -> frozenset[str]:
        """Return all receivers that are named anywhere."""
        return frozenset((*self.receivers, *self.at_risk, *(one for step in self.escalation for one in step.receivers)))


class Report(NamedTuple):
    """How a problem is reported: the roles of the contacts who take reports, and the required fields of a report.

    ``incomplete_clock`` decides whether the clocks of a ticket without a required field start or wait
    (`monitor.core.clocks.reporting`).
    """

    contacts: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    incomplete_clock: Literal["starts", "waits"] = "starts"


class Rights(NamedTuple):
    """Who may see which statements: roles or parties, the period of the statements, and the measures (none: all)."""

    to: tuple[str, ...] = ()
    every: str = "month"
    statistics: tuple[str, ...] = ()


NOTHING_REQUIRED: Final = Report()
NOBODY: Final = Rights()


class Origin(NamedTuple):
    """The level of a multi-level agreement from which a part comes: the most specific one that names it."""

    agreement: str
    version: int
    level: str


class Support(NamedTuple):
    """The agreement that an OLA or a UC supports, and the clocks of it that it supports (none named: all)."""

    agreement: str
    clocks: tuple[str, ...] = ()


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
    amendments: Amendments = "by_part"
    """How a period is stated in which an amendment took effect: in parts, or under the version at its end."""
    allowed_lateness_ms: int = 15 * MINUTE_MS
    """How long after its end a calendar period waits for late events before its statement is made."""
    consequences: Consequences = NO_CONSEQUENCES
    kind: Kind = "sla"
    supports: tuple[Support, ...] = ()
    level: Level | None = None
    under: str = ""
    """The agreement of the next level up."""
    lineage: tuple[str, ...] = ()
    """The ids of the levels that this text inherits from, the uppermost first."""
    edition_ms: int = 0
    """The start of this edition, if the version inherits text: an amendment of a level above makes a new edition."""
    origins: Mapping[str, Origin] = field(default_factory=dict)
    """The origin of each part, by its path (``clocks.resolution.targets.P1``). Empty without levels."""
    report: Report = NOTHING_REQUIRED
    reports: Rights = NOBODY
    term: Term | None = None
    """The agreed term; ``terminates_ms`` is its end, if notice was given or the term is not renewed."""

    def measures(self) -> tuple[Measure, ...]:
        """All measures, clocks first."""
        return (*self.clocks, *self.calls, *self.outages, *self.leads)

    def measure(self, measure_id: str) -> Measure | None:
        """Return the measure of that id."""
        return next((measure for measure in self.measures() if measure.id == measure_id), None)

    def clock(self, measure_id: str) -> ClockRule | None:
        """Return the clock of that id."""
        return next((rule for rule in self.clocks if rule.id == measure_id), None)

    def hours_of(self, measure: Measure) -> Calendar | None:
        """Return the calendar in whose open hours a measure counts all its time; None: around the clock."""
        hours = self.calendars.get(measure.promised_hours)
        return None if isinstance(hours, AlwaysOpen) else hours

    def audience(self, measure_id: str, window: str) -> tuple[str, ...]:
        """Return who may see the statements of a measure in a calendar window."""
        rights = self.reports
        if window != rights.every or (rights.statistics and measure_id not in rights.statistics):
            return ()
        return rights.to

    def origin(self, *path: str) -> Origin:
        """Return the level from which the part at a path comes: its nearest entry in ``origins``, or this agreement."""
        for length in range(len(path), 0, -1):
            found = self.origins.get(".".join(path[:length]))
            if found is not None:
                return found
        return Origin(self.id, self.version, self.level or "")


def windows_of(agreement: Agreement, measure: Measure) -> tuple[Window, ...]:
    """Return the windows of a measure: its own and those of the objectives on it, each once."""
    wanted = list(measure.windows)
    for objective in agreement.objectives:
        if objective.measure == measure.id:
            wanted.extend(objective.windows)
    return tuple(dict.fromkeys(wanted))
