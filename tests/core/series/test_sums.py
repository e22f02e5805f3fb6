"""Sums of what many clocks changed: the panes are those of the changes, one by one."""

from copy import deepcopy

from hypothesis import given
from hypothesis import strategies as st

from monitor.core.agreements.book import Book
from monitor.core.agreements.measures import CallRule
from monitor.core.clocks.clock_value import Clock
from monitor.core.clocks.counts import live_share
from monitor.core.facts.events import Event, Fact
from monitor.core.pieces import at_once
from monitor.core.series import longest, sketch
from monitor.core.series.panes import apply
from monitor.core.series.series import LIVE, Change, PaneKey, SeriesKey, empty_pane, encode_pane_key
from monitor.core.series.sums import PAUSED, RUNNING, Sums, add
from monitor.core.time.windows import Window
from tests.core.stories import DAY_MS, MONDAY_MS, Story, agreement, clock, ms, ticket

MINUTE = 60_000
DESK = SeriesKey("desk", "resolution", ("P1",))


def summed(durations, at_ms=MONDAY_MS):
    """What clocks with these durations add to a series in a minute, as whoever folds them sums it up."""
    counts = [("met", len(durations)), ("elapsed_ms", sum(durations)), ("wall_ms", 2 * sum(durations))]
    buckets, listed = {}, {}
    for one in durations:
        sketch.add(buckets, one)
        longest.count(listed, one, 1)
    return DESK, at_ms // MINUTE, counts, list(buckets.items()), listed


def change(duration, at_ms=MONDAY_MS):
    return Change(DESK, at_ms, (("met", 1), ("elapsed_ms", duration), ("wall_ms", 2 * duration)), duration)


DURATIONS = st.lists(st.integers(0, 30) | st.integers(0, 10**7), max_size=30)


@given(DURATIONS, DURATIONS.filter(bool), DURATIONS)
def test_a_sum_adds_what_its_changes_add(before, together, after):
    one_by_one, at_once_ = empty_pane(), empty_pane()
    for one in [*before, *together, *after]:
        apply([one_by_one], change(one))

    for one in before:
        apply([at_once_], change(one))
    add([at_once_], summed(together))
    for one in after:
        apply([at_once_], change(one))

    assert at_once_ == one_by_one


def test_a_sum_that_ends_a_correction_leaves_an_empty_pane():
    pane = empty_pane()
    apply([pane], change(5)._replace(times=-1))

    add([pane], summed([5]))

    assert pane == empty_pane()


def test_the_live_counts_are_those_of_clocks_of_which_nothing_was_announced():
    running = Clock(DESK, 1, 1, 0, 9, "always", 0, False, "running", 0, 0, 0, 9, 10, 0, 0, [], [])

    assert live_share(running).counts == RUNNING
    assert live_share(running._replace(state="paused", due_ms=0)).counts == PAUSED


def test_an_engine_puts_sums_into_the_panes_of_all_widths():
    promise = agreement(clock(at_risk=()))
    story = Story(promise).at("Mon 09:00", ticket("T-1", "opened", priority="P1"))
    other = Story(promise)
    stop = Event("ticket", "T-1", Fact(ms("Mon 09:30"), 0, "r", "resolved", {"priority": "P1"}))
    effects = story.engine.batch([stop], 0, story.book)

    at_once(other.engine.folded([], 0, other.book, Sums([(DESK, False, 1)], [])))
    took_ms = 30 * MINUTE
    minute = (
        DESK, ms("Mon 09:30") // MINUTE, [("met", 1), ("elapsed_ms", took_ms), ("wall_ms", took_ms)],
        [(sketch.bucket_of(took_ms), 1)], {took_ms: 1},
    )  # fmt: skip
    found = at_once(other.engine.folded([], 0, other.book, Sums([(DESK, False, -1)], [minute])))

    assert found.panes == effects.panes
    assert len(found.panes) == 3
    assert other.rows == {key: row for key, row in story.rows.items() if key[:1] == b"p"}


def test_panes_that_were_put_are_told_and_expire():
    story = Story(agreement(clock(at_risk=())))
    at_once(story.engine.planned(story.book))
    key = PaneKey(DESK, "quarter", ms("Mon 09:30"))
    encoded = encode_pane_key(key)
    story.rows[encoded] = empty_pane()
    kept_ms = 3 * DAY_MS

    effects = at_once(
        story.engine.folded([], 0, story.book, Sums([], [], [encoded], {key.start_ms + kept_ms: [encoded]}))
    )

    assert (effects.panes, effects.put) == ({}, [encoded])
    assert story.engine.next_expiry_ms() == key.start_ms + kept_ms
    assert story.engine.expire(key.start_ms + kept_ms) == [key]
    assert story.rows.get(encoded) is None


def test_a_sum_and_events_go_into_the_same_panes():
    promise = agreement(clock(at_risk=()))
    story, other = Story(promise), Story(promise)
    events = [
        Event("ticket", f"T-{number}", Fact(ms("Mon 09:00"), 0, "o", "opened", {"priority": "P1"})) for number in (1, 2)
    ]
    stops = [
        Event("ticket", f"T-{number}", Fact(ms("Mon 09:10"), 0, "r", "resolved", {"priority": "P1"}))
        for number in (1, 2)
    ]
    for one in (story, other):
        one.engine.batch(events, 0, one.book)
    took_ms = 10 * MINUTE
    minute = (
        DESK, ms("Mon 09:10") // MINUTE, [("met", 1), ("elapsed_ms", took_ms), ("wall_ms", took_ms)],
        [(sketch.bucket_of(took_ms), 1)], {took_ms: 1},
    )  # fmt: skip

    story.engine.batch(stops, 0, story.book)
    twice = at_once(other.engine.folded([stops[0]], 0, other.book, Sums([(DESK, False, -1)], [minute])))

    live = encode_pane_key(PaneKey(DESK, "live", 0))
    assert story.rows[live] == other.rows[live] == empty_pane()
    assert {key.width: pane.counts.get("met") for key, pane in twice.panes.items()} == {
        "live": None, "quarter": 2, "day": 2,
    }  # fmt: skip
    assert {key: row for key, row in other.rows.items() if key[:1] == b"p"} == {
        key: row for key, row in story.rows.items() if key[:1] == b"p"
    }


def test_whoever_sums_up_is_told_which_stops_are_in_time():
    story = Story(agreement(clock(at_risk=())))
    plan = at_once(story.engine.planned(story.book))

    assert story.engine.oldest_ms(plan) < 0
    story.engine.expire(MONDAY_MS)
    assert story.engine.oldest_ms(plan) == MONDAY_MS - 2 * DAY_MS - 15 * MINUTE
    calls = Story(agreement(clock()), subject="call")
    assert calls.engine.oldest_ms(at_once(calls.engine.planned(Book((), 1)))) == 0


def test_that_is_worked_out_once_for_a_book_however_many_agreements_it_has(monkeypatch):
    story = Story(*(agreement(clock(at_risk=()), id=f"desk-{number}") for number in range(300)))
    plan = at_once(story.engine.planned(story.book))
    assert len(list(plan.keeping("ticket"))) > 1, "in pieces"
    monkeypatch.setattr(plan, "slices", None)

    assert story.engine.oldest_ms(plan) < 0


def test_items_that_are_no_sum_go_into_the_panes_of_calls():
    rule = CallRule(id="all", answer_within_ms=20_000, repeat_within_ms=DAY_MS, windows=(Window("day"),))
    story, other = (Story(agreement(rule), subject="call") for _ in range(2))
    series, at_ms = SeriesKey("desk", "all", ()), ms("Mon 09:00")
    facts = [("queued", 0), ("answered", 5_000)]
    kept = []
    for kind, later_ms in facts:
        call = Event("call", "C-1", Fact(at_ms + later_ms, 0, kind, kind, {"caller": "Ada"}))
        kept.append(deepcopy(story.engine.batch([call], at_ms + later_ms, story.book).panes))
    item = next(iter(story.pane(series, "day", ms("Mon 00:00")).calls.items()))
    waits = Change(series, LIVE, (("waiting", 1),), call=("C-1", at_ms))
    minute = (
        series, at_ms // MINUTE, [("answered", 1), ("answered_within", 1), ("wait_ms", 5_000)],
        [(sketch.bucket_of(5_000), 1)], {5_000: 1},
    )  # fmt: skip

    for sums in (
        Sums([], [(series, at_ms // MINUTE, [], [], {})], changes=[waits, Change(series, at_ms, (), call=item)]),
        Sums([], [minute], changes=[waits.undone(), Change(series, at_ms, (), call=item)]),
    ):
        assert at_once(other.engine.folded([], 0, other.book, sums)).panes == kept.pop(0)

    assert other.rows == {key: row for key, row in story.rows.items() if key[:1] == b"p"}
