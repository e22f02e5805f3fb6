"""Spans: golden cases of domain.md §5 and §10, and the laws of the algebra against plain sets of instants."""

from __future__ import annotations

from fractions import Fraction
from math import inf, isclose, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.time.spans import Span, intersect, measure, subtract, union, weighted_measure

MINUTE = 60_000
HOUR = 60 * MINUTE

# Small numbers, so that overlapping, nested, touching, empty and reversed spans are common.
spans = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=6)
quarters = st.integers(0, 4).map(lambda n: n / 4)
weighted = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30), quarters), max_size=6)


def instants(of):
    return {t for start, end in of for t in range(start, end)}


def in_normal_form(answer):
    flat = [t for span in answer for t in span]
    return flat == sorted(set(flat)) and all(isinstance(span, Span) for span in answer)


def test_a_span_holds_its_start_and_not_its_end_so_touching_spans_do_not_overlap():
    assert intersect([(9, 17)], [(17, 18)]) == []
    assert union([(9, 17), (17, 18)]) == [Span(9, 18)]


def test_an_empty_span_is_a_value_and_a_reversed_one_is_empty_never_negative():
    assert union([(5, 5), (9, 3)]) == []
    assert measure([(9, 3)]) == 0
    assert subtract([(0, 10)], [(5, 5), (7, 2)]) == [Span(0, 10)]


def test_overlapping_nested_and_same_minute_pauses_count_once():
    #  start 0 ─────────────────────────── 60 min
    #  pauses    10───30
    #               20────40
    #               22-25  (nested)   50|50 (same minute)
    pauses = [(m * MINUTE, n * MINUTE) for m, n in [(10, 30), (20, 40), (22, 25), (50, 50)]]

    worked = subtract([(0, HOUR)], pauses)

    assert worked == [Span(0, 10 * MINUTE), Span(40 * MINUTE, HOUR)]
    assert measure(worked) == 30 * MINUTE


def test_a_pause_before_the_start_takes_nothing_away():
    assert measure(subtract([(HOUR, 2 * HOUR)], [(0, 30 * MINUTE)])) == HOUR


@pytest.mark.parametrize(
    ("down_h", "period_h", "available"),
    [(2, 4, Fraction(1, 2)), (2, 8, Fraction(3, 4)), (1, 24, Fraction(23, 24))],
)
def test_availability_of_the_golden_periods(down_h, period_h, available):
    period = (0, period_h * HOUR)
    down = [((period_h - down_h) * HOUR, period_h * HOUR)]

    up = measure(subtract([period], down))

    assert Fraction(up, measure([period])) == available


def test_the_golden_month_with_maintenance_gives_the_three_availabilities():
    # P 43,200 min, X 240, D 100 of which 40 in X
    month = (0, 43_200 * MINUTE)
    maintenance = [(1000 * MINUTE, 1240 * MINUTE)]
    outages = [(940 * MINUTE, 1000 * MINUTE), (990 * MINUTE, 1040 * MINUTE)]

    p, x, d = measure([month]), measure(maintenance), measure(outages)
    net = measure(subtract(outages, maintenance))

    assert d == 100 * MINUTE
    assert measure(intersect(outages, maintenance)) == 40 * MINUTE
    both, numerator, none = (p - x - net) / (p - x), (p - net) / p, (p - d) / p
    assert [round(100 * share, 4) for share in (both, numerator, none)] == [99.8603, 99.8611, 99.7685]


@given(spans, spans)
def test_the_algebra_is_that_of_sets_of_instants(a, b):
    for answer, expected in (
        (union([*a, *b]), instants(a) | instants(b)),
        (intersect(a, b), instants(a) & instants(b)),
        (subtract(a, b), instants(a) - instants(b)),
    ):
        assert instants(answer) == expected
        assert in_normal_form(answer)
        assert measure(answer) == len(expected)


@given(spans, spans)
def test_what_is_common_and_what_is_left_make_up_the_whole(a, b):
    assert measure(intersect(a, b)) + measure(subtract(a, b)) == measure(a)


@pytest.mark.parametrize(("rule", "down_min"), [("max", 60 * 0.5 + 30), ("sum", 30 * 0.5 + 30 + 30)])
def test_overlapping_outages_weigh_their_largest_or_their_capped_sum(rule, down_min):
    #  0.5  ├──────────────┤ 0..60
    #  1.0          ├───────────┤ 30..90, of which 30..60 overlaps
    down = weighted_measure(
        [(0, 60 * MINUTE, 0.5), (30 * MINUTE, 60 * MINUTE, 0.5), (60 * MINUTE, 90 * MINUTE, 1)], rule
    )

    assert down == down_min * MINUTE


def test_weights_add_up_without_the_rounding_of_those_that_went():
    # A running sum of 0.1 + 0.2 - 0.2 - 0.1 keeps 3e-17: over the quiet years that would be 0.00003 ms.
    outages = [(0, 3, 0.1), (1, 2, 0.2), (10**12, 10**12 + HOUR, 0.5)]

    assert weighted_measure(outages, "sum") == 0.5 + HOUR / 2


@pytest.mark.parametrize("rule", ["max", "sum"])
def test_a_weight_outside_zero_to_one_is_clamped(rule):
    assert weighted_measure([(0, 100, 1.7), (200, 300, -0.5), (400, 500, inf)], rule) == 200


@pytest.mark.parametrize("rule", ["max", "sum"])
def test_a_weight_that_is_not_a_number_is_refused(rule):
    with pytest.raises(ValueError, match="not a number"):
        weighted_measure([(0, 100, nan)], rule)


@given(weighted)
def test_the_weighted_measure_is_the_sum_over_instants(outages):
    levels = [[w for start, end, w in outages if start <= t < end] for t in range(30)]

    assert isclose(weighted_measure(outages, "max"), sum(max(level, default=0) for level in levels))
    assert isclose(weighted_measure(outages, "sum"), sum(min(1, sum(level)) for level in levels))


@given(spans, st.sampled_from(["max", "sum"]))
def test_with_full_weights_the_weighted_measure_is_the_measure(outages, rule):
    assert weighted_measure([(start, end, 1.0) for start, end in outages], rule) == measure(outages)
