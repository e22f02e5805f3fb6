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

    def replayed(self, until: str, file: Path = FILE) -> ReplayResult:
        return run_replay(self.events, load_agreements([file]), until_ms=ms(until), step_ms=3_600_000)


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

    assert (figures["follow_up"], figures["mean"]) == (1, 3_600_000)
    assert verdicts == {"in-time": "provisional", "often-enough": "provisional", "deep-enough": "provisional"}

    result = told.replayed("04-12 00:00")

    assert statement(result, "sales", "month+follow_up") == ({"follow_up": 1}, {"in-time": "met"})
    figures, verdicts = statement(result, "sales", "month+depth")
    assert (figures["depth"], verdicts["deep-enough"]) == (2.5, "met")
    assert [figures[f"depth_{n}"] for n in range(7)] == [0, 1, 1, 1, 1, 0, 0]
    assert (figures["depth_kept"], verdicts["often-enough"]) == (0.75, "breached")


def test_a_months_cohort_is_stated_whole_once_it_can_be_judged():
    """Given four leads handed over in the last evening of January, one of which is reached before the month is closed,

        Wed 31 Jan 18:00      Thu 1 Feb 09:00 ─ 2 h of business ─ 11:00
        L-1 reached at once   L-2 reached 10:30   L-3 reached 14:00   L-4 never

    when time passes, then January says 1 of 1, provisional, and once, when the 2 h are over for all: 2 of 4.
    """
    told = Told()
    for number in range(1, 5):
        told.of(f"L-{number}", "created", "01-31 09:00").of(f"L-{number}", "handed_over", "01-31 18:00")
    told.of("L-1", "attempted", "01-31 18:05")
    told.of("L-2", "attempted", "02-01 10:30").of("L-3", "attempted", "02-01 14:00")

    result = told.replayed("03-20 00:00")

    months = [one for one in result.statements if one.series.measure == "sales" and one.window.startswith("month")]
    in_time = [
        (one.window, one.from_ms, verdict.verdict, figure.numerator, figure.denominator)
        for one in months
        for verdict in one.verdicts
        for figure in one.figures
        if verdict.objective == "in-time" and figure.indicator == "follow_up" and figure.denominator
    ]
    january = ms("01-01 00:00")
    assert in_time == [("month", january, "provisional", 1, 1), ("month+follow_up", january, "breached", 2, 4)]
    pending = [figure.value for one in months for figure in one.figures if figure.indicator == "follow_up_pending"]
    assert pending[0] == 3
    cohort = next(one for one in months if one.window == "month+follow_up")
    assert cohort.as_of_ms == ms("02-01 11:15"), "the 2 h of a lead that comes at midnight, and the allowed lateness"


def test_a_matured_close_rate_is_of_all_leads_created_in_the_month_also_of_those_won_after_it():
    """Given January's leads: one won in it, two won in March, one of them too late, one lost and won after all.

    When 90 days of the last of them are over, at the end of April, then 3 of 5 were won in time, and never before.
    """
    told = Told()
    for number in range(1, 6):
        told.of(f"L-{number}", "created", "01-10 09:00")
    told.of("L-1", "won", "01-20 09:00", amount=800.0).of("L-2", "won", "03-20 09:00", amount=800.0)
    told.of("L-4", "lost", "02-01 09:00").of("L-4", "won", "04-09 09:00", amount=800.0)  # the 90th day
    told.of("L-3", "won", "04-09 09:01", amount=800.0)

    result = told.replayed("05-01 02:00")

    january = [one for one in result.statements if one.series.measure == "goal" and one.from_ms == ms("01-01 00:00")]
    month, cohort = (next(one for one in january if one.window == name) for name in ("month", "month+close"))
    of_month, of_cohort = ({one.indicator: one for one in status.figures} for status in (month, cohort))
    assert (of_month["matured_close_rate"].value, of_month["matured_pending"].value) == (None, 5)
    assert {one.objective: one.verdict for one in month.verdicts}["won-in-time"] == "provisional"
    assert (of_cohort["matured_close_rate"].numerator, of_cohort["matured_close_rate"].denominator) == (3, 5)
    assert [(one.objective, one.verdict) for one in cohort.verdicts] == [("won-in-time", "met")]


def test_each_campaign_has_a_goal_of_its_own_and_a_lead_that_was_not_active_is_not_delivered():
    """Given 16 leads needed of spring and 40 of autumn, when spring hands over 4, one of which did nothing before it.

    Autumn brought none, and winter has no goal.
    """
    told = Told()
    for number, days in enumerate([("02", "03"), ("02", "05"), ("03", "04"), ("03", "06")]):
        lead = f"S-{number}"
        told.of(lead, "created", "01 10:00", campaign="spring")
        for day in days:  # the last one is active after the hand-over once, and a day too late
            told.of(lead, "engaged", f"{day} 10:00", campaign="spring")
        told.of(lead, "handed_over", "05 12:00", campaign="spring")
    told.of("W-1", "created", "01 10:00", campaign="winter").of(
        "W-1", "handed_over", "02 10:00", campaign="winter", activities=9
    )

    result = told.replayed("04-02 00:00", FILE.with_name("campaigns.yaml"))

    months = {
        one.series.values[0]: (
            {figure.indicator: figure.value for figure in one.figures},
            {v.objective: v.verdict for v in one.verdicts},
        )
        for one in result.statements
        if one.window == "month" and one.from_ms == ms("01 00:00")
    }
    figures, verdicts = months["spring"]
    assert (figures["leads_needed"], figures["delivered"], figures["activity_kept"]) == (16, 3, 0.75)
    assert (figures["pace"], verdicts) == (pytest.approx(3 / 16), {"on-pace": "breached", "warm": "breached"})
    assert (months["winter"][0]["delivered"], months["winter"][0]["activity_kept"]) == (1, 1), "its attribute tells"
    assert (months["winter"][0].get("leads_needed"), months["winter"][1]["on-pace"]) == (None, "no_data")
