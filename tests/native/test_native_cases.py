"""Cases of the native fast path that the law meets rarely. Each says how many facts are folded natively."""

import json

import pytest

from monitor.core.agreements.agreement import Report
from monitor.core.agreements.book import Book
from monitor.core.agreements.measures import Filter
from monitor.core.facts.events import Event, Fact
from monitor.stream.agents import ingest
from tests.core.stories import DAY_MS, MONDAY_MS, agreement, clock
from tests.native.given import COUNTS, MINUTE, PLAIN, agreements, warming
from tests.native.stage import Both, record
from tests.native.test_native_law import native, records_of

HOUR = 60 * MINUTE
TEN_MS = MONDAY_MS + 10 * HOUR
"""Monday, ten o'clock: the office is open."""
WHOLE = {"priority": "P1", "customer": "acme", "service": "payroll"}


def fact(kind, at_ms=0, sequence=0, id=None, **brought):
    return Fact(TEN_MS + at_ms, sequence, id or f"{kind}-{at_ms}", kind, brought or WHOLE)


OTHER = {"priority": "P3", "customer": "x"}
OPENED, ANSWERED = fact("opened"), fact("responded", 2 * MINUTE)
CASES = {
    "a later sequence of the same instant": (2, OPENED, fact("updated", 0, 1)),
    "an earlier sequence of the same instant": (0, fact("opened", 0, 2), fact("updated", 0, 1)),
    "a later id of the same instant": (2, OPENED, fact("updated", 0, 0, "z")),
    "an earlier id of the same instant": (0, OPENED, fact("updated", 0, 0, "a")),
    "an id of the ticket's that has another body": (0, OPENED, fact("updated", 1, 0, OPENED.id)),
    "a repeat": (0, OPENED, fact("updated", 5), fact("updated", 5)),
    "a fact before the first": (0, OPENED, fact("updated", -5)),
    "an answer of a machine": (2, OPENED, fact("responded", MINUTE, automatic=True)),
    "an internal note": (2, OPENED, fact("responded", MINUTE, public=False)),
    "an answer": (2, OPENED, fact("responded", MINUTE, public=True, automatic=False)),
    "a stop just beyond a percentile's target": (3, OPENED, ANSWERED, fact("resolved", HOUR + 4_000)),
    "a stop at a percentile's target": (3, OPENED, ANSWERED, fact("resolved", HOUR)),
    "an acknowledgement at the due instant": (2, OPENED, fact("acknowledged", 30 * MINUTE)),
    "an acknowledgement just after it": (0, OPENED, fact("acknowledged", 30 * MINUTE + 1)),
    "another priority": (0, OPENED, fact("updated", 5, priority="P2")),
    "another team, which names a series": (0, OPENED, fact("assigned", 5, team="desk")),
    "another agent": (3, OPENED, fact("assigned", 5, agent="Ada"), fact("updated", 9, agent="Bob")),
    "attributes in another order": (
        3, OPENED, fact("updated", 5, **dict(reversed(WHOLE.items()))), fact("closed", 9, agent="Ada"),
    ),
    "a pause within the hours": (
        4, OPENED, fact("acknowledged", MINUTE), fact("paused", 9 * MINUTE, reason="customer"),
        fact("resumed", 40 * MINUTE, reason="customer"),
    ),
    "a pause that does not count": (
        3, OPENED, fact("acknowledged", MINUTE), fact("paused", 9 * MINUTE, reason="supplier"),
    ),
    "all pauses end": (
        5, OPENED, fact("acknowledged", MINUTE), fact("paused", 2 * MINUTE, reason="customer"),
        fact("resumed", 5 * MINUTE, agent="Ada"), fact("closed", 20 * MINUTE),
    ),
    "a stop overnight": (0, OPENED, fact("closed", DAY_MS)),
    "a cancellation": (0, OPENED, fact("cancelled", MINUTE)),
    "a reopening": (0, OPENED, fact("closed", MINUTE), fact("reopened", 2 * MINUTE)),
    "an ordinary promise": (2, fact("opened", 0, 0, None, **OTHER), fact("closed", 5, 0, None, **OTHER)),
}  # fmt: skip


def both_warm():
    both = Both(Book(agreements(PLAIN), 1), native)
    for _ in range(2):  # the terms of its clocks are asked for by the next fact
        both.batch(records_of(warming(0)), MONDAY_MS, caught_up=False)
    extra = Event("ticket", "W", fact("opened", 0, 0, None, **OTHER))
    both.batch(records_of([extra]), TEN_MS)
    both.batch(records_of([Event("ticket", "V", fact("opened", -HOUR))]), TEN_MS, caught_up=False)
    both.sides[1].tally.ways.clear()
    return both


@pytest.mark.parametrize("case", CASES)
def test_in_one_piece_all_facts_of_a_ticket_are_folded_natively_or_none(case):
    count, *facts = CASES[case]
    both = both_warm()

    both.batch(records_of([Event("ticket", "T-1", one) for one in facts]), TEN_MS + 2 * DAY_MS, caught_up=False)

    both.check()
    assert both.sides[1].tally.ways["tickets", "native"] == count


@pytest.mark.parametrize("restarts", [False, True])
@pytest.mark.parametrize("case", CASES)
def test_fact_by_fact_nothing_tells_who_has_folded_them(case, restarts):
    both = both_warm()

    for one in CASES[case][1:]:
        both.batch(records_of([Event("ticket", "T-1", one)]), one.time_ms, caught_up=False)
        if restarts:
            both.restart(natively=True)
            both.batch(records_of(warming(one.time_ms)), TEN_MS, caught_up=False)
        both.check()
    both.tick(TEN_MS + DAY_MS)
    both.check()


def test_a_deadline_at_the_horizon_is_told_in_the_order_of_the_tickets():
    both = both_warm()
    both.batch(records_of([Event("ticket", name, OPENED) for name in ("T-1", "T-2")]), TEN_MS)  # it has caught up
    missed_ms = TEN_MS + 30 * MINUTE + 1

    update = fact("updated", MINUTE)
    both.batch(records_of([Event("ticket", name, update) for name in ("T-2", "T-1")]), missed_ms)

    both.check()
    assert both.sides[1].tally.alerts["ticket", "breached"] >= 2
    assert both.sides[1].tally.ways == {("tickets", "native"): 2, ("tickets", "python"): 2}


def test_a_row_that_waits_to_be_encoded_is_left_to_python():
    both = both_warm()
    for side in both.sides:
        side.batch(records_of([Event("ticket", "T-1", OPENED)]), TEN_MS, caught_up=False)
        side.state.put(b"sT-1", side.state.get(b"sT-1"))  # as work does that ends before it is encoded

    both.batch(records_of([Event("ticket", "T-1", fact("updated", MINUTE))]), TEN_MS, caught_up=False)

    both.check()
    assert both.sides[1].tally.ways["tickets", "python"] == 1


def test_a_row_that_was_read_is_read_anew_after_it_was_folded_natively(monkeypatch):
    both = both_warm()
    monkeypatch.setattr(ingest, "RECORDS_AT_ONCE", 1)
    both.batch(records_of([Event("ticket", "T-1", OPENED)]), TEN_MS, caught_up=False)
    for side in both.sides:
        side.state.get(b"sT-1")

    facts = [fact("updated", MINUTE), fact("updated", 1)]
    both.batch(records_of([Event("ticket", "T-1", one) for one in facts]), TEN_MS, caught_up=False)

    both.check()
    assert both.sides[1].tally.ways == {("tickets", "native"): 2, ("tickets", "python"): 1}


@pytest.mark.parametrize("more", [{"counts_late": True}, {"cycles": "last"}, {"pause_caps": {"customer": HOUR}}])
def test_clocks_that_need_more_than_the_newest_fact_are_left_to_python(more):
    both = Both(Book((agreement(clock("resolution", {"*": "8h"}, at_risk=(), **more)),), 1), native)
    kinds = ("opened", "updated", "resolved", "reopened", "paused", "resumed", "closed")

    for place, kind in enumerate(kinds):
        facts = [Event("ticket", f"T-{number}", fact(kind, place * MINUTE)) for number in range(3)]
        both.batch(records_of(facts), TEN_MS + place * MINUTE, caught_up=False)

        both.check()
        if place == 0:
            both.restart(natively=True)  # it asks for the terms of clocks that it has not started
    assert both.share <= 0.5


@pytest.mark.parametrize("escaped", [False, True])
@pytest.mark.parametrize("sign", ["\x7f", "\x85", "\u2028", "\u202e", "\u2066", "\t", "ü", "€", "\u200e", "x" * 600])
@pytest.mark.parametrize("field", ["id", "ticket", "priority"])
def test_texts_are_refused_and_taken_as_python_refuses_and_takes_them(field, sign, escaped):
    both = both_warm()
    body = {"id": "e", "type": "opened", "time": TEN_MS, "ticket": "T-1", **WHOLE}
    body[field] += sign

    value = json.dumps(body, ensure_ascii=escaped).encode()
    both.batch([record(body["ticket"].encode(), value)], TEN_MS, caught_up=False)

    both.check()


def test_an_event_ahead_of_the_clock_is_a_dead_letter_whoever_reads_it():
    both = both_warm()
    ahead = [Event("ticket", f"T-{minutes}", fact("opened", minutes * MINUTE)) for minutes in (59, 60, 61)]

    both.batch(records_of(ahead), TEN_MS)

    both.check()
    assert both.sides[1].tally.dead_letters == {("tickets", "in_the_future"): 1}
    assert both.sides[1].tally.ways["tickets", "native"] == 2


BESIDE = {
    "a field that was there is emptied": (
        {"report": Report(required=("category",))}, fact("opened", category="x", **WHOLE),
        fact("updated", MINUTE, category=""), fact("updated", 2 * MINUTE, agent="Ada"),
    ),
    "a field that clocks wait for comes": (
        {"report": Report(required=("category",), incomplete_clock="waits")}, fact("opened"),
        fact("updated", MINUTE, category="x"), fact("resolved", 2 * MINUTE),
    ),
    "a ticket without clocks gets some by what it brings later": (
        {"report": Report(required=("service",)), "covers": Filter(any_of=(("category", frozenset({"x"})),))},
        fact("opened"), fact("updated", MINUTE, category="x"), fact("resolved", 2 * MINUTE),
    ),
    "a ticket is counted by what it brings later": (
        {"tickets": (COUNTS,), "covers": Filter(any_of=(("category", frozenset({"x"})),))},
        fact("opened"), fact("updated", MINUTE, category="x"), fact("resolved", 2 * MINUTE),
    ),
    "a counted ticket has another team before it is handed over": (
        {"tickets": (COUNTS,)}, fact("opened", team="desk", **WHOLE), fact("updated", MINUTE, team="network"),
        fact("assigned", 2 * MINUTE, team="desk"), fact("assigned", 3 * MINUTE, team="desk"),
    ),
    "a counted ticket is cancelled": ({"tickets": (COUNTS,)}, fact("opened"), fact("cancelled", MINUTE)),
    "a counted ticket is solved, reopened and solved": (
        {"tickets": (COUNTS,)}, fact("opened"), fact("resolved", MINUTE), fact("reopened", 2 * MINUTE),
        fact("closed", 3 * MINUTE),
    ),
    "a counted ticket has another priority after its day was stated": (
        {"tickets": (COUNTS,), "allowed_lateness_ms": 0}, fact("opened"), fact("updated", 15 * HOUR),
        fact("updated", 16 * HOUR, priority="P2"), fact("updated", 40 * HOUR, agent="Ada"),
    ),
}  # fmt: skip
"""What one agreement has beside a clock, and the facts of a ticket that it covers."""


def test_a_team_that_no_agreement_names_is_no_matter_for_python():
    network = Filter(any_of=(("team", frozenset({"network"})),))
    rules = agreement(*PLAIN[:3]), agreement(*PLAIN[:2], id="network", covers=network)
    both = Both(Book(rules, 1), native)
    names = [f"T-{number}" for number in range(10)]
    both.batch(records_of([Event("ticket", "W", OPENED)]), TEN_MS)
    both.batch(records_of([Event("ticket", name, OPENED) for name in names]), TEN_MS)
    both.sides[1].tally.ways.clear()

    for minute, team in enumerate(("desk", "carrier", "network", "desk"), start=1):
        moved = fact("updated", minute * MINUTE, team=team)
        both.batch(records_of([Event("ticket", name, moved) for name in names]), TEN_MS)
        both.check()

    assert both.sides[1].tally.ways == {("tickets", "native"): 20, ("tickets", "python"): 20}


@pytest.mark.parametrize("case", BESIDE)
def test_what_a_ticket_counts_for_beside_its_clocks_is_the_same_whoever_folds_its_facts(case):
    more, *facts = BESIDE[case]
    rule = clock("resolution", {"*": "90h"}, at_risk=(), by=())
    both = Both(Book((agreement(rule, **more),), 1), native)
    complete = fact("opened", category="y", team="desk", **WHOLE)
    for number in range(2):  # so that it is told what is promised
        for one in (complete, facts[0]):
            both.batch(records_of([Event("ticket", f"W-{number}-{len(one.attributes)}", one)]), TEN_MS)

    for one in facts:
        both.batch(records_of([Event("ticket", "T-1", one)]), one.time_ms)
        both.check()
    both.tick(TEN_MS + 3 * DAY_MS)

    both.check()
