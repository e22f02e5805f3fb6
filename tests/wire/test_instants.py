"""Instants as text: what is written is read back, and nothing that can happen to an instant makes writing fail."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.wire.instants import milliseconds, parse_rfc3339, rfc3339

inside = st.integers(-62_135_596_800_000, 253_402_300_799_999)


@given(inside)
def test_an_instant_is_read_as_it_was_written(instant_ms):
    assert parse_rfc3339(rfc3339(instant_ms)) == instant_ms


@given(inside)
def test_the_text_is_what_the_standard_library_says(instant_ms):
    expected = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=instant_ms)

    assert rfc3339(instant_ms) == expected.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    assert milliseconds(expected) == instant_ms


@given(st.integers())
def test_any_instant_can_be_written(instant_ms):
    assert len(rfc3339(instant_ms)) == len("2026-11-23T13:05:01.123Z")


def test_an_instant_beyond_all_calendars_is_the_last_one():
    assert rfc3339(10**30) == "9999-12-31T23:59:59.999Z"
    assert rfc3339(-(10**30)) == "0001-01-01T00:00:00.000Z"


def test_parts_of_a_millisecond_are_cut_off_also_before_1970():
    assert parse_rfc3339("1970-01-01T00:00:00.0019Z") == 1
    assert parse_rfc3339("1969-12-31T23:59:59.9981Z") == -2


def test_text_without_a_zone_is_no_instant_yet():
    assert parse_rfc3339("2026-11-23T13:05:01") is None


@pytest.mark.parametrize("text", ["", "now", "2026-11-23", "2026-11-23T13:05:01+25:00"])
def test_other_text_is_refused(text):
    with pytest.raises(ValueError, match="RFC3339"):
        parse_rfc3339(text)
