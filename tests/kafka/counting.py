"""A counting job on a real Kafka: its topics, its load, its workers and the check that it was done exactly once."""

from __future__ import annotations

import asyncio
import json
import random
import sys
import uuid
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.structs import ConsumerRecord, TopicPartition

from monitor.stream.kafka.connection import stop_consumer
from monitor.stream.kafka.topics import TopicSpec, create_topics
from monitor.stream.partitions.partition import POSITION
from tests.kafka.chaos import Command
from tests.stream.counting import ROW, expected

COMPACT_SOON = {
    "segment.ms": "3000",
    "min.cleanable.dirty.ratio": "0.01",
    "max.compaction.lag.ms": "3000",
    "delete.retention.ms": "60000",
}


@dataclass
class CountingJob:
    bootstrap: str
    folder: Path
    partitions: int = 4
    silence_ms: int = 2000
    grace_ms: int = 3000
    session_s: float = 6.0
    static: bool = False
    app: str = field(default_factory=lambda: f"job-{uuid.uuid4().hex[:8]}")

    @property
    def source(self) -> str:
        return f"{self.app}-in"

    @property
    def changelog(self) -> str:
        return f"{self.app}-{self.source}-state"

    def specs(self) -> list[TopicSpec]:
        return [
            TopicSpec(name=self.source, partitions=self.partitions),
            TopicSpec(name=f"{self.app}-alerts", partitions=self.partitions),
            TopicSpec(name=f"{self.app}-silent", partitions=self.partitions),
            TopicSpec(name=self.changelog, partitions=self.partitions, cleanup="compact", config=COMPACT_SOON),
        ]

    async def create(self) -> None:
        await create_topics(self.bootstrap, self.specs())

    def command(self, worker: int) -> Command:
        settings = {
            "app": self.app, "bootstrap": self.bootstrap, "topic": self.source, "data": str(self.folder / "data"),
            "alerts": f"{self.app}-alerts", "silent": f"{self.app}-silent",
            "silence_ms": self.silence_ms, "grace_ms": self.grace_ms, "session_s": self.session_s,
            "instance": f"worker-{worker}" if self.static else None,
        }  # fmt: skip
        return Command([sys.executable, "-m", "tests.kafka.counting_worker"], {"WORKER": json.dumps(settings)})

    async def produce(self, *, seconds: float, rate: int, keys: int = 400) -> None:
        """Send records with the broker's wall time, key and partition tied to each other."""
        producer = AIOKafkaProducer(bootstrap_servers=self.bootstrap, linger_ms=5, acks="all")
        await producer.start()
        chance = random.Random(7)
        loop = asyncio.get_running_loop()
        started = loop.time()
        sent = 0
        try:
            while (elapsed := loop.time() - started) < seconds:
                while sent < rate * elapsed:
                    key = chance.randrange(keys)
                    await producer.send(
                        self.source, key=b"k%d" % key, value=b"%d" % sent, partition=key % self.partitions
                    )
                    sent += 1
                await asyncio.sleep(0.01)
        finally:
            await producer.stop()

    async def read(self, topic: str) -> list[ConsumerRecord]:
        """Return all committed records of a topic."""
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self.bootstrap, isolation_level="read_committed", auto_offset_reset="earliest"
        )
        await consumer.start()
        try:
            partitions = [TopicPartition(topic, n) for n in range(self.partitions)]
            consumer.assign(partitions)
            ends = await consumer.end_offsets(partitions)
            records: list[ConsumerRecord] = []
            while any([await consumer.position(tp) < ends[tp] for tp in partitions]):
                for batch in (await consumer.getmany(timeout_ms=200)).values():
                    records += batch
            return records
        finally:
            await stop_consumer(consumer)

    async def rows(self) -> dict[bytes, bytes]:
        rows: dict[bytes, bytes] = {}
        for record in await self.read(self.changelog):
            key = b"%d%s" % (record.partition, record.key) if record.key == POSITION else record.key
            rows[key] = record.value
        return rows

    async def settled(self) -> bool:
        """Say whether all records were counted and all silences told."""
        records = await self.read(self.source)
        rows = [ROW.unpack(row) for key, row in (await self.rows()).items() if POSITION not in key]
        return sum(count for _, count, _ in rows) >= len(records) and not any(wake for wake, _, _ in rows)

    async def check(self) -> int:
        """Assert that everything was done exactly once; return how many records there were."""
        records = await self.read(self.source)
        counts, alerts, silent = expected(records, silence_ms=self.silence_ms)
        rows = {key: ROW.unpack(row)[1] for key, row in (await self.rows()).items() if POSITION not in key}

        assert rows == counts
        for name, wanted in (("alerts", alerts), ("silent", silent)):
            told = Counter((record.key, record.value) for record in await self.read(f"{self.app}-{name}"))
            assert told == Counter(wanted), f"{name}: differ in {(told - Counter(wanted), Counter(wanted) - told)}"
        return len(records)
