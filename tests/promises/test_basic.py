"""The promises that are made most often, each held to what its example file says."""

from __future__ import annotations

from pathlib import Path

from monitor.config.agreements.checking import load_agreements
from monitor.core.facts.events import Event
from monitor.replay.local import ReplayResult, run_replay
from tests.replay.desk import event, ms

PROMISES = Path(__file__).parents[2] / "deploy" / "promises"
# Monday 2024-03-04; Central European Time is an hour ahead of the times below, which are UTC.
NEXT_MONTH = "2024-04-02T12:00:00"


def run(name: str, *events: Event, until: str = NEXT_MONTH) -> ReplayResult:
    return run_replay(events, load_agreements(PROMISES / name), until_ms=ms(until))


def verdicts(result: ReplayResult, clock: str) -> dict[str, str]:
    return {one.subject_id: one.verdict for one in result.records if one.clock == clock}


def stated(result: ReplayResult, objective: str, window: str) -> list[tuple[str, float, float]]:
    """Verdict, numerator and denominator of an objective in each closed period in which something happened."""
    found = []
    for one in result.statements:
        for verdict in one.verdicts:
            if verdict.objective == objective and one.window == window and verdict.value is not None:
                figure = next(each for each in one.figures if each.indicator == verdict.indicator)
                found.append((verdict.verdict, figure.numerator, figure.denominator))
    return found


def ticket(name: str, kind: str, at: str, **attributes: str | bool) -> Event:
    return event("ticket", name, kind, at if len(at) > 8 else f"2024-03-04T{at}", **attributes)


def test_an_urgent_report_is_looked_at_by_night_too_and_another_one_in_opening_hours():
    result = run(
        "acknowledge.yaml",
        # at night: the urgent one has a quarter of an hour, the other one until two hours after the opening at 8 UTC
        ticket("urgent", "opened", "02:00:00", priority="P1"),
        ticket("urgent", "acknowledged", "02:20:00"),
        ticket("other", "opened", "02:00:00", priority="P3"),
        ticket("other", "responded", "09:59:00"),
    )

    assert verdicts(result, "acknowledge") == {"urgent": "breached", "other": "met"}
    assert [(one.state, one.at_ms) for one in result.alerts if one.key.what == "urgent"][:2] == [
        ("at_risk", ms("2024-03-04T02:07:30")), ("breached", ms("2024-03-04T02:15:00") + 1),
    ]  # fmt: skip
    assert sorted(stated(result, "looked-at-in-time", "month")) == [("breached", 0, 1), ("met", 1, 1)]


def test_only_an_answer_of_a_human_that_the_customer_can_read_is_one():
    result = run(
        "first-response.yaml",
        ticket("T-1", "opened", "08:00:00"),
        ticket("T-1", "responded", "08:01:00", automatic=True),
        ticket("T-1", "responded", "08:30:00", public=False),
        ticket("T-1", "responded", "12:30:00"),
        ticket("T-2", "opened", "08:00:00"),
        ticket("T-2", "paused", "08:10:00", reason="waiting_for_customer"),
        ticket("T-2", "resumed", "14:00:00"),
        ticket("T-2", "responded", "14:20:00"),
    )

    assert verdicts(result, "first-response") == {"T-1": "breached", "T-2": "met"}
    assert {one.subject_id: one.elapsed_ms for one in result.records}["T-2"] == 30 * 60_000
    assert stated(result, "answered-in-time", "month") == [("breached", 1, 2)]


def test_a_reopened_ticket_has_used_up_what_it_took_before():
    result = run(
        "resolution.yaml",
        ticket("T-1", "opened", "08:00:00", priority="P1"),
        ticket("T-1", "resolved", "11:00:00"),
        ticket("T-1", "reopened", "13:00:00"),
        ticket("T-1", "resolved", "14:30:00"),
        ticket("T-2", "opened", "08:00:00", priority="P1"),
        ticket("T-2", "paused", "09:00:00", reason="waiting_for_supplier"),
        ticket("T-2", "resolved", "20:00:00"),
    )

    assert verdicts(result, "resolution") == {"T-1": "breached", "T-2": "met"}
    assert {one.subject_id: one.elapsed_ms // 60_000 for one in result.records} == {"T-1": 270, "T-2": 60}


def test_calls_are_answered_within_20_seconds_the_20th_included():
    events = []
    for number, (outcome, wait) in enumerate(
        [("answered", 5)] * 7 + [("answered", 20), ("answered", 21), ("abandoned", 3)]
    ):
        queued = f"2024-03-04T10:{number:02}:00"
        events.append(event("call", f"C-{number}", "queued", queued, queue="support"))
        events.append(event("call", f"C-{number}", outcome, f"2024-03-04T10:{number:02}:{wait:02}"))

    result = run("service-level.yaml", *events, until="2024-03-05T12:00:00")

    assert stated(result, "80-in-20", "day") == [("met", 8, 10)]
    assert stated(result, "few-give-up", "day") == [("met", 0, 9)]
    assert stated(result, "speed-of-answer", "day") == [("met", (7 * 5 + 20 + 21) * 1000, 9)]


def test_outages_are_repaired_and_a_partial_restoration_is_no_repair():
    result = run(
        "repair-times.yaml",
        event("outage", "O-1", "started", "2024-03-04T10:00:00", service="core"),
        event("outage", "O-1", "acknowledged", "2024-03-04T10:04:00"),
        event("outage", "O-1", "restored", "2024-03-04T11:00:00", weight=0.5),
        event("outage", "O-1", "restored", "2024-03-04T12:30:00"),
        event("outage", "O-2", "started", "2024-03-05T10:00:00", service="core"),
        event("outage", "O-2", "restored", "2024-03-05T10:30:00"),
    )

    assert verdicts(result, "acknowledge") == {"O-1": "met", "O-2": "breached"}
    assert verdicts(result, "restore") == {"O-1": "breached", "O-2": "met"}
    assert stated(result, "restored-in-time", "day") == [("breached", 0, 1), ("met", 1, 1)]
    assert stated(result, "mean-repair", "month") == [("breached", 3 * 3_600_000, 2)]


def test_a_lead_is_followed_up_within_an_hour_of_its_hand_over():
    result = run(
        "follow-up.yaml",
        event("lead", "L-1", "created", "2024-03-01T10:00:00"),
        event("lead", "L-1", "handed_over", "2024-03-01T15:30:00", team="north"),  # Friday, half an hour is left
        event("lead", "L-1", "attempted", "2024-03-04T07:29:00"),
        event("lead", "L-2", "created", "2024-03-04T08:00:00"),
        event("lead", "L-2", "handed_over", "2024-03-04T08:00:00", team="north"),
        event("lead", "L-2", "attempted", "2024-03-04T09:01:00"),
    )

    assert verdicts(result, "follow-up") == {"L-1": "met", "L-2": "breached"}
    assert stated(result, "followed-up-in-time", "day") == [("breached", 1, 2)]
