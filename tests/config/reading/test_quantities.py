"""Durations, percents, targets, windows, hours: what people write and what it means."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import PydanticCustomError

from monitor.config.reading import quantities
from monitor.core.agreements.measures import AtRisk
from monitor.core.time.windows import Window

if TYPE_CHECKING:
    from collections.abc import Callable

HOUR = 3_600_000


def hint_of(parse: Callable[[object], object], written: object) -> str:
    with pytest.raises(PydanticCustomError) as refused:
        parse(written)
    assert refused.value.context is not None
    return f"{refused.value.message()} ({refused.value.context['hint']})"


@pytest.mark.parametrize(
    ("written", "ms"),
    [
        ("90s", 90_000),
        ("15m", 900_000),
        ("4h", 4 * HOUR),
        ("2d", 48 * HOUR),
        ("1h30m", 5_400_000),
        ("1h 30m", 5_400_000),
        ("1.5h", 5_400_000),
        ("0.1s", 100),
        ("250ms", 250),
        ("0s", 0),
    ],
)
def test_a_duration_is_exact_milliseconds(written: str, ms: int) -> None:
    assert quantities.duration(written) == ms


@given(st.integers(0, quantities.LONGEST_DURATION_MS))
def test_a_duration_is_written_as_it_is_read(duration_ms: int) -> None:
    assert quantities.duration(quantities.duration_text(duration_ms)) == duration_ms


def test_no_duration_is_longer_than_ten_years() -> None:
    with pytest.raises(PydanticCustomError, match="longer than ten years"):
        quantities.duration("3660d 1ms")


@pytest.mark.parametrize(
    "written", ["", "15", 15, 1.5, None, True, "m", "15 minutes", "-1h", "1h-", "٣m", ["1h"], "1e3s"]
)
def test_what_is_no_duration_is_told_with_the_way_to_write_one(written: object) -> None:
    assert "90s, 15m, 4h, 2d" in hint_of(quantities.duration, written)


def test_a_fraction_of_a_millisecond_is_refused() -> None:
    assert "no whole number of milliseconds" in hint_of(quantities.duration, "0.5ms")


def test_a_budget_of_nothing_is_refused() -> None:
    assert "longer than 0" in hint_of(quantities.positive_duration, "0m")


@pytest.mark.parametrize(
    ("written", "share"), [("95 %", 0.95), ("99.95%", 0.9995), ("0 %", 0.0), ("100%", 1.0), ("97.1 %", 0.971)]
)
def test_a_percent_is_the_nearest_number_to_the_share_it_names(written: str, share: float) -> None:
    assert quantities.percent(written) == share


def test_dividing_afterwards_would_not_be_exact() -> None:
    """Why percents are parsed as decimals."""
    assert quantities.percent("57.9 %") == 0.579
    assert any(float(f"{n}.{d}") / 100 != quantities.percent(f"{n}.{d} %") for n in range(100) for d in range(10))


@pytest.mark.parametrize("written", ["95", "101 %", "-1 %", "%", 95, None])
def test_what_is_no_percent_is_refused(written: object) -> None:
    assert "95 %" in hint_of(quantities.percent, written)


@pytest.mark.parametrize(
    ("written", "side", "unit", "value"),
    [
        (">= 95 %", ">=", "ratio", 0.95),
        ("<=30s", "<=", "ms", 30_000),
        ("≥ 95%", ">=", "ratio", 0.95),
        ("95 %", None, "ratio", 0.95),
        ("2h", None, "ms", 2 * HOUR),
        ("<= 3", "<=", "count", 3),
        (3, None, "count", 3),
    ],
)
def test_a_target_is_an_amount_and_perhaps_a_side(written: object, side: str | None, unit: str, value: float) -> None:
    assert quantities.target(written) == (side, (unit, value))


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("> 95 %", "'>' is not known"),
        ("= 95 %", "'=' is not known"),
        ("0.95", "is no percent, duration or count: '0.95'"),
        (0.95, "is no percent, duration or count: 0.95 (write 95 %, 30s or 3)"),
        (">= ", "is no percent, duration or count"),
        (None, "it is empty"),
        (True, "is no percent, duration or count: true"),
        (-3, "is no percent, duration or count: -3"),
    ],
)
def test_what_is_no_target_is_refused(written: object, told: str) -> None:
    assert told in hint_of(quantities.target, written)


def test_at_risk_is_a_percent_of_the_budget_or_a_time_before_it_is_due() -> None:
    assert quantities.at_risk("75%") == AtRisk(percent=75.0)
    assert quantities.at_risk("30m") == AtRisk(before_ms=1_800_000)


@pytest.mark.parametrize("written", ["100 %", "0%", "150%", "x%"])
def test_at_risk_after_the_breach_is_refused(written: str) -> None:
    assert "beyond the budget" in hint_of(quantities.at_risk, written)


@pytest.mark.parametrize(
    ("written", "window", "name"),
    [
        ("30m", Window("rolling", 1_800_000), "30m"),
        ("24h", Window("rolling", 24 * HOUR), "24h"),
        ("1d", Window("rolling", 24 * HOUR), "24h"),
        ("30d", Window("rolling", 720 * HOUR), "30d"),
        ("tumbling-4h", Window("tumbling", 4 * HOUR), "tumbling-4h"),
        ("tumbling-1d", Window("tumbling", 24 * HOUR), "tumbling-24h"),
        ("month", Window("month"), "month"),
        ("quarter", Window("quarter"), "quarter"),
    ],
)
def test_a_window_is_rolling_or_a_period(written: str, window: Window, name: str) -> None:
    assert quantities.window(written) == window
    assert quantities.window(written).name == name


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("monthly", "did you mean 'month'?"),
        ("30", "write 30m, 24h, 30d, tumbling-4h, day or month"),
        ("90s", "no rolling window can have this length"),
        ("3h10m", "no rolling window can have this length"),
        ("400d", "no rolling window can have this length"),
        ("tumbling-90s", "no tumbling window can have this length"),
        ("tumbling-shift", "is no window"),
        ("tumbling 4h", "is no window"),
        ("0m", "longer than 0"),
        (24, "is no duration"),
    ],
)
def test_what_is_no_window_is_refused(written: object, told: str) -> None:
    assert told in hint_of(quantities.window, written)


@pytest.mark.parametrize(
    ("written", "days"),
    [
        ("mon", (0,)),
        ("mon-fri", (0, 1, 2, 3, 4)),
        ("sat-mon", (5, 6, 0)),
        ("Tue, thu", (1, 3)),
        ("mon-wed,sun", (0, 1, 2, 6)),
    ],
)
def test_weekdays_are_single_ranges_or_lists(written: str, days: tuple[int, ...]) -> None:
    assert quantities.weekdays(written) == days


def test_what_is_no_weekday_is_refused() -> None:
    assert "'monday'" in hint_of(quantities.weekdays, "monday")
    assert "names a day twice" in hint_of(quantities.weekdays, "mon-wed,tue")


@pytest.mark.parametrize(
    ("written", "minutes"),
    [
        (["08:00-12:00", "13:00-17:00"], ((480, 720), (780, 1020))),
        ("00:00-24:00", ((0, 1440),)),
        ("22:00-06:00", ((1320, 360),)),
        ("9:00 - 9:00", ((540, 540),)),
        ("closed", ()),
        ([], ()),
    ],
)
def test_hours_of_a_day_are_intervals_of_minutes(written: object, minutes: Any) -> None:
    assert quantities.day_hours(written) == minutes


@pytest.mark.parametrize(
    "written", ["08:00", "24:00-06:00", "08:00-24:01", "08:60-09:00", "25:00-26:00", 8, None, ["x"]]
)
def test_what_are_no_hours_is_refused(written: object) -> None:
    assert "write" in hint_of(quantities.day_hours, written)


def test_a_date_is_the_start_of_its_day_in_the_zone() -> None:
    moment = quantities.moment("2026-07-01")

    assert quantities.instant_ms(moment, "Europe/Berlin") == datetime(2026, 6, 30, 22, tzinfo=UTC).timestamp() * 1000


def test_a_day_without_midnight_starts_when_the_clock_was_put_forward() -> None:
    # São Paulo skipped 00:00-01:00 on 2018-11-04.
    start = datetime(2018, 11, 4, 3, tzinfo=UTC)

    assert quantities.instant_ms(date(2018, 11, 4), "America/Sao_Paulo") == start.timestamp() * 1000


def test_an_instant_is_itself_in_any_zone() -> None:
    moment = quantities.moment("2026-01-01T08:00:00+01:00")

    assert quantities.instant_ms(moment, "Asia/Tokyo") == datetime(2026, 1, 1, 7, tzinfo=UTC).timestamp() * 1000


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("2026-01-01T08:00:00", "an instant needs its offset"),
        ("2026-01-01 25:00", "is no date or instant"),
        ("2026-02-30", "is no date: '2026-02-30'"),
        ("2026-W01-1", "is no date: '2026-W01-1'"),
        ("1.1.2026", "is no date: '1.1.2026'"),
        (20260101, "is no date: 20260101"),
        ("1900-01-01", "outside of the years 1970 to 2199"),
        ("9999-12-31T00:00:00Z", "outside of the years 1970 to 2199"),
    ],
)
def test_what_is_no_moment_is_refused(written: object, told: str) -> None:
    assert told in hint_of(quantities.moment, written)


@pytest.mark.parametrize("written", ["Europe/Berln", "../../etc/passwd", "", 1, None, "Europe"])
def test_a_zone_must_exist(written: object) -> None:
    assert "is no time zone" in hint_of(quantities.zone, written)


def test_a_size_is_bytes() -> None:
    assert [quantities.size(one) for one in ("1 MiB", "64KiB", "100", 100)] == [1 << 20, 1 << 16, 100, 100]
    assert "1 MiB, 64 KiB" in hint_of(quantities.size, "1 MB")
    assert "is no size" in hint_of(quantities.size, 0)
