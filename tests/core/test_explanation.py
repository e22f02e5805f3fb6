"""Why a clock stands as it does: its stretches follow each other and add up."""

from hypothesis import given, settings

from monitor.core.explanation import explain
from monitor.core.plan import Plan
from tests.core.stories import Story, agreement, clock, ms, ticket, when
from tests.core.test_subject_laws import CYCLES, END_MS, histories, run


def told(story, now, ticket_id="T-1"):
    row = story.rows.get(b"s" + ticket_id.encode())
    plan = Plan(story.book)
    return [explain(row, one, plan.terms(one), ms(now) if isinstance(now, str) else now) for one in row.clocks]


def stretches(one):
    return [
        " ".join(filter(None, (when(part.start_ms), when(part.end_ms), part.kind, part.reason)))
        for part in one.stretches
    ]


def test_the_stretches_of_a_clock_tell_what_counted_what_was_closed_and_what_was_paused():
    story = Story(agreement(clock(budgets={"P1": ("4h", "office"), "*": "8h"}, calendar="office")))
    story.at("Mon 16:00", ticket("T-1", "opened", priority="P1"))
    story.at("Tue 09:30", ticket("T-1", "paused", reason="customer"))
    story.at("Tue 11:00", ticket("T-1", "resumed", reason="customer"))

    (one,) = told(story, "Tue 12:00")

    assert stretches(one) == [
        "Mon 16:00 Mon 17:00 counted", "Mon 17:00 Tue 09:00 closed", "Tue 09:00 Tue 09:30 counted",
        "Tue 09:30 Tue 11:00 paused customer", "Tue 11:00 Tue 12:00 counted",
    ]  # fmt: skip
    assert (one.elapsed_ms, when(one.due_ms), one.standing) == (
        ms("Mon 02:30") - ms("Mon 00:00"),
        "Tue 13:30",
        "running",
    )
    assert (one.priority, one.target_of, one.calendar) == ("P1", "P1", "office")


def test_a_clock_that_stopped_too_late_tells_when_it_was_due():
    story = Story(agreement(clock(budgets={"*": "1h"})))
    story.at("Mon 09:00", ticket("T-1", "opened", priority="P9")).at("Mon 11:00", ticket("T-1", "resolved"))

    (one,) = told(story, "Tue 09:00")

    assert (one.standing, when(one.due_ms), when(one.stop_ms), one.target_of) == (
        "breached",
        "Mon 10:00",
        "Mon 11:00",
        "*",
    )


def test_an_open_clock_is_at_risk_overdue_or_paused():
    story = Story(agreement(clock(budgets={"*": "4h"}))).at("Mon 09:00", ticket("T-1", "opened"))
    assert [told(story, at)[0].standing for at in ("Mon 10:00", "Mon 12:00", "Mon 13:00")] == [
        "running", "at_risk", "overdue",
    ]  # fmt: skip
    story.at("Mon 10:00", ticket("T-1", "paused"))
    (one,) = told(story, "Mon 18:00")
    assert (one.standing, one.due_ms, stretches(one)[-1]) == ("paused", -1, "Mon 10:00 Mon 18:00 paused")
    story.at("Mon 19:00", ticket("T-1", "cancelled"))
    assert told(story, "Mon 20:00")[0].standing == "cancelled"


def test_the_time_between_a_stop_and_a_reopening_is_told_where_the_cycles_are_summed():
    story = Story(agreement(clock(budgets={"*": "4h"}, cycles="sum")))
    story.at("Mon 09:00", ticket("T-1", "opened")).at("Mon 10:00", ticket("T-1", "resolved"))
    story.at("Mon 15:00", ticket("T-1", "reopened"))

    (one,) = told(story, "Mon 16:00")

    assert stretches(one) == [
        "Mon 09:00 Mon 10:00 counted", "Mon 10:00 Mon 15:00 solved", "Mon 15:00 Mon 16:00 counted",
    ]  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(histories(), CYCLES)
def test_the_stretches_of_any_clock_add_up_to_its_life_and_to_what_has_elapsed(events, cycles):
    story = run([[one] for one in events], cycles)
    for key in [key for key in story.rows if key[:1] == b"s"]:
        for one in told(story, END_MS, key[1:].decode()):
            parts = one.stretches
            assert [part.end_ms for part in parts[:-1]] == [part.start_ms for part in parts[1:]]
            assert sum(part.end_ms - part.start_ms for part in parts) == one.wall_ms
            assert sum(part.end_ms - part.start_ms for part in parts if part.kind == "counted") == one.elapsed_ms
