"""Recorded data through Kafka, worked on by one to three workers, gives the figures of the replay without Kafka."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from monitor.bootstrap import Monitor
from monitor.config.agreements.checking import read_documents
from monitor.config.mappings.mapping import load_mapping
from monitor.core.agreements.measures import Measure
from monitor.core.alerts.alert import OF_SERIES
from monitor.core.facts.events import Event
from monitor.core.objectives.status import WindowStatus
from monitor.core.time.units import HOUR_MS
from monitor.replay.local import ReplayResult, run_replay
from monitor.replay.readers import read_events
from monitor.replay.to_kafka import to_kafka
from monitor.stream.partitions.clock import Clock, FastClock
from monitor.wire.announcements import decode_statement
from monitor.wire.events import encode_event
from tests.demo.world import AGREEMENTS, finished_history
from tests.kafka.chaos import Fleet, Step, run_chaos
from tests.kafka.monitor_job import QUIET_S, MonitorJob, Topics
from tests.kafka.monitor_oracle import Word
from tests.replay.public_data import MAPPINGS, data_file

CALLS = "calls_simulated_queue/simulated_call_centre.csv.gz"


@lru_cache(maxsize=1)
def history() -> list[Event]:
    """Return four days of a desk, a call centre and a network up to half an hour ago; all that began is finished."""
    return finished_history(int(time.time() * 1000) - HOUR_MS // 2, 96)


WITHOUT_KAFKA: list[ReplayResult] = []


def expected(job: MonitorJob) -> ReplayResult:
    """Return what the replay of the history without Kafka gives; it is made once."""
    if not WITHOUT_KAFKA:
        # Deadlines and figures are exact whatever the step.
        WITHOUT_KAFKA.append(run_replay(history(), job.book, step_ms=6 * HOUR_MS))
    return WITHOUT_KAFKA[0]


def documents(path: Path) -> list[dict[str, Any]]:
    return [dict(one.document) for one in read_documents(path)]


async def send_all(job: MonitorJob, events: Sequence[Event]) -> None:
    """Send events as ``replay --to-kafka`` does, as fast as possible."""
    producer = AIOKafkaProducer(bootstrap_servers=job.bootstrap, linger_ms=20, max_batch_size=1 << 18)
    await producer.start()

    async def send(event: Event) -> None:
        key, value = encode_event(event)
        await producer.send(job.sources[event.subject], value, key=key)

    try:
        await to_kafka(events, send, speed=None, now=asyncio.get_running_loop().time)
    finally:
        await producer.stop()


async def run_until_quiet(job: MonitorJob, topics: Topics, clock: Clock) -> None:
    """Run one worker in this process, by a clock of its own, until it has nothing left to do."""
    monitor = Monitor(job.settings, clock)
    task = asyncio.ensure_future(monitor.run())
    deadline, quiet_since, written = time.monotonic() + 120, time.monotonic(), -1
    try:
        while written < 0 or time.monotonic() < quiet_since + QUIET_S:
            assert not task.done(), task
            assert time.monotonic() < deadline, "the work does not end"
            await asyncio.sleep(0.2)
            runners = monitor.app.runners.values()
            now_written = sum(runner.stats.commit_seconds.histogram().observations for runner in runners)
            busy = not monitor.app.ready() or any(runner.lag or not runner.caught_up for runner in runners)
            if busy or now_written != written:
                quiet_since, written = time.monotonic(), now_written
    finally:
        monitor.app.request_stop()
        await asyncio.wait([task])
    task.result()
    await topics.read()


async def work(job: MonitorJob, events: Sequence[Event], workers: int) -> Topics:
    """Send all events, then have workers work on them; return what they wrote."""
    await job.create()
    await send_all(job, events)
    fleet = Fleet(job.command, job.folder)
    async with job.topics() as topics:

        async def nothing() -> None:
            pass

        async def settled() -> bool:
            await topics.read()
            if job.lag(topics) or not topics.is_quiet():
                return False
            health = await job.health(fleet)
            return len(health) == workers and all(one["ready"] and not one["lag"] for one in health.values())

        plan = [Step(number * 0.5, "start", number) for number in range(workers)]
        await run_chaos(fleet, plan, produce=nothing, settled=settled, timeout_s=240)
    for worker in range(workers):
        assert "worker stops" not in fleet.log(worker), fleet.log(worker)[-6000:]
    return topics


def statements_of(statuses: Sequence[WindowStatus], before_ms: int) -> dict[tuple[Any, ...], WindowStatus]:
    """Return the statements of periods that ended an hour before an instant, each once."""
    closed = [one for one in statuses if one.to_ms <= before_ms - HOUR_MS]
    found = {(one.series, one.window, one.from_ms): one for one in closed}
    assert len(found) == len(closed), "a period is stated once"
    return found


def words_of(alerts: Sequence[Any]) -> Counter[Word]:
    return Counter(
        Word(one.key.text(), one.state, one.reason, one.at_ms) for one in alerts if one.key.kind not in OF_SERIES
    )


def values_of(job: MonitorJob, topics: Topics) -> list[bytes | None]:
    return [record.value for record in topics.all[job.settings.topics.statements]]


def measure_of(job: MonitorJob, status: WindowStatus) -> Measure:
    agreement = job.book.exact(status.series.agreement, status.version)
    measure = agreement.measure(status.series.measure) if agreement else None
    assert measure is not None, status
    return measure


def check(job: MonitorJob, topics: Topics, events: Sequence[Event], local: ReplayResult) -> int:
    """Assert that the workers' output is what the replay without Kafka gives; return the number of statements."""
    last_ms = max(event.fact.time_ms for event in events)
    told, wanted = words_of(job.alerts(topics)), words_of(local.alerts)
    assert told == wanted, f"too many: {sorted(told - wanted)[:20]}\nlacking: {sorted(wanted - told)[:20]}"

    # A goal is stated also where no lead came; a replay foresees only the kinds of subjects that its data has.
    kinds = {event.subject for event in events}
    stated = statements_of(
        [one for one in map(decode_statement, values_of(job, topics)) if measure_of(job, one).subject_kind in kinds],
        last_ms,
    )
    to_state = statements_of(local.statements, last_ms)
    assert stated.keys() == to_state.keys()
    for key, one in to_state.items():
        assert stated[key]._replace(live={}) == one._replace(live={}), f"{key}: {stated[key]}, wanted {one}"
    rows = job.local(topics, int(time.time() * 1000))
    assert not job.status_differs(topics, rows)[:10]
    return len(stated)


@pytest.mark.parametrize("workers", [1, 2, 3])
async def test_a_history_of_four_days_gives_the_same_figures_with_any_number_of_workers(
    workers: int, kafka: str, tmp_path: Path
) -> None:
    # Small batches and quick looks: sources are at different days when windows are judged.
    hurried = {"MAX_BATCH_RECORDS": "100", "EVALUATE_INTERVAL": "50ms"}
    job = MonitorJob(kafka, tmp_path, documents(AGREEMENTS), more=hurried)
    events = history()

    topics = await work(job, events, workers)

    assert len(events) > 10_000
    assert check(job, topics, events, expected(job)) > 10


async def test_after_a_stop_over_midnight_the_days_are_stated_with_what_came_meanwhile(
    kafka: str, tmp_path: Path
) -> None:
    job = MonitorJob(kafka, tmp_path, documents(AGREEMENTS), session_s=20)
    events = sorted(history(), key=lambda one: one.fact[:3])
    end_ms = events[-1].fact.time_ms
    stop_ms = end_ms - 60 * HOUR_MS
    await job.create()
    async with job.topics() as topics:
        # given a monitor that worked until some day
        await send_all(job, [event for event in events if event.fact.time_ms < stop_ms])
        await run_until_quiet(job, topics, FastClock(1.0, stop_ms))
        # when it goes on two and a half days later
        await send_all(job, [event for event in events if event.fact.time_ms >= stop_ms])
        await run_until_quiet(job, topics, FastClock(1.0, end_ms))

        # then the days between are stated as if it had never stopped
        assert check(job, topics, events, expected(job)) > 10


@pytest.mark.data
async def test_the_calls_of_a_quarter_of_a_year_are_stated_as_without_kafka(kafka: str, tmp_path: Path) -> None:
    job = MonitorJob(kafka, tmp_path, documents(MAPPINGS / "agreements" / "simulated-call-centre.yaml"))
    reading = read_events([data_file(CALLS)], load_mapping(MAPPINGS / "simulated_call_centre.yaml"))
    first_ms = min(event.fact.time_ms for event in reading.events)
    events = [event for event in reading.events if event.fact.time_ms < first_ms + 91 * 24 * HOUR_MS]

    topics = await work(job, events, workers=2)

    local = run_replay(events, job.book, until_ms=first_ms + 122 * 24 * HOUR_MS)
    assert len(events) > 10_000
    assert check(job, topics, events, local) > 60
