"""deploy/promises/leads.yaml keeps its word."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from monitor.config.agreements.checking import check_agreements, load_agreements
from monitor.core.facts.events import Event, Fact
from monitor.replay.local import ReplayResult, run_replay

FILE = Path(__file__).parents[2] / "deploy" / "promises" / "leads.yaml"


def ms(text: str) -> int:
    """An instant of March 2024, local time in Berlin: ``04 09:30``. Friday the 1st is the first working day of 21."""
    day, clock = text.split()
    month, day = (int(day[:2]), day[3:]) if "-" in day else (3, day)
    return int(datetime.fromisoformat(f"2024-{month:02}-{int(day):02} {clock}:00+01:00").timestamp() * 1000)


class Told:
    """Facts in the order in which they are told."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def of(self, lead: str, kind: str, at: str, **attributes: str | float | bool) -> Told:
        number = len(self.events)
        self.events.append(
            Event("lead", lead, Fact(ms(at), number, f"e{number}", kind, {"source": "web", **attributes}))
        )
        return self

    def replayed(self, until: str) -> ReplayResult:
        return run_replay(self.events, load_agreements([FILE]), until_ms=ms(until), step_ms=3_600_000)


def statement(result: ReplayResult, measure: str, window: str = "month"):
    [found] = [one for one in result.statements if one.series.measure == measure and one.window == window]
    figures = {one.indicator: one.value for one in found.figures}
    return figures, {one.objective: one.verdict for one in found.verdicts}


def test_the_file_is_without_mistakes_and_warnings():
    check = check_agreements([FILE])
    assert (check.mistakes, check.warnings) == ((), ())


def test_a_month_of_marketing_is_stated_with_its_pace_and_the_leads_needed_recomputed():
    told = Told()
    for number in range(80):
        told.of(f"W-{number}", "created", "04 10:00")
    for number in range(10):
        told.of(f"F-{number}", "created", "05 10:00", source="fair")
    for number in range(5):
        told.of(f"W-{number}", "won", "20 10:00", source="web", amount=800.0)
    told.of("O-1", "created", "06 10:00", source="outbound").of(
        "O-1", "won", "21 10:00", source="outbound", amount=4000.0
    )

    figures, verdicts = statement(told.replayed("04-02 00:00"), "goal")

    assert figures["delivered"] == 100  # ten leads of a fair weigh two each
    assert (figures["close_rate"], figures["average_deal"], figures["marketing_share"]) == (0.05, 800, 0.5)
    assert (figures["revenue"], figures["customers"]) == (8_000, 6)
    assert (figures["leads_needed"], figures["leads_needed_now"]) == (200, 200)  # it came as it was agreed
    assert figures["needed_to_date"] == pytest.approx(200)
    assert (figures["pace"], verdicts["on-pace"]) == (pytest.approx(0.5), "breached")


def test_the_pace_is_told_within_the_month_and_the_clock_tells_of_the_lead():
    told = Told()
    for number in range(30):
        told.of(f"W-{number}", "created", "01 10:00")
    told.of("W-1", "handed_over", "04 09:00").of("W-1", "attempted", "04 12:00")

    alerts = told.replayed("07 12:00").alerts

    of_lead = [one for one in alerts if one.key.kind == "lead"]
    assert [(one.key.what, one.state, one.at_ms) for one in of_lead] == [
        ("W-1", "at_risk", ms("04 10:00")),
        ("W-1", "breached", ms("04 11:00") + 1),
        ("W-1", "resolved", ms("04 12:00")),
    ]  # fmt: skip
    # 200 / 21 a working day: after Monday 19.0, Tuesday 28.6, Wednesday 38.1 are needed, and 30 are there
    [pace] = [one for one in alerts if one.key.promise == "on-pace" and one.state == "breached"]
    assert ms("07 00:00") <= pace.at_ms <= ms("07 01:00")


def test_sales_is_stated_with_speed_and_depth():
    told = Told()
    for number, (attempts, contacted) in enumerate([(1, True), (3, False), (2, False), (4, True)]):
        lead = f"W-{number}"
        told.of(lead, "created", "04 08:00").of(lead, "handed_over", "04 16:30")
        told.of(lead, "attempted", "04 16:31", automatic=True)
        for day in range(attempts):  # the first on Tuesday at 9:30 is an hour of business after Monday 16:30
            told.of(lead, "attempted", f"{5 + day:02} 09:30")
        if contacted:
            told.of(lead, "contacted", f"{4 + attempts:02} 09:40")

    figures, verdicts = statement(told.replayed("04-02 00:00"), "sales")

    assert (figures["follow_up"], figures["mean"], verdicts["in-time"]) == (1, 3_600_000, "met")
    assert (figures["depth"], verdicts["deep-enough"]) == (2.5, "met")
    assert [figures[f"depth_{n}"] for n in range(7)] == [0, 1, 1, 1, 1, 0, 0]
    assert (figures["depth_kept"], verdicts["often-enough"]) == (0.75, "breached")
