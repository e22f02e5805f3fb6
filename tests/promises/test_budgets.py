"""The example files of error budgets and consequences promise what they say."""

from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest

from monitor.config.agreements.checking import load_agreements
from monitor.core.facts.events import Event, Fact
from monitor.core.objectives.consequences import consequences_of
from monitor.core.recompute.differences import period_differences
from monitor.replay.local import run_replay
from monitor.replay.result import as_json
from monitor.wire.announcements import decode_statement, encode_statement
from monitor.wire.wording import explain
from tests.replay.desk import book

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


def minutes_down(count):
    """So many outages of 10 s, one in every fourth minute of Wednesday from 10:00 on: each makes a minute bad."""
    for number in range(count):
        start_ms = at("2026-03-04T10:00") + number * 4 * 60_000
        yield happened("outage", f"O-{number}", "started", start_ms, service="payments")
        yield happened("outage", f"O-{number}", "restored", start_ms + 10_000, service="payments")


LATER = [
    happened("outage", "later", "started", "2026-03-12T10:00", service="payments"),
    happened("outage", "later", "restored", "2026-03-12T10:00:01", service="payments"),
]
"""An outage of another week: without any outage a replay shows no service."""


def judged(found):
    (week,) = [one for one in found.statements if one.from_ms == at("2026-03-02T00:00")]
    return week.verdicts[0]


@pytest.mark.parametrize(("bad", "verdict"), [(1, "met"), (5, "met"), (6, "breached")])
def test_a_week_is_missed_by_the_sixth_bad_minute_though_99_99_percent_of_its_time_were_up(bad, verdict):
    found = replayed("timeslices", [*minutes_down(bad), *LATER], "2026-03-16T01:00")
    one = judged(found)
    assert (one.verdict, one.indicator, one.comparison, one.target) == (verdict, "good_slices", ">=", 0.9995)
    assert one.value == (10_080 - bad) / 10_080
    (week,) = [one for one in found.statements if one.from_ms == at("2026-03-02T00:00")]
    assert (week.budgets[0].exhausted, week.budgets[0].all) == (verdict == "breached", 10_080 * 60_000)


def test_the_running_week_is_missed_with_the_minute_that_exhausts_its_budget_and_stays_missed():
    found = replayed("timeslices", [*minutes_down(8)], "2026-03-05T00:00", step_ms=60_000)
    (status,) = [one for one in found.statuses if one.window == "week"]
    assert status.verdicts[0].verdict == "breached"
    (alert,) = [one for one in found.alerts if one.key.promise == "good-minutes"]
    assert (alert.state, alert.reason, alert.indicator, alert.target) == (
        "breached",
        "below_target",
        "good_slices",
        0.9995,
    )
    assert at("2026-03-04T10:20") <= alert.at_ms <= at("2026-03-04T10:22"), "the sixth outage"
    assert (alert.numerator, alert.denominator) == (10_074 * 60_000, 10_080 * 60_000)
    assert explain(alert)["summary"].startswith(
        "good_slices of payments for service payments is 99.94 % (167 h 54 min of 168 h) in the window week and misses "
        "its target of 99.95 %"
    )


CREDITED = """
agreement: sliced
outages:
  - {id: line, by: [], windows: [month]}
objectives:
  - id: good-minutes
    of: line
    indicator: availability
    target: ">= 99 %"
    at_risk: 99.995 %
    windows: month
    budget: {method: timeslices, good: 99.99 %, alerts: "off"}     # of 44,640 minutes 4 may be bad
consequences:
  currency: EUR
  fees: {line: 1000}
  credits:
    - {objective: good-minutes, fee: line, tiers: [{below: 99.99 %, credit: 10 %}, {below: 99.98 %, credit: 30 %}]}
  termination: {objective: good-minutes, window: month, misses: 1, in: 1}
"""


def interrupted(minutes, month="01"):
    for number in range(minutes):
        start_ms = at(f"2024-{month}-10T10:00") + number * 120_000
        yield happened("outage", f"{month}-{number}", "started", start_ms)
        yield happened("outage", f"{month}-{number}", "restored", start_ms + 5_000)


@pytest.mark.parametrize(
    ("minutes", "verdict", "credit"), [(4, "met", []), (5, "breached", ["100.00"]), (9, "breached", ["300.00"])]
)
def test_credits_and_rights_follow_from_the_slices_by_the_share_of_good_ones(minutes, verdict, credit):
    found = run_replay([*interrupted(minutes)], book(CREDITED), until_ms=at("2024-02-02T00:00"))
    (january,) = found.statements
    assert january.verdicts[0].verdict == verdict
    assert [str(one.amount) for one in january.consequences if one.kind == "credit"] == credit
    assert ("termination_right" in {one.kind for one in january.consequences}) == bool(credit)
    for one in january.consequences:
        evidence = one.evidence
        assert (evidence.indicator, evidence.target) == ("good_slices", 0.9999)
        assert (evidence.numerator, evidence.denominator) == ((44_640 - minutes) * 60_000, 44_640 * 60_000)
        assert evidence.value == evidence.numerator / evidence.denominator
    due = consequences_of([decode_statement(encode_statement(january, "/t")[1])], book(CREDITED))
    assert [str(one.amount) for one in due if one.kind == "credit"] == credit, "also as it is read from the topic"


def test_at_risk_is_a_share_of_good_slices_and_warns_before_the_budget_is_used_up():
    def standing(minutes):
        found = run_replay([*interrupted(minutes)], book(CREDITED), until_ms=at("2024-01-20T00:00"))
        return found.statuses[0].verdicts[0].verdict

    assert [standing(minutes) for minutes in (2, 3, 4, 5)] == ["on_track", "at_risk", "at_risk", "breached"]


def test_a_recomputation_agrees_with_what_was_stated_of_slices():
    events = [*interrupted(5)]
    stated = run_replay(events, book(CREDITED), until_ms=at("2024-02-02T00:00")).statements
    again = run_replay(
        [*reversed(events)], book(CREDITED), until_ms=at("2024-02-02T00:00"), step_ms=3_600_000
    ).statements
    assert period_differences(stated, again) == []


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
