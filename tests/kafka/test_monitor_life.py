"""The life of a monitor on a real Kafka: it says what is missing, follows amendments, and no bad record stops it."""

from __future__ import annotations

import asyncio
import subprocess
import time
from collections import Counter
from pathlib import Path
from typing import Any

import orjson

from monitor.wire.deadletters import decode_dead_letter
from tests.e2e.test_bad_records import KINDS
from tests.kafka.chaos import Fleet
from tests.kafka.monitor_job import MonitorJob, Topics
from tests.kafka.monitor_load import agreement


def now_ms() -> int:
    return int(time.time() * 1000)


def event(ticket: str, kind: str, **more: Any) -> bytes:
    return orjson.dumps({"id": f"{ticket}-{kind}", "type": kind, "time": now_ms(), "ticket": ticket, **more})


async def told(job: MonitorJob, topics: Topics, *wanted: tuple[str, str]) -> dict[tuple[str, str], Any]:
    """Wait until some states of some tickets are announced of the clock ``response``; return these alerts."""
    deadline = time.monotonic() + 60
    while True:
        await topics.read()
        found = {(one.key.what, one.state): one for one in job.alerts(topics) if one.key.promise == "response"}
        if found.keys() >= set(wanted):
            return found
        assert time.monotonic() < deadline, found.keys()
        await asyncio.sleep(0.2)


async def ready(job: MonitorJob, fleet: Fleet, workers: int) -> None:
    deadline = time.monotonic() + 60
    while True:
        if all("serves" in fleet.log(worker) for worker in range(workers)):
            health = await job.health(fleet)
            if len(health) == workers and all(one["ready"] for one in health.values()):
                return
        assert time.monotonic() < deadline, [fleet.log(worker)[-2000:] for worker in range(workers)]
        await asyncio.sleep(0.2)


async def test_a_worker_that_finds_no_topics_says_what_to_do_and_stops(kafka: str, tmp_path: Path) -> None:
    job = MonitorJob(kafka, tmp_path, [])
    command = job.command(0)

    done = await asyncio.to_thread(
        subprocess.run, command.arguments, env=command.environment, capture_output=True, text=True, timeout=60,
        check=False,
    )  # fmt: skip

    assert done.returncode == 1
    lines = [line for line in done.stderr.splitlines() if "worker stops" in line]
    assert len(lines) == 1, done.stderr
    assert f"topic {job.settings.topics.tickets} is missing: create it with 4 partitions" in lines[0]
    assert "Traceback" not in done.stderr


async def test_a_worker_that_is_stopped_while_it_starts_ends(kafka: str, tmp_path: Path) -> None:
    job = MonitorJob(kafka, tmp_path, [agreement(now_ms())])
    await job.create()
    command = job.command(0)
    for after_s in (0.05, 0.15, 0.2, 0.25, 0.5):
        log = tmp_path / f"{after_s}.log"
        with log.open("wb") as out:
            worker = await asyncio.create_subprocess_exec(
                *command.arguments, env=command.environment, stdout=out, stderr=out
            )
        try:
            while " starts: " not in log.read_text():
                assert worker.returncode is None, log.read_text()
                await asyncio.sleep(0.005)
            await asyncio.sleep(after_s)
            worker.terminate()

            assert await asyncio.wait_for(worker.wait(), 60) == 0, log.read_text()
        finally:
            if worker.returncode is None:
                worker.kill()
                await worker.wait()


async def test_running_workers_promise_new_tickets_what_was_amended_and_keep_their_word_on_others(
    kafka: str, tmp_path: Path
) -> None:
    first = agreement(now_ms())
    job = MonitorJob(kafka, tmp_path, [first])
    await job.create()
    tickets = job.settings.topics.tickets
    async with job.topics() as topics, Fleet(job.command, tmp_path) as fleet:
        for worker in (0, 1):
            fleet.do("start", worker)
        await ready(job, fleet, 2)
        # given a ticket under version 1 (10 s), and then an amendment: 4 s
        await job.send(tickets, b"T-1", event("T-1", "opened", priority="P1", customer="a"))
        await asyncio.sleep(0.01)
        response = {**first["clocks"][0], "targets": {"*": "4s"}}
        amended = {**first, "version": 2, "valid_from": _rfc3339(now_ms()), "clocks": [response, *first["clocks"][1:]]}
        await job.publish(amended)
        await asyncio.sleep(2)

        # when another ticket comes
        await job.send(tickets, b"T-2", event("T-2", "opened", priority="P1", customer="a"))
        found = await told(job, topics, ("T-1", "breached"), ("T-2", "breached"))

        # then each is judged by the version that held when it came
        for ticket, version, budget_ms in (("T-1", 1, 10_000), ("T-2", 2, 4_000)):
            breach = found[ticket, "breached"]
            assert (breach.version, breach.budget_ms) == (version, budget_ms)
            assert breach.at_ms == breach.start_ms + budget_ms + 1
    assert fleet.exits == [(0, 0), (1, 0)], "nobody was restarted"


async def test_bad_records_of_every_kind_become_dead_letters_and_the_partition_goes_on(
    kafka: str, tmp_path: Path
) -> None:
    job = MonitorJob(kafka, tmp_path, [agreement(now_ms())])
    await job.create()
    tickets = job.settings.topics.tickets
    # One is of another clock's future; those that are too large have a test of their own (test_large_records.py).
    kinds = [one for one in KINDS.values() if one.reason not in ("in_the_future", "too_large")]
    async with job.topics() as topics, Fleet(job.command, tmp_path) as fleet:
        fleet.do("start", 0)
        await ready(job, fleet, 1)
        for bad in kinds:
            await job.send(tickets, bad.key, bad.value, partition=0, headers=list(bad.headers))
        ahead = orjson.dumps({"id": "e", "type": "opened", "time": now_ms() + 7_200_000, "ticket": "T"})
        await job.send(tickets, b"T", ahead, partition=0)
        await job.send(tickets, b"G", event("G", "opened", priority="P1"), partition=0)

        found = await told(job, topics, ("G", "breached"))

        assert found.keys() == {("G", "at_risk"), ("G", "breached")}
        letters = [
            decode_dead_letter(record.value, record.headers) for record in topics.all[job.settings.topics.dead_letters]
        ]
        assert Counter(one.reason for one in letters) == Counter([*(one.reason for one in kinds), "in_the_future"])
        assert {one.partition for one in letters} == {0}
    assert fleet.exits == [(0, 0)]


def _rfc3339(at_ms: int) -> str:
    seconds, ms = divmod(at_ms, 1000)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{ms:03d}Z"
