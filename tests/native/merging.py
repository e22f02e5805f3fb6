"""A partition of partials, merged by Python alone beside the same one that half its workers merge natively."""

from __future__ import annotations

import asyncio

from aiokafka.structs import ConsumerRecord
from hypothesis import strategies as st
from msgspec import msgpack

from monitor.core.agreements.book import Book
from monitor.core.agreements.measures import Filter, OutageRule
from monitor.core.agreements.objectives import Objective
from monitor.core.pieces import at_once
from monitor.core.series.series import OutageRecord, Pane, PaneKey, SeriesKey
from monitor.core.time.units import HOUR_MS, MINUTE_MS
from monitor.core.time.windows import Window
from monitor.stream.agents.books import Books
from monitor.stream.agents.evaluate import Evaluate
from monitor.stream.agents.tally import Tally
from monitor.stream.partitions.partition import PartitionState
from monitor.stream.partitions.ports import Now
from monitor.wire.partials import encode_marker
from monitor.wire.rows import EVALUATE_ROWS
from tests.core.stories import DAY_MS, MONDAY_MS, agreement, clock
from tests.partials import encode_partial
from tests.stream.fakes import FakeWriter
from tests.stream.flow import OUTLETS

WINDOWS = (Window("rolling", 30 * MINUTE_MS), Window("rolling", DAY_MS), Window("day"), Window("month"))
HALF = Objective(
    id="half", measure="resolution", indicator="compliance", comparison=">=", target=0.5, windows=WINDOWS[:3]
)
P90 = Objective(
    id="p90", measure="resolution", indicator="p90", comparison="<=", target=HOUR_MS, windows=(Window("day"),)
)
AGREEMENTS = (
    agreement(clock(windows=WINDOWS), clock("first_response", by=(), windows=(Window("day"),)), objectives=(HALF, P90)),
    agreement(clock(by=("customer", "priority"), windows=WINDOWS), id="later", valid_from=MONDAY_MS + 3 * HOUR_MS),
    agreement(OutageRule(id="up", where=Filter(), by=("service",), windows=WINDOWS), id="up"),
)
SERIES = [
    *(SeriesKey("desk", "resolution", (one,)) for one in ("P1", "P2", "P3", "Ü")),
    SeriesKey("desk", "first_response", ()),
    *(SeriesKey("later", "resolution", (one, "P1")) for one in ("acme", "", "other")),
    SeriesKey("later", "resolution", ("other", "(rest)")),
    SeriesKey("up", "up", ("mail",)),
    SeriesKey("gone", "resolution", ("P1",)),
]
SOURCES = ("tickets/0", "tickets/1", "tickets/10", "Ünïts/2")
NUMBERS = (1, 2, 3, 127, 128, 255, 256, 65_535, 65_536, 2**31, 2**32 - 1, 2**32, 2**40)
SIGNED = (*NUMBERS, 0, -1, -32, -33, -128, -129, -32_768, -32_769, -(2**31), -(2**31) - 1)


def shuffled(draw, entries):
    """Return a map with its entries in any order: equal maps are the same pane."""
    return dict(draw(st.permutations(list(entries.items()))))


@st.composite
def panes(draw):
    """The pane of a source."""
    form = draw(st.sampled_from([*[""] * 40, "empty", "calls", "outages"]))
    if form == "empty":
        return Pane({}, {}, {}, {}, draw(st.sampled_from([{}, {5: 1}])))
    few = st.sampled_from(NUMBERS[:4])
    counts = draw(st.dictionaries(st.sampled_from(["met", "breached", "open", "overdue"]), few, max_size=3))
    counts |= draw(st.dictionaries(st.sampled_from(["wall_ms", "x" * 40, "é"]), st.sampled_from(SIGNED), max_size=1))
    buckets = draw(st.dictionaries(st.sampled_from((*NUMBERS[:7], 1_900)), st.sampled_from(NUMBERS[:5]), max_size=4))
    longest = draw(st.dictionaries(st.sampled_from(NUMBERS), st.just(1), max_size=2)) if buckets else {}
    if longest and draw(st.booleans()):
        longest[-1] = min(longest)
    calls, outages = {}, {}
    if form == "calls":
        calls = {draw(st.sampled_from(["c-1", "c-2"])): MONDAY_MS}
    if form == "outages":
        restored_ms = draw(st.sampled_from([0, MONDAY_MS + 2 * HOUR_MS]))
        outage = OutageRecord("outage", MONDAY_MS + HOUR_MS, restored_ms=restored_ms, weights=((MONDAY_MS, 1.0),))
        outages = {"o-1": outage}
    return Pane(shuffled(draw, counts), shuffled(draw, buckets), calls, outages, shuffled(draw, longest))


@st.composite
def keys(draw):
    """The key of a pane: mostly of a few hours and minutes of one day."""
    series = draw(st.sampled_from([*SERIES, *SERIES[:2] * 4, *SERIES[4:6] * 2]))
    width = draw(st.sampled_from(["minute", "hour", "day", "live", "minute", "hour"]))
    place = draw(st.integers(0, 2))
    starts = {"minute": MONDAY_MS + place * MINUTE_MS, "hour": MONDAY_MS + place * HOUR_MS, "day": MONDAY_MS, "live": 0}
    part = draw(st.sampled_from([*[""] * 40, "a"]))
    return PaneKey(series, width, starts[width], part)


@st.composite
def partials(draw):
    """Key and value of a record of the topic, as a worker writes it."""
    form = draw(st.sampled_from([*[""] * 30, "marker", "gone", "gone"]))
    if form == "marker":
        return encode_marker(draw(st.sampled_from(SOURCES)), draw(st.sampled_from([-1, MONDAY_MS])), behind=False)
    return encode_partial(draw(st.sampled_from(SOURCES)), draw(keys()), None if form == "gone" else draw(panes()))


def first():
    """The records by which the series get their places, as far as there are some."""
    pane = Pane({"met": 1}, {5: 1}, {}, {}, {5: 1})
    return [encode_partial("tickets/0", PaneKey(series, "hour", MONDAY_MS), pane) for series in SERIES]


NUMBERS_WRITTEN_OTHERWISE = (
    b"\xcc\x01", b"\xcd\0\x01", b"\xd1\x01\0", b"\xd2\0\x01\0\0", b"\xcb" + b"\0" * 8, b"\xcf" + b"\xff" * 8,
    b"\xd3\0\0\0\x01" + b"\0" * 4, b"\xc3", b"\xa11",
)  # fmt: skip
CONTENTS_WRITTEN_OTHERWISE = (
    b"\x82\xa1a\x01\xa1a\x02\x80", b"\x80\x82\x05\x01\x05\x02", b"\x80\x82\x06\x01\x05\x02", b"\xde\0\x01\xa1a\x01\x80",
    b"\x81\xa1\xff\x01\x80", b"\x81\xd9\x01a\x01\x80",
)  # fmt: skip


@st.composite
def hostile(draw):
    """Key and value of a record that no worker of this release writes."""
    key, value = encode_partial(draw(st.sampled_from(SOURCES)), draw(keys()), draw(panes()))
    number = draw(st.sampled_from(NUMBERS_WRITTEN_OTHERWISE))
    contents = draw(st.sampled_from(CONTENTS_WRITTEN_OTHERWISE))
    place, other = draw(st.integers(0, len(value) - 1)), draw(st.integers(0, len(key) - 1))
    start = draw(st.sampled_from([b"00", b"+60000", b"-60000", b"6_0", b" 7", b"1.5", b"1e3", b"9" * 20]))
    fields = key.split(b"\x1f")
    source, pane = msgpack.decode(value[1:], strict=False)
    of_before = msgpack.encode([source, pane[:4]])  # without the longest durations
    return draw(
        st.sampled_from(
            [
                (key, value[:place] + draw(st.binary(max_size=2)) + value[place + draw(st.integers(0, 1)) :]),
                (key[:other] + draw(st.binary(max_size=1)) + key[other + 1 :], value),
                (draw(st.sampled_from([None, b"", b"p", b"m", b"p\x1f\x1f\x1f\x1f", b"x" + key])), value),
                (b"\x1f".join([*fields[:3], start, *fields[4:]]), value),
                (key, draw(st.sampled_from([b"", b"\x01"])) + of_before),
                (key, bytes([draw(st.integers(3, 127))]) + value[1:]),
                (key, b"\x02\x92\xa1t\x95\x81\xa3met" + number + b"\x80\x80\x80\x80"),
                (key, b"\x02\x92\xa1t\x95" + contents + b"\x80\x80\x80"),
            ]
        )
    )


class Side:
    """One partition. ``native`` is the package, None for Python alone."""

    def __init__(self, agreements, native=None, **options):
        self.books, self.tally = Books(Book(agreements, 1)), Tally()
        self.options = {"max_series": 2, "interval_ms": 1_000, **options}
        self.sent = []
        """What each commit sent, by topic, but for rows."""
        self.open({}, native)

    def open(self, rows, native):
        """A worker takes the partition over, with the rows that another one has committed."""
        self.writer = FakeWriter(partitions=1, batch_limit=1 << 30)
        self.state = PartitionState(
            topic="partials", partition=0, changelog="state", codec=EVALUATE_ROWS, writer=self.writer
        )
        self.state.load(record(key, row) for key, row in rows.items())
        at_once(self.state.loaded())
        self.evaluate = Evaluate(
            self.state, books=self.books, outlets=OUTLETS, tally=self.tally, native=native, **self.options
        )
        at_once(self.evaluate.restore())

    def batch(self, records, *, take_back=False):
        now = Now(MONDAY_MS, caught_up=True)
        at_once(self.evaluate.batch(records, now))
        if take_back:
            self.state.take_back()
            at_once(self.evaluate.recover(RuntimeError("for the test")))
            at_once(self.evaluate.batch(records, now))
        self.commit()

    def tick(self, now_ms):
        more = True
        while more:
            more = at_once(self.evaluate.tick(Now(now_ms, caught_up=True)))
            self.commit()

    def commit(self):
        asyncio.run(self.state.commit(0))
        self.evaluate.committed()
        sent = self.writer.transactions.pop()
        self.sent.append({topic: records for (topic, _), records in sent.items() if topic != "state"})

    def seen(self, now_ms):
        evaluator = self.evaluate.evaluator
        return {
            "rows": self.state.rows,
            "sent": self.sent,
            "latest": evaluator.latest,
            "places": evaluator.places(),
            "next": evaluator.next_ms(now_ms),
            "spreads": evaluator.spreads(100),
            "dead": self.tally.dead_letters,
        }


class Both:
    """The two sides, in step."""

    def __init__(self, native, agreements=AGREEMENTS, **options):
        self.native = native
        self.now_ms = MONDAY_MS + 10 * MINUTE_MS
        self.sides = Side(agreements, **options), Side(agreements, native, **options)

    def batch(self, *partials, take_back=False):
        records = [record(key, value, offset) for offset, (key, value) in enumerate(partials)]
        for one in self.sides:
            one.batch(records, take_back=take_back)

    def tick(self, after_ms=0):
        self.now_ms += after_ms
        for one in self.sides:
            one.tick(self.now_ms)

    def restart(self, *, natively):
        for one, native in zip(self.sides, (None, self.native if natively else None), strict=True):
            one.open(dict(one.state.rows), native)

    def amend(self, *agreements, stamp):
        for one in self.sides:
            one.books.book = Book(agreements, stamp)

    @property
    def ways(self):
        """How many panes Python has merged on the native side, and how many the package."""
        merged = self.sides[1].tally.merged
        return merged["python"], merged["native"]

    def check(self):
        """Assert that nothing tells the two apart; the first difference is shown by its name."""
        expected, found = (one.seen(self.now_ms) for one in self.sides)
        for name, value in expected.items():
            assert found[name] == value, name
        assert sum(self.ways) == sum(self.sides[0].tally.merged.values())


def record(key, value, offset=0):
    return ConsumerRecord("partials", 0, offset, 0, 0, key, value, None, len(key or b""), len(value or b""), ())
