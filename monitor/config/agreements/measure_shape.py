"""The format of the measures of an agreement: clocks, calls, outages, composites and leads."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from monitor.config.agreements.agreement_fields import (
    By,
    Choice,
    Identifier,
    Served,
    WeightField,
    Windows,
    no_repeats,
    one_or_more,
)
from monitor.config.reading.quantities import (
    AtRiskField,
    Cents,
    Duration,
    Moment,
    Percent,
    PositiveDuration,
    Score,
    TimeOfDay,
    Weight,
)
from monitor.config.reading.shape import Shape, Text, wrong
from monitor.core.agreements.lead_measure import Delivery, GoalPeriod
from monitor.core.agreements.measures import ANY, Cycles, Exclusion, Formula, OnChange
from monitor.core.time.units import DAY_MS


class BudgetShape(Shape):
    """The time allowed. A duration alone is one too; without a calendar that of the clock counts.

    In place of ``within`` it may be a number of business days, by a time of day: ``{days: 3, by: "17:00"}``.
    """

    within: PositiveDuration = 0
    days: Annotated[int, Field(ge=1, le=1000)] | None = None
    by: TimeOfDay | None = None
    calendar: Text | None = None

    @model_validator(mode="before")
    @classmethod
    def _duration_only(cls, value: object) -> object:
        return value if isinstance(value, dict) else {"within": value}

    @model_validator(mode="after")
    def _one_rule(self) -> Self:
        # Of what was written, not of the values: within is 0 where nothing was.
        given = self.model_fields_set
        if "within" in given and given & {"days", "by"}:
            raise wrong("has both within and days", "write within: 4h, or days: 3 with by: 17:00")
        if "within" not in given and not given >= {"days", "by"}:
            raise wrong("says no time allowed", "write within: 4h, or days: 3 with by: 17:00")
        return self


class ClockShape(Shape):
    """A clock: a metric of each ticket, outage or lead, timed against targets by priority.

    In place of ``targets`` it may take its due instant from the record: ``due_at`` names the attribute that brings it.
    """

    id: Identifier
    subject: Literal["ticket", "outage", "lead", "call"] = "ticket"
    metric: Text
    targets: Annotated[dict[Text, BudgetShape], Field(min_length=1)] | None = None
    due_at: Text | None = None
    pauses_move_due: bool = False
    calendar: Text = "always"
    at_risk: Annotated[list[AtRiskField], BeforeValidator(one_or_more), AfterValidator(no_repeats)] = Field(
        default_factory=list
    )
    pause_on: Annotated[dict[Text, PositiveDuration | None] | list[Text], BeforeValidator(one_or_more)] | None = None
    cycles: Cycles | None = None
    on_change: OnChange = "retroactive"
    strict: bool = False
    states: (
        Annotated[list[Text], Field(min_length=1), BeforeValidator(one_or_more), AfterValidator(no_repeats)] | None
    ) = None
    where: Choice = Field(default_factory=dict)
    by: By | None = None
    windows: Windows | None = None


class CallsShape(Shape):
    """Which calls are counted, with the T of "answered within T" and the s of "short abandon"."""

    id: Identifier
    answer_within: PositiveDuration
    short_abandon: Duration = 5_000
    give_up_after: PositiveDuration | None = None
    repeat_within: PositiveDuration | None = None
    service_level: Formula = "SL1"
    strict: bool = False
    where: Choice = Field(default_factory=dict)
    by: By | None = None
    windows: Windows | None = None


class MaintenanceShape(Shape):
    """How announced maintenance leaves the availability."""

    exclusion: Exclusion = "both"
    notice: Duration = 0
    cap: Duration = 0


class CustomersShape(Shape):
    """How interruptions of customers are counted. A number alone is how many are served."""

    served: dict[Text, Served] = Field(default_factory=dict)
    momentary: Duration = 5 * 60_000
    major_event_days: Duration | Literal["beta"] | None = None
    accrues: Literal["start", "time"] = "start"

    @model_validator(mode="before")
    @classmethod
    def _number_only(cls, value: object) -> object:
        shape = value if isinstance(value, dict) else {"served": value}
        served = shape.get("served")
        return {**shape, "served": {ANY: served}} if "served" in shape and not isinstance(served, dict) else shape


class OutagesShape(Shape):
    """Which outages count for availability, MTTR and MTBF."""

    id: Identifier
    maintenance: MaintenanceShape = MaintenanceShape()
    overlap: Literal["max", "sum"] = "max"
    service_hours: Text = "always"
    where: Choice = Field(default_factory=dict)
    by: By | None = None
    windows: Windows | None = None
    weights: dict[Text, WeightField] = Field(default_factory=dict)
    customers: CustomersShape | None = None
    since: dict[Text, Moment] = Field(default_factory=dict)
    blind_after: PositiveDuration | None = None


class CompositeShape(Shape):
    """A service that is made of others: all of ``series`` must be up, and one of each group in ``redundant``."""

    id: Identifier
    series: Annotated[list[Text], AfterValidator(no_repeats)] = Field(default_factory=list)
    redundant: list[Annotated[list[Text], Field(min_length=2), AfterValidator(no_repeats)]] = Field(
        default_factory=list
    )
    maintenance: MaintenanceShape = MaintenanceShape()
    overlap: Literal["max", "sum"] = "max"
    service_hours: Text = "always"
    windows: Windows | None = None
    weights: dict[Text, WeightField] = Field(default_factory=dict)
    blind_after: PositiveDuration | None = None


class FollowUpShape(Shape):
    """How soon sales follows a lead up. A duration alone is one too."""

    within: PositiveDuration
    calendar: Text = "always"

    @model_validator(mode="before")
    @classmethod
    def _duration_only(cls, value: object) -> object:
        return value if isinstance(value, dict) else {"within": value}


class WeightsShape(Shape):
    """The weight of a lead compared with an ordinary one: by source, by segment, from a score on."""

    source: dict[Text, Weight] = Field(default_factory=dict)
    segment: dict[Text, Weight] = Field(default_factory=dict)
    score: dict[Score, Weight] = Field(default_factory=dict)


class GoalShape(Shape):
    """The sales goal by period, and marketing's share in it."""

    sales: Annotated[dict[GoalPeriod, Cents], Field(min_length=1)]
    marketing_share: Percent
    average_deal: Cents
    close_rate: Percent
    calendar: Text = "always"
    counts: Delivery = "created"


class TicketsShape(Shape):
    """Which tickets are counted: opened, reopened, handed over."""

    id: Identifier
    where: Choice = Field(default_factory=dict)
    by: By | None = None
    windows: Windows | None = None


class LeadsShape(Shape):
    """The leads that count, the follow-up by sales, and the delivery by marketing."""

    id: Identifier
    marketing: Choice = Field(default_factory=dict)
    follow_up: FollowUpShape | None = None
    depth_within: PositiveDuration = 10 * DAY_MS
    attempts: Annotated[int, Field(ge=1, le=100)] = 1
    give_up_after: PositiveDuration = 180 * DAY_MS
    strict: bool = False
    close_within: PositiveDuration | None = None
    activity: Annotated[int, Field(ge=0, le=1000)] = 0
    weights: WeightsShape = WeightsShape()
    goal: GoalShape | None = None
    goals: dict[Text, GoalShape] = Field(default_factory=dict)
    where: Choice = Field(default_factory=dict)
    by: By | None = None
    windows: Windows | None = None
