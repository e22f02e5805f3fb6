"""The topic of markers: what time an installation says it is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.errors import DecodeError
from monitor.wire.contract import MAX_INTEGER
from monitor.wire.markers import CLOCK_KEY, REAL_TIME, ClockMarker, decode_clock_marker, encode_clock_marker

INSTANTS = st.integers(0, MAX_INTEGER)


@given(st.integers(0, 1 << 52))
def test_real_time_is_what_it_is(wall_ms):
    assert REAL_TIME.at(wall_ms) == wall_ms == REAL_TIME.reached(wall_ms)


@given(INSTANTS, INSTANTS, st.floats(min_value=1e-3, max_value=1e6))
def test_a_clock_is_told_as_it_is(wall_ms, clock_ms, speed):
    told = ClockMarker(wall_ms=wall_ms, clock_ms=clock_ms, speed=speed)
    key, value = encode_clock_marker(told)
    assert (key, decode_clock_marker(value)) == (CLOCK_KEY, told)
    assert told.at(wall_ms) == clock_ms


@given(st.integers(0, 1 << 42), st.integers(0, 1 << 42), st.sampled_from([1, 60, 3600]), st.integers(0, 1 << 42))
def test_a_clock_has_reached_what_it_shows(wall_ms, clock_ms, speed, at_ms):
    clock = ClockMarker(wall_ms=wall_ms, clock_ms=clock_ms, speed=speed)
    assert abs(clock.at(clock.reached(at_ms)) - at_ms) <= speed
    assert clock.reached(clock.at(at_ms)) == at_ms


def test_a_fast_clock_passes_a_minute_in_a_second_and_was_behind_before():
    clock = ClockMarker(wall_ms=1_000_000, clock_ms=5_000, speed=60)
    assert (clock.at(1_001_000), clock.at(999_990)) == (65_000, 4_400)


def test_a_tombstone_tells_real_time():
    assert decode_clock_marker(None) == REAL_TIME


@pytest.mark.parametrize(
    "value",
    [
        b"{",
        b"\xff",
        b"[]",
        b'{"wall_ms": 1, "clock_ms": 1}',
        b'{"wall_ms": 1, "clock_ms": 1, "speed": 0}',
        b'{"wall_ms": 1, "clock_ms": 1, "speed": 1e7}',
        b'{"wall_ms": -1, "clock_ms": 1, "speed": 1}',
        b'{"wall_ms": 1, "clock_ms": 9007199254740993, "speed": 1}',
    ],
)
def test_a_record_that_tells_no_clock_is_refused(value):
    with pytest.raises(DecodeError):
        decode_clock_marker(value)
