"""``recompute`` on a real Kafka: it reads what is committed, tells what differs and why, and leaves no trace."""

from __future__ import annotations

import asyncio
import json
import signal
import time
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.structs import TopicPartition
from click.testing import CliRunner, Result

from monitor.cli.root import root
from monitor.core.time.units import HOUR_MS
from monitor.installation import topic_plan
from monitor.read_model.topics import Outgoing, producer, read_all, send_all
from monitor.stream.kafka.connection import stop_consumer
from tests.cli.processes import process, stop
from tests.kafka.monitor_job import MonitorJob

DESK = """\
agreement: {name}
version: {version}
valid_from: 2024-0{version}-01
name: Desk of {name}
form: customer
provider: IT
customer: "{name}"
service: Mail
status: accepted
accepted_by: Dana
accepted_on: 2023-12-01
covers: {{customer: ["{name}"]}}
clocks:
  - {{id: resolution, metric: resolution, targets: {{"*": {budget}}}, calendar: always, windows: [24h]}}
"""


def event(number: int, customer: str, kind: str, time_ms: int, job: MonitorJob) -> Outgoing:
    body = {"id": f"e{number}", "type": kind, "time": time_ms, "ticket": f"T-{customer}", "customer": customer}
    return Outgoing(job.settings.topics.tickets, body["ticket"].encode(), orjson.dumps(body))


async def told(job: MonitorJob, *wanted: str) -> None:
    """Wait until these states of alerts were announced, in any order."""
    deadline = time.monotonic() + 60
    while True:
        alerts = [orjson.loads(one.value)["data"] for one in await read_all(job.settings, job.settings.topics.alerts)]
        if sorted(one["state"] for one in alerts) == sorted(wanted):
            return
        assert time.monotonic() < deadline, alerts
        await asyncio.sleep(0.1)


async def traces(job: MonitorJob) -> dict[str, Any]:
    """Return which topics and groups there are, where the job's topics end, and what its group has committed."""
    admin = AIOKafkaAdminClient(bootstrap_servers=job.bootstrap)
    consumer = AIOKafkaConsumer(bootstrap_servers=job.bootstrap)  # uncommitted records count too
    await admin.start()
    await consumer.start()
    try:
        topics = await admin.describe_topics([spec.name for spec in topic_plan(job.settings)])
        partitions = [
            TopicPartition(one["topic"], partition["partition"]) for one in topics for partition in one["partitions"]
        ]
        return {
            "topics": sorted(await admin.list_topics()),
            "groups": sorted(await admin.list_consumer_groups()),
            "ends": await consumer.end_offsets(partitions),
            "committed": await admin.list_consumer_group_offsets(job.mark),
        }
    finally:
        await stop_consumer(consumer)
        await admin.close()


async def abort(job: MonitorJob, *records: Outgoing) -> None:
    """Write records that no committed reader ever sees."""
    async with producer(job.settings, transactional_id=job.mark) as writer:
        await writer.begin_transaction()
        for one in records:
            await writer.send_and_wait(one.topic, key=one.key, value=one.value)
        await writer.abort_transaction()


@pytest.mark.alone  # it compares the topics and the groups of the whole broker
async def test_it_tells_late_events_and_a_changed_agreement_apart_and_leaves_no_trace(kafka: str, tmp_path: Path):
    job = MonitorJob(kafka, tmp_path, [], partitions=2, compact=False, more={"ALLOWED_LATENESS": "1h"})
    opened_ms = int(time.time() * 1000) - 4 * HOUR_MS

    async def run(*arguments: str | Path) -> Result:
        told = [str(one) for one in arguments]
        return await asyncio.to_thread(CliRunner().invoke, root, told, env=job.environment)

    async def apply(name: str, version: int, budget: str) -> None:
        (tmp_path / f"{name}-{version}.yaml").write_text(DESK.format(name=name, version=version, budget=budget))
        applied = await run("agreements", "apply", tmp_path, "--yes")
        assert applied.exit_code == 0, applied.output

    # given two customers whose tickets a worker has judged: broken, and rightly so by what is known
    await job.create()
    await apply("acme", 1, "2h")
    await apply("bolt", 1, "2h")
    await send_all(
        job.settings, [event(1, "acme", "opened", opened_ms, job), event(2, "bolt", "opened", opened_ms, job)]
    )
    with process("worker", folder=tmp_path, environment=job.environment) as worker:
        await told(job, "breached", "breached")
        same = await run("recompute")
        assert same.exit_code == 0, same.output

        # when it is told late that one was solved in time, and the other one's agreement changes after the fact
        await send_all(job.settings, [event(3, "acme", "resolved", opened_ms + HOUR_MS, job)])
        await apply("bolt", 2, "8h")
        await told(job, "breached", "breached", "voided", "rearmed")
        code, _, err = stop(worker, signal.SIGTERM)
        assert code == 0, err
    # and others wrote what they never committed
    await abort(
        job,
        event(4, "bolt", "resolved", opened_ms + HOUR_MS, job),
        Outgoing(job.settings.topics.alerts, b"k", b"no announcement"),
    )
    before = await traces(job)
    assert {spec.name for spec in topic_plan(job.settings)} == {tp.topic for tp in before["ends"]}
    assert before["committed"]

    found = await run("recompute", "--json")

    # then both are told, each with its cause
    assert (found.exit_code, found.stderr) == (4, "")
    clocks = {one["agreement"]: one for one in map(json.loads, found.stdout.splitlines())}
    assert {name: one["judged"]["breached_ms"] for name, one in clocks.items()} == {
        "acme": [opened_ms + 2 * HOUR_MS + 1], "bolt": [opened_ms + 2 * HOUR_MS + 1],
    }  # fmt: skip
    assert {name: one["recomputed"]["verdict"] for name, one in clocks.items()} == {"acme": "met", "bolt": "open"}
    assert clocks["acme"]["cause"] == {"kind": "late_events", "versions": [-1, -1], "events": ["e3"]}
    assert clocks["bolt"]["cause"] == {"kind": "agreement", "versions": [1, 2], "events": []}

    # and nothing was written, nor committed
    assert await traces(job) == before
