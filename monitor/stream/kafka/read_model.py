"""Read models: compacted topics of one partition that every worker reads whole and follows without a restart."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError
from aiokafka.structs import ConsumerRecord, TopicPartition

from monitor.core.pieces import Pieces
from monitor.errors import BrokerError, StateError
from monitor.stream.kafka.connection import stop_consumer
from monitor.stream.kafka.description import describe
from monitor.stream.kafka.pace import Pace, in_turns
from monitor.stream.kafka.refusals import explained, lacking


class Follower:
    """Hands over the records of a topic of one partition, in order, from the first one on.

    ``take`` returns pieces if many records take it long, so that other work may run in between. `start` returns once
    every record that the topic holds has been read.
    """

    def __init__(
        self,
        take: Callable[[Sequence[ConsumerRecord]], Pieces[None] | None],
        bootstrap: str,
        topic: str,
        options: Mapping[str, Any],
    ) -> None:
        self.end = 0
        """The end of the topic when `start` read it."""
        self._take_over = take
        self._topic = TopicPartition(topic, 0)
        self._bootstrap = bootstrap
        self._consumer_options = {"bootstrap_servers": bootstrap, **options}
        self._security = {name: value for name, value in options.items() if name != "check_crcs"}
        self._consumer: AIOKafkaConsumer | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self, failed: Callable[[BaseException], None]) -> None:
        """Read the topic to its end, then follow it in the background; ``failed`` is called if following ends.

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
            topics = await describe(consumer._client, [self._topic.topic])  # noqa: SLF001 - see there
            if topics.unreadable([self._topic.topic]):
                raise BrokerError(lacking([("Read", "topic", self._topic.topic)]))
            if self._topic.topic not in topics.known:
                raise BrokerError(f"topic {self._topic.topic} does not exist: run sla-monitor topics create")
            consumer.assign([self._topic])
            end = self.end = (await consumer.end_offsets([self._topic]))[self._topic]
            # Not "until the last offset": markers and compaction leave holes.
            while await consumer.position(self._topic) < end:
                await self._read(500)
        except (KafkaError, OSError) as error:
            raise await explained(
                error, self._bootstrap, self._security, operation="Read", otherwise="does not answer as it should"
            ) from error
        self._task = asyncio.create_task(self._follow())

        def ended(task: asyncio.Task[None]) -> None:
            if not task.cancelled():
                failed(task.exception() or StateError(f"{self._topic.topic} is not followed any more"))

        self._task.add_done_callback(ended)

    async def _read(self, timeout_ms: int) -> None:
        assert self._consumer is not None
        fetched = await self._consumer.getmany(timeout_ms=timeout_ms, max_records=1_000)
        for records in fetched.values():
            pieces = self._take_over(records)
            if pieces is not None:  # no other records are read until the pieces are done
                await in_turns(Pace().kept_by(pieces))

    async def _follow(self) -> None:
        while True:
            await self._read(1_000)

    async def stop(self) -> None:
        """Stop reading."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._consumer is not None:
            await stop_consumer(self._consumer)


class Model(Protocol):
    """A read model that knows the offset up to which its topic was read."""

    end: int

    def take(self, records: Sequence[ConsumerRecord]) -> None:
        """Apply records of the topic, in order."""
        ...


class ModelReader(Follower):
    """Follows the topic of a read model that knows the offset up to which it was read."""

    def __init__(self, model: Model, bootstrap: str, topic: str, options: Mapping[str, Any]) -> None:
        super().__init__(model.take, bootstrap, topic, options)
        self._model = model

    async def start(self, failed: Callable[[BaseException], None]) -> None:
        """Read the topic to its end, then follow it in the background."""
        await super().start(failed)
        # The topic may end after the last record that was read: compaction may have removed later ones.
        self._model.end = max(self._model.end, self.end)
