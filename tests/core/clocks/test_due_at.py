"""A due instant that comes with the record, in place of start + budget: in order and disorder, with pauses or none."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.agreements.agreement import Support
from monitor.core.clocks.clock import is_breached
from monitor.core.clocks.due import due_had_it_gone_on_ms, due_or_missed_ms
from monitor.core.clocks.figures import clock_figures
from monitor.core.clocks.supporting import Misses
from monitor.core.facts.events import Event, Fact
from monitor.core.series.series import Pane
from monitor.core.subjects.explanation import explain
from monitor.core.time.units import HOUR_MS, MINUTE_MS
from tests.core.stories import MONDAY_MS, Story, agreement, clock, ms, ticket


def rule(metric="resolution", *, calendar="always", at_risk=(), **more):
    return clock(metric, {"*": "0h"}, at_risk=at_risk, due_at="due_at", **more) if calendar == "always" else clock(
        metric, {"*": ("0h", calendar)}, at_risk=at_risk, due_at="due_at", **more
    )  # fmt: skip


def opened(due=None, **more):
    return ticket("T-1", "opened", **({} if due is None else {"due_at": ms(due)}), **more)


def due_on(due, kind="updated"):
    return ticket("T-1", kind, due_at=ms(due))


def desk(due="Mon 13:00", **more):
    return Story(agreement(rule(**more))).at("Mon 09:00", opened(due))


def verdict(story):
    (one,) = story.clocks("T-1")
    return "breached" if is_breached(one) else "met"


def explained(story, now):
    row = story.row("T-1")
    return explain(row, row.clocks[-1], story.engine.plan.terms(row.clocks[-1]), ms(now))


@pytest.mark.parametrize(
    ("strict", "stop", "expected"),
    [
        (False, "Mon 12:59", "met"), (False, "Mon 13:00", "met"), (False, "Mon 13:01", "breached"),
        (True, "Mon 12:59", "met"), (True, "Mon 13:00", "breached"),
    ],
)  # fmt: skip
def test_the_record_s_own_due_instant_decides_and_is_inclusive(strict, stop, expected):
    story = desk(strict=strict).at(stop, ticket("T-1", "resolved"))

    assert verdict(story) == expected
    assert [one.state for one in story.alerts] == (["breached", "resolved"] if expected == "breached" else [])
    assert {one.due_ms for one in story.alerts} <= {ms("Mon 13:00")}
    assert (explained(story, "Tue 09:00").standing, explained(story, "Tue 09:00").due_ms) == (expected, ms("Mon 13:00"))


def test_the_breach_is_told_a_millisecond_after_it_by_the_clock_alone_and_warnings_before_it():
    story = desk(at_risk=("75%", "30m"))
    story.due(ms("Mon 13:00"))
    assert story.told() == ["at_risk Mon 12:00", "at_risk Mon 12:30"]

    story.due(ms("Mon 13:00") + 1)

    assert [(one.state, one.at_ms) for one in story.alerts][2:] == [("breached", ms("Mon 13:00") + 1)]
    assert explained(story, "Mon 14:00").standing == "overdue"
    assert story.counts() == {"open": 1, "overdue": 1}


def test_a_later_event_moves_it_and_what_no_longer_holds_is_rearmed_visibly():
    story = desk(at_risk=("75%",)).until("Mon 13:30").at("Mon 14:00", due_on("Mon 19:00"))
    assert story.told() == ["at_risk Mon 12:00", "breached Mon 13:00", "rearmed Mon 14:00"]
    assert explained(story, "Mon 14:00").standing == "running"

    story.until("Tue 00:00")

    assert story.told()[3:] == ["at_risk Mon 16:30", "breached Mon 19:00"]
    assert len({one.id for one in story.alerts}) == 5


def test_one_that_is_moved_into_the_past_is_broken_at_once_and_a_warning_that_is_over_is_taken_back():
    story = desk("Tue 09:00").at("Mon 14:00", due_on("Mon 13:00")).until("Mon 14:00")
    assert story.told() == ["breached Mon 14:00"]

    warned = desk(at_risk=("75%",)).until("Mon 12:30").at("Mon 12:30", due_on("Mon 19:00")).until("Mon 12:40")
    assert warned.told() == ["at_risk Mon 12:00", "rearmed Mon 12:30"]

    late = desk().until("Mon 14:00").at("Mon 14:00", due_on("Mon 13:30")).until("Mon 15:00")
    assert late.told() == ["breached Mon 13:00"]  # it is late by that one too


def test_a_move_that_arrives_late_takes_back_what_it_disproves():
    story = desk().until("Mon 13:30")

    story.at("Mon 12:30", due_on("Mon 19:00"), now="Mon 13:40").until("Mon 20:00")

    assert story.told() == ["breached Mon 13:00", "rearmed Mon 12:30", "breached Mon 19:00"]


def test_what_was_due_when_it_stopped_decides_and_a_later_change_does_not():
    story = desk().at("Mon 12:00", ticket("T-1", "resolved")).at("Mon 14:00", due_on("Mon 11:00", "closed"))
    assert (verdict(story), story.alerts) == ("met", [])

    own = desk().at("Mon 14:00", due_on("Mon 15:00", "resolved"))
    assert (verdict(own), own.told()) == ("met", ["breached Mon 13:00", "rearmed Mon 14:00"])


def test_a_fact_that_stops_a_clock_and_says_that_it_was_due_before_breaks_the_promise():
    undated = Story(agreement(rule())).at("Mon 09:00", ticket("T-1", "opened"))
    undated.at("Mon 14:00", due_on("Mon 13:00", "resolved"))
    assert (verdict(undated), undated.told()) == ("breached", ["breached Mon 14:00", "resolved Mon 14:00"])

    moved = desk("Tue 09:00").at("Mon 14:00", due_on("Mon 13:00", "resolved"))
    assert (verdict(moved), moved.told()) == ("breached", ["breached Mon 14:00", "resolved Mon 14:00"])

    kept = desk("Tue 09:00").at("Mon 14:00", due_on("Mon 14:00", "resolved"))
    assert (verdict(kept), kept.told()) == ("met", [])

    cancelled = desk("Tue 09:00").at("Mon 14:00", due_on("Mon 13:00", "cancelled"))
    assert cancelled.told() == []


def test_pauses_do_not_move_it_but_are_no_elapsed_time_and_a_paused_clock_is_due():
    story = desk(at_risk=("75%",)).at("Mon 10:00", ticket("T-1", "paused")).until("Mon 14:00")
    assert story.told() == ["at_risk Mon 12:00", "breached Mon 13:00"]
    assert story.counts() == {"open": 1, "paused": 1, "overdue": 1}
    assert (explained(story, "Mon 14:00").standing, explained(story, "Mon 14:00").elapsed_ms) == ("overdue", HOUR_MS)

    story.at("Mon 15:00", ticket("T-1", "resumed")).at("Mon 16:00", ticket("T-1", "resolved"))

    assert (verdict(story), story.clocks("T-1")[0].elapsed_ms) == ("breached", 2 * HOUR_MS)


def test_a_stop_before_it_that_is_learnt_late_voids_the_breach_of_a_paused_clock():
    story = desk().at("Mon 10:00", ticket("T-1", "paused")).until("Mon 14:00")

    story.at("Mon 12:00", ticket("T-1", "resolved"), now="Mon 14:10")

    assert story.told() == ["breached Mon 13:00", "voided Mon 12:00"]


def test_a_paused_clock_whose_due_instant_moves_is_rearmed():
    story = desk().at("Mon 10:00", ticket("T-1", "paused")).until("Mon 14:00").at("Mon 14:00", due_on("Mon 19:00"))
    story.until("Mon 20:00")

    assert story.told() == ["breached Mon 13:00", "rearmed Mon 14:00", "breached Mon 19:00"]


def test_a_promise_may_say_that_pauses_move_it_by_their_open_time():
    story = desk(pauses_move_due=True, at_risk=("75%",)).at("Mon 10:00", ticket("T-1", "paused")).until("Mon 14:00")
    assert story.alerts == []
    assert explained(story, "Mon 14:00").due_ms is None
    story.at("Mon 15:00", ticket("T-1", "resumed"))
    assert explained(story, "Mon 15:00").due_ms == ms("Mon 18:00")

    story.until("Mon 19:00")

    assert story.told() == ["at_risk Mon 17:00", "breached Mon 18:00"]
    assert explained(story, "Mon 19:00").due_ms == ms("Mon 18:00")
    story.at("Mon 19:00", ticket("T-1", "paused")).at("Mon 20:00", ticket("T-1", "resolved"))
    assert due_or_missed_ms(story.clocks("T-1")[0], story.engine.plan.book.agreements[0].calendars["always"]) == ms(
        "Mon 18:00"
    )


def test_a_moving_one_that_is_changed_in_a_pause_is_judged_by_what_has_elapsed():
    """Overdue by an hour it is paused; then the record gets a due instant after all, which more time leads to."""
    story = desk(pauses_move_due=True, at_risk=("75%",)).at("Mon 14:00", ticket("T-1", "paused"))
    story.at("Mon 15:00", due_on("Mon 13:30"))  # still broken: 5 h have elapsed of 4 h 30 min
    assert story.told() == ["at_risk Mon 12:00", "breached Mon 13:00"]
    story.at("Mon 16:00", due_on("Mon 17:00")).at("Mon 17:00", ticket("T-1", "resumed")).until("Tue 09:00")

    assert story.told()[2:] == ["rearmed Mon 16:00", "at_risk Mon 18:00", "breached Mon 20:00"]

    warned = desk(pauses_move_due=True, at_risk=("75%",)).at("Mon 12:30", ticket("T-1", "paused"))
    warned.at("Mon 12:40", due_on("Mon 17:00"))
    assert warned.told() == ["at_risk Mon 12:00", "rearmed Mon 12:40"]


def test_in_closed_hours_it_is_that_instant_and_an_office_s_pause_moves_it_by_office_hours():
    story = desk("Sun 12:00", calendar="office")
    story.due(ms("Sun 12:00") + 1)
    assert [one.at_ms for one in story.alerts] == [ms("Sun 12:00") + 1]
    assert story.alerts[0].budget_ms == 40 * HOUR_MS

    moved = desk("Sun 12:00", calendar="office", pauses_move_due=True)
    moved.at("Fri 16:00", ticket("T-1", "paused")).at("Sat 10:00", ticket("T-1", "resumed"))
    assert explained(moved, "Sat 10:00").due_ms == ms("Mon+7 10:00")


def test_caps_of_pauses_that_move_it_count():
    story = desk(pauses_move_due=True, pause_on=frozenset({"customer"}), pause_caps={"customer": HOUR_MS})
    story.at("Mon 10:00", ticket("T-1", "paused", reason="customer")).until("Mon 20:00")

    assert story.told() == ["breached Mon 14:00"]


def test_without_the_attribute_there_is_no_due_instant_it_is_counted_and_explain_says_so():
    story = desk(None).until("Mon+7 09:00")
    assert (story.alerts, story.counts()) == ([], {"open": 1, "undated": 1})
    told = explained(story, "Tue 09:00")
    assert (told.standing, told.due_ms, told.due_at) == ("undated", None, "due_at")
    story.at("Mon+7 09:00", ticket("T-1", "paused"))
    assert story.counts() == {"open": 1, "undated": 1, "paused": 1}
    story.at("Mon+7 10:00", ticket("T-1", "resumed")).at("Mon+7 11:00", ticket("T-1", "resolved"))

    assert (story.counts(), story.counts(width="day")) == ({}, {"undated": 1})
    assert explained(story, "Mon+7 12:00").standing == "undated"
    assert due_had_it_gone_on_ms(story.clocks("T-1")[0], None) is None
    compliance = clock_figures(Pane({"undated": 1, "met": 3, "breached": 1}, {}, {}, {}, {}), 0)[0]
    assert (compliance.value, compliance.denominator) == (0.75, 4)
    assert compliance.formula == "met / (met + breached + overdue), without 1 that had no due instant"


def test_one_that_comes_later_is_taken_from_then_on():
    story = desk(None).at("Mon 10:00", due_on("Mon 11:00")).until("Mon 12:00")

    assert story.told() == ["breached Mon 11:00"]
    assert story.counts() == {"open": 1, "overdue": 1}


def test_a_due_instant_before_the_start_is_broken_at_the_start():
    story = desk("Mon 08:00").until("Mon 09:00")
    assert [(one.at_ms, one.due_ms) for one in story.alerts] == [(ms("Mon 09:00"), ms("Mon 08:00"))]

    equal = desk("Mon 09:00")
    equal.due(ms("Mon 09:00"))
    assert equal.alerts == []


def test_a_stop_before_the_start_keeps_its_due_instant_and_one_without_any_is_undated():
    for due, expected in (("Mon 13:00", "met"), (None, "undated")):
        story = Story(agreement(rule())).at("Mon 08:00", ticket("T-1", "resolved")).at("Mon 09:00", opened(due))
        story.at("Mon 10:00", ticket("T-1", "updated"))
        assert (explained(story, "Tue 09:00").standing, explained(story, "Tue 09:00").flagged) == (expected, True)


def test_each_cycle_takes_what_the_record_says_then():
    story = desk(cycles="each").at("Mon 12:00", ticket("T-1", "resolved"))
    story.at("Tue 09:00", due_on("Tue 11:00", "reopened")).until("Tue 12:00")
    assert [(one.key.cycle, one.state, one.due_ms) for one in story.alerts] == [(2, "breached", ms("Tue 11:00"))]

    same = desk(cycles="each").at("Mon 12:00", ticket("T-1", "resolved")).at("Tue 09:00", ticket("T-1", "reopened"))
    assert [one.due_ms for one in same.until("Tue 09:00").alerts] == [ms("Mon 13:00")]  # the record's is over

    summed = desk(cycles="sum").at("Mon 12:00", ticket("T-1", "resolved")).at("Tue 09:00", ticket("T-1", "reopened"))
    summed.until("Tue 09:00").at("Tue 10:00", ticket("T-1", "resolved"))
    assert summed.told() == ["breached Tue 09:00", "resolved Tue 10:00"]


def test_next_responses_have_the_due_instants_of_their_messages():
    story = Story(agreement(rule("next_response"))).at("Mon 08:00", ticket("T-1", "opened"))
    story.at("Mon 08:10", ticket("T-1", "responded")).at("Mon 09:00", due_on("Mon 10:00", "customer_replied"))
    story.at("Mon 09:30", ticket("T-1", "responded")).at("Mon 11:00", due_on("Mon 12:00", "customer_replied"))
    story.at("Mon 13:00", ticket("T-1", "responded"))

    assert [(one.cycle, is_breached(one)) for one in story.clocks("T-1")] == [(1, False), (2, True)]


def test_a_supporting_agreement_by_the_record_is_missed_after_it_also_while_it_is_paused():
    ola = agreement(rule(), id="ola", kind="ola", supports=(Support("desk"),))
    story = Story(agreement(clock(budgets={"*": "3h"}, at_risk=(), pause_on=frozenset())), ola)
    story.at("Mon 09:00", opened("Mon 11:00")).at("Mon 10:00", ticket("T-1", "paused")).until("Mon 13:00")

    (of_desk,) = [one for one in story.alerts if one.key.agreement == "desk"]
    assert [one.missed_ms for one in of_desk.supporting] == [ms("Mon 11:00")]
    undated = Story(agreement(clock(budgets={"*": "3h"})), ola).at("Mon 09:00", opened()).until("Mon 13:00")
    assert Misses(undated.clocks("T-1"), undated.engine.plan).under(undated.clocks("T-1")[0], ms("Tue 09:00")) == ()


def test_the_value_must_be_an_instant():
    """Decoding sees to that; a row of another release that holds a text is read as having none."""
    story = Story(agreement(rule())).at("Mon 09:00", ticket("T-1", "opened", due_at="tomorrow"))

    assert explained(story, "Mon 10:00").standing == "undated"


def test_a_warning_is_told_once_where_another_due_instant_puts_the_warnings_in_another_order():
    """Of two hours a half and "1 h before" are the same instant; of one hour the latter is the start."""
    story = Story(agreement(rule(at_risk=("50%", "1h")))).at("Mon 09:00", opened("Mon 10:00")).until("Mon 09:30")
    story.at("Mon 10:00", due_on("Mon 11:00", "updated")).until("Mon 10:00")

    assert len({one.id for one in story.alerts}) == len(story.alerts)
    assert sorted(one.reason for one in story.alerts if one.at_ms == ms("Mon 10:00") and one.state == "at_risk") == [
        "before_due_3600000",
        "elapsed_50",
    ]


RULES = [
    clock(metric, {"*": ("0h", calendar)}, due_at="due_at", at_risk=("50%", "1h"), **more)
    for metric, calendar, more in (
        ("resolution", "always", {"cycles": "each"}),
        ("resolution_net", "office", {"cycles": "sum", "pauses_move_due": True}),
        ("first_response", "office", {"pauses_move_due": True, "strict": True}),
        ("next_response", "always", {}),
        ("turnaround", "always", {"pauses_move_due": True, "pause_on": {"x"}, "pause_caps": {"x": 90 * MINUTE_MS}}),
    )
]  # fmt: skip
KINDS = ["paused", "resumed", "resolved", "closed", "reopened", "responded", "customer_replied", "updated", "cancelled"]
TURNS = st.lists(
    st.tuples(st.integers(0, 10), st.sampled_from(KINDS), st.one_of(st.none(), st.integers(-4, 60))), max_size=7
)


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.none(), st.integers(-2, 40)), TURNS, st.data())
def test_any_order_and_any_ticks_give_the_same_clocks_and_figures_in_the_end(first, turns, data):
    happened_ms, events = MONDAY_MS + 9 * HOUR_MS, []
    for number, (hours, kind, due) in enumerate([(0, "opened", first), *turns]):
        happened_ms += hours * HOUR_MS
        attributes = {"reason": "x"} if kind in {"paused", "resumed"} else {}
        if due is not None:
            attributes["due_at"] = happened_ms + due * HOUR_MS
        events.append(Event("ticket", "T-1", Fact(happened_ms, number, str(number), kind, attributes)))
    end_ms = happened_ms + 200 * HOUR_MS
    straight, ticking = (Story(agreement(*RULES), retention="400d") for _ in range(2))
    for one in events:
        straight.take(straight.engine.batch([one], 0, straight.book))
    straight.due(end_ms)
    now_ms = MONDAY_MS
    for one in data.draw(st.permutations(events)):
        now_ms = max(now_ms, one.fact.time_ms) + data.draw(st.sampled_from([0, 1, HOUR_MS]))
        ticking.due(now_ms)
        ticking.take(ticking.engine.batch([one], now_ms, ticking.book))
    ticking.due(max(end_ms, now_ms))

    assert essence(ticking) == essence(straight)
    assert figures(ticking) == figures(straight)
    assert len({one.id for one in ticking.alerts}) == len(ticking.alerts)
    for one in straight.clocks("T-1"):
        fixed = one.extra is not None and one.extra.due_at_ms > 0 and not one.extra.due_moves
        if fixed and one.state == "stopped" and one.series.measure == "next_response":
            assert is_breached(one) == (one.stop_ms > max(one.extra.due_at_ms, one.start_ms - 1))


def essence(story):
    return [one._replace(ordinal=0) for one in story.clocks("T-1")]


def figures(story):
    found = {}
    for key, pane in story.rows.items():
        if key[:1] == b"p" and any(pane.counts.values()):
            found[key] = {name: number for name, number in pane.counts.items() if number}
    return found


def test_a_budget_of_the_same_length_says_the_same():
    by_record, by_budget = desk(), Story(agreement(clock(budgets={"*": "4h"}, at_risk=())))
    by_budget.at("Mon 09:00", ticket("T-1", "opened"))
    for story in (by_record, by_budget):
        story.until("Mon 14:00").at("Mon 15:00", ticket("T-1", "resolved"))

    assert by_record.told() == by_budget.told()
    assert by_record.counts(width="day") == by_budget.counts(width="day")
