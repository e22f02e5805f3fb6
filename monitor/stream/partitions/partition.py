"""The state of one source partition: its rows and their one, fenced writer.

Everything that follows from a batch is one Kafka transaction: the changed rows and the source position (both in the
changelog), and all records that were emitted. The writer's transactional id belongs to the source partition, so that
starting it fences every earlier owner: a worker that was frozen cannot write old rows over newer ones.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from aiokafka.errors import KafkaError, ProducerFenced
from aiokafka.structs import ConsumerRecord

from monitor.core.pieces import Pieces, at_once, lots
from monitor.errors import RowError, StateError
from monitor.stream.kafka.batch import Headers
from monitor.stream.kafka.pace import Pace, in_turns
from monitor.stream.kafka.refusals import stopped
from monitor.stream.partitions.layers import Layers
from monitor.stream.partitions.ports import WAKE_BYTES, RowCodec, Writer
from monitor.stream.partitions.sending import Ends, Output, Sender, outputs_of, too_large
from monitor.stream.partitions.set_aside import SetAside
from monitor.stream.partitions.wakes import Wake, Wakes

DECODED_AT_ONCE: Final = 16
"""Rows that are decoded for an onlooker without a pause."""
PACKED_AT_ONCE: Final = 256
"""Rows that are encoded before the time is checked again: 1 to 5 ms."""
LONG_ROW: Final = 4_096
"""Bytes of a row after whose encoding the time is checked as well: a megabyte takes some milliseconds."""
POSITION: Final = b"\x00position"
"""The row that holds the next source offset to apply. No other row key may begin with a zero byte."""


class FencedError(StateError):
    """A newer owner of the partition exists: this worker must write nothing more."""


class PartitionState:
    """Rows, position and outputs of one source partition.

    A processor reads and writes rows between two commits. ``commit`` writes all of it or nothing; ``take_back`` forgets
    all of it. Not safe for concurrent use: its runner works in one task from fold to commit.

    Raises:
        RowError: (``pack``, ``seal``, ``emit``) a row or an output does not encode or is too large: take it back.
        FencedError: (``commit``) a newer owner exists.
        StateError: (``commit``) the broker did not confirm; the state is unusable afterwards.
    """

    def __init__(
        self,
        *,
        topic: str,
        partition: int,
        changelog: str,
        codec: RowCodec,
        writer: Writer,
        commit_timeout_s: float = 15.0,
        max_record_bytes: int = 8 << 20,
    ) -> None:
        self.topic = topic
        self.partition = partition
        self.changelog = changelog
        self.codec = codec
        self.max_record_bytes = max_record_bytes
        self.rows: dict[bytes, bytes] = {}
        self.position = 0
        self._writer = writer
        self._sender = Sender(self.name, changelog, partition, writer)
        self._commit_timeout_s = commit_timeout_s
        self._decoded: dict[bytes, object | None] = {}
        """Rows that were read or put since the last commit, with their present content."""
        self._touched: defaultdict[bytes, dict[bytes, None]] = defaultdict(dict)
        """The keys of the rows that were put, in the order of their first put, by their first byte."""
        self._packed: dict[bytes, bytes | None] = {}
        """The encoded rows that differ from the stored ones: the next commit writes them."""
        self._new_wakes: dict[bytes, int] = {}
        self._outputs: list[Output] = []
        self._wakes = Wakes(self._wake_of)
        self._popped: set[Wake] = set()
        self._looked_at: list[bytes] = []
        self._after_commit: list[Callable[[], None]] = []
        self._after_sending: list[Callable[[Ends], None]] = []
        self.set_aside = SetAside(self._note_wake)
        self._prove = False

    @property
    def name(self) -> str:
        """The name of the source partition in messages: ``topic/partition``."""
        return f"{self.topic}/{self.partition}"

    @property
    def dirty(self) -> bool:
        """Whether a commit is wanted: rows were put or records emitted, or ownership is to be proved."""
        return bool(any(self._touched.values()) or self._packed or self._outputs or self._after_sending or self._prove)

    # -- for processors

    def get(self, key: bytes) -> object | None:
        """Return a row, None if there is none. It is decoded once between two commits."""
        row = self._decoded.get(key, self)
        if row is self:  # neither read nor put: no row is a state
            encoded = self._packed[key] if key in self._packed else self.rows.get(key)
            if encoded is None:
                return None
            row = self._decoded[key] = self.codec.decode(key, encoded)
        return row

    def packed(self, key: bytes) -> bytes | None:
        """Return a row as it was encoded last (`pack`), None if there is none: what was put since is not in it."""
        return self._packed[key] if key in self._packed else self.rows.get(key)

    def put(self, key: bytes, row: object | None) -> None:
        """Set a row; None deletes it."""
        self._decoded[key] = row
        self._touched[key[:1]][key] = None

    def pack(self, first: bytes = b"") -> Pieces[None]:
        """Encode the rows that were put, and pause now and then; with ``first`` those whose keys begin with that byte.

        The decoded rows are dropped. For pieces of a large batch: rows that are encoded soon are still in the caches of
        the CPU.
        """
        for kind in (first,) if first else tuple(self._touched):
            yield from self._pack(self._touched[kind])

    def _pack(self, touched: dict[bytes, None]) -> Pieces[None]:  # noqa: C901 - on the hot path, where each call costs
        decoded, rows, packed = self._decoded, self.rows, self._packed
        encode, wake_ms, max_bytes = self.codec.encode, self.codec.wake_ms, self.max_record_bytes
        long = min(LONG_ROW, max_bytes // 2)  # keys are short
        key = b""
        try:
            for lot in lots(list(touched), PACKED_AT_ONCE):
                for key in lot:
                    row, stored = decoded.pop(key), rows.get(key)
                    del touched[key]
                    encoded = None if row is None else encode(key, row)
                    if encoded == stored:
                        packed.pop(key, None)
                        continue
                    packed[key] = encoded
                    if encoded is None:
                        continue
                    if stored is None or encoded[:WAKE_BYTES] != stored[:WAKE_BYTES]:
                        wake = wake_ms(encoded)
                        if wake:
                            self._new_wakes[key] = wake
                    if len(encoded) > long:
                        if len(encoded) + len(key) > max_bytes:
                            too_large = f"row {key[:80]!r} of {len(encoded)} bytes is larger than {max_bytes} bytes"
                            raise RowError(key, f"{self.name}: {too_large}")  # noqa: TRY301 - on the hot path: no call
                        yield
                yield
        except RowError:
            raise
        except Exception as error:
            raise RowError(key, f"{self.name}: row {key[:80]!r} does not encode: {error!r}") from error

    def layers(self, first: bytes) -> Layers:
        """Return the layers of rows by their keys' first byte, for work that encodes by itself until a commit."""
        return Layers(self.rows, self._packed, self._decoded, self._touched[first], self._new_wakes)

    def emit(
        self,
        topic: str,
        key: bytes,
        value: bytes | None,
        *,
        headers: Headers = (),
        partition: int | None = None,
        partition_key: bytes | None = None,
    ) -> None:
        """Write a record with the next commit. Without a value it is a tombstone.

        It goes to ``partition`` if that is given, or to the partition that Kafka's default partitioner (murmur2) finds
        for ``partition_key``, otherwise to the partition of the source's own number.
        """
        size = len(key) + len(value or b"") + (sum(len(name) + len(text) for name, text in headers) if headers else 0)
        if size > self.max_record_bytes:
            raise too_large(self.name, topic, key, size, self.max_record_bytes)
        self._outputs.append(Output(topic, key, value, headers, partition, partition_key))

    def emit_all(self, topic: str, records: Iterable[tuple[bytes, bytes | None, bytes]]) -> None:
        """Write records, each of a key, a value and a partition key, with the next commit, as `emit` does."""
        self._outputs += outputs_of(self.name, topic, records, self.max_record_bytes)

    def after_commit(self, act: Callable[[], None]) -> None:
        """Call ``act`` once everything put and emitted so far is committed: counters count committed work only."""
        self._after_commit.append(act)

    def after_sending(self, act: Callable[[Ends], None]) -> None:
        """Call ``act`` within the transaction, once the offsets of its other records are known.

        ``act`` is given the offset after the last record, by topic and partition. The rows that it puts and the records
        that it emits go into the same transaction.
        """
        self._after_sending.append(act)

    def prove(self) -> None:
        """Ask for a commit even if nothing is to be written: it fails if another worker owns the partition."""
        self._prove = True

    def due_keys(self, until_ms: int, limit: int = 1000) -> list[bytes]:
        """Return up to ``limit`` keys of rows that wake at or before an instant, earliest first.

        A row that is not changed before the next commit stays due. While the work on some row fails, fewer than
        ``limit`` keys are returned, and none that was set aside (`SetAside`).
        """
        keys: list[bytes] = []
        limit = min(limit, self.set_aside.limit)
        while len(keys) < limit and (wake := self._wakes.take(until_ms)) is not None:
            # A row that was deleted and put again with the same wake is noted twice.
            if wake not in self._popped and wake[1] not in self.set_aside.keys:
                self._popped.add(wake)
                keys.append(wake[1])
        return keys

    def looked_at(self, keys: Sequence[bytes]) -> list[bytes]:
        """Return the keys of rows that may be worked on though they are not due: those that are not set aside."""
        keys = [key for key in keys if key not in self.set_aside.keys]
        self._looked_at += keys
        return keys

    def suspects(self) -> list[bytes]:
        """Return the keys of the rows that a tick has worked on since the last commit."""
        return [*(key for _, key in self._popped), *self._looked_at]

    # -- for the runner

    def load(self, records: Iterable[ConsumerRecord]) -> None:
        """Apply records of the changelog, in order. The caller passes a few at a time."""
        rows = self.rows
        for record in records:
            if record.value is None:
                rows.pop(record.key, None)
            else:
                rows[record.key] = record.value

    def loaded(self) -> Pieces[None]:
        """End the restore, in pieces: find the position and the wakes. No row is read or written before its end."""
        position = self.rows.pop(POSITION, b"0")
        try:
            self.position = int(position)
        except ValueError:
            raise StateError(f"{self.name}: the position row of {self.changelog} is no number: {position!r}") from None
        yield from self._rebuild_wakes()

    def keys_by_kind(self) -> Pieces[dict[bytes, list[bytes]]]:
        """Return the keys of all rows by their first byte, in pieces.

        Rows change with a commit only. The caller has no commit between the pieces, so every key returned is that of a
        row.
        """
        found: defaultdict[bytes, list[bytes]] = defaultdict(list)
        for lot in lots(self.rows):
            for key in lot:
                found[key[:1]].append(key)
            yield
        return found

    def keys_of(self, first: bytes) -> Pieces[list[bytes]]:
        """Return the keys of all rows that begin with a byte, in pieces (see `keys_by_kind`)."""
        return (yield from self.keys_by_kind()).get(first, [])

    def next_wake_ms(self) -> int | None:
        """Return the earliest instant at which a row wishes to wake."""
        wake = self._wakes.first()
        return None if wake is None else wake[0]

    def waking_until(self, until_ms: int, limit: int) -> Pieces[list[object]]:
        """Return up to ``limit`` committed rows that wake at or before an instant, in pieces, earliest first.

        It may be asked at any time: what is committed between two pieces is seen or not.
        """
        found: list[object] = []
        seen = set[bytes]()
        for keys in self._wakes.noted_until(until_ms):
            yield
            for lot in lots(keys, DECODED_AT_ONCE):
                for key in lot:
                    encoded = self.rows.get(key)
                    if key in seen or encoded is None or not 0 < self.codec.wake_ms(encoded) <= until_ms:
                        continue
                    seen.add(key)
                    found.append(self.codec.decode(key, encoded))
                    if len(found) == limit:
                        return found
                yield
        return found

    def take_back(self) -> None:
        """Forget all rows put and all records emitted since the last commit."""
        self._touched.clear()
        self._packed.clear()
        self._new_wakes.clear()
        self._outputs.clear()
        self._after_commit.clear()
        self._after_sending.clear()
        self._prove = False
        self.settle()

    def settle(self) -> None:
        """End a fold that changed nothing: rows that were due and were not changed are due again."""
        self._decoded.clear()
        for wake in self._popped:
            if self._wake_of(wake[1]) == wake[0] and wake[1] not in self.set_aside.keys:
                self._wakes.note(wake)
        self._popped.clear()
        self._looked_at.clear()

    def seal(self) -> None:
        """Encode all rows that were put: after this, a commit fails only if the broker or the ownership does."""
        at_once(self.pack())

    async def commit(self, position: int) -> None:
        """Write changed rows, the position and all outputs in one transaction."""
        self.seal()
        changes, self._packed = self._packed, {}
        wakes, self._new_wakes = self._new_wakes, {}
        outputs, self._outputs = self._outputs, []
        self._prove = False
        try:
            async with asyncio.timeout(self._commit_timeout_s):
                await self._transact(changes, outputs, position)
        except TimeoutError:
            raise StateError(
                f"{self.name}: a transaction was not confirmed within {self._commit_timeout_s:g} s: "
                "the broker did not answer, or this process stood still"
            ) from None
        except (KafkaError, AssertionError) as error:  # aiokafka asserts that a broken transaction is not used
            cause = self._writer.failure() or error
            if isinstance(cause, ProducerFenced):
                raise FencedError(
                    f"{self.name}: another worker owns this partition by now; nothing of the batch was written"
                ) from None
            raise stopped(f"{self.name}: the transaction failed", cause, "Write") from error
        self._apply(changes, wakes)
        self.position = position
        acts, self._after_commit = self._after_commit, []
        for act in acts:
            act()
        if len(self._wakes) > 2 * len(self.rows) + 1000:
            await in_turns(Pace().kept_by(self._rebuild_wakes()))

    async def _transact(self, changes: dict[bytes, bytes | None], outputs: list[Output], position: int) -> None:
        await self._writer.begin_transaction()
        acts, self._after_sending = self._after_sending, []
        ends = await self._sender.send({**changes, POSITION: b"%d" % position}, outputs)
        for act in acts:
            act(ends)
        if acts:
            self.seal()
            more, self._packed = self._packed, {}
            outputs, self._outputs = self._outputs, []
            await self._sender.send(more, outputs)
            changes.update(more)
        await self._writer.commit_transaction()

    def _apply(self, changes: dict[bytes, bytes | None], wakes: Mapping[bytes, int]) -> None:
        rows = self.rows
        for key, encoded in changes.items():
            if encoded is None:
                rows.pop(key, None)
            else:
                rows[key] = encoded
        self._wakes.note_rows(wakes)
        if self.set_aside.keys:
            self.set_aside.look_again(changes)
        self.settle()

    def _rebuild_wakes(self) -> Pieces[None]:
        """Build the wakes anew from the rows, in pieces. Until it is done the old wakes hold, and readers see those.

        Meanwhile no wake is noted and no row changes: only the runner's task does either, and it waits for this.
        """
        wake_ms, wakes = self.codec.wake_ms, Wakes(self._wake_of)
        for lot in lots(self.rows.items()):
            for key, encoded in lot:
                if wake := wake_ms(encoded):
                    wakes.note((wake, key))
            yield
        self._wakes = wakes

    def _note_wake(self, key: bytes) -> None:
        """Note the wake of a row again, as its stored row has it."""
        if wake_ms := self._wake_of(key):
            self._wakes.note((wake_ms, key))

    def _wake_of(self, key: bytes) -> int:
        """Return the instant at which the stored row of a key wakes (ms), 0 for never."""
        encoded = self.rows.get(key)
        return 0 if encoded is None else self.codec.wake_ms(encoded)
