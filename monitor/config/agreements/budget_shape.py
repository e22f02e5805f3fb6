"""The format of an objective's ``budget:``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, PlainValidator

from monitor.config.reading.quantities import PositiveDuration, percent
from monitor.config.reading.shape import Shape, wrong
from monitor.core.agreements.budget_rule import Method, Urgency


def _rate(value: object) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= 1_000_000:  # noqa: PLR2004
        return float(value)
    raise wrong(f"is no burn rate: {value!r}", "write a number such as 14.4: so many times too fast")


def _alerts(value: object) -> object:
    return [value] if isinstance(value, dict) else value


class BurnAlertShape(Shape):
    """A pair of windows, and the burn rate that must be reached in both."""

    burn: Annotated[float, PlainValidator(_rate)]
    long: PositiveDuration
    short: PositiveDuration
    urgency: Urgency = "page"


class BudgetShape(Shape):
    """How the error budget of an objective is kept. ``good`` is the share of slices that must be good."""

    method: Method = "events"
    slice: PositiveDuration = 60_000
    good: Annotated[float, PlainValidator(percent)] | None = None
    alerts: Annotated[Literal["default", "off"] | list[BurnAlertShape], BeforeValidator(_alerts)] = "default"
    minimum_events: Annotated[int, Field(ge=1)] = 20
