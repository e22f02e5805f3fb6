"""A small source to test the stream layer with: counts records per key, announces every fifth, and tells silence.

All that it announces follows from the input alone (``expected``), so a run with any disturbance has one right outcome:
a key was silent after its n-th record if the next one is at least ``silence_ms`` younger, or never came.
"""

from __future__ import annotations

import struct
from collections import defaultdict
from collections.abc import Iterable, Sequence

from aiokafka.structs import ConsumerRecord

from monitor.core.pieces import Pieces
from monitor.stream.partitions.partition import PartitionState
from monitor.stream.partitions.ports import Now
from monitor.stream.partitions.sources import Source

ROW = struct.Struct(">qqq")
EVERY = 5
POISON = b"poison"


class CountingCodec:
    def encode(self, key: bytes, row: object) -> bytes:  # noqa: ARG002 - the protocol's
        return ROW.pack(*row)

    def decode(self, key: bytes, encoded: bytes) -> object:  # noqa: ARG002 - the protocol's
        return ROW.unpack(encoded)

    def wake_ms(self, encoded: bytes) -> int:
        return struct.unpack_from(">q", encoded)[0]


class Counting:
    """Rows are ``(wake, count, due)``; ``grace_ms`` is how late a record may reach the broker."""

    def __init__(self, state: PartitionState, *, silence_ms: int, grace_ms: int, alerts: str, silent: str) -> None:
        self.state = state
        self.silence_ms, self.grace_ms = silence_ms, grace_ms
        self.alerts, self.silent = alerts, silent
        self.seen: list[bool] = []

    def committed(self) -> None:
        pass

    def restore(self) -> Pieces[None]:
        yield from ()

    def recover(self, error: Exception) -> Pieces[str]:  # noqa: ARG002 - the protocol's
        yield from ()
        return ""

    def batch(
        self,
        records: Sequence[ConsumerRecord],
        now: Now,
        *,
        due: bool = True,
    ) -> Pieces[None]:
        self.seen.append(now.caught_up)
        for place, record in enumerate(records):
            if place and place % 100 == 0:
                yield  # others may run
            if record.value == POISON:
                raise ValueError("poison")
            wake, count, due = self.state.get(record.key) or (0, 0, 0)
            if wake and due <= record.timestamp:
                self.state.emit(self.silent, record.key, b"%d" % count)
            count += 1
            due = record.timestamp + self.silence_ms
            self.state.put(record.key, (due + self.grace_ms, count, due))
            if count % EVERY == 0:
                self.state.emit(self.alerts, record.key, b"%d" % count)

    def tick(self, now: Now) -> Pieces[bool]:
        yield from ()
        if not now.caught_up:
            return False
        for key in self.state.due_keys(now.ms):
            _, count, due = self.state.get(key)
            self.state.emit(self.silent, key, b"%d" % count)
            self.state.put(key, (0, count, due))
        return False

    def next_tick_ms(self) -> int | None:
        return None


def counting_source(
    topic: str, *, silence_ms: int = 1000, grace_ms: int = 0, alerts: str = "alerts", silent: str = "silent"
) -> Source:
    return Source(
        topic=topic,
        codec=CountingCodec(),
        processor=lambda state: Counting(state, silence_ms=silence_ms, grace_ms=grace_ms, alerts=alerts, silent=silent),
    )


def expected(
    records: Iterable[ConsumerRecord], *, silence_ms: int
) -> tuple[dict[bytes, int], list[tuple[bytes, bytes]], list[tuple[bytes, bytes]]]:
    """Return the counts, the sorted alerts and the sorted silences that follow from records, all silent at the end."""
    times: dict[bytes, list[int]] = defaultdict(list)
    for record in records:
        times[record.key].append(record.timestamp)
    alerts, silent = [], []
    for key, instants in times.items():
        alerts += [(key, b"%d" % n) for n in range(EVERY, len(instants) + 1, EVERY)]
        for n, instant in enumerate(instants, 1):
            if n == len(instants) or instant + silence_ms <= instants[n]:
                silent.append((key, b"%d" % n))
    return {key: len(instants) for key, instants in times.items()}, sorted(alerts), sorted(silent)
