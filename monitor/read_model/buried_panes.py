"""Sends buried records of the partials topic again, for ``dead-letters replay``, where nothing newer would be replaced.

A record there replaces the one before it of the same key. So a buried one goes out again only while it is still the
newest of its key, and as it stands on the topic: whoever can write dead letters can have nothing else written there.
Compaction removes a record only once a newer one of its key has come. So one that stands there no more has been
replaced, also where the tombstone that did it is gone by now.

A worker may write the key at any moment. So the records go out in a transaction, and before it is committed all is read
that came before them: while it is open no reader gets past them, and what stands before them is final.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from typing import Final, NamedTuple

from aiokafka import AIOKafkaConsumer
from aiokafka.structs import ConsumerRecord, TopicPartition

from monitor.config.settings.settings import Settings
from monitor.errors import BrokerError, DecodeError
from monitor.read_model.topics import CONFIRM_MS, POLL_MS, SILENCE_MS, producer, reader
from monitor.stream.kafka.connection import Producer
from monitor.stream.kafka.rights import panes_writer
from monitor.stream.partitions.sources import Place
from monitor.wire.deadletters import INTERNAL_ERROR, NEWER_LAYOUT, SKIPPED, DeadLetter
from monitor.wire.partials import decode_partial

BURIED_PANES: Final = frozenset({NEWER_LAYOUT, INTERNAL_ERROR, SKIPPED})
"""Why records of ours become dead letters; the others on the topic are not ours."""


class Found(NamedTuple):
    """Buried records as they stand on the topic.

    ``newest`` may be sent; ``replaced`` (with the reason) need not be, and ``unreadable`` (with the reason) would be
    buried again. ``ends``: up to where each partition was read.
    """

    newest: list[ConsumerRecord]
    replaced: dict[Place, str]
    unreadable: dict[Place, str]
    ends: dict[TopicPartition, int]


async def find_buried(settings: Settings, letters: Sequence[DeadLetter]) -> Found:
    """Look which of the buried records of the partials topic are still the newest of their keys.

    Raises:
        BrokerError: Kafka does not answer.
    """
    if not letters:
        return Found([], {}, {}, {})
    topic = settings.topics.partials
    starts: dict[TopicPartition, int] = {}
    for one in letters:
        partition = TopicPartition(topic, one.partition)
        starts[partition] = min(starts.get(partition, one.offset), one.offset)
    buried = {one[:3]: one.key for one in letters}
    standing: dict[Place, ConsumerRecord] = {}
    last: dict[tuple[int, bytes | None], int] = {}
    async with reader(settings) as consumer:
        ends = await _ends(consumer, starts)
        async for record in _between(consumer, settings, starts, ends):
            last[record.partition, record.key] = record.offset
            place = _place(record)
            if place in buried and _is_of(buried[place], record):
                standing[place] = record
    found = Found([], {}, {}, ends)
    for place in buried:
        record = standing.get(place)
        if record is None:
            found.replaced[place] = "stands on its topic no more: its key was written again since"
        elif (newer := last[record.partition, record.key]) > record.offset:
            found.replaced[place] = f"its key was written again since, at offset {newer}"
        elif why := _why_not(record):
            found.unreadable[place] = why
        else:
            found.newest.append(record)
    return found


async def send_buried(settings: Settings, found: Found) -> dict[Place, str]:
    """Send the records that are still the newest of their keys; return those left out since, with the reason.

    Raises:
        BrokerError: Kafka did not take them, or a transaction of somebody else's stays open. None was sent.
    """
    waiting, replaced = list(found.newest), dict[Place, str]()
    async with (
        producer(settings, transactional_id=panes_writer(settings.app_id)) as writer,
        reader(settings) as consumer,
    ):
        while waiting:
            await writer.begin_transaction()
            try:
                begins = await _written(writer, waiting)
                newer = await _written_before(consumer, settings, found.ends, begins, waiting)
            except BaseException:
                await writer.abort_transaction()
                raise
            if not newer:
                await writer.commit_transaction()
                break
            await writer.abort_transaction()
            replaced |= newer
            waiting = [one for one in waiting if _place(one) not in replaced]
    return replaced


def _place(record: ConsumerRecord) -> Place:
    return record.topic, record.partition, record.offset


def _is_of(key: bytes | None, record: ConsumerRecord) -> bool:
    """Return whether a record has the key that its dead letter tells, which may have been cut."""
    return record.key is not None and key is not None and record.key.startswith(key)


def _why_not(record: ConsumerRecord) -> str:
    try:
        decode_partial(record.key, record.value)
    except DecodeError as error:
        return error.detail
    return ""


async def _ends(consumer: AIOKafkaConsumer, partitions: Collection[TopicPartition]) -> dict[TopicPartition, int]:
    """Return the last stable offsets: records before them are final."""
    return dict(await consumer.end_offsets(list(partitions)))


async def _between(
    consumer: AIOKafkaConsumer,
    settings: Settings,
    starts: Mapping[TopicPartition, int],
    ends: Mapping[TopicPartition, int],
) -> AsyncIterator[ConsumerRecord]:
    """Yield the committed records of partitions from ``starts`` on and before ``ends``."""
    assigned = [one for one in starts if starts[one] < ends[one]]
    consumer.assign(assigned)
    for one in assigned:
        consumer.seek(one, starts[one])
    heard = time.monotonic()
    while any([await consumer.position(one) < ends[one] for one in assigned]):
        fetched = await consumer.getmany(timeout_ms=POLL_MS)
        if fetched:
            heard = time.monotonic()
        elif time.monotonic() - heard > SILENCE_MS / 1000:
            raise BrokerError(f"Kafka at {settings.bootstrap} has not answered for {SILENCE_MS / 1000:g} s")
        for partition, records in fetched.items():
            for record in records:
                if record.offset < ends[partition]:
                    yield record


async def _written(writer: Producer, records: Sequence[ConsumerRecord]) -> dict[TopicPartition, int]:
    """Write records as they stand on the topic; return the offset of the first one in each partition."""
    sent = [
        await writer.send(
            one.topic, key=one.key, value=one.value, partition=one.partition, headers=list(one.headers) or None
        )
        for one in records
    ]
    begins: dict[TopicPartition, int] = {}
    for confirmation in sent:
        written = await confirmation
        partition = TopicPartition(written.topic, written.partition)
        begins[partition] = min(begins.get(partition, written.offset), written.offset)
    return begins


async def _written_before(
    consumer: AIOKafkaConsumer,
    settings: Settings,
    starts: Mapping[TopicPartition, int],
    begins: Mapping[TopicPartition, int],
    records: Sequence[ConsumerRecord],
) -> dict[Place, str]:
    """Return those of the records whose keys were written from ``starts`` on and before ``begins``."""
    try:
        async with asyncio.timeout(CONFIRM_MS / 1000):
            # Until the transactions that were open before ours have ended; nothing tells of that.
            while any(end < begins[one] for one, end in (await _ends(consumer, begins)).items()):  # noqa: ASYNC110
                await asyncio.sleep(POLL_MS / 1000)
    except TimeoutError:
        raise BrokerError(
            f"another writer's transaction on {settings.topics.partials} stays open: nothing was sent. Run it again"
        ) from None
    written = {
        (record.partition, record.key): record.offset
        async for record in _between(consumer, settings, {one: starts[one] for one in begins}, begins)
    }
    return {
        _place(one): f"its key was written again since, at offset {offset}"
        for one in records
        if (offset := written.get((one.partition, one.key))) is not None
    }
