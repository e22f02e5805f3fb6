"""An objective's ``budget`` and an agreement's ``consequences``: what they become, and what is wrong with them."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from monitor.core.agreements.budget_rule import BudgetRule, BurnAlert
from monitor.core.agreements.consequence_rules import (
    BreachRule,
    Consequences,
    CreditRule,
    DamageRule,
    TerminationRule,
    Tier,
)
from monitor.core.time.windows import Window
from monitor.wire.promises import promises_of, target_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from monitor.config.agreements.checking import Check

    Checked = Callable[..., Check]

HOUR = 3_600_000
TEXT = """\
agreement: line
version: 1
valid_from: 2026-01-01
name: Lines
form: service
provider: us
customer: them
service: lines
status: accepted
accepted_by: me
accepted_on: 2025-12-01
covers: {service: [ring]}
contacts: [{role: on-call, email: noc@it.example}]
outages:
  - {id: core, by: [service], windows: [24h, month, quarter]}
calls:
  - {id: hotline, answer_within: 20s, windows: [month]}
objectives:
  - id: up
    of: core
    indicator: availability
    target: 99.9 %
    budget:
      method: events
      minimum_events: 7
      alerts: [{burn: 10, long: 2h, short: 10m, urgency: ticket}]
  - id: restored
    of: core
    indicator: mttr_restore
    target: "<= 2h"
    windows: month
  - id: quick
    of: hotline
    indicator: p95
    target: "<= 30s"
    budget: {method: timeslices, slice: 5m, good: 99 %, alerts: "off"}
consequences:
  currency: EUR
  fees: {ring: 1000, desk: 99.90}
  credits:
    - {objective: up, window: quarter, tiers: [{below: 99.9 %, credit: 10 %}, {below: 99 %, credit: 25 %}]}
    - {objective: restored, fee: desk, tiers: [{above: 4h, credit: 5 %}]}
  caps: {month: 30 %, term: 5000}
  claim_within: 30d
  termination: {objective: up, misses: 3, in: 6}
"""


def test_they_become_what_they_describe(checked: Checked) -> None:
    check = checked(TEXT)
    assert check.mistakes == ()
    agreement = check.documents[0].agreement
    up, restored, quick = agreement.objectives
    assert up.budget == BudgetRule(
        Window("quarter"), alerts=(BurnAlert(10.0, 2 * HOUR, HOUR // 6, "ticket"),), minimum_events=7
    )
    assert restored.budget is None
    assert quick.budget == BudgetRule(Window("month"), "timeslices", 0.99, 300_000)
    assert agreement.consequences == Consequences(
        currency="EUR",
        fees={"ring": Decimal(1000), "desk": Decimal("99.9")},
        credits=(
            CreditRule("up", "quarter", (Tier(0.999, Decimal("0.1")), Tier(0.99, Decimal("0.25")))),
            CreditRule("restored", "month", (Tier(4.0 * HOUR, Decimal("0.05")),), "desk"),
        ),
        termination=(TerminationRule("up", "month", 3, 6),),
        month_cap=Decimal("329.97"),
        term_cap=Decimal(5000),
        claim_within_ms=30 * 24 * HOUR,
    )


def test_left_out_nothing_follows_and_no_budget_is_kept(checked: Checked, agreement_text: str) -> None:
    agreement = checked(agreement_text).documents[0].agreement
    assert not agreement.consequences
    assert all(one.budget is None for one in agreement.objectives)


def test_the_goal_of_slices_is_the_target_where_it_is_a_share_that_must_be_high(checked: Checked) -> None:
    text = TEXT.replace("method: events", "method: timeslices")
    budget = checked(text).documents[0].agreement.objectives[0].budget
    assert budget is not None
    assert (budget.goal, budget.slice_ms) == (0.999, 60_000)


SLICED = TEXT.replace("method: events", "method: timeslices\n      good: 99.9 %", 1)
"""The objective ``up`` with timeslices of which 99.9 % must be good."""


def test_of_timeslices_the_verdict_the_warning_and_the_credits_are_shares_of_good_ones(checked: Checked) -> None:
    text = SLICED.replace("target: 99.9 %", "target: 99 %\n    at_risk: 99.95 %", 1)
    agreement = checked(text).documents[0].agreement
    assert agreement is not None
    up = agreement.objectives[0]
    assert up.judged == ("good_slices", ">=", 0.999)
    assert (up.target, up.at_risk) == (0.99, 0.9995)
    assert [tier.bound for tier in agreement.consequences.credits[0].tiers] == [0.999, 0.99]
    assert target_text(up) == "availability >= 99 % in 99.9 % of all slices of 1 min"
    credit = next(one for one in promises_of(agreement) if one.of == "credit")
    assert credit.what.startswith("10 % below 99.9 %, 25 % below 99 %")


@pytest.mark.parametrize(
    ("right", "wrong", "told"),
    [
        ("target: 99.9 %", "target: 99 %\n    at_risk: 99.5 %", "a share of good slices: more than 99.9 %"),
        ("{below: 99.9 %, credit: 10 %}", "{below: 99.99 %, credit: 10 %}", "credit a figure that keeps the target"),
        ("credits:\n", "credits:\n    - {objective: quick, fee: desk, tiers: [{above: 1m, credit: 5 %}]}\n",
         "of good_slices, less is worse (write below)"),
        ("credits:\n", "credits:\n    - {objective: quick, fee: desk, tiers: [{below: 1m, credit: 5 %}]}\n",
         "is no bound of good_slices"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_slices_is_told_in_shares_of_good_ones(
    checked: Checked, right: str, wrong: str, told: str
) -> None:
    assert right in SLICED
    mistakes = [str(one) for one in checked(SLICED.replace(right, wrong, 1)).mistakes]
    assert any(told in one for one in mistakes), mistakes


@pytest.mark.parametrize(
    ("right", "wrong", "told"),
    [
        ("good: 99 %, ", "", "budget.good: is missing"),
        ("method: events", "method: events\n      good: 99 %", "good: is for timeslices"),
        ("{method: timeslices, slice: 5m, good: 99 %, ", "{", "method: p95 is no share of events"),
        ("slice: 5m", "slice: 7m", "slice: does not divide an hour"),
        ("short: 10m", "short: 2h", "short: is not shorter than long"),
        ("long: 2h", "long: 2h10m", "long: no window can have this length"),
        ("burn: 10", "burn: 0", "burn: is no burn rate: 0"),
        ("urgency: ticket}]", "urgency: ticket}, {burn: 2, long: 2h, short: 10m}]", "the pair 2h+10m is named twice"),
        ("  currency: EUR\n", "", "currency: is missing"),
        ("currency: EUR", "currency: euro", "is no currency: 'euro'"),
        ("ring: 1000", "ring: 10.001", "is no amount of money: 10.001"),
        ("ring: 1000", "ring: -1", "is no amount of money: -1"),
        ("objective: up, window: quarter", "objective: upp, window: quarter", "there is no objective 'upp'"),
        ("objective: up, window: quarter", "objective: up, window: year", "'up' is not judged by the year"),
        ("fee: desk", "fee: desc", "there is no fee 'desc' (did you mean 'desk'?)"),
        ("credits:\n", "credits:\n    - {objective: quick, tiers: [{above: 1m, credit: 5 %}]}\n", "needs a fee"),
        ("{below: 99 %, credit: 25 %}", "{below: 99 %, credit: 5 %}", "a worse figure must be credited with more"),
        ("{below: 99.9 %, credit: 10 %}", "{below: 99.99 %, credit: 10 %}", "credit a figure that keeps the target"),
        ("{above: 4h, credit: 5 %}", "{above: 1h, credit: 5 %}", "credit a figure that keeps the target"),
        ("{above: 4h, credit: 5 %}", "{below: 4h, credit: 5 %}", "of mttr_restore, more is worse (write above)"),
        ("{above: 4h, credit: 5 %}", "{above: 5 %, credit: 5 %}", "is no bound of mttr_restore"),
        ("{above: 4h, credit: 5 %}", "{credit: 5 %}", "needs below or above"),
        ("misses: 3, in: 6", "misses: 7, in: 6", "7 misses do not fit into 6 periods"),
        (
            "termination: {objective: up, misses: 3, in: 6}",
            "termination: [{objective: up, misses: 3, in: 6}, {objective: up, misses: 2, in: 3}]",
            "'up' has a right to terminate already",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_place(checked: Checked, right: str, wrong: str, told: str) -> None:
    assert right in TEXT
    mistakes = [str(one) for one in checked(TEXT.replace(right, wrong, 1)).mistakes]
    assert any(told in one for one in mistakes), mistakes


def test_slices_of_outages_are_of_the_availability(checked: Checked) -> None:
    text = TEXT.replace("    windows: month\n", "    windows: month\n    budget: {method: timeslices, good: 99 %}\n", 1)
    assert "slices of outages are of the availability" in str(checked(text).mistakes[0])


def test_fees_are_prorated_where_the_agreement_says_so(checked: Checked) -> None:
    for text, prorated in (
        (TEXT, False),
        (TEXT.replace("currency: EUR\n", "currency: EUR\n  prorate: true\n", 1), True),
    ):
        agreement = checked(text).documents[0].agreement
        assert agreement is not None
        assert agreement.consequences.prorated == prorated


@pytest.mark.parametrize(
    ("budget", "told"),
    [
        ("{}", ["fcr is not known while it burns"]),
        ("{method: timeslices, good: 99 %, alerts: off}", ["fcr is not known while it burns"]),
        ("{alerts: off}", []),
    ],
)
def test_who_calls_again_shows_too_late_for_burn_rates(checked: Checked, budget: str, told: list[str]) -> None:
    text = TEXT.replace("answer_within: 20s,", "answer_within: 20s, repeat_within: 7d,", 1)
    once = f"{{id: once, of: hotline, indicator: fcr, target: 70 %, budget: {budget}}}"
    found = checked(text.replace("objectives:\n", f"objectives:\n  - {once}\n", 1))
    assert [one.message.split(":")[0] for one in found.mistakes] == told
    assert all("alerts: off" in one.hint for one in found.mistakes)


DAMAGES = """  damages:
    - {objective: up, window: quarter, fixed: 500}
    - {objective: up, window: quarter, per_hour: 120.50, cap: 2000}
    - {objective: restored, per_hour: 20}
  damages_caps: {month: 3000, term: 10 %}
  termination:
    - {objective: up, misses: 3, in: 6}
    - {breach: a blackout, objective: up, below: 95 %, within: 60d}
    - {breach: a lost week, objective: restored, above: 7d}
    - {breach: any delay, objective: restored}
"""
WHOLE = TEXT.replace("  termination: {objective: up, misses: 3, in: 6}\n", DAMAGES)


def test_damages_and_kinds_of_breaches_become_what_they_describe(checked: Checked) -> None:
    check = checked(WHOLE)
    assert check.mistakes == ()
    rules = check.documents[0].agreement.consequences

    assert rules.damages == (
        DamageRule("up", "quarter", "fixed", Decimal(500)),
        DamageRule("up", "quarter", "per_hour", Decimal("120.50"), Decimal(2000)),
        DamageRule("restored", "month", "per_hour", Decimal(20)),
    )
    assert (rules.damages_month_cap, rules.damages_term_cap) == (Decimal(3000), Decimal("109.99"))
    assert rules.termination == (TerminationRule("up", "month", 3, 6),)
    assert rules.immediate == (
        BreachRule("a blackout", "up", "month", 0.95, 60 * 24 * HOUR),
        BreachRule("a lost week", "restored", "month", 7.0 * 24 * HOUR),
        BreachRule("any delay", "restored", "month"),
    )


@pytest.mark.parametrize(
    ("right", "wrong", "told"),
    [
        ("fixed: 500", "", "damages[0]: needs one sum: fixed, per_hour or per_case"),
        ("fixed: 500", "fixed: 500, per_case: 5", "damages[0]: needs one sum"),
        ("fixed: 500", "fixed: 0", "damages[0]: is a sum of 0"),
        ("fixed: 500", "fixed: five", "damages[0].fixed: is no amount of money"),
        ("fixed: 500", "per_case: 5", "damages[0].per_case: availability counts no cases"),
        ("window: quarter, fixed", "window: year, fixed", "damages[0].window: 'up' is not judged by the year"),
        ("{objective: up, window: quarter, fixed", "{objective: upp, fixed", "damages[0].objective: there is no"),
        ("cap: 2000", "cap: 100", "damages[1].cap: is less than per_hour, 120.5"),
        ("fixed: 500", "per_hour: 500", "damages[1].per_hour: 'up' has damages per_hour of the quarter already"),
        ("restored, per_hour: 20}", "few, per_hour: 20}", "damages[2].per_hour: few: failures has no hours"),
        ("breach: a lost week", "breach: a blackout", "termination[2].breach: 'a blackout' is named twice"),
        ("below: 95 %", "below: 99.95 %", "termination[1].below: lies on the good side of the target"),
        ("above: 7d", "above: 30 %", "termination[2].above: is no bound of mttr_restore"),
        ("above: 7d", "below: 7d", "termination[2]: of mttr_restore, more is worse"),
        ("above: 7d", "below: 7d, above: 8d", "termination[2]: has below and above"),
        ("breach: a blackout, ", "", "termination[1]: needs misses and in, or breach"),
        ("misses: 3, in: 6", "misses: 3", "termination[0]: needs misses and in, or breach"),
        ("misses: 3, in: 6", "misses: 3, in: 6, within: 3d", "termination[0]: below, above and within are for"),
        ("breach: any delay", "breach: any delay, misses: 2, in: 3", "termination[3]: has misses and a breach"),
        ("any delay, objective: restored", "any delay, objective: rest", "termination[3].objective: there is"),
    ],
)  # fmt: skip
def test_wrong_damages_are_told_with_their_place(checked: Checked, right: str, wrong: str, told: str) -> None:
    assert right in WHOLE
    text = WHOLE.replace(right, wrong, 1)
    if "few" in wrong:
        text = text.replace(
            "objectives:\n", "objectives:\n  - {id: few, of: core, indicator: failures, target: 3}\n", 1
        )
    mistakes = [str(one) for one in checked(text).mistakes]
    assert any(told.replace("few: ", "") in one for one in mistakes), mistakes


def test_damages_need_a_currency_and_all_mistakes_are_told_at_once(checked: Checked) -> None:
    text = (
        WHOLE.replace("  currency: EUR\n", "").replace("cap: 2000", "cap: 100").replace("below: 95 %", "below: 99.95 %")
    )
    told = [str(one) for one in checked(text).mistakes]
    assert len(told) == 3, told
    only = text[: text.index("  credits:")] + text[text.index("  damages:") :]
    assert any("damages are amounts of money" in str(one) for one in checked(only).mistakes)


@pytest.mark.parametrize(
    ("indicator", "damages", "counts"),
    [
        ("compliance", "  damages: {objective: solved, per_hour: 20}\n", True),
        ("compliance", "  damages: {objective: solved, per_case: 20}\n", False),
        ("late", "", True),
        ("mean", "  damages: {objective: solved, per_hour: 20}\n", False),
    ],
)
def test_clocks_count_how_late_they_were_only_where_it_is_asked_for(
    checked: Checked,
    indicator: str,
    damages: str,
    counts: bool,  # noqa: FBT001 - pytest gives it by name
) -> None:
    target = "100 %" if indicator == "compliance" else "<= 1h"
    text = TEXT.replace(
        "objectives:\n",
        f"""clocks:
  - {{id: resolution, metric: resolution, targets: {{"*": 8h}}}}
objectives:
  - {{id: solved, of: resolution, indicator: {indicator}, target: "{target}", windows: month}}
""",
        1,
    ).replace("  claim_within", f"{damages}  claim_within", 1)
    check = checked(text)
    assert check.mistakes == ()
    (clock,) = check.documents[0].agreement.clocks
    assert clock.counts_late is counts
