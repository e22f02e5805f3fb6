"""Verdicts on objectives and the life of their alerts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.agreements.objectives import Objective
from monitor.core.objectives.verdicts import QUIET, Place, announce, judge, objective_alert
from monitor.core.series.figures import Figure
from monitor.core.series.series import SeriesKey
from monitor.core.time.windows import Window

MONTH = Window("month")


def objective(indicator="compliance", comparison=">=", target=0.95, **more):
    return Objective(
        id="kept", measure="resolution", indicator=indicator, comparison=comparison, target=target,
        windows=(MONTH,), **more,
    )  # fmt: skip


def ratio(good, of, indicator="compliance"):
    return Figure(indicator, good / of if of else None, good, of, "ratio", "met / all")


def verdict(promise, *figures, durations=0, calendar=True, closed=False):
    return judge(promise, figures, durations, calendar=calendar, closed=closed).verdict


def test_a_running_period_that_keeps_its_target_is_on_track():
    assert verdict(objective(), ratio(96, 100)) == "on_track"


def test_a_closed_period_that_kept_its_target_met_it():
    assert verdict(objective(), ratio(96, 100), closed=True) == "met"


def test_a_rolling_window_that_keeps_its_target_meets_it():
    assert verdict(objective(), ratio(96, 100), calendar=False) == "met"


def test_exactly_the_target_is_kept():
    assert verdict(objective(), ratio(95, 100)) == "on_track"
    assert verdict(objective("mean", "<=", 60_000), Figure("mean", 60_000, 60_000, 1, "ms", "")) == "on_track"


@pytest.mark.parametrize("closed", [False, True])
def test_below_the_target_is_breached(closed):
    assert verdict(objective(), ratio(94, 100), closed=closed) == "breached"


def test_figures_that_may_not_be_exceeded_are_compared_the_other_way():
    promise = objective("p90", "<=", 60_000)
    assert verdict(promise, Figure("p90", 60_001.0, 0, 0, "ms", ""), durations=9) == "breached"
    assert verdict(promise, Figure("p90", 59_999.0, 0, 0, "ms", ""), durations=9) == "on_track"


def test_the_unrounded_value_is_compared():
    # 99.895 % is shown as 99.90 %, and misses 99.9 %.
    assert verdict(objective(target=0.999), ratio(99_895, 100_000)) == "breached"


def test_nothing_measured_is_no_data():
    assert verdict(objective(), ratio(0, 0)) == "no_data"


def test_an_indicator_that_does_not_come_out_is_no_data():
    assert verdict(objective(), ratio(1, 1, "something_else")) == "no_data"


@pytest.mark.parametrize(
    ("indicator", "value", "closed", "expected"),
    [
        ("saidi", 0, True, "no_data"),
        ("saidi", 0, False, "no_data"),
        ("saidi", 11, True, "breached"),
        ("saidi", 9, False, "at_risk"),
        ("caidi", 0, True, "no_data"),
        ("caidi", 11, True, "no_data"),  # what it lacks may have been short
        ("saidi_net", 11, True, "no_data"),  # … or may make a major event day of the day
    ],
)
def test_a_figure_that_lacks_something_keeps_no_promise_and_misses_one_only_where_it_can_only_be_worse(
    indicator, value, closed, expected
):
    promise = objective(indicator, "<=", 10, at_risk=8)
    figure = Figure(indicator, value, value, 1, "ms", "", lacking=2)

    assert verdict(promise, figure, closed=closed) == expected


def test_too_small_a_sample_is_told_as_such_whatever_its_value():
    promise = objective(minimum_sample=20)
    assert verdict(promise, ratio(10, 19)) == "low_sample"
    assert verdict(promise, ratio(19, 19)) == "low_sample"
    assert verdict(promise, ratio(10, 20)) == "breached"


def test_a_100_percent_target_breaches_at_the_first_bad_event_however_small_the_sample():
    promise = objective(target=1.0, minimum_sample=20)
    assert verdict(promise, ratio(1, 2)) == "breached"
    assert verdict(promise, ratio(2, 2)) == "low_sample"


def test_a_0_percent_limit_breaches_at_the_first_bad_event_too():
    promise = objective("abandonment", "<=", 0.0, minimum_sample=20)
    assert verdict(promise, ratio(1, 2, "abandonment")) == "breached"


def test_the_sample_of_a_percentile_is_the_number_of_durations():
    promise = objective("p90", "<=", 60_000, minimum_sample=20)
    assert verdict(promise, Figure("p90", 70_000.0, 0, 0, "ms", ""), durations=19) == "low_sample"
    assert verdict(promise, Figure("p90", 70_000.0, 0, 0, "ms", ""), durations=20) == "breached"


def test_the_sample_of_a_mean_is_its_denominator():
    promise = objective("mean", "<=", 60_000, minimum_sample=20)
    assert verdict(promise, Figure("mean", 70_000.0, 1_330_000, 19, "ms", "")) == "low_sample"


def test_availability_needs_no_sample_as_a_service_that_never_failed_was_measured_all_the_time():
    promise = objective("availability", target=0.99, minimum_sample=20)
    figures = (ratio(100, 100, "availability"), Figure("failures", 0, 0, 1, "count", ""))
    judged = judge(promise, figures, 0, calendar=True, closed=True)
    assert (judged.verdict, judged.sample) == ("met", 0)


def test_the_at_risk_threshold_lies_on_the_safe_side():
    promise = objective(at_risk=0.97)
    assert [verdict(promise, ratio(good, 100)) for good in (98, 97, 96, 95, 94)] == [
        "on_track", "on_track", "at_risk", "at_risk", "breached",
    ]  # fmt: skip


def test_a_closed_period_is_not_at_risk_any_more():
    assert verdict(objective(at_risk=0.97), ratio(96, 100), closed=True) == "met"


def test_a_verdict_travels_with_what_it_was_made_of():
    judged = judge(objective(at_risk=0.97, minimum_sample=5), [ratio(96, 100)], 0, calendar=True, closed=False)
    assert judged == ("kept", "compliance", ">=", 0.95, 0.97, 0.96, 100, 5, "at_risk")


class Life:
    """An objective's alert: the verdicts, one second apart, and what was told of them."""

    def __init__(self, *, rolling=True, comparison=">="):
        self.rolling, self.comparison = rolling, comparison
        self.standing, self.told, self.now = QUIET, [], 0

    def see(self, *verdicts, at=None):
        for one in verdicts:
            self.now = self.now + 1000 if at is None else at
            self.standing, say = announce(self.standing, one, self.comparison, self.now, 1, rolling=self.rolling)
            if say:
                self.told.append(f"{self.standing.cycle} {say[0]} {say[1]}")
        return self.told


def test_an_alert_goes_from_at_risk_over_breached_to_resolved():
    assert Life().see("met", "at_risk", "at_risk", "breached", "breached", "met", "met") == [
        "1 at_risk near_target", "1 breached below_target", "1 resolved target_met",
    ]  # fmt: skip


def test_an_alert_may_begin_with_the_breach():
    assert Life(comparison="<=").see("breached") == ["1 breached above_target"]


def test_the_next_breach_after_a_resolution_is_a_cycle_of_its_own():
    assert Life().see("breached", "met", "breached") == [
        "1 breached below_target", "1 resolved target_met", "2 breached below_target",
    ]  # fmt: skip


def test_a_breach_that_is_only_near_the_target_now_is_resolved_and_not_at_risk_again():
    assert Life().see("breached", "at_risk", "at_risk", "breached", "at_risk", "met", "at_risk") == [
        "1 breached below_target", "1 resolved target_met",
        "2 breached below_target", "2 resolved target_met",
        "3 at_risk near_target",
    ]  # fmt: skip


def test_a_risk_that_passes_is_resolved():
    assert Life().see("at_risk", "on_track") == ["1 at_risk near_target", "1 resolved target_met"]


def test_low_sample_neither_announces_nor_resolves():
    assert Life().see("low_sample", "breached", "low_sample", "breached") == ["1 breached below_target"]


def test_a_rolling_window_that_runs_empty_resolves_its_alert():
    assert Life().see("no_data", "breached", "no_data") == ["1 breached below_target", "1 resolved no_data"]


def test_a_calendar_period_without_data_resolves_nothing():
    assert Life(rolling=False).see("breached", "no_data") == ["1 breached below_target"]


def test_a_look_at_an_earlier_instant_takes_nothing_back():
    life = Life()
    life.see("breached", at=5000)
    assert life.see("met", at=4000) == ["1 breached below_target"]


verdicts = st.lists(st.sampled_from(["met", "at_risk", "breached", "low_sample", "no_data"]), max_size=30)


@given(verdicts, st.booleans())
def test_law_an_alert_is_told_in_order_and_each_state_once(seen, rolling):
    told = [tuple(one.split()[:2]) for one in Life(rolling=rolling).see(*seen)]
    assert len(set(told)) == len(told)
    cycles = {}
    for cycle, state in told:
        cycles.setdefault(int(cycle), []).append(state)
    assert list(cycles) == list(range(1, len(cycles) + 1))
    allowed = (["at_risk", "breached", "resolved"], ["breached", "resolved"], ["at_risk", "resolved"])
    for number, states in cycles.items():
        assert any(states == one[: len(states)] for one in allowed)
        assert states[-1] == "resolved" or number == len(cycles)


@given(verdicts)
def test_law_a_verdict_that_comes_again_tells_nothing(seen):
    life = Life()
    life.see(*seen)
    before = len(life.told)
    assert len(life.see(*seen[-1:])) == before


def alert(values=("finance", "P1"), *, period="2026-11-01", cycle=1):
    place = Place(SeriesKey("desk", "resolution", values), {"customer": values[0]}, "month", period)
    judged = judge(objective(), [ratio(94, 100)], 0, calendar=True, closed=False)
    standing = QUIET._replace(state="breached", cycle=cycle, version=3)
    return objective_alert(
        place, "compliance", standing, ("breached", "below_target"), 7, 3, judged, ratio(94, 100)
    )  # fmt: skip


def test_an_alert_names_what_it_is_about_and_what_it_was_made_of():
    told = alert()
    assert told.key == ("objective", "finance,P1|month|2026-11-01", "desk", "kept", 1)
    assert told.labels == {
        "agreement": "desk", "objective": "kept", "measure": "resolution", "indicator": "compliance",
        "window": "month", "customer": "finance",
    }  # fmt: skip
    assert (told.value, told.target, told.numerator, told.denominator) == (0.94, 0.95, 94, 100)
    assert (told.state, told.reason, told.version, told.at_ms) == ("breached", "below_target", 3, 7)


def test_each_period_and_each_cycle_has_an_alert_of_its_own():
    assert len({one.id for one in (alert(), alert(period="2026-12-01"), alert(cycle=2))}) == 3


def test_values_with_separators_in_them_are_not_confused():
    assert len({alert(values).key.what for values in (("a,b", "c"), ("a", "b,c"), ("a|b", "c"), ("a%2Cb", "c"))}) == 4
