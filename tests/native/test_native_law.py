"""The law of the native fast path: nothing tells whether Python or the package has folded a fact.

The same records go through a partition that Python folds alone, and through one that half its workers fold natively.
"""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from monitor.config.agreements.checking import load_agreements
from monitor.core.agreements.book import Book
from monitor.core.subjects import engine
from monitor.core.time.windows import Window
from monitor.demo.hours import busy_start_ms
from monitor.demo.simulate import Simulator
from monitor.stream.agents import ingest
from monitor.wire.events import encode_event
from tests.core.stories import DAY_MS, MONDAY_MS, agreement, clock
from tests.native.given import BOOKS, LIFE, MINUTE, histories, hostile, of, plain_job, warming, written
from tests.native.stage import Both, record

native = pytest.importorskip("sla_monitor_native", reason="the package sla-monitor-native is not installed")

END_MS = MONDAY_MS + 5 * DAY_MS
DEMO = Path(__file__).parents[2] / "deploy" / "agreements"


def records_of(events):
    return [record(*encode_event(one)) for one in events]


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.sampled_from(range(len(BOOKS))), histories(), st.sampled_from([2, 5, 256]), st.data())
def test_nothing_tells_who_has_folded_a_fact(number, events, at_once, data):
    agreements = BOOKS[number]
    both = Both(Book(agreements, 1), native)
    stamp = 1
    both.batch(records_of(warming(0)), MONDAY_MS, caught_up=False)
    records = [data.draw(written(one)) for one in events]
    for _ in range(data.draw(st.sampled_from([0, 0, 1, 3]))):
        records.insert(data.draw(st.integers(0, len(records))), data.draw(hostile()))
    times = [one.fact.time_ms for one in events]
    cuts = sorted(data.draw(st.sets(st.integers(1, len(records)), max_size=4)) | {len(records)})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ingest, "RECORDS_AT_ONCE", at_once)
        for place, (start, end) in enumerate(zip([0, *cuts], cuts, strict=False)):
            newest_ms = max(times[: max(1, end)])
            now_ms = newest_ms + data.draw(st.sampled_from([0, MINUTE, 40 * MINUTE]))
            both.batch(
                records[start:end], now_ms, caught_up=data.draw(st.booleans()), take_back=data.draw(st.booleans())
            )
            match data.draw(st.integers(0, 5)):
                case 0:
                    both.tick(now_ms)
                case 1:
                    both.restart(natively=data.draw(st.booleans()))
                    both.batch(records_of(warming(place + 1)), now_ms, caught_up=False)
                case 2:
                    stamp += 1
                    both.amend(*agreements, stamp=stamp)
            both.check()
        both.tick(END_MS)
        both.tick(END_MS + 5 * DAY_MS)
        both.check()


@pytest.mark.parametrize("number", [0, 2])
def test_a_plain_job_is_folded_natively(number):
    both = Both(Book(BOOKS[number], 1), native)
    records = records_of(plain_job())

    for start in range(0, len(records), 500):
        piece = records[start : start + 500]
        both.batch(piece, MONDAY_MS + DAY_MS, caught_up=False)

    both.check()
    assert both.share >= 0.9


def test_due_instants_of_the_record_concern_the_tickets_that_are_promised_by_them():
    both = Both(Book(BOOKS[6], 1), native)
    records = records_of(plain_job(600))

    for start in range(0, len(records), 500):
        both.batch(records[start : start + 500], MONDAY_MS + DAY_MS, caught_up=False)

    both.check()
    assert 0.2 < both.share < 0.5  # of the other customer, without priority P2: a third


def test_clocks_that_the_state_drives_concern_the_tickets_that_are_promised_them():
    both = Both(Book(BOOKS[7], 1), native)
    at_ms = MONDAY_MS + 7 * 60 * MINUTE
    started = [
        of(f"T-{number}", 0, "opened", at_ms, customer=customer, priority="P1")
        for number, customer in enumerate(("acme", "other") * 100)
    ]

    both.batch(records_of(started[:4]), at_ms, caught_up=False)
    both.batch(records_of(started[4:]), at_ms, caught_up=False)

    both.check()
    assert both.sides[1].tally.ways["tickets", "native"] == 98


def test_reports_that_must_have_fields_concern_the_tickets_that_lack_one():
    both = Both(Book(BOOKS[8], 1), native)
    at_ms = MONDAY_MS + MINUTE
    whole = {"customer": "other", "priority": "P1", "service": "payroll"}
    started = [of(f"T-{number}", 0, "opened", at_ms, **whole) for number in range(100)]
    lacking = [of(f"L-{number}", 0, "opened", at_ms, **{**whole, "service": ""}) for number in range(10)]
    later = [of(one.subject_id, 1, "updated", at_ms + 1, channel="phone") for one in (*started, *lacking)]
    completed = [of(one.subject_id, 2, "updated", at_ms + 2, service="payroll") for one in lacking]
    answered = [of(one.subject_id, 3, "responded", at_ms + 3) for one in (*started, *lacking)]

    both.batch(records_of([*started[:2], *lacking[:1]]), at_ms, caught_up=False)
    both.sides[1].tally.ways.clear()
    for events in (started[2:] + lacking[1:], later, completed, answered):
        both.batch(records_of(events), at_ms, caught_up=False)
        both.check()

    # Of those that lack one: what comes before it is complete is Python's, and what completes it.
    assert both.sides[1].tally.ways == {("tickets", "native"): 98 + 100 + 110, ("tickets", "python"): 9 + 10 + 10}


def test_of_the_demonstration_about_half_of_the_events_of_tickets_are_folded_natively():
    """Its agreements require fields of reports, and one times by ownership: only such tickets are Python's."""
    start_ms = busy_start_ms(MONDAY_MS)
    simulator, both = Simulator(1, start_ms), Both(load_agreements([DEMO]), native)

    for minute in range(4 * 60):
        at_ms = start_ms + minute * MINUTE
        both.batch(records_of(one for one in simulator.until(at_ms) if one.subject == "ticket"), at_ms)

    both.check()
    assert both.share > 0.45  # Python's are its history, which comes at once, other teams' tickets, and warned ones


def test_tickets_that_are_counted_are_folded_natively_from_their_second_fact_on():
    both = Both(Book(BOOKS[10], 1), native)
    both.batch(records_of(warming(0)), MONDAY_MS, caught_up=False)
    both.batch(records_of(warming(1)), MONDAY_MS, caught_up=False)
    both.sides[1].tally.ways.clear()
    customers = dict(enumerate(["acme", "Jörg € & Söhne"] * 30))

    for place, kind in enumerate(LIFE):
        facts = [
            of(f"T-{number}", place, kind, MONDAY_MS + place * MINUTE, customer=customer, priority="P1")
            for number, customer in customers.items()
        ]
        both.batch(records_of(facts), MONDAY_MS, caught_up=False)
        both.check()

    # Half of them are counted: their first facts are Python's.
    assert both.sides[1].tally.ways == {("tickets", "native"): 30 + 7 * 60, ("tickets", "python"): 30}


@pytest.mark.parametrize("number", [0, 5])
def test_the_panes_of_a_plain_job_are_put_natively(number, monkeypatch):
    both = Both(Book(BOOKS[number], 1), native)
    records = records_of(plain_job())
    for start in range(0, 2_000, 500):
        both.batch(records[start : start + 500], MONDAY_MS + DAY_MS, caught_up=False)

    def add(_panes, minute):
        raise AssertionError(minute)

    monkeypatch.setattr(engine, "add", add)
    both.batch(records[2_000:4_000], MONDAY_MS + DAY_MS, caught_up=False)

    both.check()


def test_a_stop_whose_panes_are_gone_is_too_late_whoever_folds_it():
    slow = agreement(clock("resolution", {"*": "400h"}, at_risk=(), windows=(Window("rolling", 30 * MINUTE),)))
    both = Both(Book((slow,), 1), native)
    first, last = MONDAY_MS, MONDAY_MS + 3 * DAY_MS
    both.batch(records_of([of("W", 0, "opened", first), of("T-1", 0, "opened", first)]), first)
    both.batch(records_of([of("T-2", 0, "opened", first), of("T-3", 0, "opened", first)]), first)
    both.tick(last)

    both.batch(records_of([of("T-2", 1, "resolved", first + MINUTE), of("T-3", 1, "resolved", last)]), last)

    both.check()
    assert both.sides[1].tally.too_late == {"tickets": 1}
    assert both.sides[1].tally.ways["tickets", "native"] == 3


@pytest.mark.parametrize("place", range(len(LIFE)))
def test_facts_of_one_ticket_stay_in_their_order_when_python_takes_one_of_them(place):
    both = Both(Book(BOOKS[0], 1), native)
    both.batch(records_of(warming(0)), MONDAY_MS, caught_up=False)
    whole = {"priority": "P1", "customer": "acme", "service": "payroll"}
    records = records_of([of("T-1", at, kind, MONDAY_MS + at * MINUTE, **whole) for at, kind in enumerate(LIFE)])
    records[place] = replace(records[place], headers=(("trace", b"1"),))

    both.batch([*records, *records_of([of("T-2", 0, "opened", MONDAY_MS, **whole)])], MONDAY_MS)

    both.check()
    assert both.sides[1].tally.ways["tickets", "native"] == 1


TOKENS = [
    "0", "-0", "1", "01", "1.5", "1.", ".5", "1e5", "1E400", "12345678901234567", "true", "tru", "null", "NaN", "[]",
    "[1,]", "{}", '{"a":{}}', '{"a"}', "[[[]]]", '""', '"x"', r'"\""', r'"\u00fc"', r'"\ud83d\ude00"', r'"\ud800"',
    r'"\u0000"', r'"\x"', '"\t"', '"ü€"', '"\x7f"', '"\x85"', '"\u2028"', '"P1"', '"acme"', '"x',
    '"2026-03-02T01:00:00Z"',
]  # fmt: skip
NAMES = [
    "priority", "customer", "public", "automatic", "weight", "customers_total", "specversion", "due_at", "starts_at_ms",
    "sequence", "id", "type", "time", "ticket", "text", "", r"pri\u006frity", "Priority", "subject", "data", "call",
]  # fmt: skip
SPACES = st.sampled_from(["", "", "", "", "", "", " ", "\n\t", "\r", "\x0b", "\ufeff"])
ENDS = st.sampled_from(["", "", "", "", "", "", ",", "}", " x"])
FIELDS = st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(TOKENS)), max_size=1)


@settings(max_examples=500, deadline=None)
@given(
    FIELDS, FIELDS, st.lists(SPACES, min_size=3, max_size=3), st.sampled_from(["", "", "", "", "", "", ",", "}", " x"])
)
def test_whatever_is_read_natively_is_what_python_reads(before, after, spaces, end):
    whole = [("id", '"e"'), ("type", '"opened"'), ("time", f"{MONDAY_MS}"), ("ticket", '"T-1"'), ("priority", '"P1"')]
    space, colon, comma = spaces
    fields = (f"{colon}:{colon}".join((f'"{name}"', value)) for name, value in [*before, *whole, *after])
    value = f"{space}{{{f'{comma},{comma}'.join(fields)}}}{end}{space}".encode()
    both = Both(Book((agreement(clock()),), 1), native)
    both.batch(records_of([of("W", 0, "opened", MONDAY_MS, priority="P1")]), MONDAY_MS)

    both.batch([record(b"T-1", value)], MONDAY_MS)

    both.check()
    event(f"read natively: {both.sides[1].tally.ways['tickets', 'native'] == 1}")
