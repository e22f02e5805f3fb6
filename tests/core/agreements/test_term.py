"""Terms: until when an agreement holds, until when notice can be given, and what is left of a period at the end."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.agreements.book import Book
from monitor.core.agreements.consequence_rules import Consequences
from monitor.core.agreements.outlook import outlook
from monitor.core.agreements.term import Length, Term
from monitor.core.objectives.consequence import Consequence, Evidence
from monitor.core.objectives.consequences import capped
from monitor.core.series.series import SeriesKey
from monitor.core.time.periods import date_start
from tests.core.stories import agreement

YEAR, QUARTER, NOTHING = Length(months=12), Length(months=3), Length()


def at(text, zone_hours=0):
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000) - zone_hours * 3_600_000


def term(**more):
    parts = {"zone": "UTC", "start": date(2026, 1, 1), "end": date(2027, 1, 1), "notice": QUARTER, "renews": YEAR}
    return Term(**(parts | more))


def with_term(found, **more):
    return agreement(id="desk", term=found, terminates_ms=found.ends_ms, **more)


@pytest.mark.parametrize(
    ("length", "day", "after"),
    [
        (Length(months=1), date(2026, 1, 31), date(2026, 2, 28)),
        (Length(months=1), date(2028, 1, 31), date(2028, 2, 29)),
        (Length(months=14), date(2026, 12, 1), date(2028, 2, 1)),
        (Length(days=30), date(2026, 12, 15), date(2027, 1, 14)),
    ],
)
def test_a_length_is_of_the_calendar(length, day, after):
    assert length.after(day) == after


def test_a_renewal_of_the_last_day_of_a_month_does_not_drift():
    assert term(end=date(2027, 1, 31), renews=Length(months=1)).running(at("2027-04-05")).end_ms == at("2027-04-30")


def test_three_months_notice_to_the_end_of_a_year_are_given_on_30_september_at_the_latest():
    assert term().running(at("2026-05-01")).notice_until_ms == at("2026-10-01")
    assert term(notice_given=date(2026, 9, 30)).ends_ms == at("2027-01-01")
    assert term(notice_given=date(2026, 10, 1)).ends_ms == at("2028-01-01")


def test_without_a_notice_it_goes_on_year_by_year_and_without_a_renewal_it_ends():
    assert term().ends_ms is None
    assert term().running(at("2031-07-01"))[:2] == (at("2031-01-01"), at("2032-01-01"))
    assert term(renews=None).ends_ms == at("2027-01-01")
    assert term(renews=None).running(at("2031-07-01"))[:2] == (at("2026-01-01"), at("2027-01-01"))


def test_without_a_notice_period_the_last_day_of_the_term_is_early_enough():
    assert term(notice=NOTHING, notice_given=date(2026, 12, 31)).ends_ms == at("2027-01-01")
    assert term(notice=NOTHING, notice_given=date(2027, 1, 1)).ends_ms == at("2028-01-01")


def test_a_term_is_of_days_in_its_zone():
    assert term(zone="Europe/Berlin", renews=None).ends_ms == at("2027-01-01", 1)


def test_nobody_is_told_of_an_agreement_without_an_end():
    assert outlook(agreement(), at("2026-05-01")) is None


@pytest.mark.parametrize(
    ("found", "now", "standing", "end", "until"),
    [
        (term(), "2026-05-01", "running", "2027-01-01", "2026-10-01"),
        (term(), "2026-09-01", "notice_due", "2027-01-01", "2026-10-01"),
        (term(), "2026-10-01", "running", "2027-01-01", "2026-10-01"),
        (term(), "2027-01-01", "running", "2028-01-01", "2027-10-01"),
        (term(notice_given=date(2026, 9, 1)), "2026-09-15", "running", "2027-01-01", None),
        (term(notice_given=date(2026, 9, 1)), "2026-12-02", "ending", "2027-01-01", None),
        (term(notice_given=date(2026, 9, 1)), "2027-01-01", "over", "2027-01-01", None),
        (term(notice_given=date(2026, 11, 1)), "2026-12-15", "running", "2028-01-01", None),
        (term(renews=None, warn=Length(months=3)), "2026-10-15", "ending", "2027-01-01", None),
    ],
)
def test_people_are_told_before_the_last_day_of_a_notice_and_before_the_end(found, now, standing, end, until):
    seen = outlook(with_term(found), at(now))
    assert (seen.standing, seen.end_ms) == (standing, at(end))
    assert seen.notice_until_ms == (at(until) if until else None)


def test_a_termination_comes_before_the_end_of_the_term():
    seen = outlook(agreement(term=term(), terminates_ms=at("2026-06-01")), at("2026-05-15"))
    assert (seen.end_ms, seen.notice_until_ms, seen.standing) == (at("2026-06-01"), None, "ending")


def test_a_termination_without_a_term_is_told_too():
    seen = outlook(agreement(terminates_ms=at("2026-06-01")), at("2026-05-15"))
    assert (seen.start_ms, seen.end_ms, seen.standing) == (0, at("2026-06-01"), "ending")


dates = st.dates(date(2026, 1, 1), date(2040, 12, 31))
lengths = st.builds(Length, st.integers(1, 36), st.integers(0, 40))


@given(dates, dates, st.builds(Length, st.integers(0, 3), st.integers(0, 90)), lengths)
def test_law_an_end_is_that_of_the_first_term_whose_notice_was_still_possible(given_on, asked, notice, renews):
    found = term(end=date(2027, 6, 30), notice=notice, renews=renews)
    noticed = found._replace(notice_given=given_on)
    ends = [found.end]
    while given_on >= notice.before(ends[-1]):
        ends.append(renews.after(found.end, len(ends)))
    assert noticed.ends_ms == date_start("UTC", ends[-1])
    # terms follow each other without a gap, up to the last one
    now_ms = date_start("UTC", asked)
    running = noticed.running(now_ms)
    assert running.end_ms <= noticed.ends_ms
    assert running.start_ms <= now_ms < running.end_ms or running.end_ms == noticed.ends_ms <= now_ms


def credit(month, amount):
    from_ms, to_ms = at(f"{month}-01"), at(f"{month}-28")
    evidence = Evidence("compliance", 0.5, 0.9, 1, 2, "")
    series = SeriesKey("desk", "resolution", ())
    return Consequence(
        "desk", 1, "kept", series, "month", from_ms, to_ms, "credit", evidence, Decimal(amount), Decimal(amount)
    )


def test_the_cap_of_a_term_begins_anew_with_each_term():
    of_term = Consequences(currency="EUR", term_cap=Decimal(100))
    credits_due = [credit("2026-03", 80), credit("2026-12", 80), credit("2027-01", 80)]
    book = Book((with_term(term(), consequences=of_term),))
    assert [one.payable for one in capped(credits_due, book)] == [80, 20, 80]
    book = Book((agreement(id="desk", consequences=of_term),))
    assert [one.payable for one in capped(credits_due, book)] == [80, 20, 0], "without a term it is all one"
