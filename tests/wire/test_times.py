"""Instants in the zone of whoever reads or of the agreement, and durations as people say them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.wire.instants import parse_rfc3339
from monitor.wire.times import READERS, duration, in_zone, instant
from tests.zones import readers_zone

HOUR = 3_600_000
DAY = 24 * HOUR
WINTER = parse_rfc3339("2026-11-23T13:05:00Z")
ZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "America/Sao_Paulo"])


@pytest.mark.parametrize(
    ("text", "zone", "expected"),
    [
        ("2026-11-23T13:05:00Z", "Europe/Berlin", "2026-11-23 14:05 CET"),
        ("2026-07-23T13:05:00Z", "Europe/Berlin", "2026-07-23 15:05 CEST"),
        ("2026-11-23T13:05:09Z", "Europe/Berlin", "2026-11-23 14:05:09 CET"),
        ("2026-11-23T23:30:00Z", "Europe/Berlin", "2026-11-24 00:30 CET"),
        ("2026-11-23T13:05:00Z", "Asia/Kathmandu", "2026-11-23 18:50 UTC+0545"),
        ("2026-11-23T13:05:00Z", "America/Sao_Paulo", "2026-11-23 10:05 UTC-03"),
        ("2026-11-23T13:05:00Z", "UTC", "2026-11-23 13:05 UTC"),
        ("2026-11-23T13:05:00Z", "Atlantis/Capital", "2026-11-23 13:05 UTC"),
    ],
)
def test_an_instant_is_told_in_its_zone_by_the_name_of_the_zone(text, zone, expected):
    assert instant(parse_rfc3339(text), zone) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-23T13:05:42Z", "14:05 CET"),
        ("2026-11-22T23:30:00Z", "00:30 CET"),  # the same day there
        ("2026-11-22T22:30:00Z", "Sun 22 Nov, 23:30 CET"),
        ("2026-07-01T10:00:00Z", "Wed 1 Jul, 12:00 CEST"),
        ("2025-12-31T22:59:00Z", "Wed 31 Dec 2025, 23:59 CET"),
    ],
)
def test_beside_now_only_what_differs_is_told(text, expected):
    assert instant(parse_rfc3339(text), "Europe/Berlin", WINTER) == expected


def test_lines_below_each_other_are_told_to_the_second():
    assert instant(WINTER, "UTC", seconds=True) == "2026-11-23 13:05:00 UTC"
    assert instant(WINTER + 42_999, "Europe/Berlin", seconds=True) == "2026-11-23 14:05:42 CET"


def test_the_readers_zone_is_that_of_the_machine():
    with readers_zone("America/New_York"):
        assert instant(WINTER, READERS) == "2026-11-23 08:05 EST"
        assert instant(WINTER, READERS, WINTER) == "08:05 EST"
    with readers_zone("Europe/Berlin"):
        assert instant(WINTER, READERS) == "2026-11-23 14:05 CET"


@given(st.integers(0, 4_102_444_799), ZONES)
def test_seconds_are_told_where_an_instant_is_not_on_a_minute(at_s, zone):
    assert (instant(at_s * 1000, zone).count(":") == 2) == (at_s % 60 != 0)


@given(st.integers(0, 4_102_444_799_999), ZONES)
def test_the_clocks_of_a_zone_show_the_same_instant(at_ms, zone):
    shown = in_zone(at_ms, zone)
    assert (shown - in_zone(0, "UTC")).total_seconds() * 1000 == pytest.approx(at_ms)


@pytest.mark.parametrize(
    ("amount_ms", "open_hours", "around_the_clock"),
    [
        (83 * HOUR + 12 * 60_000, "83 h 12 min", "3 d 11 h"),
        (10 * DAY, "240 h", "10 d"),
        (DAY + 59_000, "24 h", "1 d"),
        (23 * HOUR, "23 h", "23 h"),
        (-25 * HOUR, "−25 h", "−1 d 1 h"),
        (250, "250 ms", "250 ms"),
        (0, "0 s", "0 s"),
    ],
)
def test_only_what_runs_around_the_clock_is_told_in_days(amount_ms, open_hours, around_the_clock):
    assert duration(amount_ms) == open_hours
    assert duration(amount_ms, days=True) == around_the_clock
