"""Compares what comes from a source with the position of its partition, and has missing records fetched again.

A ``Batch`` says which offsets it covers. Records below the position were applied before. If it begins above the
position, records were not delivered. If retention has removed them from the topic, they are counted and logged as lost.
Otherwise the source is sought back to the position. It is also sought back if records wait behind the position and none
comes. Fetched records may be lost on their way here (Faust empties its queues when one rebalance follows another), or
the group's offset may be ahead of the rows. After several vain attempts the worker stops.
"""

from __future__ import annotations

import logging
from bisect import bisect_left
from collections.abc import Sequence
from typing import Final

from aiokafka.errors import KafkaError
from aiokafka.structs import ConsumerRecord

from monitor.counters import PartitionStats
from monitor.errors import StateError
from monitor.stream.kafka.batch import Batch
from monitor.stream.partitions.partition import PartitionState
from monitor.stream.partitions.ports import Upstream

log = logging.getLogger(__name__)

SEEKS: Final = 5
STALL_PULSES: Final = 8
"""Pulses without a batch, while records wait, after which they are fetched again. The number doubles each time."""


class Following:
    """How one partition follows its source.

    ``seeks`` counts the times that it was read again since the last batch that followed, ``pulses_in_vain`` the pulses
    of the worker without a batch while records wait.
    """

    def __init__(self, state: PartitionState, upstream: Upstream, stats: PartitionStats) -> None:
        self.seeks = 0
        self.pulses_in_vain = 0
        self._state = state
        self._upstream = upstream
        self._stats = stats

    @property
    def is_stalled(self) -> bool:
        """Whether records wait in the source and none has come for so long that they are fetched again."""
        return self.pulses_in_vain > STALL_PULSES << self.seeks

    def unapplied(self, batch: Batch) -> Sequence[ConsumerRecord]:
        """Return the records of a batch that were not applied before, and count the others."""
        position = self._state.position
        below = bisect_left(batch.records, position, key=lambda record: record.offset)
        self._stats.skipped += below
        records = batch.records[below:]
        self._stats.holes += max(0, batch.end - max(batch.start, position) - len(records))
        return records

    async def follows(self, batch: Batch) -> bool:
        """Return whether the batch follows the position without a gap; otherwise have the missing records fetched."""
        position = self._state.position
        if batch.start <= position:
            return True
        first = await self._upstream.first_offset()
        if first >= batch.start:
            if position:
                self._stats.lost += batch.start - position
                log.error(
                    "%s: LOST up to %d records: offsets %d to %d had expired in the topic before they were read",
                    self._state.name, batch.start - position, position, batch.start - 1,
                )  # fmt: skip
            self._state.position = batch.start
            return True
        await self.seek_back(max(first, position), "the source stands beyond the position")
        return False

    async def seek_back(self, offset: int, why: str) -> None:
        """Have the source read again from an offset.

        Raises:
            StateError: it was in vain several times.
        """
        self.seeks += 1
        self._stats.rereads += 1
        if self.seeks > SEEKS:
            raise StateError(f"{self._state.name}: the records from offset {offset} on are not delivered")
        log.warning("%s: %s: reading from offset %d", self._state.name, why, offset)
        try:
            await self._upstream.seek(offset)
        except (TimeoutError, KafkaError) as error:  # a rebalance may take the partition away; else: once more
            log.warning("%s: cannot read from offset %d: %r", self._state.name, offset, error)
