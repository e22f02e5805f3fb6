"""What follows from closed periods: credits, caps, claims, the right to terminate."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.agreements.book import Book
from monitor.core.agreements.consequence_rules import Consequences, CreditRule, TerminationRule, Tier
from monitor.core.agreements.measures import OutageRule
from monitor.core.agreements.objectives import Objective
from monitor.core.objectives.consequences import capped, consequences_of, decide
from monitor.core.objectives.status import ObjectiveVerdict, WindowStatus
from monitor.core.series.figures import Figure
from monitor.core.series.series import SeriesKey
from monitor.core.time.windows import Window
from tests.core.stories import agreement

MONTH = Window("month")
DAY_MS = 86_400_000
TIERS = (Tier(0.9995, Decimal("0.1")), Tier(0.99, Decimal("0.25")))


def month_ms(number):
    """The start of a month, counted from January 2026."""
    return int(datetime(2026 + number // 12, number % 12 + 1, 1, tzinfo=UTC).timestamp() * 1000)


def network(*, window="month", comparison=">=", tiers=TIERS, **more):
    objective = Objective(
        id="up", measure="core", indicator="availability", comparison=comparison, target=0.9995,
        windows=(Window(window),),
    )  # fmt: skip
    rules = Consequences(
        **{
            "currency": "EUR",
            "fees": {"ring": Decimal(12_000), "access": Decimal("99.99")},
            "credits": (CreditRule("up", window, tiers),),
            "claim_within_ms": 30 * DAY_MS,
            **more,
        }
    )
    rule = OutageRule(id="core", by=("service",), windows=(Window(window),))
    return agreement(rule, objectives=(objective,), consequences=rules)


def statement(value, number=0, *, service="ring", verdict=None, months=1, version=1, comparison=">="):
    series = SeriesKey("desk", "core", (service,))
    if verdict is None:
        verdict = "no_data" if value is None else "met" if value >= 0.9995 else "breached"
    up, all_of_it = (0.0 if value is None else value * 1e6), 1e6
    return WindowStatus(
        series, {"service": service}, {1: "month", 3: "quarter", 12: "year"}[months], month_ms(number),
        month_ms(number + months), 0, version, (Figure("availability", value, up, all_of_it, "ratio", "(P - D) / P"),),
        (ObjectiveVerdict("up", "availability", comparison, 0.9995, None, value, 1, 1, verdict),), {}, closed=True,
    )  # fmt: skip


def amounts(*statements, **more):
    return [str(one.payable) for one in consequences_of(statements, Book((network(**more),), 1))]


def test_a_credit_is_fee_times_tier_and_carries_its_evidence():
    (credit,) = consequences_of([statement(0.995)], Book((network(),), 1))
    assert (credit.kind, credit.amount, credit.payable, credit.currency) == ("credit", 1200, 1200, "EUR")
    assert (credit.fee, credit.share, credit.tier, credit.version) == (12_000, Decimal("0.1"), 0.9995, 1)
    assert (credit.evidence.value, credit.evidence.target, credit.evidence.formula) == (0.995, 0.9995, "(P - D) / P")
    assert (credit.evidence.numerator, credit.evidence.denominator) == (995_000, 1e6)
    assert credit.claim_until_ms == month_ms(1) + 30 * DAY_MS


@pytest.mark.parametrize(
    ("value", "expected"),
    [(1.0, []), (0.9995, []), (0.99949999, ["1200.00"]), (0.99, ["1200.00"]), (0.9899999, ["3000.00"]), (None, [])],
)
def test_the_tier_is_that_of_the_unrounded_figure(value, expected):
    assert amounts(statement(value)) == expected


def test_99_895_percent_shown_as_99_90_percent_is_credited_below_99_9_percent():
    tiers = (Tier(0.999, Decimal("0.05")),)
    assert amounts(statement(0.99895), tiers=tiers) == ["600.00"]
    assert amounts(statement(0.999), tiers=tiers) == []


def test_amounts_are_decimals_rounded_half_up_once():
    assert amounts(statement(0.995, service="access")) == ["10.00"]  # 9.999
    tiers = (Tier(0.9995, Decimal("0.00025")),)
    assert amounts(statement(0.995, service="access"), tiers=tiers) == ["0.02"]  # 0.0249975
    tiers = (Tier(0.9995, Decimal("0.125")),)
    assert amounts(statement(0.995), tiers=tiers, fees={"ring": Decimal("0.2")}) == ["0.03"]  # 0.025


def test_fees_are_by_month():
    assert amounts(statement(0.995, months=3), window="quarter") == ["3600.00"]
    assert amounts(statement(0.995, months=12), window="year") == ["14400.00"]


def test_too_small_a_sample_a_service_without_a_fee_and_a_draft_version_that_is_gone_are_not_credited():
    assert amounts(statement(0.9, verdict="low_sample")) == []
    assert amounts(statement(0.9, service="other")) == []
    assert amounts(statement(0.9, version=9)) == []
    assert amounts(statement(0.9), credits=()) == []
    assert amounts(statement(0.9), credits=(CreditRule("gone", "month", TIERS),)) == []
    assert amounts(statement(0.9), credits=(CreditRule("up", "quarter", TIERS),)) == []


def test_where_less_is_better_the_tiers_lie_above():
    tiers = (Tier(0.05, Decimal("0.1")), Tier(0.1, Decimal("0.2")))
    found = consequences_of(
        [statement(value, verdict="breached", comparison="<=") for value in (0.05, 0.06, 0.2)],
        Book((network(comparison="<=", tiers=tiers),), 1),
    )
    assert [one.amount for one in found] == [1200, 2400]


def test_credits_are_capped_by_month_and_over_the_term():
    stated = [statement(0.5, number, service=service) for number in range(3) for service in ("ring", "access")]
    assert amounts(*stated, month_cap=Decimal(3010)) == ["2985.00", "25.00"] * 3
    assert amounts(*stated, month_cap=Decimal(3010), term_cap=Decimal(6030)) == [
        "2985.00", "25.00", "2985.00", "25.00", "0.00", "10.00",
    ]  # fmt: skip


@given(st.permutations(range(6)), st.integers(0, 20_000))
def test_what_is_payable_does_not_depend_on_which_series_closed_first(order, cap):
    book = Book((network(month_cap=Decimal(4000), term_cap=Decimal(cap)),), 1)
    stated = [statement(0.5, number, service=service) for number in range(3) for service in ("ring", "access")]
    found = consequences_of(stated, book)
    shuffled = capped([found[place] for place in order], book)
    assert shuffled == [found[place] for place in order]
    assert sum(one.payable for one in found) <= cap


def rights(verdicts, misses, periods):
    rule = TerminationRule("up", "month", misses, periods)
    values = {"m": 0.9, "k": 1.0, "-": None}
    stated = [statement(values[one], number) for number, one in enumerate(verdicts)]
    found = consequences_of(stated, Book((network(credits=(), termination=(rule,)),), 1))
    return [
        (one.kind.removeprefix("termination_"), round((one.from_ms - month_ms(0)) / (30.5 * DAY_MS))) for one in found
    ]


def test_three_misses_in_any_six_months_let_the_customer_terminate_and_the_second_warns():
    assert rights("mkmkkm", 3, 6) == [("warning", 2), ("right", 5)]
    assert rights("mkmkkkm", 3, 6) == [("warning", 2), ("warning", 6)]  # the first has left the six months
    assert rights("mkkkkm", 3, 6) == []  # one more would not be the third of six: the first leaves
    assert rights("mmmm", 3, 6) == [("warning", 1), ("right", 2), ("right", 3)]


def test_a_month_in_which_nothing_was_measured_is_no_miss_but_passes():
    assert rights("m-m-m", 3, 4) == [("warning", 2), ("warning", 4)]
    assert rights("m-m-m", 3, 5) == [("warning", 2), ("right", 4)]


def test_a_right_at_the_first_miss_has_no_warning():
    assert rights("km", 1, 1) == [("right", 1)]
    assert rights("kmk", 1, 3) == [("right", 1)]


def test_what_stands_is_told_after_each_period_and_a_miss_counts_once():
    version = network(credits=(), termination=(TerminationRule("up", "month", 2, 3),))
    first = decide(statement(0.9), version, {})
    assert (first.standing, first.misses) == ({"up": "termination_warning"}, {"up": (month_ms(0),)})
    again = decide(statement(0.9), version, first.misses)
    assert again == first
    assert again.consequences[0].evidence.misses == (month_ms(0),)
    later = decide(statement(1.0, 3), version, first.misses)
    assert (later.standing, later.misses) == ({"up": ""}, {"up": ()})


def test_an_objective_that_is_not_judged_in_the_period_has_no_standing():
    version = network(
        credits=(), termination=(TerminationRule("gone", "month", 2, 3), TerminationRule("up", "year", 1, 1))
    )
    assert decide(statement(0.9), version, {}) == ([], {}, {}, {})


def test_a_version_without_consequences_costs_nothing():
    assert not Consequences(fees={"ring": Decimal(1)})
    assert Consequences(termination=(TerminationRule("up", "month", 2, 3),))


def joined(value, from_day, *, months=1):
    """The statement of a period in which the customer joined after so many days of January."""
    return statement(value, months=months)._replace(from_ms=month_ms(0) + from_day * DAY_MS, to_ms=month_ms(months))


def test_who_joined_in_mid_month_is_credited_of_the_fee_of_the_rest_where_fees_are_prorated():
    # 16 of January's 31 days: 12,000 x 16 / 31 = 6,193.55; 10 % of it, and of the whole fee where nothing is prorated
    assert amounts(joined(0.995, 15), prorated=True) == ["619.36"]
    assert amounts(joined(0.995, 15)) == ["1200.00"]
    assert amounts(joined(0.995, 0), prorated=True) == ["1200.00"]


def test_a_prorated_quarter_is_paid_by_its_days():
    # 75 of 90 days of 36,000
    assert amounts(joined(0.995, 15, months=3), window="quarter", prorated=True) == ["3000.00"]


def test_a_credit_of_a_version_that_nobody_knows_any_more_stays_as_it_was_stated():
    found = consequences_of([statement(0.995)], Book((network(),), 1))
    assert capped(found, Book((), 2)) == found
