"""A whole monitor on a real Kafka: its topics, its workers, and how all that they wrote compares with what must be.

Three independent sources say what must be: the alerts are computed in plain Python (`tests.kafka.monitor_oracle`), rows
and panes by the local core over the records of each source partition, and the status by a local evaluator over these
panes.
"""

from __future__ import annotations

import asyncio
import re
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.structs import ConsumerRecord, TopicPartition

from monitor.config.agreements.checking import book_of, parse_document
from monitor.config.settings.settings import Settings, load_settings
from monitor.core.agreements.book import Book
from monitor.core.alerts.alert import Alert
from monitor.core.facts.events import SUBJECTS, Subject
from monitor.core.objectives.status import WindowStatus
from monitor.core.series.series import Pane, PaneKey, SeriesKey, decode_pane_key
from monitor.core.subjects.engine import SourceEngine
from monitor.core.subjects.rows import SubjectRow, subject_key
from monitor.core.windows.evaluator import Evaluator
from monitor.errors import DecodeError
from monitor.installation import topic_of, topic_plan
from monitor.pipeline import CALL_RETENTION_MS
from monitor.replay.dict_rows import DictRows
from monitor.stream.agents.books import agreement_key
from monitor.stream.kafka.connection import stop_consumer
from monitor.stream.kafka.topics import changelog_of, create_topics
from monitor.stream.partitions.partition import POSITION
from monitor.wire.announcements import decode_alert, decode_status
from monitor.wire.events import decode
from monitor.wire.partials import Partial, decode_partial
from monitor.wire.rows import SOURCE_ROWS
from tests.kafka.chaos import Command, Fleet
from tests.kafka.counting import COMPACT_SOON

QUIET_S = 4.0


class Topics:
    """Follows topics as a ``read_committed`` reader: all records of some, the newest of each key of the others."""

    def __init__(
        self, bootstrap: str, partitions: int, *, all_of: Iterable[str], newest_of: Iterable[str], quiet_s: float
    ) -> None:
        self._quiet_s = quiet_s
        self.all: dict[str, list[ConsumerRecord]] = {topic: [] for topic in all_of}
        self.newest: dict[str, dict[tuple[int, bytes], ConsumerRecord]] = {topic: {} for topic in newest_of}
        self.behind_last: dict[TopicPartition, int] = defaultdict(int)
        """The offset behind the last record of each partition (markers of transactions come later)."""
        self.news_at = time.monotonic()
        self._tps = [TopicPartition(topic, n) for topic in (*self.all, *self.newest) for n in range(partitions)]
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=bootstrap, isolation_level="read_committed", auto_offset_reset="earliest"
        )

    async def __aenter__(self) -> Self:
        await self._consumer.start()
        self._consumer.assign(self._tps)
        return self

    async def __aexit__(self, *_: object) -> None:
        await stop_consumer(self._consumer)

    def is_quiet(self) -> bool:
        """Return whether nothing has been written for a while."""
        return time.monotonic() - self.news_at > self._quiet_s

    async def read(self) -> None:
        """Read on, to the present ends."""
        ends = await self._consumer.end_offsets(self._tps)
        while any([await self._consumer.position(tp) < ends[tp] for tp in self._tps]):
            for tp, records in (await self._consumer.getmany(timeout_ms=200)).items():
                if not records:
                    continue
                self.news_at = time.monotonic()
                self.behind_last[tp] = records[-1].offset + 1
                if tp.topic in self.all:
                    self.all[tp.topic] += records
                else:
                    self.newest[tp.topic].update({(tp.partition, record.key): record for record in records})


@dataclass
class MonitorJob:
    bootstrap: str
    folder: Path
    documents: list[dict[str, Any]]
    partitions: int = 4
    session_s: float = 6.0
    static: bool = False
    compact: bool = True
    quiet_s: float = QUIET_S
    more: dict[str, str] = field(default_factory=dict)
    """Further settings, by the names of their variables."""
    mark: str = field(default_factory=lambda: f"job-{uuid.uuid4().hex[:8]}")

    @property
    def environment(self) -> dict[str, str]:
        """The settings of the workers."""
        given = {
            "BOOTSTRAP": self.bootstrap,
            "APP_ID": self.mark,
            "SESSION_TIMEOUT": f"{self.session_s:g}s",
            "ALLOWED_LATENESS": "1s",
            "WEB_PORT": "0",
            "TOPICS_PARTITIONS": str(self.partitions),
            "TOPICS_DEAD_LETTERS": f"{self.mark}-dead-letters",
            **self.more,
        }
        for name in ("tickets", "calls", "outages", "leads", "agreements", "partials", "alerts", "status"):
            given[f"TOPICS_{name.upper()}"] = f"{self.mark}-{name}"
        for name in ("reports", "deliveries", "responses", "markers"):
            given[f"TOPICS_{name.upper()}"] = f"{self.mark}-{name}"
        given["TOPICS_STATEMENTS"] = f"{self.mark}-statements"
        return {f"SLA_MONITOR_{name}": value for name, value in given.items()}

    @cached_property
    def settings(self) -> Settings:
        return load_settings(None, self.environment)

    @cached_property
    def book(self) -> Book:
        return book_of([parse_document(document) for document in self.documents])

    @cached_property
    def sources(self) -> dict[Subject, str]:
        return {subject: topic_of(self.settings, subject) for subject in SUBJECTS}

    async def create(self) -> None:
        """Create the topics and publish the agreements."""
        await create_topics(self.bootstrap, topic_plan(self.settings, COMPACT_SOON if self.compact else None))
        for document in self.documents:
            await self.publish(document)

    async def publish(self, document: dict[str, Any]) -> None:
        """Put one version of an agreement in force."""
        await self.send(
            self.settings.topics.agreements,
            agreement_key(document["agreement"], document["version"]),
            orjson.dumps(document),
        )

    async def send(self, topic: str, key: bytes | None, value: bytes | None, **more: Any) -> None:
        """Write one record."""
        producer = AIOKafkaProducer(bootstrap_servers=self.bootstrap, max_request_size=12 << 20)
        await producer.start()
        try:
            await producer.send_and_wait(topic, value, key=key, **more)
        finally:
            await producer.stop()

    def command(self, worker: int) -> Command:
        """Return how a worker is started."""
        environment = dict(self.environment)
        if self.static:
            environment["SLA_MONITOR_INSTANCE_ID"] = f"{self.mark}-{worker}"
        return Command([sys.executable, "-m", "tests.kafka.monitor_worker"], environment)

    def topics(self) -> Topics:
        """Return a reader of all that the workers read and write."""
        names = self.settings.topics
        return Topics(
            self.bootstrap,
            self.partitions,
            all_of=(*self.sources.values(), names.alerts, names.statements, names.dead_letters),
            newest_of=(
                names.partials,
                names.status,
                *(changelog_of(self.mark, topic) for topic in (*self.sources.values(), names.partials)),
            ),
            quiet_s=self.quiet_s,
        )

    # -- how far the workers are

    def lag(self, topics: Topics) -> int:
        """Return how many records the workers have not applied yet."""
        lag = 0
        for topic in (*self.sources.values(), self.settings.topics.partials):
            for partition in range(self.partitions):
                row = topics.newest[changelog_of(self.mark, topic)].get((partition, POSITION))
                position = int(row.value) if row is not None else 0
                lag += max(0, topics.behind_last[TopicPartition(topic, partition)] - position)
        return lag

    def alerts(self, topics: Topics) -> list[Alert]:
        """Return all that was announced."""
        return [decode_alert(record.value) for record in topics.all[self.settings.topics.alerts]]

    async def health(self, fleet: Fleet) -> dict[int, dict[str, Any]]:
        """Ask the running workers how they are: /healthz, /readyz, and lag and open partitions at /metrics."""
        found = {}
        for worker in sorted(fleet.running()):
            address = re.findall(r"serves (http\S+)", fleet.log(worker))[-1]
            healthz, readyz, metrics = [
                await asyncio.to_thread(_get, f"{address.rstrip('/')}/{page}")
                for page in ("healthz", "readyz", "metrics")
            ]
            found[worker] = {
                "alive": healthz[0] == 200,
                "ready": readyz[0] == 200,
                "lag": sum(value for name, _, value in _samples(metrics[1]) if name == "sla_lag_records"),
                "open": [of for name, of, value in _samples(metrics[1]) if name == "sla_partition_open" and value],
            }
        return found

    # -- what must be

    def local(self, topics: Topics, now_ms: int) -> dict[str, DictRows]:
        """Return the rows of each source partition, folded by the core from its records at once."""
        found = {}
        for subject, topic in self.sources.items():
            retention_ms = CALL_RETENTION_MS if subject == "call" else self.settings.subject_retention_ms
            by_partition = defaultdict(list)
            for record in topics.all[topic]:
                try:
                    by_partition[record.partition].append(decode(subject, record.key, record.value, record.headers))
                except DecodeError:
                    continue
            for partition, events in by_partition.items():
                rows = DictRows()
                engine = SourceEngine(subject, rows, retention_ms=retention_ms)
                engine.batch(events, now_ms, self.book)
                while engine.expire(now_ms):
                    pass
                found[f"{topic}/{partition}"] = rows
        return found

    def panes_differ(self, topics: Topics, local: dict[str, DictRows]) -> list[str]:
        """Return in which panes the partials, the newest of each source and pane, differ from the local ones."""
        told = {}
        for record in topics.newest[self.settings.topics.partials].values():
            partial = decode_partial(record.key, record.value)
            if isinstance(partial, Partial) and partial.pane is not None and any(partial.pane):
                told[partial.source, partial.pane_key] = partial.pane
        return _differences("pane", told, self.panes(local))

    def panes(self, local: dict[str, DictRows]) -> dict[tuple[str, PaneKey], Pane]:
        """Return the panes of all sources, but for empty ones."""
        return {
            (source, decode_pane_key(key)): row
            for source, rows in local.items()
            for key, row in rows.rows.items()
            if isinstance(row, Pane) and any(row)
        }

    def rows_differ(self, topics: Topics, local: dict[str, DictRows], but: Collection[str] = frozenset()) -> list[str]:
        """Return in which subjects the rows of the changelogs differ from the local ones. ``but``: not of these ids."""
        left_out = {subject_key(one) for one in but}
        stored = {
            (f"{topic}/{partition}", key): SOURCE_ROWS.decode(key, record.value)
            for topic in self.sources.values()
            for (partition, key), record in topics.newest[changelog_of(self.mark, topic)].items()
            if key[:1] == b"s" and record.value is not None and key not in left_out
        }
        wanted = {
            (source, key): row
            for source, rows in local.items()
            for key, row in rows.rows.items()
            if isinstance(row, SubjectRow) and key not in left_out
        }
        return _differences("row", stored, wanted)

    def status_differs(self, topics: Topics, local: dict[str, DictRows]) -> list[str]:
        """Return in which windows the newest status differs from what an evaluator makes of the local panes."""
        told = {}
        for record in topics.newest[self.settings.topics.status].values():
            if record.value is not None:
                status = decode_status(record.value)
                told[status.series, status.window] = status._replace(before=())  # no pane tells what was stated
        as_of: dict[int, set[SeriesKey]] = defaultdict(set)
        for (series, _), status in told.items():
            as_of[status.as_of_ms].add(series)
        panes = defaultdict(list)
        for (source, key), pane in self.panes(local).items():
            panes[key.series].append((source, key, pane))
        wanted: dict[Any, WindowStatus] = {}
        for as_of_ms, some in as_of.items():
            evaluated = self.evaluated([one for series in some for one in panes[series]], as_of_ms)
            wanted |= {
                key: one._replace(before=())
                for key, one in evaluated.items()
                if key not in told or told[key].as_of_ms == as_of_ms
            }
        return [
            *_differences("status", told, wanted),
            *_differences("series without status", set(), panes.keys() - {series for series, _ in told}),
        ]

    def objectives_differ(self, topics: Topics) -> list[str]:
        """Return which objectives are broken by the newest status but not by the last alert, or the other way round."""
        told, wanted = {}, {}
        for alert in self.alerts(topics):  # those of one objective stand in their order
            if alert.key.kind == "objective":
                told[alert.key.promise, *alert.key.what.split("|")[:2]] = alert.state == "breached"
        for record in topics.newest[self.settings.topics.status].values():
            status = None if record.value is None else decode_status(record.value)
            for verdict in status.verdicts if status else ():
                wanted[verdict.objective, ",".join(status.series.values), status.window] = verdict.verdict == "breached"
        broken = [{key for key, is_broken in found.items() if is_broken} for found in (told, wanted)]
        return _differences("broken objective", *broken)

    def evaluated(self, panes: Iterable[tuple[str, PaneKey, Pane]], as_of_ms: int) -> dict[Any, WindowStatus]:
        """Return what an evaluator shows of panes as of an instant."""
        evaluator, book = Evaluator(DictRows(), lambda _: True), self.book
        for source, key, pane in panes:
            evaluator.fold(source, key, pane, book)
        while evaluator.evaluate(as_of_ms, book).more:
            pass
        return evaluator.latest

    def dead_letters_differ(self, topics: Topics) -> list[str]:
        """Return which spoiled records became no dead letter, or more than one."""
        told = Counter(record.key for record in topics.all[self.settings.topics.dead_letters])
        wanted = Counter()
        for subject, topic in self.sources.items():
            for record in topics.all[topic]:
                try:
                    decode(subject, record.key, record.value, record.headers)
                except DecodeError:
                    wanted[f"{topic}/{record.partition}/{record.offset}".encode()] += 1
        return _differences("dead letter", dict(told), dict(wanted))


def _differences(what: str, told: Any, wanted: Any) -> list[str]:
    if isinstance(told, set):
        told, wanted = dict.fromkeys(told, "it"), dict.fromkeys(wanted, "it")
    return [
        f"{what} {key}: told {told.get(key)}, wanted {wanted.get(key)}"
        for key in sorted(told.keys() | wanted.keys(), key=repr)
        if told.get(key) != wanted.get(key)
    ]


def _get(address: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(address, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, refused.read().decode()
    except OSError:  # it has just been started again
        return 0, ""


def _samples(metrics: str) -> Iterator[tuple[str, str, float]]:
    """Yield name, labels and value of each sample of an exposition."""
    for line in metrics.splitlines():
        if not line.startswith("#"):
            series, _, value = line.rpartition(" ")
            name, _, labels = series.partition("{")
            yield name, labels, float(value)
