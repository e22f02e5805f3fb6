"""A requested callback has a promise of its own: the customer is reached within an hour (domain.md §4)."""

from monitor.core.agreements.measures import CallRule
from monitor.core.clocks.terms import Plan
from monitor.core.series.series import SeriesKey
from monitor.core.subjects.explanation import explain
from tests.core.stories import MONDAY_MS, Story, agreement, clock, event, ms, when

CALLS = CallRule(id="calls", answer_within_ms=20_000, by=("queue",))
CALLBACK = clock("callback", {"*": "1h"}, subject="call", by=("queue",))


def centre():
    story = Story(agreement(CALLS, CALLBACK), subject="call")
    story.at("Mon 09:00", event("call", "C-1", "queued", queue="support"))
    story.at("Mon 09:05", event("call", "C-1", "callback_requested"))
    return story.at("Mon 09:05:10", event("call", "C-1", "abandoned"), event("call", "C-1", "ended", sequence=1))


def test_it_starts_at_the_request_and_stops_when_the_customer_is_reached():
    story = centre().at("Mon 09:35", event("call", "C-1", "answered"))

    (callback,) = story.clocks("C-1")
    assert (callback.state, callback.elapsed_ms) == ("stopped", 1_800_000)
    assert story.counts("callback", ("support",), "day") == {"met": 1, "elapsed_ms": 1_800_000, "wall_ms": 1_800_000}


def test_that_the_customer_hangs_up_to_be_called_back_ends_nothing():
    assert centre().clocks("C-1")[0].state == "running"


def test_it_is_at_risk_and_breached_by_time_alone_and_resolved_by_the_call_back():
    story = centre().until("Mon 12:00").at("Mon 12:30", event("call", "C-1", "answered"))

    assert story.told("C-1") == ["at_risk Mon 09:50", "breached Mon 10:05", "resolved Mon 12:30"]


def test_a_late_answer_that_came_in_time_voids_the_breach():
    story = centre().until("Mon 12:00").at("Mon 09:40", event("call", "C-1", "answered"), now="Mon 12:01")

    assert story.told("C-1")[-1] == "voided Mon 09:40"


def test_the_call_keeps_its_outcome_beside_the_clock():
    story = centre().until("Mon 12:00").at("Mon 12:30", event("call", "C-1", "answered"))

    assert story.pane(SeriesKey("desk", "calls", ("support",)), "day", MONDAY_MS) is None, "no window asks for days"
    assert [dict(one.counts) for one in story.row("C-1").shown] == [{"callback": 1}]


def test_a_call_that_nobody_asked_to_be_called_back_has_no_such_clock():
    story = Story(agreement(CALLS, CALLBACK), subject="call")
    story.at("Mon 09:00", event("call", "C-1", "queued", queue="support"))
    story.at("Mon 09:01", event("call", "C-1", "answered"))

    assert story.clocks("C-1") == []


def test_an_answer_before_the_request_is_not_the_call_back():
    #  answered, passed on into another queue, and there the caller asks to be called back
    story = Story(agreement(CALLS, CALLBACK), subject="call")
    story.at("Mon 09:00", event("call", "C-1", "queued", queue="support"))
    story.at("Mon 09:01", event("call", "C-1", "answered"))
    story.at("Mon 09:05", event("call", "C-1", "transferred"), event("call", "C-1", "queued", sequence=1))
    story.at("Mon 09:10", event("call", "C-1", "callback_requested"))
    assert story.clocks("C-1")[0].state == "running"

    story.until("Mon 12:00")

    assert story.told("C-1") == ["at_risk Mon 09:55", "breached Mon 10:10"]


def test_explain_tells_the_stretches_of_a_callback():
    story = centre()
    row = story.row("C-1")
    (one,) = [explain(row, it, Plan(story.book).terms(it), ms("Mon 09:35")) for it in row.clocks]

    assert (one.standing, one.elapsed_ms, when(one.due_ms)) == ("running", 1_800_000, "Mon 10:05")
