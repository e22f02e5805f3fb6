"""A desk with hostile customers and a network, over two months and a bit: the material of small reports."""

from __future__ import annotations

import textwrap
from functools import cache

from monitor.config.agreements.checking import book_of, parse_document
from monitor.config.reading.yaml_file import parse_documents
from monitor.core.agreements.book import Book
from monitor.core.facts.events import Event, Fact, Subject, Value
from monitor.replay.local import ReplayResult, run_replay
from monitor.replay.readers import Reading, Rejected
from monitor.reports.model import Report, make_report
from monitor.reports.scope import scope_of
from monitor.reports.sources import Sources, from_replay
from tests.replay.desk import ms

HOSTILE = "<script>alert(1)</script>$\\frac"
FORMULA = '=HYPERLINK("http://evil")'
AGREEMENT = """
agreement: desk
version: 1
valid_from: 2024-01-01
name: Desk & network <b>
form: service
provider: Group IT
customer: Everybody
service: Mail
status: accepted
accepted_by: Dana
accepted_on: 2023-12-01
zone: Europe/Berlin
covers: {service: [mail, ring]}
contacts: [{role: customer, name: Dana, email: dana@example.com}]
reports: {to: customer, every: month, statistics: [resolution]}
clocks:
  - {id: resolution, metric: resolution, targets: {"*": 1h}, by: [customer], windows: [day, month]}
  - {id: inner, metric: acknowledge, targets: {"*": 1h}, by: [customer], windows: [month]}
outages:
  - {id: network, where: {service: ring}, by: service, windows: [month], maintenance: {exclusion: both, notice: 1h}}
objectives:
  - {id: resolved, of: resolution, indicator: compliance, target: ">= 60 %", windows: [day, month]}
  - {id: available, of: network, indicator: availability, target: ">= 99.9 %", windows: month}
  - {id: usual, of: resolution, indicator: p90, target: "<= 2h", windows: 24h}
consequences:
  currency: EUR
  fees: {ring: 1000}
  credits: [{objective: available, tiers: [{below: 99.9 %, credit: 10 %}]}]
  claim_within: 30d
"""
SALES = """
agreement: sales
version: 1
valid_from: 2024-01-01
name: Sales
form: service
provider: Marketing
customer: Sales
service: Leads
status: accepted
accepted_by: Dana
accepted_on: 2023-12-01
covers: {source: [web]}
leads:
  - id: pipeline
    follow_up: {within: 30m}
    attempts: 2
    depth_within: 5d
    goal: {sales: {month: 8000}, marketing_share: 50 %, average_deal: 800, close_rate: 50 %}
    windows: [month]
objectives:
  - {id: on-pace, of: pipeline, indicator: pace, target: 50 %, windows: month}
"""


def event(subject: Subject, subject_id: str, kind: str, at: str, **attributes: Value) -> Event:
    """Return an event at an instant of UTC."""
    return Event(subject, subject_id, Fact(ms(at), 0, f"{subject_id}-{kind}-{at}", kind, attributes))


def ticket(name: str, customer: str, opened: str, resolved: str, team: str = "first line") -> list[Event]:
    known: dict[str, Value] = {"customer": customer, "service": "mail", "priority": "P1", "team": team}
    return [event("ticket", name, "opened", opened, **known), event("ticket", name, "resolved", resolved, **known)]


def desk_events() -> list[Event]:
    ring: dict[str, Value] = {"service": "ring"}
    return [
        *ticket("T1", "acme", "2024-01-10T10:00", "2024-01-10T10:30"),
        *ticket("T2", "acme", "2024-02-05T10:00", "2024-02-05T10:30"),
        *ticket("T3", HOSTILE, "2024-02-05T10:00", "2024-02-05T14:30", team=FORMULA),
        *ticket(FORMULA, HOSTILE, "2024-02-06T10:00", "2024-02-06T12:00"),
        *ticket("T5", FORMULA, "2024-02-07T10:00", "2024-02-07T10:20"),
        event("ticket", "T6", "opened", "2024-02-20T10:00", customer="acme", service="mail", priority="P1"),
        event("outage", "O1", "started", "2024-02-10T10:00", **ring),
        event("outage", "O1", "restored", "2024-02-10T15:00", **ring),
        event("outage", "M1", "maintenance_announced", "2024-02-10T12:00", **ring, starts_at_ms=ms("2024-02-15T01:00"),
              ends_at_ms=ms("2024-02-15T03:00")),
        event("outage", "M1", "maintenance_started", "2024-02-15T01:00", **ring),
        event("outage", "M1", "maintenance_ended", "2024-02-15T03:00", **ring),
        event("outage", "B1", "monitoring_lost", "2024-02-20T00:00", **ring),
        event("outage", "B1", "monitoring_restored", "2024-02-20T06:00", **ring),
        *ticket("T7", "acme", "2024-03-05T10:00", "2024-03-05T10:30"),
    ]  # fmt: skip


def lead_events() -> list[Event]:
    found: list[Event] = []
    for number, (minutes, attempts) in enumerate(((10, 1), (30, 2), (45, 3), (0, 0))):
        name, day = f"L{number}", f"2024-02-{5 + number:02}"
        found.append(event("lead", name, "created", f"{day}T08:00", source="web"))
        found.append(event("lead", name, "handed_over", f"{day}T09:00", source="web"))
        found += [
            event("lead", name, "attempted", f"{day}T{9 + place:02}:{minutes:02}", source="web")
            for place in range(attempts)
        ]
    found.append(event("lead", "L0", "won", "2024-02-20T09:00", source="web", amount=800.0))
    found.append(event("lead", "L9", "created", "2024-03-20T09:00", source="web"))
    return found


def book(text: str) -> Book:
    documents = parse_documents(textwrap.dedent(text).encode(), "desk.yaml", [])
    return book_of(parse_document(one.data) for one in documents)


@cache
def replayed(name: str = "desk") -> tuple[ReplayResult, Book]:
    of = book(AGREEMENT if name == "desk" else SALES)
    events = desk_events() if name == "desk" else lead_events()
    reading = Reading(events=events, rows=len(events) + 1)
    reading.rejected.append(Rejected("desk.csv", 7, "bad_time", FORMULA))
    return run_replay(events, of, reading=reading), of


def sources(name: str = "desk") -> Sources:
    result, of = replayed(name)
    return from_replay(result, of, "desk.csv")


@cache
def report(name: str = "desk", period: str | None = "2024-02", customer: str = "") -> Report:
    given = sources(name)
    return make_report(given, scope_of(given, None, period, customer))
