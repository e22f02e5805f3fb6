"""The markers of foreign topics as every worker knows them: a read model of the compacted topic of markers."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import NamedTuple

from aiokafka.structs import ConsumerRecord

from monitor.stream.partitions.shortage import stop_if_short
from monitor.wire.markers import CLOCK_KEY, SourceMarker, decode_source_marker

log = logging.getLogger(__name__)


class Told(NamedTuple):
    """The newest marker of a source, and the offset at which it stands."""

    offset: int
    marker: SourceMarker


class Markers:
    """The newest marker of each foreign partition, by ``topic/partition``; listeners are called after each change."""

    def __init__(self) -> None:
        self.newest: dict[str, Told] = {}
        self.end = 0
        """The offset after the last record that was read."""
        self.refused = 0
        self._listeners: list[Callable[[], None]] = []

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call a listener after each change."""
        self._listeners.append(listener)

    def take(self, records: Sequence[ConsumerRecord]) -> None:
        """Apply records of the topic, in order. A record that is no marker is reported and left out."""
        for record in records:
            self.end = record.offset + 1
            if record.key == CLOCK_KEY:  # for those who read the topics: a worker has its clock
                continue
            if record.value is None:
                self.newest.pop((record.key or b"").decode(errors="replace"), None)
                continue
            try:
                marker = decode_source_marker(record.value)
            except Exception as error:  # noqa: BLE001 - any failure refuses this record only: the others must be read
                stop_if_short(error)
                self.refused += 1
                log.error("marker %r refused: %s", record.key, error)  # noqa: TRY400 - a foreign record is no fault
                continue
            self.newest[marker.source] = Told(record.offset, marker)
        for listener in tuple(self._listeners):
            listener()
