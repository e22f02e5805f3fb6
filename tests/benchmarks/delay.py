"""Milliseconds from a deadline's due instant until a committed reader has its alert, idle and under load; a real Kafka.

The monitor's worker has a core to itself; the broker shares the other with the load's producer and the reader.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import orjson
import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from monitor.bootstrap import Monitor
from monitor.installation import topic_plan
from monitor.stream.kafka.topics import create_topics
from monitor.stream.partitions.collector import calm_collector
from tests.benchmarks import job, write_json

BUDGET_S = 4
SECONDS = 15
DEADLINES_PER_S = 100
LOADS = (0, 5_000, 20_000)

AGREEMENT = job.AGREEMENT | {
    "clocks": [
        {
            "id": "response", "metric": "first_response", "targets": {"watched": f"{BUDGET_S}s", "*": "24h"},
            "calendar": "always", "by": ["customer"], "windows": ["30m"],
        }
    ]
}  # fmt: skip


class Load:
    """Produces tickets in real time: some are watched and never answered, the others are the load."""

    def __init__(self, producer: AIOKafkaProducer, topic: str, load_per_s: int) -> None:
        self.producer = producer
        self.topic = topic
        self.load_per_s = load_per_s
        self.watched = 0
        self.sent = 0

    async def run(self) -> None:
        started = time.monotonic()
        while (elapsed := time.monotonic() - started) < SECONDS:
            while self.watched < elapsed * DEADLINES_PER_S:
                await self._send(f"W-{self.load_per_s}-{self.watched}", "opened", "watched")
                self.watched += 1
            while self.sent < elapsed * self.load_per_s:
                number, kind = divmod(self.sent, 2)
                await self._send(f"L-{self.load_per_s}-{number}", ("opened", "responded")[kind], "P1")
                self.sent += 1
            await asyncio.sleep(0.005)
        await self.producer.flush()

    async def _send(self, ticket: str, kind: str, priority: str) -> None:
        event = {
            "id": f"{ticket}-{kind}", "type": kind, "time": int(time.time() * 1000), "ticket": ticket,
            "priority": priority, "customer": f"customer-{hash(ticket) % 200:03d}", "text": "x" * 80,
        }  # fmt: skip
        await self.producer.send(self.topic, orjson.dumps(event), key=ticket.encode())


async def measure(bootstrap: str, app_id: str, load_per_s: int) -> dict[str, Any]:
    topics = job.settings(bootstrap, app_id).topics
    consumer = AIOKafkaConsumer(
        topics.alerts, bootstrap_servers=bootstrap, auto_offset_reset="latest", isolation_level="read_committed",
        fetch_max_wait_ms=10,
    )  # fmt: skip
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, linger_ms=5, max_batch_size=1 << 18)
    await asyncio.gather(consumer.start(), producer.start())
    await consumer.seek_to_end()
    load = Load(producer, topics.tickets, load_per_s)
    producing = asyncio.ensure_future(load.run())
    delays: list[float] = []
    deadline = time.monotonic() + SECONDS + BUDGET_S + 20
    while time.monotonic() < deadline and not (producing.done() and len(delays) >= load.watched):
        for records in (await consumer.getmany(timeout_ms=100)).values():
            now_ms = time.time() * 1000
            for record in records:
                data = orjson.loads(record.value)["data"]
                if data["state"] == "breached" and record.key and b"W-" in record.key:
                    delays.append(now_ms - data["at_ms"])
    await producing
    await asyncio.gather(consumer.stop(), producer.stop())
    delays.sort()
    return {
        "load_per_s": load.sent / SECONDS, "deadlines": load.watched, "announced": len(delays),
        "p50_ms": delays[len(delays) // 2], "p99_ms": delays[int(len(delays) * 0.99)], "max_ms": delays[-1],
    }  # fmt: skip


def main(json_path: Path | None) -> None:
    app_id = f"delay-{int(time.time())}"
    figures: dict[str, object] = {}
    missed = False
    with job.kafka() as bootstrap:
        settings = job.settings(bootstrap, app_id)
        asyncio.run(create_topics(bootstrap, topic_plan(settings)))
        asyncio.run(job.publish_agreement(bootstrap, settings.topics.agreements, AGREEMENT))
        worker = subprocess.Popen(
            [sys.executable, "-m", "tests.benchmarks.delay", bootstrap, app_id], cwd=Path(__file__).parents[2]
        )
        try:
            with suppress(OSError):
                os.sched_setaffinity(worker.pid, {1})
                os.sched_setaffinity(0, {0})
            time.sleep(5)  # the worker joins its group; whatever it announces later shows as delay, not as an error
            for load_per_s in LOADS:
                one = asyncio.run(measure(bootstrap, app_id, load_per_s))
                figures[f"at {load_per_s:,} events/s"] = one
                missed |= one["announced"] != one["deadlines"]
                print(
                    f"{one['load_per_s']:>8,.0f} events/s: {one['announced']:,} of {one['deadlines']:,} deadlines, "
                    f"median {one['p50_ms']:.0f} ms, p99 {one['p99_ms']:.0f} ms, most {one['max_ms']:.0f} ms"
                )
        finally:
            worker.terminate()
            worker.wait(30)
    write_json(figures, json_path)
    if missed:
        raise SystemExit("not every deadline was announced once")


async def serve(bootstrap: str, app_id: str) -> None:
    """Run the worker as the worker command does."""
    worker = Monitor(job.settings(bootstrap, app_id))
    calm_collector()
    await worker.run()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(*sys.argv[1:3]))
