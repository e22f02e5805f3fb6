"""The sketch: its error bound over distributions, its laws, and ddsketch as an oracle."""

from __future__ import annotations

import random
from collections import Counter
from fractions import Fraction
from math import ceil

import pytest
from ddsketch import DDSketch
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.series.sketch import (
    RELATIVE_ERROR,
    add,
    bucket_of,
    counts_within,
    merge,
    quantile,
    quantiles,
    value_of,
)

YEARS_200_MS = 200 * 366 * 86_400_000
QUANTILES = (0, 0.01, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 1)

durations = st.integers(0, YEARS_200_MS) | st.integers(0, 300)
lists_of_durations = st.lists(durations, max_size=40)

DISTRIBUTIONS = {
    "uniform": lambda r: r.randrange(1_000_000),
    "seconds to hours, log-uniform": lambda r: int(10 ** r.uniform(3, 7.5)),
    "exponential waits": lambda r: int(r.expovariate(1 / 20_000)),
    "log-normal resolutions": lambda r: int(r.lognormvariate(15, 2)),
    "heavy tail": lambda r: int(1000 * r.paretovariate(0.7)),
    "two humps": lambda r: int(abs(r.gauss(*r.choice([(5_000, 500), (9_000_000, 800_000)])))),
    "one value": lambda _: 259_200_000,
    "small": lambda r: r.randrange(200),
}


def sketch_of(values):
    buckets = {}
    for value in values:
        add(buckets, value)
    return buckets


def exact_quantile(values, q):
    return sorted(values)[max(1, ceil(Fraction(str(q)) * len(values))) - 1]


def within(estimate, value, error=RELATIVE_ERROR):
    return abs(estimate - value) <= error * value


def test_the_stated_error_keeps_the_promise_of_one_percent():
    assert RELATIVE_ERROR <= 0.01


def test_durations_below_128_ms_are_exact():
    assert [value_of(bucket_of(value)) for value in range(128)] == list(range(128))


def test_at_every_edge_of_a_bucket_the_estimate_is_within_the_stated_error():
    # The largest error of a bucket is at its ends: check all buckets, both ends.
    last = bucket_of(YEARS_200_MS)
    lowest = 0
    for bucket in range(last):
        estimate = value_of(bucket)
        highest = int(2 * estimate) - lowest
        assert bucket_of(lowest) == bucket_of(highest) == bucket
        assert within(estimate, lowest)
        assert within(estimate, highest)
        lowest = highest + 1
        assert bucket_of(lowest) == bucket + 1


@given(durations, durations)
def test_a_longer_duration_never_has_a_smaller_bucket(a, b):
    assert bucket_of(min(a, b)) <= bucket_of(max(a, b))


def test_a_negative_duration_is_refused():
    for value in (-1, -1000):
        with pytest.raises(ValueError, match="not negative"):
            bucket_of(value)


@pytest.mark.parametrize("size", [1, 2, 19, 100, 3000])
@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_quantiles_of_any_distribution_are_within_the_stated_error(name, size):
    seeded = random.Random(f"{name} {size}")
    values = [DISTRIBUTIONS[name](seeded) for _ in range(size)]

    buckets = sketch_of(values)

    for q in QUANTILES:
        assert within(quantile(buckets, q), exact_quantile(values, q))


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_ddsketch_and_the_sketch_agree_within_the_sum_of_their_errors(name):
    seeded = random.Random(name)
    values = [DISTRIBUTIONS[name](seeded) for _ in range(2000)]
    oracle = DDSketch(relative_accuracy=0.005)
    for value in values:
        oracle.add(value)

    buckets = sketch_of(values)

    for rank in (1, 20, 1000, 1800, 1999):
        # ddsketch counts ranks from 0 and takes the value that the rank falls on: ask for the middle of it.
        theirs = oracle.get_quantile_value((rank - 0.5) / (len(values) - 1))
        ours = quantile(buckets, rank / len(values))
        assert abs(ours - theirs) <= (RELATIVE_ERROR + 0.005) * sorted(values)[rank - 1]


@given(st.lists(durations, min_size=1, max_size=40), st.fractions(0, 1, max_denominator=1000))
def test_a_quantile_is_an_estimate_of_the_duration_with_the_nearest_rank(values, q):
    rank = max(1, ceil(q * len(values)))

    assert within(quantile(sketch_of(values), float(q)), sorted(values)[rank - 1])


def test_a_rank_is_not_raised_by_the_rounding_of_binary_fractions():
    buckets = sketch_of(range(1, 101))

    # 7 % of 100 comes out a little above 7 in binary.
    assert quantile(buckets, 0.07) == 7
    assert [quantile(buckets, q) for q in (0, 0.5, 0.95, 1)] == [1, 50, 95, 100]


@given(st.lists(durations, max_size=40), st.lists(st.sampled_from(QUANTILES), max_size=6))
def test_several_quantiles_at_once_are_those_asked_for_in_their_order(values, qs):
    buckets = sketch_of(values)

    # By definition: the estimates of all durations, in ascending order, and of those the one with the rank.
    ascending = sorted(value_of(bucket_of(value)) for value in values)
    ranks = [max(1, ceil(Fraction(str(q)) * len(values))) for q in qs]

    assert quantiles(buckets, qs) == [ascending[rank - 1] if values else None for rank in ranks]


def test_an_empty_sketch_has_no_quantile():
    assert quantile({}, 0.5) is None
    assert quantiles({}, (0.5, 1)) == [None, None]


@pytest.mark.parametrize("q", [-0.1, 1.1, float("nan"), 95])
def test_a_quantile_outside_zero_to_one_is_refused(q):
    with pytest.raises(ValueError, match="between 0 and 1"):
        quantile({1: 1}, q)


def test_a_quantile_of_more_taken_out_than_put_in_is_refused():
    buckets = sketch_of([5, 7])
    add(buckets, 6, -1)

    with pytest.raises(ValueError, match="taken out"):
        quantile(buckets, 0.5)


@given(lists_of_durations, st.randoms(use_true_random=False))
def test_taking_out_is_the_exact_inverse_in_any_order_down_to_the_empty_dict(values, shuffler):
    buckets = sketch_of(values)
    for value in shuffler.sample(values, len(values)):
        add(buckets, value, -1)

    assert buckets == {}


@given(lists_of_durations, durations, st.integers(1, 5))
def test_a_correction_leaves_no_trace(values, mistaken, times):
    buckets = sketch_of(values)

    add(buckets, mistaken, times)
    add(buckets, mistaken, -times)

    assert buckets == sketch_of(values)


@given(lists_of_durations, lists_of_durations, lists_of_durations)
def test_merging_is_adding_and_neither_order_nor_grouping_matters(a, b, c):
    left, right = sketch_of(a), sketch_of(c)
    merge(left, sketch_of(b))
    merge(left, sketch_of(c))
    merge(right, sketch_of(b))
    merge(right, sketch_of(a))

    assert left == right == sketch_of([*a, *b, *c])


@given(lists_of_durations)
def test_merging_the_negative_empties_and_merging_itself_doubles(values):
    buckets = sketch_of(values)
    twice = sketch_of([*values, *values])

    merge(buckets, buckets)
    assert buckets == twice

    merge(buckets, {bucket: -n for bucket, n in twice.items()})
    assert buckets == {}


@given(lists_of_durations)
def test_the_state_counts_each_duration_once(values):
    assert sketch_of(values) == dict(Counter(map(bucket_of, values)))


@given(st.lists(durations), st.lists(durations, unique=True).map(sorted))
def test_no_duration_within_a_bound_is_missing_from_its_count_and_none_far_beyond_it_is_in(values, bounds):
    *counts, total = counts_within(sketch_of(values), bounds)

    assert total == len(values)
    for bound, count in zip(bounds, counts, strict=True):
        slack = bound * (1 + 2 * RELATIVE_ERROR)
        assert sum(value <= bound for value in values) <= count <= sum(value <= slack for value in values)
