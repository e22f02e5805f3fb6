"""A source partition, folded by Python alone beside the same one that half its workers fold natively."""

from __future__ import annotations

import asyncio
from operator import itemgetter

from aiokafka.structs import ConsumerRecord

from monitor.core.agreements.book import Book
from monitor.core.pieces import at_once
from monitor.core.time.units import DAY_MS
from monitor.stream.agents.books import Books
from monitor.stream.agents.ingest import Ingest
from monitor.stream.agents.tally import Tally
from monitor.stream.partitions.partition import PartitionState
from monitor.stream.partitions.ports import Now
from monitor.wire.partials import decode_partial
from monitor.wire.rows import SOURCE_ROWS
from tests.stream.fakes import FakeWriter
from tests.stream.flow import OUTLETS

COUNTED = ("dead_letters", "cut", "alerts", "repeats", "too_late", "divided", "together", "last_event_ms")
"""What both sides must count alike."""


def record(key, value, *, headers=(), offset=0):
    return ConsumerRecord(
        "tickets", 0, offset, 0, 0, key, value, None, len(key or b""), len(value or b""), tuple(headers)
    )


_KEY = itemgetter(0)


class Side:
    """One partition. ``native`` is the package, None for Python alone."""

    def __init__(self, book, native=None, subject="ticket"):
        self.subject = subject
        self.books, self.tally, self.position = Books(book), Tally(), 0
        self.sent = []
        """What each commit sent, by topic."""
        self.open({}, native)

    def open(self, rows, native):
        """A worker takes the partition over, with the rows that another one has committed."""
        self.writer = FakeWriter(partitions=1, batch_limit=1 << 30)
        self.state = PartitionState(
            topic=f"{self.subject}s", partition=0, changelog="state", codec=SOURCE_ROWS, writer=self.writer
        )
        self.state.load(record(key, row) for key, row in rows.items())
        at_once(self.state.loaded())
        self.ingest = Ingest(
            self.state, subject=self.subject, books=self.books, outlets=OUTLETS, tally=self.tally,
            retention_ms=2 * DAY_MS, lateness_ms=60_000, native=native,
        )  # fmt: skip
        at_once(self.ingest.restore())

    def restart(self, native):
        self.open(dict(self.state.rows), native)

    def batch(self, records, now_ms, *, caught_up=True, take_back=False):
        """A batch is folded and committed, or folded, taken back and folded again."""
        now = Now(now_ms, caught_up=caught_up)
        at_once(self.ingest.batch(records, now))
        if take_back:
            self.state.take_back()
            at_once(self.ingest.recover(RuntimeError("for the test")))
            at_once(self.ingest.batch(records, now))
        self.position += len(records)
        self.commit()

    def tick(self, now_ms):
        more = True
        while more:
            more = at_once(self.ingest.tick(Now(now_ms, caught_up=True)))
            self.commit()

    def commit(self):
        asyncio.run(self.state.commit(self.position))
        self.ingest.committed()
        sent = self.writer.transactions.pop()
        self.sent.append({topic: records for (topic, _), records in sent.items() if topic != "state"})

    def seen(self):
        """All that tells what was folded, in forms that can be compared.

        The maps of panes have no order: it depends on the order of the subjects in a batch anyway.
        """
        rows = self.state.rows
        partials = [
            sorted(((key, decode_partial(key, value)) for key, value, _ in sent.get("partials", ())), key=_KEY)
            for sent in self.sent
        ]
        return {
            "subjects": {key: row for key, row in rows.items() if key[:1] == b"s"},
            "panes": {key: SOURCE_ROWS.decode(key, row) for key, row in rows.items() if key[:1] == b"p"},
            "position": rows.get(b"\x00position"),
            "next": self.state.next_wake_ms(),
            "partials": partials,
            "alerts": [sent.get("alerts") for sent in self.sent],
            "dead": [sent.get("dead") for sent in self.sent],
            "counted": {name: getattr(self.tally, name) for name in COUNTED},
        }


class Both:
    """The two sides, in step."""

    def __init__(self, book, native, subject="ticket"):
        self.native = native
        self.topic = f"{subject}s"
        self.sides = Side(book, subject=subject), Side(book, native, subject)

    @property
    def share(self):
        """The share of the facts that were folded natively."""
        ways = self.sides[1].tally.ways
        return ways[self.topic, "native"] / max(1, sum(ways.values()))

    def batch(self, *args, **more):
        for one in self.sides:
            one.batch(*args, **more)

    def tick(self, now_ms):
        for one in self.sides:
            one.tick(now_ms)

    def restart(self, *, natively):
        self.sides[0].restart(None)
        self.sides[1].restart(self.native if natively else None)

    def amend(self, *agreements, stamp):
        for one in self.sides:
            one.books.book = Book(agreements, stamp)

    def check(self):
        """Assert that nothing tells the two apart; the first difference is shown by its name."""
        expected, found = (one.seen() for one in self.sides)
        for name, value in expected.items():
            assert found[name] == value, name
