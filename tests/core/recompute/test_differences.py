"""What two verdicts on the same subjects and periods differ in."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from monitor.core.alerts.alert import Alert, AlertKey, alert_id
from monitor.core.objectives.status import ObjectiveVerdict, WindowStatus
from monitor.core.recompute.differences import (
    NOTHING,
    Announced,
    ClockId,
    VerdictDifference,
    announced,
    clock_counts,
    clock_differences,
    objective_counts,
    other_verdicts,
    period_differences,
)
from monitor.core.series.figures import Figure
from monitor.core.series.series import SeriesKey

T1 = ClockId("ticket", "T-1", "desk", "resolution", 1)
T2 = T1._replace(subject_id="T-2")
FOR_EVER = 1 << 60


def told(state, at_ms=0, clock=T1, *, ordinal=0, version=1, arrived_ms=0):
    key = AlertKey(*clock)
    return Alert(alert_id(key, state, "", ordinal), key, state, at_ms, "", version, {}), arrived_ms


def status(met=8, of=10, verdict="breached", series="P1", from_ms=0, **more):
    figures = (Figure("compliance", met / of if of else None, met, of, "ratio", "met / (met + breached)"),)
    judged = (ObjectiveVerdict("in-time", "compliance", ">=", 0.9, None, figures[0].value, of, 1, verdict),)
    return WindowStatus(
        SeriesKey("desk", "resolution", (series,)), {}, "month", from_ms, from_ms + 10, from_ms + 20, 1, figures,
        judged, {}, closed=True,
    )._replace(**more)  # fmt: skip


class TestWhatWasAnnounced:
    def test_a_breach_stays_announced_after_it_was_taken_back(self):
        history = [told("at_risk", 5), told("breached", 10, arrived_ms=11, version=2), told("voided", 8)]
        assert announced(history, FOR_EVER) == {T1: Announced((10,), "voided", (2,), 11)}

    def test_a_breach_that_was_rearmed_and_came_again_was_announced_twice(self):
        history = [told("breached", 10), told("rearmed", 12), told("breached", 20, ordinal=1), told("resolved", 30)]
        assert announced(history, FOR_EVER)[T1] == Announced((10, 20), "", (1, 1), 0)
        assert announced(history[:2], FOR_EVER)[T1].taken_back == "rearmed"

    def test_a_warning_is_no_breach(self):
        assert announced([told("at_risk", 5), told("voided", 6)], FOR_EVER) == {}

    def test_what_is_told_twice_counts_once(self):
        assert announced([told("breached", 10), told("breached", 10)], FOR_EVER)[T1].breached_ms == (10,)

    def test_a_breach_after_the_end_is_left_out(self):
        assert announced([told("breached", 10)], 9) == {}
        assert announced([told("breached", 10)], 10) != {}

    def test_alerts_of_objectives_are_none_of_a_clock(self):
        assert announced([told("breached", 10, T1._replace(subject="objective"))], FOR_EVER) == {}


class TestClocks:
    def test_the_same_breaches_are_no_difference_whatever_became_of_them(self):
        one, other = {T1: Announced((10,), "", (1,), 11)}, {T1: Announced((10,), "rearmed", (2,), 400)}
        assert clock_differences(one, other) == []

    def test_a_breach_on_one_side_only_is_one(self):
        one, other = {T2: Announced((10,))}, {T1: Announced((10,))}
        assert clock_differences(one, other) == [
            (T1, NOTHING, Announced((10,))), (T2, Announced((10,)), NOTHING),
        ]  # fmt: skip

    @given(st.dictionaries(st.sampled_from([T1, T2]), st.builds(Announced, st.tuples(st.integers(0, 3)))))
    def test_nothing_differs_from_itself(self, side):
        assert clock_differences(side, side) == []


class TestPeriods:
    def test_another_figure_and_another_verdict_are_told(self):
        (one,) = period_differences([status(8)], [status(9, verdict="met")])
        (figure,) = one.figures
        assert (figure.indicator, figure.one.numerator, figure.other.numerator) == ("compliance", 8, 9)
        assert one.verdicts == (VerdictDifference("in-time", "breached", "met"),)

    def test_an_amended_target_differs_by_its_verdict_alone(self):
        (one,) = period_differences([status()], [status(verdict="met")])
        assert one.figures == ()
        assert [each[1:] for each in one.verdicts] == [("breached", "met")]

    def test_a_period_that_one_side_does_not_state_differs_if_something_happened_in_it(self):
        assert [one.other for one in period_differences([status()], [])] == [None]
        assert [one.one for one in period_differences([], [status()])] == [None]
        assert period_differences([status(0, 0, "no_data")], []) == []

    def test_a_value_that_became_one_differs(self):
        assert len(period_differences([status(0, 0, "no_data")], [status(0, 1)])) == 1

    def test_a_sum_in_another_order_is_no_difference(self):
        assert period_differences([status(0.1 + 0.2, 1)], [status(0.3, 1)]) == []

    def test_a_figure_that_one_side_lacks_differs(self):
        more = (*status().figures, Figure("mean", 3.0, 30, 10, "ms", "sum / count"))
        (one,) = period_differences([status()], [status(figures=more)])
        assert [(each.indicator, each.one) for each in one.figures] == [("mean", None)]


class TestCounts:
    def test_verdicts_are_counted_by_clock(self):
        assert clock_counts({T1: "met", T2: "breached"}) == {("desk", "resolution"): Counter(met=1, breached=1)}

    def test_closed_periods_are_counted_by_objective_and_window(self):
        counted = objective_counts([status(), status(from_ms=10), status(series="P2", verdict="met")])
        assert counted == {("desk", "in-time", "month"): Counter(breached=2, met=1)}

    def test_other_verdicts_are_listed_with_both(self):
        assert other_verdicts({T1: "met", T2: "met"}, {T1: "met", T2: "open"}) == [(T2, "met", "open")]
        assert other_verdicts({T1: "met"}, {}) == [(T1, "met", "none")]
