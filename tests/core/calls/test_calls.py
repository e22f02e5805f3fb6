"""One call, one outcome, in the pane of the instant it was first queued (domain.md §4).

T is 20 s, s is 5 s. A call is written as its facts with their seconds: ``call("queued 0", "answered 20")``.
"""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.agreements.measures import CallRule
from monitor.core.calls.calls import call_changes
from monitor.core.calls.queueing import stay_of
from monitor.core.facts.events import Fact
from monitor.core.series.panes import apply
from monitor.core.series.series import LIVE, Change, SeriesKey, empty_pane
from monitor.core.time.windows import Window
from tests.core.stories import Story, agreement, event, when

RULE = CallRule(
    id="calls", answer_within_ms=20_000, short_abandon_ms=5_000, by=("queue",), windows=(Window("rolling", 3_600_000),)
)
SERIES = SeriesKey("centre", "calls", ("support",))
NOON_MS = 1_772_452_800_000
LOST_MS = 4 * 3_600_000
TYPES = ("queued", "answered", "abandoned", "transferred", "callback_requested", "held", "retrieved", "ended")


def call(*facts):
    """Facts in their order; those of one second stay in the order in which they are written."""
    written = [one.split() for one in facts]
    return sorted(
        Fact(NOON_MS + round(float(second) * 1_000), number, f"e{number}", kind, {})
        for number, (kind, second) in enumerate(written)
    )


def looked_at(second, *facts):
    """The call's counts by pane (seconds after noon, or "live"), and when they change by themselves."""
    now_ms = NOON_MS + round(second * 1_000)
    changes, next_ms = call_changes("C-1", call(*facts), RULE, SERIES, now_ms)
    counts = {"live" if one.at_ms == LIVE else (one.at_ms - NOON_MS) / 1_000: dict(one.counts) for one in changes}
    assert len(counts) == len(changes)
    return counts, (next_ms - NOON_MS if next_ms else 0)


CONVERSATION = (
    "handled",
    "talk_ms",
    "hold_ms",
    "wrap_up_ms",
    "turnaround_ms",
)  # tests/core/calls/test_conversations.py


def outcome(*facts):
    counts, next_ms = looked_at(3_600, *facts)
    assert next_ms == 0
    return {at: {name: n for name, n in one.items() if name not in CONVERSATION} for at, one in counts.items()}


def test_a_waiting_call_stands_in_the_live_pane_until_it_crosses_t():
    assert looked_at(5, "queued 0") == ({"live": {"waiting": 1}}, 20_001)


def test_the_live_pane_holds_since_when_a_call_waits():
    (change,), _ = call_changes("C-1", call("queued 3"), RULE, SERIES, NOON_MS + 4_000)

    assert change == Change(SERIES, LIVE, (("waiting", 1),), call=("C-1", NOON_MS + 3_000))


def test_a_call_still_waiting_beyond_t_is_a_miss_from_the_crossing_on():
    at_t, next_ms = looked_at(20, "queued 0")
    assert (at_t, next_ms) == ({"live": {"waiting": 1}}, 20_001), "T itself is within T"

    beyond, next_ms = looked_at(20.001, "queued 0")

    assert (beyond, next_ms) == ({"live": {"waiting": 1}, 0: {"waiting_beyond": 1}}, LOST_MS)


def test_a_call_without_an_outcome_is_lost_in_the_end_and_waits_no_more():
    waiting, next_ms = looked_at(4 * 3_600 - 0.001, "queued 0")
    assert (waiting, next_ms) == ({"live": {"waiting": 1}, 0: {"waiting_beyond": 1}}, LOST_MS)

    assert looked_at(4 * 3_600, "queued 0") == ({0: {"lost": 1, "flagged": 1}}, 0)


def test_a_call_that_is_given_up_before_it_is_late_is_lost_too():
    rule = replace(RULE, give_up_after_ms=10_000)

    assert call_changes("C-1", call("queued 0"), rule, SERIES, NOON_MS)[1] == NOON_MS + 10_000
    (lost,), next_ms = call_changes("C-1", call("queued 0"), rule, SERIES, NOON_MS + 10_000)
    assert (dict(lost.counts), next_ms) == ({"lost": 1, "flagged": 1}, 0)


def test_a_lost_call_leaves_the_live_pane_by_itself_and_comes_back_as_what_it_was():
    story = Story(agreement(RULE, id="centre"), subject="call", retention="1d")
    story.at("Mon 12:00", event("call", "C-1", "queued", queue="support"))

    story.until("Mon 16:00")
    assert story.counts("calls", ("support",), "live", "centre") == {}
    assert story.counts("calls", ("support",), "minute", "centre") == {"lost": 1, "flagged": 1}

    story.at("Mon 12:05", event("call", "C-1", "abandoned"), now="Mon 17:00")
    assert story.counts("calls", ("support",), "minute", "centre") == {"abandoned": 1}

    story.until("Wed 00:00")
    assert story.row("C-1") is None


@pytest.mark.parametrize(
    ("wait", "counts"),
    [
        (0, {"answered": 1, "answered_within": 1, "wait_ms": 0}),
        (20, {"answered": 1, "answered_within": 1, "wait_ms": 20_000}),
        (20.001, {"answered": 1, "wait_ms": 20_001}),
    ],
)
def test_within_t_includes_t(wait, counts):
    assert outcome("queued 0", f"answered {wait}", f"ended {wait + 60}") == {0: counts}


@pytest.mark.parametrize(
    ("wait", "counts"),
    [
        (5, {"abandoned": 1, "abandoned_within": 1, "abandoned_short": 1}),
        (5.001, {"abandoned": 1, "abandoned_within": 1}),
        (20, {"abandoned": 1, "abandoned_within": 1}),
        (20.001, {"abandoned": 1}),
    ],
)
def test_an_abandon_is_short_up_to_and_including_s_and_within_up_to_and_including_t(wait, counts):
    assert outcome("queued 0", f"abandoned {wait}", f"ended {wait}") == {0: counts}


def test_only_the_wait_of_an_answered_call_goes_into_the_sketch():
    values = [
        [one.value_ms for one in call_changes("C-1", call("queued 0", end), RULE, SERIES, NOON_MS + 60_000)[0]]
        for end in ("answered 30", "abandoned 30", "transferred 30", "callback_requested 30")
    ]

    assert values == [[30_000], [-1], [-1], [-1]]


def test_a_flow_out_is_an_outcome_of_its_own_and_no_abandon():
    assert outcome("queued 0", "transferred 10", "ended 40") == {0: {"transferred": 1}}


def test_what_becomes_of_a_call_after_its_flow_out_does_not_count_here():
    assert outcome("queued 0", "transferred 10", "abandoned 15") == {0: {"transferred": 1}}
    assert outcome("queued 0", "transferred 10", "answered 15") == {0: {"transferred": 1}}


def test_a_requeue_after_a_flow_out_waits_on_with_the_total_wait():
    assert looked_at(15, "queued 0", "transferred 10", "queued 10") == ({"live": {"waiting": 1}}, 20_001)

    answered = outcome("queued 0", "transferred 10", "ended 10", "queued 11", "answered 25")

    assert answered == {0: {"answered": 1, "wait_ms": 25_000}}


def test_a_requeue_after_an_answer_is_no_second_offer():
    once = {0: {"answered": 1, "answered_within": 1, "wait_ms": 8_000}}

    assert outcome("queued 0", "answered 8", "transferred 90", "queued 90") == once
    assert outcome("queued 0", "answered 8", "transferred 90", "queued 90", "answered 200") == once
    assert outcome("queued 0", "answered 8", "transferred 90", "queued 90", "abandoned 200") == once


def test_a_call_queued_twice_waits_since_the_first_time():
    twice = outcome("queued 0", "queued 6", "answered 18")

    assert twice == {0: {"answered": 1, "answered_within": 1, "wait_ms": 18_000}}


def test_a_requested_callback_is_no_abandon_though_the_customer_hangs_up():
    assert outcome("queued 0", "callback_requested 30", "abandoned 31", "ended 31") == {0: {"callback": 1}}


def test_the_call_back_itself_is_no_answer_from_the_queue():
    assert outcome("queued 0", "callback_requested 30", "queued 900", "answered 1200") == {0: {"callback": 1}}


def test_a_call_that_ended_without_an_outcome_was_abandoned_then():
    assert outcome("queued 0", "ended 12") == {0: {"abandoned": 1, "abandoned_within": 1}}


def test_an_answer_in_the_second_of_the_end_still_counts():
    assert outcome("queued 0", "ended 12", "answered 12") == {
        0: {"answered": 1, "answered_within": 1, "wait_ms": 12_000}
    }


def test_the_first_outcome_stands():
    assert outcome("queued 0", "abandoned 7", "answered 7") == {0: {"abandoned": 1, "abandoned_within": 1}}


def test_answered_before_queued_is_a_skewed_clock_clamped_and_flagged():
    skewed = outcome("answered 8", "queued 10", "ended 60")

    assert skewed == {10: {"answered": 1, "answered_within": 1, "wait_ms": 0, "flagged": 1}}


@pytest.mark.parametrize("first", ["abandoned 8", "ended 8"])
def test_abandoned_before_queued_is_clamped_and_flagged_too(first):
    assert outcome(first, "queued 10") == {
        10: {"abandoned": 1, "abandoned_within": 1, "abandoned_short": 1, "flagged": 1}
    }


def test_an_outcome_in_the_instant_of_the_queue_is_no_skew_whichever_is_sorted_first():
    assert outcome("answered 10", "queued 10") == outcome("queued 10", "answered 10")


def test_a_call_that_an_agent_passed_into_the_queue_waits_from_then_on():
    passed = ("answered 0", "ended 59", "transferred 60", "queued 60")

    assert looked_at(70, *passed) == ({"live": {"waiting": 1}}, 80_001)
    assert outcome(*passed, "answered 75") == {60: {"answered": 1, "answered_within": 1, "wait_ms": 15_000}}


def test_a_call_that_was_never_queued_counts_nowhere_until_the_fact_arrives():
    assert outcome("answered 8", "ended 60") == {}
    assert stay_of(call("answered 8")) is None
    assert outcome("queued 0", "answered 8", "ended 60") == {0: {"answered": 1, "answered_within": 1, "wait_ms": 8_000}}


def test_a_late_answer_takes_the_miss_back_in_the_pane_of_the_queue():
    #  queued 0 ──────────── T 20 ──── 25 looked at, then "answered 15" arrives
    story = Story(agreement(RULE, id="centre"), subject="call")
    story.at("Mon 12:00", event("call", "C-1", "queued", queue="support"))
    story.until("Mon 12:01")
    assert when(story.row("C-1").wake_ms) == "Mon 16:00"
    before = [one.counts for one in story.row("C-1").shown]

    story.at("Mon 12:00:15", event("call", "C-1", "answered"), now="Mon 12:02")

    after = [one.counts for one in story.row("C-1").shown]
    assert before == [(("waiting", 1),), (("waiting_beyond", 1),)]
    assert after == [(("answered", 1), ("answered_within", 1), ("wait_ms", 15_000))]


facts = st.lists(st.tuples(st.sampled_from(TYPES), st.integers(0, 60)), max_size=7).map(
    lambda several: call(*(f"{kind} {second}" for kind, second in several))
)


instants = st.integers(0, 90_000) | st.integers(LOST_MS - 90_000, LOST_MS + 90_000)


@given(facts, instants)
def test_a_call_has_at_most_one_outcome_and_no_negative_wait(ledger, after_ms):
    changes, next_ms = call_changes("C-1", ledger, RULE, SERIES, NOON_MS + after_ms)

    counts = {}
    for one in changes:
        for name, n in one.counts:
            counts[name] = counts.get(name, 0) + n
    states = ("waiting", "answered", "abandoned", "transferred", "callback", "lost")
    assert sum(counts.get(state, 0) for state in states) == any(fact.type == "queued" for fact in ledger)
    assert min(counts.values(), default=0) >= 0
    assert next_ms == 0 or (next_ms > NOON_MS + after_ms and "waiting" in counts)


@given(facts, instants)
def test_between_now_and_the_instant_it_names_nothing_changes_and_then_it_does(ledger, after_ms):
    now_ms = NOON_MS + after_ms
    changes, next_ms = call_changes("C-1", ledger, RULE, SERIES, now_ms)

    if next_ms:
        assert call_changes("C-1", ledger, RULE, SERIES, next_ms - 1)[0] == changes
        assert call_changes("C-1", ledger, RULE, SERIES, next_ms)[0] != changes
    else:
        assert call_changes("C-1", ledger, RULE, SERIES, now_ms + 10**9) == (changes, 0)


@given(facts, instants)
def test_taking_a_call_out_again_leaves_the_pane_empty(ledger, after_ms):
    changes, _ = call_changes("C-1", ledger, RULE, SERIES, NOON_MS + after_ms)
    pane = empty_pane()

    for one in (*changes, *(change.undone() for change in changes)):
        apply([pane], one)

    assert pane == empty_pane()
