"""Calendar periods close once, in order, with what was known by then."""

import pytest

from tests.core.stage import DAY, HOUR, MONTH, Stage, desk, promise
from tests.core.stories import DAY_MS, ms, when


def test_a_period_closes_once_its_lateness_after_its_end():
    stage = Stage(desk(DAY)).stopped("Mon 09:00").until("Tue 00:14")
    assert stage.stated() == []
    stage.until("Tue 00:15")
    assert stage.stated() == ["day Mon 00:00: 1"]
    statement = stage.statements[0]
    assert (statement.closed, statement.to_ms, statement.as_of_ms) == (True, ms("Tue 00:00"), ms("Tue 00:15"))
    stage.until("Tue 12:00").restart().until("Tue 13:00")
    assert stage.stated() == ["day Mon 00:00: 1"]


def test_a_running_period_tells_what_the_one_before_it_was_stated_with_also_after_a_restart():
    promised = [promise(DAY), promise(DAY, id="quick", indicator="p90", target=1.0)]
    stage = Stage(desk(DAY, HOUR, objectives=promised)).stopped("Mon 09:00").stopped("Mon 10:00", "breached", "9h")
    assert stage.look("Mon 12:00").latest().before == ()

    stage.until("Tue 00:30").stopped("Tue 09:00").until("Tue 09:30")
    assert dict(stage.latest().before) == {"kept": 0.5, "quick": pytest.approx(9 * 3_600_000, rel=0.01)}
    assert stage.latest("1h").before == (), "a rolling window has no period before it"
    told = [one for one in stage.statuses if one.window == "day" and one.before]
    assert when(told[0].as_of_ms) == "Tue 00:15", "told with the close, which is later than the period's end"
    stage.restart().look("Tue 10:00")
    assert dict(stage.latest().before)["kept"] == 0.5

    stage.until("Wed 12:00").restart().stopped("Thu 09:00").until("Thu 12:00")
    assert stage.latest().before == (), "nothing happened on Wednesday: there was no value"


def test_a_restart_before_the_close_still_closes_the_period():
    stage = Stage(desk(DAY)).stopped("Mon 09:00").until("Tue 00:05").restart().until("Tue 00:15")
    assert stage.stated() == ["day Mon 00:00: 1"]


def test_what_comes_after_the_close_changes_no_statement():
    stage = Stage(desk(DAY)).stopped("Mon 09:00").until("Tue 00:15").stopped("Mon 23:00", "breached", "9h")
    assert stage.until("Tue 06:00").stated() == ["day Mon 00:00: 1"]


def test_after_a_long_stop_all_periods_that_ended_meanwhile_close_in_their_order():
    stage = Stage(desk(DAY)).stopped("Mon 09:00").look("Mon 09:01")
    # the worker is down, and its sources have forgotten the panes before it is back
    stage.restart().stopped("Wed 09:00", "breached", "9h")
    for source, key in [one for one in stage.sent if one[1].start_ms == ms("Mon 00:00")]:
        stage.evaluator.fold(source, key, None, stage.book)
    stage.until("Mon+14 12:00")
    assert stage.stated()[:4] == [
        "day Mon 00:00: 1", "day Tue 00:00: nothing", "day Wed 00:00: 0", "day Thu 00:00: nothing",
    ]  # fmt: skip
    assert len(set(stage.stated())) == len(stage.stated())


def test_a_very_long_stop_is_worked_off_in_portions():
    stage = Stage(desk(DAY)).stopped("Mon 09:00").stopped("Sun+21 09:00")
    done = stage.evaluator.evaluate(ms("Mon+28 12:00"), stage.book, limit=1)
    assert done.more
    assert 0 < len([one for one in done.statuses if one.closed]) < 28
    stage.look("Mon+28 12:00")
    stated = [one for one in (*done.statuses, *stage.statements) if one.closed]
    assert [one.from_ms for one in stated] == [ms("Mon 00:00") + day * DAY_MS for day in range(28)]


def test_a_series_first_seen_when_all_of_it_is_long_over_is_stated_and_then_ends():
    # panes of a year ago, first looked at today: the last of them goes in the middle of the closing
    stage = Stage(desk(DAY)).stopped("Mon 09:00").stopped("Fri 09:00", "breached", "9h").look("Mon+364 12:00")
    assert [one for one in stage.stated() if "nothing" not in one] == ["day Mon 00:00: 1", "day Fri 00:00: 0"]
    assert (stage.evaluator.latest, stage.rows, stage.evaluator.next_ms(stage.now)) == ({}, {}, None)


def test_months_and_days_close_side_by_side():
    stage = Stage(desk(DAY, MONTH)).stopped("Tue+28 09:00").until("Wed+28 06:00")  # 31 March
    assert stage.stated() == ["day Tue+28 00:00: 1", "month Sun+-7 00:00: 1"]


def test_overdue_clocks_are_breached_in_the_period_at_its_close():
    stage = Stage(desk(DAY)).stopped("Mon 09:00").live(open=1, overdue=1).until("Tue 00:15")
    assert stage.stated() == ["day Mon 00:00: 0.5"]


def test_a_series_of_which_only_open_clocks_are_known_gets_its_statements():
    stage = Stage(desk(DAY)).live(open=1, overdue=1).look("Mon 09:00").until("Wed 12:00")
    assert stage.stated() == ["day Mon 00:00: 0", "day Tue 00:00: 0"]


def test_whether_a_period_is_stated_does_not_depend_on_when_it_is_looked_at():
    # open over midnight and cancelled the next morning: nothing was measured on the first day
    watched = Stage(desk(DAY)).live(open=1).until("Tue 08:00").live(times=-1, open=1).stopped("Tue 09:00")
    caught_up = Stage(desk(DAY)).stopped("Tue 09:00")
    assert watched.until("Wed 12:00").stated() == caught_up.until("Wed 12:00").stated() == ["day Tue 00:00: 1"]


def test_an_earlier_pane_moves_the_first_period_back_as_long_as_none_was_closed():
    stage = Stage(desk(DAY)).stopped("Tue 00:05").look("Tue 00:06").stopped("Mon 23:50", "breached", "9h")
    assert stage.until("Tue 00:20").stated() == ["day Mon 00:00: 0"]


def test_periods_follow_the_agreements_zone():
    stage = Stage(desk(DAY, zone="Asia/Kathmandu")).stopped("Mon 18:00").stopped("Mon 18:30", "breached", "9h")
    stage.until("Mon 18:30")
    assert when(stage.latest().from_ms) == "Mon 18:15"
    assert stage.value() == 0
    assert stage.until("Mon 19:00").stated() == ["day Sun+-7 18:15: 1"]


def test_a_series_that_is_shown_no_more_for_lack_of_events_is_stated_on():
    stage = Stage(desk(DAY)).stopped("Mon 09:00").until("Sat 12:00")
    assert stage.evaluator.latest == {}
    stage.restart().stopped("Mon+7 09:00").until("Tue+7 01:00")
    days = ["Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    assert stage.stated() == ["day Mon 00:00: 1", *(f"day {day} 00:00: nothing" for day in days), "day Mon+7 00:00: 1"]


def test_months_without_an_event_are_stated_for_a_year_and_leave_no_gap():
    stage = Stage(desk(MONTH)).stopped("Mon 09:00").until("Mon+300 00:00").stopped("Mon+301 09:00")
    stage.until("Mon+360 00:00")
    assert len(stage.stated()) == 11
    assert [place for place, one in enumerate(stage.stated()) if "nothing" not in one] == [0, 9]


@pytest.mark.parametrize("steps", [1, 200])
def test_a_series_that_was_silent_for_long_begins_anew(steps):
    stage = Stage(desk(DAY)).stopped("Mon 09:00")
    for day in range(0, 200, 200 // steps) if steps > 1 else ():
        stage.until(f"Mon+{day} 12:00")
    stage.stopped("Mon+203 09:00").until("Tue+203 12:00")
    stated = stage.stated()
    assert len(stated) == 1 + 31 + 1
    assert [one for one in stated if "nothing" not in one] == ["day Mon 00:00: 1", "day Mon+203 00:00: 1"]


def test_a_late_fact_wakes_a_sleeping_series_without_a_second_statement():
    stage = Stage(desk(DAY)).stopped("Mon 09:00").until("Sat 12:00").stopped("Thu 23:00", "breached", "9h")
    stage.until("Sat 13:00")
    stated = [(one.window, one.from_ms) for one in stage.statements]
    assert len(set(stated)) == len(stated)


def test_an_amendment_does_not_wake_a_series_that_sleeps():
    stage = Stage(desk(DAY)).stopped("Mon 09:00").until("Sat 12:00")
    before, rows = stage.stated(), dict(stage.rows)
    stage.amend(desk(DAY)).evaluator.touch_all()
    stage.look("Sat 13:00")
    assert stage.evaluator.latest == {}
    assert (stage.stated(), stage.rows) == (before, rows)


def test_what_a_late_look_finds_is_kept_until_its_period_is_stated():
    stage = Stage(desk(DAY)).stopped("Mon 09:00").stopped("Mon+98 09:00", "breached", "9h").look("Mon+280 00:00")
    stated = [one for one in stage.stated() if not one.endswith("nothing")]
    assert stated == ["day Mon 00:00: 1", "day Mon+98 00:00: 0"]


def test_a_look_at_a_period_that_is_closed_shows_and_ends_nothing():
    stage = Stage(desk(DAY, objectives=[promise(HOUR)])).stopped("Tue 00:20", "breached", "9h").stopped("Mon 09:00")
    stage.until("Tue 00:30").amend(desk(DAY)).restart().look("Mon 12:00")
    assert stage.latest() is None
    assert stage.told() == ["breached below_target Tue 00:20"]
    assert stage.look("Tue 00:31").told()[1:] == ["resolved agreement_changed Tue 00:31"]
