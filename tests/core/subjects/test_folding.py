"""What the fold of a subject does where little is known, or much has changed."""

from monitor.core.agreements.book import Book
from monitor.core.agreements.measures import Filter
from tests.core.stories import Story, agreement, clock, ms, ticket

ONLY_P1 = Filter(any_of=(("priority", frozenset({"P1"})),))


def test_a_clock_whose_agreement_nobody_knows_is_left_as_it_is():
    story = Story(agreement(clock())).at("Mon 09:00", ticket("T-1", "opened")).until("Mon 12:00")
    (before,) = story.clocks("T-1")
    story.book = Book((agreement(clock(), id="other"),), story.stamp)  # as if it had been folded under this one

    story.sweep("Mon 13:00")
    assert story.clocks("T-1") == [before]
    late = ticket("T-1", "resolved")
    late = late._replace(fact=late.fact._replace(time_ms=ms("Mon 14:00")))
    story.take(story.engine.batch([late], ms("Mon 14:00"), story.book))

    assert before in story.clocks("T-1")
    assert story.told(promise="resolution") == ["at_risk Mon 12:00"]


def test_a_clock_that_begins_after_another_was_undone_is_a_clock_of_its_own():
    story = Story(agreement(clock(where=ONLY_P1), clock("next_response", at_risk=())))
    story.at("Mon 09:00", ticket("T-1", "opened", priority="P1"))
    story.at("Mon 09:30", ticket("T-1", "responded")).until("Mon 12:00")
    story.at("Mon 12:10", ticket("T-1", "priority_changed", priority="P2"))
    assert story.told() == ["at_risk Mon 12:00", "voided Mon 12:10"]
    story.at("Mon 12:30", ticket("T-1", "customer_replied"))
    assert [one.series.measure for one in story.clocks("T-1") if one.state == "running"] == ["next_response"]

    story.at("Mon 12:40", ticket("T-1", "priority_changed", priority="P1"))
    assert story.told(promise="resolution") == ["at_risk Mon 12:00", "voided Mon 12:10", "at_risk Mon 12:00"]
    first, _, again = [one.id for one in story.alerts if one.key.promise == "resolution"]
    assert first != again


def test_a_reopened_ticket_of_a_priority_to_which_nothing_is_promised_begins_no_cycle():
    rule = clock(budgets={"P1": "4h"}, cycles="each", on_change="from_change")
    story = Story(agreement(rule)).at("Mon 09:00", ticket("T-1", "opened", priority="P1"))
    story.at("Mon 10:00", ticket("T-1", "resolved"))
    story.at("Mon 10:30", ticket("T-1", "priority_changed", priority="P3"))
    story.at("Mon 11:00", ticket("T-1", "reopened"))
    assert [(one.cycle, one.state) for one in story.clocks("T-1")] == [(1, "stopped")]
