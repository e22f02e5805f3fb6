"""Why a clock stands as it does: its stretches follow each other and add up."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.agreements.agreement import Origin
from monitor.core.agreements.measures import Budget
from monitor.core.alerts.stretches import MOST_TOLD, Stretch, Stretches, newest
from monitor.core.clocks.terms import Plan
from monitor.core.subjects.explanation import explain
from monitor.core.time.calendar import Calendar
from monitor.core.time.opening_hours import CalendarSpec
from tests.core.stories import ALWAYS, MONDAY_MS, Story, agreement, clock, ms, ticket, when
from tests.core.subjects.test_subject_laws import CYCLES, END_MS, histories, run


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
    assert [told(story, at)[0].standing for at in ("Mon 10:00", "Mon 13:00", "Mon 13:00:01")] == [
        "running", "at_risk", "overdue",
    ]  # fmt: skip
    story.at("Mon 10:00", ticket("T-1", "paused"))
    (one,) = told(story, "Mon 18:00")
    assert (one.standing, one.due_ms, stretches(one)[-1]) == ("paused", None, "Mon 10:00 Mon 18:00 paused")
    story.at("Mon 19:00", ticket("T-1", "cancelled"))
    assert told(story, "Mon 20:00")[0].standing == "cancelled"


def test_a_stray_reopening_in_a_pause_leaves_the_rest_of_it_a_pause():
    story = Story(agreement(clock(budgets={"*": "4h"}))).at("Mon 09:00", ticket("T-1", "opened"))
    story.at("Mon 10:00", ticket("T-1", "paused", reason="customer")).at("Mon 11:00", ticket("T-1", "reopened"))
    story.at("Mon 12:00", ticket("T-1", "resumed"))

    (one,) = told(story, "Mon 12:30")

    assert stretches(one) == [
        "Mon 09:00 Mon 10:00 counted", "Mon 10:00 Mon 12:00 paused customer", "Mon 12:00 Mon 12:30 counted",
    ]  # fmt: skip


@pytest.mark.parametrize(("stop", "standing"), [("Mon 10:00", "met"), ("Mon 13:00", "met"), ("Mon 14:00", "breached")])
def test_a_clock_that_was_stopped_says_when_it_was_due_also_where_it_was_met(stop, standing):
    story = Story(agreement(clock(budgets={"*": "4h"}))).at("Mon 09:00", ticket("T-1", "opened"))
    story.at(stop, ticket("T-1", "resolved"))

    (one,) = told(story, "Tue 09:00")

    assert (one.standing, one.due_ms) == (standing, ms("Mon 13:00"))


def test_the_time_between_a_stop_and_a_reopening_is_told_where_the_cycles_are_summed():
    story = Story(agreement(clock(budgets={"*": "4h"}, cycles="sum")))
    story.at("Mon 09:00", ticket("T-1", "opened")).at("Mon 10:00", ticket("T-1", "resolved"))
    story.at("Mon 15:00", ticket("T-1", "reopened"))

    (one,) = told(story, "Mon 16:00")

    assert stretches(one) == [
        "Mon 09:00 Mon 10:00 counted", "Mon 10:00 Mon 15:00 solved", "Mon 15:00 Mon 16:00 counted",
    ]  # fmt: skip


def test_a_holiday_is_told_by_its_name_between_what_is_closed_anyway():
    story = Story(with_holidays(clock(budgets={"*": ("8h", "office")}), {"Tue": "Founders' day", "Wed": ""}))
    story.at("Mon 16:00", ticket("T-1", "opened"))

    (one,) = told(story, "Thu 10:00")

    assert stretches(one) == [
        "Mon 16:00 Mon 17:00 counted", "Mon 17:00 Tue 00:00 closed", "Tue 00:00 Wed 00:00 holiday Founders' day",
        "Wed 00:00 Thu 00:00 holiday", "Thu 00:00 Thu 09:00 closed", "Thu 09:00 Thu 10:00 counted",
    ]  # fmt: skip
    assert stretches(told(story, "Tue 12:00")[0])[-1] == "Tue 00:00 Tue 12:00 holiday Founders' day"


def with_holidays(rule, names):
    days = {datetime.fromtimestamp(ms(f"{day} 12:00") / 1000, UTC).date(): name for day, name in names.items()}
    office = Calendar(
        CalendarSpec(zone="UTC", hours=(((540, 1020),),) * 5 + ((), ()), holidays=frozenset(days), names=days)
    )
    return replace(agreement(rule), calendars={"always": ALWAYS, "office": office})


def test_overlapping_and_nested_pauses_are_told_with_the_reasons_that_hold():
    story = Story(agreement(clock(budgets={"*": "8h"}, pause_on=frozenset({"customer", "supplier"}))))
    story.at("Mon 09:00", ticket("T-1", "opened"))
    story.at("Mon 10:00", ticket("T-1", "paused", reason="customer"))
    story.at("Mon 10:30", ticket("T-1", "paused", reason="lunch"))  # pauses nothing
    story.at("Mon 11:00", ticket("T-1", "paused", reason="supplier"))
    story.at("Mon 11:10", ticket("T-1", "resumed", reason="lunch"))
    story.at("Mon 12:00", ticket("T-1", "resumed", reason="customer"))
    story.at("Mon 13:00", ticket("T-1", "resumed", reason="supplier"))

    assert stretches(told(story, "Mon 14:00")[0]) == [
        "Mon 09:00 Mon 10:00 counted", "Mon 10:00 Mon 11:00 paused customer",
        "Mon 11:00 Mon 12:00 paused customer, supplier", "Mon 12:00 Mon 13:00 paused supplier",
        "Mon 13:00 Mon 14:00 counted",
    ]  # fmt: skip


def test_a_ticket_that_is_solved_while_it_is_paused_is_paused_and_then_solved_until_it_is_reopened():
    story = Story(agreement(clock(budgets={"*": "8h"}, cycles="sum")))
    for at, kind in (("09:00", "opened"), ("10:00", "paused"), ("12:00", "resolved"), ("15:00", "reopened")):
        story.at(f"Mon {at}", ticket("T-1", kind))

    assert stretches(told(story, "Mon 16:00")[0]) == [
        "Mon 09:00 Mon 10:00 counted", "Mon 10:00 Mon 12:00 paused", "Mon 12:00 Mon 15:00 solved",
        "Mon 15:00 Mon 16:00 counted",
    ]  # fmt: skip


def test_a_pause_before_the_ticket_was_opened_is_told_with_its_reason():
    story = Story(agreement(clock(budgets={"*": "8h"})))
    story.at("Mon 09:00", ticket("T-1", "paused", reason="customer")).at("Mon 10:00", ticket("T-1", "opened"))
    story.at("Mon 11:00", ticket("T-1", "resumed"))

    assert stretches(told(story, "Mon 12:00")[0]) == [
        "Mon 10:00 Mon 11:00 paused customer", "Mon 11:00 Mon 12:00 counted",
    ]  # fmt: skip


def test_a_pause_of_a_later_cycle_is_its_own():
    story = Story(agreement(clock(budgets={"*": "8h"}, cycles="each")))
    story.at("Mon 09:00", ticket("T-1", "opened")).at("Mon 10:00", ticket("T-1", "paused", reason="old"))
    story.at("Mon 11:00", ticket("T-1", "resolved")).at("Mon 12:00", ticket("T-1", "reopened"))
    story.at("Mon 13:00", ticket("T-1", "paused", reason="new"))

    assert [stretches(one) for one in told(story, "Mon 14:00")] == [
        ["Mon 09:00 Mon 10:00 counted", "Mon 10:00 Mon 11:00 paused old"],
        ["Mon 12:00 Mon 13:00 counted", "Mon 13:00 Mon 14:00 paused new"],
    ]


def test_a_target_in_business_days_is_told_in_its_words_with_its_origin():
    rule = replace(clock(), budgets={"*": Budget(0, "office", 2, 17 * 60)})
    story = Story(agreement(rule)).at("Fri 10:00", ticket("T-1", "opened"))

    (one,) = told(story, "Fri 11:00")

    assert (one.target, one.origin) == (Budget(0, "office", 2, 17 * 60), Origin("desk", 1, ""))
    assert (one.budget_ms, when(one.due_ms)) == (23 * 3_600_000, "Tue+7 17:00")


def test_a_breach_carries_what_its_elapsed_time_is_made_of():
    story = Story(with_holidays(clock(budgets={"*": ("2h", "office")}, at_risk=()), {"Tue": "Founders' day"}))
    story.at("Mon 16:00", ticket("T-1", "opened")).at("Mon 16:15", ticket("T-1", "paused", reason="customer"))
    story.at("Mon 16:30", ticket("T-1", "resumed", reason="customer")).until("Wed 10:16")

    (breach,) = story.alerts

    assert [f"{when(one.start_ms)} {one.kind} {one.reason}".strip() for one in breach.stretches.newest] == [
        "Mon 16:00 counted", "Mon 16:15 paused customer", "Mon 16:30 counted", "Mon 17:00 closed",
        "Tue 00:00 holiday Founders' day", "Wed 00:00 closed", "Wed 09:00 counted",
    ]  # fmt: skip
    assert breach.stretches.newest[-1].end_ms == breach.at_ms == breach.due_ms + 1


def test_an_alert_stays_small_however_long_its_clock_has_lived():
    story = Story(agreement(clock(budgets={"*": ("800h", "office")}, at_risk=())))
    story.at("Mon 09:00", ticket("T-1", "opened")).until("Tue+140 09:01")

    (breach,) = story.alerts
    told = breach.stretches

    assert len(told.newest) == MOST_TOLD
    assert told.left_out == 101 + 100 - MOST_TOLD
    assert told.left_out_ms == told.newest[0].start_ms - breach.start_ms
    counted = sum(one.end_ms - one.start_ms for one in told.newest if one.kind == "counted")
    assert told.left_out_counted_ms + counted == breach.elapsed_ms


def test_the_newest_of_few_stretches_are_all_of_them():
    parts = [Stretch(0, 5, "counted"), Stretch(5, 9, "closed")]

    assert newest(parts, 2) == Stretches(tuple(parts))
    assert newest(parts, 1) == Stretches((parts[1],), 1, 5, 5)
    assert newest([]) == Stretches(())


def test_a_reason_of_ten_thousand_characters_is_cut():
    (told,) = newest([Stretch(0, 5, "paused", "é" * 10_000)]).newest

    assert told.reason == "é" * 79 + "…"
    assert newest([Stretch(0, 5, "paused", "é" * 80)]).newest[0].reason == "é" * 80


@settings(max_examples=100, deadline=None)
@given(histories(), CYCLES, st.data())
def test_the_stretches_of_any_alert_add_up_whatever_the_order_of_arrival(events, cycles, data):
    story = run([[one] for one in data.draw(st.permutations(events))], cycles)
    for alert in story.alerts:
        newest, _, left_out_ms, counted_ms = alert.stretches
        assert [one.end_ms for one in newest[:-1]] == [one.start_ms for one in newest[1:]]
        counted = sum(one.end_ms - one.start_ms for one in newest if one.kind == "counted")
        assert counted + counted_ms == alert.elapsed_ms
        if alert.reason == "due" or alert.state == "at_risk":
            # What is told only now, after its clock was stopped, tells all of its life.
            assert left_out_ms + sum(one.end_ms - one.start_ms for one in newest) >= alert.at_ms - alert.start_ms


@settings(max_examples=100, deadline=None)
@given(histories(), CYCLES, st.data())
def test_no_batch_boundary_or_repetition_changes_an_alert_with_its_stretches(events, cycles, data):
    straight = run([[one] for one in events], cycles)

    repeated = sorted([*events, *data.draw(st.lists(st.sampled_from(events)))], key=lambda one: one.fact[:3])
    cuts = sorted(data.draw(st.sets(st.integers(1, len(repeated)), max_size=4)) | {len(repeated)})
    again = run([repeated[start:end] for start, end in zip([0, *cuts], cuts, strict=False)], cycles)

    def by_id(story):
        return {one.id: (one.elapsed_ms, one.stretches) for one in story.alerts}

    assert by_id(again) == by_id(straight)
    assert all(one.start_ms >= MONDAY_MS for one in again.alerts)


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
