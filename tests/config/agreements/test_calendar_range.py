"""Calendars and budgets are refused at load, where an event could come for which nothing would ever be due."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from monitor.config.agreements.checking import parse_agreement
from monitor.core.time.opening_hours import CalendarRangeError
from monitor.errors import ConfigError
from monitor.wire.contract import EARLIEST_MS, LATEST_MS

if TYPE_CHECKING:
    from collections.abc import Callable

    from monitor.config.agreements.checking import Check

    Checked = Callable[..., Check]

HOURS = '["09:00-12:00", "13:00-17:00"]'


@pytest.mark.parametrize("exceptions", ["", "    exceptions: {2026-12-24: 09:00-12:00}\n"])
def test_a_calendar_that_is_open_on_exceptions_only_is_refused(
    exceptions: str, checked: Checked, agreement_text: str
) -> None:
    text = agreement_text.replace(f"{HOURS}}}\n", f"closed}}\n{exceptions}")

    (mistake,) = checked(text).mistakes

    assert (mistake.path, mistake.message) == ("calendars.office.hours", "leaves every day of the week closed")


def test_a_budget_of_more_than_ten_years_is_refused(checked: Checked, agreement_text: str) -> None:
    assert checked(agreement_text.replace("P1: 15m", "P1: 3660d")).documents
    (mistake,) = checked(agreement_text.replace("P1: 15m", "P1: 3661d")).mistakes

    assert (mistake.path, mistake.message) == ("clocks[0].targets.P1", "is longer than ten years: '3661d'")


def test_a_budget_for_which_the_hours_would_never_be_enough_is_refused(checked: Checked, agreement_text: str) -> None:
    a_minute_a_week = agreement_text.replace(f"mon-fri: {HOURS}", "sun: 09:00-09:01")

    assert checked(a_minute_a_week).mistakes == ()
    (mistake,) = checked(a_minute_a_week.replace("P1: 15m", "P1: {within: 10d}")).mistakes
    assert mistake.path == "clocks[0].targets.P1"
    assert mistake.message == "calendar 'office' has too little open time for 10d"


def document(hours: str, holidays: dict[str, Any] | list[str], budget: str) -> dict[str, Any]:
    return {
        "agreement": "desk", "version": 1, "valid_from": "2026-01-01", "name": "d", "form": "service", "provider": "p",
        "customer": "c", "service": "s", "status": "draft", "zone": "Europe/Berlin",
        "calendars": {"rare": {"hours": {"sun": hours}, "holidays": holidays}},
        "clocks": [{"id": "c", "metric": "resolution", "calendar": "rare", "targets": {"*": budget}}],
    }  # fmt: skip


budgets = st.builds("{}{}".format, st.integers(1, 4000), st.sampled_from(["m", "h", "d"]))
sundays = st.builds("09:00-{:02}:{:02}".format, st.integers(9, 23), st.integers(1, 59))
holidays = st.sampled_from([[], {"country": "DE", "subdivision": "BB"}, {"country": "SE"}, ["2100-01-03"]])
instants = st.sampled_from([EARLIEST_MS, LATEST_MS - 1]) | st.integers(1_577_836_800_000, 1_893_456_000_000)


@settings(max_examples=60, deadline=None)
@given(sundays, holidays, budgets, st.sets(instants, min_size=1, max_size=3))
def test_law_of_an_accepted_agreement_everything_is_due_for_any_event(
    hours: str, days_off: dict[str, Any] | list[str], budget: str, events: set[int]
) -> None:
    try:
        agreement = parse_agreement(document(hours, days_off, budget))
    except ConfigError:
        assume(False)
    rule = agreement.clocks[0]
    calendar, budget_ms = agreement.calendars["rare"], rule.budgets["*"].budget_ms

    for event_ms in events:
        due_ms = calendar.due(event_ms, budget_ms)
        assert calendar.elapsed(event_ms, due_ms) == budget_ms


@settings(max_examples=30, deadline=None)
@given(sundays, budgets)
def test_law_what_is_refused_would_have_had_no_due_instant(hours: str, budget: str) -> None:
    generous = parse_agreement(document(hours, [], "1m"))
    try:
        parse_agreement(document(hours, [], budget))
    except ConfigError as refused:
        if "too little open time" in str(refused):
            number, unit = int(budget[:-1]), {"m": 60_000, "h": 3_600_000, "d": 86_400_000}[budget[-1]]
            with pytest.raises(CalendarRangeError):
                generous.calendars["rare"].due(LATEST_MS, number * unit)
