"""The ticket job that the benchmarks share: events, the agreement, what must come out, and a worker to run it.

150,000 tickets are opened and answered; every answer later than its priority's target is a breach.
"""

from __future__ import annotations

import asyncio
import math
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import orjson
from aiokafka import AIOKafkaProducer

from monitor.config.settings.settings import Settings, TopicSettings
from monitor.stream.agents.books import agreement_key
from tests.kafka.broker import KafkaBroker

PARTITIONS = 4
TARGET_H = {"P1": 3, "P2": 4, "P3": 5, "P4": 6}
SPAN_MS = int(2.2 * 3_600_000)
WAVE_MS = 8 * 3_600_000

AGREEMENT: dict[str, Any] = {
    "agreement": "desk",
    "version": 1,
    "valid_from": "2020-01-01",
    "name": "Response times",
    "form": "service",
    "provider": "IT",
    "customer": "everybody",
    "service": "desk",
    "status": "accepted",
    "accepted_by": "the benchmark",
    "accepted_on": "2020-01-01",
    "zone": "UTC",
    "clocks": [
        {
            "id": "response",
            "metric": "first_response",
            "targets": {priority: f"{hours}h" for priority, hours in TARGET_H.items()},
            "calendar": "always",
        }
    ],
}
"""Figures by priority over 24 hours and the month: what an agreement has that does not say otherwise."""

BY_CUSTOMER = AGREEMENT | {"clocks": [AGREEMENT["clocks"][0] | {"by": ["customer"], "windows": ["30m"]}]}
"""The hard case: a rolling half hour by the minute for each of 200 customers, so that every other event of the backlog
changes a pane of its own, which is written, sent and merged."""


class Job(NamedTuple):
    """The records of the job, in the order of their event times, and how many breaches they hold."""

    records: list[tuple[bytes, bytes]]
    breaches: int


def make(
    tickets: int = 150_000, seed: int = 1, before_ms: int | None = None, span_ms: int = SPAN_MS, waves: int = 1
) -> Job:
    """Return the job; its last event is a minute before ``before_ms`` (default: now).

    Tickets are opened within ``span_ms``. Several waves begin `WAVE_MS` after one another; a share of the tickets is
    opened within ``span_ms`` of each, so that every part of the job has answers, too.
    """
    rnd = random.Random(seed)
    events = []
    breaches = 0
    for number in range(tickets):
        opened_ms = int(rnd.random() * span_ms) + number * waves // tickets * WAVE_MS
        took_ms = max(1_000, int(math.exp(rnd.gauss(math.log(110 * 60_000), 0.6))))
        priority = rnd.choices(tuple(TARGET_H), (10, 20, 30, 40))[0]
        breaches += took_ms >= TARGET_H[priority] * 3_600_000
        event = {
            "ticket": f"T-{number:06d}",
            "priority": priority,
            "customer": f"customer-{rnd.randrange(200):03d}",
            "service": f"service-{rnd.randrange(12):02d}",
            "agent": f"agent-{rnd.randrange(400):03d}",
            "text": "x" * rnd.randrange(50, 120),
        }
        events.append((opened_ms, f"o{number}", "opened", event))
        events.append((opened_ms + took_ms, f"r{number}", "responded", event))
    events.sort(key=lambda one: one[:2])
    base = (before_ms or int(time.time() * 1000)) - 60_000 - events[-1][0]
    records = [
        (event["ticket"].encode(), _copy(orjson.dumps({"id": event_id, "type": kind, "time": base + at_ms, **event})))
        for at_ms, event_id, kind, event in events
    ]
    return Job(records, breaches)


def _copy(encoded: bytes) -> bytes:
    """Return the same bytes in memory of their size: what orjson returns holds on to 4 KB each."""
    return bytes(memoryview(encoded))


def settings(bootstrap: str, app_id: str, partitions: int = PARTITIONS, **more: Any) -> Settings:
    """Return settings with topics of their own; ``more`` are others than topics."""
    names = {
        name: f"{app_id}-{name}"
        for name in ("tickets", "calls", "outages", "leads", "agreements", "partials", "alerts", "status", "statements")
    }
    topics = TopicSettings(**names, dead_letters=f"{app_id}-dead-letters", partitions=partitions)
    return Settings(app_id=app_id, bootstrap=bootstrap, topics=topics, log_level="warning", **more)


async def publish(bootstrap: str, topic: str, records: list[tuple[bytes, bytes]]) -> None:
    """Produce records by key."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, linger_ms=20, max_batch_size=1 << 18)
    await producer.start()
    try:
        for start in range(0, len(records), 5_000):
            for key, value in records[start : start + 5_000]:
                await producer.send(topic, value, key=key)
            await producer.flush()
    finally:
        await producer.stop()


async def publish_agreement(bootstrap: str, topic: str, document: dict[str, Any]) -> None:
    """Put one agreement in force."""
    key = agreement_key(document["agreement"], document["version"])
    await publish(bootstrap, topic, [(key, orjson.dumps(document))])


@contextmanager
def kafka() -> Iterator[str]:
    """Yield the address of ``SLA_TEST_BOOTSTRAP``, else of a Kafka that is started on core 0 for as long."""
    if given := os.environ.get("SLA_TEST_BOOTSTRAP"):
        yield given
        return
    with KafkaBroker() as broker:
        broker.pin(0)
        yield broker.bootstrap


def child(
    arguments: list[str], core: int | None, timeout_s: float = 600, python: str = sys.executable
) -> dict[str, Any]:
    """Run a function of a benchmark module in a process of its own, on one core; return what it printed as JSON."""
    cores = {core} if core is not None and core in os.sched_getaffinity(0) else None
    done = subprocess.run(
        [python, "-m", *arguments],
        stdout=subprocess.PIPE,
        timeout=timeout_s,
        check=True,
        cwd=Path(__file__).parents[2],
        preexec_fn=(lambda: os.sched_setaffinity(0, cores)) if cores else None,
    )
    return orjson.loads(done.stdout.splitlines()[-1])


async def until(done: Callable[[], bool], every_s: float = 0.01, timeout_s: float = 300) -> None:
    """Wait for a condition."""
    async with asyncio.timeout(timeout_s):
        while not done():  # noqa: ASYNC110 - other processes' work sets no event here
            await asyncio.sleep(every_s)
