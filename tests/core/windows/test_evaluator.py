"""The evaluate agent's pure part: figures of merged panes, what is sent when, what is forgotten, and its laws."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.series.series import PaneKey, encode_pane_key
from monitor.core.windows.evaluator import Evaluator
from tests.core.stage import DAY, HOUR, HOUR_MS, MONTH, P1, P2, Stage, copied, desk, promise
from tests.core.stories import Story, agreement, clock, ms, ticket, when

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


def test_the_spread_of_durations_is_that_of_the_shortest_window():
    stage = Stage(desk(DAY, HOUR)).stopped("Mon 08:00", "breached", "9h").stopped("Mon 10:30").look("Mon 10:45")
    (found,) = stage.evaluator.spreads(limit=5).items()
    assert found[0] == (P1, "1h")
    assert sum(found[1].values()) == 1
    stage.stopped("Mon 11:50", series=P2).look("Mon 12:00")
    assert stage.evaluator.spreads(limit=5)[P1, "1h"] == {}
    assert set(stage.evaluator.spreads(limit=1)) == {(P1, "1h")}


def test_before_the_first_look_no_spread_is_known():
    stage = Stage(desk(DAY)).stopped("Mon 08:00")
    assert stage.evaluator.spreads(limit=5) == {}
    assert set(stage.look("Mon 10:45").evaluator.spreads(limit=5)) == {(P1, "day")}


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
        stage.evaluator.fold(source, key, copied(stage.panes[source, key]), stage.book)
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


def test_a_series_that_loses_all_and_is_told_so_again_ends_once():
    stage = Stage(desk(HOUR)).live(open=1).look("Mon 09:00").live(open=1, times=-1)
    stage.evaluator.fold("tickets/0", PaneKey(P1, "live", 0), None, stage.book)
    stage.look("Mon 09:05")
    assert [one.live["open"] for one in stage.statuses] == [1, 0]


def test_what_is_taken_back_wakes_nobody_any_more():
    stage = Stage(desk(HOUR)).stopped("Mon 09:00").stopped("Mon 09:30").look("Mon 09:31")
    assert when(stage.evaluator.next_ms(0)) == "Mon 10:00"
    stage.stopped("Mon 09:00", times=-1).look("Mon 09:32")
    assert when(stage.evaluator.next_ms(0)) == "Mon 10:30"


# -- windows that end: whoever keeps the newest status of each forgets them


def test_the_windows_of_a_series_end_when_nothing_of_it_is_left():
    stage = Stage(desk(HOUR, DAY)).live(open=1).look("Mon 09:00").live(open=1, times=-1).look("Mon 09:05")
    assert stage.ended == ["P1/1h Mon 09:05", "P1/day Mon 09:05"]
    stage.until("Mon+7 00:00")
    assert len(stage.ended) == 2


def test_a_series_that_comes_again_is_shown_again_and_ends_again():
    stage = Stage(desk(HOUR)).live(open=1).look("Mon 09:00").live(open=1, times=-1).look("Mon 09:05")
    stage.live(open=1).look("Mon 09:10").live(open=1, times=-1).look("Mon 09:15")
    assert [one.live["open"] for one in stage.statuses] == [1, 0, 1, 0]
    assert stage.ended == ["P1/1h Mon 09:05", "P1/1h Mon 09:15"]


def test_the_windows_of_a_terminated_agreement_end_with_it():
    stage = Stage(desk(HOUR, MONTH, terminates_ms=ms("Mon 10:00"))).stopped("Mon 09:30").until("Mon 11:00")
    assert stage.ended == ["P1/1h Mon 10:00", "P1/month Mon 10:00"]
    assert (stage.evaluator.latest, len(stage.statements)) == ({}, 1)


def test_the_windows_of_an_agreement_that_is_taken_back_end():
    stage = Stage(desk(HOUR, MONTH)).stopped("Mon 09:30").look("Mon 09:31").amend().look("Mon 09:32")
    assert stage.ended == ["P1/1h Mon 09:32", "P1/month Mon 09:32"]
    assert stage.evaluator.latest == {}


def test_a_measure_or_a_window_that_is_amended_away_ends():
    stage = Stage(desk(HOUR, DAY)).stopped("Mon 09:30").look("Mon 09:31").amend(desk(DAY)).look("Mon 09:32")
    assert stage.ended == ["P1/1h Mon 09:32"]
    other = agreement(clock("first_response", windows=(HOUR,)))
    stage.amend(replace(desk(DAY), version=1), replace(other, version=2, valid_from_ms=ms("Mon 10:00")))
    stage.until("Mon 10:00")
    assert stage.ended[1:] == ["P1/day Mon 10:00"]


@pytest.mark.parametrize("meanwhile", ["amended", "emptied"])
def test_what_ended_while_nobody_looked_is_told_after_the_restart(meanwhile):
    stage = Stage(desk(HOUR)).live(open=1).look("Mon 09:00")
    if meanwhile == "emptied":
        stage.live(open=1, times=-1)  # folded and committed, but not looked at any more
    stage.restart()
    if meanwhile == "amended":
        stage.amend(desk(DAY))
    stage.look("Mon 09:05")
    assert stage.ended == ["P1/1h Mon 09:05"]
    stage.restart().look("Mon 09:06")
    assert len(stage.ended) == 1


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


# -- with the engine of the sources


class Desk(Story):
    """A story of tickets whose panes go to an evaluator."""

    def __init__(self, *agreements):
        self.stage = Stage(*agreements)
        super().__init__(*agreements)

    def take(self, effects):
        super().take(effects)
        for key in effects.panes:
            self.stage.evaluator.fold("tickets/0", key, copied(self.get(encode_pane_key(key))), self.stage.book)

    def look(self, time):
        self.until(time)
        return self.stage.look(time)


def test_a_silent_ticket_breaks_the_objective_while_it_is_open_and_after_it_was_resolved():
    story = Desk(desk(DAY, objectives=[promise(DAY)]))
    story.at("Mon 09:00", ticket("T-1", "opened", priority="P1"), ticket("T-2", "opened", priority="P1"))
    story.at("Mon 10:00", ticket("T-1", "resolved"))
    assert story.look("Mon 10:01").value() == 1
    stage = story.look("Mon 13:01")
    assert (stage.value(), stage.latest().live["overdue"]) == (0.5, 1)
    story.at("Mon 15:00", ticket("T-2", "resolved"))
    stage = story.look("Mon 15:01")
    assert (stage.value(), stage.latest().live["overdue"]) == (0.5, 0)
    assert stage.value("longest") == pytest.approx(6 * HOUR_MS, rel=0.01)
    assert stage.told() == ["breached below_target Mon 13:01"]


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
        other.evaluator.fold(source, key, copied(pane), other.book)
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
    assert (steady.alerts, steady.ended) == (restarted.alerts, restarted.ended)
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
    stage.until("Mon+42 00:00")  # a month after the last one it is silent
    assert len(stage.ended) == len({(one.series, one.window) for one in stage.statuses})
    assert (stage.rows, stage.evaluator.latest, stage.evaluator.next_ms(0)) == ({}, {}, None)
    stated = [(one.series, one.window, one.from_ms) for one in stage.statements]
    assert len(set(stated)) == len(stated)


def test_the_book_may_be_the_same_in_other_words():
    one = desk(DAY)
    stage = Stage(one).stopped("Mon 09:00").look("Mon 09:01")
    stage.amend(replace(one, name="another name")).look("Mon 09:02")
    assert len(stage.statuses) == 1


def test_a_series_that_is_left_alone_is_not_evaluated_until_it_is_tried_again():
    stage = Stage(desk(DAY))
    stage.stopped("Mon 09:00").look("Mon 10:00")
    (series,) = {series for series, _ in stage.evaluator.latest}
    stage.evaluator.left_alone.add(series)

    stage.stopped("Mon 10:30", "breached", "9h").look("Mon 11:00")
    assert stage.value() == 1
    assert stage.evaluator.next_ms(ms("Mon 11:00")) != ms("Mon 11:00")

    stage.evaluator.left_alone.clear()
    stage.evaluator.touch_all()
    stage.look("Mon 11:00")
    assert stage.value() == 0.5
