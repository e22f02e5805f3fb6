"""Error budgets: how much, how fast, and when somebody is told."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.agreements.budget_rule import USUAL_ALERTS, BudgetRule, BurnAlert, period_ms, scaled, slice_width
from monitor.core.agreements.objectives import Objective, budget_windows
from monitor.core.objectives.budget import Share, allowed_share, burn_of, burns_too_fast, figure_of, share_of
from monitor.core.series.figures import Figure
from monitor.core.time.spans import union
from monitor.core.time.windows import WIDTH_MS, Window, width_for
from monitor.core.windows.timeslices import joined
from tests.core.stories import span

MONTH = Window("month")
PAGE = USUAL_ALERTS[0]


def objective(target=0.95, comparison=">=", indicator="compliance", **rule):
    return Objective(
        id="kept", measure="m", indicator=indicator, comparison=comparison, target=target, windows=(MONTH,),
        budget=BudgetRule(MONTH, **rule),
    )  # fmt: skip


def test_the_budget_is_one_minus_the_target_exactly_as_it_was_written():
    assert allowed_share(objective(0.9995)) == Fraction(1, 2000)
    assert allowed_share(objective(0.05, "<=")) == Fraction(1, 20)
    assert allowed_share(objective(0.9, method="timeslices", goal=0.999)) == Fraction(1, 1000)


def test_99_95_percent_of_10_080_one_minute_slices_is_a_budget_of_5_min_2_4_s():
    week = objective(0.9995, method="timeslices", goal=0.9995)
    found = figure_of(week, "ms", Share(120_000, 10_080 * 60_000))
    assert (found.total, found.consumed, found.remaining) == (302_400, 120_000, 182_400)
    assert (found.total / 1000, found.exhausted) == (5 * 60 + 2.4, False)


def test_a_budget_is_exhausted_as_soon_as_the_unrounded_figure_misses_its_target():
    assert not figure_of(objective(0.999), "count", Share(1, 1000)).exhausted
    assert figure_of(objective(0.999), "count", Share(105, 100_000)).exhausted  # 99.895 %, shown as 99.90 %
    assert figure_of(objective(0.999), "count", Share(105, 100_000)).consumed_share == 1.05


def test_a_target_of_100_percent_has_no_budget():
    one_bad = figure_of(objective(1.0), "count", Share(1, 1000))
    assert (one_bad.total, one_bad.remaining, one_bad.consumed_share, one_bad.exhausted) == (0, -1, None, True)
    assert not figure_of(objective(1.0), "count", Share(0, 1000)).exhausted
    assert burn_of(objective(1.0), PAGE.long, Share(1, 1000)).rate is None


def test_a_100_percent_target_alerts_at_the_first_bad_event_however_few_there_were():
    assert burns_too_fast(objective(1.0), PAGE, Share(1, 2), Share(1, 1), minimum=20)
    assert not burns_too_fast(objective(1.0), PAGE, Share(1, 2), Share(0, 1), minimum=20)


def test_nothing_offered_is_no_burn_rate_and_no_alert():
    assert burn_of(objective(), PAGE.long, Share(0, 0)).rate is None
    assert not burns_too_fast(objective(), PAGE, Share(30, 30), Share(0, 0), minimum=20)


@pytest.mark.parametrize(("bad", "fires"), [(71_999, False), (72_000, True), (72_001, True)])
def test_burn_rates_are_compared_unrounded(bad, fires):
    # 5 % may be bad: 72 % bad burns 14.4 times too fast, 71.999 % burns 14.3998, which reads as 14.4
    share = Share(bad, 100_000)
    assert burns_too_fast(objective(), PAGE, share, share, minimum=20) == fires
    assert f"{burn_of(objective(), PAGE.long, share).rate:.1f}" == "14.4"


def test_both_windows_must_burn_and_the_long_one_needs_the_minimum_of_events():
    high, low = Share(90, 100), Share(10, 100)
    assert burns_too_fast(objective(), PAGE, high, Share(1, 1), minimum=20)
    assert not burns_too_fast(objective(), PAGE, high, low, minimum=20)
    assert not burns_too_fast(objective(), PAGE, low, high, minimum=20)
    assert not burns_too_fast(objective(), PAGE, Share(19, 19), Share(19, 19), minimum=20)
    assert burns_too_fast(objective(), PAGE, Share(20, 20), Share(20, 20), minimum=20)


def test_what_is_bad_is_what_the_figure_lacks_or_what_it_counts():
    kept = Figure("compliance", 0.9, 90.0, 100.0, "ratio", "")
    lost = Figure("abandonment", 0.1, 10.0, 100.0, "ratio", "")
    assert share_of(objective(), [lost, kept]) == (10, 100)
    assert share_of(objective(0.05, "<=", "abandonment"), [lost, kept]) == (10, 100)


def test_the_usual_pairs_of_30_days():
    assert [(one.burn, one.name, one.urgency) for one in scaled(USUAL_ALERTS, Window("rolling", span("30d")))] == [
        (14.4, "1h+5m", "page"), (6.0, "6h+30m", "page"), (3.0, "24h+2h", "ticket"), (1.0, "3d+6h", "ticket"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("period", "names"),
    [
        (MONTH, "1h+5m 6h+30m 24h+2h 3d+6h"),
        (Window("quarter"), "3h+15m 18h+90m 3d+6h 9d+18h"),
        (Window("week"), "14m+2m 84m+7m 345m+28m 17h+84m"),
        (Window("day"), "2m+1m 12m+1m 48m+4m 150m+12m"),
    ],
)
def test_for_another_period_the_windows_are_scaled_with_it(period, names):
    assert " ".join(one.name for one in scaled(USUAL_ALERTS, period)) == names


@given(st.integers(1, 366 * 24).map(lambda hours: Window("rolling", hours * 3_600_000)) | st.sampled_from(
    [Window(kind) for kind in ("day", "week", "month", "quarter", "year")]
))  # fmt: skip
def test_each_pair_stands_for_at_least_its_part_of_the_budget_in_windows_that_panes_make_up(period):
    for usual, one in zip(USUAL_ALERTS, scaled(USUAL_ALERTS, period), strict=True):
        assert one.long_ms * span("30d") >= usual.long_ms * period_ms(period)
        for window in (one.long, one.short):
            assert window.length_ms % WIDTH_MS[width_for(window)] == 0


def test_the_windows_of_an_objective_come_once_and_without_a_budget_not_at_all():
    alerts = (PAGE, BurnAlert(3.0, PAGE.short_ms * 2, PAGE.short_ms, "ticket"))
    assert [one.name for one in budget_windows(objective(alerts=alerts))] == ["1h", "5m", "10m"]
    bare = Objective(id="o", measure="m", indicator="p95", comparison="<=", target=1.0, windows=(MONTH,))
    assert budget_windows(bare) == ()
    assert figure_of(bare, "count", Share(0, 1)).method == "events"


@pytest.mark.parametrize(("length", "width"), [("1m", "minute"), ("5m", "minute"), ("15m", "quarter"), ("1h", "hour")])
def test_slices_are_made_of_the_widest_panes_that_fit(length, width):
    assert slice_width(span(length)) == width


@given(st.lists(st.integers(0, 30), unique=True).map(sorted))
def test_slices_that_follow_each_other_are_one_stretch_and_none_is_lost(numbers):
    slices = [(number * 60, number * 60 + 60) for number in numbers]

    stretches = list(joined(slices))

    assert stretches == [tuple(one) for one in union(slices)]
