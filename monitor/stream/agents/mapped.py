"""The work on a partition of a foreign topic: decode, map, re-key, emit to the topic of events. No record is kept.

The events go out in the same transaction as the position, so each record makes its events exactly once, whenever a
worker is killed. A record that does not map becomes a dead letter with its original bytes. Markers say how far this
partition has been read and where its events end (`monitor.wire.markers`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from aiokafka.structs import ConsumerRecord

from monitor.core.pieces import Pieces
from monitor.errors import DecodeError
from monitor.stream.agents.tally import Outlets, Tally, bury, count_later
from monitor.stream.kafka.pace import Pace
from monitor.stream.partitions.containment import internal_error
from monitor.stream.partitions.partition import PartitionState
from monitor.stream.partitions.ports import Now
from monitor.wire.deadletters import DEAD_LETTER_REASONS, REJECTED
from monitor.wire.events import decode, encode_event
from monitor.wire.fields import json_object, refuse
from monitor.wire.mapping import Mapper
from monitor.wire.mapping_rules import RowMapping
from monitor.wire.markers import SourceMarker, encode_source_marker
from monitor.wire.rows import EndsRow

ENDS = b"e"
"""The key of the row with the offsets at which the events made of the partition end."""
RECORDS_AT_ONCE = 128
"""Records that are mapped before other work may run."""


class Mapped:
    """Makes events of the records of one partition of a foreign topic.

    ``topic`` is that of the events. An event goes to the partition that Kafka's default partitioner finds for its
    subject's id, independently of the partition of the record.
    """

    def __init__(
        self,
        state: PartitionState,
        *,
        mapping: RowMapping,
        topic: str,
        outlets: Outlets,
        tally: Tally,
        lateness_ms: int,
    ) -> None:
        self.state = state
        self.subject = mapping.subject
        self.topic = topic
        self.outlets = outlets
        self.tally = tally
        self.lateness_ms = lateness_ms
        self.source = f"{state.topic}/{state.partition}"
        self.watermark_ms = 0
        self._mapper = Mapper(mapping, outlets.max_events_per_record)
        self._marked: tuple[int, bool] | None = None
        row = state.get(ENDS)
        self._ends = dict(row.ends) if isinstance(row, EndsRow) else {}
        """The offset after the last event that was made of this partition, by partition of the topic of events."""
        self.committed()

    def restore(self) -> Pieces[None]:
        """Do nothing more: the constructor has read the only row."""
        yield from ()

    def batch(
        self,
        records: Sequence[ConsumerRecord],
        now: Now,
        *,
        due: bool = True,  # noqa: ARG002 - nothing here is due
    ) -> Pieces[None]:
        """Map a batch of records."""
        any_made = False
        pace = Pace()
        for place, record in enumerate(records):
            if pace.is_over() or (place and place % RECORDS_AT_ONCE == 0):
                yield
            try:
                made = yield from self._events(record.value, now.ms, pace)
            except DecodeError as error:
                known = error.reason in DEAD_LETTER_REASONS
                reason, detail = (error.reason, error.detail) if known else (REJECTED, str(error))
                bury(self.state, self.outlets, self.tally, record, reason, detail)
                continue
            except Exception as error:  # noqa: BLE001 - nothing was emitted yet: there is nothing to take back
                bury(self.state, self.outlets, self.tally, *internal_error(record, error))
                continue
            for key, value in made:
                self.state.emit(self.topic, key, value, partition_key=key)
            any_made = any_made or bool(made)
            if made:
                count_later(self.state, self.tally.mapped, record.topic, len(made))
            else:
                count_later(self.state, self.tally.unmapped, record.topic)
        self._mark(now, any_made=any_made)

    def tick(self, now: Now) -> Pieces[bool]:
        """Emit a marker if this partition has caught up, or has fallen behind, since the last one."""
        yield from ()
        self._mark(now)
        return False

    def next_tick_ms(self) -> int | None:
        """Return None: nothing here is ever due."""
        return None

    def committed(self) -> None:
        """Remember the fields that stand in memory, for `recover`."""
        self._memory = self.watermark_ms, self._marked

    def recover(self, error: Exception) -> Pieces[str]:  # noqa: ARG002 - the containment finds the failing record
        """Go back to the fields that `committed` remembered last."""
        yield from ()
        self.watermark_ms, self._marked = self._memory
        return ""

    def _events(self, value: bytes | None, now_ms: int, pace: Pace) -> Pieces[list[tuple[bytes, bytes]]]:
        """Return key and value of each event that a record makes; none if the record is about nothing that counts."""
        if value is None:
            return []  # a deleted row, a compacted key: nothing happened to the subject
        limit = self.outlets.max_event_bytes
        if len(value) > limit:
            refuse("too_large", f"{len(value):,} bytes, at most {limit:,} are read")
        made = []
        newest_ms = self.watermark_ms
        events = yield from pace.kept_by(self._mapper.making(json_object(value)))
        for event in events or ():
            encoded = encode_event(event)
            # As strict as with events of other producers: only here is the record at hand that is to blame.
            decode(self.subject, *encoded, max_bytes=limit)
            made.append(encoded)
            newest_ms = max(newest_ms, event.fact.time_ms)
            if pace.is_over():
                yield
        self.watermark_ms = min(newest_ms, now_ms)
        if newest_ms:
            self.tally.last_event_ms[self.state.topic, self.state.partition] = newest_ms
        return made

    def _mark(self, now: Now, *, any_made: bool = False) -> None:
        """Have a marker emitted if the progress of this partition has changed: deadlines of its events wait for it."""
        behind = not now.caught_up
        marked = (max(0, self.watermark_ms - self.lateness_ms) if behind else 0), behind
        if marked == self._marked and not any_made:
            return
        is_news, self._marked = marked != self._marked, marked
        # The offsets of the events are known once they are sent, within the same transaction.
        self.state.after_sending(partial(self._tell, marked if is_news else None))

    def _tell(self, marked: tuple[int, bool] | None, ends: Mapping[tuple[str, int], int]) -> None:
        for (topic, partition), end in ends.items():
            if topic == self.topic:
                self._ends[partition] = max(end, self._ends.get(partition, 0))
        self.state.put(ENDS, EndsRow(dict(self._ends)))
        if marked is not None:
            watermark_ms, behind = marked
            marker = SourceMarker(source=self.source, watermark_ms=watermark_ms, behind=behind, ends=self._ends)
            self.state.emit(self.outlets.markers, *encode_source_marker(marker), partition=0)
