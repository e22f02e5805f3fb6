"""Batch delivery: Faust agents at the speed of bare aiokafka.

Stock Faust makes one event of each record (four tasks, 66 µs). Here **the result of one fetch for one partition is one
event**, whose value is a ``Batch``. A partition with ``IN_PROGRESS`` unfinished batches is not fetched. So batches are
cut when they can be worked on, and grow with the load. Without that limit tiny batches pile up in the stream's queue
(1.2 s of delay at 20,000 events/s). A small ``stream_buffer_maxsize`` is no cure: it pauses partitions, and aiokafka
then holds every fetch of that broker for 0.1 to 1 s.

All private methods of Faust and aiokafka that are overridden or read here are held to a contract by
``tests/stream/kafka/test_faust_contract.py``; their versions are pinned.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping
from operator import attrgetter
from typing import Any, Final
from weakref import WeakSet

import faust
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import ConsumerStoppedError
from aiokafka.structs import ConsumerRecord
from faust.transport.consumer import ensure_TP
from faust.transport.drivers import aiokafka as driver
from faust.types import TP
from faust.types.tuples import ConsumerMessage
from mode.threads import WorkerThread

from monitor.stream.kafka.batch import Batch, View
from monitor.stream.kafka.connection import stop_consumer

IN_PROGRESS: Final = 2
FETCH_WAIT_MS: Final = 500
"""The longest time that the broker holds a fetch. The known end of a quiet partition may get that old."""


class DaemonThread(WorkerThread):  # type: ignore[misc]
    """A daemon thread, so that one which a broken start left behind does not keep the process alive."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - mode's, passed on
        super().__init__(*args, **kwargs)
        self.daemon = True


class FetchThread(driver.AIOKafkaConsumerThread):  # type: ignore[misc]
    """The thread of aiokafka's consumer. It reads only committed records, and reports the offsets that it has read."""

    mundane_level = "debug"
    Worker = DaemonThread

    def _create_worker_consumer(self, transport: driver.Transport) -> AIOKafkaConsumer:
        # Faust limits itself to committed records only under its own exactly_once, which does not keep its promise.
        consumer = super()._create_worker_consumer(transport)
        consumer._isolation_level = "read_committed"  # noqa: SLF001
        consumer._fetch_max_wait_ms = FETCH_WAIT_MS  # noqa: SLF001
        return consumer

    async def on_thread_stop(self) -> None:
        """Stop the thread's queue of calls, as Faust does, and then the consumer."""
        await super(driver.AIOKafkaConsumerThread, self).on_thread_stop()
        if self._consumer is not None:
            await stop_consumer(self._consumer)

    def highwater(self, tp: TP) -> int | None:
        """Return the end of the records that a committed reader can see: the last stable offset."""
        end: int | None = self._ensure_consumer().last_stable_offset(tp)
        return end

    def view(self, tp: TP) -> View | None:
        """Return the consumer's view of a partition; None while it is not assigned or not yet fetched.

        From any thread.
        """
        subscription = None if self._consumer is None else self._consumer._subscription.subscription  # noqa: SLF001
        assignment = None if subscription is None else subscription.assignment
        if assignment is None or tp not in assignment.tps:
            return None
        state = assignment.state_value(tp)
        if not state.has_valid_position or state.lso is None or state.timestamp is None:
            return None
        return View(state.lso, state.timestamp)

    def group_refusal(self) -> BaseException | None:
        """Return the error by which Kafka keeps the consumer out of its group, if there is one. From any thread.

        aiokafka raises it in a poll, but a worker polls nothing before it is in the group.
        """
        coordinator = None if self._consumer is None else self._consumer._coordinator  # noqa: SLF001
        refusal: BaseException | None = getattr(coordinator, "_pending_exception", None)
        return refusal

    async def fetch(self, active: set[TP], timeout: float, max_records: int) -> dict[TP, Batch]:  # noqa: ASYNC109
        """Return the batches that arrived for the active partitions, waiting up to ``timeout`` seconds for them."""
        result: dict[TP, Batch] = await self.call_thread(self._fetch, active, timeout, max_records)
        return result

    async def _fetch(self, active: set[TP], timeout: float, max_records: int) -> dict[TP, Batch]:  # noqa: ASYNC109
        deadline = time.monotonic() + timeout
        consumer = self._ensure_consumer()
        fetcher = consumer._fetcher  # noqa: SLF001
        while self.consumer.flow_active:  # enqueued before a rebalance: fetching then would wait for its end
            if consumer._closed or fetcher._closed:  # noqa: SLF001
                raise ConsumerStoppedError
            remaining = deadline - time.monotonic()
            subscriptions = fetcher._subscriptions  # noqa: SLF001
            if subscriptions.reassignment_in_progress:
                await asyncio.sleep(min(0.01, max(0.0, remaining)))
            else:
                with subscriptions.fetch_context():
                    batches = await self._drain(fetcher, active, max_records)
                    if batches:
                        return batches
                    if remaining > 0:
                        waiter = fetcher._create_fetch_waiter()  # noqa: SLF001
                        await asyncio.wait([waiter], timeout=remaining)
                        if waiter.done():
                            waiter.result()  # an authorization error
                        else:
                            waiter.cancel()
            if remaining <= 0:
                break
        return {}

    @staticmethod
    async def _drain(fetcher: Any, active: set[TP], max_records: int) -> dict[TP, Batch]:  # noqa: ANN401 - untyped
        """Take the buffered records. Nothing in here waits, so the positions before and after belong to the records."""
        states = {
            tp: (state, state.position)
            for tp in tuple(fetcher._records)  # noqa: SLF001
            if tp in active
            and fetcher._subscriptions.is_assigned(tp)  # noqa: SLF001
            and (state := fetcher._subscriptions.subscription.assignment.state_value(tp)).has_valid_position  # noqa: SLF001
        }
        records: Mapping[TP, list[ConsumerRecord]] = await fetcher.fetched_records(
            active, timeout=0, max_records=max_records
        )
        batches = {}
        for raw_tp, (state, start) in states.items():
            drained = records.get(raw_tp, ())
            if drained or state.position != start:
                batches[ensure_TP(raw_tp)] = Batch(drained, start, state.position, state.lso or 0, state.timestamp or 0)
        return batches


class BatchConsumer(driver.Consumer):  # type: ignore[misc]
    """Delivers one fetch of one partition as one message whose value is a ``Batch``."""

    mundane_level = "debug"

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - Faust's, passed on
        self._unfinished: defaultdict[TP, WeakSet[ConsumerMessage]] = defaultdict(WeakSet)
        """Weak: Faust empties its queues in a rebalance without notice. A message that nobody holds is no work."""
        self._some_finished = asyncio.Event()
        self.max_batch_records = 2000
        self.max_batch_bytes = 1 << 20
        super().__init__(*args, **kwargs)

    def _new_consumer_thread(self) -> FetchThread:
        return FetchThread(self, loop=self.loop, beacon=self.beacon)

    def view(self, tp: TP) -> View | None:
        """Return the consumer's view of a partition, if it has one."""
        thread: FetchThread = self._thread
        return thread.view(tp)

    def group_refusal(self) -> BaseException | None:
        """Return the error by which Kafka keeps this worker out of its group, if there is one."""
        thread: FetchThread | None = getattr(self, "_thread", None)
        return None if thread is None else thread.group_refusal()

    def batch_finished(self, message: ConsumerMessage) -> None:
        """Note that a batch was worked on or dropped. ``Consumer.ack`` cannot be overridden: Cython inlines it."""
        self._unfinished[message.tp].discard(message)
        self._some_finished.set()

    async def _getmany(self, active_partitions: set[TP] | None, timeout: float) -> dict[TP, Batch]:  # noqa: ASYNC109
        active = active_partitions or set()
        free = {tp for tp in active if len(self._unfinished[tp]) < IN_PROGRESS}
        if not free:
            self._some_finished.clear()
            try:
                await asyncio.wait_for(self._some_finished.wait(), timeout)
            except TimeoutError:
                return {}
            free = {tp for tp in active if len(self._unfinished[tp]) < IN_PROGRESS}
            if not free:
                return {}
        if len(free) < len(active):
            timeout = min(timeout, 0.01)  # check again soon for partitions that have become free
        thread: FetchThread = self._thread
        return await thread.fetch(free, timeout, self.max_batch_records)

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, ConsumerMessage]]:  # noqa: ASYNC109
        """Yield the fetched batches as messages, until a rebalance begins: the others belong to the next owner."""
        batches, active = await self._wait_next_records(timeout)
        generation = self.app.consumer_generation_id
        if batches is None or self.should_stop:
            return
        # Faust seeks back here once the flow has stopped. The rebalance that stopped it seeks at its end anyway.
        # Faust's seek would run into the rebalance: it would ask for partitions that are gone, while records wait.
        for tp, fetched in batches.items():
            for batch in _bounded(fetched, self.max_batch_bytes):
                if not self.flow_active or generation != self.app.consumer_generation_id:
                    return
                if active is not None and tp not in active and tp not in self._buffered_partitions:
                    break
                self.app.monitor.track_tp_end_offset(tp, batch.highwater)
                offset = batch.end - 1
                read = self._read_offset[tp]
                if read is not None and offset < read:
                    # Faust would drop the batch unseen. Only the position of the partition says whether it is a repeat.
                    self._read_offset[tp] = offset
                message = ConsumerMessage(
                    tp.topic, tp.partition, offset, batch.fetched_ms / 1000, 0,
                    (), None, batch, None, 0, 0, tp, generation_id=generation,
                )  # fmt: skip
                self._unfinished[tp].add(message)
                yield tp, message

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Do nothing: offsets inside a batch are not gaps."""

    def _new_offset(self, tp: TP) -> int | None:
        # One message is a whole batch, and batches are acknowledged in order: the highest counts.
        acked = self._acked[tp]
        if not acked:
            return None
        highest: int = max(acked)
        acked.clear()
        self._acked_index[tp].clear()
        return highest + 1


def _bounded(batch: Batch, max_bytes: int) -> Iterator[Batch]:
    """Cut a batch of many bytes, so that no part blocks the loop for long. A single large record stays whole."""
    records = batch.records
    if sum(map(_VALUE_SIZE, records)) + sum(map(_KEY_SIZE, records)) <= max_bytes:
        yield batch
        return
    first, start, held = 0, batch.start, 0
    for index, record in enumerate(records):
        size = len(record.value or b"") + len(record.key or b"")
        if held + size > max_bytes and index > first:
            end = record.offset
            yield batch._replace(records=records[first:index], start=start, end=end)
            first, start, held = index, end, 0
        held += size
    yield batch._replace(records=records[first:], start=start)


_VALUE_SIZE: Final = attrgetter("serialized_value_size")
_KEY_SIZE: Final = attrgetter("serialized_key_size")
"""-1 without a value or a key: such a small error in the sum does not matter for a bound."""


class BatchTransport(driver.Transport):  # type: ignore[misc]
    """Faust's Kafka transport with batch delivery."""

    Consumer = BatchConsumer


class BatchApp(faust.App):  # type: ignore[misc]
    """A Faust app whose agents get batches."""

    mundane_level = "debug"

    def _new_transport(self) -> BatchTransport:
        return BatchTransport(self.conf.broker_consumer, self)
