"""The agreements as every worker knows them: a read model of the compacted topic, followed without a restart.

A record's key is ``agreement/version``, its value the JSON document of that version; a tombstone takes it back. A
document that this worker cannot read is reported and leaves the version that it had in force.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer
from aiokafka.structs import TopicPartition

from monitor.config.agreements import book_of, parse_agreement
from monitor.core.agreement import Agreement, Book
from monitor.errors import BrokerError, ConfigError

log = logging.getLogger(__name__)


def agreement_key(agreement_id: str, version: int) -> bytes:
    """Return the key of a version's record."""
    return f"{agreement_id}/{version}".encode()


class Books:
    """The current book. ``book`` is replaced, never changed; listeners are told afterwards."""

    def __init__(self, book: Book | None = None) -> None:
        self.book = book or Book()
        self.documents: dict[bytes, dict[str, Any]] = {}
        self.refused = 0
        self._agreements: dict[bytes, Agreement] = {}
        self._listeners: list[Callable[[], None]] = []

    def on_change(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call a listener after each change of the book; return what ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def take(self, records: list[tuple[bytes, bytes | None]]) -> None:
        """Take over records of the topic, in order."""
        before = dict(self._agreements)
        for key, value in records:
            if value is None:
                self._agreements.pop(key, None)
                self.documents.pop(key, None)
                continue
            try:
                document = orjson.loads(value)
                agreement = parse_agreement(document)
            except (orjson.JSONDecodeError, ConfigError) as error:
                self.refused += 1
                log.error("agreement %r refused, what was in force stays: %s", key.decode(errors="replace"), error)
                continue
            self._agreements[key] = agreement
            self.documents[key] = document
        if self._agreements != before:
            self.book = book_of(self._agreements.values())
            for listener in tuple(self._listeners):
                listener()


class BookReader:
    """Follows the agreements topic. `start` returns when all that is in it has been read."""

    def __init__(self, books: Books, bootstrap: str, topic: str, options: Mapping[str, Any]) -> None:
        self.books = books
        self._topic = TopicPartition(topic, 0)
        self._consumer_options = {"bootstrap_servers": bootstrap, **options}
        self._consumer: AIOKafkaConsumer | None = None
        self._task: asyncio.Task[None] | None = None
        self.failed: asyncio.Future[None] | None = None

    async def start(self) -> None:
        """Read the topic to its end, then go on in the background.

        Raises:
            BrokerError: the topic does not exist.
        """
        consumer = self._consumer = AIOKafkaConsumer(
            group_id=None,
            isolation_level="read_committed",
            auto_offset_reset="earliest",  # assign() would begin at the end
            enable_auto_commit=False,
            **self._consumer_options,
        )
        await consumer.start()
        if self._topic.partition not in (consumer.partitions_for_topic(self._topic.topic) or ()):
            # Asking for it makes an embedded broker create it; a real one answers that there is none.
            await consumer._client.fetch_all_metadata()  # noqa: SLF001 - aiokafka has no public way to ask again
            if self._topic.partition not in (consumer.partitions_for_topic(self._topic.topic) or ()):
                await consumer.stop()
                raise BrokerError(f"topic {self._topic.topic} does not exist: run sla-monitor topics create")
        consumer.assign([self._topic])
        end = (await consumer.end_offsets([self._topic]))[self._topic]
        # Not "until the last offset": markers and compaction leave holes.
        while await consumer.position(self._topic) < end:
            await self._read(500)
        self._task = asyncio.create_task(self._follow())

    async def _read(self, timeout_ms: int) -> None:
        assert self._consumer is not None
        fetched = await self._consumer.getmany(timeout_ms=timeout_ms, max_records=1_000)
        for records in fetched.values():
            self.books.take([(record.key or b"", record.value) for record in records])

    async def _follow(self) -> None:
        while True:
            await self._read(1_000)

    async def stop(self) -> None:
        """Stop reading."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._consumer is not None:
            await self._consumer.stop()
