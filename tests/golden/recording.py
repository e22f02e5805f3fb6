"""A recording of a release (`tests.golden.record`), read back, and put into an installation's topics."""

from __future__ import annotations

import base64
import gzip
import json
from collections import defaultdict
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from aiokafka import AIOKafkaProducer

from monitor.stream.kafka.topics import changelog_of
from monitor.stream.partitions.partition import POSITION
from tests.e2e.installation import Installation

FOLDER = Path(__file__).parent
RELEASES = sorted(file.name.removesuffix(".json.gz") for file in FOLDER.glob("*.json.gz"))
FILLER = b"filler"


class Record(NamedTuple):
    """A record of a topic as it was written."""

    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    timestamp: int


class Recording(NamedTuple):
    """What a release left behind: all records by topic, and by source partition what its rows said, by key."""

    now_ms: int
    topics: dict[str, list[Record]]
    rows: dict[str, dict[bytes, Any]]

    def stored(self, changelog: str, partition: int) -> dict[bytes, bytes]:
        """Return the newest encoded rows of a changelog's partition."""
        newest = {one.key: one.value for one in self.topics[changelog] if one.partition == partition}
        return {key: value for key, value in newest.items() if key is not None and value is not None}


@cache
def recording(release: str) -> Recording:
    """Return the recording of a release."""
    found = json.loads(gzip.decompress((FOLDER / f"{release}.json.gz").read_bytes()))
    return Recording(
        found["now_ms"],
        {
            name: [Record(part, offset, _bytes(key), _bytes(value), at) for part, offset, key, value, at in records]
            for name, records in found["topics"].items()
        },
        {source: {base64.b85decode(key): row for key, row in rows.items()} for source, rows in found["rows"].items()},
    )


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else base64.b85decode(text)


async def refill(installation: Installation, release: str) -> None:
    """Write all records of a release; each record of a topic that is consumed gets its offset of then."""
    found = recording(release)
    producer = AIOKafkaProducer(bootstrap_servers=installation.settings.bootstrap)
    await producer.start()
    try:
        for topic, records in found.topics.items():
            changelog = changelog_of(installation.settings.app_id, topic)
            by_partition: dict[int, list[Record]] = defaultdict(list)
            for record in records:
                by_partition[record.partition].append(record)
            for partition, own in by_partition.items():
                end = int(found.stored(changelog, partition)[POSITION]) if changelog in found.topics else 0
                await _write(producer, topic, partition, own, end)
        await producer.flush()
    finally:
        await producer.stop()


async def _write(producer: AIOKafkaProducer, topic: str, partition: int, records: list[Record], end: int) -> None:
    """Write a partition; where it had markers of transactions before its position, it gets fillers."""
    at_offset = {record.offset: record for record in records}
    for place in range(end):
        record = at_offset.pop(place, Record(partition, place, FILLER, FILLER, records[0].timestamp))
        sent = await producer.send_and_wait(
            topic, key=record.key, value=record.value, partition=partition, timestamp_ms=record.timestamp
        )
        assert sent.offset == place
    for record in at_offset.values():
        await producer.send(
            topic, key=record.key, value=record.value, partition=partition, timestamp_ms=record.timestamp
        )
