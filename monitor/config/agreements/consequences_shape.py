"""The format of an agreement's ``consequences:``: fees, credits, damages, caps, rights to terminate."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal, NamedTuple

from pydantic import AfterValidator, BeforeValidator, Field, PlainValidator, model_validator

from monitor.config.reading.quantities import AmountField, Money, PositiveDuration, money, percent
from monitor.config.reading.shape import Shape, Text, wrong


class Cap(NamedTuple):
    """The most that is credited: an amount, or a share of the monthly fees."""

    amount: Decimal | None
    share: Decimal | None


def cap(value: object) -> Cap:
    """Return the cap that ``5000`` or ``30 %`` is."""
    if isinstance(value, str) and value.strip().endswith("%"):
        return Cap(None, Decimal(str(percent(value))))
    return Cap(money(value), None)


def _share(value: object) -> Decimal:
    return Decimal(str(percent(value)))


def _currency(value: str) -> str:
    if len(value) != 3 or not (value.isascii() and value.isalpha() and value.isupper()):  # noqa: PLR2004 - ISO 4217
        raise wrong(f"is no currency: {value!r}", "write the three letters of ISO 4217: EUR, GBP, USD")
    return value


def _one_or_more(value: object) -> object:
    return [value] if isinstance(value, dict) else value


Share = Annotated[Decimal, PlainValidator(_share)]
CapField = Annotated[Cap, PlainValidator(cap)]


class TierShape(Shape):
    """So much of the fee is credited for a figure beyond this one: ``below``, or ``above`` where less is better."""

    below: AmountField | None = None
    above: AmountField | None = None
    credit: Share

    @model_validator(mode="after")
    def _one_side(self) -> TierShape:
        if (self.below is None) == (self.above is None):
            raise wrong("needs below or above", "write {below: 99.9 %, credit: 10 %}")
        return self


class CreditShape(Shape):
    """The credit for an objective when a period closes."""

    objective: Text
    window: Literal["month", "quarter", "year"] = "month"
    fee: Text | None = None
    tiers: Annotated[list[TierShape], Field(min_length=1)]


Period = Literal["day", "week", "month", "quarter", "year"]


class DamagesShape(Shape):
    """Damages for an objective that a period missed: a sum once, for each hour beyond its target, or for each case."""

    objective: Text
    window: Period = "month"
    fixed: Money | None = None
    per_hour: Money | None = None
    per_case: Money | None = None
    cap: Money | None = None


class TerminationShape(Shape):
    """The customer may terminate after so many misses in any so many consecutive periods, or at once after a breach.

    A ``breach`` is a name for periods that miss the objective with a figure ``below`` or ``above`` a bound, or at all.
    """

    objective: Text
    window: Period = "month"
    misses: Annotated[int, Field(ge=1, le=100)] | None = None
    periods: Annotated[int | None, Field(ge=1, le=100, alias="in")] = None
    breach: Text | None = None
    below: AmountField | None = None
    above: AmountField | None = None
    within: PositiveDuration | None = None

    @model_validator(mode="after")
    def _one_form(self) -> TerminationShape:
        counted = (self.misses, self.periods) != (None, None)
        if self.breach is None:
            if self.misses is None or self.periods is None:
                raise wrong("needs misses and in, or breach", "write {misses: 3, in: 6}, or {breach: a lost day}")
            if (self.below, self.above, self.within) != (None, None, None):
                raise wrong("below, above and within are for a breach", "add breach: with the name of its kind")
        elif counted:
            raise wrong("has misses and a breach", "write two entries, one for each")
        if self.below is not None and self.above is not None:
            raise wrong("has below and above", "keep the one on the bad side of the target")
        return self


class CapsShape(Shape):
    """The most that is credited, or paid as damages, in a month and over the whole term."""

    month: CapField | None = None
    term: CapField | None = None


class ConsequencesShape(Shape):
    """The consequences of misses. Fees are by month, before tax."""

    currency: Annotated[Text, AfterValidator(_currency)] | None = None
    fees: dict[Text, Money] = Field(default_factory=dict)
    credits: list[CreditShape] = Field(default_factory=list)
    caps: CapsShape = CapsShape()
    damages: Annotated[list[DamagesShape], BeforeValidator(_one_or_more)] = Field(default_factory=list)
    damages_caps: CapsShape = CapsShape()
    claim_within: PositiveDuration | None = None
    prorate: bool = False
    termination: Annotated[list[TerminationShape], BeforeValidator(_one_or_more)] = Field(default_factory=list)
