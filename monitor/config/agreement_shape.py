"""The format of agreement files: one document is one version of one agreement.

`monitor.config.agreement_build` makes the core's `Agreement` of it. deploy/agreements/ holds commented examples that
use every part.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from monitor.config.budget_shape import BudgetShape as ErrorBudgetShape
from monitor.config.consequences_shape import ConsequencesShape
from monitor.config.quantities import (
    AmountField,
    AtRiskField,
    Day,
    DayHoursField,
    Duration,
    Moment,
    Money,
    Percent,
    PositiveDuration,
    Score,
    TargetField,
    TimeOfDay,
    Weekdays,
    Weight,
    WindowField,
    Zone,
    weekdays,
)
from monitor.config.shape import Shape, Text, did_you_mean, wrong
from monitor.core.agreement import Form, Kind, Level, Status
from monitor.core.events import ATTRIBUTES
from monitor.core.hours import DayHours
from monitor.core.lead_rule import Delivery, GoalPeriod
from monitor.core.measures import ANY, Cycles, Exclusion, Formula, OnChange

_ID_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")
_LONGEST_ID = 100
TEXT_ATTRIBUTES = frozenset(name for name, kind in ATTRIBUTES.items() if kind is str)
# They differ for nearly each subject: a series of every caller would be no figure and no end.
SERIES_ATTRIBUTES = TEXT_ATTRIBUTES - {"caller", "issue", "parent"}


def _identifier(value: str) -> str:
    if len(value) > _LONGEST_ID or not _ID_CHARACTERS.issuperset(value):
        raise wrong(f"is no id: {value[:_LONGEST_ID]!r}", "use letters, digits, '-', '_' and '.', at most 100")
    return value


def _attribute(value: str) -> str:
    if value not in TEXT_ATTRIBUTES:
        raise wrong(f"is no attribute to choose by: {value!r}", did_you_mean(value, TEXT_ATTRIBUTES))
    return value


def _series_attribute(value: str) -> str:
    if value not in SERIES_ATTRIBUTES:
        raise wrong(f"is no attribute to split figures by: {value!r}", did_you_mean(value, SERIES_ATTRIBUTES))
    return value


def _one_or_more(value: object) -> object:
    """Accept a single entry where a list stands."""
    return value if isinstance(value, list | dict) or value is None else [value]


def _no_repeats(value: list[object]) -> list[object]:
    for number, item in enumerate(value):
        if item in value[:number]:
            raise wrong(f"entry {number + 1} repeats an earlier one")
    return value


Identifier = Annotated[Text, AfterValidator(_identifier)]
Attribute = Annotated[Text, AfterValidator(_attribute)]
Choice = dict[Attribute, Annotated[list[Text], Field(min_length=1), BeforeValidator(_one_or_more)]]
"""Attributes and the values that are meant: ``{customer: [finance], service: [payroll, mail]}``."""
By = Annotated[
    list[Annotated[Text, AfterValidator(_series_attribute)]], BeforeValidator(_one_or_more), AfterValidator(_no_repeats)
]
WeightField = Annotated[float, Field(ge=0, le=1)]
Served = Annotated[int, Field(ge=1, le=10_000_000_000)]
Windows = Annotated[list[WindowField], Field(min_length=1), BeforeValidator(_one_or_more), AfterValidator(_no_repeats)]


def _week(value: object) -> object:
    return {"mon-sun": ["00:00-24:00"]} if value == "24x7" else value


def _no_day_twice(value: dict[str, DayHours]) -> dict[str, DayHours]:
    days = [number for key in value for number in weekdays(key)]
    if len(set(days)) < len(days):
        raise wrong("the hours of a day are given twice", "name each day in one entry only")
    return value


class HolidayShape(Shape):
    """A holiday of one's own: its name, and what of the day's hours stays open. Either may stand alone."""

    name: Text | None = None
    open: DayHoursField = ()

    @model_validator(mode="before")
    @classmethod
    def _one_of_them(cls, value: object) -> object:
        if isinstance(value, dict):
            return value
        # A misspelt interval must not become the name of a day that is closed.
        is_name = isinstance(value, str) and value != "closed" and not value[:1].isdecimal()
        return {"name": value} if is_name else {"open": value}


def _each_closed(value: object) -> object:
    if not isinstance(value, list):
        return value
    if not all(isinstance(one, str | date) for one in value):
        raise wrong("are no dates", "write [2026-12-24, 2026-12-31], or 2026-12-24: 08:00-12:00 for a part of a day")
    return dict.fromkeys(value, "closed")


class HolidaysShape(Shape):
    """Days that are closed from midnight to midnight: a country's public holidays, and dates of one's own.

    Dates are a list, or a map that tells their names or what stays open of them.
    """

    country: Text | None = None
    subdivision: Text | None = None
    dates: Annotated[dict[Day, HolidayShape], BeforeValidator(_each_closed)] = Field(default_factory=dict)
    zone: Zone | None = None

    @model_validator(mode="before")
    @classmethod
    def _dates_only(cls, value: object) -> object:
        return {"dates": value} if isinstance(value, list) else value


class CalendarShape(Shape):
    """Open hours. ``24x7`` alone is a calendar too."""

    zone: Zone | None = None
    hours: Annotated[dict[Weekdays, DayHoursField], BeforeValidator(_week), AfterValidator(_no_day_twice)]
    holidays: HolidaysShape = HolidaysShape()
    exceptions: dict[Day, DayHoursField] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _around_the_clock(cls, value: object) -> object:
        if isinstance(value, str):
            if value != "24x7":
                raise wrong(f"is no calendar: {value!r}", "write 24x7, or a map with hours")
            return {"hours": value}
        return value


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
    def _one_rule(cls, value: object) -> object:
        if not isinstance(value, dict):
            return {"within": value}
        if "within" in value and ("days" in value or "by" in value):
            raise wrong("has both within and days", "write within: 4h, or days: 3 with by: 17:00")
        if "within" not in value and not ("days" in value and "by" in value):
            raise wrong("says no time allowed", "write within: 4h, or days: 3 with by: 17:00")
        return value


class ClockShape(Shape):
    """What is timed: a metric of each ticket, outage or lead, against targets by priority."""

    id: Identifier
    subject: Literal["ticket", "outage", "lead", "call"] = "ticket"
    metric: Text
    targets: Annotated[dict[Text, BudgetShape], Field(min_length=1)]
    calendar: Text = "always"
    at_risk: Annotated[list[AtRiskField], BeforeValidator(_one_or_more), AfterValidator(_no_repeats)] = Field(
        default_factory=list
    )
    pause_on: Annotated[dict[Text, PositiveDuration | None] | list[Text], BeforeValidator(_one_or_more)] | None = None
    cycles: Cycles | None = None
    on_change: OnChange = "retroactive"
    states: (
        Annotated[list[Text], Field(min_length=1), BeforeValidator(_one_or_more), AfterValidator(_no_repeats)] | None
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


class CompositeShape(Shape):
    """A service that is made of others: all of ``series`` must be up, and one of each group in ``redundant``."""

    id: Identifier
    series: Annotated[list[Text], AfterValidator(_no_repeats)] = Field(default_factory=list)
    redundant: list[Annotated[list[Text], Field(min_length=2), AfterValidator(_no_repeats)]] = Field(
        default_factory=list
    )
    maintenance: MaintenanceShape = MaintenanceShape()
    overlap: Literal["max", "sum"] = "max"
    service_hours: Text = "always"
    windows: Windows | None = None
    weights: dict[Text, WeightField] = Field(default_factory=dict)


class FollowUpShape(Shape):
    """How soon sales follows a lead up. A duration alone is one too."""

    within: PositiveDuration
    calendar: Text = "always"

    @model_validator(mode="before")
    @classmethod
    def _duration_only(cls, value: object) -> object:
        return value if isinstance(value, dict) else {"within": value}


class WeightsShape(Shape):
    """What leads are worth beside an ordinary one: by source, by segment, from a score on."""

    source: dict[Text, Weight] = Field(default_factory=dict)
    segment: dict[Text, Weight] = Field(default_factory=dict)
    score: dict[Score, Weight] = Field(default_factory=dict)


class GoalShape(Shape):
    """The sales goal by period, and what it takes of marketing's leads."""

    sales: Annotated[dict[GoalPeriod, Money], Field(min_length=1)]
    marketing_share: Percent
    average_deal: Money
    close_rate: Percent
    calendar: Text = "always"
    counts: Delivery = "created"


class LeadsShape(Shape):
    """Which leads count, how sales follows them up, and what marketing delivers."""

    id: Identifier
    marketing: Choice = Field(default_factory=dict)
    follow_up: FollowUpShape | None = None
    depth_within: PositiveDuration = 10 * 86_400_000
    attempts: Annotated[int, Field(ge=1, le=100)] = 1
    give_up_after: PositiveDuration = 180 * 86_400_000
    weights: WeightsShape = WeightsShape()
    goal: GoalShape | None = None
    where: Choice = Field(default_factory=dict)
    by: By | None = None
    windows: Windows | None = None


class ObjectiveShape(Shape):
    """What is promised of a figure of one of the measures above."""

    id: Identifier
    of: Text
    indicator: Text
    target: TargetField
    at_risk: AmountField | None = None
    windows: Windows | None = None
    minimum_sample: Annotated[int, Field(ge=1)] = 1
    budget: ErrorBudgetShape | None = None


class ContactShape(Shape):
    """Somebody who is told."""

    role: Text
    name: Text | None = None
    email: Text | None = None
    phone: Text | None = None


Receivers = Annotated[list[Identifier], BeforeValidator(_one_or_more), AfterValidator(_no_repeats)]


class StepShape(Shape):
    """A step of the escalation ladder."""

    after: PositiveDuration
    receivers: Annotated[Receivers, Field(min_length=1)]
    hours: Text = "always"


class NotifyShape(Shape):
    """Who is told of alerts: names of receivers, which the settings describe."""

    receivers: Receivers = Field(default_factory=list)
    at_risk: Receivers = Field(default_factory=list)
    group_wait: Duration = 10_000
    group_interval: PositiveDuration = 60_000
    escalation: list[StepShape] = Field(default_factory=list)


class IncompleteShape(Shape):
    """What becomes of a report that lacks required fields."""

    clock: Literal["starts", "waits"] = "starts"


class ReportShape(Shape):
    """How a problem is reported: to whom (roles of the contacts), and what a report must contain."""

    contacts: Annotated[list[Text], BeforeValidator(_one_or_more)] = Field(default_factory=list)
    required: Annotated[list[Attribute], BeforeValidator(_one_or_more), AfterValidator(_no_repeats)] = Field(
        default_factory=list
    )
    incomplete: IncompleteShape = IncompleteShape()


class ReportsShape(Shape):
    """Who at the customer may see which statements."""

    to: Annotated[list[Text], Field(min_length=1), BeforeValidator(_one_or_more), AfterValidator(_no_repeats)]
    every: Literal["day", "week", "month", "quarter", "year"] = "month"
    statistics: Annotated[list[Identifier], BeforeValidator(_one_or_more), AfterValidator(_no_repeats)] = Field(
        default_factory=list
    )


def _supports(value: object) -> object:
    """Accept ``[a, b]`` (all clocks of them) and ``{a: clock}`` where ``{a: [clock, …]}`` stands."""
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return {one: [] for one in value}
    return {value: []} if isinstance(value, str) else value


Supports = Annotated[dict[Identifier, Annotated[list[Text], BeforeValidator(_one_or_more)]], BeforeValidator(_supports)]


class AgreementShape(Shape):
    """One version of one agreement."""

    agreement: Identifier
    version: Annotated[int, Field(ge=1, le=1_000_000)]
    valid_from: Moment
    terminates: Moment | None = None
    name: Text
    form: Form
    provider: Text
    customer: Text
    service: Text
    status: Status
    accepted_by: Text | None = None
    accepted_on: Day | None = None
    zone: Zone = "UTC"
    covers: Choice = Field(default_factory=dict)
    calendars: dict[Identifier, CalendarShape] = Field(default_factory=dict)
    contacts: list[ContactShape] = Field(default_factory=list)
    notify: NotifyShape = NotifyShape()
    clocks: list[ClockShape] = Field(default_factory=list)
    calls: list[CallsShape] = Field(default_factory=list)
    outages: list[OutagesShape] = Field(default_factory=list)
    leads: list[LeadsShape] = Field(default_factory=list)
    composites: list[CompositeShape] = Field(default_factory=list)
    objectives: list[ObjectiveShape] = Field(default_factory=list)
    allowed_lateness: Duration = 15 * 60_000
    consequences: ConsequencesShape = ConsequencesShape()
    kind: Kind = "sla"
    supports: Supports = Field(default_factory=dict)
    report: ReportShape = ReportShape()
    reports: ReportsShape | None = None
    level: Level | None = None
    under: Identifier | None = None
