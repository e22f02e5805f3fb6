"""The app of a worker: a Faust app whose agents hand each batch to the runner of its partition.

One agent per topic, concurrency 1, nothing acknowledged by Faust itself. The agent only hands over, so one partition's
restore or commit holds up no other. The first failure of any partition stops the worker, un-acknowledged.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import gettempdir
from typing import Any, Final

import mode
from aiokafka.errors import KafkaError
from faust.auth import OAuthCredentials, SASLCredentials, SSLCredentials
from faust.types import TP

from monitor.errors import BrokerError, SlaMonitorError, StateError
from monitor.stream.kafka.batch import View
from monitor.stream.kafka.connection import Asker, Connection, ends_below
from monitor.stream.kafka.refusals import missing_right
from monitor.stream.kafka.topics import changelog_of
from monitor.stream.kafka.transport import BatchApp, BatchConsumer
from monitor.stream.partitions.caught_up import LATE_S
from monitor.stream.partitions.clock import Clock, WallClock, wall_ms
from monitor.stream.partitions.runner import PartitionRunner
from monitor.stream.partitions.sources import Source
from monitor.stream.partitions.stats import Stats

log = logging.getLogger(__name__)

PULSE_S: Final = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSettings:
    """The settings by which a worker meets Kafka.

    ``instance_id`` makes its group membership static: a restart within the session moves no partition. ``security``
    holds aiokafka's own keywords (see ``Connection``). ``no_progress_s``: a worker stops if a partition with lag, or a
    rebalance, makes no progress for that long.
    """

    app_id: str
    bootstrap: str
    instance_id: str | None = None
    session_timeout_s: float = 15.0
    heartbeat_interval_s: float = 3.0
    rebalance_timeout_s: float = 60.0
    request_timeout_s: float = 40.0
    transaction_timeout_s: float = 15.0
    group_commit_interval_s: float = 2.8
    max_batch_records: int = 2000
    max_batch_bytes: int = 1 << 20
    max_record_bytes: int = 8 << 20
    check_crcs: bool = True
    no_progress_s: float = 120.0
    data_dir: Path = field(default_factory=lambda: Path(gettempdir()) / "sla-monitor")
    security: Mapping[str, Any] = field(default_factory=dict)

    @property
    def connection(self) -> Connection:
        """The connection to the brokers, for all calls that do not go through Faust."""
        return Connection(
            bootstrap=self.bootstrap,
            client_id=self.app_id,
            transaction_timeout_s=self.transaction_timeout_s,
            max_record_bytes=self.max_record_bytes,
            check_crcs=self.check_crcs,
            security=self.security,
        )


class _Upstream:
    """Faust's consumer, reduced to the calls that one partition needs."""

    def __init__(self, consumer: BatchConsumer, asker: Asker, tp: TP) -> None:
        self._consumer = consumer
        self._asker = asker
        self._tp = tp

    def view(self) -> View | None:
        return self._consumer.view(self._tp)

    async def first_offset(self) -> int:
        return await self._asker.first(self._tp)

    async def end_offset(self) -> int:
        return await self._asker.end(self._tp)

    async def committed_offset(self) -> int | None:
        return await self._asker.committed(self._tp)

    async def seek(self, offset: int) -> None:
        await self._consumer.seek_wait({self._tp: offset})

    def finished(self, message: Any) -> None:  # noqa: ANN401 - Faust's message
        self._consumer.batch_finished(message)


class WorkerApp(BatchApp):
    """A Faust app that consumes some sources, exactly once. Made by ``build_app``, run by ``run_worker``."""

    settings: WorkerSettings
    sources: Mapping[str, Source]
    clock: Clock
    stats: Stats
    runners: dict[TP, PartitionRunner]
    failure: BaseException | None
    finished: asyncio.Event
    _pulse: asyncio.TimerHandle | None
    _assigned_once: bool
    _in_group_at: float
    _wall_at: float
    _ends: Mapping[TP, int]
    _low: Mapping[TP, int]
    _asker: Asker

    def _new_consumer(self) -> BatchConsumer:
        consumer: BatchConsumer = super()._new_consumer()
        consumer.max_batch_records = self.settings.max_batch_records
        consumer.max_batch_bytes = self.settings.max_batch_bytes
        return consumer

    def ready(self) -> bool:
        """Return whether the worker has joined its group and all partitions assigned to it are open."""
        return (
            self.failure is None
            and not self.finished.is_set()
            and bool(self._assigned_once)
            and not self.rebalancing
            and all(runner.is_open for runner in self.runners.values())
        )

    def standstill(self) -> str | None:
        """Name what made no progress for ``no_progress_s``: a partition with lag or in its restore, or a rebalance."""
        now, longest_s = time.monotonic(), self.settings.no_progress_s
        if now - self._in_group_at > longest_s:
            return f"no place in consumer group {self.settings.app_id} for {longest_s:g} s"
        for runner in self.runners.values():
            if runner.is_open and runner.lag == 0:
                runner.progress_at = now
            elif now - runner.progress_at > longest_s:
                return f"no progress of {runner.state.name} for {longest_s:g} s although records wait"
        return None

    async def check_ends(self) -> None:
        """Make sure that no source ends below the highest offset known of it: the last end seen, or the position.

        A lower end counts if two checks in a row find it. It means that the topic was deleted and created again under
        the workers. Kafka takes the partitions of a deleted topic away from all workers, so each worker checks all
        sources.

        Raises:
            StateError: a source ends below that offset.
        """
        tps = [TP(topic, number) for topic, source in self.sources.items() for number in range(source.partitions)]
        known = {tp: max(self._ends.get(tp, 0), self._position(tp)) for tp in tps}
        try:
            ends = await asyncio.gather(*(self._asker.end(tp) for tp in tps))
        except KafkaError as error:  # a broker that does not answer stops the worker elsewhere
            log.warning("the ends of the sources cannot be looked at: %r", error)
            return
        low = {tp: end for tp, end in zip(tps, ends, strict=True) if end < known[tp]}
        for tp in low.keys() & self._low.keys():
            raise ends_below(
                f"{tp.topic}/{tp.partition}", low[tp], known[tp], changelog_of(self.settings.app_id, tp.topic)
            )
        self._low = low
        self._ends = {tp: max(end, known[tp]) for tp, end in zip(tps, ends, strict=True)}

    def _position(self, tp: TP) -> int:
        runner = self.runners.get(tp)
        return runner.state.position if runner is not None and runner.is_open else 0

    def request_stop(self) -> None:
        """Make ``run_worker`` stop cleanly: commits in flight end, the group is left."""
        self.finished.set()

    def look_again(self) -> None:
        """Set the timers of all partitions anew: something outside of the sources has changed (agreements)."""
        for runner in self.runners.values():
            runner.look_again()

    def fail(self, error: BaseException) -> None:
        """Stop un-acknowledged because of an error. The first error is the one that is reported."""
        if self.failure is not None:
            return
        if (right := missing_right(error, "Read")) is not None:
            error = BrokerError(right)
        self.failure = error
        if isinstance(error, SlaMonitorError):
            log.critical("worker stops: %s", error)
        else:
            log.critical("worker stops: %r", error, exc_info=error)
        self.finished.set()

    async def on_stop(self) -> None:
        """Stop reading, then end the commits in flight; committed batches are acknowledged before the group is left."""
        # Stopping the consumer may take a second. Nothing is read then, so the clock proves nothing.
        for runner in self.runners.values():
            runner.end_ticks()
        await self._stop_consumer()
        if self._pulse is not None:
            self._pulse.cancel()
        await self._close_all()
        await self._asker.close()
        await super().on_stop()

    async def _close_all(self) -> None:
        runners, self.runners = self.runners, {}
        await asyncio.gather(*(runner.close() for runner in runners.values()))

    # -- for the agents and the rebalances

    def submit(self, event: Any) -> None:  # noqa: ANN401 - Faust's event
        """Hand a batch to the runner of its partition, if this worker still owns the partition."""
        message = event.message
        runner = self.runners.get(message.tp)
        if runner is None or message.generation_id != self.consumer_generation_id:
            self.consumer.batch_finished(message)  # queued before a rebalance: another worker may own the partition
        else:
            runner.submit(event)

    def open_partitions(self, assigned: set[TP]) -> None:
        """Open partitions in tasks: a long restore must not hold up the rebalance.

        Batches wait in their runner meanwhile.

        Partitions that were added to a topic after this worker started have no changelog: their records wait in the
        topic.
        """
        self._assigned_once = True
        for tp in assigned:
            source = self.sources.get(tp.topic)
            if source is not None and tp not in self.runners and tp.partition < source.partitions:
                self.runners[tp] = PartitionRunner(
                    source=source,
                    partition=tp.partition,
                    app_id=self.settings.app_id,
                    changelog=changelog_of(self.settings.app_id, tp.topic),
                    connection=self.settings.connection,
                    clock=self.clock,
                    upstream=_Upstream(self.consumer, self._asker, tp),
                    stats=self.stats.partition(tp.topic, tp.partition),
                    failed=self.fail,
                )

    async def close_partitions(self, revoked: set[TP]) -> None:
        """Close partitions after their commits in flight. The rebalance waits for this."""
        self.stats.rebalances += 1
        runners = {tp: self.runners.pop(tp) for tp in revoked if tp in self.runners}
        await asyncio.gather(*(runner.close() for runner in runners.values()))
        for tp in runners:
            self.stats.forget(tp.topic, tp.partition)

    def beat(self, expected: float | None = None) -> None:
        """Check, at an even pace, for standstills: of this process, of records that wait, of partitions or rebalances.

        After a standstill of the process, the known ends of the sources may be old.
        """
        now = self.loop.time()
        if expected is None or (self._assigned_once and not self.rebalancing):  # from the start on
            self._in_group_at = time.monotonic()
        if self._crashed.is_set() and self.crash_reason is not None:
            self.fail(self.crash_reason)  # a crash in the consumer's thread wakes no task that waits in this loop
        consumer: BatchConsumer | None = self._consumer
        if consumer is not None and (refusal := consumer.group_refusal()) is not None:
            self.fail(refusal)
        if expected is not None and now - expected > LATE_S:
            self.stats.stalls += 1
            log.warning("the process stood still for %.1f s", now - expected + PULSE_S)
            self._in_group_at = time.monotonic()
            for runner in self.runners.values():
                runner.distrust()
        step_s = (wall_ms() / 1000 - now) - self._wall_at
        self._wall_at += step_s
        if expected is not None and abs(step_s) > LATE_S:
            self.stats.clock_steps += 1
            log.warning("the clock of this host was set by %+.1f s (or it slept): it is judged by from now on", step_s)
            for runner in self.runners.values():
                runner.clock_was_set()
        for runner in self.runners.values():
            runner.pulse()
        if (standstill := self.standstill()) is not None:
            # A probe of /healthz would restart the worker; where there is none, it must not live on and do nothing.
            self.fail(StateError(standstill))
        # A plain timer, not a task: after a freeze it must come before the timers that were due later.
        self._pulse = self.loop.call_later(PULSE_S, self.beat, now + PULSE_S)


def build_app(settings: WorkerSettings, sources: Mapping[str, Source], clock: Clock | None = None) -> WorkerApp:
    """Return a worker that consumes some sources (topic name → source). Call it in the event loop that will run it."""
    app = WorkerApp(
        settings.app_id,
        broker=[f"kafka://{address.strip()}" for address in settings.bootstrap.split(",")],
        broker_client_id=settings.app_id,
        broker_credentials=_credentials(settings.security),
        broker_session_timeout=settings.session_timeout_s,
        broker_heartbeat_interval=settings.heartbeat_interval_s,
        broker_rebalance_timeout=settings.rebalance_timeout_s,
        broker_request_timeout=settings.request_timeout_s,
        broker_commit_interval=settings.group_commit_interval_s,
        broker_check_crcs=settings.check_crcs,
        broker_max_poll_records=settings.max_batch_records,
        consumer_auto_offset_reset="earliest",
        # A broker that has just been started may answer without the topics. The leader of the group then assigns no
        # partition to anybody until it asks for the topics again: by default that is five minutes later.
        consumer_metadata_max_age_ms=int(settings.session_timeout_s * 1000),
        consumer_group_instance_id=settings.instance_id,
        consumer_max_fetch_size=settings.max_batch_bytes,
        agent_supervisor=mode.CrashingSupervisor,
        stream_wait_empty=False,
        stream_buffer_maxsize=1000,
        topic_partitions=1,
        topic_allow_declare=False,
        topic_disable_leader=True,
        store="memory://",
        table_standby_replicas=0,  # then Faust leaves the spreading to Kafka's round robin: there are no tables
        datadir=str(settings.data_dir),
        web_enabled=False,
        worker_redirect_stdouts=False,
    )
    app.settings, app.sources, app.clock = settings, dict(sources), clock or WallClock()
    app.stats, app.runners, app.failure, app.finished = Stats(), {}, None, asyncio.Event()
    app._pulse, app._assigned_once = None, False  # noqa: SLF001 - its maker
    app._wall_at, app._ends, app._low = 0.0, {}, {}  # noqa: SLF001 - its maker
    app._in_group_at, app._asker = time.monotonic(), Asker(settings.connection)  # noqa: SLF001 - its maker

    async def on_assigned(_: Any, assigned: set[TP], **__: Any) -> None:  # noqa: ANN401 - a Faust signal
        app.open_partitions(assigned)

    async def on_revoked(_: Any, revoked: set[TP], **__: Any) -> None:  # noqa: ANN401 - a Faust signal
        await app.close_partitions(revoked)

    app.on_partitions_assigned.connect(on_assigned, weak=False)
    app.on_partitions_revoked.connect(on_revoked, weak=False)
    for topic in app.sources:
        channel = app.topic(topic, key_serializer="raw", value_serializer="raw")
        app.agent(channel, name=f"{settings.app_id}-{topic}", concurrency=1)(_agent(app))
    return app


def _agent(app: WorkerApp) -> Callable[[Any], Any]:
    async def hand_over(stream: Any) -> None:  # noqa: ANN401 - a Faust stream
        async for event in stream.noack().events():
            app.submit(event)

    return hand_over


def _credentials(security: Mapping[str, Any]) -> SSLCredentials | SASLCredentials | OAuthCredentials | None:
    """Return Faust's form of aiokafka's security keywords.

    Raises:
        BrokerError: Faust has no form for them.
    """
    protocol = security.get("security_protocol", "PLAINTEXT")
    if protocol == "PLAINTEXT":
        return None
    if protocol == "SSL":
        return SSLCredentials(security["ssl_context"])
    mechanism = security.get("sasl_mechanism", "PLAIN")
    if protocol in ("SASL_PLAINTEXT", "SASL_SSL") and mechanism in ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"):
        return SASLCredentials(
            username=security["sasl_plain_username"],
            password=security["sasl_plain_password"],
            ssl_context=security.get("ssl_context"),
            mechanism=mechanism,
        )
    if protocol in ("SASL_PLAINTEXT", "SASL_SSL") and mechanism == "OAUTHBEARER":
        return OAuthCredentials(oauth_cb=security["sasl_oauth_token_provider"], ssl_context=security.get("ssl_context"))
    raise BrokerError(f"security protocol {protocol} with mechanism {mechanism} is not supported")
