"""Fakes of what the stream layer needs: a writer that remembers, a consumer that says what it is told to."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from aiokafka.structs import ConsumerRecord

from monitor.core.pieces import at_once
from monitor.stream.kafka.batch import Batch, View
from monitor.stream.kafka.connection import Ends


@dataclass
class FakeBatch:
    limit: int
    records: list[tuple[bytes, bytes | None, list]] = field(default_factory=list)
    closed: bool = False

    def append(self, *, timestamp: int, key: bytes, value: bytes | None, headers: list) -> object | None:  # noqa: ARG002
        assert not self.closed
        assert type(headers) is list
        if len(self.records) >= self.limit:
            return None
        self.records.append((key, value, headers))
        return object()

    def close(self) -> None:
        self.closed = True


class FakeWriter:
    """Holds what was committed by (topic, partition). ``fail`` is raised at the next commit; ``gate`` holds it up."""

    def __init__(self, *, batch_limit: int = 1000, partitions: int = 4) -> None:
        self.committed: dict[tuple[str, int], list[tuple[bytes, bytes | None, list]]] = {}
        self.transactions: list[dict] = []
        self.batches = 0
        self.fail: BaseException | None = None
        self.gate = asyncio.Event()
        self.gate.set()
        self.started = self.stopped = self.open = False
        self._batch_limit, self._partitions = batch_limit, partitions
        self._sent: dict[tuple[str, int], list] = {}

    async def start(self) -> None:
        self.started = True

    async def stop(self) -> None:
        assert not self.open, "stopped in mid-transaction"
        self.stopped = True

    async def begin_transaction(self) -> None:
        assert not self.open
        self.open, self._sent = True, {}

    def failure(self) -> BaseException | None:
        return None

    async def partitions_for(self, topic: str) -> set[int]:  # noqa: ARG002 - the protocol's
        return set(range(self._partitions))

    def create_batch(self) -> FakeBatch:
        return FakeBatch(self._batch_limit)

    async def send_batch(self, batch: FakeBatch, topic: str, *, partition: int) -> asyncio.Future:
        assert self.open
        assert batch.closed
        self.batches += 1
        self._sent.setdefault((topic, partition), []).extend(batch.records)
        sent: asyncio.Future = asyncio.get_running_loop().create_future()
        place = topic, partition
        end = len(self.committed.get(place, ())) + len(self._sent[place])
        sent.set_result(SimpleNamespace(offset=end - len(batch.records)))
        return sent

    async def commit_transaction(self) -> None:
        await self.gate.wait()
        self.open = False
        if self.fail is not None:
            raise self.fail
        self.transactions.append(self._sent)
        for place, records in self._sent.items():
            self.committed.setdefault(place, []).extend(records)


class FakeConnection:
    transaction_timeout_s = 5.0
    max_record_bytes = 1 << 20

    def __init__(self, writer: FakeWriter, *, position: int = 0, end: int = 0) -> None:
        self.fake_writer, self.position, self.end = writer, position, end
        self.visible: list[int] = []
        """The offsets at which a reader of what was committed finds a record."""

    def writer(self, transactional_id: str) -> FakeWriter:
        self.fake_writer.transactional_id = transactional_id
        return self.fake_writer

    async def restore(self, state: Any, progress: Any) -> Ends:  # noqa: ARG002 - as Connection's
        state.load([record(0, key=b"\x00position", value=b"%d" % self.position)])
        at_once(state.loaded())
        return Ends(0, self.end)

    async def has_records(self, source: Any, start: int, end: int) -> bool:  # noqa: ARG002 - as Connection's
        return any(start <= offset < end for offset in self.visible)


class FakeUpstream:
    def __init__(self) -> None:
        self.first, self.end = 0, 0
        self.asked = 0
        self.seeks: list[int] = []
        self.done: list[object] = []
        self.seen: View | None = None
        self.committed: int | None = None

    def view(self) -> View | None:
        return self.seen

    async def first_offset(self) -> int:
        return self.first

    async def end_offset(self) -> int:
        self.asked += 1
        return self.end

    async def committed_offset(self) -> int | None:
        return self.committed

    async def seek(self, offset: int) -> None:
        self.seeks.append(offset)

    def finished(self, message: object) -> None:
        self.done.append(message)


class FakeEvent:
    def __init__(self, batch: Batch) -> None:
        self.value, self.message, self.acked = batch, object(), False

    def ack(self) -> None:
        self.acked = True


def record(
    offset: int, *, key: bytes = b"k", value: bytes | None = b"v", timestamp: int = 0, topic: str = "in"
) -> ConsumerRecord:
    return ConsumerRecord(topic, 0, offset, timestamp, 0, key, value, None, len(key), len(value or b""), ())
