"""What the examples of promises about calls promise, found in the figures of a replay."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.config.agreements.checking import load_agreements
from monitor.replay.local import run_replay
from tests.replay.desk import event, ms

PROMISES = Path(__file__).parents[2] / "deploy" / "promises"


def replayed(name, *events, until):
    return run_replay(events, load_agreements(PROMISES / f"{name}.yaml"), until_ms=ms(until))


def call(name, at, *, answered="00:00:10", ended="00:05:00", **attributes):
    """A call that is queued at a time and answered and ended so long after it."""
    day, clock = at.split("T")
    facts = [event("call", name, "queued", at, queue="support", **attributes.pop("who", {}))]
    for kind, after in (("answered", answered), ("ended", ended)):
        seconds = sum(
            int(part) * unit
            for text in (clock, after)
            for part, unit in zip(text.split(":"), (3600, 60, 1), strict=True)
        )
        then = f"{day}T{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
        facts.append(event("call", name, kind, then, **(attributes if kind == "ended" else {})))
    return facts


def verdicts(result, window, day):
    """The verdicts of the statement of the period that begins on a day (in Amsterdam), by objective."""
    (status,) = [
        one for one in result.statements if one.window == window and one.from_ms == ms(f"{day}T00:00:00") - 3_600_000
        and one.verdicts
    ]  # fmt: skip
    return {one.objective: (one.verdict, one.value) for one in status.verdicts}


def test_first_call_resolution_is_stated_when_all_calls_of_the_month_are_confirmed():
    ann, bob, cid = ({"caller": name, "issue": "login"} for name in ("ann", "bob", "cid"))
    result = replayed(
        "first-call-resolution",
        *call("C-1", "2024-03-04T09:00:00", who=ann, resolved=True),
        *call("C-2", "2024-03-04T10:00:00", who=bob, resolved=True),
        *call("C-3", "2024-03-08T10:00:00", who=bob, resolved=True),
        *call("C-4", "2024-03-28T10:00:00", who=cid, resolved=False),
        *call("C-5", "2024-04-02T10:00:00", who=cid, resolved=True),  # of the next month, and yet a repeat
        until="2024-04-12T00:00:00",
    )

    assert verdicts(result, "month", "2024-03-01") == {"helped-at-once": ("breached", 0.5)}
    (march,) = result.statements
    figures = {one.indicator: one for one in march.figures}
    assert (figures["fcr"].numerator, figures["fcr"].denominator, figures["fcr_pending"].value) == (2, 4, 0)
    assert (figures["fcr_flag"].numerator, figures["fcr_flag"].denominator) == (3, 4)


def test_a_callback_is_at_risk_and_breached_in_opening_hours_until_the_customer_is_reached():
    result = replayed(
        "callback",
        event("call", "C-1", "queued", "2024-03-04T16:00:00", queue="support"),
        event("call", "C-1", "callback_requested", "2024-03-04T16:30:00"),  # 17:30 in Amsterdam
        event("call", "C-1", "ended", "2024-03-04T16:30:05"),
        event("call", "C-1", "answered", "2024-03-05T08:00:00"),  # due at 08:30 in Amsterdam
        event("call", "C-2", "queued", "2024-03-05T09:00:00", queue="support"),
        event("call", "C-2", "callback_requested", "2024-03-05T09:01:00"),
        event("call", "C-2", "answered", "2024-03-05T09:20:00"),
        until="2024-03-07T00:00:00",
    )

    assert [(one.state, one.at_ms, one.reason) for one in result.alerts if one.key.kind == "call"] == [
        ("at_risk", ms("2024-03-05T07:15:00"), "elapsed_75"),
        ("at_risk", ms("2024-03-05T07:20:00"), "before_due_600000"),
        ("breached", ms("2024-03-05T07:30:00") + 1, "due"),
        ("resolved", ms("2024-03-05T08:00:00"), "stopped"),
    ]
    assert verdicts(result, "day", "2024-03-05") == {"called-back": ("breached", 0.5)}


def test_handle_time_and_occupancy_are_those_of_the_calls_that_tell_them():
    result = replayed(
        "handle-time",
        *call("C-1", "2024-03-04T09:00:00", talk_ms=240_000, hold_ms=60_000, wrap_up_ms=60_000, idle_ms=40_000),
        *call("C-2", "2024-03-04T09:10:00", ended="00:06:10", score=5),  # by its facts: six minutes
        event("call", "C-1", "rated", "2024-03-04T19:00:00", score=3.5),
        until="2024-03-06T00:00:00",
    )

    assert verdicts(result, "day", "2024-03-04") == {
        "short-calls": ("met", 360_000),
        "short-wrap-up": ("met", 30_000),
        "agents-can-breathe": ("breached", 0.9),
        "satisfied-callers": ("met", 4.25),
    }


def test_turnaround_of_tickets_has_percentiles_and_the_share_within_the_target_and_that_of_calls_a_mean():
    result = replayed(
        "turnaround",
        event("ticket", "T-1", "opened", "2024-03-02T08:00:00"),
        event("ticket", "T-1", "resolved", "2024-03-02T09:00:00"),  # solved, and not yet delivered
        event("ticket", "T-1", "closed", "2024-03-04T09:00:00"),
        event("ticket", "T-2", "opened", "2024-03-04T08:00:00"),
        event("ticket", "T-2", "closed", "2024-03-04T20:00:00"),
        *call("C-1", "2024-03-04T09:00:00", ended="00:12:00"),
        until="2024-03-06T00:00:00",
    )

    stated = {one.series.measure: one for one in result.statements if one.from_ms == ms("2024-03-03T23:00:00")}
    found = {one.objective: (one.verdict, one.value) for status in stated.values() for one in status.verdicts}
    assert found["within-two-days"] == ("breached", 0.5)
    assert found["quick-calls"] == ("breached", 720_000)
    assert found["nine-of-ten-in-a-day"] == ("breached", pytest.approx(49 * 3_600_000, rel=0.01))
