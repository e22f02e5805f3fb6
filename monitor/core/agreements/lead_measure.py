"""The measure of leads (domain.md §6): the promises between marketing and sales, and marketing's goal."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, Literal

from monitor.core.agreements.measures import ANY, EVERYTHING, Filter, Measure
from monitor.core.time.units import DAY_MS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from monitor.core.facts.events import Value
    from monitor.core.time.calendar import Calendar

GoalPeriod = Literal["month", "quarter", "year"]
Delivery = Literal["created", "handed_over"]
ONE: Final = 1_000
"""The weight of an ordinary lead, in thousandths: the weights in panes are whole numbers, so that they add up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """The weight of a lead, in thousandths of an ordinary lead (`ONE`).

    A lead's own attribute ``weight`` decides. Without it the weights of its attributes and of its score are multiplied.
    ``by`` holds, for each attribute, the weights of its values (other values: `ONE`). ``scores`` holds minimum scores
    and their weights, the highest score first.
    """

    by: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    scores: tuple[tuple[float, int], ...] = ()

    def of(self, attributes: Mapping[str, Value]) -> int:
        """Return the weight of a lead with these attributes."""
        own = attributes.get("weight")
        if isinstance(own, int | float) and 0 <= own < ONE:
            return round(own * ONE)
        weight = ONE
        for name, values in self.by.items():
            weight = weight * values.get(str(attributes.get(name, "")), ONE) // ONE
        score = attributes.get("score")
        if isinstance(score, int | float):
            weight = weight * next((one for least, one in self.scores if score >= least), ONE) // ONE
        return weight


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """The sales goal, and the rates by which marketing's goal follows from it. Amounts are cents of one currency.

    ``share`` is the share of the revenue that comes from marketing's leads. ``close_rate`` is the share of these leads
    that become customers. Both are above 0 and at most 1.
    """

    sales: Mapping[GoalPeriod, int]
    share: float
    average_deal: int
    close_rate: float
    calendar: str = "always"
    """The calendar whose open days are working days: the goal is spread evenly over them."""
    counts: Delivery = "created"
    """Whether a lead is delivered when marketing creates it, or when marketing hands it over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadRule(Measure):
    """Counts of leads (domain.md §6): the funnel, the follow-up by sales, marketing's deliveries and the revenue."""

    kind = "lead"

    marketing: Filter = EVERYTHING
    """The leads that come from marketing; other leads count in the total revenue only."""
    follow_up_within_ms: int = 0
    """The promised time from the hand-over to the first human attempt; 0: none was promised."""
    calendar: str = "always"
    """The business hours in which the follow-up is timed."""
    depth_within_ms: int = 10 * DAY_MS
    """How long after the hand-over attempts are counted, around the clock."""
    attempts: int = 1
    """How many attempts are promised within that time, unless the lead is reached before."""
    give_up_after_ms: int = 180 * DAY_MS
    """A lead without any event for this long is no longer counted as open."""
    strict: bool = False
    """Whether an attempt exactly at the end of the time promised is too late. "Within" is inclusive otherwise."""
    close_within_ms: int = 0
    """How long after its creation a lead counts as won in the matured close rate; 0: none is measured."""
    activity: int = 0
    """How often a lead of marketing must have been active before it is handed over; 0: nothing was asked."""
    weights: Weights = Weights()
    goal: Goal | None = None
    """The goal of all leads that count; None if there is none, or one for each campaign."""
    goals: Mapping[str, Goal] = field(default_factory=dict)
    """The goals by the value of the first attribute in ``by`` (or `ANY`): one for each campaign."""

    def of_series(self, values: Sequence[str]) -> LeadRule:
        """Return the rule with the goal of the series that has these values."""
        if not self.goals:
            return self
        return replace(self, goal=self.goals.get(values[0] if values else ANY, self.goals.get(ANY)), goals={})

    @property
    def named(self) -> Mapping[str, frozenset[str]]:
        """The campaigns that have a goal: no lead is a figure of theirs."""
        return {self.by[0]: frozenset(self.goals) - {ANY}} if self.goals else {}

    @property
    def cohorts(self) -> tuple[str, ...]:
        """The promises whose span the measure itself sets."""
        spans = {"follow_up": self.follow_up_within_ms, "close": self.close_within_ms}
        return tuple([name for name, span_ms in spans.items() if span_ms])

    def span_end_ms(self, cohort: str, from_ms: int, calendars: Mapping[str, Calendar]) -> int:
        """Return when the follow-up, its depth or the close is over of a lead that came at an instant."""
        if cohort == "follow_up":
            return calendars[self.calendar].due(from_ms, self.follow_up_within_ms)
        return from_ms + (self.close_within_ms if cohort == "close" else self.depth_within_ms)

    @property
    def needs_no_event(self) -> bool:
        """Whether it has figures without any event: if it has a goal, because no lead is then a figure."""
        return self.goal is not None or bool(self.goals)
