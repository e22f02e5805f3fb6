"""The example files of error budgets and consequences promise what they say."""

from datetime import datetime
from decimal import Decimal
from pathlib import Path

from monitor.config.agreements.checking import load_agreements
from monitor.core.facts.events import Event, Fact
from monitor.core.objectives.consequences import consequences_of
from monitor.replay.local import run_replay
from monitor.replay.result import as_json

FILES = Path(__file__).parents[2] / "deploy" / "promises"


def at(text):
    return int(datetime.fromisoformat(text + "+00:00").timestamp() * 1000)


def happened(subject, name, kind, time, **attributes):
    time_ms = at(time) if isinstance(time, str) else time
    return Event(subject, name, Fact(time_ms, 0, f"{name}-{kind}-{time_ms}", kind, attributes))


def replayed(file, events, until, **more):
    return run_replay(events, load_agreements(FILES / f"{file}.yaml"), until_ms=at(until), **more)


def ticket(name, opened_ms, solved_ms):
    who = {"customer": "finance", "priority": "P1"}
    return [
        happened("ticket", name, "opened", opened_ms, **who),
        happened("ticket", name, "resolved", solved_ms, **who),
    ]


def test_an_hour_of_failures_burns_the_budget_and_pages_long_before_the_month_is_broken():
    minute = 60_000
    good = [
        one
        for number in range(400)
        for one in ticket(f"T-{number}", at("2026-03-02T00:00") + number * 10 * minute,
                          at("2026-03-02T00:00") + (number * 10 + 30) * minute)
    ]  # fmt: skip
    start_ms = at("2026-03-05T04:00")
    bad = [one for number in range(16) for one in ticket(f"B-{number}", start_ms, start_ms + (300 + number) * minute)]
    found = replayed("error-budget", good + bad, "2026-03-06T00:00", step_ms=minute)
    alerts = [(one.state, one.labels["urgency"]) for one in found.alerts if one.key.kind == "burn"]
    assert ("breached", "page") in alerts
    month = next(one for one in found.statuses if one.window == "month")
    (budget,) = month.budgets
    assert (budget.total, budget.consumed, budget.exhausted) == (416 * 0.05, 16, False)
    assert month.verdicts[0].verdict == "on_track"
    assert [one.window for one in budget.burns] == ["1h", "5m", "24h", "2h"]


def test_99_95_percent_of_the_minutes_of_a_week_are_a_budget_of_5_min_2_4_s():
    down = [
        happened("outage", "O-1", "started", "2026-03-04T10:00:50", service="payments"),
        happened("outage", "O-1", "restored", "2026-03-04T10:02:10", service="payments"),
    ]
    found = replayed("timeslices", down, "2026-03-09T01:00")
    (week,) = [one for one in found.statements if one.from_ms == at("2026-03-02T00:00")]
    (budget,) = week.budgets
    assert (budget.total, budget.consumed, budget.exhausted) == (302_400, 180_000, False)  # 3 minutes, though 80 s


def outage(name, service, start, end):
    return [
        happened("outage", name, "started", start, service=service),
        happened("outage", name, "restored", end, service=service),
    ]


def test_months_that_miss_their_availability_are_credited_by_tier_up_to_the_caps():
    events = [
        *outage("O-1", "ring", "2026-01-10T10:00", "2026-01-10T11:00"),  # 99.8656 %: 10 %
        *outage("O-2", "core", "2026-02-10T10:00", "2026-02-10T20:00"),  # 98.5 %: 25 %
        *outage("O-3", "ring", "2026-03-10T10:00", "2026-03-10T10:30"),  # 99.93 %: kept
    ]
    found = replayed("service-credits", events, "2026-04-02T00:00")
    due = consequences_of(found.statements, load_agreements(FILES / "service-credits.yaml"))
    assert [(one.series.values, one.amount, one.payable) for one in due] == [
        (("ring",), Decimal("1200.00"), Decimal("1200.00")),
        (("core",), Decimal("12000.13"), Decimal("12000.10")),  # 20 % of 60,000.50
    ]
    assert [one.claim_until_ms for one in due] == [at("2026-03-03T00:00"), at("2026-03-31T00:00")]
    assert [one for status in found.statements for one in status.consequences] == [*due]
    told = [one["amount"] for stated in as_json(found)["statements"] for one in stated["consequences"]]
    assert told == ["1200.00", "12000.13"]


def test_three_bad_months_of_six_let_the_customer_go_and_the_second_warns():
    events = []
    for month, waits_s in ((1, 60), (2, 5), (3, 60), (4, 5), (5, 60), (6, 5)):
        for number in range(6):
            start_ms = at(f"2026-{month:02}-10T10:0{number}")
            name = f"C-{month}-{number}"
            events += [
                happened("call", name, "queued", start_ms, queue="sales"),
                happened("call", name, "answered", start_ms + waits_s * 1000, queue="sales"),
            ]
    found = replayed("termination-right", events, "2026-07-02T00:00")
    assert [(one.state, one.reason) for one in found.alerts if one.key.kind == "termination"] == [
        ("at_risk", "one_miss_left"), ("breached", "may_terminate"),
    ]  # fmt: skip
    assert as_json(found)["alerts"]["counts"]["termination-right/answered termination"] == {"at_risk": 1, "breached": 1}
    rights = [one.kind for status in found.statements for one in status.consequences]
    assert rights == ["termination_warning", "termination_right"]


def test_damages_are_due_once_by_the_hour_and_by_the_case_up_to_their_caps_and_a_blackout_ends_it_at_once():
    # given January with 3 failures of the ring, 10 h in all: 98.6559 %, and one repair that took 6 h of its 4
    events = [
        *outage("O-1", "ring", "2026-01-10T10:00", "2026-01-10T16:00"),
        *outage("O-2", "ring", "2026-01-15T10:00", "2026-01-15T13:00"),
        *outage("O-3", "ring", "2026-01-20T10:00", "2026-01-20T11:00"),
        # and February, in which the core was down for two days: 92.857 %
        *outage("O-4", "core", "2026-02-10T10:00", "2026-02-12T10:00"),
    ]

    found = replayed("damages", events, "2026-03-02T00:00")

    stated = [one for status in found.statements for one in status.consequences]
    due = [(one.series.values[0], one.objective, one.basis, one.quantity, one.amount, one.payable, one.bound_by)
           for one in stated if one.kind == "damages"]  # fmt: skip
    assert due == [
        # of 744 h 0.744 h may be down: 9.256 h beyond
        ("ring", "available", "fixed", 1, Decimal(500), Decimal(500), ""),
        ("ring", "available", "per_hour", Decimal("9.256"), Decimal("1110.72"), Decimal("1110.72"), ""),
        ("ring", "few-failures", "per_case", 1, Decimal("75.50"), Decimal("75.50"), ""),
        ("ring", "repaired-in-time", "per_hour", 2, Decimal(40), Decimal(40), ""),
        # of 672 h 0.672 h: 47.328 h beyond, capped by the rule; what is left of 3,000 for the month of all
        ("core", "available", "fixed", 1, Decimal(500), Decimal(500), ""),
        ("core", "available", "per_hour", Decimal("47.328"), Decimal("5679.36"), Decimal(2000), "rule"),
        ("core", "repaired-in-time", "per_hour", 44, Decimal(880), Decimal(500), "month"),
    ]
    assert {one.claim_until_ms for one in stated if one.kind == "damages"} == {
        at("2026-03-03T00:00"), at("2026-03-31T00:00"),
    }  # fmt: skip
    rights = [(one.kind, one.breach, one.claim_until_ms) for one in stated if one.breach]
    assert rights == [("termination_right", "a blackout", at("2026-04-30T00:00"))]
    alerts = [(one.state, one.reason, one.details) for one in found.alerts if one.key.kind == "termination"]
    assert alerts == [("breached", "may_terminate_at_once", (("breach", "a blackout"),))]
    # and the worker, replay and simulate decide alike
    assert consequences_of(found.statements, load_agreements(FILES / "damages.yaml")) == stated
    told = [one for line in as_json(found)["statements"] for one in line["consequences"] if one["kind"] == "damages"]
    assert [(one["amount"], one["payable"], one.get("bound_by")) for one in told][5] == ("5679.36", "2000", "rule")
