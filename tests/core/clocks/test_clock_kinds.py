"""Clocks that the course of a ticket drives, targets that change on the way, capped pauses: one story each."""

from typing import ClassVar

import pytest

from monitor.core.agreements.measures import Filter
from tests.core.stories import Story, agreement, clock, ms, span, ticket, when


def only(story, subject_id="T-1"):
    (found,) = story.clocks(subject_id)
    return found


def runs(story):
    return [
        (one.cycle, when(one.start_ms), when(one.stop_ms) if one.stop_ms else one.state) for one in story.clocks("T-1")
    ]


def on(rule, **more):
    return Story(agreement(rule, **more))


def told(story):
    return [f"{one.key.cycle} {one.state} {when(one.at_ms)}" for one in story.alerts]


class TestNextResponse:
    RULE = clock("next_response", {"*": "1h"}, at_risk=())

    def test_the_oldest_unanswered_message_counts_and_each_answer_ends_its_cycle(self):
        story = on(self.RULE).at("Mon 09:00", ticket("T-1", "opened")).at("Mon 09:10", ticket("T-1", "responded"))
        story.at("Mon 10:00", ticket("T-1", "customer_replied")).at("Mon 10:30", ticket("T-1", "customer_replied"))
        story.at("Mon 10:45", ticket("T-1", "responded"))
        story.at("Mon 12:00", ticket("T-1", "customer_replied")).at("Mon 13:30", ticket("T-1", "responded"))

        assert runs(story) == [(1, "Mon 10:00", "Mon 10:45"), (2, "Mon 12:00", "Mon 13:30")]
        assert told(story) == ["2 breached Mon 13:00", "2 resolved Mon 13:30"]
        counts = story.counts("next_response", width="day")
        assert (counts["met"], counts["breached"]) == (1, 1)

    def test_what_the_customer_writes_before_the_first_response_belongs_to_that(self):
        story = on(self.RULE).at("Mon 09:00", ticket("T-1", "opened"))

        story.at("Mon 09:05", ticket("T-1", "customer_replied")).until("Mon 23:00")

        assert story.clocks("T-1") == []
        assert story.told() == []

    @pytest.mark.parametrize("kind", ["resolved", "closed"])
    def test_a_solution_is_an_answer(self, kind):
        story = on(self.RULE).at("Mon 09:00", ticket("T-1", "opened")).at("Mon 09:10", ticket("T-1", "responded"))

        story.at("Mon 10:00", ticket("T-1", "customer_replied")).at("Mon 10:30", ticket("T-1", kind))

        assert runs(story) == [(1, "Mon 10:00", "Mon 10:30")]

    @pytest.mark.parametrize("note", [{"public": False}, {"automatic": True}])
    def test_internal_notes_and_automatic_replies_answer_nobody(self, note):
        story = on(self.RULE).at("Mon 09:00", ticket("T-1", "opened")).at("Mon 09:10", ticket("T-1", "responded"))

        story.at("Mon 10:00", ticket("T-1", "customer_replied")).at("Mon 10:30", ticket("T-1", "responded", **note))
        story.until("Mon 11:01")

        assert story.told() == ["breached Mon 11:00"]

    def test_thanks_after_the_solution_start_nothing_but_a_reopening_does(self):
        story = on(self.RULE).at("Mon 09:00", ticket("T-1", "opened")).at("Mon 09:10", ticket("T-1", "resolved"))

        story.at("Mon 10:00", ticket("T-1", "customer_replied"))
        assert story.clocks("T-1") == []
        story.at("Mon 10:01", ticket("T-1", "reopened"))

        assert runs(story) == [(1, "Mon 10:01", "running")]

    def test_a_late_answer_after_an_announced_breach_voids_it_and_the_cycle_that_never_was(self):
        story = on(self.RULE).at("Mon 09:00", ticket("T-1", "opened")).at("Mon 09:10", ticket("T-1", "responded"))
        story.at("Mon 10:00", ticket("T-1", "customer_replied")).until("Mon 11:30")

        story.at("Mon 10:20", ticket("T-1", "responded"), now="Mon 11:31")

        assert told(story) == ["1 breached Mon 11:00", "1 voided Mon 10:20"]

    def test_a_pause_that_is_open_holds_a_cycle_from_its_start(self):
        story = on(self.RULE).at("Mon 09:00", ticket("T-1", "opened")).at("Mon 09:10", ticket("T-1", "responded"))
        story.at("Mon 09:20", ticket("T-1", "paused", reason="supplier"), ticket("T-1", "paused", reason="customer"))
        story.at("Mon 09:30", ticket("T-1", "resumed", reason="customer"))

        story.at("Mon 10:00", ticket("T-1", "customer_replied"))
        assert only(story).state == "paused"
        story.at("Mon 12:00", ticket("T-1", "resumed"))

        assert when(only(story).due_ms) == "Mon 13:00"

    def test_a_pause_that_is_over_holds_nothing(self):
        story = on(clock("next_response", {"*": "1h"}, pause_on=frozenset({"customer"})))
        story.at("Mon 09:00", ticket("T-1", "opened"), ticket("T-1", "paused", reason="lunch"))
        story.at("Mon 09:05", ticket("T-1", "paused", reason="customer"))
        story.at("Mon 09:06", ticket("T-1", "resumed", reason="lunch")).at("Mon 09:10", ticket("T-1", "responded"))
        story.at("Mon 09:30", ticket("T-1", "resumed"))

        story.at("Mon 10:00", ticket("T-1", "customer_replied"))

        assert only(story).state == "running"

    @pytest.mark.parametrize(("cycles", "expected"), [("first", 1), ("last", 1), ("each", 2), ("sum", 1)])
    def test_its_cycles_count_as_the_promise_says(self, cycles, expected):
        story = on(clock("next_response", {"*": "2h"}, cycles=cycles))
        story.at("Mon 09:00", ticket("T-1", "opened")).at("Mon 09:10", ticket("T-1", "responded"))
        for hour in ("10", "11"):
            story.at(f"Mon {hour}:00", ticket("T-1", "customer_replied"))
            story.at(f"Mon {hour}:30", ticket("T-1", "responded"))

        assert story.counts("next_response", width="day")["met"] == expected

    def test_a_cancelled_ticket_is_owed_no_answer(self):
        story = on(self.RULE).at("Mon 09:00", ticket("T-1", "opened")).at("Mon 09:10", ticket("T-1", "responded"))
        story.at("Mon 10:00", ticket("T-1", "customer_replied")).at("Mon 10:10", ticket("T-1", "cancelled"))

        story.at("Mon 10:20", ticket("T-1", "customer_replied")).until("Mon 23:00")

        assert only(story).state == "cancelled"
        assert story.told() == []


class TestPeriodicUpdate:
    RULE = clock("periodic_update", {"*": "2h"}, at_risk=())

    def test_each_public_update_begins_the_next_cycle_and_the_solution_ends_the_last(self):
        story = on(self.RULE).at("Mon 09:00", ticket("T-1", "opened")).at("Mon 10:00", ticket("T-1", "responded"))
        story.at("Mon 10:30", ticket("T-1", "updated")).at("Mon 10:40", ticket("T-1", "responded", public=False))
        story.at("Mon 12:30", ticket("T-1", "updated", public=True)).at("Mon 13:30", ticket("T-1", "resolved"))
        story.until("Tue 09:00")

        assert runs(story) == [
            (1, "Mon 09:00", "Mon 10:00"), (2, "Mon 10:00", "Mon 12:30"), (3, "Mon 12:30", "Mon 13:30"),
        ]  # fmt: skip
        assert told(story) == ["2 breached Mon 12:00", "2 resolved Mon 12:30"]

    def test_words_after_the_solution_begin_nothing_a_reopening_does(self):
        story = on(self.RULE).at("Mon 09:00", ticket("T-1", "opened")).at("Mon 10:00", ticket("T-1", "resolved"))

        story.at("Mon 11:00", ticket("T-1", "responded")).at("Mon 12:00", ticket("T-1", "reopened"))

        assert runs(story) == [(1, "Mon 09:00", "Mon 10:00"), (2, "Mon 12:00", "running")]

    def test_two_updates_of_one_instant_are_two_cycles_that_both_count(self):
        story = on(self.RULE).at("Mon 09:00", ticket("T-1", "opened"))

        story.at("Mon 10:00", *(ticket("T-1", "responded", sequence=one) for one in (1, 2, 3)))

        assert story.counts("periodic_update", width="day")["met"] == 3

    def test_a_cycle_that_a_late_solution_undoes_is_void(self):
        story = on(self.RULE).at("Mon 09:00", ticket("T-1", "opened")).at("Mon 10:00", ticket("T-1", "responded"))
        story.until("Mon 13:00")

        story.at("Mon 09:30", ticket("T-1", "resolved"), now="Mon 13:01")

        assert told(story) == ["2 breached Mon 12:00", "2 voided Mon 09:30"]
        assert story.alerts[-1].reason == "never_began"

    def test_a_cycle_that_was_undone_and_begins_after_all_announces_under_new_ids(self):
        story = on(self.RULE).at("Mon 09:00", ticket("T-1", "opened")).at("Mon 10:00", ticket("T-1", "responded"))
        story.until("Mon 13:00").at("Mon 09:30", ticket("T-1", "resolved"), now="Mon 13:01")

        story.at("Mon 14:00", ticket("T-1", "reopened")).until("Mon 16:01")

        assert told(story) == ["2 breached Mon 12:00", "2 voided Mon 09:30", "2 breached Mon 16:00"]
        assert len({one.id for one in story.alerts}) == 3
        assert story.row("T-1").gone == ()


class TestOwnership:
    RULE = clock("ownership", {"*": "2h"}, by=("team",), at_risk=())

    def test_each_assignment_to_a_team_is_a_cycle_in_the_figures_of_that_team(self):
        story = on(self.RULE).at("Mon 09:00", ticket("T-1", "opened", team="desk"))
        story.at("Mon 09:30", ticket("T-1", "assigned", team="desk"))
        story.at("Mon 10:00", ticket("T-1", "assigned", agent="Kim"), ticket("T-1", "assigned", team="desk"))
        story.at("Mon 10:30", ticket("T-1", "assigned", team="network"))
        story.at("Mon 13:00", ticket("T-1", "assigned", team="desk")).at("Mon 13:30", ticket("T-1", "resolved"))

        assert runs(story) == [
            (1, "Mon 09:30", "Mon 10:30"), (2, "Mon 10:30", "Mon 13:00"), (3, "Mon 13:00", "Mon 13:30"),
        ]  # fmt: skip
        assert story.counts("ownership", ("desk",), "day") == {
            "met": 2, "elapsed_ms": span("1h30m"), "wall_ms": span("1h30m"),
        }  # fmt: skip
        assert story.counts("ownership", ("network",), "day")["breached"] == 1
        assert told(story) == ["2 breached Mon 12:30", "2 resolved Mon 13:00"]

    @pytest.mark.parametrize("where", ["rule", "agreement"])
    def test_only_the_assignments_of_a_team_count_that_has_agreed(self, where):
        network = Filter(any_of=(("team", frozenset({"network"})),))
        story = (
            on(clock("ownership", {"*": "2h"}, where=network))
            if where == "rule"
            else on(clock("ownership", {"*": "2h"}), covers=network)
        )

        story.at("Mon 09:00", ticket("T-1", "opened"), ticket("T-1", "assigned", team="desk"))
        story.at("Mon 10:00", ticket("T-1", "assigned", team="network"))
        story.at("Mon 11:00", ticket("T-1", "assigned", team="desk"))

        assert runs(story) == [(1, "Mon 10:00", "Mon 11:00")]

    def test_a_reopened_ticket_is_the_last_teams_again(self):
        story = on(self.RULE).at("Mon 09:00", ticket("T-1", "opened"), ticket("T-1", "assigned", team="desk"))

        story.at("Mon 10:00", ticket("T-1", "resolved")).at("Mon 12:00", ticket("T-1", "reopened"))

        assert runs(story) == [(1, "Mon 09:00", "Mon 10:00"), (2, "Mon 12:00", "running")]


class TestTimeInStates:
    def test_the_time_in_a_state_counts_from_its_first_entry_and_only_while_it_lasts(self):
        story = on(clock("time_in", {"*": "4h"}, states=frozenset({"waiting:supplier"}), at_risk=()))
        story.at("Mon 09:00", ticket("T-1", "opened")).at("Mon 10:00", ticket("T-1", "paused", reason="supplier"))
        story.at("Mon 11:00", ticket("T-1", "resumed", reason="supplier"))
        assert only(story).state == "paused"
        story.at("Mon 12:00", ticket("T-1", "paused", reason="customer"))
        story.at("Mon 12:30", ticket("T-1", "paused", reason="supplier")).until("Mon 16:00")
        story.at("Mon 16:30", ticket("T-1", "resolved"))

        assert story.told() == ["breached Mon 15:30", "resolved Mon 16:30"]
        assert story.counts("time_in", width="quarter") == {
            "breached": 1, "elapsed_ms": span("5h"), "wall_ms": span("5h"), "overdue_in": 1, "overdue_out": 1,
        }  # fmt: skip

    def test_a_ticket_that_never_was_in_the_state_has_no_clock(self):
        story = on(clock("time_in", {"*": "4h"}, states=frozenset({"waiting"})))

        story.at("Mon 09:00", ticket("T-1", "opened")).at("Mon 10:00", ticket("T-1", "resolved"))

        assert story.clocks("T-1") == []

    def test_a_ticket_may_only_be_resolved_for_so_long_before_it_is_closed(self):
        story = on(clock("time_in", {"*": "4h"}, states=frozenset({"resolved"}), at_risk=()))
        story.at("Mon 09:00", ticket("T-1", "opened")).at("Mon 10:00", ticket("T-1", "resolved"))
        story.at("Mon 11:00", ticket("T-1", "resolved")).at("Mon 12:00", ticket("T-1", "reopened"))
        story.at("Mon 13:00", ticket("T-1", "resolved")).at("Mon 14:00", ticket("T-1", "closed"))

        assert only(story).elapsed_ms == span("3h")
        assert only(story).state == "stopped"

    @pytest.mark.parametrize(
        ("metric", "more", "business", "wall"),
        [
            ("requester_wait", {"pause_on": frozenset({"waiting_for_customer"})}, "7h", "23h"),
            ("agent_work", {}, "5h", "21h"),
            ("resolution_gross", {"cycles": "sum", "pause_on": frozenset()}, "11h", "27h"),
            ("resolution_net", {"cycles": "sum", "pause_on": frozenset()}, "8h", "24h"),
            ("resolution_net", {"cycles": "sum"}, "5h", "24h"),
        ],
    )
    def test_the_ready_made_ones_by_business_time_and_by_the_wall(self, metric, more, business, wall):
        """Mon 09 opened, 10-11 the customer, 14-16 a supplier; solved Tue 09, open again at 12 and solved at once."""
        cycles = {"cycles": "sum", **more}
        story = on(clock(metric, {"*": "40h"}, calendar="office", **cycles))
        story.at("Mon 09:00", ticket("T-1", "opened")).at("Mon 10:00", pause("waiting_for_customer"))
        story.at("Mon 11:00", resume("waiting_for_customer")).at("Mon 11:30", ticket("T-1", "acknowledged"))
        story.at("Mon 14:00", pause("supplier")).at("Mon 16:00", resume("supplier"))
        story.at("Tue 09:00", ticket("T-1", "resolved")).at("Tue 12:00", ticket("T-1", "reopened"))

        story.at("Tue 12:00", ticket("T-1", "resolved", sequence=1))

        one = only(story)
        assert one.elapsed_ms == span(business)
        assert story.counts(metric, width="day")["wall_ms"] == span(wall)

    def test_an_assignment_makes_it_assigned_again_and_an_answer_in_progress(self):
        story = on(clock("time_in", {"*": "4h"}, states=frozenset({"assigned"})))
        story.at("Mon 09:00", ticket("T-1", "opened")).at("Mon 10:00", ticket("T-1", "assigned"))
        story.at("Mon 11:00", ticket("T-1", "responded")).at("Mon 12:00", ticket("T-1", "assigned"))

        story.at("Mon 13:00", ticket("T-1", "cancelled"))

        assert only(story).elapsed_ms == span("2h")

    def test_gross_resolution_that_is_used_up_while_it_seemed_solved_breaches_when_it_is_reopened(self):
        story = on(clock("resolution_gross", {"*": "4h"}, cycles="sum", at_risk=()))
        story.at("Mon 09:00", ticket("T-1", "opened")).at("Mon 10:00", ticket("T-1", "resolved")).until("Mon 15:00")

        story.at("Mon 16:00", ticket("T-1", "reopened")).until("Mon 16:00").at("Mon 17:00", ticket("T-1", "resolved"))

        assert story.told() == ["breached Mon 16:00", "resolved Mon 17:00"]
        assert only(story).elapsed_ms == span("8h")


def pause(reason):
    return ticket("T-1", "paused", reason=reason)


def resume(reason=None):
    return ticket("T-1", "resumed", **({"reason": reason} if reason else {}))


def prioritised(priority):
    return ticket("T-1", "priority_changed", priority=priority)


class TestChangesOnTheWay:
    BUDGETS: ClassVar = {"P1": "2h", "P2": "4h", "P3": "8h", "P4": ("8h", "office")}

    def rule(self, mode, metric="resolution", **more):
        return clock(metric, self.BUDGETS, on_change=mode, **{"at_risk": (), **more})

    @pytest.mark.parametrize(
        ("mode", "due"), [("retroactive", "Mon 13:00"), ("from_change", "Mon 15:00"), ("prorated", "Mon 14:00")]
    )
    def test_a_raised_priority_in_each_mode(self, mode, due):
        """Opened 09:00 with 8 h; after 2 of them the target is 4 h: a quarter of which is used, or all, or none."""
        story = on(self.rule(mode)).at("Mon 09:00", ticket("T-1", "opened", priority="P3"))
        story.at("Mon 11:00", prioritised("P2"))
        story.until("Tue 00:00")

        assert story.told() == [f"breached {due}"]

    @pytest.mark.parametrize(
        ("mode", "due"), [("retroactive", "Mon 15:00"), ("from_change", "Mon 16:00"), ("prorated", "Mon 15:45")]
    )
    def test_a_priority_changed_twice_while_paused_uses_the_last_one_in_each_mode(self, mode, due):
        """1 h of 8 h is used at 10:00, paused until 14:00; P2 (4 h) and P1 (2 h, of which 1/8 is used) on the way."""
        story = on(self.rule(mode)).at("Mon 09:00", ticket("T-1", "opened", priority="P3")).at("Mon 10:00", pause("x"))

        story.at("Mon 11:00", prioritised("P2")).at("Mon 12:00", prioritised("P1"))
        assert story.told() == []
        story.at("Mon 14:00", resume()).until("Tue 00:00")

        assert story.told() == [f"breached {due}"]

    @pytest.mark.parametrize("mode", ["from_change", "prorated"])
    def test_a_breach_that_was_announced_before_the_change_stays_one(self, mode):
        story = on(self.rule(mode)).at("Mon 09:00", ticket("T-1", "opened", priority="P1")).until("Mon 11:30")

        story.at("Mon 11:30", prioritised("P3")).at("Mon 12:00", ticket("T-1", "resolved"))

        assert story.told() == ["breached Mon 11:00", "resolved Mon 12:00"]
        assert story.counts(values=("P3",), width="day")["breached"] == 1

    def test_what_was_at_risk_is_rearmed_visibly_and_warns_again(self):
        story = on(self.rule("from_change", at_risk=("50%",)))
        story.at("Mon 09:00", ticket("T-1", "opened", priority="P2")).until("Mon 11:30")

        story.at("Mon 12:00", prioritised("P3")).until("Mon 20:00").at("Mon 21:00", prioritised("P3"))

        assert story.told() == ["at_risk Mon 11:00", "rearmed Mon 12:00", "at_risk Mon 16:00", "breached Mon 20:00"]
        assert len({one.id for one in story.alerts}) == 4

    def test_all_of_it_told_in_hindsight_is_the_same_story(self):
        story = Story().at("Mon 09:00", ticket("T-1", "opened", priority="P2"))
        story.at("Mon 12:00", prioritised("P3")).at("Mon 21:00", ticket("T-1", "resolved"))

        story.amend(agreement(self.rule("from_change", at_risk=("50%",))))
        story.sweep("Mon 22:00")

        assert story.told() == [
            "at_risk Mon 11:00", "rearmed Mon 12:00", "at_risk Mon 16:00", "breached Mon 20:00", "resolved Mon 21:00",
        ]  # fmt: skip

    def test_prorated_warnings_that_still_hold_are_not_told_again(self):
        story = on(self.rule("prorated", at_risk=("50%", "75%")))
        story.at("Mon 09:00", ticket("T-1", "opened", priority="P3")).until("Mon 13:30")

        story.at("Mon 14:00", prioritised("P2")).until("Mon 16:00")

        assert story.told() == ["at_risk Mon 13:00", "at_risk Mon 14:30", "breached Mon 15:30"]

    def test_time_before_the_change_counts_in_the_calendar_of_then(self):
        """Fri 15:00 with 8 h around the clock: 1 h is used at 16:00; then 8 h of office time, one more on Friday."""
        story = on(self.rule("from_change")).at("Fri 15:00", ticket("T-1", "opened", priority="P3"))
        story.at("Fri 16:00", prioritised("P4"))
        assert when(only(story).due_ms) == "Mon+7 16:00"

        story.at("Mon+7 17:00", ticket("T-1", "resolved"))

        assert story.told() == ["breached Mon+7 16:00", "resolved Mon+7 17:00"]
        assert story.alerts[-1].due_ms == ms("Mon+7 16:00")
        assert only(story).elapsed_ms == span("10h")

    @pytest.mark.parametrize("mode", ["from_change", "prorated"])
    def test_a_priority_without_a_target_changes_nothing_and_the_first_with_one_starts_the_clock(self, mode):
        story = on(self.rule(mode)).at("Mon 09:00", ticket("T-1", "opened", priority="P9"))
        assert story.clocks("T-1") == []

        story.at("Mon 10:00", prioritised("P1")).at("Mon 10:30", prioritised("P9")).until("Mon 13:00")

        assert story.told() == ["breached Mon 12:00"]

    def test_a_solved_ticket_gets_no_clock_by_a_priority(self):
        story = on(self.rule("from_change")).at("Mon 09:00", ticket("T-1", "opened", priority="P9"))

        story.at("Mon 10:00", ticket("T-1", "resolved")).at("Mon 11:00", prioritised("P1"))

        assert story.clocks("T-1") == []

    def test_a_reopened_ticket_begins_with_the_priority_of_then(self):
        story = on(self.rule("from_change")).at("Mon 09:00", ticket("T-1", "opened", priority="P1"))
        story.at("Mon 10:00", ticket("T-1", "resolved")).at("Mon 11:00", prioritised("P2"))

        story.at("Mon 12:00", ticket("T-1", "reopened")).until("Mon 16:01")

        assert told(story) == ["2 breached Mon 16:00"]


class TestCappedPauses:
    CAPS: ClassVar = {
        "pause_on": frozenset({"customer", "supplier", "freeze"}),
        "pause_caps": {"customer": span("2h"), "supplier": span("3h")},
    }

    def story(self, metric="resolution", **more):
        story = on(clock(metric, {"*": "4h"}, at_risk=(), **self.CAPS, **more))
        return story.at("Mon 09:00", ticket("T-1", "opened"))

    def test_beyond_its_cap_a_pause_counts_no_more(self):
        story = self.story().at("Mon 10:00", pause("customer")).until("Mon 11:59")
        assert story.counts() == {"open": 1, "paused": 1}

        story.until("Mon 12:00")
        assert story.counts() == {"open": 1}
        story.until("Mon 23:00")

        assert story.told() == ["breached Mon 15:00"]

    def test_a_pause_that_ends_in_time_is_no_matter_of_its_cap(self):
        story = self.story().at("Mon 10:00", pause("customer")).at("Mon 11:00", resume("customer")).until("Mon 23:00")

        assert story.told() == ["breached Mon 14:00"]

    def test_another_pause_still_holds_and_the_end_of_a_spent_one_is_not_its_end(self):
        story = self.story().at("Mon 10:00", pause("customer")).at("Mon 10:30", pause("freeze")).until("Mon 13:00")
        assert only(story).pauses == ["freeze"]

        story.at("Mon 13:00", pause("customer")).at("Mon 13:30", resume("customer"))
        assert only(story).state == "paused"
        story.at("Mon 14:00", resume("freeze")).until("Mon 23:00")

        assert story.told() == ["breached Mon 17:00"]

    def test_the_end_of_one_pause_leaves_the_cap_of_the_other(self):
        story = self.story().at("Mon 10:00", pause("customer"), pause("supplier")).at("Mon 11:00", resume("customer"))

        assert when(only(story).next_ms) == "Mon 13:00"

    def test_after_its_end_the_same_reason_pauses_anew(self):
        story = self.story().at("Mon 10:00", pause("customer")).until("Mon 12:30").at("Mon 12:30", resume())
        assert only(story).state == "running"

        story.at("Mon 12:31", pause("customer")).until("Mon 13:00")

        assert only(story).state == "paused"

    def test_the_end_of_a_pause_that_arrives_after_its_cap_is_told_from_when_it_was(self):
        story = self.story().at("Mon 10:00", pause("customer")).until("Mon 12:30")

        story.at("Mon 11:00", resume("customer"), now="Mon 12:31").until("Mon 23:00")

        assert story.told() == ["breached Mon 14:00"]

    def test_a_cap_counts_from_the_pause_on_also_where_the_clock_starts_later(self):
        story = self.story("next_response").at("Mon 09:10", ticket("T-1", "responded"), pause("customer"))
        story.at("Mon 10:00", ticket("T-1", "customer_replied"))
        assert (only(story).state, when(only(story).next_ms)) == ("paused", "Mon 11:10")
        story.at("Mon 12:00", ticket("T-1", "responded")).at("Mon 13:00", ticket("T-1", "customer_replied"))

        assert story.clocks("T-1")[1].state == "running"

    def test_a_solved_ticket_has_no_caps_left(self):
        story = self.story(cycles="sum").at("Mon 10:00", pause("customer")).at("Mon 11:00", ticket("T-1", "resolved"))

        story.at("Mon 12:00", ticket("T-1", "reopened")).until("Mon 23:00")

        assert story.told() == ["breached Mon 15:00"]


@pytest.mark.parametrize("mode", ["retroactive", "from_change"])
def test_warnings_whose_order_differs_with_the_budget_are_told_once_each(mode):
    # of 24 h the half comes before "2 h left", of 4 h both come at once
    rule = clock("resolution", {"P1": "4h", "*": "24h"}, at_risk=("50%", "2h"), on_change=mode)
    story = Story(agreement(rule), retention="400d")
    story.at("Mon 00:00", ticket("T-1", "opened", priority="P3")).until("Mon 12:30")
    late = ticket("T-1", "priority_changed", priority="P1", sequence=1)
    story.at("Mon 00:00", late, now="Mon 12:31").until("Mon 13:00")

    ids = [one.id for one in story.alerts]
    assert len(ids) == len(set(ids)) > 1
