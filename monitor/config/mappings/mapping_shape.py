"""The format of mapping files, as they are written."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from monitor.config.reading.quantities import Day, Moment, Zone
from monitor.config.reading.shape import Shape, Text, wrong
from monitor.wire.mapping_rules import DEFAULT_ID, Unit


def _one_or_more(value: object) -> object:
    return value if isinstance(value, list) else [value]


Texts = Annotated[list[Text], Field(min_length=1), BeforeValidator(_one_or_more)]


class ZoneShape(Shape):
    """A zone: a name such as ``Europe/Berlin``, or a map with the column that holds the names or words for them."""

    name: Zone | None = None
    column: Text | None = None
    values: dict[str, Zone] | None = None
    otherwise: Zone | None = None

    @model_validator(mode="before")
    @classmethod
    def _name_only(cls, value: object) -> object:
        return value if isinstance(value, dict) else {"name": value}

    @model_validator(mode="after")
    def _one_zone(self) -> Self:
        if (self.column is None) == (self.name is None):
            raise wrong("names no zone", "write {column: timezone}, or the name of the zone itself")
        return self


class TimeShape(Shape):
    """How times are written: ``strptime`` patterns, or rfc3339, epoch_s, _ms, _us; the zone of those without offset."""

    formats: Texts = Field(default_factory=lambda: ["rfc3339"])
    zone: ZoneShape | None = None


class LengthShape(Shape):
    """A length of time: a column, or a map with the column and the unit of its numbers."""

    column: Text
    unit: Unit = "h:m:s"

    @model_validator(mode="before")
    @classmethod
    def _column_only(cls, value: object) -> object:
        return value if isinstance(value, dict) else {"column": value}


class InstantShape(Shape):
    """A time: one of ``times``, a column, several joined with a space, or a map with formats and zone of its own.

    ``days_since``: the column counts days from a date; ``plus``: columns with lengths of time that are added;
    ``next_day_if_before``: a time of day past midnight; ``constant``: the time itself.
    """

    columns: Texts | None = None
    constant: Moment | None = None
    formats: Texts | None = None
    zone: ZoneShape | None = None
    days_since: Day | None = None
    plus: Annotated[list[LengthShape], Field(min_length=1), BeforeValidator(_one_or_more)] | None = None
    next_day_if_before: Text | None = None

    @model_validator(mode="before")
    @classmethod
    def _columns_only(cls, value: object) -> object:
        return value if isinstance(value, dict) else {"columns": value}

    @model_validator(mode="after")
    def _one_time(self) -> Self:
        if (self.columns is None) == (self.constant is None):
            raise wrong("has no time" if self.columns is None else "has two times", "write columns or constant")
        return self


class ConditionShape(Shape):
    """A condition on a column: a value, a list of values, or a map."""

    is_in: Texts | None = Field(None, alias="is")
    not_in: Texts | None = Field(None, alias="not")
    present: bool | None = None
    missing: bool | None = None
    same_as: Text | None = None
    differs_from: Text | None = None
    changed: bool | None = None
    becomes: Texts | None = None
    leaves: Texts | None = None
    prefix: Texts | None = None
    pattern: Texts | None = None
    above: float | int | None = None
    below: float | int | None = None
    at_least: float | int | None = None
    at_most: float | int | None = None
    before: InstantShape | None = None
    after: InstantShape | None = None

    @model_validator(mode="before")
    @classmethod
    def _values_only(cls, value: object) -> object:
        if isinstance(value, dict):
            if not value:
                known = ", ".join(info.alias or name for name, info in cls.model_fields.items())
                raise wrong("says nothing", f"write one of {known}")
            return value
        return {"is": value}


When = Annotated[dict[Text, ConditionShape], Field(min_length=1)]


class DurationShape(Shape):
    """From one time to another."""

    start: InstantShape = Field(alias="from")
    end: InstantShape = Field(alias="to")


class SourceShape(Shape):
    """Where an attribute comes from; a text alone is a column."""

    column: Text | None = None
    previous: bool = False
    values: dict[str, Text] | None = None
    otherwise: Text | None = None
    times: float | int = 1
    constant: str | int | float | bool | None = None
    time: InstantShape | None = None
    duration: DurationShape | None = None
    span: LengthShape | None = None

    @model_validator(mode="before")
    @classmethod
    def _column_only(cls, value: object) -> object:
        return value if isinstance(value, dict) else {"column": value}

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        given = [name for name in ("column", "constant", "time", "duration", "span") if getattr(self, name) is not None]
        if len(given) != 1:
            raise wrong(
                f"has {' and '.join(given) or 'no source'}",
                "write exactly one of column, constant, time, duration, span",
            )
        return self


Attributes = dict[str, SourceShape]


class RejectShape(Shape):
    """Rows that are known to be wrong."""

    reason: Text
    when: When


class RepeatShape(Shape):
    """How often an event is made: a column with a number; a column behind whose number the numbers begin."""

    times: Text
    after: Text | None = None


class EventShape(Shape):
    """One event that a row may make."""

    type: Text
    at: InstantShape
    rows: Literal["every", "first", "later"] = "every"
    when: When | None = None
    each: Text | None = None
    separator: str = ","
    subject_id: Text | None = None
    id: Text = DEFAULT_ID
    attributes: Attributes = Field(default_factory=dict)
    repeat: RepeatShape | None = None
    optional: bool | None = None


class EpisodesShape(Shape):
    """When an episode of a group begins, and at what time."""

    begin: When
    at: InstantShape


class GroupShape(Shape):
    """Rows that belong together, by which columns they follow each other, and what happens in them again and again."""

    by: Texts
    order: Texts | None = None
    episodes: EpisodesShape | None = None


class FileShape(Shape):
    """How the rows stand in files."""

    format: Literal["csv", "jsonl", "json"] | None = None
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] = ","
    encoding: Text = "utf-8"


class MappingShape(Shape):
    """A mapping file."""

    mapping: Text
    subject: Literal["ticket", "call", "outage", "lead"]
    subject_id: Text
    file: FileShape = FileShape()
    missing: list[str] = Field(default_factory=list)
    time: TimeShape = TimeShape()
    times: dict[Text, InstantShape] = Field(default_factory=dict)
    sequence: Text | None = None
    group: GroupShape | None = None
    where: When | None = None
    reject: list[RejectShape] = Field(default_factory=list)
    attributes: Attributes = Field(default_factory=dict)
    events: Annotated[list[EventShape], Field(min_length=1)]
