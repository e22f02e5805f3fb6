"""Error budgets and consequences as parts of the monitor's announcements (`monitor.wire.envelopes`)."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from monitor.core.objectives.budget import BudgetFigure, Burn
from monitor.core.objectives.consequence import NO_MONEY, Consequence, Evidence
from monitor.wire.envelopes import BudgetData, BurnData, ConsequenceData, EvidenceData
from monitor.wire.instants import rfc3339

if TYPE_CHECKING:
    from monitor.core.series.series import SeriesKey


def budget_data(one: BudgetFigure) -> BudgetData:
    """Return an error budget in its announced form."""
    return BudgetData(
        objective=one.objective,
        method=one.method,
        unit=one.unit,
        total=one.total,
        consumed=one.consumed,
        remaining=one.remaining,
        exhausted=one.exhausted,
        consumed_share=one.consumed_share,
        burns=[BurnData(burn.window, burn.bad, burn.all, burn.rate) for burn in one.burns],
        all=one.all,
    )


def budget_of(data: BudgetData) -> BudgetFigure:
    """Return the error budget that an announcement holds."""
    return BudgetFigure(
        data.objective, data.method, data.unit, data.total, data.consumed, data.remaining, data.consumed_share,
        data.exhausted, tuple(Burn(one.window, one.rate, one.bad, one.all) for one in data.burns), data.all,
    )  # fmt: skip


def consequence_data(one: Consequence) -> ConsequenceData:
    """Return a consequence in its announced form."""
    evidence = one.evidence
    return ConsequenceData(
        objective=one.objective,
        kind=one.kind,
        version=one.version,
        from_=rfc3339(one.from_ms),
        from_ms=one.from_ms,
        to=rfc3339(one.to_ms),
        to_ms=one.to_ms,
        evidence=EvidenceData(*evidence[:-1], list(evidence.misses)),
        amount=f"{one.amount:f}",
        currency=one.currency,
        fee=f"{one.fee:f}",
        share=f"{one.share:f}",
        tier=one.tier,
        claim_until=rfc3339(one.claim_until_ms) if one.claim_until_ms else None,
        claim_until_ms=one.claim_until_ms,
        payable=f"{one.payable:f}",
        bound_by=one.bound_by,
        basis=one.basis,
        # absent from other consequences, which are told as they were before there were damages
        quantity=f"{one.quantity:f}" if one.basis else None,
        rate=f"{one.rate:f}" if one.basis else None,
        breach=one.breach,
    )


def consequence_json(one: Consequence) -> dict[str, Any]:
    """Return a consequence by itself, as JSON: its announced form, with the series to which it belongs."""
    series = {"agreement": one.agreement, "measure": one.series.measure, "values": list(one.series.values)}
    found: dict[str, Any] = {**series, "window": one.window, **msgspec.to_builtins(consequence_data(one))}
    return found


def consequence_of(data: ConsequenceData, series: SeriesKey, window: str) -> Consequence:
    """Return the consequence, for a series in a window, that an announcement holds."""
    of, amount = data.evidence, Decimal(data.amount)
    evidence = Evidence(
        of.indicator, of.value, of.target, of.numerator, of.denominator, of.formula, tuple(of.misses_ms)
    )
    return Consequence(
        series.agreement, data.version, data.objective, series, window, data.from_ms, data.to_ms, data.kind, evidence,
        amount, amount if data.payable is None else Decimal(data.payable), data.currency, Decimal(data.fee),
        Decimal(data.share), data.tier, data.claim_until_ms, data.bound_by,
        data.basis, _decimal(data.quantity), _decimal(data.rate), data.breach,
    )  # fmt: skip


def _decimal(text: str | None) -> Decimal:
    return NO_MONEY if text is None else Decimal(text)
