"""Two scripted days of a desk, a hotline and a network: what comes out equals what was reckoned by hand.

The figures are compared where people meet them: the alerts topic as ``sla-monitor tail`` prints it, /metrics, status
and statements.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.installation import Installation, Metrics, Worker, at, desk_agreement

DESK = desk_agreement("""\
calendars:
  office: {hours: {mon-fri: "09:00-17:00"}}
clocks:
  - {id: response, metric: first_response, calendar: office, targets: {"*": 1h}, at_risk: 75%, by: [], windows: [day]}
  - id: resolution
    metric: resolution
    calendar: office
    targets: {P1: 2h, "*": 8h}
    at_risk: 75%
    by: [priority]
    windows: [24h, day, month]
objectives:
  - {id: in-time, of: resolution, indicator: compliance, target: 90 %, windows: [day]}
""")
HOTLINE = """\
agreement: hotline
version: 1
valid_from: 2024-01-01
name: Hotline
form: service
provider: Care
customer: All callers
service: Telephone
status: accepted
accepted_by: Noor
accepted_on: 2023-12-01
calls:
  - {id: support, answer_within: 20s, short_abandon: 5s, service_level: SL3, by: [queue]}
objectives:
  - {id: eighty-twenty, of: support, indicator: service_level, target: 80 %, windows: [30m, day], minimum_sample: 20}
"""
NETWORK = """\
agreement: network
version: 1
valid_from: 2024-01-01
name: Metro ring
form: service
provider: Northern Networks
customer: All sites
service: Connectivity
status: accepted
accepted_by: Sam
accepted_on: 2023-12-01
clocks:
  - {id: restore, subject: outage, metric: restore, targets: {"*": 1h}, at_risk: 75%, by: [service], windows: [day]}
outages:
  - id: ring
    maintenance: {exclusion: both, notice: 24h}
    by: [service]
    windows: [30d, day, month]
objectives:
  - {id: up, of: ring, indicator: availability, target: 99.9 %, windows: [day]}
"""
MINUTE = 60.0

Event = tuple[str, str, str, dict[str, Any]]
"""Instant, subject's id, type, attributes."""

TICKETS: list[Event] = [
    ("2026-01-05 09:00", "T-1", "opened", {"priority": "P1"}),
    ("2026-01-05 09:00", "T-2", "opened", {"priority": "P1"}),
    ("2026-01-05 09:30", "T-1", "responded", {}),
    ("2026-01-05 10:00", "T-3", "opened", {"priority": "P1"}),
    ("2026-01-05 10:10", "T-3", "responded", {}),
    ("2026-01-05 10:20", "T-1", "resolved", {}),
    ("2026-01-05 10:30", "T-3", "paused", {"reason": "waiting_for_customer"}),
    ("2026-01-05 11:00", "T-5", "opened", {"priority": "P1"}),
    ("2026-01-05 11:00", "T-6", "opened", {"priority": "P3"}),
    ("2026-01-05 11:00", "T-7", "opened", {"priority": "P1"}),
    ("2026-01-05 11:05", "T-5", "responded", {}),
    ("2026-01-05 11:10", "T-6", "responded", {}),
    ("2026-01-05 11:30", "T-7", "cancelled", {}),
    ("2026-01-05 12:00", "T-6", "priority_changed", {"priority": "P1"}),
    ("2026-01-05 12:45", "T-6", "resolved", {}),
    ("2026-01-05 14:00", "T-5", "resolved", {}),
    ("2026-01-05 14:30", "T-3", "resumed", {"reason": "waiting_for_customer"}),
    ("2026-01-05 15:00", "T-5", "reopened", {}),
    ("2026-01-05 15:30", "T-5", "resolved", {}),
    ("2026-01-05 15:50", "T-3", "resolved", {}),
    ("2026-01-05 16:30", "T-4", "opened", {"priority": "P2"}),
    ("2026-01-05 16:40", "T-4", "responded", {}),
    ("2026-01-06 10:00", "T-4", "resolved", {}),
]
OUTAGES: list[Event] = [
    ("2026-01-03 12:00", "M-1", "maintenance_announced",
     {"starts_at": "2026-01-06T02:00:00Z", "ends_at": "2026-01-06T06:00:00Z", "service": "ring"}),
    ("2026-01-06 01:30", "O-1", "started", {"service": "ring"}),
    ("2026-01-06 01:40", "O-1", "acknowledged", {}),
    ("2026-01-06 01:45", "O-1", "responded", {}),
    ("2026-01-06 03:00", "O-1", "restored", {}),
    ("2026-01-06 04:00", "O-1", "resolved", {}),
    ("2026-01-06 10:00", "O-2", "started", {"service": "ring"}),
    ("2026-01-06 10:05", "O-2", "acknowledged", {}),
    ("2026-01-06 10:10", "O-2", "responded", {}),
    ("2026-01-06 10:20", "O-3", "started", {"service": "ring"}),
    ("2026-01-06 10:30", "O-3", "acknowledged", {}),
    ("2026-01-06 10:30", "O-3", "responded", {}),
    ("2026-01-06 10:30", "O-2", "restored", {}),
    ("2026-01-06 10:50", "O-3", "restored", {}),
    ("2026-01-06 10:50", "O-3", "resolved", {}),
    ("2026-01-06 11:00", "O-2", "resolved", {}),
]  # fmt: skip


async def live(installation: Installation, worker: Worker, subject: str, events: list[Event], until: str) -> None:
    """Let events happen hour by hour up to an instant: those of the next hour are sent before the clock is turned."""
    while (now_ms := installation.clock.now_ms()) < at(until):
        next_ms = min(now_ms + 3_600_000, at(until))
        lot = [event for event in events if at(event[0]) <= next_ms]
        del events[: len(lot)]
        await installation.send(
            *[installation.event(subject, subject_id, kind, when, more) for when, subject_id, kind, more in lot]
        )
        if not lot:
            upcoming = [at(event[0]) for event in events[:1]]
            next_ms = max(next_ms, min([at(until), *upcoming]) - 60_000)
        await installation.turn(next_ms, worker)


def brief(told: list[dict[str, Any]], promise: str) -> list[tuple[str, str, str]]:
    """Return what was told of a promise: whose, what, and the hour and minute at which it became true."""
    return [(one["what"], one["state"], one["at"][8:16]) for one in told if one["promise"] == promise]


async def statement(installation: Installation, agreement: str, measure: str, day: str) -> list[dict[str, Any]]:
    """Return the statements of a day."""
    found = [one["data"] for one in await installation.json("tail", "statements", "--no-follow")]
    return [
        one
        for one in found
        if (one["agreement"], one["measure"], one["from"][:10], one["window"]) == (agreement, measure, day, "day")
    ]


def figures(status: dict[str, Any]) -> dict[str, float | None]:
    return {one["indicator"]: one.get("value") for one in status["figures"]}


async def test_a_day_of_a_service_desk(installation: Installation):
    await installation.publish(DESK)
    events = list(TICKETS)
    async with installation.worker() as worker:
        # when the day goes on until noon, T-2 is not heard of
        await live(installation, worker, "ticket", events, "2026-01-05 11:59")
        told = await installation.told()
        assert brief(told, "response") == [("T-2", "at_risk", "05T09:45"), ("T-2", "breached", "05T10:00")]
        assert brief(told, "resolution") == [("T-2", "at_risk", "05T10:30"), ("T-2", "breached", "05T11:00")]
        # the breach of 11:00:00.001 was told at this turn of the clock, and is counted with the next one
        await installation.turn(installation.clock.now_ms() + 5_000, worker)
        metrics = await worker.metrics()
        p1 = {"agreement": "desk", "measure": "resolution", "priority": "P1"}
        assert metrics.value("sla_clocks_open", **p1) == 3  # T-2, T-3, T-5
        assert metrics.value("sla_clocks_paused", **p1) == 1
        assert metrics.value("sla_clocks_overdue", **p1) == 1
        # T-1 met, T-2 is open past its due instant: one of two
        assert metrics.value("sla_clock_compliance_ratio", window="day", **p1) == 0.5
        assert metrics.value("sla_objective_verdict", verdict="breached", window="day", **p1) == 1

        # and after noon it comes out that it had been resolved in time
        await installation.tell("ticket", "T-2", ("resolved", "2026-01-05 10:50", {}))
        await live(installation, worker, "ticket", events, "2026-01-05 17:30")
        told = await installation.told()
        assert brief(told, "resolution") == [
            ("T-2", "at_risk", "05T10:30"), ("T-2", "voided", "05T10:50"), ("T-2", "breached", "05T11:00"),
            ("T-5", "at_risk", "05T12:30"), ("T-6", "at_risk", "05T12:30"), ("T-6", "resolved", "05T12:45"),
            ("T-5", "breached", "05T13:00"), ("T-5", "resolved", "05T14:00"),
            ("T-3", "at_risk", "05T15:30"), ("T-3", "resolved", "05T15:50"),
        ]  # fmt: skip
        assert brief(told, "response")[2:] == [("T-2", "resolved", "05T10:50")]
        assert len({one["key"] for one in told if one["promise"] == "resolution" and one["what"] == "T-5"}) == 1

        # then the figures are those of the clocks: 80, 110, 110, 180, 30, 105 minutes, one of them too long
        metrics = await worker.metrics()
        for window in ("24h", "day", "month"):
            of = {"window": window, **p1}
            assert metrics.value("sla_clock_compliance_met", **of) == 5
            assert metrics.value("sla_clock_compliance_samples", **of) == 6
            assert metrics.value("sla_clock_compliance_ratio", **of) == pytest.approx(5 / 6)
            assert metrics.value("sla_clock_elapsed_mean_seconds", **of) == 102.5 * MINUTE
            assert metrics.value("sla_clock_elapsed_longest_seconds", **of) == pytest.approx(180 * MINUTE, rel=0.01)
            p50 = metrics.value("sla_clock_elapsed_percentile_seconds", percentile="50", **of)
            assert p50 == pytest.approx(105 * MINUTE, rel=0.01)
        assert metrics.value("sla_clocks_open", agreement="desk", measure="resolution", priority="P2") == 1
        assert metrics.value("sla_clock_compliance_ratio", window="day", priority="P2") is None

        # and on the next day T-4 was in time: half an hour of Monday, one of Tuesday
        await live(installation, worker, "ticket", events, "2026-01-06 11:00")
        metrics = await worker.metrics()
        assert metrics.value("sla_clock_elapsed_mean_seconds", window="day", priority="P2") == 90 * MINUTE
        assert metrics.value("sla_clock_compliance_ratio", window="day", priority="P1") is None
        assert (
            metrics.value("sla_clock_compliance_samples", window="24h", priority="P1") == 4
        )  # of 10:20 and 10:50 no more
        (monday,) = [
            one
            for one in await statement(installation, "desk", "resolution", "2026-01-05")
            if one["labels"] == {"priority": "P1"}
        ]
        assert figures(monday)["compliance"] == pytest.approx(5 / 6)
        (verdict,) = monday["verdicts"]
        assert (verdict["objective"], verdict["verdict"], verdict["sample"]) == ("in-time", "breached", 6)


async def test_a_quarter_of_an_hour_of_a_hotline(installation: Installation):
    """The golden vector of domain.md §4 by a tenth: the same percentages from 100 answered and 6 abandoned calls."""
    await installation.publish(HOTLINE)
    start = at("2026-01-05 09:05")
    waits = [("answered", 10)] * 86 + [("answered", 40)] * 14
    waits += [("abandoned", 3), ("abandoned", 10)] + [("abandoned", 30)] * 4
    queue = {"queue": "support"}
    async with installation.worker() as worker:
        records = []
        for number, (outcome, wait_s) in enumerate(waits):
            queued = start + number * 5_000
            records.append(installation.event("call", f"C-{number}", "queued", queued, queue))
            records.append(installation.event("call", f"C-{number}", outcome, queued + wait_s * 1000, {}))
        await installation.send(*records)
        await installation.tell("call", "W", ("queued", at("2026-01-05 09:20"), queue))
        support = {"agreement": "hotline", "measure": "support", "queue": "support"}

        def levels(metrics: Metrics, window: str) -> list[float | None]:
            name = "sla_call_service_level_ratio"
            return [metrics.value(name, formula=f"SL{n}", window=window, **support) for n in range(1, 7)]

        # when W has waited for 20 s, which is within T
        await installation.turn("2026-01-05 09:20:20", worker)
        metrics = await worker.metrics()
        for window in ("30m", "24h", "day", "month"):
            of = {"window": window, **support}
            found = [round(one * 100, 2) for one in levels(metrics, window)]
            assert found == [83.02, 86.0, 81.13, 82.69, 82.08, 81.9]
            assert metrics.value("sla_call_speed_of_answer_seconds", **of) == 14.2
            assert metrics.value("sla_call_abandonment_ratio", counting="gross", **of) == 6 / 106
            assert metrics.value("sla_call_abandonment_ratio", counting="net", **of) == 5 / 105
        assert metrics.value("sla_calls_waiting", **support) == 1
        assert metrics.value("sla_calls_waiting_longest_seconds", **support) == 20
        assert not [one for one in metrics.all("sla_objective_verdict", verdict="breached") if one]

        # and when it waits on: a miss from the crossing of T on, without any event
        await installation.turn("2026-01-05 09:20:22", worker)
        metrics = await worker.metrics()
        assert levels(metrics, "30m") == [88 / 107, 86 / 101, 86 / 107, 86 / 105, 87 / 107, 86 / 106]
        assert metrics.value("sla_calls_waiting_longest_seconds", **support) == 22

        # and when seven more are not answered in time the promise is broken, and said so once
        for number in range(7):
            queued = at("2026-01-05 09:21")
            facts = [("queued", queued, queue), ("answered", queued + 21_000, {})]
            await installation.tell("call", f"L-{number}", *facts)
        await installation.turn("2026-01-05 09:22", worker)
        await installation.turn("2026-01-05 09:23", worker)
        told = await installation.told()
        assert [(one["window"], one["state"], one["value"]) for one in told] == [
            ("30m", "breached", 86 / 114), ("day", "breached", 86 / 114),
        ]  # fmt: skip

        # then the rolling half hour runs empty but for the call that still waits; the day remembers
        await installation.turn("2026-01-05 10:10", worker)
        metrics = await worker.metrics()
        assert levels(metrics, "30m") == [None] * 6
        assert metrics.value("sla_call_speed_of_answer_seconds", window="30m", **support) is None
        assert levels(metrics, "day")[2] == 86 / 114
        assert [(one["window"], one["state"]) for one in await installation.told()][2:] == [("30m", "resolved")]


async def test_a_day_of_a_network(installation: Installation):
    await installation.publish(NETWORK)
    events = list(OUTAGES)
    ring = {"agreement": "network", "measure": "ring", "service": "ring"}
    async with installation.worker() as worker:
        # when O-1 is open
        await live(installation, worker, "outage", events, "2026-01-06 02:40")
        metrics = await worker.metrics()
        assert metrics.value("sla_outages_open", **ring) == 1
        assert metrics.value("sla_outages_open_oldest_seconds", **ring) == 70 * MINUTE
        # half an hour of it was before the maintenance, of two hours of the day that were promised
        assert metrics.value("sla_outage_availability_ratio", window="day", **ring) == pytest.approx(90 / 120)
        for stage in ("restore", "resolve"):
            assert metrics.value("sla_outage_time_to_repair_seconds", stage=stage, window="day", **ring) is None

        # and when all is mended
        await live(installation, worker, "outage", events, "2026-01-06 12:00")
        told = await installation.told()
        assert brief(told, "restore") == [
            ("O-1", "at_risk", "06T02:15"), ("O-1", "breached", "06T02:30"), ("O-1", "resolved", "06T03:00"),
        ]  # fmt: skip

        # then the month so far: 5.5 days, less 4 h of announced work; down 30 and (10:00 to 10:50) 50 minutes
        metrics = await worker.metrics()
        assert metrics.value("sla_outage_availability_ratio", window="month", **ring) == pytest.approx(
            (7920 - 240 - 80) / (7920 - 240)
        )
        for window in ("30d", "month"):
            of = {"window": window, **ring}
            assert metrics.value("sla_outage_downtime_seconds", **of) == 80 * MINUTE
            assert metrics.value("sla_outage_failures", **of) == 3
            mttr = {"acknowledge": 25 / 3, "respond": 35 / 3, "restore": 150 / 3, "resolve": 240 / 3}
            for stage, minutes in mttr.items():
                assert metrics.value("sla_outage_time_to_repair_seconds", stage=stage, **of) == pytest.approx(
                    minutes * MINUTE
                )
        assert metrics.value("sla_outage_time_between_failures_seconds", window="month", **ring) == pytest.approx(
            (7920 - 80) / 3 * MINUTE
        )

        # and the statement of the day, once its lateness is over
        await installation.turn("2026-01-07 00:14", worker)
        assert await statement(installation, "network", "ring", "2026-01-06") == []
        await installation.turn("2026-01-07 00:16", worker)
        (day,) = await statement(installation, "network", "ring", "2026-01-06")
        assert figures(day)["availability"] == pytest.approx((1440 - 240 - 80) / (1440 - 240))
        assert figures(day)["downtime"] == 80 * 60_000
        assert figures(day)["mtbf"] == pytest.approx((1440 - 80) / 3 * 60_000)
        assert [one["verdict"] for one in day["verdicts"]] == ["breached"]
