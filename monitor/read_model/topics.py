"""Reading and writing topics from the command line: committed records only, errors as ``BrokerError``."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, NamedTuple

import click
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError
from aiokafka.structs import ConsumerRecord, TopicPartition

from monitor.config.settings.settings import Settings
from monitor.errors import BrokerError
from monitor.installation import security_options
from monitor.stream.kafka.connection import Producer, stop_consumer
from monitor.stream.kafka.description import describe
from monitor.stream.kafka.refusals import explained, lacking
from monitor.stream.partitions.clock import wall_ms

POLL_MS: Final = 200
FETCH_BYTES: Final = 4 << 20
LARGEST_RECORD: Final = 10 << 20

SILENCE_MS: Final = 15_000
"""A broker answers each fetch within a second, with or without records."""

CONFIRM_MS: Final = 20_000
"""The longest that a record may wait for all replicas."""
STOP_S: Final = 5.0

OnProgress = Callable[[int, int], None]
"""Told how much was read, and of how much."""


class Outgoing(NamedTuple):
    """A record to write. Without a partition the key decides."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]] = ()
    partition: int | None = None


async def committed(
    settings: Settings,
    topics: Sequence[str],
    *,
    from_start: bool = True,
    follow: bool = False,
    on_progress: OnProgress | None = None,
) -> AsyncGenerator[list[ConsumerRecord], None]:
    """Yield the committed records of topics, some at a time, each lot in order of time.

    Without ``follow`` it ends where the topics end now; with it it goes on, and yields an empty list now and then; that
    Kafka does not answer any more, and that it does again, is told on stderr. ``on_progress`` is told how many offsets
    were read, and of how many.

    Raises:
        BrokerError: a topic does not exist, or Kafka does not answer.
    """
    async with reader(settings) as consumer:
        assigned = await partitions_of(consumer, settings, topics)
        consumer.assign(assigned)
        ends = await consumer.end_offsets(assigned)
        if not from_start:
            for tp in assigned:
                consumer.seek(tp, ends[tp])
        begins = await consumer.beginning_offsets(assigned) if on_progress is not None else {}
        heard_ms, is_silent = wall_ms(), False
        while follow or any([await consumer.position(tp) < ends[tp] for tp in assigned]):
            if on_progress is not None:
                done = sum([await consumer.position(tp) - begins[tp] for tp in assigned])
                on_progress(done, sum(ends[tp] - begins[tp] for tp in assigned))
            fetched = await consumer.getmany(timeout_ms=POLL_MS)
            heard_ms = max([heard_ms, *[consumer.last_poll_timestamp(tp) or 0 for tp in assigned]])
            if (wall_ms() - heard_ms > SILENCE_MS) != is_silent:
                is_silent = not is_silent
                news = f"has not answered for {SILENCE_MS / 1000:g} s" if is_silent else "answers again"
                if is_silent and not follow:
                    raise BrokerError(f"Kafka at {settings.bootstrap} {news}")
                click.echo(f"Kafka at {settings.bootstrap} {news}", err=True)
            records = [record for lot in fetched.values() for record in lot]
            if not follow:
                records = [one for one in records if one.offset < ends[TopicPartition(one.topic, one.partition)]]
            if records or follow:
                yield sorted(records, key=lambda record: (record.timestamp, record.topic, record.offset))


async def are_empty(settings: Settings, topics: Sequence[str]) -> bool:
    """Return whether no record was ever written to any of the topics.

    Raises:
        BrokerError: one does not exist, or Kafka does not answer.
    """
    async with reader(settings) as consumer:
        ends = await consumer.end_offsets(await partitions_of(consumer, settings, topics))
        return not any(ends.values())


async def partitions_of(consumer: AIOKafkaConsumer, settings: Settings, topics: Sequence[str]) -> list[TopicPartition]:
    """Return the partitions of some topics, in their order.

    Raises:
        BrokerError: a topic does not exist, or may not be read.
    """
    described = await describe(consumer._client, topics)  # noqa: SLF001 - see there
    if unreadable := described.unreadable(topics):
        raise BrokerError(lacking([("Read", "topic", topic) for topic in unreadable]))
    found = []
    for topic in topics:
        if topic not in described.known:
            raise BrokerError(f"topic {topic} does not exist at {settings.bootstrap}: run sla-monitor topics create")
        found += [TopicPartition(topic, partition) for partition in sorted(described.known[topic].leaders)]
    return found


async def read_all(settings: Settings, topic: str, on_progress: OnProgress | None = None) -> list[ConsumerRecord]:
    """Return all committed records of a topic.

    Raises:
        BrokerError: it does not exist, or Kafka does not answer.
    """
    lots = committed(settings, [topic], on_progress=on_progress)
    return [record async for records in lots for record in records]


async def send_all(settings: Settings, records: Sequence[Outgoing], *, transactional_id: str | None = None) -> None:
    """Write records in their order; with a transactional id all of them or none.

    Raises:
        BrokerError: Kafka did not take them.
    """
    async with producer(settings, transactional_id=transactional_id) as writer:
        if transactional_id is None:
            await _send(writer, records)
            return
        async with writer.transaction():
            await _send(writer, records)


async def _send(writer: Producer, records: Sequence[Outgoing]) -> None:
    waiting = [
        await writer.send(
            record.topic,
            key=record.key,
            value=record.value,
            partition=record.partition,
            headers=list(record.headers) or None,
        )
        for record in records
    ]
    for confirmation in waiting:
        await confirmation


@asynccontextmanager
async def producer(settings: Settings, *, transactional_id: str | None = None) -> AsyncIterator[Producer]:
    """Start a producer that waits for all replicas and writes nothing twice."""
    options: dict[str, Any] = {"transactional_id": transactional_id} if transactional_id else {}
    writer = Producer(
        bootstrap_servers=settings.bootstrap,
        client_id=settings.app_id,
        acks="all",
        enable_idempotence=True,
        max_request_size=LARGEST_RECORD,
        request_timeout_ms=CONFIRM_MS,
        **options,
        **security_options(settings.security),
    )
    giving_up = asyncio.ensure_future(writer.give_up_in_time())
    try:
        async with asyncio.timeout(CONFIRM_MS / 1000):
            await writer.start()  # an idempotent producer asks for its id for ever
        yield writer
        await writer.flush()
    except (KafkaError, OSError) as error:
        raise await refused_records(settings, error, "does not take records") from error
    finally:
        giving_up.cancel()
        try:
            async with asyncio.timeout(STOP_S):
                await writer.stop()
        except TimeoutError:
            await writer.client.close()


async def refused_records(settings: Settings, error: BaseException, otherwise: str) -> BrokerError:
    """Return why Kafka did not take records, in our words; ``otherwise`` where only the error itself tells."""
    security = security_options(settings.security)
    return await explained(error, settings.bootstrap, security, operation="Write", otherwise=otherwise)


@asynccontextmanager
async def reader(settings: Settings) -> AsyncIterator[AIOKafkaConsumer]:
    """Start a consumer of no group that sees committed records only; its errors are ``BrokerError``."""
    security = security_options(settings.security)
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.bootstrap,
        client_id=settings.app_id,
        group_id=None,
        isolation_level="read_committed",
        auto_offset_reset="earliest",  # assign() would begin at the end
        enable_auto_commit=False,
        fetch_max_wait_ms=POLL_MS,
        max_partition_fetch_bytes=FETCH_BYTES,
        check_crcs=settings.check_crcs,
        **security,
    )
    try:
        await consumer.start()
        yield consumer
    except (KafkaError, OSError) as error:
        raise await explained(
            error, settings.bootstrap, security, operation="Read", otherwise="does not answer as it should"
        ) from error
    finally:
        await stop_consumer(consumer)
