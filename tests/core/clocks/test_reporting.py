"""Problem reporting: a ticket without the required fields is incomplete; its clocks start at once, or wait for them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.agreements.agreement import Report
from tests.core.stories import Story, agreement, clock, ms, ticket
from tests.core.subjects.test_subject_laws import END_MS, essence, histories

WAITS = Report(required=("priority", "service"), incomplete_clock="waits")
STARTS = WAITS._replace(incomplete_clock="starts")


def desk(report, *rules):
    return agreement(*(rules or (clock("resolution", {"*": "4h"}, by=()),)), report=report)


def incomplete(story):
    return story.counts("resolution", ()).get("incomplete", 0)


def test_a_clock_that_waits_starts_when_the_missing_fields_have_arrived():
    story = Story(desk(WAITS))
    story.at("Mon 09:00", ticket("T-1", "opened", priority="P1"))
    assert (story.clocks("T-1"), incomplete(story)) == ([], 1)

    story.at("Mon 10:00", ticket("T-1", "acknowledged", priority="P1"))
    assert (story.clocks("T-1"), incomplete(story)) == ([], 1)

    story.at("Mon 11:00", ticket("T-1", "updated", service="mail")).until("Mon 20:00")
    assert incomplete(story) == 0
    assert story.told("T-1") == ["at_risk Mon 14:00", "breached Mon 15:00"]


def test_a_clock_that_starts_at_once_is_counted_as_incomplete_until_the_fields_arrive_or_it_stops():
    story = Story(desk(STARTS))
    story.at("Mon 09:00", ticket("T-1", "opened", priority="P1", service=""), ticket("T-2", "opened"))
    assert (len(story.clocks("T-1")), incomplete(story)) == (1, 2)

    story.at("Mon 10:00", ticket("T-1", "updated", service="mail"), ticket("T-2", "resolved"))
    assert incomplete(story) == 0
    assert story.until("Mon 20:00").told("T-1") == ["at_risk Mon 12:00", "breached Mon 13:00"]


@pytest.mark.parametrize("end", ["resolved", "cancelled"])
def test_a_ticket_that_ended_before_it_was_complete_is_not_timed(end):
    story = Story(desk(WAITS))
    story.at("Mon 09:00", ticket("T-1", "opened"))
    story.at("Mon 10:00", ticket("T-1", end))
    story.at("Mon 11:00", ticket("T-1", "updated", priority="P1", service="mail"))

    assert (story.clocks("T-1"), incomplete(story)) == ([], 0)


def test_a_pause_that_is_open_when_the_fields_arrive_holds():
    story = Story(desk(WAITS))
    story.at("Mon 09:00", ticket("T-1", "opened"))
    story.at("Mon 09:30", ticket("T-1", "paused", reason="customer"))
    story.at("Mon 10:00", ticket("T-1", "customer_replied", priority="P1", service="mail"))
    story.at("Mon 11:00", ticket("T-1", "resumed", reason="customer")).until("Mon 20:00")

    assert story.told("T-1") == ["at_risk Mon 14:00", "breached Mon 15:00"]


def test_only_the_agreement_that_requires_something_waits_and_only_for_tickets():
    other = agreement(clock("resolution", {"*": "4h"}), id="other")
    outages = clock("restore", {"*": "4h"}, subject="outage")
    story = Story(desk(WAITS, clock("resolution", {"P1": "4h"}, by=()), outages), other)
    story.at("Mon 09:00", ticket("T-1", "opened"))
    story.at("Mon 10:00", ticket("T-1", "updated", priority="P1", service="mail"))
    story.at("Mon 11:00", ticket("T-2", "acknowledged"))
    story.at("Mon 12:00", ticket("T-2", "updated"))

    assert [(one.series.agreement, one.start_ms) for one in story.clocks("T-1")] == [
        ("other", story.row("T-1").facts[0].time_ms),
        ("desk", story.row("T-1").facts[1].time_ms),
    ]
    assert story.clocks("T-2") == []

    leads = Story(desk(WAITS, clock("follow_up", subject="lead"), outages), subject="outage")
    leads.at("Mon 09:00", ticket("O-1", "started")).at("Mon 10:00", ticket("O-1", "acknowledged"))
    assert [one.series.measure for one in leads.clocks("O-1")] == ["restore"]


@settings(max_examples=80, deadline=None)
@given(
    histories(),
    st.sampled_from([WAITS, STARTS]),
    st.sampled_from(["retroactive", "from_change", "prorated"]),
    st.data(),
)
def test_with_required_fields_any_order_and_any_batch_gives_the_same_clocks_and_figures(events, report, change, data):
    report = report._replace(required=("reason",))  # some facts of the histories bring it

    def run(batches):
        story = Story(
            desk(report, clock("resolution", on_change=change), clock("first_response", {"*": "1h"})), retention="400d"
        )
        for batch in batches:
            story.take(story.engine.batch(batch, 0, story.book))
        story.due(END_MS)
        return story

    straight = run([[one] for one in events])
    cut = data.draw(st.integers(0, len(events)))
    batches = run([batch for batch in (events[:cut], events[cut:]) if batch])

    assert essence(run([[one] for one in data.draw(st.permutations(events))])) == essence(straight) == essence(batches)
    assert sorted(one.id for one in batches.alerts) == sorted(one.id for one in straight.alerts)


@pytest.mark.parametrize(
    ("metric", "facts"),
    [
        ("periodic_update", ()),
        ("agent_work", ()),
        ("ownership", (ticket("T-1", "assigned", team="network"),)),
        ("next_response", (ticket("T-1", "responded"), ticket("T-1", "customer_replied"))),
    ],
)
def test_clocks_that_the_course_drives_wait_for_the_missing_fields_too(metric, facts):
    story = Story(desk(WAITS, clock(metric, {"*": "4h"}, at_risk=(), by=())))
    story.at("Mon 09:00", ticket("T-1", "opened"))
    for hour, fact in enumerate(facts):
        story.at(f"Mon 09:{hour + 1}0", fact)
    assert story.clocks("T-1") == []

    story.at("Mon 10:00", ticket("T-1", "priority_changed", priority="P1", service="mail")).until("Mon 20:00")

    assert story.told() == ["breached Mon 14:00"]


def test_a_clock_that_another_priority_promises_waits_for_the_missing_fields_too():
    rule = clock("resolution", {"P1": "4h"}, at_risk=(), by=(), on_change="from_change")
    story = Story(desk(WAITS, rule)).at("Mon 09:00", ticket("T-1", "opened", priority="P9"))

    story.at("Mon 10:00", ticket("T-1", "priority_changed", priority="P1"))
    assert story.clocks("T-1") == []

    story.at("Mon 11:00", ticket("T-1", "updated", service="mail")).until("Mon 20:00")
    assert story.told() == ["breached Mon 15:00"]


@pytest.mark.parametrize("change", ["retroactive", "from_change", "prorated"])
def test_a_clock_starts_with_the_priority_of_its_completion_also_when_that_arrives_after_a_later_change(change):
    def story(*, completed_at):
        rule = clock("resolution", {"P1": "4h", "P2": "8h"}, at_risk=(), by=(), on_change=change)
        facts = [
            ("Mon 09:00", "Mon 09:00", ticket("T-1", "opened", priority="P2")),
            (completed_at, "Mon 10:00", ticket("T-1", "updated", service="mail")),
            ("Mon 12:00", "Mon 12:00", ticket("T-1", "priority_changed", priority="P1")),
        ]
        story = Story(desk(WAITS, rule))
        for arrives, time, fact in sorted(facts, key=lambda one: ms(one[0])):
            story.at(time, fact, now=arrives)
        return story.until("Mon 23:00")

    in_time, late = story(completed_at="Mon 10:00"), story(completed_at="Mon 12:30")
    assert in_time.told() == late.told() != []
    assert in_time.clocks("T-1") == late.clocks("T-1")
