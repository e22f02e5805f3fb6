"""Objectives over their life, in rolling windows and calendar periods, and over versions of the agreement."""

from tests.core.stage import DAY, HOUR, Stage, desk, promise
from tests.core.stories import agreement, clock, ms, when

# -- alerts


def test_an_objective_is_announced_and_resolved_on_one_key():
    stage = Stage(desk(HOUR, objectives=[promise(HOUR, target=0.6)]))
    stage.stopped("Mon 09:00").look("Mon 09:01").stopped("Mon 09:02", "breached", "9h").look("Mon 09:03")
    stage.stopped("Mon 09:10").look("Mon 09:11")
    assert stage.told() == ["breached below_target Mon 09:03", "resolved target_met Mon 09:11"]
    assert {one.key for one in stage.alerts} == {("objective", "P1|1h", "desk", "kept", 1)}
    breach = stage.alerts[0]
    assert (breach.value, breach.target, breach.numerator, breach.denominator) == (0.5, 0.6, 1, 2)
    assert breach.labels == {
        "agreement": "desk", "objective": "kept", "measure": "resolution", "indicator": "compliance", "window": "1h",
        "priority": "P1",
    }  # fmt: skip


def test_the_next_breach_is_a_cycle_of_its_own():
    stage = Stage(desk(HOUR, objectives=[promise(HOUR)]))
    stage.stopped("Mon 09:00", "breached", "9h").until("Mon 12:00").stopped("Mon 12:00", "breached", "9h")
    stage.look("Mon 12:01")
    assert [f"{one.key.cycle} {one.state} {one.reason}" for one in stage.alerts] == [
        "1 breached below_target", "1 resolved no_data", "2 breached below_target",
    ]  # fmt: skip


def test_a_series_that_comes_back_after_its_panes_are_gone_counts_its_cycles_on():
    stage = Stage(desk(HOUR, objectives=[promise(HOUR)]))
    stage.stopped("Mon 09:00", "breached", "9h").until("Mon+14 09:00")
    assert stage.evaluator.latest == {}
    stage.restart().stopped("Mon+14 09:00", "breached", "9h").look("Mon+14 09:01")
    assert [one.key.cycle for one in stage.alerts] == [1, 1, 2]
    assert len({one.id for one in stage.alerts}) == 3


def test_at_risk_breached_and_resolved_are_told_in_turn():
    stage = Stage(desk(HOUR, objectives=[promise(HOUR, target=0.5, at_risk=0.8)]))
    stage.stopped("Mon 09:00").stopped("Mon 09:01").look("Mon 09:02")
    stage.stopped("Mon 09:03", "breached", "9h").look("Mon 09:04")
    stage.stopped("Mon 09:05", "breached", "9h").stopped("Mon 09:05", "breached", "9h").look("Mon 09:06")
    stage.until("Mon 11:00")
    assert stage.told() == [
        "at_risk near_target Mon 09:04", "breached below_target Mon 09:06", "resolved no_data Mon 10:05",
    ]  # fmt: skip


def test_each_calendar_period_has_its_own_key_and_its_alert_ends_with_it():
    stage = Stage(desk(objectives=[promise(DAY)]))
    stage.stopped("Mon 09:00", "breached", "9h").until("Tue 09:00").stopped("Tue 09:00", "breached", "9h")
    stage.until("Wed 01:00")
    assert [f"{one.key.what} {one.state} {one.reason} {when(one.at_ms)}" for one in stage.alerts] == [
        "P1|day|2026-03-02 breached below_target Mon 09:00",
        "P1|day|2026-03-02 resolved period_closed Tue 00:15",
        "P1|day|2026-03-03 breached below_target Tue 09:00",
        "P1|day|2026-03-03 resolved period_closed Wed 00:15",
    ]  # fmt: skip


def test_below_the_minimum_sample_nothing_is_told():
    stage = Stage(desk(objectives=[promise(DAY, minimum_sample=3)]))
    stage.stopped("Mon 09:00", "breached", "9h").stopped("Mon 09:01", "breached", "9h").look("Mon 09:02")
    assert stage.told() == []
    assert [one.verdict for one in stage.latest().verdicts] == ["low_sample"]
    stage.stopped("Mon 09:03", "breached", "9h").look("Mon 09:04")
    assert stage.told() == ["breached below_target Mon 09:04"]


def test_a_late_fact_that_arrives_before_the_close_decides_the_statement():
    stage = Stage(desk(objectives=[promise(DAY)])).stopped("Mon 09:00").until("Tue 00:10")
    stage.stopped("Mon 23:59", "breached", "9h").until("Tue 00:20")
    assert stage.stated() == ["day Mon 00:00: 0.5"]
    assert stage.told() == ["breached below_target Tue 00:15", "resolved period_closed Tue 00:15"]
    assert [one.verdict for one in stage.statements[0].verdicts] == ["breached"]


def test_a_late_fact_that_puts_a_period_right_resolves_its_alert_at_the_close():
    stage = Stage(desk(objectives=[promise(DAY, target=0.5)]))
    stage.stopped("Mon 23:00", "breached", "9h").until("Tue 00:10").stopped("Mon 23:30").until("Tue 00:20")
    assert stage.told() == ["breached below_target Mon 23:00", "resolved target_met Tue 00:15"]


def test_a_look_at_an_older_instant_takes_no_announcement_back():
    stage = Stage(desk(HOUR, objectives=[promise(HOUR)])).stopped("Mon 09:00").stopped("Mon 10:00", "breached", "9h")
    stage.look("Mon 10:01").restart().look("Mon 09:30").look("Mon 10:01")
    assert stage.told() == ["breached below_target Mon 10:01"]


# -- versions


def test_a_draft_is_shown_but_neither_announces_nor_states():
    stage = Stage(desk(objectives=[promise(DAY)], status="draft")).stopped("Mon 09:00", "breached", "9h")
    stage.until("Wed 00:00")
    assert [one.verdict for one in stage.statuses[0].verdicts] == ["breached"]
    assert (stage.told(), stage.stated()) == ([], [])


def test_an_amendment_judges_from_its_first_instant_on():
    lax = desk(objectives=[promise(DAY, target=0.5)])
    strict = desk(objectives=[promise(DAY, target=0.9)], version=2, valid_from=ms("Mon 12:00"))
    stage = Stage(lax, strict).stopped("Mon 09:00").stopped("Mon 10:00", "breached", "9h").until("Mon 11:59")
    assert (stage.told(), stage.latest().version) == ([], 1)
    stage.until("Mon 12:00")
    assert (stage.told(), stage.latest().version) == ([], 2), "it counts for the time in which it holds"
    stage.stopped("Mon 12:30", "breached", "9h").look("Mon 12:31")
    assert stage.told() == ["breached below_target Mon 12:31"]


def test_a_statement_is_judged_by_the_version_at_the_end_of_its_period():
    lax = desk(objectives=[promise(DAY, target=0.5)])
    strict = desk(objectives=[promise(DAY, target=0.9)], version=2, valid_from=ms("Tue 00:00"))
    stage = Stage(lax, strict).stopped("Mon 09:00").stopped("Mon 10:00", "breached", "9h").until("Tue 01:00")
    assert [(one.version, one.verdicts[0].verdict) for one in stage.statements] == [(1, "met")]


def test_an_objective_that_an_amendment_drops_ends_its_alert_on_the_same_key_and_labels():
    stage = Stage(desk(HOUR, objectives=[promise(HOUR)])).stopped("Mon 09:00", "breached", "9h").look("Mon 09:01")
    before = stage.book.agreements[0]
    stage.amend(before, desk(HOUR, version=2, valid_from=ms("Mon 09:10"))).until("Mon 09:10")
    assert stage.told() == ["breached below_target Mon 09:01", "resolved agreement_changed Mon 09:10"]
    assert stage.alerts[0].key == stage.alerts[1].key
    assert stage.alerts[0].labels == stage.alerts[1].labels


def test_a_window_that_an_amendment_drops_is_shown_no_more_and_ends_its_alerts():
    stage = Stage(desk(DAY, objectives=[promise(HOUR)])).stopped("Mon 09:00", "breached", "9h").look("Mon 09:01")
    before = stage.book.agreements[0]
    stage.amend(before, desk(DAY, version=2, valid_from=ms("Mon 09:10"))).until("Mon 09:10")
    assert stage.told() == ["breached below_target Mon 09:01", "resolved agreement_changed Mon 09:10"]
    assert stage.latest("1h") is None


def test_a_calendar_window_that_an_amendment_drops_is_stated_for_its_time_and_its_alert_ends_with_the_period():
    stage = Stage(desk(HOUR, objectives=[promise(DAY)])).stopped("Mon 09:00", "breached", "9h").look("Mon 09:01")
    before = stage.book.agreements[0]
    stage.amend(before, desk(HOUR, version=2, valid_from=ms("Mon 12:00"))).until("Tue 00:15")
    assert stage.told() == ["breached below_target Mon 09:01", "resolved period_closed Tue 00:15"]
    assert (stage.stated(), stage.latest("day")) == (["day Mon 00:00: 0"], None)
    assert stage.statements[0].to_ms == ms("Mon 12:00")


def test_a_terminated_agreement_closes_its_period_at_that_instant_and_is_shown_no_more():
    stage = Stage(desk(objectives=[promise(DAY, HOUR)], terminates_ms=ms("Mon 12:00")))
    stage.stopped("Mon 11:30", "breached", "9h").until("Wed 12:00")
    assert [(when(one.from_ms), when(one.to_ms), when(one.as_of_ms)) for one in stage.statements] == [
        ("Mon 00:00", "Mon 12:00", "Mon 12:15")
    ]
    assert sorted(stage.told()) == [
        "breached below_target Mon 11:30", "breached below_target Mon 11:30",
        "resolved period_closed Mon 12:15", "resolved terminated Mon 12:00",
    ]  # fmt: skip
    assert stage.evaluator.latest == {}


def test_what_is_left_of_a_terminated_agreement_is_deleted_in_the_end():
    stage = Stage(desk(DAY, terminates_ms=ms("Mon 12:00"))).stopped("Mon 11:30").live(open=1).until("Tue 00:00")
    stage.live(open=1, times=-1).until("Mon+28 00:00")
    assert (stage.rows, stage.evaluator.next_ms(0)) == ({}, None)


def test_a_series_of_an_agreement_that_is_not_known_waits_for_it():
    known = desk(DAY)
    stage = Stage(known).stopped("Mon 09:00")
    stage.amend().look("Mon 09:01")
    assert (stage.statuses, stage.evaluator.latest) == ([], {})
    stage.amend(known).look("Mon 09:02")
    assert stage.value() == 1


def test_a_series_that_an_amendment_splits_another_way_is_judged_no_more():
    other = agreement(clock(windows=(DAY,), by=("priority", "team")), version=2, valid_from=ms("Tue 00:00"))
    stage = Stage(desk(DAY), other).stopped("Mon 09:00").until("Tue 01:00")
    assert stage.latest() is None
    assert stage.stated() == ["day Mon 00:00: 1"]
