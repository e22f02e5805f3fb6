"""Microseconds of CPU for a ticket event as an installation grows along one axis; a real Kafka.

``--axis`` names what grows and ``--sizes`` how far, for example ``--axis subjects --sizes 10000 100000 1000000``:

subjects    tickets that are open beside those that are measured
agreements  agreements in force; the tickets are those of ten customers, so that only their number grows
series      customers, each with figures of its own
workers     workers that share the job. They share a core where the machine has too few: then the CPU of an event tells
partitions  partitions of each topic

A worker is ready before the measured events appear, all at once, with the commit of their transaction. Ratios
are to the first size of the same run.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import time
import uuid
import zlib
from asyncio.subprocess import PIPE, Process
from collections import Counter
from collections.abc import Iterable
from itertools import chain
from pathlib import Path
from typing import Any, Final, NamedTuple

import orjson
import uvloop
from aiokafka import AIOKafkaProducer

from monitor.bootstrap import Monitor
from monitor.core.time.units import HOUR_MS, MINUTE_MS
from monitor.installation import topic_plan
from monitor.stream.agents.books import agreement_key
from monitor.stream.agents.coming import MOST_ROWS
from monitor.stream.kafka.topics import create_topics
from monitor.stream.partitions.collector import calm_collector
from tests.benchmarks import job, write_json
from tests.benchmarks.runs import ROOT
from tests.benchmarks.series import rss

SIZES: Final = {
    "subjects": (10_000, 100_000),
    "agreements": (10, 1_000),
    "series": (1, 100, 1_000),
    "workers": (1, 2),
    "partitions": (4, 16),
}
"""By axis: sizes that end within minutes."""
TICKETS: Final = 20_000
CUSTOMERS: Final = 10
TRANSACTION_MS: Final = 900_000
"""The longest that a broker allows unless told otherwise."""

Records = list[tuple[bytes, bytes]]


class Point(NamedTuple):
    """An installation of one size, and what it is given."""

    agreements: list[dict[str, Any]]
    before: Records
    """What the workers have read when the measured records appear."""
    records: Records
    partitions: int = job.PARTITIONS
    workers: int = 1
    max_series: int = 1_000


def tickets(number: int, prefix: str, customers: int, *, answered: bool) -> Records:
    """Return tickets of the last hour in the order of their times; an answer comes after a minute, if at all."""
    events = []
    base = int(time.time() * 1000) - HOUR_MS - 5 * MINUTE_MS
    for place in range(number):
        ticket, at_ms = f"{prefix}-{place:07d}", base + place * HOUR_MS // number
        told = {"ticket": ticket, "priority": "P4", "customer": f"customer-{place % customers:05d}", "text": "x" * 80}
        events.append((at_ms, {"id": f"{ticket}-o", "type": "opened", "time": at_ms, **told}))
        if answered:
            stop_ms = at_ms + MINUTE_MS
            events.append((stop_ms, {"id": f"{ticket}-r", "type": "responded", "time": stop_ms, **told}))
    events.sort(key=lambda one: one[0])
    return [(str(event["ticket"]).encode(), orjson.dumps(event)) for _, event in events]


def point(axis: str, size: int, number: int) -> Point:
    """Return the installation of a size on an axis."""
    records = tickets(number, "T", size if axis == "series" else CUSTOMERS, answered=True)
    match axis:
        case "subjects":
            return Point([job.AGREEMENT], tickets(size, "B", CUSTOMERS, answered=False), records)
        case "agreements":
            of_customers = [
                job.AGREEMENT | {"agreement": f"desk-{place}", "covers": {"customer": [f"customer-{place:05d}"]}}
                for place in range(size)
            ]
            return Point(of_customers, [], records)
        case "series":
            return Point([job.BY_CUSTOMER], [], records, max_series=max(1_000, size))
        case "workers":
            return Point([job.AGREEMENT], [], records, workers=size)
    return Point([job.AGREEMENT], [], records, partitions=size)


def place_of(key: bytes, partitions: int) -> int:
    """Return the partition to which a key is sent."""
    return zlib.crc32(key) % partitions


def counts(records: Records, partitions: int) -> list[int]:
    """Return how many records each partition gets."""
    of = Counter(place_of(key, partitions) for key, _ in records)
    return [of[place] for place in range(partitions)]


async def publish(bootstrap: str, topic: str, records: Iterable[tuple[bytes, bytes]], partitions: int) -> float:
    """Produce records in one transaction: a committed reader sees none or all. Return the instant before its commit."""
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap, linger_ms=20, max_batch_size=1 << 18, transactional_id=f"growth-{uuid.uuid4()}",
        transaction_timeout_ms=TRANSACTION_MS,
    )  # fmt: skip
    await producer.start()
    try:
        async with producer.transaction():
            for key, value in records:
                await producer.send(topic, value, key=key, partition=place_of(key, partitions))
            await producer.flush()
            return time.monotonic()
    finally:
        await producer.stop()


class Child:
    """One worker of the installation, a process of its own."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self.partitions: list[int] = []
        """Those that it has, open and read as far as was there before; empty until then."""
        self.done: dict[str, Any] = {}

    async def hear(self) -> None:
        """Follow what it says, to its end."""
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            said = orjson.loads(line)
            if "partitions" in said:
                self.partitions = said["partitions"]
            else:
                self.done = said
        if await self._process.wait():
            raise SystemExit("a worker failed: its log says why")

    def end(self) -> None:
        if self._process.returncode is None:
            self._process.kill()


async def measured(bootstrap: str, at: Point) -> dict[str, Any]:
    """Return the figures of one size, on topics of its own."""
    app_id = f"growth-{uuid.uuid4().hex[:8]}"
    settings = job.settings(bootstrap, app_id, at.partitions)
    await create_topics(bootstrap, topic_plan(settings))
    documents = [(agreement_key(one["agreement"], one["version"]), orjson.dumps(one)) for one in at.agreements]
    await job.publish(bootstrap, settings.topics.agreements, documents)
    await publish(bootstrap, settings.topics.tickets, at.before, at.partitions)
    plan = {
        "partitions": at.partitions, "max_series": at.max_series,
        "before": counts(at.before, at.partitions), "records": counts(at.records, at.partitions),
    }  # fmt: skip
    cores = sorted(os.sched_getaffinity(0))
    children = []
    for place in range(at.workers):
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.benchmarks.growth", bootstrap, app_id, orjson.dumps(plan).decode(),
            cwd=ROOT, stdout=PIPE,
        )  # fmt: skip
        os.sched_setaffinity(process.pid, {cores[(1 + place if at.workers < len(cores) else 1) % len(cores)]})
        children.append(Child(process))
    hearing = [asyncio.ensure_future(one.hear()) for one in children]

    def all_ready() -> bool:
        shares = [one.partitions for one in children]
        return all(shares) and sorted(chain.from_iterable(shares)) == list(range(at.partitions))

    try:
        await job.until(lambda: any(one.done() for one in hearing) or all_ready(), timeout_s=600)
        if all_ready():
            appeared = await publish(bootstrap, settings.topics.tickets, at.records, at.partitions)
        await asyncio.gather(*hearing)
    finally:
        for one in children:
            one.end()
    done = [one.done for one in children]
    events = sum(one["events"] for one in done)
    seconds = max(one["ended"] for one in done) - appeared
    return {
        "per_s": events / seconds,
        "cpu_us": sum(one["cpu"] for one in done) / events * 1e6,
        "ready_mb": max(one["ready_mb"] for one in done),
        "empty_mb": max(one["empty_mb"] for one in done),
        "events": events,
        "own_cores": at.workers < len(cores),
    }


def options(parser: argparse.ArgumentParser) -> None:
    """Add what can be asked."""
    parser.add_argument(
        "--axis", choices=tuple(SIZES), action="append", help="only this one; several are allowed [all]"
    )
    parser.add_argument(
        "--sizes", type=int, nargs="+", metavar="N", help="sizes on the axis, the first to compare with"
    )
    parser.add_argument("--tickets", type=int, default=TICKETS, help=f"tickets that are measured [{TICKETS:,}]")


def main(json_path: Path | None, asked: argparse.Namespace) -> None:
    if asked.sizes and len(asked.axis or ()) != 1:
        raise SystemExit("--sizes are those of one --axis: name it")
    figures: dict[str, object] = {}
    with job.kafka() as bootstrap:
        for axis in asked.axis or SIZES:
            first: dict[str, Any] = {}
            for size in asked.sizes or SIZES[axis]:
                one = asyncio.run(measured(bootstrap, point(axis, size, asked.tickets)))
                first = first or one
                one["cpu_to_first"] = one["cpu_us"] / first["cpu_us"]
                one["rate_to_first"] = one["per_s"] / first["per_s"]
                figures[f"{axis} {size:,}"] = one
                print(
                    f"{axis:10} {size:>9,}: {one['cpu_us']:6.1f} us CPU an event, "
                    f"{one['cpu_to_first']:.2f} of the first; "
                    f"{one['per_s']:>9,.0f} events/s, {one['rate_to_first']:.2f} of the first; {one['ready_mb']:.0f} MB"
                    + ("" if one["own_cores"] else "; the workers share a core"),
                    flush=True,
                )
    write_json(figures, json_path)


def say(what: dict[str, Any]) -> None:
    """Tell the parent."""
    os.write(1, orjson.dumps(what) + b"\n")


async def work(bootstrap: str, app_id: str, plan: dict[str, Any]) -> None:
    """Run a worker; tell which partitions it has, and how long it took for the measured records of these."""
    worker = Monitor(job.settings(bootstrap, app_id, plan["partitions"], max_series=plan["max_series"]))
    calm_collector()  # as the worker command does
    empty_mb = rss() / 1e6
    task = asyncio.ensure_future(worker.run())
    source = worker.settings.topics.tickets
    before, records = plan["before"], plan["records"]
    told: list[int] = []
    ready_mb = cpu = 0.0

    def own() -> dict[int, int]:
        return {place: one.events for (topic, place), one in worker.app.stats.partitions.items() if topic == source}

    def begun() -> bool:
        nonlocal told, ready_mb, cpu
        have = own()
        if task.done() or sum(have.values()) > sum(before[place] for place in have):
            return True
        ready = worker.app.ready() and all(events == before[place] for place, events in have.items())
        # The look at what is due next reads so many rows, in half a percent of the time: not while it is measured.
        ready = ready and sum(map(len, worker.coming.due.values())) >= sum(min(before[one], MOST_ROWS) for one in have)
        if ready and sorted(have) != told:
            told, ready_mb = sorted(have), rss() / 1e6
            cpu = time.process_time()  # of what it does from now on nearly all is the measured job
            say({"partitions": told})
        return False

    try:
        await job.until(begun, 0.005, timeout_s=900)
        await job.until(
            lambda: task.done() or all(n == before[place] + records[place] for place, n in own().items()),
            0.005, timeout_s=900,
        )  # fmt: skip
        if task.done():
            task.result()
        ended, used = time.monotonic(), time.process_time() - cpu
        events = sum(records[place] for place in own())
    finally:
        worker.app.request_stop()
        await task
    say({
        "ended": ended, "cpu": used, "events": events, "ready_mb": ready_mb, "empty_mb": empty_mb,
    })  # fmt: skip


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:  # as the worker command does
        runner.run(work(*sys.argv[1:3], orjson.loads(sys.argv[3])))
