"""What agents did with calls: AHT, first call resolution by the flag, turnaround, occupancy (domain.md §4)."""

import pytest

from monitor.core.agreements.measures import CallRule
from monitor.core.calls.calls import call_changes
from monitor.core.calls.figures import call_figures
from monitor.core.calls.handling import conversation_of
from monitor.core.calls.queueing import stay_of
from monitor.core.facts.events import Fact
from monitor.core.series.panes import apply, merge_panes
from monitor.core.series.series import SeriesKey, empty_pane

RULE = CallRule(id="calls", answer_within_ms=20_000)
SERIES = SeriesKey("centre", "calls", ())
NOON_MS = 1_772_452_800_000


def call(*facts):
    """Facts as ``("ended 70", {"talk_ms": 50_000})`` or ``"queued 0"``, with their seconds after noon."""
    written = [(one, {}) if isinstance(one, str) else one for one in facts]
    return sorted(
        Fact(NOON_MS + round(float(text.split()[1]) * 1_000), number, f"e{number}", text.split()[0], attributes)
        for number, (text, attributes) in enumerate(written)
    )


def counted(*ledgers):
    pane = empty_pane()
    for number, ledger in enumerate(ledgers):
        for change in call_changes(f"C-{number}", ledger, RULE, SERIES, NOON_MS + 3_600_000)[0]:
            apply([pane], change)
    return pane


def figures(*ledgers):
    return {one.indicator: one for one in call_figures(RULE, counted(*ledgers))}


def conversation(*facts):
    ledger = call(*facts)
    return conversation_of(ledger, stay_of(ledger))


def test_the_average_handle_time_is_talk_and_hold_and_wrap_up_over_handled():
    told = {"talk_ms": 120_000, "hold_ms": 30_000, "wrap_up_ms": 15_000}
    also = {"talk_ms": 60_000, "hold_ms": 0, "wrap_up_ms": 45_000}

    found = figures(
        call("queued 0", "answered 5", ("ended 200", told)),
        call("queued 0", "answered 5", ("ended 200", also)),
        call("queued 0", "abandoned 9", "ended 9"),
        call("queued 0", "answered 5"),
    )

    assert (found["aht"].value, found["aht"].numerator, found["aht"].denominator) == (135_000, 270_000, 2)
    assert [found[part].value for part in ("talk", "hold", "wrap_up")] == [90_000, 15_000, 30_000]


def test_talk_and_hold_follow_from_the_facts_where_no_attribute_tells_them():
    #  answered 10 ── held 40 ── retrieved 60 ── held 80 ── ended 100
    found = conversation("queued 0", "answered 10", "held 40", "retrieved 60", "held 80", "ended 100")

    assert (found.talk_ms, found.hold_ms, found.wrap_up_ms) == (50_000, 40_000, 0)


def test_held_twice_without_a_retrieval_is_held_once_and_a_retrieval_alone_is_nothing():
    found = conversation("queued 0", "answered 10", "retrieved 20", "held 40", "held 50", "retrieved 60", "ended 70")

    assert (found.talk_ms, found.hold_ms) == (40_000, 20_000)


def test_an_attribute_wins_over_the_facts():
    found = conversation("queued 0", "answered 10", "held 20", "retrieved 30", ("ended 100", {"talk_ms": 71_000}))

    assert (found.talk_ms, found.hold_ms) == (71_000, 10_000)


def test_an_end_before_the_answer_is_a_skewed_clock_clamped_and_flagged():
    pane = counted(call("queued 0", "ended 8", "answered 10"))

    assert conversation("queued 0", "ended 8", "answered 10").talk_ms == 0
    assert pane.counts["flagged"] == 1
    assert "talk_ms" not in pane.counts


def test_a_call_whose_answer_and_end_are_both_skewed_is_flagged_once():
    assert counted(call("ended 5", "answered 8", "queued 10")).counts["flagged"] == 1


def test_a_call_back_is_handled_once_the_customer_was_reached():
    asked = ("queued 0", "callback_requested 30", "ended 31")
    assert conversation(*asked) is None, "that he hung up was no conversation"
    assert conversation(*asked, "answered 600") is None

    found = conversation(*asked, "answered 600", ("ended 700", {"wrap_up_ms": 5_000}))

    assert (found.talk_ms, found.wrap_up_ms, found.turnaround_ms) == (100_000, 5_000, 700_000)


@pytest.mark.parametrize("end", ["abandoned 9", "transferred 9"])
def test_nobody_handled_a_call_that_was_not_answered(end):
    assert conversation("queued 0", end, "ended 20") is None


def test_first_call_resolution_by_flag_is_gross_and_net_of_what_the_first_level_could_not_solve():
    found = figures(
        call("queued 0", "answered 5", ("ended 60", {"resolved": True})),
        call("queued 0", "answered 5", ("ended 60", {"resolved": True})),
        call("queued 0", "answered 5", ("ended 60", {"resolved": False})),
        call("queued 0", "answered 5", "transferred 40", ("ended 60", {"resolved": False})),
        call("queued 0", "answered 5", "ended 60"),  # nobody told
    )

    assert (found["fcr_flag"].numerator, found["fcr_flag"].denominator) == (2, 4)
    assert (found["fcr_flag_net"].numerator, found["fcr_flag_net"].denominator) == (2, 3)


def test_satisfaction_is_the_mean_of_the_newest_scores_that_customers_gave():
    #  one rates at once, one in a survey two days later and changes the mind, one not at all, one with an absurd score
    found = figures(
        call("queued 0", "answered 5", ("ended 60", {"score": 4})),
        call("queued 0", "answered 5", ("ended 60", {"score": 1}), ("rated 172800", {"score": 2.5})),
        call("queued 0", "answered 5", "ended 60"),
        call("queued 0", "answered 5", ("ended 60", {"score": 1e9})),
        call("queued 0", "answered 5", ("ended 60", {"score": 0})),
        call("queued 0", "abandoned 5", ("rated 60", {"score": 1})),
    )

    assert (found["satisfaction"].numerator, found["satisfaction"].denominator) == (6.5, 3)
    assert found["turnaround"].value == 60_000, "a survey makes no call longer"
    assert figures(call("queued 0", "answered 5", "ended 60"))["satisfaction"].value is None


def test_turnaround_is_from_received_to_delivered():
    found = figures(call("queued 0", "answered 5", "ended 60"), call("queued 0", "answered 30", "ended 100"))

    assert (found["turnaround"].value, found["turnaround"].denominator) == (80_000, 2)


def test_occupancy_is_handle_time_by_handle_time_and_available_time():
    told = {"talk_ms": 120_000, "hold_ms": 0, "wrap_up_ms": 30_000}

    found = figures(
        call("queued 0", ("answered 5", {"idle_ms": 30_000}), ("ended 200", told)),
        call("queued 0", ("answered 5", {"idle_ms": 20_000}), ("ended 200", told)),
        call("queued 0", "answered 5", ("ended 200", told)),  # whose agent's state is not told
    )

    assert (found["occupancy"].numerator, found["occupancy"].denominator) == (300_000, 350_000)


def test_where_no_agent_states_are_given_there_is_no_occupancy():
    found = figures(call("queued 0", "answered 5", "ended 60"))

    assert found["occupancy"].value is None
    assert found["aht"].value == 55_000


def test_the_average_handle_time_is_no_average_of_averages():
    #  one call of 100 s in one pane, nine of 200 s in another: 190 s, not 150 s
    panes = [
        counted(call("queued 0", "answered 0", "ended 100")),
        counted(*[call("queued 0", "answered 0", "ended 200")] * 9),
    ]

    found = {one.indicator: one.value for one in call_figures(RULE, merge_panes(panes))}

    assert found["aht"] == 190_000
