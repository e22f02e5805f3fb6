"""Targets in business days, partial and named holidays: what is read, and what is refused with its line and a hint."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest

from monitor.core.agreements.measures import Budget
from monitor.wire.instants import parse_rfc3339

if TYPE_CHECKING:
    from collections.abc import Callable

    from monitor.config.agreements.checking import Check

    Checked = Callable[..., Check]

HOLIDAYS = "holidays: {country: DE, subdivision: BE}"


def test_a_target_can_be_a_number_of_business_days_by_a_time(checked: Checked, agreement_text: str) -> None:
    (document,) = checked(agreement_text.replace("P1: 15m", 'P1: {days: 3, by: "17:00"}')).documents

    assert document.agreement.clocks[0].budgets["P1"] == Budget(0, "office", 3, 17 * 60)


REFUSED = {
    "both": ("{within: 4h, days: 3, by: '17:00'}", "targets.P1: has both within and days (write within: 4h, or"),
    "within and by": ("{within: 4h, by: '17:00'}", "targets.P1: has both within and days"),
    "days alone": ("{days: 3}", "targets.P1: says no time allowed (write within: 4h, or days: 3 with by: 17:00)"),
    "calendar alone": ("{calendar: office}", "targets.P1: says no time allowed"),
    "no days": ("{days: 0, by: '17:00'}", "targets.P1.days: must be"),
    "no time": ("{days: 3, by: '25:00'}", "targets.P1.by: is no time of day: '25:00' (write 08:00, from 00:00 to"),
    "a number": ("{days: 3, by: 17}", "targets.P1.by: is no time of day: 17 (write"),
    "after hours": (
        "{days: 3, by: '17:01'}",
        "targets.P1.by: 17:01 lies outside of the hours of calendar 'office' on every day (its hours end at 12:00, 17",
    ),
    "at the opening": ("{days: 3, by: '09:00'}", "targets.P1.by: 09:00 lies outside"),
    "in the lunch break": ("{days: 3, by: '12:30'}", "targets.P1.by: 12:30 lies outside"),
    "midnight": ("{days: 3, by: '00:00'}", "targets.P1.by: 00:00 lies outside"),
    "no calendar": ("{days: 3, by: '17:00', calendar: x}", "targets.P1.calendar: there is no calendar 'x'"),
    "24x7": (
        "{days: 3, by: '17:00', calendar: always}",
        "targets.P1.days: calendar 'always' is open around the clock and has no business days (name a calendar with",
    ),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_business_days_that_could_only_be_misread_are_refused(kind: str, checked: Checked, agreement_text: str) -> None:
    written, told = REFUSED[kind]

    (mistake,) = checked(agreement_text.replace("P1: 15m", f"P1: {written}")).mistakes

    assert str(mistake).removeprefix(f"{mistake.file}:").startswith(f"23: clocks[0].{told}"), str(mistake)


def test_overnight_hours_hold_the_time_of_either_side_of_midnight(checked: Checked, agreement_text: str) -> None:
    text = agreement_text.replace('mon-fri: ["09:00-12:00", "13:00-17:00"]', 'mon-fri: "22:00-06:00"')

    for by in ("23:00", "24:00", "00:30", "06:00"):
        assert checked(text.replace("P1: 15m", f"P1: {{days: 1, by: '{by}'}}")).mistakes == ()
    assert checked(text.replace("P1: 15m", "P1: {days: 1, by: '22:00'}")).mistakes


def test_business_days_for_which_a_calendar_would_never_be_enough_are_refused(
    checked: Checked, agreement_text: str
) -> None:
    # The last events may be of the end of 2099, calendars end with 2199: a thousand of these Sundays are not left.
    sundays = ", ".join((date(2100, 1, 3) + timedelta(weeks=n)).isoformat() for n in range(5218) if n % 6)
    rare = agreement_text.replace("mon-fri:", "sun:").replace(HOLIDAYS, f"holidays: [{sundays}]")

    assert checked(rare.replace("P1: 15m", "P1: {days: 800, by: '17:00'}")).mistakes == ()
    (mistake,) = checked(rare.replace("P1: 15m", "P1: {days: 900, by: '17:00'}")).mistakes
    assert (mistake.path, mistake.message) == (
        "clocks[0].targets.P1",
        "calendar 'office' has too little open time for 900 business days",
    )


def test_holidays_have_names_and_may_be_closed_in_part(checked: Checked, agreement_text: str) -> None:
    text = agreement_text.replace(
        HOLIDAYS,
        """holidays:
      country: DE
      dates:
        2026-12-24: "09:00-11:00"
        2026-06-01: Company day
        2026-06-02: {name: Stocktaking, open: ["09:00-10:00"]}
        2026-06-03: closed
        2026-12-25: First Christmas day""",
    )

    office = checked(text).documents[0].agreement.calendars["office"]

    def told(day: str) -> tuple[float, list[str]]:
        start = parse_rfc3339(f"{day}T00:00:00+01:00")
        assert start is not None
        end = start + 24 * 3_600_000
        return office.elapsed(start, end) / 3_600_000, sorted({name for _, _, name in office.holidays(start, end)})

    assert told("2026-12-24") == (2, [""])
    assert told("2026-12-25") == (0, ["First Christmas day"])
    assert told("2026-12-26") == (0, ["Second Day of Christmas"])
    start = parse_rfc3339("2026-06-01T00:00:00+02:00")
    assert start is not None
    assert [name for _, _, name in office.holidays(start, start + 3 * 86_400_000)] == [
        "Company day", "Stocktaking", "Stocktaking", "",
    ]  # fmt: skip
    assert office.elapsed(start, start + 3 * 86_400_000) == 3_600_000


@pytest.mark.parametrize(
    ("dates", "told"),
    [
        ("{2026-12-24: '22:00-06:00'}", "holidays.dates.2026-12-24: passes midnight (a holiday ends with its day"),
        ("{2026-12-24: '8-12'}", "holidays.dates.2026-12-24: is no time of day: '8'"),
        ("{2026-13-24: Party}", "holidays.dates.2026-13-24: is no date"),
        ("[2026-13-24]", "holidays.dates: is no date: '2026-13-24'"),
        ("[[2026-12-24]]", "holidays.dates: are no dates (write [2026-12-24, 2026-12-31], or"),
    ],
)
def test_holidays_that_are_none_are_refused(dates: str, told: str, checked: Checked, agreement_text: str) -> None:
    (mistake,) = checked(agreement_text.replace(HOLIDAYS, f"holidays: {{dates: {dates}}}")).mistakes

    assert str(mistake).removeprefix(f"{mistake.file}:").startswith(f"18: calendars.office.{told}"), str(mistake)


def test_equal_dates_are_equal_calendars(checked: Checked, agreement_text: str) -> None:
    named = agreement_text.replace(HOLIDAYS, "holidays: {dates: {2026-06-01: Company day}}")
    first, second = checked(named, named.replace("agreement: desk", "agreement: other")).documents

    assert first.agreement.calendars["office"] is second.agreement.calendars["office"]
    assert date(2026, 6, 1).weekday() == 0
