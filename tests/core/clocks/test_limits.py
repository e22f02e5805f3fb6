"""The limit itself: "within" is inclusive, to the millisecond, whoever asks and in whatever order it is learnt.

elapsed   … budget − 1 ms │ budget │ budget + 1 ms …
within    kept            │ kept   │ broken
strict    kept            │ broken │ broken
"""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.agreements.agreement import Support
from monitor.core.agreements.measures import Budget, CallRule
from monitor.core.clocks.clock import is_breached
from monitor.core.clocks.figures import overdue_at
from monitor.core.clocks.supporting import Misses
from monitor.core.facts.events import Event, Fact
from monitor.core.subjects.explanation import explain
from monitor.core.time.units import HOUR_MS
from monitor.core.windows.panes import SeriesPanes
from tests.core.stage import Rows
from tests.core.stories import MONDAY_MS, Story, agreement, clock, event, ms, ticket

FOUR_HOURS = clock("resolution", {"*": "4h"}, at_risk=())
OFFICE_DAY = clock("resolution", {"*": ("8h", "office")}, at_risk=())
"""Opened when the office opens, it is due when the office closes."""


def desk(rule=FOUR_HOURS, **more):
    return Story(agreement(rule, **more)).at("Mon 09:00", ticket("T-1", "opened"))


def at_ms(story, after_ms, *events, now_ms=None):
    """Events that happen some milliseconds after Monday 09:00."""
    happened_ms = ms("Mon 09:00") + after_ms
    stamped = [Event(one.subject, one.subject_id, one.fact._replace(time_ms=happened_ms)) for one in events]
    now_ms = happened_ms if now_ms is None else now_ms
    story.due(now_ms - 1)
    story.take(story.engine.batch(stamped, now_ms, story.book))
    return story


def verdict(story):
    (one,) = story.clocks("T-1")
    return "breached" if is_breached(one) else "met"


@pytest.mark.parametrize(
    ("strict", "after_ms", "expected"),
    [
        (False, 4 * HOUR_MS - 1, "met"), (False, 4 * HOUR_MS, "met"), (False, 4 * HOUR_MS + 1, "breached"),
        (True, 4 * HOUR_MS - 1, "met"), (True, 4 * HOUR_MS, "breached"), (True, 4 * HOUR_MS + 1, "breached"),
    ],
)  # fmt: skip
def test_golden_exactly_4_h_00_m_00_s_under_4_h_is_kept_and_a_millisecond_more_is_broken(strict, after_ms, expected):
    story = at_ms(desk(replace(FOUR_HOURS, strict=strict)), after_ms, ticket("T-1", "resolved"))

    assert verdict(story) == expected
    overdue = {"overdue_in": 1, "overdue_out": 1} if expected == "breached" else {}
    assert story.counts(width="day") == {expected: 1, "elapsed_ms": after_ms, "wall_ms": after_ms, **overdue}
    assert [one.state for one in story.alerts] == (["breached", "resolved"] if expected == "breached" else [])


@pytest.mark.parametrize(
    ("strict", "wait_ms", "within"),
    [(False, 20_000, 1), (False, 20_001, 0), (True, 19_999, 1), (True, 20_000, 0)],
)
def test_golden_20_000_ms_under_20_s_is_within(strict, wait_ms, within):
    calls = CallRule(id="calls", answer_within_ms=20_000, windows=clock().windows, strict=strict)
    story = Story(agreement(calls), subject="call").at("Mon 09:00", event("call", "C-1", "queued"))

    story.due(ms("Mon 09:00") + wait_ms)
    beyond = story.counts("calls", (), width="day").get("waiting_beyond", 0)
    at_ms(story, wait_ms, event("call", "C-1", "answered"))

    pane = next(pane for key, pane in story.rows.items() if key[:1] == b"p" and pane.counts.get("answered"))
    assert (pane.counts.get("answered_within", 0), beyond) == (within, 1 - within)


def test_an_open_clock_is_not_broken_at_its_due_instant_and_the_first_tick_after_it_says_so():
    story = desk()
    story.due(ms("Mon 13:00"))
    assert (story.alerts, story.row("T-1").wake_ms) == ([], ms("Mon 13:00") + 1)
    assert explained(story, ms("Mon 13:00")).standing == "running"

    story.due(ms("Mon 13:00") + 1)

    (told,) = story.alerts
    assert (told.state, told.at_ms, told.due_ms) == ("breached", ms("Mon 13:00") + 1, ms("Mon 13:00"))
    assert (told.elapsed_ms, told.budget_ms) == (4 * HOUR_MS + 1, 4 * HOUR_MS)
    assert explained(story, ms("Mon 13:00") + 1).standing == "overdue"


def explained(story, now_ms):
    row = story.row("T-1")
    return explain(row, row.clocks[-1], story.engine.plan.terms(row.clocks[-1]), now_ms)


def test_a_stop_of_the_due_instant_that_arrives_after_the_breach_was_told_voids_it():
    story = desk()
    story.due(ms("Mon 13:30"))

    at_ms(story, 4 * HOUR_MS, ticket("T-1", "resolved"), now_ms=ms("Mon 13:31"))

    assert story.told() == ["breached Mon 13:00", "voided Mon 13:00"]
    assert (story.alerts[-1].reason, verdict(story)) == ("stopped_in_time", "met")


def test_where_hours_close_with_the_due_instant_the_promise_is_broken_when_they_open_again():
    story = desk(OFFICE_DAY)
    story.until("Tue 09:00")
    assert story.alerts == []
    assert explained(story, ms("Mon 20:00")).due_ms == ms("Mon 17:00")

    story.due(ms("Tue 09:00") + 1)

    (told,) = story.alerts
    assert (told.at_ms, told.due_ms, told.elapsed_ms) == (ms("Tue 09:00") + 1, ms("Mon 17:00"), 8 * HOUR_MS + 1)


def test_a_solution_in_the_night_after_the_due_instant_used_no_more_than_its_hours():
    story = desk(OFFICE_DAY).at("Mon 18:00", ticket("T-1", "resolved")).until("Wed 09:00")

    assert (verdict(story), story.alerts) == ("met", [])


def test_a_period_that_ends_in_that_night_does_not_count_it_as_overdue():
    story = desk(OFFICE_DAY).until("Tue 12:00")

    series = story.clocks("T-1")[0].series
    panes = SeriesPanes(series, Rows())
    for width, start_ms in (("live", 0), ("day", ms("Mon 00:00")), ("day", ms("Tue 00:00"))):
        panes.replace("tickets/0", width, start_ms, story.pane(series, width, start_ms))

    assert [overdue_at(panes, ms(f"{day} 00:00")) for day in ("Tue", "Wed")] == [0, 1]


BY_FIVE = replace(FOUR_HOURS, budgets={"*": Budget(0, "office", 1, 17 * 60)})
"""One business day by 17:00: opened on Monday it is due on Tuesday at 17:00."""


@pytest.mark.parametrize(
    ("rule", "stop", "after_ms", "expected"),
    [
        (BY_FIVE, "Tue 17:00", 0, "met"), (BY_FIVE, "Tue 17:00", 1, "breached"), (BY_FIVE, "Tue 20:00", 0, "breached"),
        (replace(BY_FIVE, strict=True), "Tue 17:00", 0, "breached"),
    ],
)  # fmt: skip
def test_by_a_time_of_day_means_that_time_also_when_the_hours_close_with_it(rule, stop, after_ms, expected):
    story = at_ms(desk(rule), ms(stop) - ms("Mon 09:00") + after_ms, ticket("T-1", "resolved"))

    assert verdict(story) == expected
    assert [one.state for one in story.alerts] == (["breached", "resolved"] if expected == "breached" else [])
    assert explained(story, ms("Wed 09:00")).standing == expected


def test_a_target_by_a_time_of_day_is_told_a_millisecond_after_it_and_pauses_move_it():
    story = desk(BY_FIVE)
    story.due(ms("Tue 17:00"))
    assert story.alerts == []
    story.due(ms("Tue 17:00") + 1)
    assert [one.at_ms for one in story.alerts] == [ms("Tue 17:00") + 1]

    held = desk(BY_FIVE).at("Mon 10:00", ticket("T-1", "paused")).at("Mon 11:00", ticket("T-1", "resumed"))
    held.until("Thu 09:00")
    assert [one.at_ms for one in held.alerts] == [ms("Wed 10:00") + 1]


def test_a_pause_at_the_due_instant_holds_the_last_millisecond():
    story = desk().at("Mon 13:00", ticket("T-1", "paused")).at("Mon 15:00", ticket("T-1", "resumed"))
    story.due(ms("Mon 15:00"))
    assert story.alerts == []

    story.due(ms("Mon 15:00") + 1)

    assert story.told() == ["breached Mon 15:00"]


def test_another_priority_at_the_due_instant_gives_its_target_for_the_promise_was_not_broken():
    rule = clock("resolution", {"P1": "4h", "P2": "2h"}, at_risk=(), on_change="from_change")
    story = Story(agreement(rule)).at("Mon 09:00", ticket("T-1", "opened", priority="P1"))
    story.at("Mon 13:00", ticket("T-1", "priority_changed", priority="P2")).until("Mon 15:00")
    assert story.alerts == []

    story.until("Mon 15:01")

    assert story.told() == ["breached Mon 15:00"]


def test_next_responses_and_summed_cycles_are_kept_at_their_due_instants():
    answers = clock("next_response", {"*": "1h"}, at_risk=())
    story = Story(agreement(answers)).at("Mon 08:00", ticket("T-1", "opened"))
    story.at("Mon 08:30", ticket("T-1", "responded")).at("Mon 09:00", ticket("T-1", "customer_replied"))
    story.at("Mon 10:00", ticket("T-1", "responded"))
    assert (verdict(story), story.alerts) == ("met", [])

    summed = desk(replace(FOUR_HOURS, cycles="sum")).at("Mon 11:00", ticket("T-1", "resolved"))
    summed.at("Tue 09:00", ticket("T-1", "reopened")).at("Tue 11:00", ticket("T-1", "resolved"))
    assert (verdict(summed), summed.alerts) == ("met", [])


def test_a_supporting_target_of_the_same_length_is_missed_with_the_promise_and_kept_at_its_limit():
    support = agreement(FOUR_HOURS, id="ola", kind="ola", supports=(Support("desk"),))
    story = Story(agreement(FOUR_HOURS), support).at("Mon 09:00", ticket("T-1", "opened")).until("Mon 13:01")

    of_desk = next(one for one in story.alerts if one.key.agreement == "desk")
    assert [(one.agreement, one.missed_ms) for one in of_desk.supporting] == [("ola", ms("Mon 13:00"))]

    kept = Story(agreement(clock("resolution", {"*": "2h"}, at_risk=())), support)
    kept.at("Mon 09:00", ticket("T-1", "opened")).at("Mon 13:00", ticket("T-1", "resolved"))
    (of_kept,) = [one for one in kept.clocks("T-1") if one.series.agreement == "desk"]
    assert Misses(kept.clocks("T-1"), kept.engine.plan).under(of_kept, ms("Tue 00:00")) == ()


def test_by_a_time_of_day_a_supporting_target_is_missed_after_that_time():
    support = agreement(BY_FIVE, id="ola", kind="ola", supports=(Support("desk"),))
    hours = clock("resolution", {"*": "33h"}, at_risk=())
    story = Story(agreement(hours), support).at("Mon 09:00", ticket("T-1", "opened")).until("Wed 00:00")

    of_desk = next(one for one in story.alerts if one.key.agreement == "desk")
    assert [one.missed_ms for one in of_desk.supporting] == [ms("Tue 17:00")]


TURNS = st.lists(
    st.tuples(
        st.sampled_from([0, 1, HOUR_MS - 1, HOUR_MS, HOUR_MS + 1, 2 * HOUR_MS, 4 * HOUR_MS, 17 * HOUR_MS]),
        st.sampled_from(["paused", "resumed", "resolved", "reopened", "responded", "customer_replied"]),
    ),
    max_size=6,
)
RULES = [
    replace(rule, strict=strict, id=f"{name}-{strict}")
    for strict in (False, True)
    for name, rule in (
        ("hours", FOUR_HOURS), ("office", clock("resolution", {"*": ("4h", "office")}, at_risk=("50%", "1h"))),
        ("day", BY_FIVE), ("sum", replace(FOUR_HOURS, cycles="sum")),
        ("answers", clock("next_response", {"*": "1h"}, at_risk=())),
    )
]  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(TURNS, st.data())
def test_any_order_and_any_ticks_give_the_verdicts_of_what_has_elapsed(turns, data):
    """What ticks between the events, and events in disorder, have announced is in the end what the facts say."""
    happened_ms, events = MONDAY_MS + 9 * HOUR_MS, []
    for number, (pause_ms, kind) in enumerate([(0, "opened"), *turns]):
        happened_ms += pause_ms
        events.append(Event("ticket", "T-1", Fact(happened_ms, number, str(number), kind, {})))
    end_ms = happened_ms + 30 * HOUR_MS

    straight = Story(agreement(*RULES), retention="400d")
    straight.take(straight.engine.batch(events, 0, straight.book))
    straight.due(end_ms)
    ticking = Story(agreement(*RULES), retention="400d")
    now_ms = MONDAY_MS
    for one in data.draw(st.permutations(events)):
        now_ms = max(now_ms, one.fact.time_ms) + data.draw(st.sampled_from([0, 1, HOUR_MS]))
        ticking.due(now_ms)
        ticking.take(ticking.engine.batch([one], now_ms, ticking.book))
    ticking.due(max(end_ms, now_ms))

    assert essence(ticking, end_ms) == essence(straight, end_ms)
    for one in straight.clocks("T-1"):
        of = straight.engine.plan.terms(one)
        if one.state == "stopped" and not of.by_instant:
            assert is_breached(one) == (one.elapsed_ms >= of.limit_ms)
        elif one.state == "stopped" and one.elapsed_ms != one.budget_ms:
            assert is_breached(one) == (one.elapsed_ms > one.budget_ms)


def essence(story, end_ms):
    return [
        (one.series, one.cycle, one.state, one.elapsed_ms, 0 < one.breached_ms <= end_ms) for one in story.clocks("T-1")
    ]
