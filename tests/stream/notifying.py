"""A partition of alerts with its processor, and a courier that does as it is told."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable

from aiokafka.structs import ConsumerRecord

from monitor.core import pieces
from monitor.core.agreements.book import Book
from monitor.core.alerts.alert import Alert
from monitor.core.paging.notices import Notice, Outcome
from monitor.stream.agents.books import Books
from monitor.stream.agents.deliveries import Deliveries
from monitor.stream.agents.outbox import Notify
from monitor.stream.agents.responses import Responses
from monitor.stream.agents.tally import Outlets, Tally
from monitor.stream.partitions.partition import PartitionState
from monitor.stream.partitions.ports import Now
from monitor.wire.announcements import encode_alert
from monitor.wire.deliveries import decode_delivery
from monitor.wire.responses import encode_response
from monitor.wire.rows import NOTIFY_ROWS
from tests.core.paging_stage import alert, desk, notify
from tests.core.stories import ms
from tests.stream.fakes import FakeWriter

DELIVERED = Outcome("delivered", 202, "")
DOWN = Outcome("retry", 503, "down")
REFUSED = Outcome("rejected", 400, "no such field")
STRANGER = Outcome("misconfigured", 401, "who are you?")
GONE = Outcome("gone", 410, "no more")
OUTLETS = Outlets(
    alerts="alerts", partials="partials", partials_partitions=1, dead_letters="dead", status="status",
    statements="statements", deliveries="deliveries",
)  # fmt: skip
DAY_MS = 86_400_000


class ScriptedCourier:
    """Answers as ``answer`` says; ``gates`` holds up the receivers that it names. ``received`` is all it was given."""

    def __init__(self, answer: Callable[[str, Notice], Outcome] = lambda _receiver, _notice: DELIVERED) -> None:
        self.answer = answer
        self.strangers: set[str] = set()
        self.most = 4
        self.gates: dict[str, asyncio.Event] = {}
        self.received: list[tuple[str, Notice]] = []
        self.delivered: list[tuple[str, Notice]] = []
        self.at_once: Counter[str] = Counter()
        self.most_at_once: Counter[str] = Counter()

    def places(self, _receiver: str) -> int:
        return self.most

    def knows(self, receiver: str) -> bool:
        return receiver not in self.strangers

    async def deliver(self, receiver: str, notice: Notice) -> Outcome:
        self.received.append((receiver, notice))
        self.at_once[receiver] += 1
        self.most_at_once[receiver] = max(self.most_at_once[receiver], self.at_once[receiver])
        try:
            if receiver in self.gates:
                await self.gates[receiver].wait()
            outcome = self.answer(receiver, notice)
        finally:
            self.at_once[receiver] -= 1
        if outcome.kind == "delivered":
            self.delivered.append((receiver, notice))
        return outcome


class Partition:
    """One partition of alerts. What it does is committed with each call, unless it is killed before that."""

    def __init__(
        self, *agreements, courier=None, rows=None, writer=None, responses=None, stamps=None, at_once=4, repeat=None
    ):
        self.writer = writer or FakeWriter()
        self.courier = courier or ScriptedCourier()
        self.courier.most = at_once
        self.deliveries = Deliveries(self.courier)
        self.responses = responses or Responses()
        self.tally = Tally()
        self.books = Books(Book(agreements or (desk(),), 1))
        self.stamps = stamps or {}
        self.repeat = repeat or {}
        self.state = PartitionState(
            topic="alerts", partition=0, changelog="state", codec=NOTIFY_ROWS, writer=self.writer
        )
        self.state.rows = dict(rows or {})
        pieces.at_once(self.state.loaded())
        self.processor = Notify(
            self.state, books=self.books, responses=self.responses, deliveries=self.deliveries, outlets=OUTLETS,
            tally=self.tally, deliver_for_ms=DAY_MS, stamp=lambda receiver: self.stamps.get(receiver, ""),
            repeat_ms=lambda receiver: self.repeat.get(receiver, 0),
        )  # fmt: skip
        pieces.at_once(self.processor.restore())

    def killed(self, **changed):
        """Return the partition as its next owner finds it: nothing is left but what was committed."""
        self.processor.close()
        position = {b"\x00position": b"%d" % self.state.position}
        return Partition(
            *self.books.book.agreements,
            **{
                "courier": self.courier, "rows": {**self.state.rows, **position}, "writer": self.writer,
                "responses": self.responses, "stamps": self.stamps, "repeat": self.repeat, **changed,
            },
        )  # fmt: skip

    def fold(self, *alerts, now):
        """Hear alerts, without a commit."""
        pairs = [encode_alert(one, "test") if isinstance(one, Alert) else one for one in alerts]
        records = [
            ConsumerRecord("alerts", 0, offset, 0, 0, key, value, None, 0, 0, ())
            for offset, (key, value) in enumerate(pairs)
        ]
        for _ in self.processor.batch(records, Now(ms(now) if isinstance(now, str) else now, caught_up=True)):
            pass

    async def hear(self, *alerts, now):
        self.fold(*alerts, now=now)
        await self.commit(self.state.position + len(alerts))

    async def commit(self, position=None):
        await self.state.commit(self.state.position if position is None else position)

    def is_due(self, now_ms):
        wakes = [self.state.next_wake_ms(), self.processor.next_tick_ms()]
        return any(wake is not None and wake <= now_ms for wake in wakes)

    async def tick(self, now_ms, *, caught_up=True):
        """One tick and its commit; return whether more is left."""
        more = pieces.at_once(self.processor.tick(Now(now_ms, caught_up=caught_up)))
        if self.state.dirty:
            await self.commit()
        else:
            self.state.settle()
        return more

    async def until(self, time):
        """Do all that is due up to a time, each at its instant; attempts end at once unless they are held up."""
        end_ms = ms(time) if isinstance(time, str) else time
        while True:
            wakes = [self.state.next_wake_ms(), self.processor.next_tick_ms()]
            due_ms = min((one for one in wakes if one is not None), default=end_ms + 1)
            if due_ms > end_ms:
                if not await self.let_run():
                    return self
                continue
            self.now_ms = max(getattr(self, "now_ms", 0), due_ms)
            await self.tick(self.now_ms)

    async def let_run(self):
        """Let attempts go on; return whether any has ended."""
        for _ in range(10):
            await asyncio.sleep(0)
        return self.processor.under_way.has_results

    async def say(self, *responses):
        """Write responses to their topic."""
        records = []
        for one in responses:
            key, value = one if isinstance(one, tuple) else encode_response(one)
            offset = self.responses.end + len(records)
            records.append(ConsumerRecord("responses", 0, offset, 0, 0, key, value, None, 0, 0, ()))
        self.responses.take(records)

    def told(self):
        """What was written to the deliveries topic: ``trigger delivered 1``."""
        records = [decode_delivery(one[1]) for one in self.writer.committed.get(("deliveries", 0), [])]
        return [f"{one.action} {one.result} {one.attempt}" for one in records if one.result != "not_told"]

    def not_told(self):
        """The decisions not to tell, as written to the deliveries topic: ``ticket/T-1/desk/resolution/1 silenced``."""
        records = [decode_delivery(one[1]) for one in self.writer.committed.get(("deliveries", 0), [])]
        return [f"{one.key} {one.reason}" for one in records if one.result == "not_told"]


__all__ = [
    "DELIVERED", "DOWN", "GONE", "REFUSED", "STRANGER", "Partition", "ScriptedCourier", "alert", "desk", "ms", "notify",
]  # fmt: skip
