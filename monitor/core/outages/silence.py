"""Silence: when a service counts as not monitored because no event about it came for too long (domain.md §5).

Each event about an outage, and each ``heartbeat``, shows that its service was monitored at that instant. From there the
service counts as monitored for ``blind_after``. All other time is blind, from the beginning of the agreement on, so a
service without any event was never monitored. The instant of the event counts, not its arrival, and the stretches form
a union, so neither the order of arrival nor the partition matters.

A monitored stretch is a record of its series, of the kind ``heard``, ``[start_ms, restored_ms)``. Silence is not stored
as a record: it is the rest of a window outside of these stretches.

Heartbeats never end. Those of each hour are a subject of their own, so that no ledger grows for ever.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from monitor.core.pieces import at_once, lots
from monitor.core.series.series import Change, OutageRecord, SeriesKey
from monitor.core.time.spans import NEVER_MS, Span, subtract, union, uniting
from monitor.core.time.units import HOUR_MS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from monitor.core.agreements.measures import OutageRule
    from monitor.core.facts.events import Fact
    from monitor.core.pieces import Pieces

HEARTBEAT: Final = "heartbeat"
"""The event that says only that the service is monitored."""
_HEARD: Final = "\x1fheard"
_SILENT: Final = "\x1fsilent"

Named = tuple[str, OutageRecord]


def heartbeat_subject(source_id: str, fact: Fact) -> str:
    """Return the id of the subject whose ledger keeps a heartbeat: one for each source and hour."""
    return f"{source_id}{_HEARD}{fact.time_ms // HOUR_MS}"


def heard_changes(
    outage_id: str, facts: Sequence[Fact], rule: OutageRule, series: SeriesKey, component: str
) -> list[Change]:
    """Return the stretches in which a subject's facts show that its service was monitored; none without a rule for it.

    A ``monitoring_lost`` does not show that the service was monitored.
    """
    if not rule.blind_after_ms:
        return []
    spans = union((one.time_ms, one.time_ms + rule.blind_after_ms) for one in facts if one.type != "monitoring_lost")
    return [
        Change(
            series, start_ms, (),
            outage=(
                f"{outage_id}{_HEARD}{start_ms}",
                OutageRecord("heard", start_ms, restored_ms=end_ms, component=component),
            ),
        )
        for start_ms, end_ms in spans
    ]  # fmt: skip


def with_silence(rule: OutageRule, records: Iterable[Named]) -> list[Named]:
    """Return the records with the ``heard`` ones replaced by the silence between them, as blind time."""
    return at_once(silencing(rule, records))


def silencing(rule: OutageRule, records: Iterable[Named]) -> Pieces[list[Named]]:
    """Run `with_silence` in pieces."""
    found: list[Named] = []
    vouched: list[Named] = []
    for lot in lots(records):
        found += [named for named in lot if named[1].kind != "heard"]
        vouched += [named for named in lot if named[1].kind == "heard"]
        yield
    heard_of = yield from _heard(rule, vouched)
    for service, heard in heard_of.items():
        for start_ms, end_ms in subtract([(0, NEVER_MS)], heard):
            until_ms = 0 if end_ms == NEVER_MS else end_ms
            silent = OutageRecord("blind", start_ms, restored_ms=until_ms, component=service)
            found.append((f"{service}{_SILENT}{start_ms}", silent))
    return found


def silent_at(rule: OutageRule, records: Iterable[Named], at_ms: int) -> Pieces[tuple[int, int | None]]:
    """Return how many services are silent at an instant, and when the next one will be if no more events come.

    In pieces, because there may be as many monitored stretches as heartbeats.
    """
    silent, next_ms = 0, None
    heard_of = yield from _heard(rule, records)
    for heard in heard_of.values():
        end_ms = next((one.end_ms for one in heard if one.start_ms <= at_ms < one.end_ms), None)
        if end_ms is None:
            silent += 1
        else:
            next_ms = min(next_ms or end_ms, end_ms)
    return silent, next_ms


def _heard(rule: OutageRule, records: Iterable[Named]) -> Pieces[dict[str, list[Span]]]:
    """Return the monitored spans of each service ("": the only one of its series); empty without ``blind_after``."""
    if not rule.blind_after_ms:
        return {}
    parts = rule.parts or (("",),)
    spans: dict[str, list[Span]] = {service: [] for part in parts for service in part}
    for lot in lots(records):
        for _, one in lot:
            if one.kind == "heard" and one.component in spans:
                spans[one.component].append(Span(one.start_ms, one.restored_ms))
        yield
    found = {}
    for service, own in spans.items():
        found[service] = yield from uniting(own)
    return found
