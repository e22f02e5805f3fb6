"""Error budgets and what misses cost, as metrics."""

from math import inf

from tests.metrics.given import NOW_MS, everything, value_of

SEEN = everything()


def test_a_budget_is_shown_in_seconds_or_events_and_as_a_share():
    assert value_of(SEEN, "sla_budget_allowed", objective="up", unit="seconds") == 60
    assert value_of(SEEN, "sla_budget_consumed", objective="up") == 90
    assert value_of(SEEN, "sla_budget_remaining", objective="up") == -30
    assert value_of(SEEN, "sla_budget_consumed_ratio", objective="up") == 1.5
    assert value_of(SEEN, "sla_budget_consumed", objective="never", unit="events") == 1


def test_without_a_budget_the_first_bad_event_burns_without_limit():
    assert value_of(SEEN, "sla_budget_consumed_ratio", objective="never") == inf
    assert value_of(SEEN, "sla_budget_burn_rate", objective="never", over="1h") == inf


def test_nothing_offered_is_no_burn_rate():
    assert value_of(SEEN, "sla_budget_burn_rate", objective="up", over="5m") == 20
    assert value_of(SEEN, "sla_budget_burn_rate", objective="up", over="1h") is None


def test_credits_are_added_up_and_the_first_claim_that_ends_is_shown():
    assert value_of(SEEN, "sla_credit_amount", objective="up", currency="GBP") == 3600
    assert value_of(SEEN, "sla_credit_claim_until_timestamp_seconds") == (NOW_MS + 86_400_000) / 1000
    assert value_of(SEEN, "sla_termination_misses", standing="right") == 2


def test_damages_stand_beside_credits():
    assert value_of(SEEN, "sla_damages_amount", objective="up", currency="GBP") == 75.5
    assert value_of(SEEN, "sla_damages_claim_until_timestamp_seconds") == (NOW_MS + 3_600_000) / 1000
