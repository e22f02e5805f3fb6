"""Statements say what is payable under the caps of the month and of the term, and which cap took how much."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.agreements.book import Book
from monitor.core.agreements.consequence_rules import DamageRule
from monitor.core.objectives.consequences import capped
from monitor.core.objectives.credits import MOST_MONTHS, AccountRow, account_key, charged
from monitor.core.series.series import SeriesKey
from monitor.wire.rows import EVALUATE_ROWS
from tests.core.stage import P1, P2, Stage
from tests.core.windows.test_consequence_stories import RULES, TERMS, day_of, month


def terms(month_cap=None, term_cap=None):
    caps = {"month_cap": month_cap and Decimal(month_cap), "term_cap": term_cap and Decimal(term_cap)}
    return replace(TERMS, consequences=replace(RULES, termination=(), **caps))


def bad_months(stage, numbers, *, restart=False, looks=None, limit=200):
    """Both priorities miss all in these months: half of the fee of 1,000.00 each. Some months are not looked at."""
    for number in numbers:
        for series in (P1, P2):
            month(stage, number, 0, 2, series)
        if looks is None or number in looks:
            stage.until(day_of(number))
            if restart:
                stage.restart()
    stage.look(day_of(numbers[-1]), limit)
    while stage.evaluator.next_ms(0) == 0:
        stage.look(day_of(numbers[-1]), limit)
    return stage


def payable(stage):
    return [
        (one.series.values[0], str(one.amount), str(one.payable), one.bound_by)
        for status in stage.statements
        for one in status.consequences
        if one.kind == "credit"
    ]


@pytest.mark.parametrize("restart", [False, True])
def test_a_statement_carries_the_credit_before_and_after_the_cap_of_its_month(restart):
    assert payable(bad_months(Stage(terms(month_cap=700)), (0, 1), restart=restart)) == [
        ("P1", "500.00", "500.00", ""), ("P2", "500.00", "200.00", "month"),
        ("P1", "500.00", "500.00", ""), ("P2", "500.00", "200.00", "month"),
    ]  # fmt: skip


def test_the_cap_of_the_term_takes_what_the_month_leaves():
    assert payable(bad_months(Stage(terms(month_cap=700, term_cap=1250)), (0, 1, 2))) == [
        ("P1", "500.00", "500.00", ""), ("P2", "500.00", "200.00", "month"),
        ("P1", "500.00", "500.00", ""), ("P2", "500.00", "50.00", "term"),
        ("P1", "500.00", "0.00", "term"), ("P2", "500.00", "0.00", "term"),
    ]  # fmt: skip


def test_without_a_cap_all_of_it_is_payable():
    assert payable(bad_months(Stage(terms()), (0,))) == [
        ("P1", "500.00", "500.00", ""), ("P2", "500.00", "500.00", ""),
    ]  # fmt: skip


def test_after_a_long_stop_the_cap_of_the_term_goes_to_the_periods_that_closed_first():
    """Both priorities have missed March and April: P2's March comes before P1's April."""
    assert payable(bad_months(Stage(terms(term_cap=1250)), (0, 1), looks=())) == [
        ("P1", "500.00", "500.00", ""), ("P2", "500.00", "500.00", ""),
        ("P1", "500.00", "250.00", "term"), ("P2", "500.00", "0.00", "term"),
    ]  # fmt: skip


def test_the_periods_of_another_agreement_wait_for_nobody():
    free = replace(TERMS, id="free", consequences=replace(RULES, termination=()))
    stage = month(Stage(terms(term_cap=700), free), 0, 0, 2, P1._replace(agreement="free"))

    assert payable(bad_months(stage, (0, 1), looks=())) == [
        ("P1", "500.00", "500.00", ""),  # the free one's
        ("P1", "500.00", "500.00", ""), ("P2", "500.00", "200.00", "term"),
        ("P1", "500.00", "0.00", "term"), ("P2", "500.00", "0.00", "term"),
    ]  # fmt: skip


@settings(deadline=None, max_examples=15)
@given(
    st.integers(0, 1600),
    st.integers(0, 2500),
    st.sets(st.integers(0, 2), min_size=1),
    st.sets(st.integers(0, 2)),
    st.sampled_from([1, 200]),
)
def test_whenever_they_are_made_statements_say_what_the_caps_leave_when_all_of_them_are_known(
    month_cap, term_cap, bad, looks, limit
):
    version = terms(month_cap=month_cap or None, term_cap=term_cap or None)
    stage = bad_months(Stage(version), sorted(bad), looks=looks, limit=limit)
    assert sorted(payable(stage)) == sorted(payable(bad_months(Stage(version), sorted(bad))))
    found = [one for status in stage.statements for one in status.consequences]
    assert found == capped(found, Book((version,), 1))


def test_the_account_is_a_row_that_is_read_back_and_old_months_are_forgotten():
    kept = AccountRow({"2026-01": Decimal("12.50"), "term": Decimal("12.50")})
    assert EVALUATE_ROWS.decode(account_key("desk"), EVALUATE_ROWS.encode(account_key("desk"), kept)) == kept

    stage = bad_months(Stage(terms()), (0,))
    (credit,) = [one for one in stage.statements[0].consequences if one.kind == "credit"]
    months = {f"{1900 + number}-01": Decimal(1) for number in range(MOST_MONTHS)}
    stage.rows.put(account_key("desk"), AccountRow({**months, "term": Decimal(MOST_MONTHS)}))
    charged(stage.rows, terms(), [credit._replace(series=SeriesKey("desk", "resolution", ("P3",)))])
    spent = stage.rows.get(account_key("desk")).spent
    assert (len(spent), "1900-01" in spent, spent["term"]) == (MOST_MONTHS + 1, False, MOST_MONTHS + 500)


def test_damages_are_kept_apart_in_the_account_and_their_old_months_are_forgotten_too():
    # given an account that is full of months of both, and of terms
    rows = Stage(terms()).rows
    months = {f"{1900 + number}-01": Decimal(1) for number in range(MOST_MONTHS)}
    old = {
        **months,
        **{f"damages {name}": Decimal(2) for name in months},
        "term": Decimal(60),
        "damages term": Decimal(120),
    }
    rows.put(account_key("desk"), AccountRow(old))
    rules = replace(RULES, damages=(DamageRule("kept", "month", "fixed", Decimal(100)),), damages_term_cap=Decimal(150))

    # when a statement brings damages of 100.00
    stage = bad_months(Stage(replace(TERMS, consequences=replace(rules, credits=(), termination=()))), (0,))
    (due,) = stage.statements[0].consequences
    (found,) = charged(rows, replace(TERMS, consequences=rules), [due])

    # then only damages were granted before against their cap
    assert (found.payable, found.bound_by) == (30, "term")
    spent = rows.get(account_key("desk")).spent
    assert (spent["damages term"], spent["term"], spent["damages 2026-03"]) == (150, 60, 30)
    assert ("1900-01" in spent, "damages 1900-01" in spent, "damages 1901-01" in spent) == (True, False, True)
