"""Damages beside credits: a fixed sum, a sum by the hour beyond the target or by the case, under caps of their own."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.agreements.book import Book
from monitor.core.agreements.budget_rule import BudgetRule
from monitor.core.agreements.consequence_rules import Consequences, DamageRule
from monitor.core.agreements.objectives import Objective
from monitor.core.objectives.budget import Share, figure_of
from monitor.core.objectives.consequences import capped, consequences_of
from monitor.core.objectives.damages import damages_of
from monitor.core.series.figures import Figure, quotient
from monitor.core.time.windows import Window
from tests.core.objectives.test_consequences import DAY_MS, month_ms, network, statement

HOUR_MS = 3_600_000


def damage(basis, rate, cap=None, window="month"):
    return DamageRule("up", window, basis, Decimal(rate), None if cap is None else Decimal(cap))


def promised(indicator, comparison, target):
    return Objective(
        id="up", measure="core", indicator=indicator, comparison=comparison, target=target, windows=(Window("month"),)
    )


def due(*rules, stated, **more):
    version = network(credits=(), damages=rules, **more)
    return [(one.amount, one.payable, one.bound_by) for one in consequences_of(stated, Book((version,), 1))]


def test_a_fixed_sum_is_due_once_for_each_missed_period_and_none_for_a_kept_one():
    stated = [statement(value, number) for number, value in enumerate((0.995, 1.0, 0.5, None))]

    found = consequences_of(stated, Book((network(credits=(), damages=(damage("fixed", 5000),)),), 1))

    assert [(one.kind, one.amount, one.currency) for one in found] == [("damages", 5000, "EUR")] * 2
    assert [one.from_ms for one in found] == [month_ms(0), month_ms(2)]
    first = found[0]
    assert (first.evidence.value, first.evidence.target, first.evidence.denominator) == (0.995, 0.9995, 1e6)
    assert first.claim_until_ms == month_ms(1) + 30 * DAY_MS
    assert (first.rate, first.quantity, first.version) == (5000, 1, 1)


def test_a_miss_of_less_than_a_hundredth_owes_nothing():
    # given a miss of half a millisecond of 1,000 s
    missed = statement(0.9995 - 5e-10)
    assert missed.verdicts[0].verdict == "breached"

    assert due(damage("per_hour", 250), stated=[missed]) == []


def test_a_period_with_too_small_a_sample_owes_nothing():
    assert due(damage("fixed", 5000), stated=[statement(0.5, verdict="low_sample")]) == []
    assert due(damage("fixed", 5000, window="quarter"), stated=[statement(0.5)]) == []
    assert due(DamageRule("gone", "month", "fixed", Decimal(1)), stated=[statement(0.5)]) == []


# A month of 720 h may be down 0.05 % of it, 21 min 36 s; it was down for 1 h: 38.4 min beyond the target.
MONTH_H = 720 * HOUR_MS


@pytest.mark.parametrize(
    ("objective", "figure", "hours"),
    [
        (("availability", ">=", 0.9995), quotient("availability", MONTH_H - HOUR_MS, MONTH_H, "ratio", ""), "0.64"),
        (("downtime", "<=", 2.0 * HOUR_MS), Figure("downtime", 3.5 * HOUR_MS, 3.5 * HOUR_MS, MONTH_H, "ms", ""), "1.5"),
        (("mttr_restore", "<=", 4.0 * HOUR_MS), quotient("mttr_restore", 15 * HOUR_MS, 3, "ms", ""), "1"),
        (("mtbf", ">=", 9.0 * HOUR_MS), quotient("mtbf", 8 * HOUR_MS, 1, "ms", ""), "1"),
        (("availability", ">=", 0.9995), quotient("availability", MONTH_H - 1, MONTH_H, "ratio", ""), "0"),
    ],
)
def test_hours_beyond_the_target_are_exact_parts_of_an_hour(objective, figure, hours):
    found = damages_of(damage("per_hour", 250), promised(*objective), [figure])

    assert found.quantity == Decimal(hours)
    assert found.amount == Decimal(hours) * 250


def test_of_clocks_the_hours_are_the_sum_of_what_each_was_late():
    figures = [
        quotient("compliance", 8, 10, "ratio", ""),
        quotient("late", 2.5 * HOUR_MS, 2, "ms", ""),
    ]
    objective = promised("compliance", ">=", 0.95)

    assert damages_of(damage("per_hour", 20), objective, figures).amount == 50
    # Clocks that are overdue and still run are late by a time that is known when they stop: in the period of the stop.
    assert damages_of(damage("per_hour", 20), objective, figures[:1]).amount == 0


def test_of_timeslices_the_hours_are_those_of_the_bad_slices_beyond_the_budget():
    # given 99 % of a month's minutes promised, 720 h, and 10 h of bad ones; the whole month's figure keeps its target
    rule = BudgetRule(Window("month"), "timeslices", goal=0.99)
    version = network(credits=(), damages=(damage("per_hour", 100),))
    sliced = replace(version.objectives[0], budget=rule)
    version = replace(version, objectives=(sliced,))
    spent = figure_of(sliced, "ms", Share(10 * HOUR_MS, 720 * HOUR_MS))
    verdict = statement(1.0).verdicts[0]._replace(indicator="good_slices", value=0.986, verdict="breached")
    missed = statement(1.0)._replace(budgets=(spent,), verdicts=(verdict,))

    (found,) = consequences_of([missed], Book((version,), 1))

    assert (found.quantity, found.amount) == (Decimal("2.8"), 280)  # 10 h - 1 % of 720 h


@pytest.mark.parametrize(
    ("objective", "figure", "cases"),
    [
        (("compliance", ">=", 0.95), quotient("compliance", 8, 10, "ratio", ""), 2),
        (("abandonment", "<=", 0.05), quotient("abandonment", 7, 100, "ratio", ""), 7),
        (("failures", "<=", 3.0), Figure("failures", 5.0, 5, 1, "count", ""), 2),
        (("delivered", ">=", 100.0), Figure("delivered", 90.0, 90, 100, "count", ""), 10),
        (("failures", "<=", 3.0), Figure("failures", 2.0, 2, 1, "count", ""), 0),
    ],
)
def test_cases_are_the_bad_ones_of_a_share_and_those_beyond_the_target_of_a_number(objective, figure, cases):
    found = damages_of(damage("per_case", "12.50"), promised(*objective), [figure])

    assert (found.quantity, found.amount) == (cases, Decimal("12.5") * cases)


def test_damages_are_rounded_half_up_once():
    third = quotient("downtime", HOUR_MS // 3, 1, "ms", "")  # a third of an hour
    assert str(damages_of(damage("per_hour", "0.10"), promised("downtime", "<=", 0.0), [third]).amount) == "0.03"
    half = quotient("downtime", HOUR_MS / 2, 1, "ms", "")
    assert str(damages_of(damage("per_hour", "0.05"), promised("downtime", "<=", 0.0), [half]).amount) == "0.03"


def test_the_cap_of_a_rule_limits_a_period_and_those_of_month_and_term_the_sum():
    stated = [statement(0.5, number, service=service) for number in range(2) for service in ("access", "ring")]
    rule = damage("fixed", 5000, cap=4000)

    assert due(rule, stated=stated) == [(5000, 4000, "rule")] * 4
    month = due(rule, stated=stated, damages_month_cap=Decimal(6000))
    assert month == [(5000, 4000, "rule"), (5000, 2000, "month")] * 2
    assert [one[1:] for one in due(rule, stated=stated, damages_term_cap=Decimal(9000))] == [
        (4000, "rule"), (4000, "rule"), (1000, "term"), (0, "term"),
    ]  # fmt: skip


def test_several_rules_on_one_objective_add_up_and_credits_have_caps_of_their_own():
    version = network(
        damages=(damage("fixed", 100), damage("per_case", 2)), month_cap=Decimal(1000), damages_month_cap=Decimal(150)
    )

    found = consequences_of([statement(0.5)], Book((version,), 1))

    assert [(one.kind, one.basis, one.payable, one.bound_by) for one in found] == [
        ("credit", "", 1000, "month"), ("damages", "fixed", 100, ""), ("damages", "per_case", 50, "month"),
    ]  # fmt: skip


def test_damages_of_a_version_whose_rule_is_gone_have_the_caps_of_months_only():
    found = consequences_of([statement(0.5)], Book((network(damages=(damage("fixed", 100, cap=50),)),), 1))
    without = Book((network(damages_month_cap=Decimal(70)),), 2)

    assert [one.payable for one in capped(found, without) if one.kind == "damages"] == [70]


@given(st.permutations(range(12)), st.integers(0, 20_000), st.integers(0, 9000), st.integers(1, 4000))
def test_damages_do_not_depend_on_which_series_closed_first_and_stay_under_their_caps(order, term, month, rule):
    version = network(
        damages=(damage("fixed", 3000, cap=rule),),
        damages_month_cap=Decimal(month), damages_term_cap=Decimal(term),
    )  # fmt: skip
    book = Book((version,), 1)
    stated = [statement(0.5, number, service=service) for number in range(3) for service in ("ring", "access")]
    found = consequences_of(stated, book)

    assert capped([found[place] for place in order], book) == [found[place] for place in order]
    paid = [one.payable for one in found if one.kind == "damages"]
    assert sum(paid) <= term
    assert all(one <= rule for one in paid)
    # and credits are what they are without damages
    alone = Book((network(),), 1)
    assert [one for one in found if one.kind == "credit"] == consequences_of(stated, alone)


def test_an_agreement_with_damages_alone_has_consequences():
    assert Consequences(damages=(damage("fixed", 1),))
    assert not Consequences(damages_month_cap=Decimal(1), damages_term_cap=Decimal(1))
