"""Which events arrive: of each kind when the newest one happened, and how many came within the hour.

The topics of events are looked at, not followed: where they end, and the last records before that. So it costs the same
however many events there are. `Arrivals` is pure; `Lookout` looks for it.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from aiokafka import AIOKafkaConsumer
from aiokafka.structs import ConsumerRecord, TopicPartition

from monitor.config.settings.settings import Settings
from monitor.core.facts.events import SUBJECTS, Subject
from monitor.core.time.units import HOUR_MS, MINUTE_MS
from monitor.errors import BrokerError, DecodeError
from monitor.installation import topic_of
from monitor.read_model.topics import partitions_of, reader
from monitor.wire.events import decode

log = logging.getLogger(__name__)

LOOK_S: Final = 2.0
RETRY_S: Final = 30.0
LAST_RECORDS: Final = 4
"""So many offsets before the end are read: markers of transactions, and what was taken back, are among them."""
READ_MS: Final = 1_000
APART_MS: Final = MINUTE_MS // 2
"""Numbers of records are kept so far apart within the hour."""


class Arrived(NamedTuple):
    """What arrived of one kind of event: ``records`` since ``since_ms``, an hour ago or when it was first looked.

    ``newest_ms`` is when the newest event happened; None: there was none, or nobody could read it.
    """

    subject: Subject
    newest_ms: int | None
    records: int
    since_ms: int


class Arrivals:
    """What arrived of each kind of event, as far as it was looked at."""

    def __init__(self) -> None:
        self._ends: deque[tuple[int, Mapping[Subject, int]]] = deque()
        self._newest: dict[Subject, int] = {}

    def look(self, now_ms: int, ends: Mapping[Subject, int], newest: Mapping[Subject, int]) -> None:
        """Take over where the topics end, in all partitions together, and when the newest events happened."""
        if len(self._ends) > 1 and now_ms - self._ends[-2][0] < APART_MS:
            self._ends.pop()
        self._ends.append((now_ms, ends))
        while len(self._ends) > 1 and self._ends[1][0] <= now_ms - HOUR_MS:
            self._ends.popleft()
        for subject, at_ms in newest.items():
            self._newest[subject] = max(at_ms, self._newest.get(subject, at_ms))

    def forget(self) -> None:
        """Forget all: nobody knows how it stands."""
        self._ends.clear()

    def known(self) -> list[Arrived]:
        """Return what arrived of each kind; nothing before the topics were looked at."""
        if not self._ends:
            return []
        (since_ms, first), (_, last) = self._ends[0], self._ends[-1]
        return [Arrived(one, self._newest.get(one), last[one] - first[one], since_ms) for one in SUBJECTS]


class Lookout:
    """Looks at the topics of events while `run` runs. ``now_ms`` is the installation's present instant."""

    def __init__(self, settings: Settings, now_ms: Callable[[], int]) -> None:
        self._settings = settings
        self._now_ms = now_ms
        self.arrivals = Arrivals()

    async def run(self) -> None:
        """Look for ever; after a failure of Kafka all is looked at anew."""
        while True:
            try:
                await self._look()
            except BrokerError as error:
                log.warning("nobody sees which events arrive: %s", error)
                self.arrivals.forget()
            await asyncio.sleep(RETRY_S)

    async def _look(self) -> None:
        topics = {topic_of(self._settings, subject): subject for subject in SUBJECTS}
        async with reader(self._settings) as consumer:
            partitions = await partitions_of(consumer, self._settings, list(topics))
            consumer.assign(partitions)
            consumer.pause(*partitions)
            known: dict[TopicPartition, int] = {}
            while True:
                ends = await consumer.end_offsets(partitions)
                moved = [tp for tp in partitions if ends[tp] != known.get(tp)]
                newest: dict[Subject, int] = {}
                for record in await _last_records(consumer, {tp: ends[tp] for tp in moved}):
                    subject = topics[record.topic]
                    at_ms = _happened_ms(subject, record)
                    if at_ms is not None:
                        newest[subject] = max(at_ms, newest.get(subject, at_ms))
                known = ends
                together = dict.fromkeys(SUBJECTS, 0)
                for tp, end in ends.items():
                    together[topics[tp.topic]] += end
                self.arrivals.look(self._now_ms(), together, newest)
                await asyncio.sleep(LOOK_S)


async def _last_records(consumer: AIOKafkaConsumer, ends: Mapping[TopicPartition, int]) -> list[ConsumerRecord]:
    """Return the last records before some ends. The partitions rest before and after it: nothing else is fetched."""
    if not ends:
        return []
    begins = await consumer.beginning_offsets(list(ends))
    for tp, end in ends.items():
        consumer.seek(tp, max(begins[tp], end - LAST_RECORDS))
    consumer.resume(*ends)
    fetched = await consumer.getmany(*ends, timeout_ms=READ_MS)
    consumer.pause(*ends)
    return [record for lot in fetched.values() for record in lot]


def _happened_ms(subject: Subject, record: ConsumerRecord) -> int | None:
    try:
        return decode(subject, record.key, record.value, record.headers).fact.time_ms
    except DecodeError:
        return None
