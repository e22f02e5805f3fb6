"""The batch, which is the result of one fetch, and the consumer's view of a partition."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from aiokafka.structs import ConsumerRecord

Headers = Sequence[tuple[str, bytes]]


class Batch(NamedTuple):
    """The result of one fetch for one partition.

    It holds every record that a ``read_committed`` reader can see in the offsets ``[start, end)``. Offsets without a
    record are transaction markers, aborted records, or records that compaction removed. A batch without records says
    only that the offsets hold none. ``highwater`` is the partition's last stable offset when the broker answered
    (``fetched_ms``, real epoch milliseconds; 0: unknown).
    """

    records: Sequence[ConsumerRecord]
    start: int
    end: int
    highwater: int
    fetched_ms: int


class View(NamedTuple):
    """The consumer's view of a partition: its end, and when (real ms) the consumer learnt it."""

    highwater: int
    fetched_ms: int
