"""Outage measures of agreement files: services, their customers, and services that are made of others."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from monitor.config.agreements.agreement_fields import filter_of
from monitor.config.reading.quantities import instant_ms
from monitor.core.agreements.measures import ANY, CompositeRule, CustomerTerms, OutageRule
from monitor.core.time.units import DAY_MS
from monitor.core.time.windows import Window

if TYPE_CHECKING:
    from collections.abc import Iterable

    from monitor.config.agreements.calendars import Told
    from monitor.config.agreements.measure_shape import CompositeShape, CustomersShape, OutagesShape

OUTAGE_WINDOWS: Final = (Window("rolling", 30 * DAY_MS), Window("month"))
"""The windows of outage measures that name none."""


def outage_rule(shape: OutagesShape, zone: str, told: Told) -> OutageRule:
    """Return the rule, after reporting its mistakes."""
    by = ("service",) if shape.by is None else tuple(shape.by)
    listed = {name: values for name, values in shape.where.items() if by and name == by[0]}
    split = {"since": shape.since.keys(), "customers": shape.customers.served.keys() if shape.customers else ()}
    for key, values in split.items():
        for value in values:
            if value == ANY:
                continue
            if not by:
                told((key,), "names values, but the figures are not split", "give by, or one number for all")
            elif listed and value not in listed[by[0]]:
                told((key,), f"names {by[0]} {value!r}, which where leaves out", "add it to where, or leave it out")
    return OutageRule(
        id=shape.id,
        where=filter_of(shape.where),
        by=by,
        windows=tuple(shape.windows or OUTAGE_WINDOWS),
        exclusion=shape.maintenance.exclusion,
        notice_ms=shape.maintenance.notice,
        cap_ms=shape.maintenance.cap,
        overlap=shape.overlap,
        service_hours=shape.service_hours,
        weights=dict(shape.weights),
        customers=None if shape.customers is None else _customers(shape.customers),
        since_ms={value: instant_ms(moment, zone) for value, moment in shape.since.items()},
        blind_after_ms=shape.blind_after or 0,
    )


def composite_rule(shape: CompositeShape, told: Told) -> CompositeRule:
    """Return the rule of a composite service, after reporting its mistakes."""
    parts = (*((one,) for one in shape.series), *(tuple(one) for one in shape.redundant))
    if not parts:
        told((), "is made of nothing", "name services in series, or groups of them in redundant")
    for service in _repeated(service for part in parts for service in part):
        told((), f"service {service!r} stands in two parts", "name each service once")
    return CompositeRule(
        id=shape.id,
        where=filter_of({"service": [service for part in parts for service in part]}),
        windows=tuple(shape.windows or OUTAGE_WINDOWS),
        exclusion=shape.maintenance.exclusion,
        notice_ms=shape.maintenance.notice,
        cap_ms=shape.maintenance.cap,
        overlap=shape.overlap,
        service_hours=shape.service_hours,
        weights=dict(shape.weights),
        parts=parts,
        blind_after_ms=shape.blind_after or 0,
    )


def _customers(shape: CustomersShape) -> CustomerTerms:
    major = shape.major_event_days
    terms = CustomerTerms(served=dict(shape.served), momentary_ms=shape.momentary, accrues=shape.accrues)
    if isinstance(major, int):
        return replace(terms, major_days="fixed", major_saidi_ms=major)
    return replace(terms, major_days=major or "")


def _repeated(names: Iterable[str]) -> list[str]:
    seen: set[str] = set()
    repeated: dict[str, None] = {}
    for name in names:
        if name in seen:
            repeated[name] = None
        seen.add(name)
    return list(repeated)
