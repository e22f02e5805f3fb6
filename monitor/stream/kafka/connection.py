"""Connections to Kafka beside Faust's: the writers of partition states, and the readers that restore them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Final, NamedTuple, Protocol

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaConnectionError, KafkaError, KafkaTimeoutError
from aiokafka.producer.message_accumulator import MessageAccumulator
from aiokafka.producer.transaction_manager import TransactionManager
from aiokafka.structs import ConsumerRecord, TopicPartition

from monitor.core.pieces import Pieces
from monitor.errors import StateError
from monitor.stream.kafka import fetched
from monitor.stream.kafka.pace import Pace, in_turns

fetched.install()  # every reader of Kafka in this process imports this module

RESTORE_FETCH_BYTES: Final = 4 << 20
RESTORE_RECORDS: Final = 2_000
"""Rows that are applied without a pause: aiokafka takes some 4 µs for each."""
BATCH_BYTES: Final = 512 << 10
"""A larger record still fits: a batch takes its first record whatever its size."""


class Restored(Protocol):
    """The state of a partition, reduced to the members that restoring its rows needs."""

    topic: str
    partition: int
    changelog: str
    position: int
    """The offset up to which the source's records were applied."""

    @property
    def name(self) -> str:
        """The name of the source partition in messages: ``topic/partition``."""
        ...

    def load(self, records: Sequence[ConsumerRecord]) -> None:
        """Apply records of the changelog, in order."""
        ...

    def loaded(self) -> Pieces[None]:
        """End the restore, in pieces: all rows have been loaded."""
        ...


class Ends(NamedTuple):
    """The source partition's first offset and its end (last stable offset) at the time of a restore."""

    first: int
    end: int


class Producer(AIOKafkaProducer):  # type: ignore[misc]
    """A producer whose batches may be given up while they wait for their next attempt."""

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 - aiokafka's, passed on
        super().__init__(**options)
        self._message_accumulator.reenqueue = self._send_again
        if self._txn_manager is not None:
            self._txn_manager.error_transaction = self._give_up_transaction

    def _send_again(self, batch: Any) -> None:  # noqa: ANN401 - untyped
        """Queue a batch for another attempt, unless all batches were given up during its backoff (as when fenced).

        aiokafka would raise a ``KeyError`` in that case, in a task that nobody awaits.
        """
        accumulator = self._message_accumulator
        if accumulator._exception is None:  # noqa: SLF001
            MessageAccumulator.reenqueue(accumulator, batch)

    def _give_up_transaction(self, error: BaseException) -> None:
        """Fail the open transaction with all its batches: a batch for a forbidden topic would wait for ever."""
        TransactionManager.error_transaction(self._txn_manager, error)
        self._message_accumulator.fail_all(error)

    def _unconfirmed(self) -> tuple[Any, ...]:
        accumulator = self._message_accumulator
        return (*chain.from_iterable(accumulator._batches.values()), *accumulator._pending_batches)  # noqa: SLF001

    async def give_up_in_time(self) -> None:
        """Fail all batches once one is older than the request timeout: an idempotent producer would try for ever."""
        while not any(batch.expired() for batch in self._unconfirmed()):  # noqa: ASYNC110 - no event tells of time
            await asyncio.sleep(0.5)
        error = KafkaTimeoutError(f"not confirmed within {self._request_timeout_ms / 1000:g} s")
        if self._txn_manager.transactional_id is not None:
            self._txn_manager.fatal_error(error)
        self._message_accumulator.fail_all(error)


class TransactionalWriter(Producer):
    """A producer that can return the error that broke its transaction."""

    def failure(self) -> BaseException | None:
        """Return the error that broke the open transaction, if there is one.

        aiokafka keeps it in a future that only ``commit_transaction`` awaits, which is not reached after a failed send.
        """
        waiter = self._txn_manager._transaction_waiter  # noqa: SLF001
        if waiter is None or not waiter.done() or waiter.cancelled():
            return None
        error: BaseException | None = waiter.exception()
        return error

    async def stop(self) -> None:
        """Stop, and read the errors of the batches that a fenced writer could not send: asyncio would log each."""
        try:
            await super().stop()
        finally:
            self.failure()
            for batch in self._unconfirmed():
                for future in (batch.future, batch._drain_waiter):  # noqa: SLF001 - aiokafka never looks at it itself
                    if future.done() and not future.cancelled():
                        future.exception()


async def stop_consumer(consumer: AIOKafkaConsumer) -> None:
    """Stop a consumer, also where no broker answers.

    Without a broker, a fetch of aiokafka waits for its next attempt. Its cancellation leaves ``stop`` as an exception
    before the connections are closed.
    """
    try:
        await consumer.stop()
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise  # this task itself is cancelled
        fetches = consumer._fetcher._pending_tasks  # noqa: SLF001 - see above
        for fetch in fetches:
            fetch.cancel()
        await asyncio.gather(*fetches, return_exceptions=True)
        await consumer._client.close()  # noqa: SLF001


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """The address of the brokers and the options of connections to them.

    ``security`` holds aiokafka's own keywords: ``security_protocol``, ``ssl_context``, ``sasl_mechanism``,
    ``sasl_plain_username``, ``sasl_plain_password``.
    """

    bootstrap: str
    client_id: str = "sla-monitor"
    transaction_timeout_s: float = 15.0
    max_record_bytes: int = 8 << 20
    check_crcs: bool = True
    security: Mapping[str, Any] = field(default_factory=dict)

    def writer(self, transactional_id: str) -> TransactionalWriter:
        """Return a producer; starting it fences every earlier one of the same id and ends its open transaction."""
        return TransactionalWriter(
            bootstrap_servers=self.bootstrap,
            client_id=self.client_id,
            transactional_id=transactional_id,
            transaction_timeout_ms=int(self.transaction_timeout_s * 1000),
            linger_ms=0,
            max_batch_size=BATCH_BYTES,
            max_request_size=self.max_record_bytes + (1 << 20),
            **self.security,
        )

    @asynccontextmanager
    async def reader(self) -> AsyncIterator[AIOKafkaConsumer]:
        """Start a consumer that belongs to no group and sees only committed records."""
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self.bootstrap,
            client_id=self.client_id,
            group_id=None,
            isolation_level="read_committed",
            auto_offset_reset="earliest",  # the default would silently read nothing
            max_partition_fetch_bytes=RESTORE_FETCH_BYTES,
            fetch_max_wait_ms=100,
            check_crcs=self.check_crcs,
            **self.security,
        )
        try:
            await consumer.start()  # inside: a worker that stops while it opens must not leave a half-started one
            yield consumer
        finally:
            await stop_consumer(consumer)

    @asynccontextmanager
    async def admin(self) -> AsyncIterator[AIOKafkaAdminClient]:
        """Start a client for questions about groups."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap, client_id=self.client_id, **self.security)
        try:
            await admin.start()
            yield admin
        finally:
            await admin.close()

    async def restore(self, state: Restored, progress: Callable[[], None]) -> Ends:
        """Read all rows of a state from its changelog; return the ends of its source.

        The state's writer must have been started before: only then is the content of the changelog final.

        Raises:
            StateError: the source ends before the state's position: it was deleted and created again, or cut.
        """
        changelog = TopicPartition(state.changelog, state.partition)
        source = TopicPartition(state.topic, state.partition)
        async with self.reader() as consumer:
            consumer.assign([changelog])
            end = (await consumer.end_offsets([changelog]))[changelog]
            # Not "until the last offset": transaction markers take offsets and compaction leaves holes.
            while await consumer.position(changelog) < end:
                for records in (await consumer.getmany(timeout_ms=500, max_records=RESTORE_RECORDS)).values():
                    state.load(records)
                    progress()
                await asyncio.sleep(0)  # getmany returns records that were fetched before without a pause
            first = (await consumer.beginning_offsets([source]))[source]
            source_end = (await consumer.end_offsets([source]))[source]
        await in_turns(Pace().kept_by(state.loaded()))
        if source_end < state.position:
            raise ends_below(state.name, source_end, state.position, state.changelog)
        return Ends(first, source_end)

    async def has_records(self, source: TopicPartition, start: int, end: int) -> bool:
        """Return whether a ``read_committed`` reader sees a record of a source in ``[start, end)``."""
        async with self.reader() as consumer:
            consumer.assign([source])
            consumer.seek(source, max(start, (await consumer.beginning_offsets([source]))[source]))
            while await consumer.position(source) < end:
                for records in (await consumer.getmany(source, timeout_ms=500, max_records=1)).values():
                    return bool(records[0].offset < end)
        return False


def ends_below(source: str, end: int, known: int, changelog: str) -> StateError:
    """Return the error of a source that ends below offsets that were applied, or seen, earlier."""
    return StateError(
        f"{source}: the topic ends at offset {end}, but offsets up to {known} were "
        f"applied. Was it deleted and created again? Then delete its changelog {changelog} too"
    )


class Asker:
    """Asks the broker for the ends of sources, many at once, and for the group's committed offsets.

    It has a connection of its own. On the consumer's connection the broker answers only after the fetch that it holds
    (0.5 s).
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._waiting: dict[TopicPartition, asyncio.Future[int]] = {}
        self._task: asyncio.Task[None] | None = None
        self._open = AsyncExitStack()
        self._consumer: AIOKafkaConsumer | None = None
        self._admin: AIOKafkaAdminClient | None = None
        self._opening = asyncio.Lock()

    async def end(self, source: TopicPartition) -> int:
        """Return the last stable offset of a partition. Raises KafkaError if the broker does not answer it."""
        waiting = self._waiting.get(source)
        if waiting is None:
            waiting = self._waiting[source] = asyncio.get_running_loop().create_future()
            if self._task is None or self._task.done():
                self._task = asyncio.ensure_future(self._ask())
        return await asyncio.shield(waiting)

    async def first(self, source: TopicPartition) -> int:
        """Return the first offset of a partition. Raises KafkaError if the broker does not answer it."""
        offsets = await (await self._started()).beginning_offsets([source])
        return int(offsets[source])

    async def committed(self, source: TopicPartition) -> int | None:
        """Return the offset that the worker's group has committed for a partition, None for none.

        The group has the client's id. Raises KafkaError if the broker does not answer it.
        """
        async with self._opening:
            if self._admin is None:
                self._admin = await self._open.enter_async_context(self._connection.admin())
            admin: AIOKafkaAdminClient = self._admin
        found = await admin.list_consumer_group_offsets(self._connection.client_id, partitions=[source])
        offset = found[source].offset
        return offset if offset >= 0 else None

    async def close(self) -> None:
        """Close the connection."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        for waiting in self._waiting.values():
            waiting.cancel()
        await self._open.aclose()

    async def _started(self) -> AIOKafkaConsumer:
        if self._consumer is None:
            self._consumer = await self._open.enter_async_context(self._connection.reader())
        return self._consumer

    async def _ask(self) -> None:
        """Ask for all sources that wait, until none does. Sources that come during a request wait for the next one."""
        while self._waiting:
            asked, self._waiting = self._waiting, {}
            try:
                consumer = await self._started()
                offsets = await consumer.end_offsets(list(asked))
            except (KafkaError, TimeoutError, OSError) as error:
                for waiting in asked.values():
                    waiting.add_done_callback(lambda done: done.cancelled() or done.exception())
                    waiting.set_exception(error if isinstance(error, KafkaError) else KafkaConnectionError(repr(error)))
                continue
            for source, waiting in asked.items():
                if not waiting.done():
                    waiting.set_result(int(offsets[source]))
