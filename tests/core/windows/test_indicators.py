"""Every formula against its golden value, its traps, and an independent count (domain.md §3, §4, §5, §10)."""

from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.agreements.indicators import INDICATORS
from monitor.core.agreements.measures import CallRule, CustomerTerms, OutageRule
from monitor.core.calls.figures import call_figures
from monitor.core.clocks.figures import clock_figures
from monitor.core.outages.customers import Counting
from monitor.core.outages.figures import outage_figures
from monitor.core.series import sketch
from monitor.core.series.panes import merge_panes
from monitor.core.series.series import OutageRecord, Pane, empty_pane
from monitor.core.time.calendar import Calendar
from monitor.core.time.opening_hours import CalendarSpec

MINUTE_MS = 60_000
HOUR_MS = 3_600_000
MONDAY_MS = 1_772_409_600_000  # 2026-03-02T00:00Z

CALLS = CallRule(id="calls", answer_within_ms=20_000, short_abandon_ms=5_000)
GOLDEN_CALLS = {
    "answered": 1000, "abandoned": 60, "answered_within": 860, "abandoned_within": 20, "abandoned_short": 10,
    "wait_ms": 12_000_000,
}  # fmt: skip


COUNTING = Counting(CustomerTerms(), 0, "UTC", lambda *_: ())


def pane_of(durations=(), **counts):
    pane = Pane(dict(counts), {}, {}, {}, {})
    for one in durations:
        sketch.add(pane.buckets, one)
    return pane


def by_name(figures):
    return {one.indicator: one for one in figures}


def values(figures):
    return {one.indicator: one.value for one in figures}


def calls(durations=(), **counts):
    return by_name(call_figures(CALLS, pane_of(durations, **counts)))


def outage(start, end=None, *, weights=(), **steps):
    """An outage in minutes from Monday 00:00; no end: open."""
    at = {name: MONDAY_MS + minute * MINUTE_MS for name, minute in steps.items()}
    begun = MONDAY_MS + start * MINUTE_MS
    shares = tuple((MONDAY_MS + minute * MINUTE_MS, weight) for minute, weight in weights) or ((begun, 1.0),)
    return OutageRecord(
        "outage", begun, restored_ms=0 if end is None else MONDAY_MS + end * MINUTE_MS, weights=shares, **at
    )


def maintenance(start, end, announced=-1_000):
    return OutageRecord(
        "maintenance", MONDAY_MS + start * MINUTE_MS, restored_ms=MONDAY_MS + end * MINUTE_MS,
        announced_ms=MONDAY_MS + announced * MINUTE_MS,
    )  # fmt: skip


def outages(*records, minutes, now=None, since=0, hours=None, **rule):
    """The figures of a window of so many minutes from Monday 00:00."""
    return by_name(
        outage_figures(
            OutageRule(id="outages", **rule),
            [(f"O-{index}", one) for index, one in enumerate(records)],
            MONDAY_MS + since * MINUTE_MS,
            MONDAY_MS + minutes * MINUTE_MS,
            MONDAY_MS + (minutes if now is None else now) * MINUTE_MS,
            hours,
        )
    )


# what holds for all of them


@pytest.mark.parametrize(
    ("kind", "figures"),
    [
        ("clock", clock_figures(empty_pane()._replace(counts={"late_ms": 0}), 0)),
        ("call", call_figures(CALLS, empty_pane())),
        ("outage", outage_figures(OutageRule(id="o"), [], 0, 0, 0, None, COUNTING)),
    ],
)
def test_every_indicator_comes_out_with_its_unit_and_is_absent_where_nothing_was_offered(kind, figures):
    assert {one.indicator: one.unit for one in figures} == {name: one.unit for name, one in INDICATORS[kind].items()}
    assert [one.indicator for one in figures] == list(INDICATORS[kind])
    assert all(one.value is None for one in figures), "absent, never 0 or 100"
    assert all(one.formula for one in figures)


# clocks


def test_compliance_is_met_by_met_and_breached():
    figure = by_name(clock_figures(pane_of(met=19, breached=1), 0))["compliance"]

    assert (figure.value, figure.numerator, figure.denominator) == (0.95, 19, 20)


def test_clocks_open_past_due_count_as_breached_where_the_window_holds_the_present():
    assert values(clock_figures(pane_of(met=15), 5))["compliance"] == 15 / 20
    assert values(clock_figures(pane_of(met=15), 0))["compliance"] == 1.0
    assert values(clock_figures(empty_pane(), 5))["compliance"] == 0.0


def test_clocks_open_and_not_yet_due_count_nowhere():
    assert values(clock_figures(empty_pane(), 0))["compliance"] is None


def test_the_mean_is_of_sums_and_never_of_averages():
    #  one day: 1 ticket of 100 ms; the next: 9 tickets of 200 ms each. The average of averages would be 150.
    days = [pane_of([100], met=1, elapsed_ms=100), pane_of([200] * 9, breached=9, elapsed_ms=1_800)]

    figures = by_name(clock_figures(merge_panes(days), 0))

    assert (figures["mean"].value, figures["mean"].numerator, figures["mean"].denominator) == (190.0, 1_900, 10)
    assert figures["compliance"].value == 0.1


def test_percentiles_are_nearest_ranks_and_say_which():
    figures = by_name(clock_figures(pane_of(range(1, 101), met=100), 0))

    assert [figures[name].value for name in ("p50", "p90", "p95", "p99", "longest")] == [50, 90, 95, 99, 100]
    assert [figures[name].numerator for name in ("p50", "p90", "p95", "p99", "longest")] == [50, 90, 95, 99, 100]
    assert figures["p95"].denominator == 100


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=60))
def test_percentiles_are_within_the_stated_error_of_the_duration_of_their_rank(durations):
    figures = by_name(clock_figures(pane_of(durations, met=len(durations)), 0))

    for name, percent in (("p50", 50), ("p90", 90), ("p95", 95), ("p99", 99), ("longest", 100)):
        rank = ceil(percent * len(durations) / 100)
        true = sorted(durations)[rank - 1]
        assert figures[name].numerator == rank
        assert abs(figures[name].value - true) <= true * sketch.RELATIVE_ERROR


# calls


@pytest.mark.parametrize(
    ("formula", "percent", "numerator", "denominator"),
    [
        ("SL1", 83.02, 880, 1060),
        ("SL2", 86.00, 860, 1000),
        ("SL3", 81.13, 860, 1060),
        ("SL4", 82.69, 860, 1040),
        ("SL5", 82.08, 870, 1060),
        ("SL6", 81.90, 860, 1050),
    ],
)
def test_the_six_service_levels_of_the_golden_case(formula, percent, numerator, denominator):
    figure = calls(**GOLDEN_CALLS)[formula]

    assert round(figure.value * 100, 2) == percent
    assert (figure.numerator, figure.denominator) == (numerator, denominator)
    assert figure.formula.startswith(f"{formula}: ")
    assert "T = 20 s" in figure.formula


def test_a_call_waiting_beyond_t_is_a_miss_in_every_service_level():
    before, after = calls(**GOLDEN_CALLS), calls(**GOLDEN_CALLS, waiting_beyond=40)

    for formula in ("SL1", "SL2", "SL3", "SL4", "SL5", "SL6"):
        assert after[formula].numerator == before[formula].numerator
        assert after[formula].denominator == before[formula].denominator + 40


def test_only_calls_waiting_beyond_t_are_a_service_level_of_0_and_nothing_else():
    figures = calls(waiting_beyond=2)

    levels = {"SL1", "SL2", "SL3", "SL4", "SL5", "SL6"}
    assert {name for name, one in figures.items() if one.value == 0} == {*levels, "lost"}
    assert figures["abandonment"].value is None
    assert figures["asa"].value is None


def test_the_average_speed_of_answer_is_over_answered_calls():
    figure = calls(**GOLDEN_CALLS)["asa"]

    assert (figure.value, figure.numerator, figure.denominator) == (12_000, 12_000_000, 1000)


def test_the_abandonment_rate_is_gross_and_net_of_short_abandons():
    figures = calls(**GOLDEN_CALLS)

    assert figures["abandonment"].value == 60 / 1060
    assert figures["abandonment_net"].value == 50 / 1050


def test_flow_outs_and_callbacks_were_offered_but_are_no_abandons_and_in_no_service_level():
    plain, figures = calls(**GOLDEN_CALLS), calls(**GOLDEN_CALLS, callback=30, transferred=10)

    assert (figures["abandonment"].numerator, figures["abandonment"].denominator) == (60, 1100)
    for formula in ("SL1", "SL2", "SL3", "SL4", "SL5", "SL6"):
        assert figures[formula] == plain[formula]


def test_lost_calls_are_counted_and_are_in_no_other_figure():
    plain, figures = calls(**GOLDEN_CALLS), calls(**GOLDEN_CALLS, lost=4, flagged=4)

    assert (figures.pop("lost").value, plain.pop("lost").value) == (4, 0)
    assert figures == plain


def test_nothing_but_lost_calls_is_no_service_level():
    figures = calls(lost=2)

    assert {name: one.value for name, one in figures.items() if one.value is not None} == {"lost": 2}


def test_a_service_level_of_nothing_but_abandons_is_absent_only_where_it_leaves_nothing():
    figures = calls(abandoned=3, abandoned_within=3, abandoned_short=3)

    assert {name: figures[name].value for name in ("SL1", "SL2", "SL3", "SL4", "SL5", "SL6")} == {
        "SL1": 1.0, "SL2": None, "SL3": 0.0, "SL4": None, "SL5": 1.0, "SL6": None
    }  # fmt: skip
    assert figures["abandonment"].value == 1.0
    assert figures["abandonment_net"].value is None


def test_the_longest_wait_and_the_percentiles_are_those_of_answered_calls():
    figures = calls([1, 2, 3, 100], answered=4)

    assert [figures[name].value for name in ("p50", "p90", "p95", "longest")] == [2, 100, 100, 100]


@st.composite
def call_counts(draw):
    answered, abandoned = draw(st.integers(0, 50)), draw(st.integers(0, 50))
    within = draw(st.integers(0, abandoned))
    return {
        "answered": answered, "answered_within": draw(st.integers(0, answered)), "abandoned": abandoned,
        "abandoned_within": within, "abandoned_short": draw(st.integers(0, within)),
        "waiting_beyond": draw(st.integers(0, 5)), "callback": draw(st.integers(0, 5)),
        "transferred": draw(st.integers(0, 5)),
    }  # fmt: skip


@given(call_counts())
def test_every_ratio_of_calls_lies_between_0_and_1(counts):
    for one in calls(**counts).values():
        if one.unit == "ratio" and one.value is not None:
            assert 0 <= one.value <= 1
            assert one.value == one.numerator / one.denominator


# of outages, availability

P = 43_200  # minutes


@pytest.mark.parametrize(("exclusion", "percent"), [("both", 99.8603), ("numerator", 99.8611), ("none", 99.7685)])
def test_availability_of_the_golden_case_under_each_exclusion(exclusion, percent):
    #  X ════════ 1000..1240     D ──── 1200..1300, of which 40 in X
    figures = outages(maintenance(1_000, 1_240), outage(1_200, 1_300), minutes=P, exclusion=exclusion)

    assert round(figures["availability"].value * 100, 4) == percent


@pytest.mark.parametrize(("down", "of", "percent"), [(2, 4, 50), (2, 8, 75), (1, 24, 95.8333)])
def test_availability_of_hours_down(down, of, percent):
    figures = outages(outage((of - down) * 60), minutes=of * 60)

    assert round(figures["availability"].value * 100, 4) == percent


def test_mtbf_900_h_and_mttr_100_h_are_90_percent():
    figures = outages(outage(300 * 60, 400 * 60), minutes=1_000 * 60)

    assert figures["mtbf"].value == 900 * HOUR_MS
    assert figures["mttr_restore"].value == 100 * HOUR_MS
    assert figures["availability"].value == 0.9


def test_a_value_just_below_its_target_is_not_rounded_up_to_it():
    #  105 of 100,000 minutes down: 99.895 %, which reads as 99.90 %
    value = outages(outage(0, 105), minutes=100_000)["availability"].value

    assert value == 0.99895
    assert value < 0.999


def test_a_period_that_runs_counts_only_what_has_passed():
    figures = outages(outage(30), minutes=1_000, now=60)

    assert figures["availability"].denominator == 60 * MINUTE_MS
    assert figures["availability"].value == 0.5
    assert figures["downtime"].value == 30 * MINUTE_MS


def test_an_outage_is_cut_at_both_ends_of_the_window():
    figures = outages(outage(-100, 10), outage(90, 500), minutes=100, now=1_000)

    assert figures["downtime"].value == 20 * MINUTE_MS
    assert figures["failures"].value == 1


def test_what_does_not_touch_the_window_does_no_harm():
    figures = outages(outage(-100, -50), outage(150, 180), outage(150), minutes=100, now=200)

    assert figures["availability"].value == 1.0
    assert figures["failures"].value == 0


def test_no_outage_is_full_availability_and_no_failure_has_no_mtbf():
    figures = outages(minutes=100)

    assert (figures["availability"].value, figures["downtime"].value, figures["failures"].value) == (1.0, 0, 0)
    assert figures["mtbf"].value is None


def test_a_window_that_has_not_begun_has_no_value():
    assert set(values(outages(outage(0), minutes=100, since=50, now=40).values()).values()) == {None}


# of outages, overlap and weights


def test_overlapping_outages_and_parent_and_child_count_once():
    #  parent ────────── 0..60     child ── 10..20     another ────── 50..80
    figures = outages(outage(0, 60), outage(10, 20), outage(50, 80), minutes=100)

    assert figures["downtime"].value == 80 * MINUTE_MS
    assert figures["failures"].value == 3


@pytest.mark.parametrize(("overlap", "minutes"), [("max", 60 * 0.7 + 30 * 0.5), ("sum", 30 * 0.7 + 30 + 30 * 0.5)])
def test_weights_overlap_by_the_larger_or_by_the_capped_sum(overlap, minutes):
    figures = outages(
        outage(0, 60, weights=[(0, 0.7)]), outage(30, 90, weights=[(30, 0.5)]), minutes=100, overlap=overlap
    )

    assert figures["downtime"].value == pytest.approx(minutes * MINUTE_MS)


def test_stepwise_restoration_weighs_each_step():
    figures = outages(outage(0, 30, weights=[(0, 1.0), (10, 0.4), (20, 0.0)]), minutes=100)

    assert figures["downtime"].value == (10 + 10 * 0.4) * MINUTE_MS


def test_an_open_outage_goes_on_with_its_last_weight():
    assert outages(outage(0, weights=[(0, 1.0), (10, 0.5)]), minutes=100, now=30)["downtime"].value == 20 * MINUTE_MS


# of outages, maintenance


def test_maintenance_announced_after_the_fact_or_too_late_excuses_nothing():
    for announced in (0, 1, 50, -59):
        figures = outages(maintenance(0, 40, announced), outage(0, 40), minutes=100, notice_ms=HOUR_MS)
        assert figures["availability"].value == 0.6
    in_time = outages(maintenance(0, 40, -60), outage(0, 40), minutes=100, notice_ms=HOUR_MS)
    assert in_time["availability"].value == 1.0


def test_maintenance_that_was_never_announced_excuses_nothing():
    never = maintenance(0, 40)._replace(announced_ms=0)

    assert outages(never, outage(0, 40), minutes=100)["availability"].value == 0.6


def test_maintenance_beyond_the_cap_of_the_window_is_downtime():
    #  X ══ 10..20, ══ 30..50, ══ 70..80, cap 15 min: 10..20 and 30..35 are excluded
    figures = outages(
        maintenance(70, 80),
        maintenance(30, 50),
        maintenance(10, 20),
        outage(10, 50),
        minutes=100,
        cap_ms=15 * MINUTE_MS,
    )

    assert figures["downtime"].value == 25 * MINUTE_MS
    assert figures["availability"].value == 60 / 85


def test_the_cap_is_used_up_by_excluded_time_within_the_window_only():
    figures = outages(maintenance(-50, 10), outage(0, 10), minutes=100, cap_ms=10 * MINUTE_MS)

    assert figures["downtime"].value == 0


def test_overlapping_maintenance_is_excluded_once():
    figures = outages(maintenance(0, 30), maintenance(20, 50), minutes=100)

    assert figures["availability"].denominator == 50 * MINUTE_MS


def test_a_window_that_is_all_maintenance_has_no_availability():
    figures = outages(maintenance(0, 100), outage(0, 100), minutes=100)

    assert figures["availability"].value is None
    assert figures["downtime"].value == 0


# of outages, service hours

OFFICE = Calendar(CalendarSpec(zone="UTC", hours=(((540, 1020),),) * 5 + ((), ())))  # Mon-Fri 09-17


def test_the_period_may_be_service_hours_and_downtime_outside_of_them_does_not_count():
    #  open 09..17 of Monday; down 08..10 and all night
    figures = outages(outage(480, 600), outage(1_080, 1_860), minutes=2_880, hours=OFFICE)

    assert figures["availability"].denominator == 16 * HOUR_MS
    assert figures["downtime"].value == 1 * HOUR_MS
    assert figures["failures"].value == 2


def test_maintenance_outside_of_service_hours_takes_nothing_from_the_period():
    figures = outages(maintenance(0, 600), minutes=1_440, hours=OFFICE, cap_ms=HOUR_MS)

    assert figures["availability"].denominator == 7 * HOUR_MS, "the cap is of service hours too"


def test_the_service_hours_of_a_month_with_a_clock_change_are_an_hour_shorter():
    berlin = Calendar(CalendarSpec(zone="Europe/Berlin", hours=(((0, 1440),),) * 7))
    march = (1_772_319_600_000, 1_774_994_400_000)  # 2026-03-01 00:00 +01:00 to 2026-04-01 00:00 +02:00

    (availability, *_) = outage_figures(OutageRule(id="o"), [], *march, march[1], berlin)

    assert availability.denominator == (31 * 24 - 1) * HOUR_MS


def test_before_any_service_hours_have_passed_there_is_no_value():
    assert values(outages(outage(0, 10), minutes=300, hours=OFFICE).values())["availability"] is None


# of outages, repair times


def test_the_four_repair_times_are_each_over_the_outages_that_reached_the_step():
    figures = outages(
        outage(0, 30, acknowledged_ms=2, responded_ms=10, resolved_ms=90),
        outage(100, 110, acknowledged_ms=104),
        minutes=200,
    )

    found = {name: (one.value, one.denominator) for name, one in figures.items() if name.startswith("mttr")}
    assert found == {
        "mttr_acknowledge": (3 * MINUTE_MS, 2), "mttr_respond": (10 * MINUTE_MS, 1),
        "mttr_restore": (20 * MINUTE_MS, 2), "mttr_resolve": (90 * MINUTE_MS, 1),
    }  # fmt: skip


def test_an_open_outage_is_censored_and_not_the_mean_of_its_age():
    figures = outages(outage(0, 10), outage(50), minutes=1_000)

    assert (figures["mttr_restore"].value, figures["mttr_restore"].denominator) == (10 * MINUTE_MS, 1)


def test_a_repair_counts_in_the_window_in_which_it_was_reached():
    across = outage(-100, 10, acknowledged_ms=-90)

    figures = outages(across, minutes=100)

    assert figures["mttr_restore"].value == 110 * MINUTE_MS
    assert figures["mttr_acknowledge"].value is None
    assert figures["failures"].value == 0


def test_what_a_skewed_clock_puts_after_now_has_not_happened_yet():
    figures = outages(outage(50, 60), minutes=100, now=55)
    assert figures["mttr_restore"].value is None

    assert outages(outage(50, 60), minutes=100, now=49)["failures"].value == 0
    assert outages(outage(50, 60), minutes=100, now=60)["mttr_restore"].value == 10 * MINUTE_MS


# of outages, laws, with a count minute by minute as the oracle


@st.composite
def records(draw):
    made = []
    for _ in range(draw(st.integers(0, 5))):
        start = draw(st.integers(-20, 70))
        if draw(st.booleans()):
            end = draw(st.one_of(st.none(), st.integers(start, 90)))
            steps = sorted(draw(st.sets(st.integers(start, start + 30), max_size=2)) | {start})
            made.append(outage(start, end, weights=[(at, draw(st.sampled_from([0, 0.25, 0.5, 1]))) for at in steps]))
        else:
            made.append(maintenance(start, draw(st.integers(start, 90)), start - draw(st.integers(-5, 20))))
    return made


def minute_by_minute(made, minutes, rule):
    """P, X and the downtime that counts, in minutes."""
    period = excluded = 0
    down = 0.0
    for minute in range(minutes):
        at = MONDAY_MS + minute * MINUTE_MS
        period += 1
        off = rule.exclusion != "none" and any(
            one.kind == "maintenance"
            and one.start_ms <= at < one.restored_ms
            and one.announced_ms + rule.notice_ms <= one.start_ms
            for one in made
        )
        if off and (not rule.cap_ms or excluded < rule.cap_ms // MINUTE_MS):
            excluded += 1
            continue
        shares = [
            next(weight for from_ms, weight in reversed(one.weights) if from_ms <= at)
            for one in made
            if one.kind == "outage" and one.start_ms <= at and (not one.restored_ms or at < one.restored_ms)
        ]
        down += min(1, sum(shares)) if rule.overlap == "sum" else max(shares, default=0)
    return period, excluded, down


@given(
    records(),
    st.integers(1, 60),
    st.sampled_from(["both", "numerator", "none"]),
    st.sampled_from(["max", "sum"]),
    st.sampled_from([0, 10 * MINUTE_MS]),
    st.sampled_from([0, 7 * MINUTE_MS]),
)
def test_downtime_and_availability_equal_a_count_minute_by_minute(made, minutes, exclusion, overlap, notice, cap):
    rule = {"exclusion": exclusion, "overlap": overlap, "notice_ms": notice, "cap_ms": cap}
    period, excluded, down = minute_by_minute(made, minutes, OutageRule(id="o", **rule))

    figures = outages(*made, minutes=minutes, **rule)

    assert figures["downtime"].value == down * MINUTE_MS
    promised = period - excluded if exclusion == "both" else period
    assert figures["availability"].value == (pytest.approx((promised - down) / promised) if promised else None)


@given(records(), st.integers(1, 60), st.integers(0, 90), st.sampled_from(["both", "numerator", "none"]))
def test_downtime_never_exceeds_the_window_and_availability_is_a_share(made, minutes, now, exclusion):
    figures = outages(*made, minutes=minutes, now=now, exclusion=exclusion)

    downtime, availability = figures["downtime"].value, figures["availability"].value
    assert (downtime is None) == (now == 0)
    assert downtime is None or 0 <= downtime <= min(minutes, now) * MINUTE_MS
    assert availability is None or 0 <= availability <= 1


@given(records(), st.integers(1, 60), st.randoms())
def test_the_order_of_the_records_does_not_matter(made, minutes, random):
    shuffled = made.copy()
    random.shuffle(shuffled)

    assert outages(*made, minutes=minutes) == outages(*shuffled, minutes=minutes)
