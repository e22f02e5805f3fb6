"""Batches as a fetch brings them, and what the consumer knows of their partition."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from aiokafka.structs import ConsumerRecord

Headers = Sequence[tuple[str, bytes]]


class Batch(NamedTuple):
    """What one fetch brought for one partition.

    It holds all that a ``read_committed`` reader can see of the offsets ``[start, end)``: offsets without a record are
    transaction markers, aborted records or compacted away. Without records it only says that. ``highwater`` is the
    partition's last stable offset when the broker answered (``fetched_ms``, real epoch milliseconds; 0: unknown).
    """

    records: Sequence[ConsumerRecord]
    start: int
    end: int
    highwater: int
    fetched_ms: int


class View(NamedTuple):
    """What the consumer knows of a partition: its end, and when (real ms) it learnt that."""

    highwater: int
    fetched_ms: int
