"""Measures: the rules by which subjects are timed or counted (domain.md §3 to §5). Objectives promise their figures.

A `ClockRule` times one subject against a budget, a `CallRule` counts calls, an `OutageRule` collects outages. Each
measure has one series for each combination of values of the attributes named in ``by``. All instants and durations are
milliseconds.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Final, Literal, NamedTuple, TypeVar, get_args

from monitor.core.facts.events import Subject, Value
from monitor.core.time.units import DAY_MS, HOUR_MS, MINUTE_MS
from monitor.core.time.windows import Window

if TYPE_CHECKING:
    from monitor.core.time.calendar import Calendar

HISTORY_MS: Final = 5 * 366 * DAY_MS
"""The five years whose days give the threshold of major event days (IEEE 1366)."""
Cycles = Literal["first", "last", "each", "sum"]
OnChange = Literal["retroactive", "from_change", "prorated"]
Exclusion = Literal["both", "numerator", "none"]
Formula = Literal["SL1", "SL2", "SL3", "SL4", "SL5", "SL6"]
ANY: Final = "*"
"""The priority whose target holds for every priority that is not named."""
RESTORED: Final = "restored"
"""The cohort of the interruptions that began in a period: it can be judged once all of them are over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """A filter of subjects: every named attribute must have one of its listed values. An empty filter matches all."""

    any_of: tuple[tuple[str, frozenset[str]], ...] = ()

    def matches(self, attributes: Mapping[str, Value]) -> bool:
        """Return whether every named attribute has one of its listed values."""
        for name, allowed in self.any_of:  # noqa: SIM110 - all() over a generator takes three times as long
            if attributes.get(name) not in allowed:
                return False
        return True


EVERYTHING: Final = Filter()
"""The filter that matches every subject."""


class AtRisk(NamedTuple):
    """When a running clock is at risk: at a share of its budget, or some time before it is due (the other is 0)."""

    percent: float = 0.0
    before_ms: int = 0


@dataclass(frozen=True, slots=True, order=True)
class Budget:
    """The time allowed, and the calendar (by its name in the agreement) in whose open hours it is counted.

    With ``days`` the budget is that many business days, by ``by_minute`` of the day
    (`monitor.core.time.business_days`). Its open time then depends on the start, and ``budget_ms`` is 0.
    """

    budget_ms: int
    calendar: str
    days: int = 0
    by_minute: int = 0


MeasureKind = Literal["clock", "call", "outage", "lead", "ticket"]
MEASURE_KINDS: Final[tuple[MeasureKind, ...]] = get_args(MeasureKind)
T = TypeVar("T")


def for_each_kind(table: Mapping[str, T]) -> dict[MeasureKind, T]:
    """Return a table after checking that it has one entry for each kind of measure.

    Raises:
        TypeError: a kind has no entry, or an entry no kind. So a table is checked at import, not at the first use of
            a kind.
    """
    if others := set(MEASURE_KINDS).symmetric_difference(table):
        raise TypeError(f"a kind of measure without an entry, or an entry without a kind: {', '.join(sorted(others))}")
    return {kind: table[kind] for kind in MEASURE_KINDS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """The fields that all measures share. ``by`` names the attributes whose values split the figures into series.

    The subclass of each kind defines the properties that depend on the rule alone. The functions of a kind on facts and
    panes are listed in `monitor.core.kinds`.
    """

    kind: ClassVar[MeasureKind]
    """The kind of the measure: the key of its indicators (`monitor.core.agreements.indicators.INDICATORS`)."""
    adds_up: ClassVar[bool] = True
    """Whether its panes hold counts, which add up. If not, they hold records, from which all figures are computed."""
    counts_time: ClassVar[bool] = False
    """Whether its shares are shares of time, not of events: their error budget is that of the whole period."""
    sliced: ClassVar[frozenset[str]] = frozenset()
    """The only indicators that timeslices can judge; empty: any of them."""

    id: str
    where: Filter = EVERYTHING
    by: tuple[str, ...] = ()
    windows: tuple[Window, ...] = ()

    @property
    def subject_kind(self) -> Subject:
        """The kind of the subjects that it measures: for all measures but clocks, the kind of the same name."""
        assert self.kind != "clock"
        return self.kind

    @property
    def needs_no_event(self) -> bool:
        """Whether it has figures without any event: a service that never failed was available."""
        return False

    @property
    def named(self) -> Mapping[str, frozenset[str]]:
        """The values of attributes in ``by`` that the measure itself names, beside those that filters list."""
        return {}

    @property
    def priorities(self) -> Collection[str]:
        """The priorities that have a target of their own."""
        return ()

    @property
    def promised_hours(self) -> str:
        """The name of the calendar in whose open hours all its time is counted; "": around the clock."""
        return ""

    @property
    def history_ms(self) -> int:
        """How far before the longest window its figures need the panes of days; 0: not at all."""
        return 0

    @property
    def aliases(self) -> Mapping[str, str]:
        """Other names of its indicators in a file, each with the indicator that it means."""
        return {}

    @property
    def cohorts(self) -> tuple[str, ...]:
        """The promises whose cohorts are stated without an objective on them (`monitor.core.agreements.cohorts`)."""
        return ()

    @property
    def has_cohorts(self) -> bool:
        """Whether the indicators that may outlast a period do so under this rule."""
        return True

    @property
    def lasts_ms(self) -> int:
        """How long after a subject is counted the span of a cohort's promise may begin; 0: at once."""
        return 0

    def span_end_ms(self, cohort: str, from_ms: int, calendars: Mapping[str, Calendar]) -> int:  # noqa: ARG002
        """Return when the span of a promise is over that began at an instant."""
        raise ValueError(f"a {self.kind} has no promise {cohort!r} that outlasts its period")

    def settles_ms(self, window: Window, length_ms: int) -> int:  # noqa: ARG002 - most kinds have nothing to wait for
        """Return how long after a window its counts may still change because of later events."""
        return 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockRule(Measure):
    """A clock on one subject: its metric, its budget by priority, its pauses and its warnings.

    ``budgets`` maps a priority (or `ANY`) to a budget; a subject whose priority has none gets no clock. ``pause_on``
    holds the reasons that pause the clock: None means every reason, an empty set none.
    """

    kind = "clock"

    subject: Subject
    metric: str
    budgets: Mapping[str, Budget]
    at_risk: tuple[AtRisk, ...] = ()
    pause_on: frozenset[str] | None = None
    cycles: Cycles = "each"
    on_change: OnChange = "retroactive"
    """The rule for a priority change of an open clock. The new budget counts as if it had always held, or from the
    change on, or the share that was used of the old budget counts as used of the new one."""
    states: frozenset[str] = frozenset()
    """The states of a ticket in which a ``time_in`` clock runs."""
    pause_caps: Mapping[str, int] = field(default_factory=dict)
    """For each pause reason, how long one pause counts at most, by the wall clock. Other reasons have no cap."""
    strict: bool = False
    """Whether the budget itself is too long already. "Within" is inclusive otherwise."""
    counts_late: bool = False
    """Whether the time by which targets were missed is counted: damages by the hour, or an objective, need it."""
    due_at: str = ""
    """The attribute that brings the due instant (epoch milliseconds), in place of start + budget; "": none does. The
    only budget is then that of `ANY`: 0, with the calendar."""
    pauses_move_due: bool = False
    """Whether pauses move a due instant that came with the record."""

    @property
    def subject_kind(self) -> Subject:
        """The kind of the subjects that the clock times."""
        return self.subject

    @property
    def priorities(self) -> Collection[str]:
        """The priorities that have a target of their own."""
        return self.budgets

    def budget(self, priority: Value | None) -> Budget | None:
        """Return the budget of a priority, or None if nothing was promised for it."""
        return (self.budgets.get(priority) if isinstance(priority, str) else None) or self.budgets.get(ANY)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRule(Measure):
    """Counts of calls (domain.md §4): T of "answered within T" and s of "short abandon", inclusive."""

    kind = "call"

    answer_within_ms: int
    short_abandon_ms: int = 5_000
    give_up_after_ms: int = 4 * HOUR_MS
    """A call that has no outcome this long after it was queued counts as lost, not as waiting."""
    formula: Formula = "SL1"
    """The service level that binds; all six are reported."""
    strict: bool = False
    """Whether a wait of exactly T is too long already."""
    repeat_within_ms: int = 0
    """W of "no repeat call of the same caller and issue within W"; 0: repeat calls are not measured."""

    @property
    def longest_ms(self) -> int:
        """The longest wait that is "within T"."""
        return self.answer_within_ms - self.strict

    @property
    def aliases(self) -> Mapping[str, str]:
        """``service_level`` stands for the formula that binds."""
        return {"service_level": self.formula}

    def span_end_ms(self, cohort: str, from_ms: int, calendars: Mapping[str, Calendar]) -> int:  # noqa: ARG002
        """Return when W is over after a call."""
        return from_ms + self.repeat_within_ms

    @property
    def lasts_ms(self) -> int:
        """How long a call may wait and last: W begins with its end."""
        return self.give_up_after_ms

    def settles_ms(self, window: Window, length_ms: int) -> int:
        """Return W, because a repeat within W changes a call's figures; 0 for a rolling window shorter than W."""
        is_confirmed = window.kind != "rolling" or length_ms >= self.repeat_within_ms
        return self.repeat_within_ms if is_confirmed else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class OutageRule(Measure):
    """Outages and maintenance of a service (domain.md §5)."""

    kind = "outage"
    adds_up = False
    counts_time = True
    sliced = frozenset({"availability"})

    exclusion: Exclusion = "both"
    """How announced maintenance is excluded from the availability: the formulas of domain.md §5."""
    notice_ms: int = 0
    """Maintenance counts as announced only if it was announced at least this long before it starts."""
    cap_ms: int = 0
    """The most maintenance that is excluded in one window; 0: no cap."""
    overlap: Literal["max", "sum"] = "max"
    service_hours: str = "always"
    """The calendar in whose open hours the service was promised."""
    weights: Mapping[str, float] = field(default_factory=dict)
    """The weight of an outage by its severity (or `ANY`), if its events hold neither a weight nor customers."""
    customers: CustomerTerms | None = None
    """How customers are counted; None: they are not."""
    since_ms: Mapping[str, int] = field(default_factory=dict)
    """When the service began, by the value of the first attribute in ``by``: a customer who joined later has a shorter
    period P."""
    blind_after_ms: int = 0
    """A service without any event for this long is blind until its next event (`outages.silence`); 0: never."""
    parts: tuple[tuple[str, ...], ...] = ()
    """The services that a composite service is made of (`CompositeRule`); empty: it is not composite."""

    @property
    def needs_no_event(self) -> bool:
        """Whether it has figures without any event: always, because no outage is a figure."""
        return True

    @property
    def promised_hours(self) -> str:
        """The name of the calendar in whose open hours all its time is counted."""
        return self.service_hours

    @property
    def cohorts(self) -> tuple[str, ...]:
        """An interruption that counts where it began can be judged once it is over."""
        return (RESTORED,) if self.has_cohorts else ()

    @property
    def has_cohorts(self) -> bool:
        """Whether interruptions count where they began."""
        return self.customers is not None and self.customers.accrues == "start"

    def span_end_ms(self, cohort: str, from_ms: int, calendars: Mapping[str, Calendar]) -> int:  # noqa: ARG002
        """Return the instant itself: which interruptions are open is known from the panes alone."""
        return from_ms

    @property
    def history_ms(self) -> int:
        """How far before the longest window its figures need the panes of days: those that give the threshold."""
        return HISTORY_MS if self.customers and self.customers.major_days == "beta" else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerTerms:
    """How interruptions of customers are counted (IEEE 1366).

    ``served`` is N_T, the customers served, by the value of the first attribute in ``by`` (or `ANY`). If it is empty,
    N_T is taken from the events' ``customers_total``. It also weighs availability, where events tell how many customers
    are affected and not of how many.
    """

    served: Mapping[str, int] = field(default_factory=dict)
    momentary_ms: int = 5 * MINUTE_MS
    """An interruption shorter than this is momentary: it counts in MAIFI only."""
    major_days: Literal["", "beta", "fixed"] = ""
    """How major event days are found: by 2.5 beta of the daily SAIDI, by ``major_saidi_ms``, or not at all."""
    major_saidi_ms: int = 0
    """``fixed``: a day with a SAIDI beyond this is a major event day."""
    accrues: Literal["start", "time"] = "start"
    """Where an interruption counts: all of it in the window in which it began (IEEE 1366), or in each window the
    customer time that lies in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CompositeRule(OutageRule):
    """The outages of a composite service, made of other services. It has one series.

    The composite service is down while any part is down. A part is down while all its redundant services are down.
    """

    parts: tuple[tuple[str, ...], ...]
