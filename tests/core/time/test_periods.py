"""Calendar periods, pane starts and what a window covers."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.time.periods import covered_ms, day_start, pane_start, period, period_date, period_name, window_span
from monitor.core.time.windows import Window

HOUR = 3_600_000
DAY = 24 * HOUR
ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/Sao_Paulo",  # its clock used to change at midnight: days that begin at 01:00
    "America/St_Johns",  # its clock used to be put back over midnight, one minute after it
    "Australia/Lord_Howe",  # half an hour
    "Asia/Kathmandu",  # +05:45
    "Pacific/Apia",  # skipped 2011-12-30
    "Africa/Monrovia",  # -00:44:30 until 1972
    "Asia/Gaza",
)
KINDS = ("day", "week", "month", "quarter", "year")

zones = st.sampled_from(ZONES)
instants = st.integers(0, 4_102_444_800_000)  # 1970 .. 2100


def at(zone: str, *local: int) -> int:
    return int(datetime(*local, tzinfo=ZoneInfo(zone)).timestamp() * 1000)


def test_a_day_begins_at_local_midnight():
    assert day_start("Europe/Berlin", at("Europe/Berlin", 2026, 7, 1, 23, 59)) == at("Europe/Berlin", 2026, 7, 1)


@pytest.mark.parametrize(("day", "hours"), [((2026, 3, 29), 23), ((2026, 10, 25), 25), ((2026, 6, 1), 24)])
def test_a_day_in_which_the_clock_changes_has_23_or_25_hours(day, hours):
    start, end = period("Europe/Berlin", "day", at("Europe/Berlin", *day, 12))
    assert end - start == hours * HOUR


def test_lord_howe_days_differ_by_half_an_hour():
    start, end = period("Australia/Lord_Howe", "day", at("Australia/Lord_Howe", 2026, 4, 5, 12))
    assert end - start == 24.5 * HOUR


def test_months_with_a_clock_change_differ_by_an_hour():
    march = period("Europe/Berlin", "month", at("Europe/Berlin", 2026, 3, 15))
    october = period("Europe/Berlin", "month", at("Europe/Berlin", 2026, 10, 15))
    assert march.end_ms - march.start_ms == 31 * DAY - HOUR
    assert october.end_ms - october.start_ms == 31 * DAY + HOUR


def test_a_day_whose_midnight_is_skipped_begins_when_the_clock_goes_on():
    # Sao Paulo, 2018-11-04: from 23:59:59 to 01:00:00.
    start = day_start("America/Sao_Paulo", at("America/Sao_Paulo", 2018, 11, 4, 12))
    assert start == at("America/Sao_Paulo", 2018, 11, 4, 1)
    assert day_start("America/Sao_Paulo", start - 1) == at("America/Sao_Paulo", 2018, 11, 3)


def test_a_day_whose_midnight_falls_into_the_middle_of_a_gap_begins_at_its_change():
    # Toronto, 1919-03-30, is the classic: 23:30 is followed by 00:30. Its day begins with that 00:30.
    start, end = period("America/Toronto", "day", at("America/Toronto", 1919, 3, 31, 12))
    assert datetime.fromtimestamp(start / 1000, ZoneInfo("America/Toronto")).time().isoformat() == "00:30:00"
    assert end - start == 23.5 * HOUR


def test_a_clock_put_back_over_midnight_does_not_bring_the_old_day_back():
    # St. John's, 2006-10-29: at 00:01 the clock went back to 23:01 of the day before.
    new_day = at("America/St_Johns", 2006, 10, 29)
    assert [day_start("America/St_Johns", new_day + minutes * 60_000) for minutes in (0, 1, 30, 61, 120)] == [
        new_day
    ] * 5


def test_a_date_that_a_zone_skipped_is_an_empty_day():
    # Samoa had no 30 December 2011.
    before = period("Pacific/Apia", "day", at("Pacific/Apia", 2011, 12, 29, 12))
    after = period("Pacific/Apia", "day", at("Pacific/Apia", 2011, 12, 31, 12))
    assert before.end_ms == after.start_ms


def test_weeks_begin_on_monday():
    zone = "America/New_York"
    assert period(zone, "week", at(zone, 2026, 11, 1, 12)) == (at(zone, 2026, 10, 26), at(zone, 2026, 11, 2))


@pytest.mark.parametrize(
    ("kind", "first", "after"),
    [
        ("month", (2026, 11, 1), (2026, 12, 1)),
        ("quarter", (2026, 10, 1), (2027, 1, 1)),
        ("year", (2026, 1, 1), (2027, 1, 1)),
    ],
)
def test_longer_periods_begin_on_their_first_day(kind, first, after):
    zone = "Europe/Berlin"
    assert period(zone, kind, at(zone, 2026, 11, 30, 23)) == (at(zone, *first), at(zone, *after))


def test_a_leap_february_has_29_days():
    start, end = period("UTC", "month", at("UTC", 2028, 2, 29))
    assert end - start == 29 * DAY


def test_a_period_is_named_by_its_local_date():
    zone = "Pacific/Auckland"
    assert period_date(zone, period(zone, "month", at(zone, 2026, 11, 20)).start_ms) == "2026-11-01"


def test_a_rolling_window_is_no_period():
    with pytest.raises(ValueError, match="no calendar period"):
        period("UTC", "rolling", 0)


def test_an_unknown_zone_is_refused():
    with pytest.raises(ZoneInfoNotFoundError):
        day_start("Europe/Atlantis", 0)


@given(zones, instants)
@settings(max_examples=200)
def test_law_a_day_holds_its_instant_and_reads_its_date_or_the_one_before_it(zone, instant):
    start, end = period(zone, "day", instant)
    assert start <= instant < end
    assert day_start(zone, instant) == start
    local = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=instant)
    # Only a clock that was put back over midnight reads the day before.
    date = local.astimezone(ZoneInfo(zone)).date()
    assert period_date(zone, start) in {date.isoformat(), (date + timedelta(days=1)).isoformat()}


@given(zones, st.sampled_from(KINDS), instants)
@settings(max_examples=200)
def test_law_periods_follow_each_other_without_gap_or_overlap(zone, kind, instant):
    start, end = period(zone, kind, instant)
    assert start <= instant < end
    assert period(zone, kind, start) == period(zone, kind, end - 1) == (start, end)
    assert period(zone, kind, end).start_ms == end
    assert day_start(zone, start) == start


@given(zones, instants)
def test_law_a_day_lies_in_one_period_of_each_kind(zone, instant):
    day = period(zone, "day", instant)
    for kind in KINDS:
        whole = period(zone, kind, instant)
        assert whole.start_ms <= day.start_ms
        assert day.end_ms <= whole.end_ms


@given(zones, st.lists(instants, max_size=6))
def test_law_the_answer_does_not_depend_on_what_was_asked_before(zone, asked):
    fresh = [period(zone, "day", instant).start_ms for instant in asked]
    assert [day_start(zone, instant) for instant in asked] == fresh


@pytest.mark.parametrize(
    ("width", "start"),
    [("minute", (10, 37)), ("quarter", (10, 30)), ("hour", (10, 0)), ("day", (0, 0))],
)
def test_a_pane_starts_at_a_multiple_of_its_width(width, start):
    assert pane_start(width, "UTC", at("UTC", 2026, 3, 2, 10, 37, 59)) == at("UTC", 2026, 3, 2, *start)


def test_a_day_pane_starts_at_local_midnight():
    zone = "Asia/Kathmandu"
    assert pane_start("day", zone, at(zone, 2026, 3, 2, 0, 1)) == at(zone, 2026, 3, 2)


def test_the_live_pane_has_no_start():
    assert pane_start("live", "UTC", 12345) == 0


def test_a_rolling_window_ends_with_the_running_pane_and_has_its_full_length():
    now = at("UTC", 2026, 3, 2, 10, 37, 59)
    assert window_span(Window("rolling", HOUR // 2), "UTC", now) == (
        at("UTC", 2026, 3, 2, 10, 8),
        at("UTC", 2026, 3, 2, 10, 38),
    )
    assert window_span(Window("rolling", 30 * DAY), "UTC", now) == (
        at("UTC", 2026, 1, 31, 11),
        at("UTC", 2026, 3, 2, 11),
    )


def test_at_the_very_end_of_a_pane_the_next_one_runs():
    now = at("UTC", 2026, 3, 2, 10, 38)
    assert window_span(Window("rolling", HOUR // 2), "UTC", now).end_ms == now + 60_000


def test_a_calendar_window_covers_the_period_that_runs():
    zone = "Europe/Berlin"
    assert window_span(Window("month"), zone, at(zone, 2026, 11, 20)) == (at(zone, 2026, 11, 1), at(zone, 2026, 12, 1))


def test_a_length_that_is_no_multiple_of_the_panes_is_rounded_up():
    # 7 h 20 min is made of quarters of an hour.
    assert covered_ms(Window("rolling", 440 * 60_000)) == 450 * 60_000


@given(st.integers(1, 100_000), instants)
def test_law_a_rolling_window_is_as_long_as_said_and_holds_now(minutes, now):
    window = Window("rolling", minutes * 60_000)
    start, end = window_span(window, "UTC", now)
    assert start <= now < end
    assert window.length_ms <= end - start == covered_ms(window)


@pytest.mark.parametrize(
    ("kind", "day", "name"),
    [
        ("day", "2026-11-03", "2026-11-03"), ("week", "2026-11-23", "2026-W48"), ("week", "2025-12-29", "2026-W01"),
        ("month", "2026-11-01", "2026-11"), ("quarter", "2026-10-01", "2026-Q4"), ("quarter", "2026-01-01", "2026-Q1"),
        ("year", "2026-01-01", "2026"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("zone", ["UTC", "Pacific/Apia", "America/New_York"])
def test_a_period_has_the_name_that_people_use_in_its_own_zone(zone, kind, day, name):
    start = at(zone, *map(int, day.split("-")))
    assert period_name(kind, zone, period(zone, kind, start).start_ms) == name
