"""The format of agreement files: one document is one version of one agreement.

`monitor.config.agreement_build` makes the core's `Agreement` of it. deploy/agreements/ holds commented examples that
use every part.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from monitor.config.quantities import (
    AmountField,
    AtRiskField,
    Day,
    DayHoursField,
    Duration,
    Moment,
    PositiveDuration,
    TargetField,
    Weekdays,
    WindowField,
    Zone,
    weekdays,
)
from monitor.config.shape import Shape, Text, did_you_mean, wrong
from monitor.core.agreement import Form, Status
from monitor.core.events import ATTRIBUTES
from monitor.core.hours import DayHours
from monitor.core.measures import Cycles, Exclusion, Formula, OnChange

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
Windows = Annotated[list[WindowField], Field(min_length=1), BeforeValidator(_one_or_more), AfterValidator(_no_repeats)]


def _week(value: object) -> object:
    return {"mon-sun": ["00:00-24:00"]} if value == "24x7" else value


def _no_day_twice(value: dict[str, DayHours]) -> dict[str, DayHours]:
    days = [number for key in value for number in weekdays(key)]
    if len(set(days)) < len(days):
        raise wrong("the hours of a day are given twice", "name each day in one entry only")
    return value


class HolidaysShape(Shape):
    """Days that are closed from midnight to midnight: a country's public holidays, and dates of one's own."""

    country: Text | None = None
    subdivision: Text | None = None
    dates: list[Day] = Field(default_factory=list)
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
    """The time allowed. A duration alone is one too; without a calendar that of the clock counts."""

    within: PositiveDuration
    calendar: Text | None = None

    @model_validator(mode="before")
    @classmethod
    def _duration_only(cls, value: object) -> object:
        return value if isinstance(value, dict) else {"within": value}


class ClockShape(Shape):
    """What is timed: a metric of each ticket, outage or lead, against targets by priority."""

    id: Identifier
    subject: Literal["ticket", "outage", "lead"] = "ticket"
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
    service_level: Formula = "SL1"
    where: Choice = Field(default_factory=dict)
    by: By | None = None
    windows: Windows | None = None


class MaintenanceShape(Shape):
    """How announced maintenance leaves the availability."""

    exclusion: Exclusion = "both"
    notice: Duration = 0
    cap: Duration = 0


class OutagesShape(Shape):
    """Which outages count for availability, MTTR and MTBF."""

    id: Identifier
    maintenance: MaintenanceShape = MaintenanceShape()
    overlap: Literal["max", "sum"] = "max"
    service_hours: Text = "always"
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
    objectives: list[ObjectiveShape] = Field(default_factory=list)
    allowed_lateness: Duration = 15 * 60_000
