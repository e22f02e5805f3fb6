"""When a clock is due, or was: one instant, whoever asks, whatever it has been through."""

from dataclasses import replace

from hypothesis import example, given, settings
from hypothesis import strategies as st

from monitor.core.clocks.clock import is_breached
from monitor.core.clocks.due import due_had_it_gone_on_ms, due_or_missed_ms, missed_ms
from monitor.core.time.units import HOUR_MS, MINUTE_MS
from tests.core.stories import ALWAYS, MONDAY_MS, OFFICE, Story, agreement, clock, ms, ticket, when
from tests.core.subjects.test_subject_laws import BOOKS, CHANGING, CYCLES, histories, run

CALENDARS = {"always": ALWAYS, "office": OFFICE}


def pause(reason="x"):
    return ticket("T-1", "paused", reason=reason)


def resume(reason="x"):
    return ticket("T-1", "resumed", reason=reason)


def raised(priority):
    return ticket("T-1", "priority_changed", priority=priority)


def solved():
    return ticket("T-1", "resolved")


def desk(budgets=None, **more):
    return Story(agreement(clock("resolution", budgets, at_risk=(), **more)))


def due(story, of=due_or_missed_ms):
    (one,) = story.clocks("T-1")
    at_ms = of(one, CALENDARS[one.calendar])
    return "never" if at_ms is None else when(at_ms)


RETARGETED = tuple(
    replace(clock("resolution", {"P1": "4h", "P2": "2h", "*": ("4h", "office")}, at_risk=(), on_change=mode), id=mode)
    for mode in ("from_change", "prorated")
)
ON_THE_WAY = st.lists(
    st.tuples(
        st.integers(0, 300),
        st.sampled_from([("paused", ""), ("resumed", ""), *(("priority_changed", one) for one in ("P1", "P2", "P3"))]),
    ),
    max_size=8,
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(histories(), BOOKS, CYCLES)
def test_a_clock_was_due_when_its_breach_was_announced(events, rules, cycles):
    if rules is not CHANGING:  # a target that holds from the start anew moves the due instant of what was told
        events = [one for one in events if one.fact.type != "priority_changed"]

    is_what_was_told(run([[one] for one in events], cycles, rules))


@settings(max_examples=200, deadline=None)
@given(ON_THE_WAY)
@example([(179, ("priority_changed", "P3")), (62, ("paused", "")), (0, ("priority_changed", "P1"))])
@example([(240, ("paused", "")), (1, ("priority_changed", "P2"))])
def test_a_clock_whose_target_changed_was_due_when_its_breach_was_announced(steps):
    story = Story(agreement(*RETARGETED))
    at_ms = MONDAY_MS + 6 * HOUR_MS
    for minutes, (kind, priority) in [(0, ("opened", "P1")), *steps, (900, ("resolved", ""))]:
        at_ms += minutes * MINUTE_MS
        story.at(when(at_ms), ticket("T-1", kind, **({"priority": priority} if priority else {})))

    is_what_was_told(story)


def is_what_was_told(story):
    standing = {}
    for one in story.alerts:
        if one.state == "breached":
            standing.setdefault(one.key, []).append(one)
        elif one.state in {"rearmed", "voided"}:
            standing.pop(one.key, None)
    for key, row in story.rows.items():
        for one in row.clocks if key[:1] == b"s" else ():
            asked = (one, CALENDARS[one.calendar])
            told = standing.get(("ticket", key[1:].decode(), *one.series[:2], one.cycle), [])
            if told:  # a solved clock that goes on tells again of what it missed, where it goes on
                due_ms, told_ms = due_or_missed_ms(*asked), told[0].at_ms
                counts_gap = one.series.measure == "resolution_gross"
                missed_at_ms = missed_ms(one, story.engine.plan.terms(one))
                assert due_ms < missed_at_ms
                assert told_ms == missed_at_ms or (counts_gap and due_ms < told_ms and told_ms in one.runs)
                assert {alert.due_ms for alert in told} == {due_ms}
            elif one.state != "cancelled":
                at_the_limit = one.elapsed_ms == one.budget_ms
                assert at_the_limit or due_or_missed_ms(*asked) == (one.due_ms if one.state == "running" else None)
            if one.state == "stopped":
                assert (due_had_it_gone_on_ms(*asked) <= one.runs[-1]) == (one.elapsed_ms >= one.budget_ms)
                assert is_breached(one) == (one.elapsed_ms > one.budget_ms)


def test_what_ran_before_a_pause_is_used_of_the_budget():
    story = desk().at("Mon 09:00", ticket("T-1", "opened")).at("Mon 10:00", pause()).at("Mon 12:00", resume())

    story.at("Mon 16:00", solved())

    assert (due(story), due(story, due_had_it_gone_on_ms)) == ("Mon 15:00", "Mon 15:00")


def test_an_overdue_clock_that_was_paused_and_goes_on_was_due_when_it_broke():
    story = desk().at("Mon 09:00", ticket("T-1", "opened")).at("Mon 14:00", pause())
    assert due(story) == "Mon 13:00"

    story.at("Mon 15:00", resume())

    assert due(story) == "Mon 13:00"


def test_a_clock_that_ended_in_time_would_have_been_due_had_its_last_stretch_gone_on():
    story = desk().at("Mon 09:00", ticket("T-1", "opened"))
    assert due(story, due_had_it_gone_on_ms) == "Mon 13:00"
    story.at("Mon 10:00", pause())
    assert due(story, due_had_it_gone_on_ms) == "never"

    story.at("Mon 18:00", solved())

    assert (due(story), due(story, due_had_it_gone_on_ms)) == ("never", "Mon 13:00")


def test_had_it_gone_on_it_would_have_gone_on_with_the_target_that_it_had_at_its_end():
    """Of P2's 4 h 1 h is used before the pause; P1 gives it 2 h from 11:00 on, while it is paused."""
    story = desk({"P1": "2h", "*": "4h"}, on_change="from_change").at("Mon 09:00", ticket("T-1", "opened"))
    story.at("Mon 10:00", pause()).at("Mon 11:00", raised("P1")).at("Mon 18:00", solved())

    assert due(story, due_had_it_gone_on_ms) == "Mon 13:00"


def test_without_any_budget_a_clock_is_due_where_it_starts():
    story = desk({"*": "0h"}).at("Mon 09:00", ticket("T-1", "opened"))

    assert (due(story), story.clocks("T-1")[0].start_ms) == ("Mon 09:00", ms("Mon 09:00"))
