"""Load for a whole monitor in real time: tickets, calls and outages whose outcome follows from the facts alone.

Budgets are seconds. A fact is told the instant at which it is sent, and never within `MARGIN_MS` before something comes
due for its subject: then it makes no difference how late a disturbed worker reads it. So the load may come as late as a
busy machine makes it; what must be announced is computed from the facts that were sent (`tests.kafka.monitor_oracle`).
``pace`` below 1 makes all of it quicker: budgets, stories and the margin.

While the broker is down or frozen a fact waits in the producer. If something came due for its subject meanwhile, the
monitor may rightly have announced it before: such subjects are `Load.blurred`.
"""

from __future__ import annotations

import asyncio
import heapq
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

import orjson
from aiokafka import AIOKafkaProducer

from tests.kafka.monitor_oracle import Told, Word, due_until, pending, words

MARGIN_MS = 3_000
"""How late a worker may see a fact without announcing something that the fact disproves."""


def clocks(pace: float = 1.0) -> list[dict[str, Any]]:
    """Return the clocks of the agreement."""

    def span(seconds: int) -> str:
        return f"{round(seconds * 1000 * pace)}ms"

    return [
        {
            "id": "response", "metric": "first_response", "targets": {"P1": span(10), "P2": span(12)}, "at_risk": "50%",
            "by": ["priority"], "windows": ["30m", "day"],
        },
        {
            "id": "resolution", "metric": "resolution", "targets": {"P1": span(20), "P2": span(24)}, "at_risk": "75%",
            "by": ["customer"], "windows": ["30m", "24h", "month"],
        },
        {
            "id": "restore", "subject": "outage", "metric": "restore", "targets": {"*": span(10)}, "at_risk": span(4),
            "by": ["service"], "windows": ["30m", "day"],
        },
    ]  # fmt: skip


def agreement(now_ms: int, pace: float = 1.0) -> dict[str, Any]:
    """Return the agreement, in a zone where it is about noon: no day and no month ends during a test."""
    hours = 12 - time.gmtime(now_ms / 1000).tm_hour
    return {
        "agreement": "chaos", "version": 1, "valid_from": "2020-01-01", "name": "Promises of seconds",
        "form": "service", "provider": "us", "customer": "everybody", "service": "all", "status": "accepted",
        "accepted_by": "the test", "accepted_on": "2020-01-01", "zone": f"Etc/GMT{-hours:+d}",
        "clocks": clocks(pace),
        "calls": [
            {"id": "hotline", "answer_within": "4s", "short_abandon": "1s", "by": ["queue"], "windows": ["30m", "day"]},
        ],
        "outages": [{"id": "network", "by": ["service"], "windows": ["day"]}],
        "objectives": [
            {"id": "responded", "of": "response", "indicator": "compliance", "target": ">= 80 %", "windows": ["30m"],
             "minimum_sample": 50},
            {"id": "resolved", "of": "resolution", "indicator": "compliance", "target": ">= 99 %", "windows": ["month"],
             "minimum_sample": 50},
            {"id": "answered", "of": "hotline", "indicator": "SL1", "target": ">= 80 %", "windows": ["30m"],
             "minimum_sample": 20},
        ],
    }  # fmt: skip


class Step(NamedTuple):
    """What happens to a subject next, seconds after what happened last."""

    after_s: float
    type: str
    attributes: dict[str, Any]


@dataclass
class Story:
    """One subject: what is still to come, and what was told."""

    subject: str
    id: str
    steps: list[Step]
    facts: list[Told] = field(default_factory=list)
    taken_at_ms: dict[int, int] = field(default_factory=dict)
    """When Kafka confirmed each fact, by its place in ``facts``."""


def steps(*given: tuple[float, str] | tuple[float, str, dict[str, Any]]) -> list[Step]:
    return [Step(one[0], one[1], one[2] if len(one) > 2 else {}) for one in given]


class Load:
    """Stories that begin within ``seconds``, and their sending."""

    def __init__(
        self, seed: int, *, seconds: float, tickets: int, calls: int, outages: float, pace: float = 1.0
    ) -> None:
        self.pace = pace
        self.chance = random.Random(seed)
        self.seconds = seconds
        self.stories: list[Story] = []
        self.sent = 0
        self.spoiled = 0
        """Records that are no events."""
        self.behind_s = 0.0
        """How late the latest fact was sent, against its plan."""
        self.refused: list[BaseException] = []
        self._queue: list[tuple[float, int, Story]] = []
        for rate, make in ((tickets, self.ticket), (calls, self.call), (outages, self.outage)):
            for number in range(int(rate * seconds)):
                story = make(number)
                self.stories.append(story)
                self._queue.append((number / rate, len(self.stories), story))
        heapq.heapify(self._queue)

    # -- stories

    def ticket(self, number: int) -> Story:
        chance = self.chance
        who = {"customer": f"customer-{chance.randrange(20)}", "priority": chance.choice(("P1", "P2"))}
        opened = (0.0, "opened", who)
        soon, later = chance.uniform(0.05, 1.5), chance.uniform(0.05, 1.0)
        solved = (0.1, "resolved")
        kind = chance.choices(
            ("quick", "warned", "late", "never", "paused", "urgent", "cancelled", "reopened", "noted"),
            (52, 8, 12, 5, 8, 5, 4, 3, 3),
        )[0]
        story = {
            "quick": steps(opened, (soon, "responded", {"agent": "a-1"}), solved),
            "warned": steps(opened, (6 + later, "responded"), solved),
            "late": steps(opened, (12 + later, "responded"), (later, "resolved")),
            "never": steps(opened),
            "paused": steps(opened, (soon, "paused", {"reason": "waiting"}), (2 + 6 * later, "resumed"),
                            (chance.choice((0.2, 7.0, 14.0)), "responded"), solved),
            "urgent": steps((0.0, "opened", {**who, "priority": "P2"}), (soon, "priority_changed", {"priority": "P1"}),
                            (chance.choice((0.2, 11.0)), "responded"), solved),
            "cancelled": steps(opened, (chance.choice((0.5, 6.0, 13.0)), "cancelled")),
            "reopened": steps(opened, (soon, "responded"), solved, (later, "reopened"),
                              (chance.choice((0.5, 16.0)), "resolved")),
            "noted": steps(opened, (soon, "responded", {"public": False}), (soon, "responded", {"automatic": True}),
                           (11.0, "responded"), (0.2, "resolved")),
        }  # fmt: skip
        return Story("ticket", f"T-{number}", story[kind])

    def call(self, number: int) -> Story:
        chance = self.chance
        end = chance.choices(
            ((0.3, "answered"), (2.0, "answered"), (7.0, "answered"), (0.5, "abandoned"), (3.0, "abandoned"),
             (6.0, "abandoned"), (1.0, "transferred"), (5.0, "callback_requested"), (2.0, "ended")),
            (40, 15, 12, 4, 6, 8, 5, 5, 5),
        )[0]  # fmt: skip
        return Story("call", f"C-{number}", steps((0.0, "queued", {"queue": chance.choice(("a", "b", "c"))}), end))

    def outage(self, number: int) -> Story:
        chance = self.chance
        service = {"service": chance.choice(("ring", "dsl", "mpls"))}
        started = (0.0, "started", service)
        return Story("outage", f"O-{number}", chance.choice((
            steps(started, (0.5, "acknowledged"), (1.0, "restored"), (1.0, "resolved")),
            steps(started, (7.0, "restored"), (1.0, "resolved")),
            steps(started, (1.0, "restored", {"weight": 0.5}), (12.0, "restored")),
            steps(started, (1.0, "cancelled")),
        )))  # fmt: skip

    # -- sending

    async def produce(self, bootstrap: str, topics: dict[str, str]) -> None:
        """Send all facts, each at its time or later."""
        producer = AIOKafkaProducer(
            bootstrap_servers=bootstrap, linger_ms=5, acks="all", max_batch_size=1 << 18,
            request_timeout_ms=120_000,  # so long it tries again while the broker is down
        )  # fmt: skip
        await producer.start()
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            while self._queue:
                wait_s = began + self._queue[0][0] - loop.time()
                if wait_s > 0 or self.sent % 200 == 0:
                    await asyncio.sleep(max(0.0, wait_s))
                at_s, number, story = heapq.heappop(self._queue)
                self.behind_s = max(self.behind_s, loop.time() - began - at_s)
                now_ms = int(time.time() * 1000)
                until_ms = now_ms + MARGIN_MS * self.pace
                soon_ms = [one for one in pending(story.subject, story.facts, self.pace) if now_ms < one <= until_ms]
                if soon_ms:
                    at_s = loop.time() - began + (max(soon_ms) - now_ms + 2) / 1000
                    heapq.heappush(self._queue, (at_s, number, story))
                    continue
                if story.steps[0].type == "priority_changed" and due_until(
                    story.subject, story.facts, now_ms, self.pace
                ):
                    story.steps.pop(0)  # too late to be as if it had always held
                for topic, key, value in self._records(story, now_ms, topics):
                    taken = await producer.send(topic, value, key=key)
                    taken.add_done_callback(partial(self._taken, story, len(story.facts) - 1))
                    self.sent += 1
                if story.steps:
                    at_s = loop.time() - began + story.steps[0].after_s * self.pace
                    heapq.heappush(self._queue, (at_s, number, story))
        finally:
            await producer.stop()
        assert not self.refused, f"Kafka did not take {len(self.refused)} records: {self.refused[0]!r}"

    def words(self) -> Iterator[tuple[Story, Word]]:
        """Yield all that must be announced, and of whom."""
        for story in self.stories:
            for word in words(story.subject, story.id, story.facts, self.pace):
                yield story, word

    def blurred(self) -> set[str]:
        """Return the ids of subjects of which a fact reached Kafka after something that it changes had come due."""
        found = set()
        for story in self.stories:
            for number, taken_ms in story.taken_at_ms.items():
                told_ms = story.facts[number].at_ms
                if taken_ms - told_ms < MARGIN_MS * self.pace / 3:
                    continue
                due = pending(story.subject, story.facts[:number], self.pace)
                # The margin: a worker reads it a moment after it was taken.
                if any(told_ms < one <= taken_ms + MARGIN_MS * self.pace for one in due):
                    found.add(story.id)
        return found

    def _taken(self, story: Story, number: int, taken: asyncio.Future[Any]) -> None:
        if error := taken.exception():
            self.refused.append(error)
        story.taken_at_ms.setdefault(number, int(time.time() * 1000))

    def _records(self, story: Story, now_ms: int, topics: dict[str, str]) -> Iterator[tuple[str, bytes, bytes]]:
        step = story.steps.pop(0)
        sequence = len(story.facts)
        if story.facts:
            now_ms = max(now_ms, story.facts[-1].at_ms)
        story.facts.append(Told(now_ms, step.type, step.attributes))
        topic, key = topics[story.subject], story.id.encode()
        event = {
            "id": f"{story.id}.{sequence}", "type": step.type, "time": now_ms, "sequence": sequence,
            story.subject: story.id, **step.attributes,
        }  # fmt: skip
        value = orjson.dumps(event)
        yield topic, key, value
        if self.chance.random() < 0.02:  # a producer that repeats itself
            yield topic, key, value
        if self.chance.random() < 0.002:
            self.spoiled += 1
            yield topic, key, value[:-1]
