"""Runs workers inside a test's own event loop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.structs import ConsumerRecord, TopicPartition

from monitor.stream.kafka.connection import stop_consumer
from monitor.stream.partitions.app import WorkerApp
from monitor.stream.partitions.worker import run_worker


async def until(condition: Callable[[], bool], timeout_s: float = 60.0) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass"
        await asyncio.sleep(0.01)


@asynccontextmanager
async def running(app: WorkerApp) -> AsyncIterator[asyncio.Task[None]]:
    """Run a worker until it is ready, and stop it at the end. What made it fail comes out of the task."""
    task = asyncio.ensure_future(run_worker(app))
    try:
        await until(lambda: app.ready() or task.done())
        yield task
    finally:
        app.request_stop()
        await asyncio.wait([task])
    if not task.cancelled() and task.exception() is not None:
        raise task.exception()


async def produce(
    bootstrap: str, topic: str, keys: Iterable[bytes], *, partition: int | None = 0, value: bytes = b"x"
) -> None:
    """Write one record per key, in order."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap)
    await producer.start()
    try:
        await asyncio.gather(*[await producer.send(topic, key=key, value=value, partition=partition) for key in keys])
    finally:
        await producer.stop()


async def read(bootstrap: str, topic: str, partitions: int = 1) -> list[ConsumerRecord]:
    """Return all committed records of a topic."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap, isolation_level="read_committed", auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        assigned = [TopicPartition(topic, number) for number in range(partitions)]
        consumer.assign(assigned)
        ends = await consumer.end_offsets(assigned)
        records: list[ConsumerRecord] = []
        while any([await consumer.position(tp) < ends[tp] for tp in assigned]):
            for batch in (await consumer.getmany(timeout_ms=100)).values():
                records += batch
        return records
    finally:
        await stop_consumer(consumer)
