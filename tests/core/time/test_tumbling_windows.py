"""Tumbling windows follow each other from the epoch on, and close as calendar periods do."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.time.periods import period_text, period_window, window_span
from monitor.core.time.windows import WIDTH_MS, Window, width_for
from tests.core.stage import DAY, HOUR_MS, Stage, desk, figure, promise
from tests.core.stories import ms, span
from tests.core.windows.test_call_and_outage_windows import outage, ring

QUARTER, SHIFT, WEEK = (Window("tumbling", span(text)) for text in ("15m", "4h", "168h"))


@pytest.mark.parametrize(("window", "name"), [(QUARTER, "tumbling-15m"), (SHIFT, "tumbling-4h"), (WEEK, "tumbling-7d")])
def test_a_window_and_its_name_tell_the_same(window, name):
    assert window.name == name
    assert period_window(name) == window


@pytest.mark.parametrize("name", ["4h", "30d"])
def test_a_rolling_window_never_closes(name):
    assert period_window(name) is None


@given(st.integers(0, 2**42), st.sampled_from([QUARTER, SHIFT, WEEK]))
def test_law_windows_leave_no_gap_do_not_overlap_and_are_made_of_whole_panes(at_ms, window):
    found = window_span(window, "Europe/Berlin", at_ms)

    assert found.start_ms <= at_ms < found.end_ms
    assert found.end_ms - found.start_ms == window.length_ms
    assert window_span(window, "Europe/Berlin", found.end_ms).start_ms == found.end_ms
    assert found.start_ms % WIDTH_MS[width_for(window)] == 0


def test_a_window_is_named_by_its_instant_a_day_by_its_local_date():
    assert period_text("tumbling-4h", "Europe/Berlin", ms("Mon 20:00")) == "2026-03-02T20:00Z"
    assert period_text("day", "Europe/Berlin", ms("Mon 23:00")) == "2026-03-03"


def test_each_window_closes_once_its_lateness_after_its_end():
    stage = Stage(desk(SHIFT)).stopped("Mon 09:00").stopped("Mon 13:00", "breached", "9h").until("Mon 12:14")
    assert stage.stated() == []
    stage.until("Mon 12:15").restart().until("Mon 16:15")
    assert stage.stated() == ["tumbling-4h Mon 08:00: 1", "tumbling-4h Mon 12:00: 0"]


def test_a_running_window_is_judged_and_its_alert_ends_with_it():
    stage = Stage(desk(SHIFT, objectives=(promise(SHIFT),))).stopped("Mon 09:00", "breached", "9h").look("Mon 09:01")
    assert stage.latest("tumbling-4h").verdicts[0].verdict == "breached"
    stage.until("Mon 12:30").stopped("Mon 12:31", "breached", "9h").until("Mon 12:32")
    assert stage.told() == [
        "breached below_target Mon 09:01",
        "resolved period_closed Mon 12:15",
        "breached below_target Mon 12:31",
    ]
    assert {one.key.what for one in stage.alerts} == {
        "P1|tumbling-4h|2026-03-02T08:00Z", "P1|tumbling-4h|2026-03-02T12:00Z",
    }  # fmt: skip


def test_who_is_overdue_at_the_end_of_a_window_counts_in_its_statement():
    stage = Stage(desk(SHIFT)).stopped("Mon 09:00").live(open=1, overdue=1).until("Mon 12:15")
    assert stage.stated() == ["tumbling-4h Mon 08:00: 0.5"]


def test_what_a_source_has_forgotten_still_counts_in_the_window_that_is_not_closed():
    stage = Stage(desk(QUARTER)).stopped("Mon 09:00").look("Mon 09:01")
    for source, key in stage.sent:
        stage.evaluator.fold(source, key, None, stage.book)
    assert stage.until("Mon 09:30").stated() == ["tumbling-15m Mon 09:00: 1"]


def test_after_a_long_stop_all_windows_that_ended_meanwhile_close_in_their_order():
    stage = Stage(desk(SHIFT)).stopped("Mon 09:00").look("Mon 09:01").restart().stopped("Wed 09:00", "breached", "9h")
    stage.look("Wed 16:15")
    starts = [one.from_ms for one in stage.statements]
    assert starts == [ms("Mon 08:00") + number * 4 * HOUR_MS for number in range(14)]
    assert [one for one in stage.stated() if "nothing" not in one] == [
        "tumbling-4h Mon 08:00: 1", "tumbling-4h Wed 08:00: 0",
    ]  # fmt: skip


def test_the_panes_of_closed_windows_go_and_the_series_ends():
    stage = Stage(desk(QUARTER)).stopped("Mon 09:00").look("Mon 09:01").until("Mon+14 12:00")
    assert (stage.evaluator.latest, stage.rows, stage.evaluator.next_ms(stage.now)) == ({}, {}, None)


def test_an_agreement_that_ends_within_a_window_cuts_it_off():
    stage = Stage(desk(SHIFT, terminates_ms=ms("Mon 10:00"))).stopped("Mon 09:00").until("Mon 18:00")
    (statement,) = stage.statements
    assert (statement.from_ms, statement.to_ms, statement.as_of_ms) == (
        ms("Mon 08:00"), ms("Mon 10:00"), ms("Mon 10:15"),
    )  # fmt: skip


times = st.lists(
    st.tuples(st.integers(0, 47), st.integers(0, 59), st.sampled_from(["met", "breached"])), min_size=1, max_size=12
)


@given(times)
def test_law_each_statement_equals_brute_force_over_what_happened(stops):
    stage = Stage(desk(SHIFT, DAY))
    happened = []
    for hour, minute, outcome in sorted(stops):
        at_ms = ms("Mon 00:00") + hour * HOUR_MS + minute * 60_000
        happened.append((at_ms, outcome))
        stage.stopped(f"{('Mon', 'Tue')[hour // 24]} {hour % 24:02}:{minute:02}", outcome)
    stage.until("Wed 06:00")

    stated = [one for one in stage.statements if one.window == SHIFT.name]
    assert stated
    for one in stated:
        inside = [outcome for at_ms, outcome in happened if one.from_ms <= at_ms < one.to_ms]
        found = next(figure for figure in one.figures if figure.indicator == "compliance")
        assert (found.numerator, found.denominator) == (inside.count("met"), len(inside))
    covered = sum(one.from_ms <= at_ms < one.to_ms for one in stated for at_ms, _ in happened)
    assert covered == len(happened)


def test_an_outage_over_several_windows_counts_in_each_with_its_part():
    stage = Stage(ring(SHIFT)).change(outage("Mon 07:00", "Mon 13:00")).until("Mon 16:15")
    figures = [(one.from_ms, figure(one, "availability")) for one in stage.statements]
    assert figures == [(ms("Mon 04:00"), 0.75), (ms("Mon 08:00"), 0.0), (ms("Mon 12:00"), 0.75)]
