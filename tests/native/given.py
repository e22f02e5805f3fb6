"""Books and histories of tickets for the law of the native fast path, and the bytes in which they come."""

from dataclasses import replace

import orjson
from hypothesis import strategies as st

from monitor.core.agreements.agreement import Report
from monitor.core.agreements.measures import Filter
from monitor.core.agreements.objectives import Objective
from monitor.core.agreements.ticket_measure import TicketRule
from monitor.core.facts.events import DUE_ATTRIBUTES, Event, Fact
from monitor.core.time.windows import Window
from monitor.wire.events import encode_event
from tests.core.agreements.test_levels import ACME, AMENDED, CORPORATE, PAYROLL
from tests.core.agreements.test_levels import book as leveled
from tests.core.stories import DAY_MS, MONDAY_MS, agreement, clock
from tests.core.subjects.test_subject_laws import CHANGING, DRIVEN, RULES
from tests.native.stage import record

MINUTE = 60_000
TYPES = (
    "acknowledged", "assigned", "responded", "customer_replied", "updated", "paused", "resumed", "resolved", "closed",
    "priority_changed", "reopened", "cancelled",
)  # fmt: skip
COMMON = TYPES[:9]
PLAIN = (
    clock("acknowledge", {"P1": "30m", "*": "2h"}, at_risk=(), by=()),
    clock("first_response", {"P1": ("1h", "office"), "P2": "3h"}, by=("priority", "customer"), pause_on=frozenset()),
    clock("resolution", {"*": ("8h", "office")}, at_risk=("50%", "75%", "10m"), pause_on=frozenset({"customer"})),
    replace(clock("turnaround", {"*": "30h"}, strict=True, at_risk=("90%",), by=("team",)), cycles="sum"),
)
ACMES = (clock("resolution", {"*": "2h"}, by=("service",), windows=(Window("rolling", 30 * MINUTE), Window("day"))),)
P95 = Objective(
    id="p95", measure="resolution", indicator="p95", comparison="<=", target=3_600_000, windows=(Window("month"),)
)
ONLY_ACME = Filter(any_of=(("customer", frozenset({"acme"})),))


def agreements(rules):
    """An agreement for all, one for a customer that begins within the history, and a draft."""
    objectives = (P95,) if any(rule.id == "resolution" for rule in rules) else ()
    return (
        agreement(*rules, objectives=objectives),
        agreement(*ACMES, id="acme", covers=ONLY_ACME, valid_from=MONDAY_MS),
        agreement(*ACMES, id="acme", version=2, covers=ONLY_ACME, valid_from=MONDAY_MS + DAY_MS, status="draft"),
    )


DATED = (
    clock("resolution", due_at="due_at", where=Filter(any_of=(("customer", frozenset({"acme"})),)), by=("priority",)),
    clock("first_response", {"*": "3h"}, by=("customer",)),
    clock("acknowledge", due_at="response_due_at", where=Filter(any_of=(("priority", frozenset({"P2"})),))),
)
MONTH = Window("month")
WIDE = (
    clock("acknowledge", {"P1": "30m", "*": "2h"}, at_risk=(), by=(), windows=(Window("rolling", 30 * MINUTE), MONTH)),
    clock(
        "resolution", {"*": "90m"}, at_risk=("95%",), by=("customer", "priority"),
        windows=(Window("rolling", 30 * MINUTE), Window("rolling", DAY_MS), Window("rolling", 7 * DAY_MS), MONTH),
    ),
    clock("first_response", {"*": "3h"}, at_risk=(), by=("team", "service"), windows=(Window("rolling", DAY_MS),)),
)  # fmt: skip


def wide():
    """Panes of all widths, for several values of each series, cut where a version begins, in days of their own."""
    whole = replace(agreement(*WIDE, objectives=(P95,)), zone="Pacific/Chatham")
    return whole, replace(whole, version=2, valid_from_ms=MONDAY_MS + 100 * MINUTE + 1)


PARTLY_DRIVEN = (
    agreement(*PLAIN),
    agreement(*DRIVEN, id="acme", covers=ONLY_ACME, valid_from=MONDAY_MS + 6 * 60 * MINUTE),
)
COUNTS = TicketRule(id="counts", by=("priority",), windows=(Window("day"), Window("rolling", 30 * MINUTE)))
ONLY_P1 = Filter(any_of=(("priority", frozenset({"P1"})),))
REQUIRING = (
    agreement(*PLAIN, report=Report(required=("priority", "service"))),
    agreement(
        *ACMES, id="acme", covers=ONLY_ACME, valid_from=MONDAY_MS,
        report=Report(required=("category", "agent"), incomplete_clock="waits"),
    ),
)  # fmt: skip
DRIVEN_BY_THE_COMPLETE = (
    agreement(*DRIVEN, report=Report(required=("agent",), incomplete_clock="waits")),
    agreement(*PLAIN, id="others", covers=Filter(any_of=(("customer", frozenset({"other"})),))),
)
COUNTING = (
    agreement(*PLAIN),
    agreement(
        id="acme", covers=ONLY_ACME, tickets=(COUNTS, replace(COUNTS, id="urgent", where=ONLY_P1, by=())),
        allowed_lateness_ms=0,
    ),
)  # fmt: skip
ALL_OF_IT = tuple(
    replace(one, report=Report(required=("service",)), tickets=(replace(COUNTS, by=("team",)),)) for one in REQUIRING
)
NETWORK = Filter(any_of=(("team", frozenset({"network"})),))
BY_TEAM = (
    agreement(*PLAIN[:3]),
    agreement(*DRIVEN[:3], id="network", covers=NETWORK),
    agreement(*ACMES, id="acme", covers=ONLY_ACME, report=Report(required=("service",))),
)
LEVELED = leveled(CORPORATE, ACME, PAYROLL, AMENDED).agreements
BOOKS = [
    agreements(PLAIN),
    agreements(RULES),
    LEVELED,
    agreements(DRIVEN),
    agreements(CHANGING),
    wide(),
    (agreement(*DATED),),
    PARTLY_DRIVEN,
    REQUIRING,
    DRIVEN_BY_THE_COMPLETE,
    COUNTING,
    ALL_OF_IT,
    BY_TEAM,
]
LONG = "x" * 1_025
PRIORITIES, CUSTOMERS, TEAMS = ("P1", "P2", "P3"), ("acme", "Jörg € & Söhne"), ("desk", "network", "x" * 40)


FIELDS = st.just({"service": "payroll"}) | st.dictionaries(
    st.sampled_from(["service", "category", "agent"]), st.sampled_from(["payroll", "x", ""])
)
"""What reports may have to have."""


@st.composite
def facts_of(draw, subject, kinds):
    """The facts of one ticket in the order in which they happened."""
    at = MONDAY_MS + draw(st.integers(-6 * 60, 12 * 60)) * MINUTE + draw(st.integers(0, 2)) * 7
    priority, customer = draw(st.sampled_from(PRIORITIES)), draw(st.sampled_from(CUSTOMERS))
    known = {"priority": priority, "customer": customer}
    known |= draw(FIELDS)
    facts = [Fact(at, 0, f"{subject}-0", "opened", dict(known))]
    for number in range(1, draw(st.integers(1, 7))):
        at += draw(st.sampled_from([0, 1, 3 * MINUTE, 20 * MINUTE, 90 * MINUTE, 9 * 60 * MINUTE]))
        kind = draw(st.sampled_from(kinds))
        brought = draw(st.sampled_from([dict(known), {}, dict(reversed(known.items())), {"agent": "Ada"}]))
        if draw(st.integers(0, 8)) == 0:
            brought[draw(st.sampled_from(["category", "agent", "service"]))] = draw(st.sampled_from(["", "x"]))
        if kind == "assigned":
            brought["team"] = draw(st.sampled_from(TEAMS))
        if kind == "priority_changed":
            brought["priority"] = draw(st.sampled_from(PRIORITIES))
        if kind in ("paused", "resumed"):
            brought |= draw(st.sampled_from([{"reason": "customer"}, {"reason": "supplier"}, {}]))
        if kind in ("responded", "updated"):
            brought |= draw(st.sampled_from([{"public": False}, {"public": True}, {"automatic": True}, {}]))
        if draw(st.integers(0, 30)) == 0:
            brought["weight"] = 0.5
        if draw(st.integers(0, 12)) == 0:
            brought[draw(st.sampled_from(DUE_ATTRIBUTES))] = at + draw(st.integers(-3, 20)) * 10 * MINUTE
        facts.append(Fact(at, draw(st.integers(0, 2)), f"{subject}-{number}", kind, brought))
    return [Event("ticket", f"T-{subject}", fact) for fact in facts]


@st.composite
def histories(draw):
    """Facts of a few tickets in the order in which they arrive: mostly as they happened."""
    kinds = draw(st.sampled_from([COMMON, TYPES]))
    events = [one for subject in range(draw(st.integers(1, 5))) for one in draw(facts_of(subject, kinds))]
    events.sort(key=lambda one: one.fact[:3])
    if draw(st.integers(0, 3)) == 0:  # some come late, some twice
        for _ in range(draw(st.integers(1, 3))):
            events.insert(draw(st.integers(0, len(events))), events.pop(draw(st.integers(0, len(events) - 1))))
        events += draw(st.lists(st.sampled_from(events), max_size=2))
    return events


@st.composite
def written(draw, event):
    """A record of an event, in one of the forms in which it may come."""
    key, value = encode_event(event)
    form = draw(st.integers(0, 11))
    body = orjson.loads(value)
    if form < 4:
        body["time"] = event.fact.time_ms
    if form == 4:
        body |= {"text": 'said "no"\n', "more": [{"a": [1.5, None, -3]}], "link": None}
    if form == 5:
        import json  # noqa: PLC0415 - its escapes are those of most producers

        return record(key, json.dumps(body).encode())
    if form == 6:
        return record(key, value, headers=[("trace", b"1")])
    if form == 7:
        return record(key, value.replace(b'"id"', b'"id" :\t'))
    return record(key, orjson.dumps(body))


@st.composite
def hostile(draw):
    """A record that is no event, or hardly one."""
    event = draw(facts_of(draw(st.integers(0, 5)), TYPES))[-1]
    key, value = encode_event(event)
    form = draw(st.integers(0, 6))
    if form == 0:
        place = draw(st.integers(0, len(value)))
        return record(key, value[:place] + draw(st.binary(max_size=3)) + value[place:])
    if form == 1:
        place = draw(st.integers(0, len(value) - 1))
        return record(key, value[:place] + value[place + 1 :])
    if form == 2:
        return record(draw(st.sampled_from([None, b"", b"T-0"])), value)
    if form == 3:
        return record(key, draw(st.none() | st.binary(max_size=20)))
    more = {
        4: {"time": draw(st.sampled_from(["2026-03-02T10:00:00+01:00", "2026-02-30T10:00:00Z", 1, True, None, 1e12]))},
        5: {draw(st.sampled_from(["id", "priority", "team", "type"])): draw(st.sampled_from(["", 1, None, LONG]))},
        6: {"time": MONDAY_MS + 40 * DAY_MS},
    }[form]
    return record(key, orjson.dumps(orjson.loads(value) | more))


def warming(number):
    """Tickets from whose first facts the native path learns what is promised."""
    attributes = [
        {"priority": priority, "customer": customer, "service": "payroll"}
        for priority in PRIORITIES
        for customer in CUSTOMERS
    ]
    at = (MONDAY_MS - DAY_MS, MONDAY_MS)
    return [
        Event("ticket", f"W-{number}-{start}-{place}", Fact(start, 0, "o", "opened", one))
        for start in at
        for place, one in enumerate(attributes)
    ]


def of(subject, number, kind, at_ms, **attributes):
    return Event("ticket", subject, Fact(at_ms, 0, f"{subject}-{number}", kind, attributes))


LIFE = ("opened", "acknowledged", "assigned", "paused", "resumed", "responded", "resolved", "closed")


def plain_job(tickets=1_000):
    """Tickets that live as most do: in order, with times as texts, each fact with all attributes or with its own."""
    events = []
    for number in range(tickets):
        whole = {"priority": f"P{number % 3 + 1}", "customer": "acme" if number % 2 else "other", "service": "payroll"}
        for place, kind in enumerate(LIFE):
            own = {"assigned": {"agent": "Ada"}, "paused": {"reason": "customer"}, "resumed": {"reason": "customer"}}
            brought = whole | own.get(kind, {}) if place == 0 or number % 2 else own.get(kind, {})
            events.append(of(f"T-{number}", place, kind, MONDAY_MS + (number * 20 + place * 40) * 1_000, **brought))
    return sorted(events, key=lambda one: one.fact[:3])
