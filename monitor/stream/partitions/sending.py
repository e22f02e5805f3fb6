"""Sends what one source partition writes: rows to its changelog, outputs to the partitions of their keys."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, Final, NamedTuple

from aiokafka.partitioner import murmur2

from monitor.core.pieces import lots
from monitor.errors import RowError, StateError
from monitor.stream.kafka.batch import Headers
from monitor.stream.kafka.pace import Pace
from monitor.stream.partitions.clock import wall_ms
from monitor.stream.partitions.ports import Writer

OUTPUTS_AT_ONCE: Final = 32
"""Outputs whose partitions are found before the time is checked again: to hash a new key takes 0.3 µs a byte."""


class Output(NamedTuple):
    """A record to be written with the next commit."""

    topic: str
    key: bytes
    value: bytes | None
    headers: Headers
    partition: int | None
    partition_key: bytes | None


def outputs_of(
    name: str, topic: str, records: Iterable[tuple[bytes, bytes | None, bytes]], max_bytes: int
) -> list[Output]:
    """Return the outputs of a source partition (by name) for records, each of a key, a value and a partition key.

    Raises:
        RowError: a record is larger than ``max_bytes``.
    """
    outputs: list[Output] = []
    for key, value, partition_key in records:
        size = len(key) + len(value or b"")
        if size > max_bytes:
            raise too_large(name, topic, key, size, max_bytes)
        outputs.append(_new(Output, (topic, key, value, (), None, partition_key)))
    return outputs


def too_large(name: str, topic: str, key: bytes, size: int, max_bytes: int) -> RowError:
    """Return the error of a record that is larger than allowed."""
    record = f"a record of {size} bytes for topic {topic}, key {key[:80]!r}"
    return RowError(key, f"{name}: {record}, is larger than {max_bytes} bytes")


_new: Final[Callable[..., Any]] = tuple.__new__
"""Makes the tuples of the hot path directly: their constructors take three times as long."""
Record = tuple[bytes, bytes | None, Headers]
Ends = Mapping[tuple[str, int], int]
"""The offset after the last record that was sent, by topic and partition."""


class Sender:
    """Sends the records of one source partition in batches, within the open transaction of its writer."""

    def __init__(self, name: str, changelog: str, partition: int, writer: Writer) -> None:
        self._name = name
        self._changelog = changelog
        self._partition = partition
        self._writer = writer
        self._counts: dict[str, int] = {}

    async def send(self, changes: Mapping[bytes, bytes | None], outputs: Iterable[Output]) -> Ends:
        """Send changed rows and outputs.

        Return the offset after the last one, by topic and partition, where the broker reported it.
        """
        records: list[tuple[tuple[str, int], Iterable[Record]]] = [*(await self._by_partition(outputs)).items()]
        if changes:  # one triple at a time is alive: there are many rows, and the garbage collector looks at each
            records.insert(0, ((self._changelog, self._partition), ((*one, ()) for one in changes.items())))
        sent: list[tuple[tuple[str, int], int, asyncio.Future[Any]]] = []
        pace = Pace()
        for (topic, partition), items in records:
            for batch, count in self._batches(topic, items):
                future = await self._writer.send_batch(batch, topic, partition=partition)
                future.add_done_callback(_retrieve)
                sent.append(((topic, partition), count, future))
                if pace.is_over():
                    await asyncio.sleep(0)
        await asyncio.gather(*(future for _, _, future in sent))
        return {place: told.offset + count for place, count, future in sent if (told := future.result()).offset >= 0}

    async def _by_partition(self, outputs: Iterable[Output]) -> dict[tuple[str, int], list[Record]]:
        records: dict[tuple[str, int], list[Record]] = defaultdict(list)
        pace = Pace()
        for lot in lots(outputs, OUTPUTS_AT_ONCE):
            for topic, key, value, headers, partition, partition_key in lot:
                if partition is None:
                    partition = self._partition  # noqa: PLW2901
                    if partition_key is not None:
                        if topic not in self._counts:
                            self._counts[topic] = len(await self._writer.partitions_for(topic))
                        partition = partition_of(partition_key, self._counts[topic])  # noqa: PLW2901
                records[topic, partition].append((key, value, headers))
            if pace.is_over():
                await asyncio.sleep(0)
        return records

    def _batches(self, topic: str, items: Iterable[Record]) -> Iterator[tuple[Any, int]]:
        """Yield batches that hold the records, and the number of records in each."""
        now = wall_ms()
        batch, count = self._writer.create_batch(), 0
        for key, value, pairs in items:
            headers = [*pairs]  # the C builder takes nothing else
            if batch.append(timestamp=now, key=key, value=value, headers=headers) is None:  # full: it took nothing
                batch.close()
                yield batch, count
                batch, count = self._writer.create_batch(), 0
                if batch.append(timestamp=now, key=key, value=value, headers=headers) is None:
                    raise StateError(f"{self._name}: a record for topic {topic}, key {key[:80]!r}, fits in no batch")
            count += 1
        batch.close()
        yield batch, count


def _retrieve(future: asyncio.Future[Any]) -> None:
    """Read the error of a future, so that asyncio does not log it: the transaction as a whole reports it."""
    if not future.cancelled():
        future.exception()


@lru_cache(maxsize=1 << 16)
def partition_of(key: bytes, count: int) -> int:
    """Return the partition to which Kafka's Java clients and aiokafka send a key: murmur2, made positive, modulo."""
    return int(murmur2(key) & 0x7FFFFFFF) % count
