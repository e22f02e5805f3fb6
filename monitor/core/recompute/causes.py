"""The causes of differences between judged and recomputed: another version of the agreement, or late events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from monitor.core.facts.events import Event

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from monitor.core.recompute.differences import ClockDifference, ClockId, PeriodDifference

CauseKind = Literal["agreement", "late_events", "unknown"]


class Arrived(NamedTuple):
    """An event and when it arrived (milliseconds of the broker's or producer's clock)."""

    event: Event
    arrived_ms: int


class Cause(NamedTuple):
    """The cause of the difference between two verdicts.

    ``versions`` are the agreement's versions by which it was judged and is recomputed (-1: none), if they differ.
    ``events`` are the ids of the events that came after the verdict, or after a later event of their subject.
    ``unknown`` is neither: the verdict has not been announced yet, or other events were judged than are recomputed.
    """

    kind: CauseKind
    versions: tuple[int, int] = (-1, -1)
    events: tuple[str, ...] = ()


def clock_cause(difference: ClockDifference, versions: Mapping[ClockId, int], of_subject: Sequence[Arrived]) -> Cause:
    """Return why a clock was judged differently from its recomputation.

    Args:
        difference: as judged (``one``) and as recomputed (``other``).
        versions: the agreement's version by which each clock is recomputed.
        of_subject: the events of the clock's subject, in the order of their arrival.
    """
    judged = difference.one
    now = versions.get(difference.clock, -1)
    changed = next((one for one in judged.versions if one != now), None)
    if changed is not None:
        return Cause("agreement", (changed, now))
    if judged.told_ms is not None:
        told_ms, last_ms = judged.told_ms, max(judged.breached_ms)
        late = [one for one in of_subject if one.arrived_ms > told_ms and one.event.fact.time_ms <= last_ms]
    else:
        late = out_of_order(of_subject)
    return _late(late)


def out_of_order(of_subject: Iterable[Arrived]) -> list[Arrived]:
    """Return the events that arrived after a later one of the same subject."""
    newest_ms = None
    found = []
    for one in of_subject:
        time_ms = one.event.fact.time_ms
        if newest_ms is not None and time_ms < newest_ms:
            found.append(one)
        else:
            newest_ms = time_ms
    return found


def period_cause(difference: PeriodDifference, stated_ms: int | None, of_measure: Iterable[Arrived]) -> Cause:
    """Return why a period was stated differently from its recomputation.

    Args:
        difference: as stated (``one``) and as recomputed (``other``).
        stated_ms: when the statement was written; None if there is no statement.
        of_measure: the events that the measure counts, in the order of their arrival.
    """
    stated, now = difference.one, difference.other
    if stated is not None and now is not None and stated.version != now.version:
        return Cause("agreement", (stated.version, now.version))
    if stated is None or stated_ms is None:
        return Cause("unknown")
    return _late(one for one in of_measure if one.arrived_ms > stated_ms and one.event.fact.time_ms < stated.to_ms)


def _late(events: Iterable[Arrived]) -> Cause:
    ids = tuple(dict.fromkeys(one.event.fact.id for one in events))
    return Cause("late_events", events=ids) if ids else Cause("unknown")
