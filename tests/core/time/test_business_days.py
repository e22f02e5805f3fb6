"""Due rules in business days: golden stories, edges, and an oracle that walks the days."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from whenever import Instant

from monitor.core.agreements.book import Book
from monitor.core.agreements.measures import Budget
from monitor.core.clocks import terms as plan
from monitor.core.time.business_days import CutOffs
from monitor.core.time.calendar import LATEST_MS, Calendar
from monitor.core.time.opening_hours import CalendarRangeError, OpeningHours
from tests.core.stories import MONDAY_MS, Story, agreement, clock
from tests.core.stories import OFFICE as STORY_OFFICE
from tests.core.subjects.test_subject_laws import END_MS, essence, histories
from tests.core.time.test_calendar import (  # fmt: skip
    DAY,
    HOUR,
    MINUTE,
    OFFICE,
    at,
    calendar,
    daily,
    date_of,
    hm,
    hours,
    local,
    reads_as_open,
    specs_near_a_date,
    week,
)


def due(of, start_ms, days, by):
    """The due instant of a clock that starts on these terms; its law is checked on the way."""
    budget_ms = of.budget_of_days(start_ms, days, hm(by))
    due_ms = of.due(start_ms, budget_ms)
    assert of.elapsed(start_ms, due_ms) == budget_ms > 0
    return due_ms


@pytest.mark.parametrize(
    ("start", "days", "expected"),
    [
        ("2026-11-23 10:00", 1, "2026-11-24 17:00"),  # Monday
        ("2026-11-23 10:00", 3, "2026-11-26 17:00"),
        ("2026-11-23 10:00", 5, "2026-11-30 17:00"),  # the weekend does not count
        ("2026-11-23 07:00", 1, "2026-11-24 17:00"),  # before it opens: received on that day
        ("2026-11-23 12:30", 1, "2026-11-24 17:00"),  # in the lunch break too
        ("2026-11-23 16:59", 1, "2026-11-24 17:00"),
        ("2026-11-23 17:00", 1, "2026-11-25 17:00"),  # at HH:MM: received on the next business day
        ("2026-11-23 17:30", 1, "2026-11-25 17:00"),  # still open, but after HH:MM
        ("2026-11-27 17:00", 1, "2026-12-01 17:00"),  # Friday evening: received on Monday
        ("2026-11-28 12:00", 1, "2026-12-01 17:00"),  # Saturday
    ],
)
def test_n_business_days_by_five_are_counted_from_the_day_of_receipt(start, days, expected):
    of = calendar(week("09:00-12:00 13:00-18:00"))

    assert local(due(of, at(start), days, "17:00")) == expected


def test_holidays_and_closed_days_are_no_business_days_and_opened_ones_are():
    of = calendar(
        OFFICE, "Europe/Berlin", holidays=["2026-12-25"], exceptions={"2026-12-28": "", "2027-01-02": "10:00-17:00"}
    )
    start = at("2026-12-24 10:00", "Europe/Berlin")  # Thursday

    dues = [local(due(of, start, days, "17:00"), "Europe/Berlin")[:10] for days in (1, 2, 3, 4, 5)]

    # not Friday 25, the weekend and Monday 28; Saturday 2 January is opened
    assert dues == ["2026-12-29", "2026-12-30", "2026-12-31", "2027-01-01", "2027-01-02"]


def test_a_day_that_closes_before_the_time_is_due_at_its_closing():
    of = calendar((hours("09:00-17:00"),) * 4 + (hours("09:00-15:00"), (), ()))

    assert local(due(of, at("2026-11-26 10:00"), 1, "17:00")) == "2026-11-27 15:00"


def test_a_day_that_opens_only_after_the_time_is_no_business_day():
    of = calendar(OFFICE, exceptions={"2026-11-24": "18:00-20:00"})

    assert local(due(of, at("2026-11-23 10:00"), 1, "17:00")) == "2026-11-25 17:00"


def test_overnight_shifts_count_on_the_dates_on_which_they_lie_and_24_00_is_the_end_of_one():
    night = calendar(daily("22:00-06:00"))

    assert local(due(night, at("2026-11-23 23:00"), 1, "05:00")) == "2026-11-25 05:00"
    assert local(due(night, at("2026-11-23 23:00"), 1, "24:00")) == "2026-11-25 00:00"


@pytest.mark.parametrize(
    ("start", "by", "expected"),
    [
        # Berlin skips 02:00-03:00 on 29 March 2026: nothing reads 02:30, the time before it ends at 03:00
        ("2026-03-28 01:00", "02:30", "2026-03-29 03:00"),
        # and repeats it on 25 October: the time before 02:30 ends with the second reading
        ("2026-10-24 01:00", "02:30", "2026-10-25 02:30"),
        ("2026-03-28 01:00", "17:00", "2026-03-29 17:00"),
    ],
)
def test_nonexistent_and_repeated_times_of_day_have_a_cut_off_too(start, by, expected):
    of = calendar(daily("00:00-24:00"), "Europe/Berlin")
    due_ms = due(of, at(start, "Europe/Berlin"), 1, by)

    assert local(due_ms, "Europe/Berlin") == expected
    if "10-25" in expected:
        assert due_ms == at("2026-10-25 02:30", "Europe/Berlin", fold=1)


def test_a_date_that_a_zone_skipped_is_no_business_day():
    of = calendar(daily("09:00-17:00"), "Pacific/Apia")  # there was no 30 December 2011

    assert local(due(of, at("2011-12-29 10:00", "Pacific/Apia"), 1, "17:00"), "Pacific/Apia") == "2011-12-31 17:00"


def test_a_holiday_of_another_zone_takes_the_part_of_the_day_that_it_covers():
    # The 4th of July of New York is 09:30 to 09:30 in Kolkata: Saturday keeps 09:00-09:30, Sunday 09:30-17:00.
    of = calendar(daily("09:00-17:00"), "Asia/Kolkata", holidays=["2026-07-04"], holiday_zone="America/New_York")
    start = at("2026-07-03 10:00", "Asia/Kolkata")

    assert local(due(of, start, 1, "17:00"), "Asia/Kolkata") == "2026-07-04 09:30"
    assert local(due(of, start, 2, "17:00"), "Asia/Kolkata") == "2026-07-05 17:00"


@pytest.mark.parametrize("zone", ["America/Los_Angeles", "Pacific/Kiritimati", "UTC"])
def test_the_turn_of_a_year_is_nothing_special_in_any_zone(zone):
    of = calendar(daily("00:00-24:00"), zone)
    start = at("2026-12-30 12:00", zone)

    assert [local(due(of, start, days, "23:00"), zone) for days in (1, 2, 3)] == [
        "2026-12-31 23:00", "2027-01-01 23:00", "2027-01-02 23:00",
    ]  # fmt: skip


def test_answers_do_not_depend_on_what_was_asked_before():
    of = calendar(OFFICE)
    late, early = at("2030-06-01 12:00"), at("2020-06-01 12:00")
    fresh = [calendar(OFFICE).budget_of_days(start, 7, hm("17:00")) for start in (late, early)]

    assert [of.budget_of_days(start, 7, hm("17:00")) for start in (late, early)] == fresh


def test_days_beyond_the_range_of_calendars_are_refused():
    of = calendar(OFFICE)

    assert of.has_days(at("2100-01-01 00:00"), 1000, hm("17:00"))
    assert not of.has_days(at("2199-12-30 12:00"), 10, hm("17:00"))
    for start in (at("2199-12-30 12:00"), LATEST_MS + DAY):
        with pytest.raises(CalendarRangeError, match="ends with the year 2199"):
            of.budget_of_days(start, 10, hm("17:00"))
    with pytest.raises(CalendarRangeError, match="from 1970"):
        of.budget_of_days(at("1969-06-01 12:00"), 1, hm("17:00"))


def test_around_the_clock_has_no_business_days():
    assert not Calendar.always().has_days(0, 1, 60)
    with pytest.raises(ValueError, match="no business days"):
        Calendar.always().budget_of_days(0, 1, 60)


def cut_off_by_walking(spec, start_ms, days, by_minute):
    """Read each quarter of an hour of one date after the other in the zone, and count the dates that have any."""
    first = start_ms - start_ms % (15 * MINUTE) - 2 * DAY
    last = {}
    for quarter_ms in range(first, first + 16 * DAY, 15 * MINUTE):
        reading = Instant.from_timestamp(quarter_ms // 1000).to_tz(spec.zone)
        if reading.hour * 60 + reading.minute < by_minute and reads_as_open(spec, quarter_ms):
            last[date_of(reading)] = quarter_ms + 15 * MINUTE
    after = [cut_off for cut_off in last.values() if cut_off > start_ms][:-1]  # the last date may be cut
    return after[days] if len(after) > days else None


@settings(max_examples=60, deadline=None)
@given(specs_near_a_date(), st.integers(-DAY, DAY), st.integers(1, 2), st.integers(1, 96).map(lambda n: 15 * n))
def test_the_oracle_that_walks_the_days_finds_the_same_instant(case, by, days, by_minute):
    spec, midnight = case
    cut_offs = CutOffs(OpeningHours(spec), by_minute)
    start = midnight + by
    expected = cut_off_by_walking(spec, start, days, by_minute)

    assert expected is None or cut_offs.due(start, days) == expected


DAYS_RULE = replace(
    clock("resolution", at_risk=("50%", "2h")),
    budgets={"P1": Budget(4 * HOUR, "always"), "*": Budget(0, "office", 1, hm("16:00"))},
)


def arrived(batches):
    story = Story(agreement(DAYS_RULE), retention="400d")
    for batch in batches:
        story.take(story.engine.batch(batch, 0, story.book))
    story.due(END_MS)
    return story


@settings(max_examples=60, deadline=None)
@given(histories(), st.data())
def test_law_clocks_in_business_days_do_not_depend_on_the_order_of_arrival(events, data):
    straight = arrived([[one] for one in events])
    shuffled = arrived([[one] for one in data.draw(st.permutations(events))])

    assert essence(shuffled) == essence(straight)
    for key, row in straight.rows.items():
        for one in row.clocks if key[:1] == b"s" else ():
            if one.calendar == "office":
                assert one.budget_ms == STORY_OFFICE.budget_of_days(one.start_ms, 1, hm("16:00"))


def test_the_terms_of_many_clocks_in_business_days_are_not_kept_for_ever(monkeypatch):
    monkeypatch.setattr(plan, "_MOST_TERMS", 10)
    one = agreement(DAYS_RULE)
    of = plan.Plan(Book((one,), 1))

    for start in range(100):
        terms = of.terms_for(one, DAYS_RULE, "P3", MONDAY_MS + start)
        assert terms.budget_ms == STORY_OFFICE.budget_of_days(MONDAY_MS + start, 1, hm("16:00"))
        assert len(of._terms) <= 10


@settings(max_examples=40, deadline=None)
@given(specs_near_a_date(), st.lists(st.integers(-40 * DAY, 40 * DAY), min_size=2, max_size=20), st.data())
def test_law_a_later_start_is_due_no_earlier_and_a_further_day_later(case, offsets, data):
    of = Calendar(case[0])
    by_minute = data.draw(st.sampled_from([1, 7 * 60, 17 * 60, 1440]))
    if not of.has_days(case[1] + 40 * DAY, 3, by_minute):
        return
    dues = [
        (start, due_ms, of.due(start, of.budget_of_days(start, 2, by_minute)))
        for start in sorted(case[1] + by for by in offsets)
        for due_ms in [of.due(start, of.budget_of_days(start, 1, by_minute))]
    ]
    for start, one, two in dues:
        assert start < one < two
        assert of.elapsed(start, one) == of.budget_of_days(start, 1, by_minute)
        assert of.is_open(one - 1)
    assert [one for _, one, _ in dues] == sorted(one for _, one, _ in dues)
