"""Calendars: golden vectors of domain.md §10, the traps of §11, the laws, and an oracle that reads minutes.

The oracle knows nothing of spans, offsets or sums: it reads each minute in the zone with ``whenever`` and asks whether
the reading lies in the hours.
"""

from __future__ import annotations

import sys
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from whenever import Instant

from monitor.core.time.calendar import EARLIEST_MS, LATEST_MS, AlwaysOpen, Calendar
from monitor.core.time.opening_hours import CalendarRangeError, CalendarSpec, year_start_ms
from monitor.core.time.spans import Span, measure, subtract

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR


def hm(text):
    """ "09:30" as minutes of the day; "24:00" is 1440."""
    hours, minutes = text.split(":")
    return int(hours) * 60 + int(minutes)


def hours(text):
    """ "09:00-12:00 13:00-17:00" as the intervals of a day."""
    return tuple((hm(a), hm(b)) for a, b in (part.split("-") for part in text.split()))


def week(workday, saturday="", sunday=""):
    return (hours(workday),) * 5 + (hours(saturday), hours(sunday))


def daily(text):
    return week(text, text, text)


def calendar(pattern, zone="UTC", *, holidays=(), holiday_zone=None, exceptions=None, partial=None, names=None):
    partial = {date.fromisoformat(day): hours(text) for day, text in (partial or {}).items()}
    return Calendar(
        CalendarSpec(
            zone=zone,
            hours=pattern,
            holidays=frozenset(date.fromisoformat(day) for day in holidays) | frozenset(partial),
            holiday_zone=holiday_zone,
            exceptions={date.fromisoformat(day): hours(text) for day, text in (exceptions or {}).items()},
            partial=partial,
            names={date.fromisoformat(day): name for day, name in (names or {}).items()},
        )
    )


def at(text, zone="UTC", fold=0):
    """The instant of a local time, as "2026-03-29 01:30"."""
    local = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold)
    return round(local.timestamp() * 1000)


def local(instant_ms, zone="UTC"):
    return datetime.fromtimestamp(instant_ms / 1000, ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M")


def open_hours(of, day, zone="UTC", until=None):
    """Elapsed hours of a local day."""
    start = datetime.fromisoformat(day)
    end = datetime.fromisoformat(until) if until else start + timedelta(days=1)
    return of.elapsed(at(str(start), zone), at(str(end), zone)) / HOUR


OFFICE = week("09:00-17:00")


# --- golden vectors (domain.md §10) -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("closed", "due"),
    [([], "2016-11-13 21:00"), (["13"], "2016-11-14 21:00"), (["11", "13"], "2016-11-15 21:00")],
)
@pytest.mark.parametrize("written_as", ["holidays", "exceptions"])
def test_golden_48_hours_in_daily_hours_from_9_to_21(closed, due, written_as):
    days = [f"2016-11-{day}" for day in closed]
    closing = {"holidays": days} if written_as == "holidays" else {"exceptions": dict.fromkeys(days, "")}
    of = calendar(daily("09:00-21:00"), **closing)

    assert local(of.due(at("2016-11-09 23:00"), 48 * HOUR)) == due


def test_golden_friday_half_past_four_plus_an_hour_is_monday_half_past_nine():
    assert local(calendar(OFFICE).due(at("2026-11-20 16:30"), HOUR)) == "2026-11-23 09:30"


# --- clock changes (domain.md §11) ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("zone", "day", "length"),
    [
        ("Europe/Berlin", "2026-03-29", 23),
        ("Europe/Berlin", "2026-10-25", 25),
        ("Europe/Berlin", "2026-06-01", 24),
        ("Australia/Lord_Howe", "2026-10-04", 23.5),
        ("Australia/Lord_Howe", "2026-04-05", 24.5),
        # a zone that stopped DST: 2018 was the last spring change
        ("America/Sao_Paulo", "2018-11-04", 23),
        ("America/Sao_Paulo", "2019-11-03", 24),
        ("Europe/Istanbul", "2015-10-25", 24),
        ("Europe/Istanbul", "2016-10-30", 24),
    ],
)
def test_a_day_around_the_clock_is_as_long_as_the_clocks_make_it(zone, day, length):
    assert open_hours(calendar(daily("00:00-24:00"), zone), day, zone) == length


@pytest.mark.parametrize(("saturday", "length"), [("2026-03-28", 23), ("2026-10-24", 25), ("2026-06-06", 24)])
def test_nine_to_nine_is_23_hours_in_the_spring_change_and_25_in_the_autumn_change(saturday, length):
    of = calendar(week("", "09:00-09:00"), "Europe/Berlin")
    start = at(f"{saturday} 00:00", "Europe/Berlin")

    assert of.elapsed(start, start + 3 * DAY) == length * HOUR


def test_a_due_instant_across_a_change_counts_real_hours():
    of = calendar(daily("00:00-24:00"), "Europe/Berlin")

    assert local(of.due(at("2026-03-28 12:00", "Europe/Berlin"), DAY), "Europe/Berlin") == "2026-03-29 13:00"
    assert local(of.due(at("2026-10-24 12:00", "Europe/Berlin"), DAY), "Europe/Berlin") == "2026-10-25 11:00"


@pytest.mark.parametrize(
    ("interval", "length"),
    [
        ("01:00-04:00", 2),
        ("02:00-03:00", 0),  # no instant has such a reading
        ("02:15-02:45", 0),
        ("02:30-05:00", 2),  # opens at 03:00
        ("00:00-02:30", 2),  # closes at what would have been 02:00
    ],
)
def test_nonexistent_local_times_are_read_by_no_instant(interval, length):
    # Berlin, 29 March 2026: 02:00 becomes 03:00.
    assert open_hours(calendar(daily(interval), "Europe/Berlin"), "2026-03-29", "Europe/Berlin") == length


@pytest.mark.parametrize(
    ("interval", "length"),
    [
        ("01:00-04:00", 4),
        ("02:00-03:00", 2),
        ("02:15-02:45", 1),
        ("02:30-05:00", 3),  # 02:30-03:00, then 02:30-05:00 of the second reading
        ("00:00-02:30", 3),
    ],
)
def test_repeated_local_times_are_open_at_both_readings(interval, length):
    # Berlin, 25 October 2026: 03:00 becomes 02:00.
    assert open_hours(calendar(daily(interval), "Europe/Berlin"), "2026-10-25", "Europe/Berlin") == length


def test_an_interval_that_begins_in_a_repeated_hour_closes_between_its_two_readings():
    of = calendar(daily("02:30-05:00"), "Europe/Berlin")
    first, second = (at("2026-10-25 02:30", "Europe/Berlin", fold) for fold in (0, 1))

    assert of.open_spans(first - HOUR, first + 4 * HOUR) == [
        Span(first, first + HOUR // 2),
        Span(second, second + 5 * HOUR // 2),
    ]


def test_a_date_that_a_zone_skipped_has_no_hours():
    # Samoa went from Thursday 29 to Saturday 31 December 2011.
    of = calendar(week("09:00-17:00"), "Pacific/Apia")

    assert local(of.due(at("2011-12-29 16:00", "Pacific/Apia"), 2 * HOUR), "Pacific/Apia") == "2012-01-02 10:00"


@pytest.mark.parametrize(
    "zone", ["UTC", "Europe/Berlin", "Australia/Lord_Howe", "America/Sao_Paulo", "Pacific/Apia", "Africa/Casablanca"]
)
@pytest.mark.parametrize(
    "written_as", ["00:00-24:00", "00:00-00:00", "09:00-09:00", "06:00-14:00 14:00-22:00 22:00-06:00"]
)
def test_around_the_clock_in_any_writing_and_zone_has_no_gap_and_equals_always(written_as, zone):
    of = calendar(daily(written_as), zone)
    start, end = at("2009-07-01 00:00"), at("2013-02-03 04:05")

    assert of.open_spans(start, end) == Calendar.always().open_spans(start, end) == [Span(start, end)]
    assert of.elapsed(start, end) == Calendar.always().elapsed(start, end)
    assert of.due(start, 30 * DAY) == Calendar.always().due(start, 30 * DAY)


# --- hours ------------------------------------------------------------------------------------------------------------


def test_lunch_and_split_shifts_are_not_open():
    of = calendar(week("08:00-12:00 13:00-17:00"))

    assert open_hours(of, "2026-11-23") == 8
    assert local(of.due(at("2026-11-23 11:30"), HOUR)) == "2026-11-23 13:30"


def test_a_due_instant_is_the_closing_time_and_not_the_next_opening():
    assert local(calendar(OFFICE).due(at("2026-11-20 16:30"), HOUR // 2)) == "2026-11-20 17:00"


def test_an_overnight_shift_runs_into_the_next_day():
    # Friday 22:00 to Saturday 06:00 is Friday's shift
    of = calendar(week("22:00-06:00"))

    assert of.open_spans(at("2026-11-20 12:00"), at("2026-11-23 12:00")) == [
        Span(at("2026-11-20 22:00"), at("2026-11-21 06:00"))
    ]


def test_adjacent_spans_are_one_overnight_and_next_morning_also_at_the_turn_of_a_year():
    of = calendar(daily("20:00-06:00 06:00-08:00"))

    for evening in ("2026-11-20", "2026-12-31", "2027-12-31"):
        start = at(f"{evening} 20:00")
        assert of.open_spans(start - HOUR, start + 13 * HOUR) == [Span(start, start + 12 * HOUR)]


def test_overlapping_hours_count_once():
    assert open_hours(calendar(daily("09:00-13:00 12:00-17:00 10:00-11:00")), "2026-11-23") == 8


def test_24_00_is_the_end_of_the_day():
    of = calendar(week("18:00-24:00"))

    assert open_hours(of, "2026-11-23") == 6
    assert not of.is_open(at("2026-11-21 00:00"))


# --- holidays and exceptions ------------------------------------------------------------------------------------------


def test_a_holiday_closes_its_day():
    of = calendar(OFFICE, "Europe/Berlin", holidays=["2026-12-25"])

    assert local(of.due(at("2026-12-24 16:30", "Europe/Berlin"), HOUR), "Europe/Berlin") == "2026-12-28 09:30"


def test_a_holiday_in_another_zone_than_the_schedule_closes_that_zones_day():
    # The desk works in Kolkata (+05:30) and keeps the 4th of July of New York (-04:00): 09:30 to 09:30 in Kolkata.
    of = calendar(daily("00:00-24:00"), "Asia/Kolkata", holidays=["2026-07-04"], holiday_zone="America/New_York")

    assert of.elapsed(at("2026-07-04 00:00", "Asia/Kolkata"), at("2026-07-06 00:00", "Asia/Kolkata")) == DAY
    assert local(of.due(at("2026-07-04 09:00", "Asia/Kolkata"), HOUR), "Asia/Kolkata") == "2026-07-05 10:00"


def test_a_holiday_zone_that_is_the_zone_itself_changes_nothing():
    written = [
        calendar(daily("22:00-06:00"), "Europe/Berlin", holidays=["2026-12-25"], holiday_zone=zone)
        for zone in (None, "Europe/Berlin", "Europe/Paris")  # Paris has the same clock
    ]
    start, end = at("2026-12-01 00:00"), at("2027-01-01 00:00")

    first, second, third = (of.open_spans(start, end) for of in written)
    assert first == second == third


def test_a_partial_holiday_leaves_open_what_of_the_hours_lies_in_it():
    of = calendar(
        week("08:00-12:00 13:00-17:00"), partial={"2026-12-24": "10:00-15:00", "2026-12-26": "08:00-12:00"}
    )  # the 26th is a Saturday: it stays closed

    assert [open_hours(of, f"2026-12-{day}") for day in (23, 24, 25, 26)] == [8, 4, 8, 0]
    assert local(of.due(at("2026-12-24 11:30"), HOUR)) == "2026-12-24 13:30"
    assert local(of.due(at("2026-12-24 14:30"), HOUR)) == "2026-12-25 08:30"


def test_a_partial_holiday_of_another_zone_is_open_in_the_hours_of_that_zone():
    # New York's 24 December is open until noon there: until 22:30 in Kolkata, where the date began at 10:30.
    of = calendar(
        daily("00:00-24:00"), "Asia/Kolkata", partial={"2026-12-24": "00:00-12:00"}, holiday_zone="America/New_York"
    )
    start = at("2026-12-24 00:00", "Asia/Kolkata")

    assert of.elapsed(start, start + 2 * DAY) == 36 * HOUR
    assert local(of.due(start, 23 * HOUR), "Asia/Kolkata") == "2026-12-25 11:00"


def test_holidays_are_told_by_their_names_in_their_zone():
    of = calendar(
        OFFICE, "Asia/Kolkata", holidays=["2026-07-04", "2026-12-25"], holiday_zone="America/New_York",
        names={"2026-07-04": "Independence Day"},
    )  # fmt: skip
    start, end = at("2026-07-04 12:00", "Asia/Kolkata"), at("2026-12-25 12:00", "Asia/Kolkata")

    assert of.holidays(start, end) == [
        (start, at("2026-07-05 09:30", "Asia/Kolkata"), "Independence Day"),
        (at("2026-12-25 10:30", "Asia/Kolkata"), end, ""),
    ]
    assert of.holidays(start + DAY, end - DAY) == Calendar.always().holidays(start, end) == []


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"partial": {date(2026, 12, 24): ((480, 720),)}}, "one of the holidays"),
        (
            {"holidays": frozenset([date(2026, 12, 24)]), "partial": {date(2026, 12, 24): ((1320, 360),)}},
            "does not pass midnight",
        ),
    ],
)
def test_a_partial_holiday_that_is_none_or_passes_midnight_is_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        CalendarSpec(zone="UTC", hours=OFFICE, **wrong)


def test_a_partial_holiday_can_be_written_as_an_exception_that_opens_a_part_of_it():
    of = calendar(OFFICE, holidays=["2026-12-24", "2026-12-25"], exceptions={"2026-12-24": "09:00-12:00"})

    assert open_hours(of, "2026-12-24") == 3
    assert open_hours(of, "2026-12-25") == 0


def test_an_exception_replaces_the_hours_of_its_date_and_can_open_a_closed_one():
    of = calendar(OFFICE, exceptions={"2026-11-23": "10:00-11:00", "2026-11-24": "", "2026-11-28": "08:00-12:00"})

    assert [open_hours(of, f"2026-11-{day}") for day in (23, 24, 25, 28, 29)] == [1, 0, 8, 4, 0]


@pytest.mark.parametrize("closing", [{"holidays": ["2026-12-25"]}, {"exceptions": {"2026-12-25": ""}}])
def test_a_holiday_over_midnight_cuts_the_shift_into_it_and_not_the_morning_after(closing):
    #   24 Dec 22:00 ──┤00:00    25 Dec: closed    00:00├── 06:00 26 Dec
    of = calendar(daily("22:00-06:00"), **closing)

    assert of.open_spans(at("2026-12-24 12:00"), at("2026-12-26 12:00")) == [
        Span(at("2026-12-24 22:00"), at("2026-12-25 00:00")),
        Span(at("2026-12-26 00:00"), at("2026-12-26 06:00")),
    ]


def test_an_overnight_exception_runs_into_the_next_day_whatever_that_is():
    of = calendar(
        OFFICE, holidays=["2027-01-01"], exceptions={"2026-12-31": "20:00-04:00", "2027-01-01": "10:00-16:00"}
    )

    assert of.open_spans(at("2026-12-31 00:00"), at("2027-01-02 00:00")) == [
        Span(at("2026-12-31 20:00"), at("2027-01-01 04:00")),
        Span(at("2027-01-01 10:00"), at("2027-01-01 16:00")),
    ]


def test_a_pause_across_a_holiday_takes_only_open_time_away():
    # Wednesday 23rd 09:00 to Monday 28th 17:00; paused Thursday 12:00 to Monday 10:00; Friday is a holiday
    of = calendar(OFFICE, holidays=["2026-12-25"])
    span = (at("2026-12-23 09:00"), at("2026-12-28 17:00"))
    pauses = [(at("2026-12-24 12:00"), at("2026-12-28 10:00")), (at("2026-12-24 13:00"), at("2026-12-24 14:00"))]

    worked = subtract(of.open_spans(*span), pauses)

    assert of.elapsed(*span) == 24 * HOUR
    assert measure(worked) == (8 + 3 + 7) * HOUR


# --- around the clock as a type ---------------------------------------------------------------------------------------


def test_24x7_is_a_type_whose_elapsed_is_the_plain_difference():
    of = Calendar.always()

    assert isinstance(of, AlwaysOpen)
    assert of.elapsed(100, 350) == 250
    assert of.elapsed(350, 100) == 0
    assert of.due(100, 250) == 350
    assert of.is_open(7)
    assert of.next_open(7) == 7
    assert of.open_spans(5, 5) == []


def test_24x7_has_no_range():
    of = Calendar.always()

    assert (
        of.elapsed(at("1900-01-01 00:00"), at("9999-01-01 00:00")) == (date(9999, 1, 1) - date(1900, 1, 1)).days * DAY
    )


def test_24x7_refuses_a_negative_budget_too():
    with pytest.raises(ValueError, match="not negative"):
        Calendar.always().due(0, -1)


# --- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "spec",
    [
        {"pattern": week("")},
        {"pattern": week(""), "exceptions": {"2026-01-01": ""}},
        # The only interval lies in the hour that Berlin skipped on that day.
        {"pattern": week(""), "zone": "Europe/Berlin", "exceptions": {"2026-03-29": "02:00-03:00"}},
        # ... beyond the range
        {"pattern": week(""), "exceptions": {"2345-01-01": "09:00-10:00"}},
    ],
)
def test_a_calendar_without_open_time_is_refused(spec):
    with pytest.raises(ValueError, match="no open time"):
        calendar(**spec)


def test_a_calendar_whose_holidays_close_every_day_is_refused():
    sundays = {date(1969, 12, 28) + timedelta(weeks=n) for n in range(12_100)}

    with pytest.raises(ValueError, match="no open time"):
        Calendar(CalendarSpec(zone="UTC", hours=week("", "", "10:00-12:00"), holidays=frozenset(sundays)))


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "Europe", "../etc/passwd", "CEST+"])
def test_an_unknown_zone_is_refused_with_its_name(zone):
    with pytest.raises(ValueError, match="no IANA time zone"):
        calendar(OFFICE, zone)


@pytest.mark.parametrize("zone", ["Mars/Olympus", ""])
def test_an_unknown_holiday_zone_is_refused_too(zone):
    with pytest.raises(ValueError, match=f"the name '{zone}'"):
        calendar(OFFICE, holiday_zone=zone)


def test_a_week_of_six_days_is_refused():
    with pytest.raises(ValueError, match="seven days, Monday first, not 6"):
        CalendarSpec(zone="UTC", hours=OFFICE[:6])


@pytest.mark.parametrize("interval", [(-1, 60), (1440, 60), (0, 1441), (60, -1)])
def test_an_interval_outside_the_day_is_refused(interval):
    with pytest.raises(ValueError, match="minutes of the day"):
        CalendarSpec(zone="UTC", hours=((interval,), *OFFICE[1:]))


@pytest.mark.parametrize("where", ["holidays", "exceptions"])
def test_a_time_of_day_in_place_of_a_date_is_refused_for_it_would_close_nothing(where):
    noon = datetime(2026, 12, 25, 12, tzinfo=UTC)
    what = {"holidays": frozenset([noon])} if where == "holidays" else {"exceptions": {noon: ()}}

    with pytest.raises(ValueError, match="without a time of day"):
        CalendarSpec(zone="UTC", hours=OFFICE, **what)


# --- edges of questions -----------------------------------------------------------------------------------------------


def test_a_stop_before_the_start_has_elapsed_nothing():
    assert calendar(OFFICE).elapsed(at("2026-11-23 12:00"), at("2026-11-23 11:00")) == 0


def test_an_empty_budget_is_due_at_the_start_also_in_closed_time():
    night = at("2026-11-23 03:00")

    assert calendar(OFFICE).due(night, 0) == night


def test_a_negative_budget_is_refused():
    with pytest.raises(ValueError, match="not negative"):
        calendar(OFFICE).due(at("2026-11-23 12:00"), -1)


@pytest.mark.parametrize("far", ["1900-01-01 00:00", "1969-12-31 23:59", "2200-01-01 00:01", "9999-12-31 00:00"])
def test_years_1900_and_9999_are_refused_at_once(far):
    of = calendar(OFFICE)
    now, then = at("2026-11-23 12:00"), at(far)

    for question in (
        lambda: of.elapsed(min(now, then), max(now, then)),
        lambda: of.due(then, HOUR),
        lambda: of.is_open(then),
        lambda: of.next_open(then),
        lambda: of.open_spans(then, then + 1),
    ):
        with pytest.raises(CalendarRangeError, match="from 1970 to the end of 2199"):
            question()
    assert of._starts == []


def test_a_budget_that_outlasts_the_range_is_refused():
    with pytest.raises(CalendarRangeError, match="ends with the year 2199"):
        calendar(OFFICE).due(at("2026-11-23 12:00"), sys.maxsize)


def test_whether_a_budget_lasts_is_known_without_keeping_any_year():
    of = calendar(OFFICE)

    assert of.lasts(at("2199-12-30 09:00"), 16 * HOUR)
    assert not of.lasts(at("2199-12-30 09:00"), 16 * HOUR + 1)
    assert of._starts == []
    assert Calendar.always().lasts(0, sys.maxsize)


def test_nothing_opens_after_the_last_exception():
    of = calendar(week(""), exceptions={"2026-11-23": "09:00-10:00"})

    assert of.next_open(at("2020-01-01 00:00")) == at("2026-11-23 09:00")
    assert of.due(at("2020-01-01 00:00"), HOUR) == at("2026-11-23 10:00")
    with pytest.raises(CalendarRangeError):
        of.next_open(at("2026-11-23 10:00"))
    with pytest.raises(CalendarRangeError):
        of.due(at("2020-01-01 00:00"), HOUR + 1)


def test_the_whole_range_can_be_asked_for_and_stays_small():
    of = calendar(week("08:00-12:00 13:00-17:00"))

    weekdays = sum(
        date.fromordinal(day).weekday() < 5 for day in range(date(1970, 1, 1).toordinal(), date(2200, 1, 1).toordinal())
    )

    assert of.elapsed(EARLIEST_MS, LATEST_MS) == weekdays * 8 * HOUR
    assert of.due(EARLIEST_MS, weekdays * 8 * HOUR) == at("2199-12-31 17:00")
    assert sum(sys.getsizeof(kept) + 32 * len(kept) for kept in (of._starts, of._cum)) < 12_000_000


@pytest.mark.parametrize(
    "first_asked", ["1975-06-01 00:00", "2026-12-31 23:59", "2027-01-01 00:00", "2150-01-01 00:00"]
)
@pytest.mark.parametrize("pattern", [daily("20:00-08:00"), OFFICE, daily("00:00-24:00")])
def test_answers_do_not_depend_on_the_year_that_was_asked_for_first(first_asked, pattern):
    of = calendar(pattern, "America/New_York")
    of.is_open(at(first_asked))
    fresh = calendar(pattern, "America/New_York")
    start, end = at("2024-02-29 12:00"), at("2029-03-01 12:00")

    assert of.elapsed(start, end) == fresh.elapsed(start, end)
    assert of.open_spans(start, end) == fresh.open_spans(start, end)
    assert of.due(start, fresh.elapsed(start, end)) == fresh.due(start, fresh.elapsed(start, end))


def test_whether_it_is_open_and_when_it_opens_next():
    of = calendar(OFFICE)

    assert [of.is_open(at(f"2026-11-23 {time}")) for time in ("08:59", "09:00", "16:59", "17:00")] == [
        False,
        True,
        True,
        False,
    ]
    assert of.next_open(at("2026-11-23 12:34")) == at("2026-11-23 12:34")
    assert of.next_open(at("2026-11-20 17:00")) == at("2026-11-23 09:00")
    assert calendar(week("", "", "10:00-11:00"), holidays=["2027-01-03"]).next_open(at("2026-12-31 23:00")) == at(
        "2027-01-10 10:00"
    )


def test_open_spans_are_cut_at_the_ends_of_the_question():
    of = calendar(OFFICE)
    noon = at("2026-11-23 12:00")

    assert of.open_spans(noon, noon + HOUR) == [Span(noon, noon + HOUR)]
    assert of.open_spans(noon, noon) == []
    assert of.open_spans(at("2026-11-21 00:00"), at("2026-11-23 00:00")) == []


# --- laws, on random calendars ----------------------------------------------------------------------------------------

ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "America/Sao_Paulo",
    "Asia/Kathmandu",
    "Pacific/Apia",
]
# The days about a change of one of the zones, the turn of a year, and plain ones.
DATES = [
    date(2026, 3, 29), date(2026, 10, 25), date(2026, 3, 8), date(2026, 11, 1), date(2026, 4, 5), date(2026, 10, 4),
    date(2018, 11, 4), date(2018, 2, 18), date(2011, 12, 30), date(2026, 12, 31), date(2024, 2, 29), date(2026, 7, 15),
]  # fmt: skip

quarter_hours = st.integers(0, 95).map(lambda n: n * 15)
intervals = st.tuples(quarter_hours, st.integers(0, 96).map(lambda n: n * 15))
day_hours = st.lists(intervals, max_size=2).map(tuple)
budgets = st.integers(1, 40 * HOUR)


def within_the_day(parts):
    return tuple((start, end) for start, end in parts if start < end)


@st.composite
def specs_near_a_date(draw):
    """A random specification with holidays and exceptions near a date, and the UTC midnight of that date."""
    day = draw(st.sampled_from(DATES))
    near = st.integers(-2, 2).map(lambda by: day + timedelta(days=by))
    weekly = draw(st.tuples(*[day_hours] * 7).filter(any))
    partial = draw(st.dictionaries(near, day_hours.map(within_the_day), max_size=1))
    spec = CalendarSpec(
        zone=draw(st.sampled_from(ZONES)),
        hours=weekly,
        holidays=draw(st.frozensets(near, max_size=2)) | frozenset(partial),
        partial=partial,
        holiday_zone=draw(st.none() | st.sampled_from(ZONES)),
        exceptions=draw(st.dictionaries(near, day_hours, max_size=2)),
    )
    return spec, at(f"{day} 00:00")


def date_of(reading):
    return date(reading.year, reading.month, reading.day)


def reads_as_open(spec, instant_ms):
    """The definition of open, word by word, for one instant."""

    def holds(day, reading, parts):
        minute = reading.hour * 60 + reading.minute
        today = date_of(reading) == day
        return any(
            (start <= minute < end if end > start else start <= minute) if today else (end <= start and minute < end)
            for start, end in parts
        )

    moment = Instant.from_timestamp(instant_ms // 1000)
    reading = moment.to_tz(spec.zone)
    today = date_of(reading)
    yesterday = today - timedelta(days=1)
    if yesterday in spec.exceptions and holds(yesterday, reading, spec.exceptions[yesterday]):
        return True
    if today in spec.exceptions:
        return holds(today, reading, spec.exceptions[today])
    there = moment.to_tz(spec.holiday_zone or spec.zone)
    if date_of(there) in spec.holidays and not holds(date_of(there), there, spec.partial.get(date_of(there), ())):
        return False
    return holds(today, reading, spec.hours[today.weekday()]) or holds(
        yesterday, reading, spec.hours[yesterday.weekday()]
    )


@settings(max_examples=60, deadline=None)
@given(specs_near_a_date())
def test_the_calendar_is_open_at_exactly_the_minutes_whose_reading_is(case):
    spec, midnight = case
    of = Calendar(spec)
    step = 15 * MINUTE  # all hours and all changes of these zones fall on quarters
    quarters = range(midnight - 2 * DAY, midnight + 3 * DAY, step)

    expected = [t for t in quarters if reads_as_open(spec, t)]

    assert [t for t in quarters if of.is_open(t)] == expected
    assert of.elapsed(quarters.start, quarters.stop) == len(expected) * step
    assert measure((t, t + step) for t in expected) == measure(of.open_spans(quarters.start, quarters.stop))


def test_the_oracle_agrees_minute_by_minute_where_lord_howe_turns_its_clocks():
    spec = CalendarSpec(zone="Australia/Lord_Howe", hours=daily("01:37-01:53 22:11-02:07"))
    of = Calendar(spec)
    start = at("2026-04-03 12:00")

    assert all(of.is_open(t) == reads_as_open(spec, t) for t in range(start, start + 3 * DAY, MINUTE))


@given(specs_near_a_date(), st.integers(-DAY, DAY), budgets)
@settings(deadline=None)
def test_due_is_the_smallest_instant_with_the_budget_elapsed(case, by, budget):
    of, start = Calendar(case[0]), case[1] + by

    due = of.due(start, budget)

    assert of.elapsed(start, due) == budget
    assert of.elapsed(start, due - 1) == budget - 1
    assert of.is_open(due - 1)


@given(specs_near_a_date(), st.lists(st.integers(-3 * DAY, 3 * DAY), min_size=3, max_size=3))
@settings(deadline=None)
def test_elapsed_is_additive_monotonous_and_never_more_than_the_difference(case, offsets):
    of = Calendar(case[0])
    a, b, c = sorted(case[1] + by for by in offsets)

    assert of.elapsed(a, b) + of.elapsed(b, c) == of.elapsed(a, c)
    assert 0 <= of.elapsed(a, b) <= min(b - a, of.elapsed(a, c))


@given(specs_near_a_date(), st.integers(-DAY, DAY), budgets, budgets)
@settings(deadline=None)
def test_due_instants_add_up_and_grow_with_the_budget(case, by, first, second):
    of, start = Calendar(case[0]), case[1] + by

    assert of.due(of.due(start, first), second) == of.due(start, first + second) > of.due(start, first)


@given(specs_near_a_date(), st.integers(-2 * DAY, 2 * DAY))
@settings(deadline=None)
def test_open_spans_are_in_normal_form_and_measure_what_elapsed_says(case, by):
    of = Calendar(case[0])
    start, end = case[1] - 3 * DAY, case[1] + by

    spans = of.open_spans(start, end)

    flat = [t for span in spans for t in span]
    assert flat == sorted(set(flat))
    assert measure(spans) == of.elapsed(start, end)
    if spans:
        assert of.next_open(start) == spans[0].start_ms


@given(
    st.sampled_from(ZONES),
    st.lists(quarter_hours, min_size=2, max_size=2, unique=True).map(sorted),
    st.sampled_from(DATES),
)
@example(zone="Europe/Berlin", cut=[0, 150], day=date(2026, 10, 25))
@settings(deadline=None)
def test_hours_and_their_complement_make_up_the_day_however_long_it_is(zone, cut, day):
    start, end = cut
    of = Calendar(CalendarSpec(zone=zone, hours=(((start, end),),) * 7))
    rest = Calendar(CalendarSpec(zone=zone, hours=(((end, start),),) * 7))
    noon = at(f"{day} 12:00")

    assert of.elapsed(noon - 2 * DAY, noon + 2 * DAY) + rest.elapsed(noon - 2 * DAY, noon + 2 * DAY) == 4 * DAY
    assert subtract(
        [(noon - 2 * DAY, noon + 2 * DAY)], of.open_spans(noon - 2 * DAY, noon + 2 * DAY)
    ) == rest.open_spans(noon - 2 * DAY, noon + 2 * DAY)


def test_its_open_spans_are_handed_over_in_whole_years():
    calendar = Calendar(CalendarSpec(zone="UTC", hours=(((540, 1020),),) * 5 + ((), ())))
    start_ms = year_start_ms(2026)

    found = calendar.compiled(start_ms + 1, start_ms + 2)
    more = calendar.compiled(year_start_ms(2025), year_start_ms(2027) + 1)

    assert (found.from_ms, found.to_ms) == (start_ms, year_start_ms(2027))
    assert (more.from_ms, more.to_ms) == (year_start_ms(2025), year_start_ms(2028))
    assert len(more.sums) == len(more.starts) + 1
    assert more.sums[-1] - more.sums[0] == calendar.elapsed(more.from_ms, more.to_ms)
    assert calendar.compiled(EARLIEST_MS - 1, EARLIEST_MS).from_ms == EARLIEST_MS
