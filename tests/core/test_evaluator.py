"""The evaluate agent's pure part: windows, verdicts, alerts and statements of merged panes.

Times are in the week of Monday 2026-03-02, UTC (`tests.core.stories`).
"""

from dataclasses import replace
from typing import ClassVar

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.agreement import Book, CallRule, Objective, OutageRule, Window
from monitor.core.evaluator import Evaluator, MergedPane, WindowRow
from monitor.core.panes import apply
from monitor.core.periods import pane_start
from monitor.core.plan import Plan
from monitor.core.series import LIVE, Change, OutageRecord, PaneKey, SeriesKey, empty_pane
from tests.core.stories import DAY_MS, agreement, clock, ms, span, when

HOUR_MS = 3_600_000
HOUR = Window("rolling", HOUR_MS)
DAY, MONTH = Window("day"), Window("month")
P1 = SeriesKey("desk", "resolution", ("P1",))
P2 = SeriesKey("desk", "resolution", ("P2",))


class Rows(dict):
    """Rows as a partition keeps them: encoded, so that nothing is shared with whoever put them."""

    TYPES: ClassVar = {b"w": MergedPane, b"v": WindowRow}

    def get(self, key):
        encoded = super().get(key)
        return None if encoded is None else msgspec.msgpack.decode(encoded, type=self.TYPES[key[:1]])

    def put(self, key, row):
        if row is None:
            self.pop(key, None)
        else:
            assert type(row) is self.TYPES[key[:1]]
            self[key] = msgspec.msgpack.encode(row)


class Stage:
    """Sources that send panes, and one evaluator."""

    def __init__(self, *agreements):
        self.rows = Rows()
        self.evaluator = Evaluator(self.rows)
        self.panes = {}
        self.sent = []
        self.statuses, self.alerts, self.statements = [], [], []
        self.stamp = 0
        self.now = ms("Mon 00:00")
        self.amend(*agreements)

    def amend(self, *agreements):
        self.stamp += 1
        self.book = Book(agreements, self.stamp)
        return self

    def restart(self):
        self.evaluator = Evaluator(self.rows)
        self.evaluator.restore(list(self.rows))
        return self

    def change(self, change, source="tickets/0"):
        """A source puts a change into its panes and sends them."""
        self.now = max(self.now, change.at_ms)
        slices = Plan(self.book).slices(change.series.agreement, change.series.measure)
        widths = [("live", 0)] if change.at_ms == LIVE else slices.keep_ms
        for width, _ in widths:
            key = PaneKey(change.series, width, 0 if width == "live" else pane_start(width, slices.zone, change.at_ms))
            pane = self.panes.setdefault((source, key), empty_pane())
            apply(pane, change)
            self.sent.append((source, key))
            self.evaluator.fold(source, key, pane, self.book)
        return self

    def stopped(self, time, outcome="met", elapsed="1h", *, series=P1, source="tickets/0", times=1):
        elapsed_ms = span(elapsed)
        counts = ((outcome, 1), ("elapsed_ms", elapsed_ms), ("wall_ms", elapsed_ms))
        return self.change(Change(series, ms(time), counts, elapsed_ms, times=times), source)

    def live(self, series=P1, source="tickets/0", times=1, **counts):
        return self.change(Change(series, LIVE, tuple(counts.items()), times=times), source)

    def look(self, time, limit=200):
        """Evaluate as of one instant."""
        self.now = ms(time)
        more = True
        while more:
            done = self.evaluator.evaluate(ms(time), self.book, limit=limit)
            self.statuses += [one for one in done.statuses if not one.closed]
            self.statements += [one for one in done.statuses if one.closed]
            self.alerts += done.alerts
            more = done.more
        return self

    def until(self, time):
        """Let time pass: evaluate whenever the evaluator wants it."""
        instant = self.now
        while (due := self.evaluator.next_ms(instant)) is not None and due <= ms(time):
            instant = max(instant, due)
            self.look(when(instant))
        return self.look(time)

    def latest(self, window="day", series=P1):
        return self.evaluator.latest.get((series, window))

    def value(self, indicator="compliance", window="day", series=P1):
        return next(one.value for one in self.latest(window, series).figures if one.indicator == indicator)

    def told(self, promise=None):
        return [
            f"{one.state} {one.reason} {when(one.at_ms)}" for one in self.alerts if promise in (None, one.key.promise)
        ]

    def stated(self, window=None):
        return [
            f"{one.window} {when(one.from_ms)}: {figure(one):g}" if figure(one) is not None else
            f"{one.window} {when(one.from_ms)}: nothing"
            for one in self.statements if window in (None, one.window)
        ]  # fmt: skip


def figure(status, indicator="compliance"):
    return next(one.value for one in status.figures if one.indicator == indicator)


def promise(*windows, id="kept", target=0.9, **more):
    return Objective(
        id=id, target=target, windows=windows,
        **{"measure": "resolution", "indicator": "compliance", "comparison": ">=", **more},
    )  # fmt: skip


def desk(*windows, objectives=(), **more):
    return agreement(clock(windows=windows), objectives=objectives, **more)


# -- figures


def test_the_panes_of_all_sources_make_one_figure():
    stage = Stage(desk(DAY))
    stage.stopped("Mon 09:00").stopped("Mon 10:00", source="tickets/1").stopped("Mon 10:30", "breached", "9h")
    stage.look("Mon 11:00")
    assert stage.value() == pytest.approx(2 / 3)
    assert stage.latest().labels == {"priority": "P1"}
    assert (stage.latest().from_ms, stage.latest().to_ms, stage.latest().as_of_ms) == (
        ms("Mon 00:00"), ms("Tue 00:00"), ms("Mon 11:00"),
    )  # fmt: skip


def test_the_newest_pane_of_a_source_replaces_its_older_one():
    stage = Stage(desk(DAY, HOUR))
    stage.stopped("Mon 10:30", "breached", "9h").look("Mon 11:00")
    assert (stage.value(), stage.value(window="1h")) == (0, 0)
    # the stop turns out to have been another, in time: the old one is taken out
    stage.stopped("Mon 10:30", "breached", "9h", times=-1).stopped("Mon 10:31").look("Mon 11:00")
    assert (stage.value(), stage.value(window="1h")) == (1, 1)


def test_measured_windows_are_those_of_the_measure_and_of_its_objectives():
    stage = Stage(desk(DAY, objectives=[promise(HOUR, MONTH)])).stopped("Mon 09:00").look("Mon 09:30")
    assert {window for _, window in stage.evaluator.latest} == {"day", "1h", "month"}


def test_what_leaves_a_rolling_window_counts_no_more():
    stage = Stage(desk(HOUR)).stopped("Mon 09:00", "breached", "9h").stopped("Mon 09:30").look("Mon 09:45")
    assert stage.value(window="1h") == 0.5
    assert when(stage.evaluator.next_ms(ms("Mon 09:45"))) == "Mon 10:00"
    stage.look("Mon 10:00")
    assert stage.value(window="1h") == 1


def test_an_event_from_the_future_counts_when_its_pane_has_come():
    stage = Stage(desk(HOUR)).stopped("Mon 09:30").look("Mon 09:00")
    assert stage.value(window="1h") is None
    stage.until("Mon 09:30")
    assert stage.value(window="1h") == 1


def test_the_kept_sum_of_a_window_survives_going_back_in_time():
    stage = Stage(desk(HOUR)).stopped("Mon 09:00", "breached", "9h").stopped("Mon 10:30").look("Mon 10:31")
    assert stage.value(window="1h") == 1
    stage.stopped("Mon 10:30").look("Mon 09:10")
    assert stage.value(window="1h") == 0


def test_overdue_clocks_count_as_breached_in_windows_that_hold_now():
    stage = Stage(desk(DAY)).stopped("Mon 09:00").live(open=1, overdue=1).look("Mon 10:00")
    assert stage.value() == 0.5
    assert stage.latest().live == {"open": 1, "paused": 0, "at_risk": 0, "overdue": 1}


# -- what is sent when


def test_a_status_is_sent_when_its_content_changes_and_not_because_time_passed():
    stage = Stage(desk(HOUR, DAY)).stopped("Mon 09:00").look("Mon 09:01")
    assert len(stage.statuses) == 2
    stage.look("Mon 09:02").until("Mon 09:50")
    assert len(stage.statuses) == 2


def test_a_pane_that_comes_again_changes_nothing():
    stage = Stage(desk(DAY, objectives=[promise(DAY)])).stopped("Mon 09:00", "breached", "9h").look("Mon 09:01")
    before = (dict(stage.rows), len(stage.statuses), len(stage.alerts))
    for source, key in stage.sent:
        stage.evaluator.fold(source, key, stage.panes[source, key], stage.book)
    assert not stage.evaluator.evaluate(ms("Mon 09:01"), stage.book).statuses
    assert (dict(stage.rows), len(stage.statuses), len(stage.alerts)) == before


def test_a_new_period_is_shown_though_nothing_happened_in_it():
    stage = Stage(desk(DAY)).stopped("Mon 09:00").until("Tue 00:00")
    assert [when(one.from_ms) for one in stage.statuses] == ["Mon 00:00", "Tue 00:00"]
    assert stage.value() is None


def test_a_look_is_limited_and_says_that_there_is_more():
    stage = Stage(desk(DAY)).stopped("Mon 09:00").stopped("Mon 09:00", series=P2)
    first = stage.evaluator.evaluate(ms("Mon 10:00"), stage.book, limit=1)
    assert ([one.series for one in first.statuses], first.more) == ([P1], True)
    stage.stopped("Mon 09:30")  # the first one again: the other has its turn before
    second = stage.evaluator.evaluate(ms("Mon 10:00"), stage.book, limit=1)
    assert ([one.series for one in second.statuses], second.more) == ([P2], True)
    third = stage.evaluator.evaluate(ms("Mon 10:00"), stage.book, limit=1)
    assert ([one.series for one in third.statuses], third.more) == ([P1], False)


def test_work_that_waits_is_wanted_now():
    stage = Stage(desk(DAY)).stopped("Mon 09:00")
    assert stage.evaluator.next_ms(ms("Mon 09:00")) == ms("Mon 09:00")


def test_an_evaluator_without_series_wants_nothing():
    assert Stage(desk(DAY)).look("Mon 09:00").evaluator.next_ms(0) is None


def test_the_end_of_a_series_without_anything_left_is_shown():
    # a ticket is opened and cancelled: nothing was measured
    stage = Stage(desk(HOUR)).live(open=1).look("Mon 09:00").live(open=1, times=-1).look("Mon 09:05")
    assert [one.live["open"] for one in stage.statuses] == [1, 0]
    assert (stage.evaluator.latest, stage.rows, stage.evaluator.next_ms(0)) == ({}, {}, None)


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


# -- statements


def test_a_period_closes_once_its_lateness_after_its_end():
    stage = Stage(desk(DAY)).stopped("Mon 09:00").until("Tue 00:14")
    assert stage.stated() == []
    stage.until("Tue 00:15")
    assert stage.stated() == ["day Mon 00:00: 1"]
    statement = stage.statements[0]
    assert (statement.closed, statement.to_ms, statement.as_of_ms) == (True, ms("Tue 00:00"), ms("Tue 00:15"))
    stage.until("Tue 12:00").restart().until("Tue 13:00")
    assert stage.stated() == ["day Mon 00:00: 1"]


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


def test_months_and_days_close_side_by_side():
    stage = Stage(desk(DAY, MONTH)).stopped("Tue+28 09:00").until("Wed+28 06:00")  # 31 March
    assert stage.stated() == ["day Tue+28 00:00: 1", "month Sun+-7 00:00: 1"]


def test_overdue_clocks_are_breached_in_the_period_at_its_close():
    stage = Stage(desk(DAY)).stopped("Mon 09:00").live(open=1, overdue=1).until("Tue 00:15")
    assert stage.stated() == ["day Mon 00:00: 0.5"]


def test_a_series_of_which_only_open_clocks_are_known_gets_its_statements():
    stage = Stage(desk(DAY)).live(open=1, overdue=1).look("Mon 09:00").until("Wed 12:00")
    assert stage.stated() == ["day Mon 00:00: 0", "day Tue 00:00: 0"]


def test_an_earlier_pane_moves_the_first_period_back_as_long_as_none_was_closed():
    stage = Stage(desk(DAY)).stopped("Tue 00:05").look("Tue 00:06").stopped("Mon 23:50", "breached", "9h")
    assert stage.until("Tue 00:20").stated() == ["day Mon 00:00: 0"]


def test_periods_follow_the_agreements_zone():
    stage = Stage(desk(DAY, zone="Asia/Kathmandu")).stopped("Mon 18:00").stopped("Mon 18:30", "breached", "9h")
    stage.until("Mon 18:30")
    assert when(stage.latest().from_ms) == "Mon 18:15"
    assert stage.value() == 0
    assert stage.until("Mon 19:00").stated() == ["day Sun+-7 18:15: 1"]


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
    assert (stage.told(), stage.latest().version) == (["breached below_target Mon 12:00"], 2)


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


# -- forgetting


def test_panes_that_no_window_needs_are_deleted():
    stage = Stage(desk(HOUR, DAY)).stopped("Mon 09:00").stopped("Sun 09:00").until("Mon+7 00:30")
    starts = sorted(when(key.start_ms) for key in _panes(stage))
    assert starts == ["Sun 00:00", "Sun 09:00"]
    stage.until("Mon+21 00:00")
    assert _panes(stage) == []


def test_a_pane_that_its_source_forgot_counts_no_more():
    stage = Stage(desk(HOUR)).stopped("Mon 09:00").stopped("Mon 09:00", "breached", "9h", source="tickets/1")
    stage.look("Mon 09:01").evaluator.fold("tickets/1", PaneKey(P1, "minute", ms("Mon 09:00")), None, stage.book)
    stage.look("Mon 09:01")
    assert stage.value(window="1h") == 1


def test_a_source_that_forgets_what_was_never_known_changes_nothing():
    stage = Stage(desk(HOUR)).look("Mon 09:00")
    stage.evaluator.fold("tickets/1", PaneKey(P1, "minute", ms("Mon 09:00")), None, stage.book)
    assert (stage.evaluator.next_ms(0), stage.rows) == (None, {})


def _panes(stage):
    found = []
    evaluator = Evaluator(stage.rows)
    evaluator.restore(list(stage.rows))
    for key, series in evaluator._series.items():
        found += [PaneKey(key, width, start) for width in series.panes.widths() for start in series.panes.starts(width)]
    return found


# -- calls

CALLS = CallRule(id="calls", by=("queue",), windows=(HOUR, DAY), answer_within_ms=20_000)
SUPPORT = SeriesKey("desk", "calls", ("support",))


def test_calls_of_all_sources_make_one_service_level():
    stage = Stage(agreement(CALLS))
    for source, within in (("calls/0", 3), ("calls/1", 1)):
        for number in range(4):
            counts = (("answered", 1), ("wait_ms", 9_000), *((("answered_within", 1),) if number < within else ()))
            stage.change(Change(SUPPORT, ms("Mon 09:00"), counts, 9_000), source)
    stage.look("Mon 09:01")
    assert stage.value("SL3", "1h", SUPPORT) == 0.5
    assert stage.value("asa", "1h", SUPPORT) == 9_000


def test_the_longest_wait_is_that_of_the_oldest_call_of_all_sources():
    stage = Stage(agreement(CALLS))
    stage.change(Change(SUPPORT, LIVE, (("waiting", 1),), call=("c1", ms("Mon 09:00:30"))), "calls/0")
    stage.change(Change(SUPPORT, LIVE, (("waiting", 1),), call=("c2", ms("Mon 09:00:10"))), "calls/1")
    stage.look("Mon 09:01")
    assert stage.latest("1h", SUPPORT).live == {"waiting": 2, "longest_wait_ms": 50_000}


def test_that_a_waiting_call_grows_older_is_no_news():
    stage = Stage(agreement(CALLS))
    stage.change(Change(SUPPORT, LIVE, (("waiting", 1),), call=("c1", ms("Mon 09:00"))))
    stage.look("Mon 09:01")
    sent = len(stage.statuses)
    stage.evaluator.touch_all()
    stage.look("Mon 09:02")
    assert len(stage.statuses) == sent
    assert stage.latest("1h", SUPPORT).live["longest_wait_ms"] == 120_000


# -- outages

RING = SeriesKey("desk", "ring", ())


def ring(*windows, **more):
    return agreement(OutageRule(id="ring", windows=windows), **more)


def outage(start, end=None, name="o1"):
    record = OutageRecord("outage", ms(start), restored_ms=ms(end) if end else 0, weights=((ms(start), 1.0),))
    return Change(RING, ms(start), (), outage=(name, record))


def test_availability_falls_while_an_outage_lasts():
    stage = Stage(ring(DAY, objectives=[promise(DAY, measure="ring", indicator="availability", target=0.95)]))
    stage.change(outage("Mon 10:00")).change(Change(RING, LIVE, (("open", 1),), call=("o1", ms("Mon 10:00"))))
    stage.until("Mon 12:00")
    assert stage.value("availability", series=RING) == pytest.approx(10 / 12)
    assert stage.latest(series=RING).live == {"open": 1, "oldest_ms": 2 * HOUR_MS}
    # 5 % of what has passed: noticed within the minute
    assert stage.told() == ["breached below_target Mon 10:32"]


def test_an_outage_that_began_before_the_window_counts_in_it():
    stage = Stage(ring(DAY)).change(outage("Mon 18:00", "Tue 06:00")).until("Tue 12:00")
    assert stage.value("availability", series=RING) == 0.5
    assert stage.value("failures", series=RING) == 0
    assert figure(stage.statements[0], "availability") == 0.75


def test_a_service_goes_on_being_available_long_after_its_last_outage():
    stage = Stage(ring(MONTH)).change(outage("Mon 09:00", "Mon 10:00")).until("Mon+140 00:00")
    assert stage.value("availability", "month", RING) == 1
    assert [figure(one, "availability") for one in stage.statements[1:]] == [1, 1, 1]


def test_an_outage_that_is_still_open_is_not_forgotten():
    stage = Stage(ring(DAY)).change(outage("Mon 12:00"))
    stage.change(Change(RING, LIVE, (("open", 1),), call=("o1", ms("Mon 12:00")))).until("Mon+7 12:00")
    assert stage.value("availability", series=RING) == 0
    assert [figure(one, "availability") for one in stage.statements] == [0.5, 0, 0, 0, 0, 0, 0]


def test_a_customer_who_joined_during_a_period_has_a_shorter_one():
    stage = Stage(ring(DAY, valid_from=ms("Mon 12:00"))).change(outage("Mon 18:00", "Mon 21:00")).until("Tue 00:15")
    statement = stage.statements[0]
    assert when(statement.from_ms) == "Mon 12:00"
    assert figure(statement, "availability") == 0.75


# -- laws

times = st.integers(ms("Mon 00:00"), ms("Thu 00:00")).map(lambda at: at - at % 60_000)
facts = st.lists(
    st.tuples(times, st.sampled_from(["met", "breached"]), st.sampled_from([P1, P2]), st.sampled_from("ab")),
    max_size=12,
)
PROMISES = [
    promise(HOUR, DAY, target=0.6, at_risk=0.8),
    promise(HOUR, id="fast", indicator="p90", comparison="<=", target=5e6),
]


def stage_of_law():
    return Stage(desk(HOUR, DAY, MONTH, objectives=PROMISES))


def put(stage, fact):
    at_ms, outcome, series, source = fact
    stage.stopped(when(at_ms), outcome, "3h" if outcome == "breached" else "1h", series=series, source=source)


@given(facts, st.randoms(use_true_random=False))
@settings(max_examples=40, deadline=None)
def test_law_the_order_of_folds_does_not_matter(found, random):
    one, other = stage_of_law(), stage_of_law()
    for fact in found:
        put(one, fact)
    newest = [(source, key, pane) for (source, key), pane in one.panes.items()]
    random.shuffle(newest)
    for source, key, pane in newest:
        other.evaluator.fold(source, key, pane, other.book)
    one.look("Wed 12:00")
    other.look("Wed 12:00")
    assert (one.statuses, one.statements, one.alerts) == (other.statuses, other.statements, other.alerts)
    assert one.rows == other.rows
    assert one.evaluator.next_ms(0) == other.evaluator.next_ms(0)


@given(facts, st.lists(st.booleans(), min_size=12, max_size=12))
@settings(max_examples=40, deadline=None)
def test_law_a_restart_changes_nothing_that_is_announced_or_stated(found, restarts):
    steady, restarted = stage_of_law(), stage_of_law()
    for fact, restart in zip(sorted(found, key=lambda one: one[0]), restarts, strict=False):
        for stage in (steady, restarted):
            stage.until(when(fact[0]))
            put(stage, fact)
        if restart:
            restarted.restart()
    steady.until("Sat 00:00")
    restarted.until("Sat 00:00")
    assert steady.alerts == restarted.alerts
    assert steady.statements == restarted.statements
    assert steady.evaluator.latest.keys() == restarted.evaluator.latest.keys()
    assert steady.rows == restarted.rows


@given(facts, times)
@settings(max_examples=40, deadline=None)
def test_law_the_sums_that_move_on_equal_those_made_anew(found, now):
    stage = stage_of_law()
    for fact in sorted(found, key=lambda one: one[0]):
        put(stage, fact)
        stage.look(when(fact[0]))
    stage.evaluator.touch_all()
    stage.look(when(now))
    moved = dict(stage.evaluator.latest)
    fresh = stage.restart().look(when(now)).evaluator.latest
    assert {key: moved[key] for key in fresh} == fresh


@given(facts)
@settings(max_examples=25, deadline=None)
def test_law_in_the_end_nothing_is_left(found):
    stage = Stage(desk(HOUR, DAY))
    for fact in found:
        put(stage, fact)
    stage.until("Mon+28 00:00")
    assert (stage.rows, stage.evaluator.latest, stage.evaluator.next_ms(0)) == ({}, {}, None)
    stated = [(one.series, one.window, one.from_ms) for one in stage.statements]
    assert len(set(stated)) == len(stated)


def test_the_book_may_be_the_same_in_other_words():
    one = desk(DAY)
    stage = Stage(one).stopped("Mon 09:00").look("Mon 09:01")
    stage.amend(replace(one, name="another name")).look("Mon 09:02")
    assert len(stage.statuses) == 1
