"""Tickets, from facts to announcements: one story each."""

import pytest

from monitor.core.agreements.measures import Filter
from monitor.core.clocks.clock import is_breached
from monitor.core.facts.events import Event, Fact
from tests.core.stories import Story, agreement, clock, ms, span, ticket, when


def only(story, subject_id):
    (found,) = story.clocks(subject_id)
    return found


class TestOneClock:
    def test_a_ticket_solved_in_time_is_met_and_nothing_is_told(self):
        story = Story(agreement(clock(budgets={"*": "4h"})))

        story.at("Mon 09:00", ticket("T-1", "opened")).at("Mon 10:00", ticket("T-1", "resolved"))

        assert story.told() == []
        assert story.counts(width="quarter") == {"met": 1, "elapsed_ms": span("1h"), "wall_ms": span("1h")}
        assert story.counts() == {}

    def test_a_silent_ticket_breaches_at_its_due_instant_without_any_event(self):
        story = Story(agreement(clock(budgets={"*": "4h"}, at_risk=("50%", "75%", "30m"))))

        story.at("Mon 09:00", ticket("T-1", "opened")).until("Mon 23:00")

        assert story.told() == ["at_risk Mon 11:00", "at_risk Mon 12:00", "at_risk Mon 12:30", "breached Mon 13:00"]
        assert [one.reason for one in story.alerts] == ["elapsed_50", "elapsed_75", "before_due_1800000", "due"]
        assert story.counts() == {"open": 1, "overdue": 1}

    def test_all_announcements_of_a_clock_share_one_key_and_each_has_its_own_id(self):
        story = Story(agreement(clock(at_risk=("50%", "75%"))))

        story.at("Mon 09:00", ticket("T-1", "opened")).at("Mon 15:00", ticket("T-1", "resolved"))

        assert story.told() == ["at_risk Mon 11:00", "at_risk Mon 12:00", "breached Mon 13:00", "resolved Mon 15:00"]
        assert len({one.key for one in story.alerts}) == 1
        assert len({one.id for one in story.alerts}) == 4

    def test_a_stop_at_the_due_instant_is_in_time(self):
        story = Story(agreement(clock(budgets={"*": "4h"}, at_risk=())))

        story.at("Mon 09:00", ticket("T-1", "opened")).at("Mon 13:00", ticket("T-1", "resolved"))

        assert story.told() == []
        assert not is_breached(only(story, "T-1"))

    def test_a_stop_at_the_due_instant_of_a_strict_promise_is_too_late(self):
        story = Story(agreement(clock(budgets={"*": "4h"}, at_risk=(), strict=True)))

        story.at("Mon 09:00", ticket("T-1", "opened")).at("Mon 13:00", ticket("T-1", "resolved"))

        assert story.told() == ["breached Mon 13:00", "resolved Mon 13:00"]
        assert is_breached(only(story, "T-1"))

    def test_friday_half_past_four_plus_an_hour_is_monday_half_past_nine(self):
        story = Story(agreement(clock(budgets={"*": "1h"}, calendar="office")))

        story.at("Fri 16:30", ticket("T-1", "opened"))

        assert when(only(story, "T-1").due_ms) == "Mon+7 09:30"

    def test_solved_after_hours_counts_business_time_and_wall_time(self):
        story = Story(agreement(clock(budgets={"*": "4h"}, calendar="office")))

        story.at("Mon 15:00", ticket("T-1", "opened")).at("Mon 22:00", ticket("T-1", "resolved"))

        assert story.counts(width="quarter") == {"met": 1, "elapsed_ms": span("2h"), "wall_ms": span("7h")}

    def test_a_ticket_without_a_target_for_its_priority_has_no_clock(self):
        story = Story(agreement(clock(budgets={"P1": "1h"})))

        story.at("Mon 09:00", ticket("T-1", "opened", priority="P4")).until("Sun 09:00")

        assert story.clocks("T-1") == []
        assert story.told() == []

    def test_an_answer_that_is_internal_or_automatic_is_no_response(self):
        story = Story(agreement(clock("first_response", {"*": "1h"}, at_risk=())))

        story.at("Mon 09:00", ticket("T-1", "opened"))
        story.at("Mon 09:10", ticket("T-1", "responded", automatic=True))
        story.at("Mon 09:20", ticket("T-1", "responded", public=False))
        assert only(story, "T-1").state == "running"
        story.at("Mon 09:30", ticket("T-1", "responded", public=True))

        assert only(story, "T-1").elapsed_ms == span("30m")

    def test_an_answer_stops_acknowledge_and_first_response_but_not_resolution(self):
        story = Story(agreement(*(clock(metric) for metric in ("acknowledge", "first_response", "resolution"))))

        story.at("Mon 09:00", ticket("T-1", "opened")).at("Mon 09:30", ticket("T-1", "responded"))

        assert [one.state for one in story.clocks("T-1")] == ["stopped", "stopped", "running"]

    def test_resolved_and_closed_both_sent_count_once(self):
        story = Story(agreement(clock()))

        story.at("Mon 09:00", ticket("T-1", "opened")).at("Mon 10:00", ticket("T-1", "resolved"))
        story.at("Mon 12:00", ticket("T-1", "closed"))

        assert story.counts(width="quarter") == {"met": 1, "elapsed_ms": span("1h"), "wall_ms": span("1h")}

    def test_a_cancelled_ticket_counts_nowhere_and_voids_what_was_told(self):
        story = Story(agreement(clock()))

        story.at("Mon 09:00", ticket("T-1", "opened")).at("Mon 12:30", ticket("T-1", "cancelled"))

        assert story.told() == ["at_risk Mon 12:00", "voided Mon 12:30"]
        assert story.counts(width="quarter") == {}
        assert story.counts() == {}


class TestPauses:
    def test_a_paused_clock_has_no_due_instant_and_breaches_later_by_the_pause(self):
        story = Story(agreement(clock(at_risk=())))

        story.at("Mon 09:00", ticket("T-1", "opened")).at("Mon 10:00", ticket("T-1", "paused", reason="customer"))
        assert only(story, "T-1").due_ms == 0
        story.until("Mon 20:00").at("Mon 20:00", ticket("T-1", "resumed")).until("Tue 12:00")

        assert story.told() == ["breached Mon 23:00"]

    def test_overlapping_pauses_count_as_their_union(self):
        """
        customer  |----------------|
        supplier        |--------------------|
        paused    10:00 ............... 14:00
        """
        story = Story(agreement(clock(at_risk=())))

        story.at("Mon 09:00", ticket("T-1", "opened"))
        story.at("Mon 10:00", ticket("T-1", "paused", reason="customer"))
        story.at("Mon 11:00", ticket("T-1", "paused", reason="supplier"))
        story.at("Mon 12:00", ticket("T-1", "resumed", reason="customer"))
        assert only(story, "T-1").state == "paused"
        story.at("Mon 14:00", ticket("T-1", "resumed", reason="supplier"))

        assert when(only(story, "T-1").due_ms) == "Mon 17:00"

    def test_a_reason_that_does_not_pause_changes_nothing_nor_does_its_end(self):
        story = Story(agreement(clock(pause_on=frozenset({"customer"}), at_risk=())))

        story.at("Mon 09:00", ticket("T-1", "opened")).at("Mon 09:10", ticket("T-1", "paused", reason="lunch"))
        assert only(story, "T-1").state == "running"
        story.at("Mon 09:20", ticket("T-1", "paused", reason="customer"))
        story.at("Mon 09:30", ticket("T-1", "resumed", reason="lunch"))

        assert only(story, "T-1").state == "paused"

    def test_direct_paused_to_resolved_ends_the_pause_without_counting_it(self):
        story = Story(agreement(clock()))

        story.at("Mon 09:00", ticket("T-1", "opened")).at("Mon 10:00", ticket("T-1", "paused"))
        story.at("Wed 10:00", ticket("T-1", "resolved"))

        assert only(story, "T-1").elapsed_ms == span("1h")
        assert not is_breached(only(story, "T-1"))

    def test_a_pause_over_a_weekend_is_subtracted_once(self):
        story = Story(agreement(clock(budgets={"*": "4h"}, calendar="office", at_risk=())))

        story.at("Fri 15:00", ticket("T-1", "opened")).at("Fri 16:00", ticket("T-1", "paused"))
        story.at("Mon+7 10:00", ticket("T-1", "resumed"))

        assert when(only(story, "T-1").due_ms) == "Mon+7 13:00"

    def test_a_pause_before_the_ticket_was_created_holds_from_the_start(self):
        story = Story(agreement(clock(at_risk=())))

        story.at("Mon 09:00", ticket("T-1", "opened"), now="Mon 09:01")
        story.at("Mon 08:59", ticket("T-1", "paused"), now="Mon 09:02")

        assert only(story, "T-1").state == "paused"
        assert only(story, "T-1").elapsed_ms == 0

    def test_a_pause_before_the_first_response_pauses_it_like_any_other_promise(self):
        story = Story(agreement(clock("first_response", {"*": "1h"}, at_risk=())))

        story.at("Mon 09:00", ticket("T-1", "opened")).at("Mon 09:30", ticket("T-1", "paused"))
        story.at("Mon 11:30", ticket("T-1", "resumed")).at("Mon 11:50", ticket("T-1", "responded"))

        assert story.told() == []
        assert story.counts("first_response", width="quarter") == {
            "met": 1, "elapsed_ms": span("50m"), "wall_ms": span("2h50m"),
        }  # fmt: skip

    def test_a_pause_that_nobody_ends_is_open_and_paused_and_never_due(self):
        story = Story(agreement(clock(at_risk=())))

        story.at("Mon 09:00", ticket("T-1", "opened")).at("Mon 10:00", ticket("T-1", "paused")).until("Mon+70 09:00")

        assert story.told() == []
        assert story.counts() == {"open": 1, "paused": 1}
        assert only(story, "T-1").elapsed_ms == span("1h")


class TestLateAndOdd:
    def test_a_late_reply_voids_a_breach_that_was_announced(self):
        story = Story(agreement(clock("first_response", {"*": "1h"}, at_risk=())))

        story.at("Mon 09:00", ticket("T-1", "opened")).until("Mon 10:30")
        story.at("Mon 09:45", ticket("T-1", "responded"), now="Mon 10:31")

        assert story.told() == ["breached Mon 10:00", "voided Mon 09:45"]
        assert story.counts("first_response", width="quarter") == {
            "met": 1, "elapsed_ms": span("45m"), "wall_ms": span("45m"),
        }  # fmt: skip
        assert story.counts("first_response") == {}

    def test_a_late_earlier_reply_takes_the_old_measurement_out_of_its_pane(self):
        story = Story(agreement(clock("first_response", {"*": "1h"}, at_risk=())))

        story.at("Mon 09:00", ticket("T-1", "opened")).at("Mon 11:00", ticket("T-1", "responded"))
        story.at("Mon 09:30", ticket("T-1", "responded"), now="Mon 11:05")

        assert story.told() == ["breached Mon 10:00", "resolved Mon 11:00", "voided Mon 09:30"]
        assert story.counts("first_response", width="quarter")["elapsed_ms"] == span("30m")

    def test_a_late_fact_that_does_not_concern_a_breached_clock_leaves_its_breach_alone(self):
        """The acknowledgement at 09:06 arrives at 09:18; the response has been overdue since 09:15."""
        rules = clock("acknowledge", {"*": "10m"}), clock("first_response", {"*": "15m"})
        story = Story(agreement(*rules))

        story.at("Mon 09:00", ticket("T-1", "opened")).until("Mon 09:17")
        story.at("Mon 09:06", ticket("T-1", "acknowledged"), now="Mon 09:18").until("Mon 09:30")

        assert story.told(promise="first_response") == ["at_risk Mon 09:11:15", "breached Mon 09:15"]
        assert story.told(promise="acknowledge")[-1] == "voided Mon 09:06"

    def test_a_late_reply_voids_the_breach_also_when_another_late_fact_came_with_it(self):
        story = Story(agreement(clock("first_response", {"*": "15m"}, at_risk=())))

        story.at("Mon 09:00", ticket("T-1", "opened")).until("Mon 09:17")
        late = [
            Event("ticket", "T-1", Fact(ms(f"Mon {time}"), 0, kind, kind, {}))
            for time, kind in (("09:06", "acknowledged"), ("09:10", "responded"))
        ]
        story.take(story.engine.batch(late, ms("Mon 09:18"), story.book))

        assert story.told() == ["breached Mon 09:15", "voided Mon 09:10"]

    def test_a_stop_before_its_start_is_clamped_to_zero_and_flagged(self):
        story = Story(agreement(clock()))

        story.at("Mon 09:00", ticket("T-1", "opened"), now="Mon 09:10")
        story.at("Mon 08:58", ticket("T-1", "resolved"), now="Mon 09:11")
        story.until("Mon 23:00")

        assert story.counts(width="quarter") == {"met": 1, "flagged": 1}
        assert story.told() == []

    def test_resolved_that_arrives_before_opened_is_an_ordinary_ticket(self):
        story = Story(agreement(clock()))

        story.at("Mon 10:00", ticket("T-1", "resolved")).at("Mon 09:00", ticket("T-1", "opened"), now="Mon 10:05")

        assert story.counts(width="quarter") == {"met": 1, "elapsed_ms": span("1h"), "wall_ms": span("1h")}

    def test_the_same_event_twice_changes_nothing(self):
        story = Story(agreement(clock()))
        opened = ticket("T-1", "opened", id="same")

        story.at("Mon 09:00", opened)
        before = story.row("T-1")
        story.at("Mon 09:00", opened, now="Mon 09:30")

        assert story.row("T-1") == before
        assert story.counts() == {"open": 1}

    def test_a_known_id_with_another_body_is_rejected_and_changes_nothing(self):
        story = Story(agreement(clock()))

        story.at("Mon 09:00", ticket("T-1", "opened", id="same"))
        story.at("Mon 09:30", ticket("T-1", "resolved", id="same"))

        assert story.rejected == ["id_reused"]
        assert only(story, "T-1").state == "running"

    def test_a_reply_in_the_same_second_as_the_reopening_is_ordered_by_its_sequence(self):
        story = Story(agreement(clock()))

        story.at("Mon 09:00", ticket("T-1", "opened"))
        story.at("Mon 10:00", ticket("T-1", "reopened", sequence=3), ticket("T-1", "resolved", sequence=2))

        assert [one.state for one in story.clocks("T-1")] == ["stopped", "running"]

    def test_a_finished_ticket_is_forgotten_after_its_retention(self):
        story = Story(agreement(clock()), retention="7d")

        story.at("Mon 09:00", ticket("T-1", "opened")).at("Mon 10:00", ticket("T-1", "resolved"))
        story.until("Mon+7 09:59")
        assert story.row("T-1") is not None
        story.until("Mon+7 10:00")

        assert story.row("T-1") is None
        assert story.counts(width="day")["met"] == 1

    def test_a_full_ledger_rejects_more_and_keeps_what_it_has(self, monkeypatch):
        monkeypatch.setattr("monitor.core.facts.ledger.MAX_FACTS", 3)
        story = Story(agreement(clock()))

        story.at("Mon 09:00", ticket("T-1", "opened"), ticket("T-1", "updated"), ticket("T-1", "updated"))
        story.at("Mon 09:30", ticket("T-1", "updated"))

        assert story.rejected == ["ledger_full"]
        assert len(story.row("T-1").facts) == 3


class TestPriorityChanges:
    def test_a_raised_priority_counts_from_the_start(self):
        story = Story(agreement(clock(budgets={"P1": "1h", "P4": "8h"}, at_risk=())))

        story.at("Mon 09:00", ticket("T-1", "opened", priority="P4"))
        story.at("Mon 12:00", ticket("T-1", "priority_changed", priority="P1"))

        assert story.told() == ["breached Mon 10:00"]
        assert story.counts(values=("P1",)) == {"open": 1, "overdue": 1}
        assert story.counts(values=("P4",)) == {}

    def test_a_lowered_priority_rearms_what_was_at_risk_and_warns_again_with_a_new_id(self):
        story = Story(agreement(clock(budgets={"P1": "4h", "P4": "8h"})))

        story.at("Mon 09:00", ticket("T-1", "opened", priority="P1")).until("Mon 12:30")
        story.at("Mon 12:30", ticket("T-1", "priority_changed", priority="P4")).until("Mon 16:00")

        assert story.told() == ["at_risk Mon 12:00", "rearmed Mon 12:30", "at_risk Mon 15:00"]
        assert len({one.id for one in story.alerts}) == 3

    def test_a_lowered_priority_rearms_an_announced_breach_visibly(self):
        story = Story(agreement(clock(budgets={"P1": "1h", "P4": "8h"}, at_risk=())))

        story.at("Mon 09:00", ticket("T-1", "opened", priority="P1")).until("Mon 11:00")
        story.at("Mon 11:00", ticket("T-1", "priority_changed", priority="P4")).until("Mon 17:01")

        assert story.told() == ["breached Mon 10:00", "rearmed Mon 11:00", "breached Mon 17:00"]
        assert len({one.id for one in story.alerts}) == 3

    def test_a_priority_changed_twice_while_paused_uses_the_last_one(self):
        story = Story(agreement(clock(budgets={"P1": "1h", "P2": "4h", "P4": "8h"}, at_risk=())))

        story.at("Mon 09:00", ticket("T-1", "opened", priority="P4")).at("Mon 09:30", ticket("T-1", "paused"))
        story.at("Mon 10:00", ticket("T-1", "priority_changed", priority="P1"))
        story.at("Mon 11:00", ticket("T-1", "priority_changed", priority="P2"))
        story.at("Mon 12:00", ticket("T-1", "resumed"))

        assert story.told() == []
        assert when(only(story, "T-1").due_ms) == "Mon 15:30"

    def test_another_calendar_of_the_new_priority_recounts_the_time_so_far(self):
        story = Story(agreement(clock(budgets={"P1": ("10h", "always"), "P4": ("8h", "office")}, at_risk=())))

        story.at("Mon 15:00", ticket("T-1", "opened", priority="P4"))
        story.at("Mon 22:00", ticket("T-1", "priority_changed", priority="P1"))

        assert when(only(story, "T-1").due_ms) == "Tue 01:00"


class TestLabels:
    def test_another_customer_in_mid_life_changes_no_label_of_the_alert_only_its_details(self):
        story = Story(agreement(clock()))

        story.at("Mon 09:00", ticket("T-1", "opened", customer="finance")).until("Mon 12:30")
        story.at("Mon 12:40", ticket("T-1", "updated", customer="hr", service="mail")).until("Mon 14:00")
        story.at("Mon 15:00", ticket("T-1", "resolved"))

        assert [alert.state for alert in story.alerts] == ["at_risk", "breached", "resolved"]
        assert {alert.labels["customer"] for alert in story.alerts} == {"finance"}
        assert not any("service" in alert.labels for alert in story.alerts)
        assert [dict(alert.details) for alert in story.alerts] == [
            {"customer": "finance"}, {"customer": "hr", "service": "mail"}, {"customer": "hr", "service": "mail"},
        ]  # fmt: skip


class TestReopening:
    @pytest.mark.parametrize(
        ("cycles", "expected"),
        [
            ("first", {"met": 1, "elapsed_ms": span("1h"), "wall_ms": span("1h")}),
            ("last", {"met": 1, "elapsed_ms": span("2h"), "wall_ms": span("2h")}),
            ("each", {"met": 2, "elapsed_ms": span("3h"), "wall_ms": span("3h")}),
            ("sum", {"met": 1, "elapsed_ms": span("3h"), "wall_ms": span("5h")}),
        ],
    )
    def test_cycles_count_as_the_promise_says(self, cycles, expected):
        """09-10 open, 10-12 solved, 12-14 open again."""
        story = Story(agreement(clock(budgets={"*": "8h"}, cycles=cycles)))

        story.at("Mon 09:00", ticket("T-1", "opened")).at("Mon 10:00", ticket("T-1", "resolved"))
        story.at("Mon 12:00", ticket("T-1", "reopened")).at("Mon 14:00", ticket("T-1", "resolved"))

        assert story.counts(width="day") == expected

    def test_each_cycle_has_its_own_key(self):
        story = Story(agreement(clock(budgets={"*": "1h"}, at_risk=())))

        story.at("Mon 09:00", ticket("T-1", "opened")).at("Mon 11:00", ticket("T-1", "resolved"))
        story.at("Mon 12:00", ticket("T-1", "reopened")).until("Mon 13:01")

        assert [(one.key.cycle, one.state) for one in story.alerts] == [
            (1, "breached"),
            (1, "resolved"),
            (2, "breached"),
        ]

    def test_a_summed_clock_that_is_overdue_says_so_again_when_it_is_reopened(self):
        story = Story(agreement(clock(budgets={"*": "1h"}, at_risk=(), cycles="sum")))

        story.at("Mon 09:00", ticket("T-1", "opened")).at("Mon 11:00", ticket("T-1", "resolved"))
        story.at("Mon 12:00", ticket("T-1", "reopened")).until("Mon 12:00").at("Mon 13:00", ticket("T-1", "resolved"))

        assert story.told() == ["breached Mon 10:00", "resolved Mon 11:00", "breached Mon 12:00", "resolved Mon 13:00"]
        assert len({one.id for one in story.alerts}) == 4

    def test_a_first_response_is_not_promised_again_by_a_reopening(self):
        story = Story(agreement(clock("first_response", {"*": "1h"})))

        story.at("Mon 09:00", ticket("T-1", "opened")).at("Mon 09:30", ticket("T-1", "resolved"))
        story.at("Mon 12:00", ticket("T-1", "reopened"))

        assert only(story, "T-1").state == "stopped"


class TestAgreements:
    def test_a_draft_binds_nobody(self):
        story = Story(agreement(clock(), status="draft"))

        story.at("Mon 09:00", ticket("T-1", "opened")).until("Tue 09:00")

        assert story.told() == []

    def test_a_draft_amendment_leaves_the_accepted_version_in_force(self):
        draft = agreement(clock(budgets={"*": "1h"}), version=2, status="draft", valid_from=ms("Mon 00:00"))
        story = Story(agreement(clock(at_risk=())), draft)

        story.at("Mon 09:00", ticket("T-1", "opened")).until("Tue 09:00")

        assert story.told() == ["breached Mon 13:00"]

    def test_a_terminated_agreement_covers_what_began_before_its_end(self):
        story = Story(agreement(clock(at_risk=()), status="terminated", terminates_ms=ms("Mon 10:00")))

        story.at("Mon 09:00", ticket("T-1", "opened")).at("Mon 10:00", ticket("T-2", "opened")).until("Tue 09:00")

        assert story.told("T-1") == ["breached Mon 13:00"]
        assert story.told("T-2") == []

    def test_only_subjects_that_it_covers_are_timed(self):
        covers = Filter(any_of=(("customer", frozenset({"finance"})),))
        story = Story(agreement(clock(), covers=covers))

        story.at("Mon 09:00", ticket("T-1", "opened", customer="hr"), ticket("T-2", "opened", customer="finance"))

        assert story.clocks("T-1") == []
        assert len(story.clocks("T-2")) == 1

    def test_a_clock_keeps_the_version_that_held_when_it_started(self):
        first = agreement(clock(budgets={"*": "4h"}, at_risk=()))
        second = agreement(clock(budgets={"*": "1h"}, at_risk=()), version=2, valid_from=ms("Mon 12:00"))
        story = Story(first)

        story.at("Mon 09:00", ticket("T-1", "opened"))
        story.amend(first, second)
        story.sweep("Mon 12:00").at("Mon 12:30", ticket("T-2", "opened")).until("Tue 00:00")

        assert story.told("T-1") == ["breached Mon 13:00"]
        assert story.told("T-2") == ["breached Mon 13:30"]
        assert [one.version for one in story.alerts] == [1, 2]

    def test_an_agreement_that_comes_later_but_held_already_starts_clocks_in_hindsight(self):
        story = Story()

        story.at("Mon 09:00", ticket("T-1", "opened"))
        story.amend(agreement(clock(at_risk=())))
        story.sweep("Mon 10:00").until("Mon 14:00")

        assert story.told() == ["breached Mon 13:00"]
        assert story.counts() == {"open": 1, "overdue": 1}

    def test_an_agreement_taken_back_voids_its_open_announcements(self):
        story = Story(agreement(clock()))

        story.at("Mon 09:00", ticket("T-1", "opened")).until("Mon 12:30")
        story.amend()
        story.sweep("Mon 12:45")

        assert story.told() == ["at_risk Mon 12:00", "voided Mon 12:45"]
        assert story.counts() == {}
