"""Clocks."""

from __future__ import annotations

import time
from math import inf

import pytest

from monitor.stream.partitions.clock import FastClock, HandClock, WallClock, wall_ms


def test_the_wall_clock_tells_real_time_and_what_is_past_needs_no_waiting() -> None:
    clock = WallClock()

    assert abs(clock.now_ms() - time.time() * 1000) < 1000
    assert clock.seconds_until(wall_ms() - 5000) == 0
    assert 8 < clock.seconds_until(wall_ms() + 9000) <= 9


def test_a_fast_clock_needs_less_real_time() -> None:
    clock = FastClock(3600, 1_000_000)

    assert clock.now_ms() >= 1_000_000
    assert 9 < clock.seconds_until(1_000_000 + 10 * 3_600_000) <= 10


def test_a_clock_without_speed_is_refused() -> None:
    with pytest.raises(ValueError, match="speed must be above 0"):
        FastClock(0, 0)


def test_a_hand_clock_stands_until_it_is_turned_and_tells_who_listens() -> None:
    clock = HandClock(100)
    turned = []
    unlisten = clock.on_turn(lambda: turned.append(clock.now_ms()))

    assert clock.seconds_until(101) == inf
    clock.advance(1)
    assert clock.seconds_until(101) == 0
    unlisten()
    clock.advance(1)

    assert turned == [101]


def test_a_hand_clock_does_not_go_back() -> None:
    with pytest.raises(ValueError, match="does not go back"):
        HandClock(0).advance(-1)
