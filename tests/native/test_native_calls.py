"""The law of the native fast path, for calls: nothing tells whether Python or the package has folded a fact."""

from dataclasses import replace

import orjson
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from monitor.core.agreements.book import Book
from monitor.core.series import parts
from monitor.core.subjects import engine
from monitor.stream.agents import ingest
from monitor.wire.events import encode_event
from tests.core.stories import DAY_MS, MONDAY_MS, agreement
from tests.native.given import written
from tests.native.given_calls import (
    ALL,
    BOOKS,
    CALLBACK,
    CENTRE,
    HOTLINE,
    HOUR,
    MINUTE,
    PLAIN,
    QUEUES,
    SECOND,
    facts_of,
    histories,
    of,
    plain_job,
    warming,
)
from tests.native.given_calls import TYPES as KINDS
from tests.native.stage import Both, record
from tests.native.test_native_law import ENDS, FIELDS, NAMES, SPACES, TOKENS, native, records_of

END_MS = MONDAY_MS + 5 * DAY_MS
NATIVE, PYTHON = ("calls", "native"), ("calls", "python")


@st.composite
def hostile(draw):
    """A record that is no event, or hardly one."""
    key, value = encode_event(draw(facts_of(draw(st.integers(0, 7)), KINDS))[-1])
    form, place = draw(st.integers(0, 3)), draw(st.integers(0, len(value) - 1))
    if form == 0:
        return record(key, value[:place] + draw(st.binary(max_size=3)) + value[place + draw(st.integers(0, 1)) :])
    if form == 1:
        return record(draw(st.sampled_from([None, b"", b"C-0"])), value)
    if form == 2:
        return record(key, draw(st.none() | st.binary(max_size=20)))
    names = st.sampled_from(["id", "queue", "caller", "talk_ms", "hold_ms", "score", "resolved", "type"])
    values = st.sampled_from(["", "x" * 1_025, None, 0, -1, 1.5, 5.0, 1e300, True, 2**53, 2**53 - 1])
    more = draw(st.dictionaries(names, values, min_size=1, max_size=2))
    return record(key, orjson.dumps(orjson.loads(value) | more))


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.sampled_from(range(len(BOOKS))), histories(), st.sampled_from([2, 5, 256]), st.data())
def test_nothing_tells_who_has_folded_a_fact_of_a_call(number, events, at_once, data):
    agreements = BOOKS[number]
    both = Both(Book(agreements, 1), native, "call")
    stamp = 1
    both.batch(records_of(warming(0)), MONDAY_MS, caught_up=False)
    records = [data.draw(written(one)) for one in events]
    for _ in range(data.draw(st.sampled_from([0, 0, 1, 3]))):
        records.insert(data.draw(st.integers(0, len(records))), data.draw(hostile()))
    times = [one.fact.time_ms for one in events]
    cuts = sorted(data.draw(st.sets(st.integers(1, len(records)), max_size=4)) | {len(records)})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ingest, "RECORDS_AT_ONCE", at_once)
        patch.setattr(parts, "LARGEST", data.draw(st.sampled_from([1 << 16, 1 << 16, 300])))
        for place, (start, end) in enumerate(zip([0, *cuts], cuts, strict=False)):
            now_ms = max(times[: max(1, end)]) + data.draw(st.sampled_from([0, 15 * SECOND, MINUTE, 40 * MINUTE]))
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
    event(f"native: {both.share * 5:.0f} of 5")


@pytest.mark.parametrize("agreements", [PLAIN, CENTRE])
def test_a_plain_job_of_calls_is_folded_natively(agreements):
    both = Both(Book(agreements, 1), native, "call")
    records = records_of(plain_job())

    for start in range(0, len(records), 200):
        both.batch(records[start : start + 200], MONDAY_MS + DAY_MS, caught_up=False)

    both.check()
    assert both.share >= 0.8  # not the first piece, from which it learns the rules and the day


def test_the_panes_of_a_plain_job_of_calls_are_put_natively(monkeypatch):
    both = Both(Book(CENTRE, 1), native, "call")
    records = records_of(plain_job())
    for start in range(0, 400, 100):
        both.batch(records[start : start + 100], MONDAY_MS + DAY_MS, caught_up=False)

    def apply(_engine, change, *_more):
        assert both.sides[1].ingest.engine is not _engine, change

    monkeypatch.setattr(engine.SourceEngine, "_apply", apply)
    monkeypatch.setattr(both.sides[0], "batch", lambda *_args, **_more: None)
    both.batch(records[400:800], MONDAY_MS + DAY_MS, caught_up=False)

    assert both.sides[1].tally.ways[NATIVE] >= 600


def facts(*of_call, queue=QUEUES[0], **more):
    """The facts of one call: types and instants (s)."""
    return [
        of("C-1", number, kind, MONDAY_MS + HOUR + int(at_s * SECOND), queue=queue, **more)
        for number, (kind, at_s) in enumerate(of_call)
    ]


def then(kind, at_s, **more):
    """One more fact of the call."""
    return of("C-1", 9, kind, MONDAY_MS + HOUR + at_s * SECOND, **({"queue": QUEUES[0]} | more))


TALK = (
    ("queued", 0),
    ("answered", 3),
    ("held", 9),
    ("retrieved", 20),
    ("held", 30),
    ("retrieved", 31.5),
    ("ended", 50),
)
CASES = {
    "answered": (3, facts(("queued", 0), ("answered", 20), ("ended", 200))),
    "abandoned at once": (2, facts(("queued", 0), ("abandoned", 5))),
    "transferred, and back": (
        5, facts(("queued", 0), ("transferred", 5), ("queued", 9), ("answered", 22), ("ended", 60)),
    ),
    "ended without an outcome": (2, facts(("queued", 0), ("ended", 5))),
    "never queued": (1, facts(("ended", 0))),
    "answered before it was queued": (3, facts(("answered", 0), ("queued", 1), ("ended", 90))),
    "an end before the answer": (3, facts(("queued", 0), ("ended", 1), ("answered", 2))),
    "held, and again": (
        6, facts(("queued", 0), ("answered", 3), ("held", 9), ("retrieved", 20), ("held", 30), ("ended", 50)),
    ),
    "another queue": (2, [*facts(("queued", 0)), then("transferred", 9, queue=QUEUES[1])]),
    "another queue after the answer": (
        3, [*facts(("queued", 0), ("answered", 2)), then("ended", 80, queue=QUEUES[1])],
    ),
    "a callback that nobody times": (
        4, facts(("queued", 0), ("callback_requested", 70), ("answered", 300), ("ended", 400)),
    ),
    "a callback at once": (
        4, facts(("queued", 0), ("callback_requested", 70), ("answered", 70), ("ended", 90)),
    ),
    "a score": (4, [*facts(("queued", 0), ("answered", 2), ("ended", 60)), then("rated", 80, score=4.0005)]),
    "a score that is absurd": (
        0, [*facts(("queued", 0), ("answered", 2), ("ended", 60)), then("rated", 80, score=1e16)],
    ),
    "a long time": (0, facts(("queued", 0), ("answered", 2), ("ended", 3_600))),
    "out of order": (0, facts(("queued", 5), ("answered", 2))),
    "a long id": (0, [of("C" * 65, 0, "queued", MONDAY_MS + HOUR, queue=QUEUES[0])]),
    "a number for the queue": (0, [then("queued", 0, queue=7)]),
    "an instant": (0, [then("queued", 0, due_at=MONDAY_MS)]),
}  # fmt: skip


def both_warm(*measures):
    both = Both(Book((agreement(*(measures or (HOTLINE, ALL))),), 1), native, "call")
    for number in range(2):  # its rules are known after the first, the local day after the second
        both.batch(records_of(warming(number)), MONDAY_MS, caught_up=False)
    both.sides[1].tally.ways.clear()
    return both


@pytest.mark.parametrize("case", CASES)
def test_in_one_piece_all_facts_of_a_call_are_folded_natively_or_none(case):
    count, events = CASES[case]
    both = both_warm()

    both.batch(records_of(events), MONDAY_MS + 2 * DAY_MS, caught_up=False)

    both.check()
    assert both.sides[1].tally.ways[NATIVE] == count


@pytest.mark.parametrize("restarts", [False, True])
@pytest.mark.parametrize("case", CASES)
def test_fact_by_fact_nothing_tells_who_has_folded_a_call(case, restarts):
    both = both_warm()

    for number, one in enumerate(CASES[case][1]):
        both.batch(records_of([one]), one.fact.time_ms + 50, caught_up=number % 2 == 0)
        if restarts:
            both.restart(natively=number % 2 == 0)
            both.batch(records_of(warming(number + 2)), MONDAY_MS + HOUR, caught_up=False)
        both.check()
    both.tick(MONDAY_MS + DAY_MS)
    both.check()


def test_callbacks_that_a_clock_times_are_left_to_python():
    both = both_warm(HOTLINE, CALLBACK)
    asked = facts(("queued", 0), ("callback_requested", 70))
    answered = [one._replace(subject_id="C-2") for one in facts(("queued", 0), ("answered", 9))]

    both.batch(records_of([*asked, *answered]), MONDAY_MS + HOUR + MINUTE)
    both.batch(records_of([of("C-1", 5, "answered", MONDAY_MS + HOUR + 90 * SECOND)]), MONDAY_MS + HOUR + 2 * MINUTE)

    both.check()
    assert (both.sides[1].tally.ways[NATIVE], both.sides[1].tally.ways[PYTHON]) == (2, 3)


def test_a_call_that_waits_beyond_t_is_looked_at_by_python_and_answered_natively():
    both = both_warm()
    queued, answered = facts(("queued", 0), ("answered", 45))
    at_ms = queued.fact.time_ms
    both.batch(records_of([queued]), at_ms)

    both.tick(at_ms + 21 * SECOND)
    both.batch(records_of([answered]), at_ms + 46 * SECOND)

    both.check()
    assert both.sides[1].tally.ways == {NATIVE: 2}


def test_a_call_that_is_lost_after_its_day_was_stated_is_left_out_of_the_statement_whoever_folds_it():
    hotline = replace(HOTLINE, give_up_after_ms=2 * MINUTE)
    both = Both(Book((agreement(hotline, allowed_lateness_ms=MINUTE),), 1), native, "call")
    both.batch(records_of(warming(0)), MONDAY_MS)
    both.batch(records_of(warming(1)), MONDAY_MS)
    queued_ms = MONDAY_MS + DAY_MS - MINUTE
    both.batch(records_of([of("C-1", 0, "queued", queued_ms, queue=QUEUES[0])]), queued_ms)

    held = of("C-1", 1, "held", queued_ms + 30 * SECOND, queue=QUEUES[0])
    both.batch(records_of([held]), queued_ms + 150 * SECOND)

    both.check()
    late = [key for key in both.sides[1].state.rows if b"day~day" in key]
    assert len(late) == 1


def test_items_that_do_not_fit_one_row_are_left_to_python(monkeypatch):
    both = both_warm(ALL)
    monkeypatch.setattr(parts, "LARGEST", 400)
    records = records_of(plain_job(60))

    for start in range(0, len(records), 60):
        both.batch(records[start : start + 60], MONDAY_MS + HOUR, caught_up=False)

    both.check()
    assert both.sides[1].tally.divided["calls"] > 0
    assert both.sides[1].tally.ways[NATIVE] > both.sides[1].tally.ways[PYTHON]


def test_a_pane_that_grows_too_large_for_one_row_is_left_to_python():
    both = both_warm(ALL)
    events = [
        of(f"C-{number}", 0, "queued", MONDAY_MS + HOUR + number, caller=f"c-{number}", queue=QUEUES[0])
        for number in range(1_500)
    ]

    both.batch(records_of(events), MONDAY_MS + 2 * HOUR, caught_up=False)

    both.check()
    assert both.sides[1].tally.divided["calls"] > 0


def test_a_call_whose_panes_are_gone_is_too_late_whoever_folds_it():
    both = both_warm(replace(HOTLINE, windows=HOTLINE.windows[:1]))
    first, last = MONDAY_MS, MONDAY_MS + 3 * DAY_MS
    both.tick(last)

    both.batch(records_of([of("C-1", 0, "queued", first), of("C-2", 0, "queued", last)]), last)

    both.check()
    assert both.sides[1].tally.ways == {NATIVE: 1, PYTHON: 1}


NUMBERS = ["talk_ms", "hold_ms", "wrap_up_ms", "idle_ms", "score", "resolved", "caller", "issue", "queue"]


@settings(max_examples=500, deadline=None)
@given(
    FIELDS, st.lists(st.tuples(st.sampled_from(NUMBERS + NAMES), st.sampled_from(TOKENS)), max_size=2),
    st.lists(SPACES, min_size=3, max_size=3), ENDS,
)  # fmt: skip
def test_whatever_is_read_natively_of_a_call_is_what_python_reads(before, after, spaces, end):
    both = both_warm(ALL)
    whole = [("id", '"e"'), ("type", '"ended"'), ("time", f"{MONDAY_MS + MINUTE}"), ("call", '"W-0"')]
    name = warming(0)[0].subject_id
    whole[3] = ("call", f'"{name}"')
    space, colon, comma = spaces
    fields = (f"{colon}:{colon}".join((f'"{name}"', value)) for name, value in [*before, *whole, *after])
    value = f"{space}{{{f'{comma},{comma}'.join(fields)}}}{end}{space}".encode()

    both.batch([record(name.encode(), value)], MONDAY_MS + MINUTE)

    both.check()
    event(f"read natively: {both.sides[1].tally.ways[NATIVE] == 1}")
