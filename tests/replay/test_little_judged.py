"""A replay judges only what a result holds: the law that its results are those of judging everything all the time."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.agreements.book import Book
from monitor.core.time.units import DAY_MS, HOUR_MS, MINUTE_MS
from monitor.core.windows.evaluator import Evaluator
from monitor.core.windows.series import SeriesWindows
from monitor.replay import local
from monitor.replay.local import ReplayResult, run_replay
from tests.replay.desk import Event, Fact, book, ms

START_MS = ms("2024-03-30T00:00")
DESK = """
agreement: desk
calendars:
  office: {hours: {mon-fri: "09:00-17:00"}}
clocks:
  - {id: resolution, metric: resolution, targets: {P1: 1h, "*": 4h}, at_risk: 50%, by: customer, windows: [24h, day]}
  - {id: unjudged, metric: acknowledge, targets: {"*": 1h}, by: customer, windows: [24h, day, month]}
calls:
  - {id: helpline, answer_within: 20s, by: queue, repeat_within: 3h, windows: [6h, day]}
  - {id: figures-only, answer_within: 20s, windows: [30m, day, month]}
outages:
  - {id: network, by: service, windows: [12h, day, month]}
  - {id: in-hours, service_hours: office, windows: [24h, week]}
  - {id: weighed, by: service, maintenance: {notice: 1h, exclusion: both}, windows: [day]}
  - {id: sliced, by: service, windows: [24h, day]}
  - {id: supply, by: service, customers: {served: {a: 10, b: 20}, momentary: 5m}, windows: [12h, day]}
  - id: supply-net
    by: service
    customers: {served: {a: 10, b: 20}, momentary: 5m, major_event_days: 40m}
    windows: [day, week]
  - {id: supplied-unjudged, by: service, customers: {served: {a: 10, b: 20}}, windows: [day]}
leads:
  - {id: sales, follow_up: {within: 2h}, windows: [day, month]}
objectives:
  - {id: resolved, of: resolution, indicator: compliance, target: ">= 60 %", at_risk: 80 %, windows: [24h, day]}
  - {id: answered, of: helpline, indicator: service_level, target: ">= 60 %", windows: [6h, day]}
  - {id: solved, of: helpline, indicator: fcr, target: ">= 60 %", windows: day}
  - {id: up, of: network, indicator: availability, target: ">= 95 %", at_risk: 97 %, windows: [12h, day, month]}
  - {id: up-in-hours, of: in-hours, indicator: availability, target: ">= 90 %", windows: [24h, week]}
  - {id: little-down, of: network, indicator: downtime, target: "<= 30m", windows: [12h, day]}
  - {id: night, of: in-hours, indicator: failures, target: "<= 0", windows: week}
  - {id: seldom-in-hours, of: in-hours, indicator: mtbf, target: ">= 4h", windows: week}
  - {id: quickly, of: resolution, indicator: p90, target: "<= 1h", windows: [24h, day]}
  - id: good-slices
    of: sliced
    indicator: availability
    target: ">= 99 %"
    windows: [24h, day]
    budget: {method: timeslices, slice: 15m, good: 90 %, alerts: "off"}
  - id: calls-in-budget
    of: helpline
    indicator: abandonment
    target: "<= 20 %"
    windows: day
    budget: {method: events, alerts: "off"}
  - {id: power, of: supply, indicator: saidi, target: "<= 20m", windows: [12h, day]}
  - {id: power-net, of: supply-net, indicator: saidi_net, target: "<= 20m", at_risk: 4m, windows: [day, week]}
  - {id: power-of-all, of: supply-net, indicator: saidi, target: "<= 3h", windows: week}
  - {id: cuts, of: supply, indicator: saifi, target: "<= 1", windows: day}
  - {id: seldom, of: network, indicator: mtbf, target: ">= 4h", windows: [day, month]}
  - {id: repaired, of: weighed, indicator: mttr_restore, target: "<= 1h", windows: day}
  - {id: up-net, of: weighed, indicator: availability, target: ">= 99 %", windows: day}
  - {id: followed, of: sales, indicator: follow_up, target: 90 %, windows: day}
"""
KINDS = {
    "ticket": ("opened", "acknowledged", "resolved"),
    "call": ("queued", "answered", "ended"),
    "outage": ("started", "degraded", "restored"),
    "lead": ("created", "handed_over", "attempted"),
}


@st.composite
def histories(draw) -> list[Event]:
    events = []
    for number in range(draw(st.integers(1, 14))):
        subject = draw(st.sampled_from(sorted(KINDS)))
        at_ms = START_MS + draw(st.integers(0, 4 * 24 * 12)) * 5 * MINUTE_MS
        who = draw(st.sampled_from("ab"))
        told = {
            "customer": who,
            "queue": who,
            "service": who,
            "caller": who,
            "priority": draw(st.sampled_from(["P1", "P3"])),
        }
        if subject == "outage":
            told["weight"] = draw(st.sampled_from([1.0, 0.5]))
            if draw(st.booleans()):
                told["customers_affected"] = draw(st.integers(0, 10))
            if draw(st.booleans()):
                begin_ms = at_ms + 2 * HOUR_MS
                announced = {"service": who, "starts_at_ms": begin_ms, "ends_at_ms": begin_ms + 3 * HOUR_MS}
                events.append(
                    Event("outage", f"m{number}", Fact(at_ms, 0, f"m{number}", "maintenance_announced", announced))
                )
        for place, kind in enumerate(KINDS[subject][: draw(st.integers(1, 3))]):
            events.append(Event(subject, f"{number}", Fact(at_ms, place, f"{number}-{kind}", kind, told)))
            at_ms += draw(st.sampled_from([0, 1, 30_000, 10 * MINUTE_MS, HOUR_MS, 5 * HOUR_MS, DAY_MS]))
    return events


def judging_everything(events: list[Event], agreed: Book, **more: int) -> ReplayResult:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(local, "Evaluator", lambda *args, **kept: Evaluator(*args, **{**kept, "shows": True}))
        return run_replay(events, agreed, **more)


BOOK = book(DESK)
AMENDED = book(
    DESK,
    DESK.replace("60 %", "75 %").replace('">= 95 %"', '">= 96 %"').replace("<= 20m", "<= 5m")
    + "version: 2\nvalid_from: 2024-03-31T10:00:00Z\n",
)


@settings(max_examples=20, deadline=None)
@given(histories(), st.sampled_from([BOOK, AMENDED]), st.sampled_from([HOUR_MS, 5 * HOUR_MS]), st.integers(0, 8))
def test_alerts_statements_and_figures_are_those_of_judging_every_window_at_every_step(events, agreed, step_ms, days):
    until_ms = START_MS + days * DAY_MS

    assert_the_same(events, agreed, step_ms=step_ms, until_ms=until_ms)


def assert_the_same(events: list[Event], agreed: Book, **more: int) -> ReplayResult:
    little, all_of_it = run_replay(events, agreed, **more), judging_everything(events, agreed, **more)

    assert little.alerts == all_of_it.alerts
    assert little.statements == all_of_it.statements
    assert little.statuses == all_of_it.statuses
    assert little.whole == all_of_it.whole
    return little


def outage(name: str, *steps: tuple[str, int]) -> list[Event]:
    told = {"service": "a"}
    return [Event("outage", name, Fact(START_MS + at_ms, 0, f"{name}-{kind}", kind, told)) for kind, at_ms in steps]


def test_an_interruption_that_nobody_promised_anything_about_is_stated_when_its_end_is_known():
    """The day of its beginning owes a second statement; the next wake of the series would be the close of the year."""
    of_years = book(
        "agreement: net\noutages:\n  - {id: supply, by: service, customers: {served: 10}, windows: [month]}\n"
        "  - {id: other, by: service, windows: [day]}\n"
        "objectives:\n  - {id: up, of: other, indicator: availability, target: '>= 99 %', windows: day}\n"
    )
    events = outage("long", ("started", DAY_MS), ("restored", 10 * DAY_MS)) + outage(
        "short", ("started", 20 * DAY_MS), ("restored", 20 * DAY_MS + HOUR_MS)
    )

    found = assert_the_same(events, of_years, step_ms=HOUR_MS, until_ms=START_MS + 40 * DAY_MS)

    assert [one.window for one in found.statements if one.series.measure == "supply"] == [
        "month",
        "month+restored",
        "month",
    ]


def test_a_failure_of_the_night_is_judged_when_the_office_opens():
    in_hours = book(
        "agreement: net\ncalendars: {office: {hours: {mon-fri: '09:00-17:00'}}}\n"
        "outages:\n  - {id: desk, by: service, service_hours: office, windows: [week]}\n"
        "objectives:\n  - {id: none, of: desk, indicator: failures, target: '<= 0', windows: week}\n"
    )
    monday_ms = 2 * DAY_MS

    found = assert_the_same(
        outage("night", ("started", monday_ms + HOUR_MS), ("restored", monday_ms + 2 * HOUR_MS)), in_hours,
        step_ms=HOUR_MS, until_ms=START_MS + monday_ms + DAY_MS,
    )  # fmt: skip

    assert [(one.state, one.at_ms - START_MS - monday_ms) for one in found.alerts] == [("breached", 10 * HOUR_MS)]


def test_a_quiet_year_of_many_services_is_judged_when_something_happens_not_every_hour(monkeypatch):
    judged = []
    evaluate = local.Evaluator.evaluate
    monkeypatch.setattr(
        local.Evaluator,
        "evaluate",
        lambda self, now_ms, *of, **more: judged.append(now_ms) or evaluate(self, now_ms, *of, **more),
    )
    outage = [
        Event("outage", "O", Fact(START_MS + at_ms, 0, kind, kind, {"service": "a"}))
        for kind, at_ms in (("started", 0), ("restored", HOUR_MS))
    ]
    only_months = book(
        "agreement: net\noutages:\n  - {id: network, by: service, windows: [month]}\n"
        "objectives:\n  - {id: up, of: network, indicator: availability, target: '>= 99 %', windows: month}\n"
    )

    result = run_replay(outage, only_months, until_ms=START_MS + 360 * DAY_MS)

    assert len(result.statements) == 12
    assert len(judged) < 80  # the closes, the verdicts that changed and the end; there are 8,640 hours


def test_an_interruption_of_a_year_is_judged_when_its_verdict_changes_not_every_hour(monkeypatch):
    judged = []
    evaluate = local.Evaluator.evaluate
    monkeypatch.setattr(
        local.Evaluator,
        "evaluate",
        lambda self, now_ms, *of, **more: judged.append(now_ms) or evaluate(self, now_ms, *of, **more),
    )
    of_customers = book(
        "agreement: net\noutages:\n  - {id: supply, by: service, customers: {served: 100}, windows: [month]}\n"
        "objectives:\n  - {id: time, of: supply, indicator: saidi, target: '<= 10h', windows: month}\n"
    )
    told = {"service": "a", "customers_affected": 2}
    started = Event("outage", "O", Fact(START_MS + 2 * DAY_MS, 0, "O", "started", told))

    result = run_replay([started], of_customers, until_ms=START_MS + 360 * DAY_MS)

    # 2 of 100 customers: 10 h for each of all are 500 h for each of these.
    (breach,) = [one for one in result.alerts if one.state == "breached"]
    assert 0 <= breach.at_ms - (START_MS + 2 * DAY_MS + 500 * HOUR_MS) <= HOUR_MS + 1
    assert len(judged) < 60  # there are 8,640 hours, and it is open in each


DECIDED = book(
    """
agreement: desk
clocks:
  - {id: resolution, metric: resolution, targets: {"*": 4h}, windows: [24h, month]}
calls:
  - {id: helpline, answer_within: 20s, by: queue, windows: [6h, day]}
leads:
  - {id: sales, follow_up: {within: 2h}, windows: [month]}
objectives:
  - {id: solved, of: resolution, indicator: compliance, target: ">= 80 %", at_risk: 85 %, windows: [24h, month]}
  - {id: answered, of: helpline, indicator: service_level, target: ">= 80 %", minimum_sample: 5, windows: [6h, day]}
  - {id: kept, of: helpline, indicator: abandonment, target: "<= 20 %", windows: day}
  - {id: followed, of: sales, indicator: follow_up, target: ">= 70 %", windows: month}
"""
)


@settings(max_examples=8, deadline=None)
@given(st.randoms(use_true_random=False), st.sampled_from([0.05, 0.2, 0.3]))
def test_many_events_are_judged_when_the_verdict_may_turn(chance, missed):
    events = []
    for number in range(400):
        subject = chance.choice(["ticket", "call", "lead"])
        kinds = {"ticket": ("opened", "resolved"), "call": ("queued", "answered")}.get(
            subject, ("handed_over", "attempted")
        )
        at_ms = START_MS + chance.randrange(6 * 24 * 60) * MINUTE_MS
        promised_ms = {"ticket": 4 * HOUR_MS, "call": 20_000, "lead": 2 * HOUR_MS}[subject]
        took_ms = promised_ms * (2 if chance.random() < missed else 1)
        for kind, time_ms in zip(kinds, (at_ms, at_ms + took_ms), strict=True):
            told = {"queue": chance.choice("ab")} if kind == "queued" else {}
            events.append(Event(subject, f"{number}", Fact(time_ms, 0, f"{number}-{kind}", kind, told)))

    assert_the_same(events, DECIDED, step_ms=HOUR_MS)


def test_a_year_of_tickets_is_judged_a_few_times_a_month_not_with_each_ticket(monkeypatch):
    judged = []
    evaluate = SeriesWindows.evaluate
    monkeypatch.setattr(
        SeriesWindows, "evaluate", lambda self, *of, **more: judged.append(self.key) or evaluate(self, *of, **more)
    )
    of_months = book(
        "agreement: desk\nclocks: [{id: resolution, metric: resolution, targets: {'*': 4h}, windows: [month]}]\n"
        "objectives: [{id: solved, of: resolution, indicator: compliance, target: '>= 80 %', windows: month}]\n"
    )
    events = [
        Event("ticket", f"{number}", Fact(START_MS + number * HOUR_MS + after_ms, 0, f"{number}-{kind}", kind, {}))
        for number in range(12 * 30 * 24)
        for kind, after_ms in (("opened", 0), ("resolved", HOUR_MS // 2))
    ]

    result = run_replay(events, of_months, step_ms=HOUR_MS)

    assert len(result.statements) == 12
    assert len(judged) < 12 * 6  # there are 8,640 tickets, each in a step of its own
