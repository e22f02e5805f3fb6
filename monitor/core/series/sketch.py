"""A mergeable histogram of durations with logarithmic buckets, for percentiles (domain.md §7).

The state is a plain ``dict[int, int]``, bucket to count, so that it can stand in a row. It is additive both ways:
``add(b, value, -1)`` is the exact inverse of ``add(b, value)``, merging is addition, and a bucket whose count
returns to zero is removed, so equal contents are equal dicts.

**Guarantee.** The estimate of a value, and so of a quantile, is within ``RELATIVE_ERROR`` (1/128, 0.78 %) of the true
value, whatever the distribution; durations below 128 ms are exact.

**Buckets.** Each power of two is cut into 64 equal parts: 0..127 have a bucket each, 128..255 one per 2 ms, 256..511
one per 4 ms. In ``[2^e, 2^(e+1))`` a bucket is ``2^(e-6)`` wide, its midpoint is at most half of that away from any of
its values, and each value is at least ``2^e``: the error is below ``2^-7``. The layout is that of the HDR histogram
(http://hdrhistogram.org); a day's durations touch at most 1,300 buckets, 200 years' 2,700. The numbers stand in stored
rows: changing the layout needs a new row version.
"""

from __future__ import annotations

from bisect import bisect_left
from itertools import accumulate
from math import ceil
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

RELATIVE_ERROR: Final = 1 / 128
"""The largest ``|estimate - value| / value`` of any estimate."""

_EXACT_BELOW: Final = 128
_EXACT_BITS: Final = 7


def bucket_of(value_ms: int) -> int:
    """Return the bucket of a duration; a longer duration never has a smaller bucket.

    Raises:
        ValueError: the duration is negative (domain.md §2: the caller clamps, counts and flags those).
    """
    if value_ms < _EXACT_BELOW:
        if value_ms < 0:
            raise ValueError(f"a duration is not negative: {value_ms} ms")
        return value_ms
    shift = value_ms.bit_length() - _EXACT_BITS
    return (shift << 6) + (value_ms >> shift)


def value_of(bucket: int) -> float:
    """Return the estimate, in milliseconds, for the durations of a bucket: the middle of its integers."""
    if bucket < _EXACT_BELOW:
        return float(bucket)
    shift = (bucket >> 6) - 1
    lowest = (bucket - (shift << 6)) << shift
    return lowest + ((1 << shift) - 1) / 2


def above(bucket: int) -> int:
    """Return the shortest duration, in milliseconds, that is longer than all durations of a bucket."""
    if bucket < _EXACT_BELOW:
        return bucket + 1
    shift = (bucket >> 6) - 1
    return (bucket - (shift << 6) + 1) << shift


def add(buckets: dict[int, int], value_ms: int, n: int = 1) -> None:
    """Put a duration in ``n`` times; a negative ``n`` takes it out again.

    Raises:
        ValueError: the duration is negative.
    """
    count(buckets, bucket_of(value_ms), n)


def count(buckets: dict[int, int], bucket: int, n: int) -> None:
    """Put ``n`` durations of a bucket in, or take them out."""
    held = buckets.get(bucket, 0) + n
    if held:
        buckets[bucket] = held
    else:
        buckets.pop(bucket, None)


def merge(into: dict[int, int], other: Mapping[int, int]) -> None:
    """Add the counts of ``other`` to ``into``. Order and grouping of merges do not matter."""
    # Copied: a sketch may be merged into itself.
    for bucket, n in tuple(other.items()):
        count = into.get(bucket, 0) + n
        if count:
            into[bucket] = count
        else:
            into.pop(bucket, None)


def quantile(buckets: Mapping[int, int], q: float) -> float | None:
    """Return the estimate, in milliseconds, of the quantile ``q`` (0.95 is p95), or None for an empty sketch.

    Rank convention: nearest rank. Of ``n`` durations it is the smallest one that at least ``q * n`` of them do not
    exceed, number ``ceil(q * n)`` in ascending order; ``q = 0`` gives the smallest. It is always an estimate of a
    duration that was seen, never an interpolation between two.

    Raises:
        ValueError: ``q`` is outside 0..1, or a count is negative (more was taken out than put in: the caller's state
            is broken).
    """
    return quantiles(buckets, (q,))[0]


def quantiles(buckets: Mapping[int, int], qs: Sequence[float]) -> list[float | None]:
    """Return the quantiles ``qs``, in their order, each as `quantile` does; the buckets are sorted only once.

    Raises:
        ValueError: as `quantile` does.
    """
    return [None if one is None else value_of(one.bucket) for one in places(buckets, qs)]


class Place(NamedTuple):
    """The place of a quantile in a sketch: its bucket, and how many durations of that bucket have a higher rank."""

    bucket: int
    higher: int


def places(buckets: Mapping[int, int], qs: Sequence[float]) -> list[Place | None]:
    """Return the places of the quantiles ``qs``, in their order; None for an empty sketch.

    Raises:
        ValueError: as `quantile` does.
    """
    for q in qs:
        if not 0 <= q <= 1:
            raise ValueError(f"a quantile lies between 0 and 1: {q}")
    counts = buckets.values()
    if counts and min(counts) < 0:
        bucket = next(bucket for bucket, count in buckets.items() if count < 0)
        raise ValueError(f"bucket {bucket} holds {buckets[bucket]} durations: more were taken out than put in")
    total = sum(counts)
    found: list[Place | None] = [None] * len(qs)
    if not total:
        return found
    ascending = sorted(buckets)
    seen = list(accumulate([buckets[bucket] for bucket in ascending]))
    for number, q in enumerate(qs):
        rank = rank_of(q, total)
        at = bisect_left(seen, rank)
        found[number] = Place(ascending[at], seen[at] - rank)
    return found


def counts_within(buckets: Mapping[int, int], bounds_ms: Sequence[int]) -> list[int]:
    """Return how many durations are at most each bound (ascending, in milliseconds), and how many there are at all.

    The bucket that holds a bound counts as within it. So durations that exceed the bound by up to twice
    `RELATIVE_ERROR` may be counted, but none that keeps the bound is missing.
    """
    bounds = [bucket_of(bound_ms) for bound_ms in bounds_ms]
    counts = [0] * (len(bounds) + 1)
    for bucket, n in buckets.items():
        counts[bisect_left(bounds, bucket)] += n
    return list(accumulate(counts))


def rank_of(q: float, n: int) -> int:
    """Return the rank of the quantile among ``n`` durations in ascending order: 1 to n; 0 if there are none."""
    # Rounded: 0.07 * 100 is a little above 7 in binary, and its rank is 7.
    return max(1, ceil(round(q * n, 9))) if n else 0
