"""A flow without Kafka: one source partition and the partition of partials behind it, with the workers' own code.

Each step tells how much time of the processor it took in one go, and every record that was written how large it is.
"""

from __future__ import annotations

import json
import time
from collections import defaultdict

from aiokafka.structs import ConsumerRecord

from monitor.core.agreements.book import Book
from monitor.core.pieces import at_once
from monitor.core.subjects.engine import RETENTION_MS
from monitor.stream.agents.books import Books
from monitor.stream.agents.evaluate import Evaluate
from monitor.stream.agents.ingest import Ingest
from monitor.stream.agents.tally import Outlets, Tally
from monitor.stream.partitions.partition import PartitionState
from monitor.stream.partitions.ports import Now
from monitor.wire.announcements import decode_status
from monitor.wire.rows import EVALUATE_ROWS, SOURCE_ROWS
from tests.stream.fakes import FakeWriter

OUTLETS = Outlets(
    alerts="alerts", partials="partials", partials_partitions=1, dead_letters="dead", status="status",
    statements="statements",
)  # fmt: skip


class Flow:
    def __init__(self, topic, subject, *agreements, max_record_bytes=8 << 20):
        self.max_record_bytes = max_record_bytes
        self.topic, self.subject = topic, subject
        self.books, self.tally = Books(Book(agreements, 1)), Tally()
        self.held: defaultdict[str, float] = defaultdict(float)
        """The longest step of each kind, in seconds."""
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self.largest = 0
        """The largest record that was written, in bytes."""
        self.told: dict[bytes, bytes | None] = {}
        self.offset = self.passed = 0
        self.now_ms = 0
        self.start()

    def start(self, rows=(), judged=()):
        """Open both partitions, with the rows that others left."""
        self.state = self._state(self.topic, SOURCE_ROWS, rows)
        self.ingest = Ingest(
            self.state, subject=self.subject, books=self.books, outlets=OUTLETS, tally=self.tally,
            retention_ms=RETENTION_MS, lateness_ms=0,
        )  # fmt: skip
        at_once(self.ingest.restore())
        self.partials = self._state("partials", EVALUATE_ROWS, judged)
        self.evaluate = Evaluate(
            self.partials, books=self.books, outlets=OUTLETS, tally=self.tally, interval_ms=1_000
        )  # fmt: skip
        at_once(self.evaluate.restore())
        self.passed = 0

    def restart(self):
        """Both workers are killed, and others go on with what was committed."""
        self.start(dict(self.state.rows), dict(self.partials.rows))

    async def send(self, *records, now_ms, take_back=False, caught_up=True):
        """One batch reaches the source partition; its partials reach the evaluator."""
        self.now_ms = now_ms
        batch = []
        for subject_id, body in records:
            key, value = subject_id.encode(), json.dumps({"subject": subject_id, **body}).encode()
            batch.append(ConsumerRecord(self.topic, 0, self.offset, 0, 0, key, value, None, len(key), len(value), ()))
            self.offset += 1
        self._measure("batch", self.ingest.batch(batch, Now(now_ms, caught_up=caught_up)))
        if take_back:
            self.state.take_back()
            at_once(self.ingest.recover(RuntimeError("for the test")))
            return
        await self._commit(self.state, self.offset)
        await self._pass_on()

    async def tick(self, now_ms, *, caught_up=True):
        """Time passes for the source."""
        self.now_ms, more, ticks = now_ms, True, 0
        while more:
            more = self._measure("tick", self.ingest.tick(Now(now_ms, caught_up=caught_up)))
            await self._commit(self.state, self.offset)
            ticks += 1
        await self._pass_on()
        return ticks

    async def look(self, now_ms):
        """The windows are judged."""
        more = True
        while more:
            more = self._measure("look", self.evaluate.tick(Now(now_ms, caught_up=True)))
            await self._commit(self.partials, 0)

    def status(self, window):
        """The newest status of a window."""
        found = [decode_status(value) for key, value in self.told.items() if value and key.endswith(window.encode())]
        (status,) = [one for one in found if one.window == window]
        return status

    def figure(self, window, indicator):
        return next(one for one in self.status(window).figures if one.indicator == indicator)

    def rows(self, first, *, of=None):
        """The encoded rows whose keys begin with a byte."""
        return {key: row for key, row in (of or self.state).rows.items() if key[:1] == first}

    async def _pass_on(self):
        written = self.state_writer.committed.get(("partials", 0), [])
        fresh, self.passed = written[self.passed :], len(written)
        records = [
            ConsumerRecord("partials", 0, 0, 0, 0, key, value, None, len(key), len(value or b""), ())
            for key, value, _ in fresh
        ]
        self._measure("fold", self.evaluate.batch(records, Now(self.now_ms, caught_up=True)))
        await self._commit(self.partials, 0)

    async def _commit(self, state, position):
        began = time.thread_time()
        await state.commit(position)
        self._note("commit", time.thread_time() - began)
        (self.ingest if state is self.state else self.evaluate).committed()
        for records in state._writer.transactions.pop().values():
            self.largest = max([self.largest, *(len(key) + len(value or b"") for key, value, _ in records)])
        for key, value, _ in state._writer.committed.pop(("status", 0), []):
            self.told[key] = value

    def _state(self, topic, codec, rows):
        writer = FakeWriter(partitions=1, batch_limit=1 << 30)
        if topic == self.topic:
            self.state_writer = writer
        state = PartitionState(
            topic=topic, partition=0, changelog=f"{topic}-state", codec=codec, writer=writer,
            max_record_bytes=self.max_record_bytes,
        )  # fmt: skip
        state.rows.update(rows)
        at_once(state.loaded())
        return state

    def _measure(self, name, pieces):
        while True:
            began = time.thread_time()
            try:
                next(pieces)
            except StopIteration as end:
                return end.value
            finally:
                self._note(name, time.thread_time() - began)

    def _note(self, name, seconds):
        self.held[name] = max(self.held[name], seconds)
        self.seconds[name] += seconds
