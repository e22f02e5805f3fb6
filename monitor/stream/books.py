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
from aiokafka.errors import KafkaError
from aiokafka.structs import TopicPartition

from monitor.config.agreements import AgreementDocument, book_of, parse_document
from monitor.core.agreement import Book
from monitor.errors import BrokerError, ConfigError, StateError

log = logging.getLogger(__name__)


def agreement_key(agreement_id: str, version: int) -> bytes:
    """Return the key of a version's record."""
    return f"{agreement_id}/{version}".encode()


class Books:
    """The current book. ``book`` is replaced, never changed; listeners are told afterwards."""

    def __init__(self, book: Book | None = None) -> None:
        self.book = book or Book()
        self.refused = 0
        self._documents: dict[bytes, AgreementDocument] = {}
        self._listeners: list[Callable[[], None]] = []

    def on_change(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call a listener after each change of the book; return what ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    @property
    def documents(self) -> dict[bytes, dict[str, Any]]:
        """Return the documents that are in the book, by the keys of their records."""
        return {key: one.document for key, one in self._documents.items()}

    def take(self, records: list[tuple[bytes, bytes | None]]) -> None:
        """Take over records of the topic, in order."""
        taken = dict(self._documents)
        for key, value in records:
            if value is None:
                taken.pop(key, None)
                continue
            try:
                document = parse_document(orjson.loads(value), key.decode(errors="replace"))
            except (orjson.JSONDecodeError, ConfigError) as error:
                self._refuse(key, error)
                continue
            taken[key] = document
        if taken == self._documents:
            return
        self._documents, self.book = self._together(taken)
        for listener in tuple(self._listeners):
            listener()

    def _together(self, taken: dict[bytes, AgreementDocument]) -> tuple[dict[bytes, AgreementDocument], Book]:
        """Return what was taken and its book, without documents that contradict those that were there before them."""
        try:
            return taken, book_of(taken.values())
        except ConfigError:
            pass
        kept = {key: document for key, document in self._documents.items() if key in taken}
        for key, document in taken.items():
            if kept.get(key) == document:
                continue
            # Only versions of one agreement can contradict each other.
            others = [one for other, one in kept.items() if other != key and one.agreement.id == document.agreement.id]
            try:
                book_of([*others, document])
            except ConfigError as error:
                self._refuse(key, error)
            else:
                kept[key] = document
        return kept, book_of(kept.values())

    def _refuse(self, key: bytes, error: Exception) -> None:
        self.refused += 1
        log.error("agreement %r refused, what was in force stays: %s", key.decode(errors="replace"), error)


class BookReader:
    """Follows the agreements topic. `start` returns when all that is in it has been read."""

    def __init__(self, books: Books, bootstrap: str, topic: str, options: Mapping[str, Any]) -> None:
        self.books = books
        self._topic = TopicPartition(topic, 0)
        self._bootstrap = bootstrap
        self._consumer_options = {"bootstrap_servers": bootstrap, **options}
        self._consumer: AIOKafkaConsumer | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self, failed: Callable[[BaseException], None]) -> None:
        """Read the topic to its end, then go on in the background; ``failed`` is told if that comes to an end.

        Raises:
            BrokerError: the topic does not exist, or Kafka does not answer.
        """
        consumer = self._consumer = AIOKafkaConsumer(
            group_id=None,
            isolation_level="read_committed",
            auto_offset_reset="earliest",  # assign() would begin at the end
            enable_auto_commit=False,
            **self._consumer_options,
        )
        try:
            await consumer.start()
            # All topics are asked for: asking for one by its name would make many brokers create it.
            known = await consumer._client.fetch_all_metadata()  # noqa: SLF001 - aiokafka offers the names only
        except (KafkaError, OSError) as error:
            raise BrokerError(f"Kafka at {self._bootstrap} does not answer as it should: {error!r}") from error
        if self._topic.partition not in (known.partitions_for_topic(self._topic.topic) or ()):
            raise BrokerError(f"topic {self._topic.topic} does not exist: run sla-monitor topics create")
        consumer.assign([self._topic])
        end = (await consumer.end_offsets([self._topic]))[self._topic]
        # Not "until the last offset": markers and compaction leave holes.
        while await consumer.position(self._topic) < end:
            await self._read(500)
        self._task = asyncio.create_task(self._follow())

        def ended(task: asyncio.Task[None]) -> None:
            if not task.cancelled():
                failed(task.exception() or StateError("the agreements are not followed any more"))

        self._task.add_done_callback(ended)

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
