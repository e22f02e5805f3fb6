"""Downtime in a period: the weighted union of outages, within service hours, without excluded maintenance.

P   the period: its service hours
X   maintenance that was announced in time, up to the cap of the window; within P
D   the weighted union of the outages within P;   D' = D without its part in X      (domain.md §5)
B   blind time: time within P in which the monitor saw nothing and no outage was known. It is neither up nor down, so
    availability is measured in P without B
"""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

from monitor.core.pieces import choosing, lots
from monitor.core.time.spans import Span, intersect, measure, subtract, union, uniting, weighing

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from monitor.core.agreements.measures import OutageRule
    from monitor.core.pieces import Pieces
    from monitor.core.series.series import OutageRecord
    from monitor.core.time.calendar import Calendar


Step = tuple[int, int, float]


class Downtime(NamedTuple):
    """P, B, X and the downtime that counts under the rule's exclusion, in milliseconds.

    ``downtime_ms`` is D for the exclusion ``none``, else D'. Outages that are reported during maintenance which is not
    excluded count as downtime. With a cap, maintenance is excluded in order of time until ``cap_ms`` are used up.
    """

    period_ms: int
    blind_ms: int
    excluded_ms: int
    downtime_ms: float


def downtime_of(
    rule: OutageRule,
    outages: Sequence[OutageRecord],
    maintenance: Iterable[OutageRecord],
    from_ms: int,
    end_ms: int,
    hours: Calendar | None,
    blind: Sequence[OutageRecord] = (),
) -> Pieces[Downtime]:
    """Return the downtime in ``[from_ms, end_ms)``, in pieces."""
    period = hours.open_spans(from_ms, end_ms) if hours is not None else union([(from_ms, end_ms)])
    period_ms = measure(period)
    if blind:
        known = yield from uniting((one.start_ms, one.restored_ms or end_ms) for one in outages)
        unseen = yield from uniting((one.start_ms, one.restored_ms or end_ms) for one in blind)
        period = subtract(period, subtract(unseen, known))
    blind_ms = period_ms - measure(period) if blind else 0
    excluded = _excluded(rule, maintenance, period) if rule.exclusion != "none" else []
    scale = _Scale(subtract(period, excluded) if excluded else period)
    touching = yield from choosing(
        outages, lambda one: one.start_ms < end_ms and (not one.restored_ms or one.restored_ms > from_ms)
    )
    if not touching:
        return Downtime(period_ms, blind_ms, measure(excluded), 0.0)
    steps: Iterable[Step] = (step for one in touching for step in steps_of(one, end_ms))
    if rule.overlap == "max":
        steps = yield from _joined(steps)
    down = ((scale.at(a), scale.at(b), weight) for a, b, weight in steps)
    downtime_ms = yield from weighing(down, rule.overlap)
    return Downtime(period_ms, blind_ms, measure(excluded), downtime_ms)


class _Scale:
    """A time scale that advances only inside the spans: it maps an instant to the time of the spans before it.

    Weighing outages on this scale cuts them to the spans, without cutting every outage by every span.
    """

    __slots__ = ("_before_ms", "_spans", "_starts")

    def __init__(self, spans: Sequence[Span]) -> None:
        self._spans = spans
        self._starts = [one.start_ms for one in spans]
        self._before_ms = [0, *accumulate(one.end_ms - one.start_ms for one in spans)]

    def at(self, at_ms: int) -> int:
        """Return the milliseconds of the spans before an instant."""
        i = bisect_right(self._starts, at_ms) - 1
        if i < 0:
            return 0
        return self._before_ms[i] + min(at_ms, self._spans[i].end_ms) - self._spans[i].start_ms


def _joined(steps: Iterable[Step]) -> Pieces[list[Step]]:
    """Return the union of the stretches of each weight: in a flood, tens of thousands of stretches become a few."""
    spans: dict[float, list[tuple[int, int]]] = {}
    for lot in lots(steps):
        for start_ms, end_ms, weight in lot:
            spans.setdefault(weight, []).append((start_ms, end_ms))
        yield
    found: list[Step] = []
    for weight, of_weight in spans.items():
        united = yield from uniting(of_weight)
        found += [(start_ms, end_ms, weight) for start_ms, end_ms in united]
    return found


def steps_of(record: OutageRecord, end_ms: int) -> Iterator[Step]:
    """Yield the stretches of an outage with their weights; an open outage lasts until ``end_ms``."""
    over_ms = min(record.restored_ms, end_ms) if record.restored_ms else end_ms
    weights = record.weights or ((record.start_ms, 1.0),)
    for index, (at_ms, weight) in enumerate(weights):
        next_ms = weights[index + 1][0] if index + 1 < len(weights) else over_ms
        yield at_ms, min(next_ms, over_ms), weight


def _excluded(rule: OutageRule, maintenance: Iterable[OutageRecord], period: Sequence[Span]) -> list[Span]:
    announced = [
        (one.start_ms, one.restored_ms)
        for one in maintenance
        if one.announced_ms and one.announced_ms + rule.notice_ms <= one.start_ms
    ]
    spans = intersect(announced, period)
    if not rule.cap_ms:
        return spans
    capped: list[Span] = []
    left_ms = rule.cap_ms
    for start_ms, end_ms in spans:
        if left_ms <= 0:
            break
        capped.append(Span(start_ms, min(end_ms, start_ms + left_ms)))
        left_ms -= end_ms - start_ms
    return capped
