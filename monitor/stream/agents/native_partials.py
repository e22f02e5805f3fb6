"""The native merge of panes (the optional package ``sla-monitor-native``), as an evaluator's agent asks it.

The package takes the newest pane of each source, if its record is exactly what a worker of this release writes, it
counts something and holds no items, and its series is shown by itself. It puts that pane into the row of all sources as
it was sent: nothing is decoded until an evaluation needs it. All others are left to Python, in the order of their keys,
and so is all that follows in the same piece for the same series. No row, status or alert tells which of the two it was.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from typing import Final

from aiokafka.structs import ConsumerRecord

from monitor.core.series.series import SeriesKey
from monitor.core.windows.evaluator import Evaluator
from monitor.stream.agents.books import Books
from monitor.stream.agents.native_way import Native
from monitor.stream.agents.tally import Tally, count_later
from monitor.stream.partitions.partition import PartitionState

log = logging.getLogger(__name__)

MERGED: Final = b"w"
"""The first byte of the keys of merged panes."""
KEYS_AT_ONCE = 256
"""Panes that are merged before others may run: 0.3 ms, or 20 ms if all rows are as long as they may be."""
LONGEST: Final = 1 << 16
"""Bytes of a record, or of a row with its key, from which on Python merges it."""


class NativeMerge:
    """The native merge of one partition of partials."""

    def __init__(self, package: Native, state: PartitionState, tally: Tally) -> None:
        self._package = package
        self._state = state
        self._tally = tally
        self._merger = package.Merger(SeriesKey)
        """It keeps keys of series and slices as objects, and nothing else."""

    def merging(
        self, records: Sequence[ConsumerRecord], evaluator: Evaluator, books: Books
    ) -> Iterator[list[ConsumerRecord]]:
        """Merge panes in pieces; yield of each piece the records that Python merges before the next one."""
        try:
            batch = self._merger.read(records, LONGEST)
        except self._package.Fault as fault:
            self._failed(fault)
            yield list(records)
            return
        for start in range(0, len(batch), KEYS_AT_ONCE):
            try:
                count, left, watched = self._merger.merge(
                    batch, start, start + KEYS_AT_ONCE, *self._state.layers(MERGED)[:4], *evaluator.beside(books.book),
                    min(LONGEST, self._state.max_record_bytes),
                )  # fmt: skip
            except self._package.Fault as fault:
                self._failed(fault)
                yield [records[place] for place in batch.places(start)]
                return
            for agreement, start_ms in watched:
                evaluator.watch(agreement, start_ms)
            if count:
                count_later(self._state, self._tally.merged, "native", count)
            yield [records[place] for place in left]

    def _failed(self, fault: Exception) -> None:
        """Let Python merge the rest of a batch on which the package failed. What it keeps may be half, so it goes."""
        log.error(
            "%s: a fault of sla-monitor-native, please report it: %s; Python merges these panes",
            self._state.name, fault,
        )  # fmt: skip
        self._tally.native_faults[self._state.topic] += 1
        self._merger = self._package.Merger(SeriesKey)
