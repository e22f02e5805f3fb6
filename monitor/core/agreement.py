"""Agreements as the engine uses them: measures (what is timed or counted) and objectives (what is promised of them).

An agreement has two kinds of parts (domain.md §1, §7):

- **measures** say what is measured: a `ClockRule` times one subject against a budget, a `CallRule` counts calls,
  an `OutageRule` collects outages. Each makes series, one for each combination of the attributes named in ``by``.
- **objectives** say what is promised of the figures of a measure in a window: indicator, target, minimum sample.

`monitor.config` builds these from files; nothing here reads files. All instants and durations are milliseconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple

from monitor.core.calendar import Calendar
from monitor.core.events import Subject, Value

Form = Literal["customer", "service"]
Status = Literal["draft", "accepted", "terminated"]
Cycles = Literal["first", "last", "each", "sum"]
WindowKind = Literal["rolling", "day", "week", "month", "quarter", "year"]
Comparison = Literal[">=", "<="]
Exclusion = Literal["both", "numerator", "none"]
Formula = Literal["SL1", "SL2", "SL3", "SL4", "SL5", "SL6"]

ANY: Final = "*"
"""The priority whose target holds for every priority that is not named."""

MINUTE_MS: Final = 60_000
HOUR_MS: Final = 3_600_000


class Metric(NamedTuple):
    """What starts and stops a clock, by event type. Where one event matches several: stop > pause > start."""

    start: frozenset[str]
    stop: frozenset[str]
    restart: frozenset[str] = frozenset()
    """Events that begin a new cycle of a stopped clock (a reopened ticket)."""


METRICS: Final[dict[Subject, dict[str, Metric]]] = {
    "ticket": {
        # Whoever answers or solves has seen the ticket: later steps stop the earlier clocks too.
        "acknowledge": Metric(frozenset({"opened"}), frozenset({"acknowledged", "responded", "resolved", "closed"})),
        "first_response": Metric(frozenset({"opened"}), frozenset({"responded", "resolved", "closed"})),
        "resolution": Metric(frozenset({"opened"}), frozenset({"resolved", "closed"}), frozenset({"reopened"})),
    },
    "outage": {
        "acknowledge": Metric(frozenset({"started"}), frozenset({"acknowledged", "responded", "restored", "resolved"})),
        "respond": Metric(frozenset({"started"}), frozenset({"responded", "restored", "resolved"})),
        "restore": Metric(frozenset({"started"}), frozenset({"restored", "resolved"})),
        "resolve": Metric(frozenset({"started"}), frozenset({"resolved"})),
    },
    "lead": {
        # domain.md §6: the clock starts at the hand-over, not at the creation.
        "follow_up": Metric(frozenset({"handed_over"}), frozenset({"attempted", "contacted", "disqualified"})),
    },
    "call": {},
}
"""The clocks of each subject that has any. ``paused``, ``resumed`` and ``cancelled`` act on all of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which subjects are meant: every named attribute must have one of the listed values. Empty: all of them."""

    any_of: tuple[tuple[str, frozenset[str]], ...] = ()

    def matches(self, attributes: Mapping[str, Value]) -> bool:
        """Return whether every named attribute has one of its listed values."""
        for name, allowed in self.any_of:  # noqa: SIM110 - all() over a generator takes three times as long
            if attributes.get(name) not in allowed:
                return False
        return True


class AtRisk(NamedTuple):
    """When a running clock is at risk: at a share of its budget, or some time before it is due (the other is 0)."""

    percent: float = 0.0
    before_ms: int = 0


class Budget(NamedTuple):
    """The time allowed, and the calendar (by its name in the agreement) in whose open hours it is counted."""

    budget_ms: int
    calendar: str


class Window(NamedTuple):
    """A stretch of time in which figures are taken: rolling (``length_ms``) or aligned to the agreement's calendar."""

    kind: WindowKind
    length_ms: int = 0

    @property
    def name(self) -> str:
        """The window's name in files, topics and metrics: ``30m``, ``24h``, ``30d``, ``day``, ``month`` …."""
        if self.kind != "rolling":
            return self.kind
        hours, rest = divmod(self.length_ms, HOUR_MS)
        if rest:
            return f"{self.length_ms // MINUTE_MS}m"
        return f"{hours // 24}d" if hours % 24 == 0 and hours > 24 else f"{hours}h"  # noqa: PLR2004


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """What all measures share. ``by`` names the attributes whose values split the figures into series."""

    id: str
    where: Filter = Filter()
    by: tuple[str, ...] = ()
    windows: tuple[Window, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockRule(Measure):
    """A clock on one subject: its metric, its budget by priority, what pauses it and when it is at risk.

    ``budgets`` maps a priority (or `ANY`) to a budget; a subject whose priority has none gets no clock.
    ``pause_on`` holds the reasons that pause it; None means every reason, an empty set none.
    """

    subject: Subject
    metric: str
    budgets: Mapping[str, Budget]
    at_risk: tuple[AtRisk, ...] = ()
    pause_on: frozenset[str] | None = None
    cycles: Cycles = "each"

    def budget(self, priority: Value | None) -> Budget | None:
        """Return the budget of a priority, or None where nothing was promised for it."""
        return (self.budgets.get(priority) if isinstance(priority, str) else None) or self.budgets.get(ANY)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRule(Measure):
    """Counts of calls (domain.md §4): T of "answered within T" and s of "short abandon", both inclusive."""

    answer_within_ms: int
    short_abandon_ms: int = 5_000
    give_up_after_ms: int = 4 * HOUR_MS
    """A call without an outcome for so long after it was queued counts as lost, not as waiting."""
    formula: Formula = "SL1"
    """The service level that binds; all six are reported."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutageRule(Measure):
    """Outages and maintenance of a service (domain.md §5)."""

    exclusion: Exclusion = "both"
    """How announced maintenance leaves the availability."""
    notice_ms: int = 0
    """Maintenance counts as announced only this long before it starts."""
    cap_ms: int = 0
    """The most maintenance that is excluded in a window; 0: no cap."""
    overlap: Literal["max", "sum"] = "max"
    service_hours: str = "always"
    """The calendar in whose open hours the service was promised."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """A promise about a figure: indicator of a measure, target, windows, minimum sample.

    ``at_risk`` is an optional second threshold on the safe side of the target. ``indicator`` is one of
    `INDICATORS` for the kind of the measure. Ratios are written as shares (0.95), durations in milliseconds.
    """

    id: str
    measure: str
    indicator: str
    comparison: Comparison
    target: float
    windows: tuple[Window, ...]
    minimum_sample: int = 1
    at_risk: float | None = None


INDICATORS: Final[dict[str, dict[str, str]]] = {
    "clock": {
        "compliance": "ratio",
        "mean": "ms",
        "p50": "ms",
        "p90": "ms",
        "p95": "ms",
        "p99": "ms",
        "longest": "ms",
    },
    "call": {
        "SL1": "ratio",
        "SL2": "ratio",
        "SL3": "ratio",
        "SL4": "ratio",
        "SL5": "ratio",
        "SL6": "ratio",
        "asa": "ms",
        "abandonment": "ratio",
        "abandonment_net": "ratio",
        "p50": "ms",
        "p90": "ms",
        "p95": "ms",
        "longest": "ms",
        "lost": "count",
    },
    "outage": {
        "availability": "ratio",
        "downtime": "ms",
        "failures": "count",
        "mtbf": "ms",
        "mttr_acknowledge": "ms",
        "mttr_respond": "ms",
        "mttr_restore": "ms",
        "mttr_resolve": "ms",
    },
}
"""The indicators of each kind of measure and their units. ``service_level`` in a file means the formula that binds."""


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
    covers: Filter = Filter()
    calendars: Mapping[str, Calendar]
    clocks: tuple[ClockRule, ...] = ()
    calls: tuple[CallRule, ...] = ()
    outages: tuple[OutageRule, ...] = ()
    objectives: tuple[Objective, ...] = ()
    contacts: tuple[Contact, ...] = ()
    notify: Notify = Notify()
    allowed_lateness_ms: int = 15 * MINUTE_MS
    """How long after its end a calendar period waits for late events before its statement is made."""

    def measures(self) -> tuple[Measure, ...]:
        """All measures, clocks first."""
        return (*self.clocks, *self.calls, *self.outages)

    def measure(self, measure_id: str) -> Measure | None:
        """Return the measure of that id."""
        return next((measure for measure in self.measures() if measure.id == measure_id), None)


@dataclass(slots=True)
class Book:
    """All versions of all agreements that a worker knows.

    ``stamp`` differs whenever the content does: rows that were folded under another stamp are folded again.
    """

    agreements: tuple[Agreement, ...] = ()
    stamp: int = 0
    deciding: frozenset[str] = field(init=False, default=frozenset({"priority"}))
    """The attributes that decide which promises hold for a subject, or in which series it counts."""
    _versions: dict[str, list[Agreement]] = field(init=False, default_factory=dict, repr=False)
    _by_customer: dict[str, list[str]] = field(init=False, default_factory=dict, repr=False)
    _for_all: list[str] = field(init=False, default_factory=list, repr=False)

    def __post_init__(self) -> None:
        for agreement in sorted(self.agreements, key=lambda one: (one.id, one.valid_from_ms, one.version)):
            self._versions.setdefault(agreement.id, []).append(agreement)
            measures = agreement.measures()
            filters = (agreement.covers, *(measure.where for measure in measures))
            self.deciding |= {name for one in filters for name, _ in one.any_of}
            self.deciding |= {name for measure in measures for name in measure.by}
        for agreement_id, versions in self._versions.items():
            # An index on the customer: most agreements of a large book are with one customer each.
            customers = [dict(one.covers.any_of).get("customer") for one in versions]
            if all(customers):
                for customer in sorted(set().union(*(names for names in customers if names))):
                    self._by_customer.setdefault(customer, []).append(agreement_id)
            else:
                self._for_all.append(agreement_id)

    def version(self, agreement_id: str, at_ms: int) -> Agreement | None:
        """Return the version whose text holds at an instant; None before the first.

        A draft is shown only where nothing else holds: an amendment that is not accepted yet changes nothing.
        """
        found = draft = None
        for agreement in self._versions.get(agreement_id, ()):
            if agreement.valid_from_ms <= at_ms:
                if agreement.status == "draft":
                    draft = agreement
                else:
                    found = agreement
        return found or draft

    def exact(self, agreement_id: str, version: int) -> Agreement | None:
        """Return one version by its number."""
        return next((one for one in self._versions.get(agreement_id, ()) if one.version == version), None)

    def latest(self, agreement_id: str) -> Agreement | None:
        """Return the newest version."""
        versions = self._versions.get(agreement_id)
        return versions[-1] if versions else None

    def in_force(self, attributes: Mapping[str, Value], at_ms: int) -> list[Agreement]:
        """Return the agreements that bind for a subject with these attributes at an instant, ordered by id."""
        customer = attributes.get("customer")
        ids = self._for_all
        if isinstance(customer, str) and customer in self._by_customer:
            ids = sorted((*ids, *self._by_customer[customer]))
        found = []
        for agreement_id in ids:
            agreement = self.version(agreement_id, at_ms)
            if (
                agreement is not None
                and agreement.status != "draft"
                and (agreement.terminates_ms is None or at_ms < agreement.terminates_ms)
                and agreement.covers.matches(attributes)
            ):
                found.append(agreement)
        return found
