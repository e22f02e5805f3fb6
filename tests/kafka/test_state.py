"""What only a real Kafka does to a partition's state: fencing, compaction, expired retention."""

from __future__ import annotations

import asyncio
import gc
import time
import uuid
from pathlib import Path
from typing import Self

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from aiokafka.structs import TopicPartition

from monitor.errors import StateError
from monitor.stream.kafka.connection import Connection
from monitor.stream.kafka.offsets import set_back
from monitor.stream.kafka.topics import create_topics
from monitor.stream.partitions.app import WorkerSettings, build_app
from monitor.stream.partitions.partition import FencedError, PartitionState
from tests.kafka.counting import CountingJob
from tests.stream.counting import CountingCodec, counting_source
from tests.stream.running import produce, running, until


class Owner:
    """One owner of partition 0 of a job's source, opened as a worker does it."""

    def __init__(self, job: CountingJob) -> None:
        self.connection = Connection(bootstrap=job.bootstrap)
        self.writer = self.connection.writer(f"{job.app}-{job.source}-0")
        self.state = PartitionState(
            topic=job.source, partition=0, changelog=job.changelog, codec=CountingCodec(), writer=self.writer
        )

    async def open(self) -> None:
        await self.writer.start()
        await self.connection.restore(self.state, lambda: None)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.writer.stop()


@pytest.fixture
async def job(kafka: str, tmp_path: Path) -> CountingJob:
    job = CountingJob(kafka, tmp_path, partitions=1, grace_ms=0)
    await create_topics(kafka, job.specs())
    return job


async def test_an_old_owner_cannot_commit_and_the_new_one_does_not_see_its_rows(
    job: CountingJob, caplog: pytest.LogCaptureFixture
) -> None:
    await produce(job.bootstrap, job.source, [b"a"] * 2)
    async with Owner(job) as old, Owner(job) as new:
        await old.open()
        old.state.put(b"a", (0, 1, 0))
        await old.state.commit(1)
        await new.open()

        old.state.put(b"a", (0, 99, 0))
        with pytest.raises(FencedError, match="another worker owns this partition"):
            await old.state.commit(2)
        new.state.put(b"b", (0, 2, 0))
        await new.state.commit(2)

        async with Owner(job) as third:
            await third.open()

            assert third.state.get(b"a") == (0, 1, 0)
            assert third.state.get(b"b") == (0, 2, 0)
            assert third.state.position == 2
    del old, new, third
    gc.collect()
    assert "never retrieved" not in caplog.text


async def test_the_open_transaction_of_a_dead_owner_is_not_seen(job: CountingJob) -> None:
    async with Owner(job) as dead, Owner(job) as heir:
        await dead.open()
        await dead.writer.begin_transaction()
        batch = dead.writer.create_batch()
        batch.append(timestamp=int(time.time() * 1000), key=b"a", value=CountingCodec().encode(b"a", (0, 7, 0)))
        await (await dead.writer.send_batch(batch, job.changelog, partition=0))

        await heir.open()

        assert heir.state.rows == {}


async def test_rows_are_restored_from_a_changelog_that_was_compacted(job: CountingJob) -> None:
    await produce(job.bootstrap, job.source, [b"a"] * 40)
    async with Owner(job) as owner:
        await owner.open()
        for round_ in range(40):
            for key in range(50):
                owner.state.put(b"k%d" % key, (0, round_, key))
            owner.state.put(b"gone", (0, round_, 0) if round_ < 20 else None)
            await owner.state.commit(round_ + 1)
            await asyncio.sleep(0.2)
        rows = dict(owner.state.rows)
    await _until_compacted(job)

    async with Owner(job) as heir:
        await heir.open()

        assert heir.state.rows == rows
        assert heir.state.position == 40
        assert len(rows) == 50


async def test_a_source_that_was_created_anew_stops_the_worker_with_what_to_do(job: CountingJob) -> None:
    async with Owner(job) as owner:
        await owner.open()
        await owner.state.commit(17)

    async with Owner(job) as heir:
        with pytest.raises(StateError, match="ends at offset 0, but offsets up to 17 were applied"):
            await heir.open()


async def _until_compacted(job: CountingJob) -> None:
    deadline = time.monotonic() + 90
    while len(await job.read(job.changelog)) > 40 * 50 // 2:
        assert time.monotonic() < deadline, "Kafka did not compact"
        await asyncio.sleep(1)


def _settings(job: CountingJob) -> WorkerSettings:
    return WorkerSettings(app_id=job.app, bootstrap=job.bootstrap, data_dir=job.folder / "data")


def _sources(job: CountingJob) -> dict:
    source = counting_source(job.source, alerts=f"{job.app}-alerts", silent=f"{job.app}-silent")
    return {source.topic: source}


async def test_records_that_expired_before_they_were_read_are_counted_as_lost(
    job: CountingJob, caplog: pytest.LogCaptureFixture
) -> None:
    first = build_app(_settings(job), _sources(job))
    async with running(first):
        await produce(job.bootstrap, job.source, [b"a"] * 10)
        await until(lambda: first.stats.partitions[job.source, 0].events == 10)
    await produce(job.bootstrap, job.source, [b"a"] * 30)
    admin = AIOKafkaAdminClient(bootstrap_servers=job.bootstrap)
    await admin.start()
    await admin.delete_records({TopicPartition(job.source, 0): RecordsToDelete(before_offset=25)})
    await admin.close()

    second = build_app(_settings(job), _sources(job))
    async with running(second):
        await until(lambda: second.stats.partitions[job.source, 0].events == 15)

        assert second.stats.partitions[job.source, 0].lost == 15
        assert "LOST up to 15 records" in caplog.text


async def test_what_transactions_leave_in_a_source_holds_nobody_up(job: CountingJob) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=job.bootstrap, transactional_id=f"tx-{uuid.uuid4().hex}")
    await producer.start()
    for keep in (True, False, True, False):
        await producer.begin_transaction()
        await asyncio.gather(*[await producer.send(job.source, key=b"a", value=b"x") for _ in range(5)])
        await (producer.commit_transaction() if keep else producer.abort_transaction())
    await producer.stop()

    app = build_app(_settings(job), _sources(job))
    async with running(app):
        stats = app.stats.partitions[job.source, 0]
        await until(lambda: stats.events == 10 and stats.caught_up)

        assert app.runners[next(iter(app.runners))].lag == 0
        assert stats.holes == 14  # ten aborted records, four markers


@pytest.mark.parametrize("at", [15, 20], ids=["with records after it", "at the end"])
async def test_a_group_offset_beyond_the_position_stops_the_worker_until_the_loss_is_accepted(
    job: CountingJob, at: int
) -> None:
    # given a group whose committed offset no state knows of, as after the loss of a changelog
    await produce(job.bootstrap, job.source, [b"a"] * 20)
    group = AIOKafkaConsumer(bootstrap_servers=job.bootstrap, group_id=job.app, enable_auto_commit=False)
    await group.start()
    tp = TopicPartition(job.source, 0)
    group.assign([tp])
    await group.commit({tp: at})
    await group.stop()

    lost = build_app(_settings(job), _sources(job))
    with pytest.raises(StateError, match=f"offsets up to {at} were acknowledged, but .* knows of none"):
        async with running(lost):
            await until(lambda: lost.failure is not None)

    # when somebody accepts it, all is read from the first record on
    await set_back(job.bootstrap, job.app, job.source, security={})
    app = build_app(_settings(job), _sources(job))
    async with running(app):
        stats = app.stats.partitions[job.source, 0]
        await until(lambda: stats.events == 20 and stats.caught_up)
