"""The format of agreement files: one document is one version of one agreement.

`monitor.config.agreements.agreement_build` makes the core's `Agreement` of it. deploy/agreements/ holds commented
examples that use every part.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from monitor.config.agreements.agreement_fields import Attribute, Choice, Identifier, Windows, no_repeats, one_or_more
from monitor.config.agreements.budget_shape import BudgetShape as ErrorBudgetShape
from monitor.config.agreements.consequences_shape import ConsequencesShape
from monitor.config.agreements.measure_shape import CallsShape, ClockShape, CompositeShape, LeadsShape, OutagesShape
from monitor.config.agreements.term_shape import TermShape
from monitor.config.reading.quantities import (
    AmountField,
    Day,
    DayHoursField,
    Duration,
    Moment,
    PositiveDuration,
    TargetField,
    Weekdays,
    Zone,
    weekdays,
)
from monitor.config.reading.shape import Shape, Text, wrong
from monitor.core.agreements.agreement import Amendments, Form, Kind, Level, Status
from monitor.core.time.opening_hours import DayHours


def _week(value: object) -> object:
    return {"mon-sun": ["00:00-24:00"]} if value == "24x7" else value


def _no_day_twice(value: dict[str, DayHours]) -> dict[str, DayHours]:
    days = [number for key in value for number in weekdays(key)]
    if len(set(days)) < len(days):
        raise wrong("the hours of a day are given twice", "name each day in one entry only")
    return value


class HolidayShape(Shape):
    """A holiday of one's own: its name, and the hours that stay open. Either may stand alone."""

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

    Dates are a list, or a map with their names or the hours that stay open.
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


class ObjectiveShape(Shape):
    """A promise about a figure of one of the measures above."""

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


Receivers = Annotated[list[Identifier], BeforeValidator(one_or_more), AfterValidator(no_repeats)]


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
    """The handling of a report that lacks required fields."""

    clock: Literal["starts", "waits"] = "starts"


class ReportShape(Shape):
    """How a problem is reported: to whom (roles of the contacts), and with which fields."""

    contacts: Annotated[list[Text], BeforeValidator(one_or_more)] = Field(default_factory=list)
    required: Annotated[list[Attribute], BeforeValidator(one_or_more), AfterValidator(no_repeats)] = Field(
        default_factory=list
    )
    incomplete: IncompleteShape = IncompleteShape()


class ReportsShape(Shape):
    """Who at the customer may see which statements."""

    to: Annotated[list[Text], Field(min_length=1), BeforeValidator(one_or_more), AfterValidator(no_repeats)]
    every: Literal["day", "week", "month", "quarter", "year"] = "month"
    statistics: Annotated[list[Identifier], BeforeValidator(one_or_more), AfterValidator(no_repeats)] = Field(
        default_factory=list
    )


def _supports(value: object) -> object:
    """Accept ``[a, b]`` (all clocks of them) and ``{a: clock}`` where ``{a: [clock, …]}`` stands."""
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return {one: [] for one in value}
    return {value: []} if isinstance(value, str) else value


Supports = Annotated[dict[Identifier, Annotated[list[Text], BeforeValidator(one_or_more)]], BeforeValidator(_supports)]


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
    amendments: Amendments = "by_part"
    allowed_lateness: Duration = 15 * 60_000
    consequences: ConsequencesShape = ConsequencesShape()
    kind: Kind = "sla"
    supports: Supports = Field(default_factory=dict)
    report: ReportShape = ReportShape()
    reports: ReportsShape | None = None
    level: Level | None = None
    under: Identifier | None = None
    term: TermShape | None = None
