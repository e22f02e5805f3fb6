"""Every metric, declared once: the exporter, the dashboards and the documents take it from here.

Those of the monitor's own health are declared in `own`.

Names follow Prometheus' rules (base units, ``_total`` only for counters) and pass ``promtool check metrics``. Label
values come from agreements, configuration and closed sets of words; the attributes of the series are bounded by the
agreements' ``by`` and, at last, by `MAX_SERIES`. No label ever holds the id of a ticket, call, outage or lead.
"""

from __future__ import annotations

from typing import Final

from monitor.metrics.declaring import BUDGET, CREDITS, OBJECTIVE, SERIES, SPREAD, WINDOWED, declared
from monitor.metrics.declaring import counter as _counter
from monitor.metrics.declaring import gauge as _gauge
from monitor.metrics.own import OWN

# -- clocks: tickets, repairs, follow-ups ------------------------------------------------------------------------------
CLOCK_COMPLIANCE = _gauge(
    "clock_compliance_ratio", "Clocks that met their budget / clocks that met or breached it, by the window", WINDOWED
)
CLOCK_COMPLIANCE_MET = _gauge("clock_compliance_met", "Numerator of the compliance: clocks that met", WINDOWED)
CLOCK_COMPLIANCE_SAMPLES = _gauge("clock_compliance_samples", "Denominator of the compliance: clocks judged", WINDOWED)
CLOCK_ELAPSED_MEAN = _gauge("clock_elapsed_mean_seconds", "Mean business time of the stopped clocks", WINDOWED)
CLOCK_ELAPSED_SAMPLES = _gauge("clock_elapsed_samples", "Stopped clocks that mean and percentiles are of", WINDOWED)
CLOCK_ELAPSED_PERCENTILE = _gauge(
    "clock_elapsed_percentile_seconds",
    "Percentile of the business time of the stopped clocks",
    (*WINDOWED, "percentile"),
)
CLOCK_ELAPSED_SPREAD = _gauge(
    "clock_elapsed_spread_samples",
    "Stopped clocks whose business time was at most so long, by the shortest window of the measure",
    SPREAD,
)
CLOCK_LATE_MEAN = _gauge(
    "clock_late_mean_seconds", "Mean time by which clocks missed their targets, where damages are paid by the hour",
    WINDOWED,
)  # fmt: skip
CLOCK_ELAPSED_LONGEST = _gauge("clock_elapsed_longest_seconds", "Longest business time of a stopped clock", WINDOWED)
CLOCKS_OPEN = _gauge("clocks_open", "Clocks that have not stopped, paused and overdue ones among them", SERIES)
CLOCKS_PAUSED = _gauge("clocks_paused", "Clocks that are paused", SERIES)
CLOCKS_AT_RISK = _gauge("clocks_at_risk", "Open clocks that passed an at-risk threshold and are not overdue", SERIES)
CLOCKS_UNDATED = _gauge("clocks_undated", "Open clocks without a due instant, because no event brings it", SERIES)
CLOCKS_INCOMPLETE = _gauge(
    "clocks_incomplete", "Clocks, started or waiting, of open tickets whose report lacks required fields", SERIES
)
CLOCKS_DUE_NEXT = _gauge(
    "clocks_due_next_seconds",
    "How long until the next open clock is due, within a day, of the subjects that this worker owns",
    SERIES,
)
CLOCKS_DUE_SOON = _gauge(
    "clocks_due_within_hour", "Open clocks that are due within an hour, of the subjects that this worker owns", SERIES
)
CLOCKS_OVERDUE = _gauge("clocks_overdue", "Open clocks that are past due", SERIES)

# -- calls -------------------------------------------------------------------------------------------------------------
CALL_SERVICE_LEVEL = _gauge("call_service_level_ratio", "Service level, by formula", (*WINDOWED, "formula"))
CALL_SERVICE_LEVEL_GOOD = _gauge(
    "call_service_level_good", "Numerator of the service level: calls that count as kept", (*WINDOWED, "formula")
)
CALL_SERVICE_LEVEL_SAMPLES = _gauge(
    "call_service_level_samples", "Denominator of the service level: calls that count", (*WINDOWED, "formula")
)
CALL_ANSWER = _gauge("call_speed_of_answer_seconds", "Average speed of answer: mean wait of answered calls", WINDOWED)
CALL_ANSWER_SAMPLES = _gauge("call_speed_of_answer_samples", "Answered calls that waits are taken of", WINDOWED)
CALL_ABANDONMENT = _gauge(
    "call_abandonment_ratio", "Abandoned / offered calls: gross, or net of short abandons", (*WINDOWED, "counting")
)
CALL_ABANDONMENT_ABANDONED = _gauge(
    "call_abandonment_abandoned", "Numerator of the abandonment: abandoned calls", (*WINDOWED, "counting")
)
CALL_ABANDONMENT_SAMPLES = _gauge(
    "call_abandonment_samples", "Denominator of the abandonment: offered calls", (*WINDOWED, "counting")
)
CALL_WAIT_PERCENTILE = _gauge(
    "call_wait_percentile_seconds", "Percentile of the wait of answered calls", (*WINDOWED, "percentile")
)
CALL_WAIT_SPREAD = _gauge(
    "call_wait_spread_samples",
    "Answered calls whose wait was at most so long, by the shortest window of the measure",
    SPREAD,
)
CALL_WAIT_LONGEST = _gauge("call_wait_longest_seconds", "Longest wait of an answered call", WINDOWED)
CALLS_LOST = _gauge("calls_lost", "Calls whose end was never told, by the window: in no service level", WINDOWED)
CALL_HANDLE = _gauge(
    "call_handle_seconds",
    "Mean time that agents spent with a handled call, by part: all (AHT), talk, hold, wrap_up",
    (*WINDOWED, "part"),
)
CALL_HANDLE_SAMPLES = _gauge("call_handle_samples", "Handled calls that times are taken of", (*WINDOWED, "part"))
CALL_TURNAROUND = _gauge("call_turnaround_seconds", "Mean time from the queue to the end of handled calls", WINDOWED)
CALL_OCCUPANCY = _gauge("call_occupancy_ratio", "Handle time / (handle time + available time of the agents)", WINDOWED)
CALL_FIRST = _gauge(
    "call_first_resolution_ratio",
    "First call resolution: by the flag or by repeat calls (confirmed, or all so far), gross or net of what the first "
    "level could not solve",
    (*WINDOWED, "by", "counting"),
)
CALL_FIRST_GOOD = _gauge(
    "call_first_resolution_good", "Numerator of the first call resolution: calls", (*WINDOWED, "by", "counting")
)
CALL_FIRST_SAMPLES = _gauge(
    "call_first_resolution_samples", "Denominator of the first call resolution: calls", (*WINDOWED, "by", "counting")
)
CALL_SATISFACTION = _gauge("call_satisfaction", "Mean score that customers gave to handled calls", WINDOWED)
CALL_SATISFACTION_SAMPLES = _gauge("call_satisfaction_samples", "Handled calls with a score", WINDOWED)
CALL_FIRST_PENDING = _gauge(
    "call_first_resolution_pending",
    "Handled calls after which it is too early to tell whether anybody calls again",
    WINDOWED,
)
CALL_LIMIT = _gauge(
    "call_answer_within_seconds",
    "The wait within which a call is answered in time, as the measure of an agreement in force says",
    ("agreement", "measure"),
)
CALLS_WAITING = _gauge("calls_waiting", "Calls that wait in the queue now", SERIES)
CALLS_LONGEST = _gauge("calls_waiting_longest_seconds", "Longest wait of the calls that wait now", SERIES)

# -- outages -----------------------------------------------------------------------------------------------------------
OUTAGE_AVAILABILITY = _gauge("outage_availability_ratio", "Availability by the agreement's formula", WINDOWED)
OUTAGE_UP = _gauge("outage_availability_up_seconds", "Numerator of the availability: time that counts as up", WINDOWED)
OUTAGE_PROMISED = _gauge(
    "outage_availability_promised_seconds", "Denominator of the availability: time that was promised", WINDOWED
)
OUTAGE_DOWNTIME = _gauge("outage_downtime_seconds", "Weighted union of the outages", WINDOWED)
OUTAGE_FAILURES = _gauge("outage_failures", "Outages that started in the window", WINDOWED)
OUTAGE_MTBF = _gauge("outage_time_between_failures_seconds", "MTBF: time up / failures", WINDOWED)
OUTAGE_MTTR = _gauge(
    "outage_time_to_repair_seconds",
    "MTTR: mean time from the start of an outage to a stage (acknowledge, respond, restore, resolve)",
    (*WINDOWED, "stage"),
)
OUTAGE_MTTR_SAMPLES = _gauge(
    "outage_time_to_repair_samples", "Outages that reached the stage in the window", (*WINDOWED, "stage")
)
OUTAGE_COVERAGE = _gauge(
    "outage_coverage_ratio", "Share of the promised time in which the monitor saw the service", WINDOWED
)
OUTAGE_SAIDI = _gauge(
    "outage_saidi_seconds",
    "SAIDI: time without service of an average customer, on all days or on ordinary ones",
    (*WINDOWED, "basis"),
)
OUTAGE_SAIFI = _gauge(
    "outage_saifi", "SAIFI: interruptions of an average customer, on all days or on ordinary ones", (*WINDOWED, "basis")
)
OUTAGE_CAIDI = _gauge(
    "outage_caidi_seconds", "CAIDI: mean length of a customer's interruption, as SAIDI / SAIFI", (*WINDOWED, "basis")
)
OUTAGE_ASAI = _gauge("outage_asai_ratio", "ASAI: share of the customers' time with service", WINDOWED)
OUTAGE_MAIFI = _gauge("outage_maifi", "MAIFI: momentary interruptions of an average customer", WINDOWED)
OUTAGE_MAJOR_DAYS = _gauge("outage_major_event_dates", "Major event days in the window", WINDOWED)
OUTAGES_UNKNOWN = _gauge(
    "outage_customers_unknown",
    "Interruptions in the window whose customers no event names: the figures of customers leave them out",
    WINDOWED,
)
OUTAGES_OPEN = _gauge("outages_open", "Outages that are not restored", SERIES)
OUTAGES_OLDEST = _gauge("outages_open_oldest_seconds", "Age of the oldest open outage", SERIES)
OUTAGES_MAINTENANCE = _gauge("outages_maintenance", "Announced maintenance that is under way and excused", SERIES)
OUTAGES_BLIND = _gauge("outages_blind", "Monitors that report that they see nothing", SERIES)

# -- leads -------------------------------------------------------------------------------------------------------------
LEAD_FOLLOW_UP = _gauge(
    "lead_follow_up_ratio", "Leads followed up in time / leads followed up or waiting beyond it", WINDOWED
)
LEAD_FOLLOW_UP_GOOD = _gauge("lead_follow_up_good", "Numerator of the follow-up: leads followed up in time", WINDOWED)
LEAD_FOLLOW_UP_SAMPLES = _gauge("lead_follow_up_samples", "Denominator of the follow-up: leads that count", WINDOWED)
LEAD_SPEED = _gauge(
    "lead_follow_up_mean_seconds",
    "Mean business time from the hand-over of a lead to the first human attempt",
    WINDOWED,
)
LEAD_SPEED_PERCENTILE = _gauge(
    "lead_follow_up_percentile_seconds",
    "Percentile of the business time from the hand-over of a lead to the first human attempt",
    (*WINDOWED, "percentile"),
)
LEAD_SPEED_LONGEST = _gauge(
    "lead_follow_up_longest_seconds", "Longest business time from a hand-over to the first human attempt", WINDOWED
)
LEAD_SPEED_SPREAD = _gauge(
    "lead_follow_up_spread_samples",
    "Leads that were followed up within so long, by the shortest window of the measure",
    SPREAD,
)
LEAD_DEPTH = _gauge(
    "lead_depth_attempts", "Mean attempts per lead until it was reached or the time for it was over", WINDOWED
)
LEAD_DEPTH_SAMPLES = _gauge("lead_depth_samples", "Leads whose follow-up is over", WINDOWED)
LEAD_DEPTH_LEADS = _gauge(
    "lead_depth_leads", "Leads whose follow-up is over, by the number of attempts", (*WINDOWED, "attempts")
)
LEAD_DEPTH_KEPT = _gauge(
    "lead_depth_kept_ratio", "Leads that were reached or tried often enough / leads whose follow-up is over", WINDOWED
)
LEAD_ACTIVITY = _gauge(
    "lead_activity_kept_ratio", "Leads active enough before their hand-over / marketing's leads handed over", WINDOWED
)
LEAD_FUNNEL = _gauge(
    "lead_funnel_leads", "Leads created in the window, by the stage that they have reached since", (*WINDOWED, "stage")
)
LEAD_CUSTOMERS = _gauge("lead_customers", "Leads won in the window", WINDOWED)
LEAD_REVENUE = _gauge("lead_revenue", "Amounts of the leads won in the window, in the agreement's currency", WINDOWED)
LEAD_CLOSE_RATE = _gauge("lead_close_ratio", "Marketing's customers won / its leads delivered, by the window", WINDOWED)
LEAD_MATURED_CLOSE_RATE = _gauge(
    "lead_matured_close_ratio",
    "Marketing's leads created in the window that were won in the promised time / those whose time is over",
    WINDOWED,
)
LEADS_PENDING = _gauge(
    "leads_pending",
    "Leads of the window whose promise (follow_up, depth, close) cannot be judged yet",
    (*WINDOWED, "promise"),
)
LEAD_AVERAGE_DEAL = _gauge("lead_average_deal", "Revenue of marketing's customers / their number", WINDOWED)
LEAD_MARKETING_SHARE = _gauge(
    "lead_marketing_revenue_ratio", "Revenue of marketing's customers / all revenue", WINDOWED
)
LEADS_DELIVERED = _gauge("leads_delivered", "Marketing's leads in the window, by weight", WINDOWED)
LEADS_NEEDED = _gauge(
    "leads_needed",
    "Leads that the period's sales goal needs: as agreed, to date, or by what has happened in the period (now)",
    (*WINDOWED, "counting"),
)
LEAD_PACE = _gauge("lead_pace_ratio", "Leads delivered / leads needed to date", WINDOWED)
LEAD_FOLLOW_UP_LIMIT = _gauge(
    "lead_follow_up_within_seconds",
    "The time from the hand-over to the first attempt that an agreement in force promises",
    ("agreement", "measure"),
)
LEAD_DEPTH_LIMIT = _gauge(
    "lead_attempts_promised", "Attempts per lead that an agreement in force promises", ("agreement", "measure")
)
LEADS_OPEN = _gauge("leads_open", "Leads without an outcome", SERIES)
LEADS_WAITING = _gauge("leads_waiting", "Leads that were handed over and wait for the first attempt", SERIES)
LEADS_LATE = _gauge("leads_waiting_late", "Leads that wait for the first attempt beyond the promised time", SERIES)
LEADS_FOLLOWING = _gauge("leads_following", "Leads that are being followed up: not reached, and in time for it", SERIES)
LEADS_MATURING = _gauge("leads_maturing", "Leads whose promised time to be won is not over", SERIES)
LEADS_LONGEST = _gauge(
    "leads_waiting_longest_seconds", "Wall-clock wait of the lead that waits longest for the first attempt", SERIES
)

# -- tickets that are counted ------------------------------------------------------------------------------------------
TICKETS_COUNTED = _gauge(
    "tickets_counted", "Tickets that were opened, reopened or handed over in the window", (*WINDOWED, "what")
)

# -- objectives --------------------------------------------------------------------------------------------------------
OBJECTIVE_VALUE = _gauge(
    "objective_value", "Figure that the objective is about: shares as 0..1, durations in seconds", OBJECTIVE
)
OBJECTIVE_STATED = _gauge(
    "objective_stated_value",
    "Figure that the objective was about in the last closed period of the window, in the unit of its value",
    OBJECTIVE,
)
OBJECTIVE_TARGET = _gauge("objective_target", "Target of the objective, in the unit of its value", OBJECTIVE)
OBJECTIVE_WARNING = _gauge(
    "objective_at_risk_threshold", "Where the objective is at risk, short of its target", OBJECTIVE
)
OBJECTIVE_SAMPLES = _gauge("objective_samples", "Measurements that the value is made of", OBJECTIVE)
OBJECTIVE_MINIMUM = _gauge("objective_samples_minimum", "Fewer measurements than this say nothing", OBJECTIVE)
OBJECTIVE_CODE = _gauge(
    "objective_verdict_code",
    "The verdict that holds as a number: 0 no data, 1 low sample, 2 met, 3 on track, 4 at risk, 5 breached",
    OBJECTIVE,
)
OBJECTIVE_VERDICT = _gauge(
    "objective_verdict", "1 for the verdict that holds, 0 for the others", (*OBJECTIVE, "verdict")
)

# -- error budgets and consequences ------------------------------------------------------------------------------------
BUDGET_ALLOWED = _gauge("budget_allowed", "Error budget: so much may be bad, in events or seconds", BUDGET)
BUDGET_CONSUMED = _gauge("budget_consumed", "So much was bad, in events or seconds", BUDGET)
BUDGET_REMAINING = _gauge("budget_remaining", "What is left of the error budget; below 0 it is used up", BUDGET)
BUDGET_SPENT = _gauge("budget_consumed_ratio", "Consumed / allowed; infinite where nothing was allowed", BUDGET)
BUDGET_BURN = _gauge(
    "budget_burn_rate", "Bad share / error budget, over a window: 1 uses it up at the end of its period",
    (*BUDGET, "over"),
)  # fmt: skip
BUDGET_LIMIT = _gauge(
    "budget_burn_limit",
    "Burn rate from which on call is told (page or ticket), over the longer window of its pair, as agreed",
    ("agreement", "objective", "over", "urgency"),
)
CREDIT = _gauge("credit_amount", "Service credits that can be claimed, before caps", CREDITS)
CREDIT_CLAIM = _gauge("credit_claim_until_timestamp_seconds", "When the first of these claims ends", CREDITS)
DAMAGES = _gauge("damages_amount", "Damages that can be claimed, before caps", CREDITS)
DAMAGES_CLAIM = _gauge("damages_claim_until_timestamp_seconds", "When the first of these claims ends", CREDITS)
TERMINATION_MISSES = _gauge(
    "termination_misses", "Missed periods, where one more lets the customer terminate (warning), or none more (right)",
    (*CREDITS[:1], "standing", *WINDOWED),
)  # fmt: skip

AGREEMENT_INFO = _gauge(
    "agreement_info",
    "1 for each version of an agreement that this worker knows",
    ("agreement", "version", "name", "provider", "customer", "service", "status", "kind", "level", "under", "binding"),
)
AGREEMENT_PARTY = _gauge(
    "agreement_party", "1 for each party of a version of an agreement", ("agreement", "version", "party", "role")
)
AGREEMENT_DETAIL = _gauge(
    "agreement_service_detail", "1 for each detail of the service of a version of an agreement",
    ("agreement", "version", "detail", "value"),
)  # fmt: skip
AGREEMENT_IN_FORCE = _gauge(
    "agreement_in_force", "1 for the version of an agreement that binds now, 0 for the others", ("agreement", "version")
)
AGREEMENT_END = _gauge(
    "agreement_end_timestamp_seconds",
    "When an agreement in force ends; if renewed, its running term",
    ("agreement", "renewed"),
)
AGREEMENT_NOTICE = _gauge(
    "agreement_notice_until_timestamp_seconds",
    "Until when notice must be given, or the term is renewed",
    ("agreement",),
)
AGREEMENT_REPORT_DUE = _gauge(
    "agreement_report_due_timestamp_seconds",
    "When the next report of an agreement's statistics is due, by its schedule and those who get it",
    ("agreement", "every", "to"),
)
AGREEMENT_PARTS = _gauge(
    "agreement_parts",
    "Measures, targets and objectives that hold now, by the agreement (the level) that says them",
    ("agreement", "origin", "level"),
)
AGREEMENT_SUPPORTS = _gauge(
    "agreement_supports", "1 for each agreement that a supporting one (OLA, UC) supports", ("agreement", "supporting")
)
SUPPORTING_BREACHES = _counter(
    "supporting_breaches_total",
    "Breaches of an agreement's clocks under which a supporting agreement had missed its own",
    ("agreement", "supporting"),
)

CATALOGUE: Final = OWN | declared
"""All metrics by name: those of the monitor's own health, then the others."""


def catalogue_table() -> str:
    """Return all metrics as a Markdown table, for the documents."""
    rows = ["| metric | kind | labels | meaning |", "| --- | --- | --- | --- |"]
    for metric in CATALOGUE.values():
        labels = ", ".join(metric.labels) or "–"
        rows.append(f"| `{metric.name}` | {metric.kind} | {labels} | {metric.help} |")
    return "\n".join(rows) + "\n"
