"""The examples of business days and calendars keep what their comments say."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from monitor.config.agreements.checking import check_agreements, load_agreements
from monitor.core.facts.events import Event, Fact
from monitor.replay.local import run_replay

PROMISES = Path(__file__).parents[2] / "deploy" / "promises"
HOUR = 3_600_000


def book(name, tmp_path):
    (tmp_path / name).write_text((PROMISES / name).read_text(encoding="utf-8"), encoding="utf-8")
    assert check_agreements(tmp_path).warnings == ()
    return load_agreements(tmp_path)


def ms(text, zone):
    return round(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)


def story(zone, service, *lines, priority="P3"):
    """Events of one ticket: ("2026-11-27 12:30", "opened", reason)."""
    return [
        Event("ticket", "T-1", Fact(ms(at, zone), 0, str(number), kind, {
            "service": service, "priority": priority, **({"reason": reason[0]} if reason else {})
        }))
        for number, (at, kind, *reason) in enumerate(lines)
    ]  # fmt: skip


def told(book, events, zone, until):
    """What was announced, by promise, in local time."""
    alerts = run_replay(events, book, until_ms=ms(until, zone)).alerts
    return [
        (one.key.promise, one.state, datetime.fromtimestamp(one.at_ms / 1000, ZoneInfo(zone)).strftime("%a %d %H:%M"))
        for one in alerts
        if one.key.kind == "ticket"
    ]


BERLIN, INDIA = "Europe/Berlin", "Asia/Kolkata"


@pytest.mark.parametrize(
    ("opened", "expected"),
    [
        # Wednesday 25 November 2026, eleven: by Thursday noon, and by Monday 17:00 (Friday, until four, counts)
        ("2026-11-25 11:00", [("answer", "Thu 26 12:00"), ("solution", "Mon 30 17:00")]),
        # at half past twelve: the answer is received on Thursday, the solution still today
        ("2026-11-25 12:30", [("answer", "Fri 27 12:00"), ("solution", "Mon 30 17:00")]),
        # on Friday at half past four: both are received on Monday
        ("2026-11-27 16:30", [("answer", "Tue 01 12:00"), ("solution", "Thu 03 17:00")]),
        # before Christmas: the 25th is a holiday
        ("2026-12-23 09:00", [("answer", "Thu 24 12:00"), ("solution", "Tue 29 17:00")]),
    ],
)
def test_business_days_are_counted_from_the_day_of_receipt(opened, expected, tmp_path):
    events = story(BERLIN, "facilities", (opened, "opened"))

    alerts = told(book("business-days.yaml", tmp_path), events, BERLIN, "2027-01-05 00:00")

    assert [(promise, at) for promise, state, at in alerts if state == "breached"] == expected
    assert ("answer", "at_risk") in {one[:2] for one in alerts}


def test_a_pause_moves_the_due_instant_by_the_open_hours_that_it_takes(tmp_path):
    events = story(
        BERLIN, "facilities",
        ("2026-11-25 11:00", "opened"),
        ("2026-11-25 17:00", "paused", "waiting_for_customer"),
        ("2026-11-26 10:00", "resumed", "waiting_for_customer"),  # an hour of Wednesday and two of Thursday
    )  # fmt: skip

    alerts = told(book("business-days.yaml", tmp_path), events, BERLIN, "2026-12-05 00:00")

    assert ("solution", "breached", "Tue 01 10:00") in alerts  # Monday's last hour, and two of Tuesday


def test_a_priority_that_becomes_a_duration_counts_as_if_it_had_always_been_one(tmp_path):
    events = story(BERLIN, "facilities", ("2026-11-25 11:00", "opened"), ("2026-11-25 12:00", "responded"))
    change = Event(
        "ticket", "T-1", Fact(ms("2026-11-25 13:00", BERLIN), 0, "p", "priority_changed", {"priority": "P1"})
    )

    alerts = told(book("business-days.yaml", tmp_path), [*events, change], BERLIN, "2026-11-26 00:00")

    assert alerts == [("solution", "breached", "Wed 25 15:00")]


@pytest.mark.parametrize(
    ("priority", "opened", "due"),
    [
        ("P3", "2026-11-23 11:00", "Mon 23 16:00"),  # an hour of lunch
        ("P3", "2026-11-06 16:00", "Tue 10 11:00"),  # Friday; Monday is Founders' day
        ("P3", "2026-12-24 11:30", "Mon 28 12:00"),  # open until 12:30, then Christmas and the weekend
        ("P3", "2026-12-31 10:00", "Fri 01 11:00"),  # stocktaking from noon on
        ("P3", "2026-11-13 17:00", "Sat 14 13:00"),  # an exception opens Saturday
        ("P3", "2026-11-14 12:00", "Tue 17 11:00"),  # ... and closes Monday
        ("P2", "2026-11-24 02:30", "Tue 24 19:30"),  # overnight shifts
        ("P2", "2026-11-28 23:00", "Mon 30 19:30"),  # Saturday's shift ends at 24:00
        # Thanksgiving, Thursday 26 November in New York: 10:30 to 10:30 in India
        ("P2", "2026-11-26 02:30", "Fri 27 19:30"),
        ("P1", "2026-12-25 03:00", "Fri 25 03:15"),  # 24x7
    ],
)
def test_hours_holidays_halves_of_days_and_shifts_count_as_written(priority, opened, due, tmp_path):
    events = story(INDIA, "branch", (opened, "opened"), priority=priority)

    alerts = told(book("calendars.yaml", tmp_path), events, INDIA, "2027-01-05 00:00")

    assert alerts == [("first-response", "breached", due)]
