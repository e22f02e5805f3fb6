"""Spans of time and their algebra: union, intersection, difference, measure.

A span is half-open, ``[start_ms, end_ms)``, in epoch milliseconds: ``Span(9, 17)`` holds 9 and not 17, and
``Span(17, 18)`` touches it without an overlap. A span that ends at or before its start is empty: a value, not an error.

Every function takes spans in any order, overlapping, touching or empty, and returns them in **normal form**: sorted by
start, disjoint, not touching, none empty. So an instant counts once, however many spans hold it: the downtime of
overlapping outages and the length of nested pauses are the measure of a union, never a sum (domain.md §3 and §5).
"""

from __future__ import annotations

from math import fsum, isnan
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from monitor.core.pieces import LOT, at_once, gathering, lots, sorting

if TYPE_CHECKING:
    from collections.abc import Iterable

    from monitor.core.pieces import Pieces

OverlapRule = Literal["max", "sum"]

NEVER_MS: Final = 1 << 62
"""Later than any instant: the end of a span that has no end."""


class Span(NamedTuple):
    """The instants ``t`` with ``start_ms <= t < end_ms``."""

    start_ms: int
    end_ms: int


def union(spans: Iterable[tuple[int, int]]) -> list[Span]:
    """Return the instants that at least one of the spans holds, in normal form."""
    merged: list[Span] = []
    _join(merged, sorted(spans))
    return merged


def uniting(spans: Iterable[tuple[int, int]]) -> Pieces[list[Span]]:
    """Run `union` in pieces, because there may be a hundred thousand spans."""
    parts: list[Span] = []
    for lot in lots(spans):
        parts += union(lot)
        yield
    merged: list[Span] = []
    for lot in lots((yield from sorting(parts))):
        _join(merged, lot)
        yield
    return merged


def _join(merged: list[Span], spans: Iterable[tuple[int, int]]) -> None:
    """Add spans to a union, in place. They must be in the order of their starts and not start before its last span."""
    for start_ms, end_ms in spans:
        if start_ms >= end_ms:
            continue
        if merged and start_ms <= merged[-1].end_ms:
            if end_ms > merged[-1].end_ms:
                merged[-1] = Span(merged[-1].start_ms, end_ms)
        else:
            merged.append(Span(start_ms, end_ms))


def intersect(a: Iterable[tuple[int, int]], b: Iterable[tuple[int, int]]) -> list[Span]:
    """Return the instants that both ``a`` and ``b`` hold, in normal form."""
    left, right = union(a), union(b)
    common: list[Span] = []
    i = j = 0
    while i < len(left) and j < len(right):
        start_ms = max(left[i].start_ms, right[j].start_ms)
        end_ms = min(left[i].end_ms, right[j].end_ms)
        if start_ms < end_ms:
            common.append(Span(start_ms, end_ms))
        if left[i].end_ms < right[j].end_ms:
            i += 1
        else:
            j += 1
    return common


def subtract(a: Iterable[tuple[int, int]], b: Iterable[tuple[int, int]]) -> list[Span]:
    """Return the instants that ``a`` holds and ``b`` does not, in normal form."""
    holes = union(b)
    rest: list[Span] = []
    j = 0
    for start_ms, end_ms in union(a):
        while j < len(holes) and holes[j].end_ms <= start_ms:
            j += 1
        from_ms, k = start_ms, j
        while k < len(holes) and holes[k].start_ms < end_ms:
            if from_ms < holes[k].start_ms:
                rest.append(Span(from_ms, holes[k].start_ms))
            from_ms = holes[k].end_ms
            k += 1
        if from_ms < end_ms:
            rest.append(Span(from_ms, end_ms))
    return rest


def measure(spans: Iterable[tuple[int, int]]) -> int:
    """Return the milliseconds that the spans hold together; an instant counts once."""
    return sum(end_ms - start_ms for start_ms, end_ms in union(spans))


def weighted_measure(spans: Iterable[tuple[int, int, float]], rule: OverlapRule) -> float:
    """Return the weighted downtime in milliseconds of ``(start_ms, end_ms, weight)`` spans (`weighted_levels`).

    With all weights 1 it equals ``measure``.

    Raises:
        ValueError: a weight is not a number.
    """
    return at_once(weighing(spans, rule))


def weighing(spans: Iterable[tuple[int, int, float]], rule: OverlapRule) -> Pieces[float]:
    """Run `weighted_measure` in pieces."""
    levels = yield from leveling(spans, rule)
    parts = yield from gathering((end_ms - start_ms) * level for start_ms, end_ms, level in levels)
    return fsum(parts)


def weighted_levels(spans: Iterable[tuple[int, int, float]], rule: OverlapRule) -> list[tuple[int, int, float]]:
    """Return the joint weight of ``(start_ms, end_ms, weight)`` spans: the stretches, in order, in which it is not 0.

    A weight is the share of the service or of its customers that a span takes down, 0..1 (domain.md §5). Other values
    are clamped: more customers affected than there are is the producer's mistake, not more than a full outage. Where
    spans overlap, ``max`` takes the largest weight and ``sum`` adds the weights up to at most 1.

    Raises:
        ValueError: a weight is not a number.
    """
    return at_once(leveling(spans, rule))


def leveling(spans: Iterable[tuple[int, int, float]], rule: OverlapRule) -> Pieces[list[tuple[int, int, float]]]:
    """Run `weighted_levels` in pieces."""
    edges: list[tuple[int, int, float]] = []
    for lot in lots(spans):
        for start_ms, end_ms, weight in lot:
            if isnan(weight):
                raise ValueError(f"the weight of the span {start_ms}..{end_ms} is not a number")
            share = min(1.0, max(0.0, weight))
            if start_ms < end_ms and share > 0:
                edges += [(start_ms, 1, share), (end_ms, -1, share)]
        yield
    # How many open spans have each weight: adding and taking away floats would leave their rounding behind.
    active: dict[float, int] = {}
    levels: list[tuple[int, int, float]] = []
    before_ms = work = 0
    for at_ms, step, share in (yield from sorting(edges)):
        if active and at_ms > before_ms:
            level = max(active) if rule == "max" else min(1.0, fsum(w * n for w, n in active.items()))
            levels.append((before_ms, at_ms, level))
        before_ms = at_ms
        count = active.get(share, 0) + step
        if count:
            active[share] = count
        else:
            del active[share]
        work += 4 + len(active)  # the possible cost of the next level: many weights may be open at once
        if work > 4 * LOT:
            work = 0
            yield
    return levels
