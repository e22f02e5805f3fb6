"""Figures of durations: percentiles and the longest, and the durations beyond their targets (domain.md §7).

The numerator of a percentile is the rank of the duration, the denominator the number of durations: "9 of 10" is the
ninth in ascending order. The longest has the last rank.

**The longest** is exact (`monitor.core.series.longest`), and so is a percentile with the last rank. Any other
percentile is an estimate of the sketch: its value may be wrong by `monitor.core.series.sketch.RELATIVE_ERROR`.

**Its verdict is not.** The targets of an agreement are known when a duration is measured: what is promised, what is at
risk, and where a credit begins. A sketch tells on which side of a target a duration lies, unless both are in the same
bucket. Durations of the target's bucket that exceed it are therefore counted by themselves, in the pane's count
`count_beyond`. From that count follows on which side of the target the percentile lies, and its estimate is moved to
that side. A duration that was measured before its target was known, or by an earlier release, has no such count: if it
lies in the bucket of the target, it counts as one that keeps it. So an error of the sketch can only be in favour of the
promise.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Final

from monitor.core.agreements.indicators import INDICATORS, NAMED
from monitor.core.series import sketch
from monitor.core.series.figures import Figure
from monitor.core.series.longest import FROM, longest_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from monitor.core.agreements.agreement import Agreement
    from monitor.core.series.series import Change, Pane


_QUANTILES: Final = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "longest": 1.0}
_PERCENTILES_OF: Final[dict[str, list[str]]] = {
    kind: [name for name, one in indicators.items() if one.sample == "durations"]
    for kind, indicators in INDICATORS.items()
}
_QUANTILES_OF: Final = {kind: [_QUANTILES[name] for name in names] for kind, names in _PERCENTILES_OF.items()}
_WITHIN: Final = f"within {sketch.RELATIVE_ERROR:.1%}".replace("%", " %")

Near = dict[int, tuple[tuple[int, str], ...]]
"""The targets of a measure, in milliseconds, by the bucket that they lie in, each with the name of its count."""


def targets_of(agreement: Agreement, measure_id: str) -> tuple[int, ...]:
    """Return the durations, in milliseconds and ascending, that percentiles of a measure are compared with.

    They are the targets and warnings of its objectives, and the bounds from which on credits are due.
    """
    objectives = [
        one for one in agreement.objectives if one.measure == measure_id and NAMED[one.indicator].sample == "durations"
    ]
    if not objectives:
        return ()
    # Of timeslices the share of good ones is at risk and credited; only the target is compared with the percentile.
    found = {one.target for one in objectives}
    found.update(one.at_risk for one in objectives if one.at_risk is not None and not one.by_slices)
    names = {one.id for one in objectives if not one.by_slices}
    found.update(
        tier.bound for credit in agreement.consequences.credits if credit.objective in names for tier in credit.tiers
    )
    return tuple(sorted({int(one) for one in found}))


def near_targets(agreements: Iterable[Agreement]) -> dict[tuple[str, str], Near]:
    """Return the targets of all measures that have any, by agreement and measure, those of all versions together."""
    found: dict[tuple[str, str], set[int]] = {}
    for agreement in agreements:
        for measure in {one.measure for one in agreement.objectives if NAMED[one.indicator].sample == "durations"}:
            found.setdefault((agreement.id, measure), set()).update(targets_of(agreement, measure))
    return {place: _by_bucket(sorted(targets)) for place, targets in found.items()}


def _by_bucket(targets: Collection[int]) -> Near:
    found: dict[int, tuple[tuple[int, str], ...]] = {}
    for target_ms in targets:
        bucket = sketch.bucket_of(target_ms)
        found[bucket] = (*found.get(bucket, ()), (target_ms, count_beyond(target_ms)))
    return found


def count_beyond(target_ms: int) -> str:
    """Return the name of the count of durations that are in the bucket of a target and exceed it."""
    return f"beyond_{target_ms}"


def with_beyond(change: Change, near: Near) -> Change:
    """Return a change that measures a duration, with a count for each target in its bucket that it exceeds."""
    value_ms = change.value_ms
    targets = near.get(sketch.bucket_of(value_ms))
    if targets is None:
        return change
    beyond = [(name, 1) for target_ms, name in targets if value_ms > target_ms]
    return change._replace(counts=(*change.counts, *beyond)) if beyond else change


def duration_figures(kind: str, pane: Pane, of: str, targets: Sequence[int] = ()) -> list[Figure]:
    """Return the percentiles, and the longest duration, that a kind of measure has among its indicators.

    Args:
        kind: the kind of the measure.
        pane: the sum of the window's panes.
        of: the durations in words, for the formulas.
        targets: the durations that the figures are compared with, ascending (`targets_of`).
    """
    n = sum(pane.buckets.values())
    places = sketch.places(pane.buckets, _QUANTILES_OF[kind])
    longest_ms = longest_of(pane.longest)
    figures: list[Figure] = []
    for name, q, place in zip(_PERCENTILES_OF[kind], _QUANTILES_OF[kind], places, strict=True):
        rank = sketch.rank_of(q, n)
        value: float | None = None
        is_exact = rank == n and longest_ms is not None
        if is_exact:
            value = longest_ms
        elif place is not None:
            value = _estimate(place, pane, targets, is_longest=rank == n)
        text = f"the longest of the {of}" if q == 1 else f"nearest rank {q:g} of the {of}"
        if q < 1:
            text += f", {_WITHIN}; exact against its target"
        elif n and not is_exact:
            text += f", {_WITHIN}"
        figures.append(Figure(name, value, rank, n, "ms", text))
    return figures


def _estimate(place: sketch.Place, pane: Pane, targets: Sequence[int], *, is_longest: bool) -> float:
    """Return the estimate of a percentile, on the side of each target on which the percentile itself lies."""
    bucket, higher = place
    value = sketch.value_of(bucket)
    at_most = inf
    if is_longest and FROM in pane.longest:
        at_most = pane.longest[FROM] - 1  # else it would be listed
    for target_ms in reversed(targets):
        if sketch.bucket_of(target_ms) != bucket:
            continue
        if pane.counts.get(count_beyond(target_ms), 0) > higher:
            return min(max(value, target_ms + 1), at_most)
        at_most = min(at_most, target_ms)
    return min(value, at_most)
