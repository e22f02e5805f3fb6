"""Forecasts of error budgets: when one is used up at its pace, in periods and in windows that go with the time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.objectives.budget import BudgetFigure, Burn
from monitor.core.objectives.forecast import Forecast, forecast
from monitor.core.objectives.status import WindowStatus
from monitor.core.series.series import SeriesKey
from monitor.core.time.units import DAY_MS, HOUR_MS
from monitor.core.time.windows import Window, rolling_ms

MONTH_MS = 30 * DAY_MS


def status(at_ms, window="month", from_ms=0, to_ms=MONTH_MS, *, closed=False):
    return WindowStatus(SeriesKey("desk", "fix", ()), {}, window, from_ms, to_ms, at_ms, 1, (), (), {}, closed)


def budget(total, consumed, *burns, unit="count", of=0.0):
    share = consumed / total if total else None
    return BudgetFigure("o", "events", unit, total, consumed, total - consumed, share, consumed > total, burns, of)


def test_a_budget_of_time_goes_on_as_in_the_period_so_far():
    # 60 of 100 ms in 15 days: the other 40 in 10 days.
    assert forecast(status(15 * DAY_MS), budget(100, 60, unit="ms")) == Forecast(25 * DAY_MS, 0.0, "")
    assert forecast(status(15 * DAY_MS), budget(100, 30, unit="ms")) == Forecast(None, pytest.approx(0.4), "")
    assert forecast(status(15 * DAY_MS), budget(100, 0, unit="ms")) == Forecast(None, 1.0, "")


def test_a_budget_in_events_grows_with_them_and_is_looked_at_by_the_longest_burn_rate():
    # 1 % of 1,000 may be bad: 10, of which 5 are left. A day uses 4 / 3 of it and adds 100 / 3 events: 1 / 3.
    burns = Burn("1h", 100.0, 50, 50), Burn("3d", 4.0, 4, 100)
    assert forecast(status(15 * DAY_MS), budget(10, 5, *burns, of=1_000)) == Forecast(20 * DAY_MS, 0.0, "3d")
    # 1 bad of 100 is what is allowed: 15 more days bring 5 bad ones, and the budget is 15 then
    kept = forecast(status(15 * DAY_MS), budget(10, 5, Burn("3d", 1.0, 1, 100), of=1_000))
    assert kept == Forecast(None, pytest.approx(1 - 10 / 15), "3d")


def test_in_a_rolling_window_what_was_used_comes_back():
    rolling = status(0, "30d", -MONTH_MS, 0)
    # time: 60 of 100 ms are used, 2 a day leave. 6 a day come: 4 a day more, and 40 are left.
    assert forecast(rolling, budget(100, 60, Burn("1d", 1.0, 6, 10), unit="ms", of=10)) == Forecast(
        10 * DAY_MS, None, "1d"
    )
    # as much comes as leaves, or less
    assert forecast(rolling, budget(100, 60, Burn("1d", 1.0, 2, 10), unit="ms", of=10)) == Forecast(None, None, "1d")
    # so slowly that the whole window is another one by then
    slow = Burn("1d", 1.0, 3, 10)
    assert forecast(rolling, budget(100, 60, slow, unit="ms", of=10)) == Forecast(None, None, "1d")
    # events: 300 of them allow 30, 15 were bad. Each day 10 leave with 0.5 bad, and 10 come with 2 bad.
    events = budget(30, 15, Burn("1d", 2.0, 2, 10), of=300)
    assert forecast(rolling, events) == Forecast(10 * DAY_MS, None, "1d")


@pytest.mark.parametrize(
    ("window", "figure"),
    [
        (status(15 * DAY_MS, closed=True), budget(100, 60, unit="ms")),
        (status(0), budget(100, 60, unit="ms")),
        (status(15 * DAY_MS), budget(0, 0, unit="ms")),
        (status(15 * DAY_MS), budget(100, 100, unit="ms")),
        (status(15 * DAY_MS), budget(100, 101, unit="ms")),
        (status(15 * DAY_MS), budget(10, 5, of=1_000)),
        (status(15 * DAY_MS), budget(10, 5, Burn("3d", None, 0, 0), of=1_000)),
        (status(15 * DAY_MS), budget(10, 5, Burn("3d", 1.0, 1, 9))),
        (status(15 * DAY_MS), budget(10, 5, Burn("day", 1.0, 1, 9), of=1_000)),
    ],
    ids=["closed", "just begun", "none", "used up", "exhausted", "no burn", "nothing happened", "of what", "no length"],
)
def test_of_others_nobody_can_tell(window, figure):
    assert forecast(window, figure) is None


@given(st.integers(1, 29), st.integers(0, 200), st.integers(1, 500), st.integers(0, 9), st.integers(1, 400))
def test_law_a_budget_in_events_is_used_up_in_the_hour_in_which_counting_on_says_so(day, bad, good, more_bad, more):
    """Count on, hour by hour, what came in the last day: the first hour with more bad events than allowed."""
    allowed = 1 / 20
    more_bad = min(more_bad, more)
    total = allowed * (bad + good)
    figure = budget(total, float(bad), Burn("24h", 1.0, more_bad, more), of=float(bad + good))
    found = forecast(status(day * DAY_MS), figure)
    if figure.remaining <= 0:
        assert found is None
        return

    hours = range(1, (30 - day) * 24)
    over = next((h for h in hours if bad + more_bad * h / 24 > allowed * (bad + good + more * h / 24) + 1e-9), None)
    assert found is not None
    told = None if found.used_up_ms is None else (found.used_up_ms - day * DAY_MS) / HOUR_MS
    assert over is None if told is None or told > hours[-1] else over - 1.001 <= told <= over


@pytest.mark.parametrize("length_ms", [60_000, 30 * 60_000, HOUR_MS, 24 * HOUR_MS, 3 * DAY_MS, 30 * DAY_MS])
def test_the_name_of_a_rolling_window_tells_its_length(length_ms):
    assert rolling_ms(Window("rolling", length_ms).name) == length_ms


@pytest.mark.parametrize("name", ["day", "month", "tumbling-4h", "d", "", "½h", "1h+5m"])
def test_other_names_tell_none(name):
    assert rolling_ms(name) is None
