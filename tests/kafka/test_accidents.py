"""Accidents on a real Kafka: topics that are changed, deleted or made anew under workers, and a disk that is full."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient, NewPartitions

from monitor.installation import topic_plan
from monitor.stream.kafka.topics import changelog_of, create_topics
from monitor.stream.partitions.watch import PACE_S
from tests.kafka.chaos import Fleet
from tests.kafka.monitor_job import MonitorJob, Topics
from tests.kafka.monitor_load import agreement
from tests.kafka.test_monitor_life import event, now_ms, ready, told


async def until(condition: Callable[[], bool], timeout_s: float = 90) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass"
        await asyncio.sleep(0.2)


async def admin(job: MonitorJob, act: Callable[[AIOKafkaAdminClient], object]) -> None:
    client = AIOKafkaAdminClient(bootstrap_servers=job.bootstrap)
    await client.start()
    try:
        await act(client)
    finally:
        await client.close()


async def run(job: MonitorJob, *arguments: str) -> subprocess.CompletedProcess[str]:
    return await asyncio.to_thread(
        subprocess.run, [sys.executable, "-m", "monitor", *arguments], env={**os.environ, **job.environment},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def repeats(job: MonitorJob, topics: Topics) -> dict[str, int]:
    counts = Counter(one.id for one in job.alerts(topics))
    return {name: count for name, count in counts.items() if count > 1}


async def test_a_partition_that_is_added_under_workers_stops_them_within_half_a_minute(
    kafka: str, tmp_path: Path
) -> None:
    job = MonitorJob(kafka, tmp_path, [agreement(now_ms())], compact=False)
    await job.create()
    tickets = job.settings.topics.tickets
    async with job.topics() as topics, Fleet(job.command, tmp_path, restart_after_s=3600) as fleet:
        fleet.do("start", 0)
        await ready(job, fleet, 1)
        await job.send(tickets, b"T-1", event("T-1", "opened", priority="P1"))
        await told(job, topics, ("T-1", "breached"))
        began = time.monotonic()
        await admin(job, lambda client: client.create_partitions({tickets: NewPartitions(total_count=5)}))
        # an event that the producers' partitioner leads to the new partition waits there
        await job.send(tickets, b"T-2", event("T-2", "opened", priority="P1"), partition=4)

        await until(lambda: fleet.exits == [(0, 1)])

        assert time.monotonic() - began < 2 * PACE_S + 10
        line = next(line for line in fleet.log(0).splitlines() if "worker stops" in line)
        assert f"topic {tickets} has 5 partitions, not 4: set the number of partitions to 5, or create" in line
        await topics.read()
        assert not [one for one in job.alerts(topics) if one.key.what == "T-2"]
    # and no worker starts again: it says the same
    again = await asyncio.to_thread(
        subprocess.run, job.command(0).arguments, env={**os.environ, **job.environment}, capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip
    assert again.returncode == 1
    assert f"topic {tickets} has 5 partitions, not 4" in again.stderr


async def test_a_changelog_that_was_made_anew_stops_the_worker_until_the_loss_is_accepted(
    kafka: str, tmp_path: Path
) -> None:
    job = MonitorJob(kafka, tmp_path, [agreement(now_ms())], partitions=1, compact=False)
    await job.create()
    tickets, changelog = job.settings.topics.tickets, changelog_of(job.mark, job.settings.topics.tickets)
    async with job.topics() as topics, Fleet(job.command, tmp_path, restart_after_s=3600) as fleet:
        fleet.do("start", 0)
        await ready(job, fleet, 1)
        await job.send(tickets, b"T-1", event("T-1", "opened", priority="P1"))
        await told(job, topics, ("T-1", "breached"))
        fleet.do("term", 0)
        await until(lambda: fleet.exits == [(0, 0)])
        # given a changelog that somebody has deleted and created anew
        await admin(job, lambda client: client.delete_topics([changelog]))
        await asyncio.sleep(1)
        assert await create_topics(kafka, topic_plan(job.settings)) == [changelog]
        # when a worker starts, it stops and says what to do, before it has told anything again
        fleet.do("start", 0)
        await until(lambda: len(fleet.exits) == 2)
        assert fleet.exits[-1] == (0, 1)
        line = next(line for line in fleet.log(0).splitlines() if "worker stops" in line)
        assert f"offsets up to 1 were acknowledged, but {changelog} knows of none" in line
        assert f"sla-monitor topics accept-loss {tickets}" in line
        await topics.read()
        assert not repeats(job, topics)
        # when the loss is accepted, all is read, and told, again, under the same ids
        accepted = await run(job, "topics", "accept-loss", tickets, "--yes")
        assert accepted.returncode == 0, accepted.stderr
        fleet._wanted.discard(0)
        fleet.do("start", 0)
        await ready(job, fleet, 1)
        await job.send(tickets, b"T-2", event("T-2", "opened", priority="P1"))
        await told(job, topics, ("T-2", "breached"))
        assert set(repeats(job, topics).values()) == {2}
        refused = await run(job, "topics", "accept-loss", tickets, "--yes")
        assert refused.returncode == 1
        assert "has members: stop all workers" in refused.stderr


async def test_a_source_that_is_made_anew_under_a_worker_stops_it_before_events_are_taken_for_repeats(
    kafka: str, tmp_path: Path
) -> None:
    job = MonitorJob(kafka, tmp_path, [agreement(now_ms())], partitions=1, compact=False)
    await job.create()
    tickets = job.settings.topics.tickets
    async with job.topics() as topics, Fleet(job.command, tmp_path, restart_after_s=3600) as fleet:
        fleet.do("start", 0)
        await ready(job, fleet, 1)
        for number in range(5):
            await job.send(tickets, b"T-1", event("T-1", "opened", priority="P1", id=f"e{number}"))
        await told(job, topics, ("T-1", "breached"))
        await admin(job, lambda client: client.delete_topics([tickets]))
        await asyncio.sleep(1)
        await create_topics(kafka, topic_plan(job.settings))
        await job.send(tickets, b"T-2", event("T-2", "opened", priority="P1"))

        await until(lambda: fleet.exits == [(0, 1)])

        line = next(line for line in fleet.log(0).splitlines() if "worker stops" in line)
        assert "Was it deleted and created again?" in line or f"topic {tickets} is missing" in line
