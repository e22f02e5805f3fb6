"""A broker whose disk is full halts; once there is room again, nothing is lost and nothing was told twice."""

from __future__ import annotations

import asyncio
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiokafka.errors import KafkaError

from tests.kafka.broker import KafkaBroker, UnavailableError
from tests.kafka.chaos import Fleet
from tests.kafka.monitor_job import MonitorJob
from tests.kafka.monitor_load import agreement
from tests.kafka.test_monitor_life import event, now_ms, ready, told

ROOM = "32m"


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small disk of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={ROOM}", "tmpfs", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip(f"a small tmpfs cannot be mounted here: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture
def broker(disk: Path, tmp_path: Path) -> Iterator[KafkaBroker]:
    """A broker whose records are on that disk."""
    made = KafkaBroker({"log.dirs": str(disk / "data"), "metadata.log.dir": str(tmp_path / "metadata")})
    try:
        made.__enter__()
    except UnavailableError as reason:
        pytest.skip(str(reason))
    try:
        yield made
    finally:
        made.__exit__()


def fill(disk: Path) -> Path:
    """Leave no room on a disk; return the file that takes it."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as out:
        for size in (1 << 16, 1 << 12, 1):
            try:
                while True:
                    out.write(b"x" * size)
            except OSError:
                continue
    return ballast


def restart(broker: KafkaBroker) -> None:
    """Start the broker's process again, with all that it has written."""
    broker.start()
    broker.wait()


async def test_a_full_disk_of_the_broker_loses_nothing_and_tells_nothing_twice(
    broker: KafkaBroker, disk: Path, tmp_path: Path
) -> None:
    job = MonitorJob(broker.bootstrap, tmp_path, [agreement(now_ms())], partitions=1, compact=False)
    await job.create()
    tickets = job.settings.topics.tickets
    async with job.topics() as topics, Fleet(job.command, tmp_path) as fleet:
        fleet.do("start", 0)
        await ready(job, fleet, 1)
        await job.send(tickets, b"T-1", event("T-1", "opened", priority="P1"))
        await job.send(tickets, b"T-2", event("T-2", "opened", priority="P1"))
        # when there is no room for what has to be told of them
        ballast = fill(disk)
        began = time.monotonic()
        assert broker._process is not None
        while broker._process.poll() is None:
            assert time.monotonic() - began < 90, "the broker goes on"
            await asyncio.sleep(0.2)
        while not fleet.exits:
            assert time.monotonic() - began < 150, "the worker goes on without a broker"
            await asyncio.sleep(0.2)
        # then the worker has said why it stops
        assert all(code == 1 for _, code in fleet.exits)
        assert "worker stops: " in fleet.lives[0].log
        assert "Traceback" not in fleet.lives[0].log
        # and when there is room again, and the broker is started again, it goes on
        ballast.unlink()
        restart(broker)
        await job.send(tickets, b"T-3", event("T-3", "opened", priority="P1"))
        try:
            found = await told(job, topics, ("T-1", "breached"), ("T-2", "breached"), ("T-3", "breached"))
        except KafkaError:  # its own reader has to find the broker again
            found = await told(job, topics, ("T-1", "breached"), ("T-2", "breached"), ("T-3", "breached"))
        await asyncio.sleep(3)
        await topics.read()
        assert found
        assert set(Counter(one.id for one in job.alerts(topics)).values()) == {1}
