"""A story that leaves rows of every kind behind, in two halves: a worker is stopped, and may be upgraded, between them.

Sat 31 January 20:00 ──── month ends ──── Sun 1 February 03:00 ║ stop ║ ──── Mon 2 February 03:00
desk: budget, pages · hotline: calls that wait · network: outages, credits · sales: leads
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from monitor.config.settings.sources import SourceSettings
from monitor.core.paging.notices import Notice, Outcome
from tests.e2e.installation import Installation, Worker, at, eventually
from tests.stream.notifying import DELIVERED, DOWN, GONE, REFUSED, ScriptedCourier

START = "2026-01-31 20:00"
STOP = "2026-02-01 03:00"
END = "2026-02-02 03:00"
SOURCES = [
    SourceSettings(
        topic="jira-webhooks",
        mapping=str(Path(__file__).parents[2] / "deploy" / "mappings" / "jira.yaml"),
        partitions=1,
    )
]
_HEAD = """\
version: 1
valid_from: 2026-01-01
form: service
provider: IT
customer: Everybody
service: All
status: accepted
accepted_by: Dana
accepted_on: 2025-12-01
"""
AGREEMENTS = {
    "desk": f"""\
agreement: desk
name: Service desk
{_HEAD}
notify:
  receivers: [on-call, wall]
  at_risk: [chat, old-pager]
  escalation:
    - {{after: 45m, receivers: [second-line]}}
clocks:
  - id: resolution
    metric: resolution
    targets: {{P1: 1h, "*": 8h}}
    at_risk: [50%, 30m]
    pause_on: [waiting_for_customer]
    by: [priority]
    windows: [24h, month]
  - {{id: update, metric: periodic_update, targets: {{"*": 4h}}, on_change: prorated, by: [], windows: [day]}}
  - {{id: first, metric: first_response, targets: {{P1: 30m, "*": 2h}}, on_change: from_change, by: [], windows: [day]}}
objectives:
  - id: in-time
    of: resolution
    indicator: compliance
    target: ">= 95 %"
    windows: [24h, month]
    budget:
      minimum_events: 1
      alerts: [{{burn: 3, long: 24h, short: 2h, urgency: ticket}}]
""",
    "hotline": f"""\
agreement: hotline
name: Hotline
{_HEAD}
calls:
  - {{id: support, answer_within: 20s, short_abandon: 5s, service_level: SL3, by: [queue], windows: [30m, day]}}
  - {{id: helped, answer_within: 20s, service_level: SL1, repeat_within: 3h, by: [], windows: [24h]}}
objectives:
  - {{id: eighty-twenty, of: support, indicator: service_level, target: 80 %, windows: [30m, day]}}
""",
    "network": f"""\
agreement: network
name: Metro ring
{_HEAD}
outages:
  - id: ring
    by: service
    weights: {{sev1: 1, sev2: 0.5}}
    maintenance: {{exclusion: both, notice: 1h}}
    customers: {{served: 1000}}
    windows: [day, month]
  - {{id: probed, where: {{service: [mail]}}, by: service, blind_after: 30m, windows: [day]}}
objectives:
  - id: up
    of: ring
    indicator: availability
    target: ">= 99.9 %"
    windows: [month]
    budget: {{method: timeslices, slice: 1m}}
consequences:
  currency: EUR
  fees: {{ring: 12000, core: 48000.50}}
  credits:
    - objective: up
      tiers: [{{below: 99.9 %, credit: 10 %}}]
  termination: {{objective: up, misses: 2, in: 3}}
  caps: {{month: 20 %}}
  claim_within: 30d
""",
    "sales": f"""\
agreement: sales
name: Leads are followed up
{_HEAD}
clocks:
  - {{id: follow-up, subject: lead, metric: follow_up, targets: {{"*": 2h}}, at_risk: 75%, by: [team], windows: [day]}}
leads:
  - {{id: leads, follow_up: {{within: 2h}}, attempts: 2, depth_within: 10d, windows: [day]}}
objectives:
  - {{id: followed-up, of: follow-up, indicator: compliance, target: ">= 90 %", windows: [day]}}
""",
}

Event = tuple[str, str, str, str, dict[str, Any]]
"""Subject, its id, type, instant, attributes."""

EVENTS: list[Event] = [
    ("ticket", "T-1", "opened", "2026-01-31 20:05", {"priority": "P1", "customer": "acme"}),
    ("ticket", "T-1", "responded", "2026-01-31 20:25", {"public": True, "agent": "kim"}),
    ("ticket", "T-2", "opened", "2026-01-31 20:10", {"priority": "P1", "customer": "acme"}),
    ("ticket", "T-2", "resolved", "2026-01-31 20:40", {}),
    ("outage", "O-1", "started", "2026-01-31 20:30",
     {"service": "ring", "severity": "sev2", "customers_affected": 400}),
    ("outage", "M-1", "maintenance_announced", "2026-01-31 20:30",
     {"service": "core", "starts_at": "2026-02-01T03:30:00Z", "ends_at": "2026-02-01T04:30:00Z"}),
    ("outage", "probe", "heartbeat", "2026-01-31 20:35", {"service": "mail"}),
    ("outage", "probe", "heartbeat", "2026-02-01 00:20", {"service": "mail"}),
    ("ticket", "T-8", "opened", "2026-01-31 20:35", {"priority": "P3", "customer": "hr"}),
    ("ticket", "T-8", "priority_changed", "2026-01-31 21:20", {"priority": "P1"}),
    ("outage", "O-1", "acknowledged", "2026-01-31 20:40", {}),
    ("call", "C-1", "queued", "2026-01-31 20:45", {"queue": "sales", "caller": "+49301", "issue": "bill"}),
    ("call", "C-1", "answered", "2026-01-31 20:45:10", {}),
    ("call", "C-1", "ended", "2026-01-31 20:50", {}),
    ("call", "C-2", "queued", "2026-01-31 20:50", {"queue": "sales"}),
    ("call", "C-2", "abandoned", "2026-01-31 20:51", {}),
    ("lead", "L-1", "created", "2026-01-31 20:10", {"campaign": "web", "team": "north"}),
    ("lead", "L-1", "handed_over", "2026-01-31 20:20", {}),
    ("lead", "L-1", "attempted", "2026-01-31 21:10", {"channel": "phone"}),
    ("ticket", "T-3", "opened", "2026-01-31 21:30", {"priority": "P1", "customer": "hr"}),
    ("ticket", "T-3", "paused", "2026-01-31 21:45", {"reason": "waiting_for_customer"}),
    ("outage", "O-1", "restored", "2026-01-31 22:30", {}),
    ("outage", "O-1", "resolved", "2026-01-31 22:45", {}),
    ("ticket", "T-1", "resolved", "2026-01-31 22:20", {}),
    ("ticket", "T-4", "opened", "2026-01-31 23:00", {"priority": "P1", "customer": "acme"}),
    # late: the breach at midnight was told, and is taken back
    ("ticket", "T-4", "resolved", "2026-01-31 23:20", {"arrives": "2026-02-01 00:30"}),
    ("lead", "L-2", "created", "2026-01-31 23:10", {"campaign": "web", "team": "north"}),
    ("lead", "L-2", "handed_over", "2026-01-31 23:20", {}),
    ("ticket", "T-5", "opened", "2026-02-01 00:10", {"priority": "P3", "customer": "acme"}),
    ("ticket", "T-6", "opened", "2026-02-01 01:30", {"priority": "P1", "customer": "acme"}),
    ("outage", "O-2", "started", "2026-02-01 01:45", {"service": "core"}),
    ("ticket", "T-7", "opened", "2026-02-01 02:00", {"priority": "P1", "customer": "hr"}),
    ("call", "C-5", "queued", "2026-02-01 01:10", {"queue": "sales", "caller": "+49302"}),
    ("call", "C-5", "answered", "2026-02-01 01:10:05", {}),
    ("call", "C-5", "ended", "2026-02-01 01:15", {"resolved": True}),
    ("call", "C-3", "queued", "2026-02-01 02:40", {"queue": "sales", "caller": "+49302"}),
    ("call", "C-4", "queued", "2026-02-01 02:59:30", {"queue": "claims"}),
    # -- here the worker is stopped
    ("call", "C-3", "answered", "2026-02-01 03:05", {}),
    ("call", "C-3", "ended", "2026-02-01 03:10", {}),
    ("outage", "probe", "heartbeat", "2026-02-01 03:05", {"service": "mail"}),
    ("ticket", "T-3", "resumed", "2026-02-01 03:10", {}),
    ("call", "C-4", "abandoned", "2026-02-01 03:02", {}),
    ("ticket", "T-6", "resolved", "2026-02-01 03:20", {}),
    ("ticket", "T-5", "priority_changed", "2026-02-01 03:30", {"priority": "P1"}),
    ("outage", "O-2", "restored", "2026-02-01 04:00", {}),
    ("outage", "O-2", "resolved", "2026-02-01 04:00", {}),
    ("ticket", "T-2", "reopened", "2026-02-01 04:10", {}),
    ("ticket", "T-2", "resolved", "2026-02-01 05:20", {}),
    ("lead", "L-2", "attempted", "2026-02-01 05:00", {"channel": "mail"}),
    ("lead", "L-2", "qualified", "2026-02-01 05:30", {}),
    ("ticket", "T-7", "resolved", "2026-02-01 02:50", {"arrives": "2026-02-01 06:00"}),
    ("ticket", "T-3", "resolved", "2026-02-01 06:20", {}),
    ("ticket", "T-5", "resolved", "2026-02-01 09:40", {}),
]  # fmt: skip


def courier() -> ScriptedCourier:
    """Return a courier to whom one receiver answers each: well, that it is down, refuses, or wants no more."""
    answers = {"chat": DOWN, "wall": REFUSED, "old-pager": GONE}

    def answer(receiver: str, _: Notice) -> Outcome:
        return answers.get(receiver, DELIVERED)

    return ScriptedCourier(answer)


async def publish(installation: Installation) -> None:
    """Publish the agreements."""
    for name, text in AGREEMENTS.items():
        (installation.folder / f"{name}.yaml").write_text(text)
    published = await installation.run("agreements", "apply", installation.folder, "--yes")
    assert published.exit_code == 0, published.output


async def first_half(installation: Installation, worker: Worker) -> None:
    """Live up to the stop; in the midst of it somebody acknowledges a page."""
    await _live(installation, worker, EVENTS, "2026-01-31 23:00")
    page = next(one for one in await installation.json("deliveries") if one["receiver"] == "on-call")
    acknowledged = await installation.run("ack", page["key"], "--by", "ann")
    assert acknowledged.exit_code == 0, acknowledged.output
    heard = worker.monitor.on_call.responses

    async def is_heard() -> bool:
        return bool(heard.since(0))

    await eventually(is_heard)
    await _live(installation, worker, EVENTS, STOP)
    # What came with the last step is judged too: a worker that starts would do so at once.
    await installation.turn(at(STOP) + 5_000, worker)


async def second_half(installation: Installation, worker: Worker) -> None:
    """Live from the stop to the end."""
    await _live(installation, worker, EVENTS, END)


async def _live(installation: Installation, worker: Worker, events: Sequence[Event], until: str) -> None:
    """Let the events up to an instant come in, a quarter of an hour at a time, and the time pass."""
    now_ms = installation.clock.now_ms()
    for after_ms in range(now_ms - now_ms % 900_000, at(until), 900_000):
        step_ms = min(after_ms + 900_000, at(until))
        lot = [
            installation.event(subject, name, kind, when, {"id": f"e-{place}", **more})
            for place, (subject, name, kind, when, attributes) in enumerate(events)
            for more in ({key: value for key, value in attributes.items() if key != "arrives"},)
            if after_ms < at(attributes.get("arrives", when)) <= step_ms
        ]
        await installation.send(*lot)
        if lot or step_ms % 3_600_000 == 0:
            await installation.turn(step_ms, worker)
