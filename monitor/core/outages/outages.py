"""Outages and maintenance: the records that one of them contributes to its series, from its facts alone (domain.md §5).

**An outage** lasts from the first ``started`` to the first full ``restored`` or ``resolved``; a relapse is an outage of
its own, with its own id. Of every other step the first one at or after the start counts. A step that is known only from
before the start comes from a skewed clock: it is moved to the start and the outage is flagged, never negative.

**Weight**: the share of the service or of its customers that is down. ``started``, ``degraded``, ``impact_changed`` and
``restored`` set it by their ``weight`` (0..1), else by ``customers_affected / customers_total``, else by the weight
that the agreement gives to their ``severity``, else by the customers affected of those that the agreement says are
served. It is 1 until a fact says otherwise, and a fact with none of these leaves it unchanged. A ``restored`` that
still names a weight or affected customers is one step of a stepwise restoration, not the end.

**Maintenance** is excluded only if it was announced in time, and only while it really happened. The window is that of
the last announcement made at least the rule's notice before its own start. The first ``maintenance_started`` and the
last ``maintenance_ended`` cut it. So short-notice changes and maintenance announced after the fact excuse nothing.

**Customers** are kept as steps if the agreement counts them; the first number that a fact names holds from the start.

**Blind time** lasts from ``monitoring_lost`` to the next ``monitoring_restored`` of a subject, any number of times.
Silence is blind time, too, if the agreement says so: `monitor.core.outages.silence`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from monitor.core.agreements.measures import ANY
from monitor.core.facts.events import counts_as
from monitor.core.facts.ledger import attributes_of
from monitor.core.outages.customers import served_of
from monitor.core.outages.silence import heard_changes
from monitor.core.series.parts import name_of
from monitor.core.series.series import LIVE, Change, OutageRecord, SeriesKey

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from monitor.core.agreements.measures import OutageRule
    from monitor.core.facts.events import Fact, Value

_STEPS: Final = (
    frozenset({"acknowledged"}),
    frozenset({"responded"}),
    frozenset({"restored", "resolved"}),
    frozenset({"resolved"}),
)
"""The facts that take an outage to the four steps of its repair: acknowledged, responded, restored, resolved."""
_WEIGHS: Final = frozenset({"started", "degraded", "impact_changed", "restored"})

MAINTENANCE: Final = "\x1fmaintenance"
"""The suffix for the id of a maintenance whose subject is an outage too; no id holds a control character."""
BLIND: Final = "\x1fblind"
"""The suffix, before the start, for the id of a stretch in which a subject was not monitored."""


def outage_changes(outage_id: str, facts: Sequence[Fact], rule: OutageRule, series: SeriesKey) -> list[Change]:
    """Return the changes of a subject in its series: it may be an outage, a maintenance, blind time, or several.

    Each of these has one change with its record at its start; an open outage also has one in the live pane, with its
    start. A cancelled subject, an outage with an unknown start, and maintenance that excludes nothing have only the
    records that their service was monitored when their events happened. Facts are ordered. A long id is replaced by its
    hash.
    """
    outage_id = name_of(outage_id)
    component = str(attributes_of(facts).get("service", "")) if rule.parts else ""
    heard = heard_changes(outage_id, facts, rule, series, component)
    if any(fact.type == "cancelled" for fact in facts):
        return heard
    changes: list[Change] = []
    served = served_of(rule.customers, series.values) if rule.customers is not None else None
    outage, flagged = _outage(facts, rule, component, served or None)
    if outage is not None:
        counts = (("flagged", 1),) if flagged else ()
        changes.append(Change(series, outage.start_ms, counts, outage=(outage_id, outage)))
        if not outage.restored_ms:
            changes.append(Change(series, LIVE, (("open", 1),), call=(outage_id, outage.start_ms)))
    maintenance = _maintenance(facts, rule.notice_ms)
    if maintenance is not None:
        item_id = outage_id + MAINTENANCE if changes else outage_id
        maintenance = maintenance._replace(component=component)
        changes.append(Change(series, maintenance.start_ms, (), outage=(item_id, maintenance)))
    for start_ms, end_ms in _blind(facts):
        blind = OutageRecord("blind", start_ms, restored_ms=end_ms, component=component)
        changes.append(Change(series, start_ms, (), outage=(f"{outage_id}{BLIND}{start_ms}", blind)))
        if not end_ms:
            changes.append(Change(series, LIVE, (("blind", 1),)))
    return changes + heard


def announced_until_ms(facts: Sequence[Fact]) -> int:
    """Return the latest announced end of a maintenance; 0 if none is announced.

    Until then its subject is not over, even without further events.
    """
    until_ms = 0
    for fact in facts:
        if fact.type == "cancelled":
            return 0
        ends_ms = fact.attributes.get("ends_at_ms")
        if fact.type == "maintenance_announced" and isinstance(ends_ms, int):
            until_ms = max(until_ms, ends_ms)
    return until_ms


def _outage(
    facts: Sequence[Fact], rule: OutageRule, component: str, served: int | None
) -> tuple[OutageRecord | None, bool]:
    """Return the outage's record (None: it has no start), and whether a step had to be moved to the start."""
    start_ms = next((fact.time_ms for fact in facts if fact.type == "started"), None)
    if start_ms is None:
        return None, False
    steps = [_first(facts, types, start_ms) for types in _STEPS]
    acknowledged_ms, responded_ms, restored_ms, resolved_ms = (at_ms for at_ms, _ in steps)
    record = OutageRecord(
        "outage", start_ms, acknowledged_ms, responded_ms, restored_ms, resolved_ms,
        _weights(facts, start_ms, restored_ms, rule.weights, served),
        parent=next(
            (name_of(str(fact.attributes["parent"])) for fact in reversed(facts) if "parent" in fact.attributes), ""
        ),
        component=component,
    )  # fmt: skip
    if rule.customers is not None:
        total = attributes_of(facts).get("customers_total")
        record = record._replace(
            customers=_customers(facts, start_ms, restored_ms),
            customers_total=max(0, total) if isinstance(total, int) else 0,
        )
    return record, any(moved for _, moved in steps)


def _first(facts: Sequence[Fact], types: frozenset[str], start_ms: int) -> tuple[int, bool]:
    """Return when one of these facts first happened, not before the start (0: not yet), and whether it was moved."""
    early = False
    for fact in facts:
        if counts_as(fact, types):
            if fact.time_ms >= start_ms:
                return fact.time_ms, False
            early = True
    return (start_ms, True) if early else (0, False)


def _weights(
    facts: Sequence[Fact], start_ms: int, restored_ms: int, by_severity: Mapping[str, float], served: int | None
) -> tuple[tuple[int, float], ...]:
    steps = [(start_ms, 1.0)]
    total: float | None = None
    for fact in facts:
        total = _number(fact.attributes.get("customers_total"), total)
        if fact.type not in _WEIGHS or fact.time_ms < start_ms:
            continue
        if restored_ms and fact.time_ms >= max(restored_ms, start_ms + 1):
            break
        weight = _share(fact.attributes, total)
        if weight is None and by_severity and "severity" in fact.attributes:
            weight = by_severity.get(str(fact.attributes["severity"]), by_severity.get(ANY))
        if weight is None:
            weight = _share(fact.attributes, served)
        if weight is None or weight == steps[-1][1]:
            continue
        if steps[-1][0] == fact.time_ms:
            steps.pop()
        steps.append((fact.time_ms, weight))
    return tuple(steps)


def _share(attributes: dict[str, Value], total: float | None) -> float | None:
    """Return the share that is down, or None if the attributes do not hold it."""
    weight = _number(attributes.get("weight"))
    if weight is None:
        affected = _number(attributes.get("customers_affected"))
        if affected is None or not (affected <= 0 or total):
            return None
        weight = affected / total if total else 0.0
    return min(1.0, max(0.0, weight))


def _number(value: Value | None, otherwise: float | None = None) -> float | None:
    return float(value) if isinstance(value, int | float) else otherwise


def _customers(facts: Sequence[Fact], start_ms: int, restored_ms: int) -> tuple[tuple[int, int], ...]:
    steps: list[tuple[int, int]] = []
    for fact in facts:
        affected = fact.attributes.get("customers_affected")
        if fact.type not in _WEIGHS or fact.time_ms < start_ms or not isinstance(affected, int):
            continue
        if restored_ms and fact.time_ms >= max(restored_ms, start_ms + 1):
            break
        number, at_ms = max(0, affected), fact.time_ms if steps else start_ms
        if steps and steps[-1][0] == at_ms:
            steps.pop()
        if not steps or steps[-1][1] != number:
            steps.append((at_ms, number))
    return tuple(steps)


def _blind(facts: Sequence[Fact]) -> list[tuple[int, int]]:
    """Return the stretches that were not monitored; the end of an open one is 0."""
    stretches: list[tuple[int, int]] = []
    for fact in facts:
        is_open = bool(stretches) and not stretches[-1][1]
        if fact.type == "monitoring_lost" and not is_open:
            stretches.append((fact.time_ms, 0))
        elif fact.type == "monitoring_restored" and is_open:
            stretches[-1] = (stretches[-1][0], fact.time_ms)
    return stretches


def _maintenance(facts: Sequence[Fact], notice_ms: int) -> OutageRecord | None:
    """Return the record of the maintenance that is excluded, or None."""
    start_ms = end_ms = announced_ms = 0
    for fact in facts:
        if fact.type == "maintenance_announced":
            starts_ms, ends_ms = fact.attributes.get("starts_at_ms"), fact.attributes.get("ends_at_ms")
            if (
                isinstance(starts_ms, int)
                and isinstance(ends_ms, int)
                and fact.time_ms + notice_ms <= starts_ms < ends_ms
            ):
                start_ms, end_ms, announced_ms = starts_ms, ends_ms, fact.time_ms
    if not end_ms:
        return None
    began_ms = next((fact.time_ms for fact in facts if fact.type == "maintenance_started"), start_ms)
    over_ms = next((fact.time_ms for fact in reversed(facts) if fact.type == "maintenance_ended"), end_ms)
    start_ms, end_ms = max(start_ms, began_ms), min(end_ms, over_ms)
    if start_ms >= end_ms:
        return None
    return OutageRecord("maintenance", start_ms, restored_ms=end_ms, announced_ms=announced_ms)
