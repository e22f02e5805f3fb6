"""A version of an agreement counts for the time in which it held: periods with an amendment or an end in them."""

from dataclasses import replace
from decimal import Decimal

import pytest

from monitor.core.agreements.agreement import Contact
from monitor.core.agreements.consequence_rules import Consequences, CreditRule, TerminationRule, Tier
from monitor.core.agreements.measures import OutageRule
from monitor.core.objectives.consequences import consequences_of
from monitor.core.series.series import Change, OutageRecord, SeriesKey
from monitor.core.time.calendar import Calendar, CalendarSpec
from monitor.core.time.windows import Window
from tests.core.stage import DAY, MONTH, P1, Stage, desk, promise
from tests.core.stories import agreement, clock, ms, when

WEEK = Window("week")
LAX, STRICT = promise(WEEK, target=0.5), promise(WEEK, target=0.9)


def parts(stage, window="week"):
    """What is stated of each part: from when to when, by which version, met / measured, the verdicts."""
    found = []
    for one in stage.statements:
        figure = next(one for one in one.figures if one.indicator == "compliance")
        verdicts = ", ".join(f"{verdict.objective} {verdict.verdict}" for verdict in one.verdicts)
        if one.window == window:
            counts = f"{figure.numerator:g}/{figure.denominator:g}"
            found.append(f"{when(one.from_ms)} - {when(one.to_ms)} v{one.version} {counts} {verdicts}")
    return found


def amended(first, second, at="Thu 00:00"):
    return replace(first, version=1), replace(second, version=2, valid_from_ms=ms(at))


def a_week(stage):
    """Two tickets are solved in time before Thursday, one too late; one in time after it, one too late."""
    stage.stopped("Mon 09:00").stopped("Tue 09:00").stopped("Wed 23:30", "breached", "9h")
    stage.stopped("Thu 00:30").stopped("Sat 09:00", "breached", "9h")
    return stage


def test_each_version_judges_the_time_in_which_it_held():
    stage = a_week(Stage(*amended(desk(objectives=[LAX]), desk(objectives=[STRICT])))).until("Tue+7 00:00")
    assert parts(stage) == [
        "Mon 00:00 - Thu 00:00 v1 2/3 kept met",
        "Thu 00:00 - Mon+7 00:00 v2 1/2 kept breached",
    ]
    assert [one.parts for one in stage.statements] == [2, 2]
    assert {when(one.as_of_ms) for one in stage.statements} == {"Mon+7 00:15"}, "both at the close of the period"


def test_a_promise_that_an_amendment_drops_is_stated_for_the_time_in_which_it_held():
    stage = a_week(Stage(*amended(desk(objectives=[LAX]), desk(WEEK)))).until("Tue+7 00:00")
    assert parts(stage) == ["Mon 00:00 - Thu 00:00 v1 2/3 kept met", "Thu 00:00 - Mon+7 00:00 v2 1/2 "]


def test_a_measure_that_an_amendment_drops_is_stated_for_the_time_in_which_it_held():
    other = agreement(clock("first_response", windows=(DAY,)))
    stage = a_week(Stage(*amended(desk(objectives=[LAX]), other))).until("Tue+7 00:00")
    assert parts(stage) == ["Mon 00:00 - Thu 00:00 v1 2/3 kept met"]


def test_an_amendment_within_a_day_cuts_the_day():
    stage = Stage(*amended(desk(objectives=[LAX]), desk(objectives=[STRICT]), at="Thu 12:30"))
    stage.stopped("Thu 12:29").stopped("Thu 12:30", "breached", "9h").until("Tue+7 00:00")
    assert parts(stage) == [
        "Mon 00:00 - Thu 12:30 v1 1/1 kept met",
        "Thu 12:30 - Mon+7 00:00 v2 0/1 kept breached",
    ]


def test_the_version_at_the_end_judges_all_of_the_period_if_the_agreement_says_so():
    last = desk(objectives=[STRICT], amendments="by_version_at_end")
    stage = a_week(Stage(*amended(desk(objectives=[LAX]), last))).until("Tue+7 00:00")
    assert parts(stage) == ["Mon 00:00 - Mon+7 00:00 v2 3/5 kept breached"]


def test_what_the_version_at_the_end_no_longer_promises_does_not_vanish_either():
    last = desk(WEEK, amendments="by_version_at_end")
    stage = a_week(Stage(*amended(desk(objectives=[LAX]), last))).until("Tue+7 00:00")
    assert parts(stage) == ["Mon 00:00 - Thu 00:00 v1 2/3 kept met", "Thu 00:00 - Mon+7 00:00 v2 1/2 "]


def test_an_amendment_of_something_else_leaves_the_period_whole():
    first = desk(objectives=[LAX])
    second = replace(first, contacts=(Contact(role="owner", name="Somebody"),), name="Another name")
    stage = a_week(Stage(*amended(first, second))).until("Tue+7 00:00")
    assert parts(stage) == ["Mon 00:00 - Mon+7 00:00 v2 3/5 kept met"]


def test_an_amendment_that_is_not_accepted_leaves_the_period_whole():
    stage = a_week(Stage(*amended(desk(objectives=[LAX]), desk(objectives=[STRICT], status="draft"))))
    assert parts(stage.until("Tue+7 00:00")) == ["Mon 00:00 - Mon+7 00:00 v1 3/5 kept met"]


def test_it_makes_no_difference_when_an_amendment_becomes_known():
    versions = amended(desk(objectives=[LAX]), desk(objectives=[STRICT]))
    before = a_week(Stage(*versions)).until("Tue+7 00:00")
    later = a_week(Stage(versions[0])).look("Sun 12:00")
    later.amend(*versions).until("Tue+7 00:00")
    assert parts(later) == parts(before)


def test_the_running_period_shows_the_part_that_runs():
    stage = a_week(Stage(*amended(desk(objectives=[LAX]), desk(objectives=[STRICT])))).look("Wed 23:45")
    assert (stage.latest("week").version, stage.value(window="week")) == (1, pytest.approx(2 / 3))
    assert (when(stage.latest("week").from_ms), when(stage.latest("week").to_ms)) == ("Mon 00:00", "Thu 00:00")
    stage.look("Sun 12:00")
    assert (when(stage.latest("week").from_ms), stage.value(window="week")) == ("Thu 00:00", 0.5)


# -- an agreement that ended


@pytest.mark.parametrize("looks", ["all along", "long after the end"])
def test_an_agreement_that_ended_is_stated_up_to_its_end_whenever_it_is_first_evaluated(looks):
    stage = Stage(desk(DAY, terminates_ms=ms("Wed 10:00")))
    for time in ("Mon 09:00", "Wed 09:30", "Wed 10:00"):
        if looks == "all along":
            stage.until(time)
        stage.stopped(time)
    stage.until("Mon+14 00:00")
    assert [f"{when(one.from_ms)} - {when(one.to_ms)} {figure_of(one)}" for one in stage.statements] == [
        "Mon 00:00 - Tue 00:00 1/1",
        "Tue 00:00 - Wed 00:00 0/0",
        "Wed 00:00 - Wed 10:00 1/1",
    ]


def test_a_window_that_a_later_version_dropped_is_stated_for_its_whole_periods():
    stage = Stage(*amended(desk(DAY), desk(WEEK), at="Wed 00:00")).stopped("Mon 09:00").stopped("Wed 09:00")
    stage.look("Mon+14 00:00")
    assert stage.stated("day") == ["day Mon 00:00: 1", "day Tue 00:00: nothing"]


def test_a_service_without_an_outage_is_stated_from_when_its_agreement_was_watched_up_to_its_end():
    ring = OutageRule(id="ring", windows=(DAY,))
    network = agreement(ring, clock(windows=(DAY,)), terminates_ms=ms("Wed 00:00"))
    stage = Stage(network, owns=lambda _: True).stopped("Mon 09:00").look("Mon+14 00:00")
    up = [one for one in stage.statements if one.series.measure == "ring"]
    assert [when(one.from_ms) for one in up] == ["Mon 00:00", "Tue 00:00"]
    stage.restart().look("Mon+60 00:00").look("Mon+500 00:00")
    assert len([one for one in stage.statements if one.series.measure == "ring"]) == 2


def figure_of(status):
    figure = next(one for one in status.figures if one.indicator == "compliance")
    return f"{figure.numerator:g}/{figure.denominator:g}"


# -- what follows


def credits_for(target, fee, **more):
    objective = promise(MONTH, target=target)
    rules = Consequences(
        currency="EUR", fees={"all": Decimal(fee)},
        credits=(CreditRule("kept", "month", (Tier(target, Decimal("0.10")),), "all"),),
        termination=(TerminationRule("kept", "month", 2, 3),), **more,
    )  # fmt: skip
    return desk(objectives=[objective], consequences=rules)


def a_month(first, second, at="Mon+14 00:00"):
    """March 2026 has 31 days; the amendment is on the 16th. Missed in both parts, and in April."""
    stage = Stage(*amended(first, second, at)).stopped("Mon 09:00", "breached", "9h")
    return stage.stopped("Tue+14 09:00", "breached", "9h").stopped("Mon+35 09:00", "breached", "9h")


def test_each_part_is_credited_by_its_own_tiers_and_by_its_part_of_its_own_fee():
    stage = a_month(credits_for(0.9, "3100"), credits_for(0.8, "6200")).until("Sat+56 00:00")
    due = [one for status in stage.statements for one in status.consequences if one.kind == "credit"]
    assert [(one.fee, one.amount) for one in due] == [
        (Decimal("1500.00"), Decimal("150.00")),
        (Decimal("3200.00"), Decimal("320.00")),
        (Decimal(6200), Decimal("620.00")),
    ]


def test_a_part_of_a_period_that_was_kept_brings_nothing():
    stage = Stage(*amended(credits_for(0.9, "3100"), credits_for(0.8, "6200"), "Mon+14 00:00"))
    stage.stopped("Mon 09:00").stopped("Tue+14 09:00", "breached", "9h").until("Mon+35 00:00")
    credits_of = [[one.amount for one in status.consequences if one.kind == "credit"] for status in stage.statements]
    assert credits_of == [[], [Decimal("320.00")]]


def test_the_parts_of_a_period_are_one_miss_and_share_the_cap_of_their_month():
    versions = credits_for(0.9, "3100", month_cap=Decimal(200)), credits_for(0.8, "6200", month_cap=Decimal(200))
    stage = a_month(*versions).until("Sat+56 00:00")
    found = [one for status in stage.statements for one in status.consequences]
    standing = [(one.kind, when(one.from_ms)) for one in found if one.kind != "credit"]
    assert standing == [("termination_warning", "Sun+-7 00:00"), ("termination_right", "Wed+28 00:00")]
    assert [one.payable for one in found if one.kind == "credit"] == [Decimal("150.00"), 50, 200]
    assert consequences_of(stage.statements, stage.book) == found


def test_the_claim_on_a_part_runs_from_the_end_of_the_period():
    stage = a_month(*(credits_for(0.9, "3100", claim_within_ms=86_400_000),) * 1, credits_for(0.8, "6200"))
    stage.until("Mon+35 00:00")
    assert when(stage.statements[0].consequences[0].claim_until_ms) == when(ms("Wed+28 00:00") + 86_400_000)


def test_the_parts_of_other_series_are_their_own():
    stage = Stage(*amended(desk(objectives=[LAX]), desk(objectives=[STRICT]))).stopped("Mon 09:00")
    stage.until("Tue+7 00:00")
    assert {one.series for one in stage.statements} == {P1}


def test_an_agreement_that_is_agreed_anew_after_a_gap_is_stated_on_both_sides_of_it():
    first = desk(DAY, terminates_ms=ms("Tue 12:00"))
    stage = Stage(replace(first, version=1), replace(desk(DAY), version=2, valid_from_ms=ms("Fri 06:00")))
    stage.stopped("Mon 09:00").stopped("Tue 12:30").stopped("Fri 05:00").stopped("Fri 09:00").look("Sat 12:00")
    assert [f"{when(one.from_ms)} - {when(one.to_ms)} {figure_of(one)}" for one in stage.statements] == [
        "Mon 00:00 - Tue 00:00 1/1",
        "Tue 00:00 - Tue 12:00 0/0",
        "Fri 06:00 - Sat 00:00 1/1",
    ]


def test_the_alert_of_a_promise_that_was_taken_back_altogether_ends_with_its_period():
    stage = Stage(desk(objectives=[promise(DAY)])).stopped("Tue 09:00", "breached", "9h").look("Tue 09:01")
    late = replace(desk(objectives=[promise(DAY)]), valid_from_ms=ms("Fri 00:00"))
    draft = replace(desk(WEEK), status="draft", version=1)
    stage.amend(draft, replace(late, version=2)).look("Tue 23:00").until("Sat 12:00")
    assert stage.told() == ["breached below_target Tue 09:01", "resolved period_closed Wed 00:00"]
    assert {when(one.from_ms) for one in stage.statements} <= {"Fri 00:00"}


@pytest.mark.parametrize("days", [34, 60])
def test_a_series_that_fell_silent_is_stated_from_its_next_pane_on(days):
    stage = Stage(desk(DAY)).stopped("Mon 09:00").until(f"Mon+{days} 00:00")
    assert len(stage.statements) == 32
    stage.stopped(f"Mon+{days} 09:00").until(f"Tue+{days} 12:00")
    assert stage.statements[-1].from_ms == ms(f"Mon+{days} 00:00")
    assert len(stage.statements) == 33


def test_other_hours_are_another_promise():
    def ring(hours):
        rule = OutageRule(id="ring", windows=(WEEK,), service_hours="office")
        return replace(agreement(rule), calendars={"office": hours})

    stage = Stage(*amended(ring(office(9)), ring(office(8)))).change(outage("Mon 07:00", "Mon 08:30"))
    stage.until("Tue+7 00:00")
    assert [(when(one.from_ms), one.version) for one in stage.statements] == [("Mon 00:00", 1), ("Thu 00:00", 2)]
    same = Stage(*amended(ring(office(9)), ring(office(9)))).change(outage("Mon 07:00", "Mon 08:30"))
    assert [one.version for one in same.until("Tue+7 00:00").statements] == [2]


def office(opens):
    day = ((opens * 60, 17 * 60),)
    return Calendar(CalendarSpec(zone="UTC", hours=(day,) * 5 + ((), ())))


def outage(start, end):
    record = OutageRecord("outage", ms(start), restored_ms=ms(end), weights=((ms(start), 1.0),))
    return Change(SeriesKey("desk", "ring", ()), ms(start), (), outage=("O-1", record))
