"""Composite services: the outages of a service that is made of others (domain.md §5).

A part that is down takes the service down with it. A redundant part is down only while all its services are down. The
weight of a redundant part is the least of its services' weights. The weight of the composite service is the largest of
its parts' weights (or their sum up to 1, by the overlap rule). Maintenance and blind time follow the same logic: they
hold for the service while they hold for all services of a part.

The results are records again, so the figures of a composite service are computed like those of any other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.core.outages.downtime import steps_of
from monitor.core.pieces import LOT, at_once, lots
from monitor.core.series.series import OutageRecord
from monitor.core.time.spans import NEVER_MS, Span, intersect, leveling, union, uniting

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from monitor.core.agreements.measures import OutageRule
    from monitor.core.pieces import Pieces
    from monitor.core.time.spans import OverlapRule

Level = tuple[int, int, float]


def composite_records(rule: OutageRule, records: Iterable[tuple[str, OutageRecord]]) -> list[tuple[str, OutageRecord]]:
    """Return the outages, maintenance and blind time of a composite service, from those of its components.

    An outage lasts as long as the service is down without a gap, even if different parts are down in turn.
    """
    return at_once(composing(rule, records))


def composing(rule: OutageRule, records: Iterable[tuple[str, OutageRecord]]) -> Pieces[list[tuple[str, OutageRecord]]]:
    """Run `composite_records` in pieces."""
    by_kind: dict[str, dict[str, list[OutageRecord]]] = {"outage": {}, "maintenance": {}, "blind": {}}
    for lot in lots(records):
        for _, one in lot:
            by_kind[one.kind].setdefault(one.component, []).append(one)
        yield
    together: list[Level] = []
    for part in rule.parts:
        together += yield from _down_together(part, by_kind["outage"], rule.overlap)
    down = yield from leveling(together, rule.overlap)
    outages = yield from _outages(down)
    found = [(f"down-{one.start_ms}", one) for one in outages]
    maintained = yield from _concerned(rule, by_kind["maintenance"])
    for start_ms, end_ms in maintained:
        # Every component's maintenance was announced in time for its own start, because no other is kept.
        record = OutageRecord("maintenance", start_ms, restored_ms=end_ms, announced_ms=start_ms - rule.notice_ms)
        found.append((f"maintenance-{start_ms}", record))
    unseen = yield from _concerned(rule, by_kind["blind"])
    for start_ms, end_ms in unseen:
        ended_ms = 0 if end_ms == NEVER_MS else end_ms
        found.append((f"blind-{start_ms}", OutageRecord("blind", start_ms, restored_ms=ended_ms)))
    return found


def _down_together(
    part: Sequence[str], outages: dict[str, list[OutageRecord]], overlap: OverlapRule
) -> Pieces[list[Level]]:
    """Return the stretches in which all services of a part are down, with the least of their weights."""
    together: list[Level] | None = None
    for service in part:
        steps = (step for one in outages.get(service, ()) for step in steps_of(one, NEVER_MS))
        levels = yield from leveling(steps, overlap)
        together = levels if together is None else (yield from _least(together, levels))
    return together or []


def _least(left: Sequence[Level], right: Sequence[Level]) -> Pieces[list[Level]]:
    """Return the stretches in which both are down, with the lesser weight. Levels are in order and do not overlap."""
    both: list[Level] = []
    i = j = 0
    while i < len(left) and j < len(right):
        if (i + j) % LOT == LOT - 1:
            yield
        start_ms, end_ms = max(left[i][0], right[j][0]), min(left[i][1], right[j][1])
        if start_ms < end_ms:
            both.append((start_ms, end_ms, min(left[i][2], right[j][2])))
        if left[i][1] < right[j][1]:
            i += 1
        else:
            j += 1
    return both


def _outages(down: Sequence[Level]) -> Pieces[list[OutageRecord]]:
    outages: list[OutageRecord] = []
    for place, (start_ms, end_ms, weight) in enumerate(down):
        if place % LOT == LOT - 1:
            yield
        ended_ms = 0 if end_ms == NEVER_MS else end_ms
        before = outages[-1] if outages else None
        if before is not None and before.restored_ms == start_ms:
            weights = before.weights
            if weights[-1][1] != weight:
                weights = (*weights, (start_ms, weight))
            outages[-1] = before._replace(restored_ms=ended_ms, weights=weights)
        else:
            outages.append(OutageRecord("outage", start_ms, restored_ms=ended_ms, weights=((start_ms, weight),)))
    return outages


def _concerned(rule: OutageRule, records: dict[str, list[OutageRecord]]) -> Pieces[list[Span]]:
    """Return the spans in which records of this kind exist for all services of at least one part."""
    spans: list[Span] = []
    for part in rule.parts:
        whole: list[Span] | None = None
        for service in part:
            own = yield from uniting((one.start_ms, one.restored_ms or NEVER_MS) for one in records.get(service, ()))
            whole = own if whole is None else intersect(whole, own)
        spans += whole or []
    return union(spans)
