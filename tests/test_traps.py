"""The register: each golden value and each trap of the domain, with the tests that prove it.

A row names what is proved; the test below fails if one of its tests is not there (any more). It reads the files of the
tests and runs none of them.
"""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CALENDAR = "tests/core/time/test_calendar.py"
PERIODS = "tests/core/time/test_periods.py"
TICKETS = "tests/core/subjects/test_ticket_stories.py"
INDICATORS = "tests/core/windows/test_indicators.py"
OUTAGES = "tests/core/outages/test_outages.py"
CALLS = "tests/core/calls/test_calls.py"
VERDICTS = "tests/core/objectives/test_verdicts.py"
EVENTS = "tests/wire/test_events.py"
HISTORIES = "tests/core/test_histories_law.py"
RECOMPUTE = "tests/replay/test_recompute.py"
ODD_DATA = "tests/replay/test_odd_data.py"
LANGUAGE = "tests/replay/test_mapping_language.py"
RUNNER = "tests/stream/partitions/test_runner.py"
E2E = "tests/e2e"
DUE_AT = "tests/core/clocks/test_due_at.py"
LIMITS = "tests/core/clocks/test_limits.py"
CONVERSATIONS = "tests/core/calls/test_conversations.py"

GOLDEN = {
    "48 h in 09-21 daily from 2016-11-09 23:00, with no, one and two days closed": (
        f"{CALENDAR}::test_golden_48_hours_in_daily_hours_from_9_to_21",
    ),
    "Friday 16:30 + 1 h in Mon-Fri 09-17 is Monday 09:30": (
        f"{CALENDAR}::test_golden_friday_half_past_four_plus_an_hour_is_monday_half_past_nine",
        f"{TICKETS}::test_friday_half_past_four_plus_an_hour_is_monday_half_past_nine",
    ),
    "elapsed(start, due(start, budget)) == budget": (
        f"{CALENDAR}::test_due_is_the_smallest_instant_with_the_budget_elapsed",
    ),
    "09:00 to 09:00 in the spring change is 23 h": (
        f"{CALENDAR}::test_nine_to_nine_is_23_hours_in_the_spring_change_and_25_in_the_autumn_change",
    ),
    "exactly 4 h 00 m 00 s under 4 h is kept, 1 ms more is broken": (
        f"{LIMITS}::test_golden_exactly_4_h_00_m_00_s_under_4_h_is_kept_and_a_millisecond_more_is_broken",
    ),
    "20,000 ms under 20 s is within": (f"{LIMITS}::test_golden_20_000_ms_under_20_s_is_within",),
    "six service levels: 83.02, 86.00, 81.13, 82.69, 82.08, 81.90 %": (
        f"{INDICATORS}::test_the_six_service_levels_of_the_golden_case",
    ),
    "availability 99.8603 / 99.8611 / 99.7685 %": (
        f"{INDICATORS}::test_availability_of_the_golden_case_under_each_exclusion",
        "tests/core/time/test_timeline.py::test_the_golden_month_with_maintenance_gives_the_three_availabilities",
    ),
    "down 2 of 4 h, 2 of 8 h, the last hour of 24 h": (
        f"{INDICATORS}::test_availability_of_hours_down",
        "tests/core/time/test_timeline.py::test_availability_of_the_golden_periods",
    ),
    "MTBF 900 h and MTTR 100 h are 90 %": (f"{INDICATORS}::test_mtbf_900_h_and_mttr_100_h_are_90_percent",),
    "99.895 % against 99.9 % is a miss": (
        f"{VERDICTS}::test_the_unrounded_value_is_compared",
        "tests/core/outages/test_outage_traps.py::test_99_895_percent_is_shown_as_99_90_and_is_a_miss_against_99_9",
        f"{INDICATORS}::test_a_value_just_below_its_target_is_not_rounded_up_to_it",
    ),
    "99.95 % of 10,080 one-minute slices: 5 min 2.4 s": (
        "tests/core/objectives/test_budget.py::test_99_95_percent_of_10_080_one_minute_slices_is_a_budget_of_5_min_2_4_s",
        "tests/promises/test_budgets.py::test_a_week_is_missed_by_the_sixth_bad_minute_though_99_99_percent_of_its_time_were_up",
    ),
    "one wait of exactly 120 s: longest 120 s, <= 2m kept; 1 ms more is a miss": (
        "tests/promises/test_exact_durations.py::test_one_wait_of_exactly_two_minutes_keeps_two_minutes_and_grants_no_credit",
        "tests/promises/test_exact_durations.py::test_a_millisecond_more_is_a_miss_and_grants_one",
        "tests/core/series/test_durations.py::test_a_percentile_of_exactly_the_target_keeps_it_and_a_millisecond_more_does_not",
    ),
    "burn pairs 14.4, 6, 3 and 1 for 30 d, scaled to other periods": (
        "tests/core/objectives/test_budget.py::test_the_usual_pairs_of_30_days",
        "tests/core/objectives/test_budget.py::test_for_another_period_the_windows_are_scaled_with_it",
    ),
    "100 leads, 5 customers at $800: close rate 5 %, $4,000": (
        "tests/core/leads/test_leads.py::test_golden_100_leads_5_customers_at_800_dollars_close_rate_5_percent_4000_dollars",
    ),
    "leads needed are rounded up once, at the end": (
        "tests/core/leads/test_lead_goal.py::test_it_is_rounded_up_once_at_the_end",
    ),
    "48 h for 100 of 100 customers from 31 December 23:00: all of it in December": (
        "tests/core/outages/test_interruptions.py::test_golden_an_outage_over_new_year_counts_whole_in_december",
        "tests/promises/test_outages.py::test_an_interruption_over_new_year_is_stated_whole_in_december_and_january_has_none",
    ),
    "SAIDI, SAIFI, CAIDI, ASAI": (
        "tests/core/outages/test_interruptions.py::test_saidi_saifi_caidi_and_asai_of_a_worked_example",
        "tests/core/outages/test_interruptions.py::test_stepwise_restoration_integrates_customers_over_time",
    ),
    "AHT = (talk + hold + wrap-up) / handled": (
        f"{CONVERSATIONS}::test_the_average_handle_time_is_talk_and_hold_and_wrap_up_over_handled",
    ),
    "FCR: provisional until the end + W, then confirmed": (
        "tests/core/calls/test_repeats.py::test_a_call_is_provisional_until_its_end_plus_w_and_confirmed_from_then_on",
        f"{CONVERSATIONS}::test_first_call_resolution_by_flag_is_gross_and_net_of_what_the_first_level_could_not_solve",
    ),
    "a cohort is stated when it can be judged, whole and once": (
        "tests/promises/test_leads.py::test_a_months_cohort_is_stated_whole_once_it_can_be_judged",
        "tests/core/windows/test_cohorts.py::test_a_month_is_provisional_until_the_last_span_that_began_in_it_is_over_and_then_stated_whole",
        "tests/promises/test_leads.py::test_a_matured_close_rate_is_of_all_leads_created_in_the_month_also_of_those_won_after_it",
    ),
    "TAT: received to delivered": (f"{CONVERSATIONS}::test_turnaround_is_from_received_to_delivered",),
    "who joined mid-month has a shorter period": (
        "tests/core/outages/test_outage_traps.py::test_a_service_that_began_in_the_middle_of_a_period_has_a_shorter_one",
    ),
    "termination right, and the warning one miss before": (
        "tests/core/objectives/test_consequences.py::test_three_misses_in_any_six_months_let_the_customer_terminate_and_the_second_warns",
    ),
    "credits by the unrounded indicator, in decimals, capped": (
        "tests/core/objectives/test_consequences.py::test_the_tier_is_that_of_the_unrounded_figure",
        "tests/core/objectives/test_consequences.py::test_amounts_are_decimals_rounded_half_up_once",
        "tests/core/objectives/test_consequences.py::test_credits_are_capped_by_month_and_over_the_term",
    ),
    "damages: once, by the hour, by the case, capped; in decimals, rounded once": (
        "tests/core/objectives/test_damages.py::test_hours_beyond_the_target_are_exact_parts_of_an_hour",
        "tests/core/objectives/test_damages.py::test_damages_are_rounded_half_up_once",
        "tests/promises/test_budgets.py::test_damages_are_due_once_by_the_hour_and_by_the_case_up_to_their_caps_and_a_blackout_ends_it_at_once",
    ),
    "the right to terminate at once after a named breach, and its end": (
        "tests/core/objectives/test_breaches.py::test_a_month_below_the_bound_gives_the_right_at_once_with_its_evidence",
        "tests/core/windows/test_consequence_stories.py::test_a_named_breach_is_announced_as_a_right_at_once_and_ends_with_the_time_to_use_it",
    ),
    "N business days by HH:MM": (
        "tests/core/time/test_business_days.py::test_n_business_days_by_five_are_counted_from_the_day_of_receipt",
        "tests/core/time/test_business_days.py::test_the_oracle_that_walks_the_days_finds_the_same_instant",
    ),
    "percentiles of sketches within 1 %": (
        "tests/core/series/test_sketch.py::test_the_stated_error_keeps_the_promise_of_one_percent",
    ),
}

TRAPS = {
    "a first start through a long backlog states all periods": (
        "tests/stream/agents/test_backlog.py::test_a_first_start_through_a_long_backlog_states_all_of_it",
        "tests/core/test_statements_law.py::test_law_a_replay_a_worker_from_the_start_and_one_with_long_stops_state_the_same",
    ),
    "an agreement that ended before it was first evaluated": (
        "tests/core/windows/test_amended_periods.py::test_an_agreement_that_ended_is_stated_up_to_its_end_whenever_it_is_first_evaluated",
    ),
    "an amendment in the month": (
        "tests/core/windows/test_amended_periods.py::test_each_version_judges_the_time_in_which_it_held",
        "tests/core/windows/test_amended_periods.py::test_each_part_is_credited_by_its_own_tiers_and_by_its_part_of_its_own_fee",
    ),
    "months without an event leave no gap": (
        "tests/core/windows/test_statements.py::test_months_without_an_event_are_stated_for_a_year_and_leave_no_gap",
    ),
    "DST: 23 h and 25 h days": (
        f"{PERIODS}::test_a_day_in_which_the_clock_changes_has_23_or_25_hours",
        f"{CALENDAR}::test_a_day_around_the_clock_is_as_long_as_the_clocks_make_it",
    ),
    "Lord Howe's half hour": (
        f"{PERIODS}::test_lord_howe_days_differ_by_half_an_hour",
        f"{CALENDAR}::test_the_oracle_agrees_minute_by_minute_where_lord_howe_turns_its_clocks",
    ),
    "nonexistent and repeated local times": (
        f"{CALENDAR}::test_nonexistent_local_times_are_read_by_no_instant",
        f"{CALENDAR}::test_repeated_local_times_are_open_at_both_readings",
    ),
    "a month is measured in its zone": (f"{PERIODS}::test_months_with_a_clock_change_differ_by_an_hour",),
    "a holiday in another zone than the schedule": (
        f"{CALENDAR}::test_a_holiday_in_another_zone_than_the_schedule_closes_that_zones_day",
    ),
    "partial holidays": (
        f"{CALENDAR}::test_a_partial_holiday_leaves_open_what_of_the_hours_lies_in_it",
        f"{CALENDAR}::test_a_partial_holiday_of_another_zone_is_open_in_the_hours_of_that_zone",
    ),
    "a holiday over midnight": (
        f"{CALENDAR}::test_a_holiday_over_midnight_cuts_the_shift_into_it_and_not_the_morning_after",
    ),
    "24x7 as a type": (f"{CALENDAR}::test_24x7_is_a_type_whose_elapsed_is_the_plain_difference",),
    "24:00": (f"{CALENDAR}::test_24_00_is_the_end_of_the_day",),
    "overlapping, nested, same-minute pauses": (
        "tests/core/time/test_timeline.py::test_overlapping_nested_and_same_minute_pauses_count_once",
        f"{TICKETS}::test_overlapping_pauses_count_as_their_union",
    ),
    "open pauses": (f"{TICKETS}::test_a_pause_that_nobody_ends_is_open_and_paused_and_never_due",),
    "pause across a holiday": (f"{CALENDAR}::test_a_pause_across_a_holiday_takes_only_open_time_away",),
    "pause before the first response": (
        f"{TICKETS}::test_a_pause_before_the_first_response_pauses_it_like_any_other_promise",
    ),
    "direct paused to resolved": (f"{TICKETS}::test_direct_paused_to_resolved_ends_the_pause_without_counting_it",),
    "stop before start: clamp, count, flag": (
        f"{TICKETS}::test_a_stop_before_its_start_is_clamped_to_zero_and_flagged",
        f"{CALENDAR}::test_a_stop_before_the_start_has_elapsed_nothing",
        f"{CALLS}::test_answered_before_queued_is_a_skewed_clock_clamped_and_flagged",
        f"{OUTAGES}::test_a_stop_before_the_start_is_clamped_to_it_and_flagged",
    ),
    "reopen and reply in the same second: sequence": (
        f"{TICKETS}::test_a_reply_in_the_same_second_as_the_reopening_is_ordered_by_its_sequence",
    ),
    "resolved and closed both sent": (f"{TICKETS}::test_resolved_and_closed_both_sent_count_once",),
    "a stop of the due instant that arrives late: void": (
        f"{LIMITS}::test_a_stop_of_the_due_instant_that_arrives_after_the_breach_was_told_voids_it",
    ),
    "a due instant of the record that is moved, late or after the stop": (
        f"{DUE_AT}::test_a_move_that_arrives_late_takes_back_what_it_disproves",
        f"{DUE_AT}::test_what_was_due_when_it_stopped_decides_and_a_later_change_does_not",
    ),
    "hours that close with the due instant": (
        f"{LIMITS}::test_where_hours_close_with_the_due_instant_the_promise_is_broken_when_they_open_again",
        f"{LIMITS}::test_a_period_that_ends_in_that_night_does_not_count_it_as_overdue",
    ),
    "late reply after an announced breach: void": (
        f"{TICKETS}::test_a_late_reply_voids_a_breach_that_was_announced",
        f"{RECOMPUTE}::test_a_late_event_that_disproves_an_announced_breach_is_a_difference_and_its_cause",
    ),
    "resolve before open": (f"{TICKETS}::test_resolved_that_arrives_before_opened_is_an_ordinary_ticket",),
    "pause before create": (f"{TICKETS}::test_a_pause_before_the_ticket_was_created_holds_from_the_start",),
    "same event id with another body": (
        f"{TICKETS}::test_a_known_id_with_another_body_is_rejected_and_changes_nothing",
    ),
    "priority change twice while paused": (
        f"{TICKETS}::test_a_priority_changed_twice_while_paused_uses_the_last_one",
        "tests/core/clocks/test_clock_kinds.py::test_a_priority_changed_twice_while_paused_uses_the_last_one_in_each_mode",
    ),
    "agreement amended while clocks run": (
        f"{TICKETS}::test_a_clock_keeps_the_version_that_held_when_it_started",
        "tests/core/agreements/test_levels.py::test_agreement_amended_while_clocks_run_leaves_what_was_judged_on_each_level",
        f"{E2E}/test_agreements.py::test_a_running_worker_follows_new_versions_and_keeps_its_word_on_what_began_before",
    ),
    "calendar without open time": (f"{CALENDAR}::test_a_calendar_without_open_time_is_refused",),
    "budget absent: no clock": (f"{TICKETS}::test_a_ticket_without_a_target_for_its_priority_has_no_clock",),
    "budget 0: never NaN": (f"{CALENDAR}::test_an_empty_budget_is_due_at_the_start_also_in_closed_time",),
    "idle night: the deadline still fires": (
        f"{TICKETS}::test_a_silent_ticket_breaches_at_its_due_instant_without_any_event",
        "tests/stream/partitions/test_worker.py::test_a_deadline_fires_on_a_partition_without_traffic",
    ),
    "restart after an hour: no false breach, no storm": (
        f"{E2E}/test_watching.py::test_a_restart_after_an_idle_night_tells_what_came_due_once_and_marks_it_as_history",
        "tests/e2e/test_sources.py::test_after_a_stop_no_breach_is_told_that_the_backlog_of_webhooks_disproves",
        "tests/core/paging/test_paging.py::test_what_is_marked_backfill_pages_nobody",
        f"{RUNNER}::test_a_thawed_process_asks_for_the_end_and_announces_nothing_that_the_backlog_may_disprove",
    ),
    "overlapping outages, child and parent": (
        "tests/core/outages/test_outage_traps.py::test_a_child_of_a_counted_outage_adds_no_failure_and_no_downtime",
        f"{INDICATORS}::test_overlapping_outages_and_parent_and_child_count_once",
    ),
    "an outage of which no event names the customers, counted as one of nobody": (
        "tests/promises/test_outages.py::test_an_outage_of_unknown_customers_keeps_no_promise_until_an_event_names_them",
        f"{VERDICTS}::test_a_figure_that_lacks_something_keeps_no_promise_and_misses_one_only_where_it_can_only_be_worse",
    ),
    "maintenance announced after the fact": (
        f"{INDICATORS}::test_maintenance_announced_after_the_fact_or_too_late_excuses_nothing",
        f"{OUTAGES}::test_maintenance_announced_after_the_fact_excuses_nothing",
    ),
    "callback": (f"{CALLS}::test_a_requested_callback_is_no_abandon_though_the_customer_hangs_up",),
    "flow-out": (f"{CALLS}::test_a_flow_out_is_an_outcome_of_its_own_and_no_abandon",),
    "re-queue": (f"{CALLS}::test_a_requeue_after_a_flow_out_waits_on_with_the_total_wait",),
    "within T is <=": (f"{CALLS}::test_within_t_includes_t",),
    "a call waiting beyond T is a miss": (
        f"{CALLS}::test_a_call_still_waiting_beyond_t_is_a_miss_from_the_crossing_on",
    ),
    "nothing offered: absent": (
        f"{INDICATORS}::test_every_indicator_comes_out_with_its_unit_and_is_absent_where_nothing_was_offered",
    ),
    "averages of averages": (f"{INDICATORS}::test_the_mean_is_of_sums_and_never_of_averages",),
    "100 % target": (
        f"{VERDICTS}::test_a_100_percent_target_breaches_at_the_first_bad_event_however_small_the_sample",
    ),
    "burn compared unrounded": ("tests/core/objectives/test_budget.py::test_burn_rates_are_compared_unrounded",),
    "alert labels never change": (
        "tests/wire/test_announcements.py::test_labels_hold_nothing_that_changes_during_the_alerts_life",
        "tests/notify/test_laws.py::test_trigger_update_and_resolve_have_one_key_and_the_same_labels",
        f"{TICKETS}::test_another_customer_in_mid_life_changes_no_label_of_the_alert_only_its_details",
    ),
    "PagerDuty key of at most 255 characters": (
        "tests/notify/test_laws.py::test_every_payload_is_valid_and_within_the_limits",
        "tests/notify/test_laws.py::test_what_identifies_still_does_so_after_it_is_cut",
    ),
    "customers with slashes, quotes, emoji": (
        f"{EVENTS}::test_odd_customers_come_through_unchanged",
        f"{VERDICTS}::test_values_with_separators_in_them_are_not_confused",
        "tests/test_hostile_customers.py::test_odd_customers_keep_their_figures_apart",
    ),
    "a customer of 10 kB": (f"{EVENTS}::test_a_customer_of_ten_kilobytes",),
    "years 1900 and 9999": (
        f"{EVENTS}::test_an_absurd_instant",
        f"{CALENDAR}::test_years_1900_and_9999_are_refused_at_once",
    ),
    "a ticket that was closed and never opened, or before it was opened": (
        f"{ODD_DATA}::test_a_ticket_that_was_closed_and_never_opened_is_told_and_counted",
        f"{ODD_DATA}::test_a_ticket_that_was_closed_before_it_was_opened_is_told_and_keeps_no_promise_in_0_s",
    ),
    "a shuffled log, and rows that came twice": (
        f"{ODD_DATA}::test_a_shuffled_file_says_what_the_file_in_order_says",
        f"{ODD_DATA}::test_rows_that_came_twice_count_once_though_nothing_numbers_them",
    ),
    "a component that fails twice has two outages": (f"{LANGUAGE}::test_a_component_that_fails_twice_has_two_outages",),
    "a restoration that still names the customers of the beginning ends nothing": (
        "tests/replay/test_never_ends.py::test_a_restoration_that_names_what_was_down_at_the_beginning_is_warned_of",
    ),
    "a shift past midnight": (f"{LANGUAGE}::test_a_time_of_day_before_the_beginning_is_past_midnight",),
    "a text that makes a regular expression run for ever": (
        f"{LANGUAGE}::test_a_hostile_text_costs_a_pattern_no_more_than_its_length",
    ),
    "an empty time written as the epoch": (f"{EVENTS}::test_an_absurd_instant",),
    "seconds sent as milliseconds": (f"{EVENTS}::test_seconds_where_milliseconds_belong",),
    "any order, copies, batches, restarts: the same verdicts and alert ids": (
        f"{HISTORIES}::test_copies_batches_partitions_interleavings_and_restarts_change_nothing_at_all",
        f"{HISTORIES}::test_any_order_within_the_allowed_lateness_gives_the_same_rows_figures_statements_and_verdicts",
    ),
}


@cache
def names_in(file: str) -> frozenset[str]:
    """The names of a file's tests, those of classes among them."""
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    return frozenset(one.name for one in ast.walk(tree) if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef))


@pytest.mark.parametrize("what", [*GOLDEN, *TRAPS])
def test_each_golden_value_and_each_trap_has_the_tests_that_it_names(what: str):
    proofs = {**GOLDEN, **TRAPS}[what]
    assert proofs
    for proof in proofs:
        file, _, name = proof.partition("::")
        assert (ROOT / file).exists(), proof
        assert name in names_in(file), proof
