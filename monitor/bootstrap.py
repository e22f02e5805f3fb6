"""Puts a worker together: settings in, a running monitor out. The one place that knows all the parts."""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from typing import Any, Final

from monitor.config.receivers.base import stamp_of
from monitor.config.settings.settings import Settings
from monitor.config.settings.web import WebSettings
from monitor.core.facts.events import SUBJECTS
from monitor.core.paging.notices import Courier
from monitor.counters import DELAY_BOUNDS, Durations
from monitor.errors import BrokerError, ConfigError, Mistake
from monitor.installation import needed_rights, security_options, topic_of, topic_plan
from monitor.metrics.exporter import Exporter
from monitor.metrics.shown import MAX_SPREADS
from monitor.metrics.snapshot import ReceiverStats, Snapshot, SourcePartition
from monitor.notify.courier import WebhookCourier, ZoneOf
from monitor.pipeline import Pipeline
from monitor.stream.agents.books import BookReader, Books
from monitor.stream.agents.capping import Capping
from monitor.stream.agents.coming import Coming
from monitor.stream.agents.ingest import WAYS
from monitor.stream.agents.markers import Markers
from monitor.stream.agents.oncall import OnCall
from monitor.stream.agents.tally import Outlets, Tally
from monitor.stream.kafka.read_model import ModelReader
from monitor.stream.kafka.refusals import refusal
from monitor.stream.kafka.topics import check_topics, count_partitions
from monitor.stream.partitions.app import WorkerApp, WorkerSettings, build_app
from monitor.stream.partitions.clock import Clock, WallClock, wall_ms
from monitor.stream.partitions.partition import PartitionState
from monitor.stream.partitions.sources import Source
from monitor.stream.partitions.watch import TopicWatch
from monitor.stream.partitions.worker import failing, run_worker
from monitor.web.door import Door, Limits
from monitor.web.server import WebServer

log = logging.getLogger(__name__)

REFUSAL_TIMEOUT_S: Final = 10.0


def outlets_of(settings: Settings) -> Outlets:
    """Return the topics to which a worker writes, and the limits of its records."""
    topics = settings.topics
    return Outlets(
        alerts=topics.alerts,
        partials=topics.partials,
        partials_partitions=topics.partitions,
        dead_letters=topics.dead_letters,
        status=topics.status,
        statements=topics.statements,
        reports=topics.reports,
        deliveries=topics.deliveries,
        markers=topics.markers,
        source=settings.app_id,
        backfill_age_ms=settings.backfill_age_ms,
        max_event_bytes=settings.max_event_bytes,
        max_ahead_ms=settings.max_ahead_ms,
        max_events_per_record=settings.max_events_per_record,
        max_dead_letter_bytes=settings.max_dead_letter_bytes,
    )


def courier_of(settings: Settings, zone_of: ZoneOf = lambda *_: "UTC") -> Courier:
    """Return the courier that delivers notices to the receivers of the settings. ``zone_of`` is that of agreements.

    Raises:
        ConfigError: the settings describe no receivers.
    """
    if not settings.receivers:
        raise ConfigError(
            [
                Mistake(
                    file="settings",
                    line=None,
                    path="receivers",
                    message="no receivers are described: nobody can be told",
                    hint="add them under receivers",
                )
            ]
        )
    return WebhookCourier(settings.receivers, settings.app_id, wall_ms, zone_of)


def receiver_stamp(settings: Settings, receiver: str) -> str:
    """Return a stamp of a receiver's setting. A receiver that answered 410 is tried again once its stamp differs."""
    described = settings.receivers.get(receiver)
    return stamp_of(described) if described else ""


def repeat_every_ms(settings: Settings, receiver: str) -> int:
    """Return how long after its last notice a receiver is notified again of unacknowledged alerts; 0: never."""
    described = settings.receivers.get(receiver)
    if described is None or described.repeat_every_ms == "never":
        return 0
    return described.repeat_every_ms


def limits_of(web: WebSettings) -> Limits:
    """Return the limits on the connections to the port of a worker."""
    return Limits(web.max_connections, web.max_scrapes, web.headers_timeout_ms / 1000, web.answer_timeout_ms / 1000)


class Monitor:
    """One worker with everything it needs. ``run`` runs it in the event loop that made it.

    Raises:
        ConfigError: a mapping file has mistakes.
    """

    def __init__(self, settings: Settings, clock: Clock | None = None, courier: Courier | None = None) -> None:
        self.settings = settings
        self.clock = clock or WallClock()
        self.security = security_options(settings.security)
        self.books = Books()
        self._detection = Durations(DELAY_BOUNDS)
        self.tally = Tally(detected=self._detection.add)
        outlets = outlets_of(settings)
        self.on_call = OnCall(
            books=self.books,
            outlets=outlets,
            tally=self.tally,
            courier=courier or _courier_if_any(settings, self._zone_of),
            deliver_for_ms=settings.deliver_for_ms,
            stamp=partial(receiver_stamp, settings),
            repeat_ms=partial(repeat_every_ms, settings),
        )
        self.markers = Markers()
        self.pipeline = Pipeline(
            settings, outlets, self.tally, books=self.books, markers=self.markers, on_call=self.on_call
        )
        self.coming = Coming(self.caught_up_subjects, self.clock.now_ms)
        """What breaks next."""
        self.door = Door(limits_of(settings.web))
        """The door of the web server, which holds the limits on its connections."""
        self.app: WorkerApp = build_app(self.worker_settings(), self.sources(), self.clock)
        self.watch = TopicWatch(
            topic_plan(settings),
            partial(count_partitions, settings.bootstrap, security=self.security),
            check_ends=self.app.check_ends,
        )
        self.books.on_change(self.app.look_again)
        self.on_call.on_change(self.app.look_again)
        self.markers.on_change(self.app.look_again)

    def _zone_of(self, agreement_id: str, version: int) -> str:
        agreement = self.books.book.exact(agreement_id, version)
        return "UTC" if agreement is None else agreement.zone

    def worker_settings(self) -> WorkerSettings:
        """Return the settings by which this worker meets Kafka."""
        settings = self.settings
        session_s = settings.session_timeout_ms / 1000
        return WorkerSettings(
            app_id=settings.app_id,
            bootstrap=settings.bootstrap,
            instance_id=settings.instance_id,
            session_timeout_s=session_s,
            heartbeat_interval_s=min(3.0, session_s / 3),
            request_timeout_s=max(40.0, session_s + 10),  # Faust wants it above the session
            # An open transaction of a dead worker holds back readers until then, or until the next owner opens.
            transaction_timeout_s=max(5.0, min(15.0, session_s)),
            max_batch_records=settings.max_batch_records,
            max_batch_bytes=settings.max_batch_bytes,
            check_crcs=settings.check_crcs,
            security=self.security,
        )

    def sources(self) -> dict[str, Source]:
        """Return all topics that a worker consumes, with the work on each."""
        return self.pipeline.sources()

    def snapshot(self) -> Snapshot:
        """Return the values that /metrics shows at this moment."""
        self.pipeline.forget_revoked(set(self.app.stats.partitions))
        tally, stats, held = self.tally, self.app.stats, self.pipeline.horizons
        evaluations = self.pipeline.evaluations
        kinds = {topic_of(self.settings, subject): subject for subject in SUBJECTS}
        return Snapshot(
            now_ms=self.clock.now_ms(),
            agreements=self.books.book.agreements,
            statuses=self.pipeline.statuses(),
            spreads={
                key: one for done in evaluations.values() for key, one in done.evaluator.spreads(MAX_SPREADS).items()
            },
            due=self.coming.due,
            partitions=[
                SourcePartition(
                    topic=topic,
                    partition=partition,
                    stats=one.copy(),
                    kind=kinds.get(topic, ""),
                    last_event_ms=tally.last_event_ms.get((topic, partition)),
                    held_seconds=held[topic, partition].held_s() if (topic, partition) in held else None,
                    let_go=len(held[topic, partition].let_go) if (topic, partition) in held else None,
                )
                for (topic, partition), one in sorted(stats.partitions.items())
            ],
            dead_letters=tally.dead_letters,
            cut={**dict.fromkeys((*kinds, *self.pipeline.mappings), 0), **tally.cut},
            alerts=tally.alerts,
            supporting=tally.supporting,
            deliveries={key: count for key, count in tally.deliveries.items() if key[1] != "pending"},
            not_told=tally.not_told,
            receivers=[ReceiverStats(**one._asdict()) for one in self.on_call.standings()],
            ways=tally.ways,
            merged=tally.merged,
            native_faults={
                **{topic_of(self.settings, subject): 0 for subject in WAYS},
                self.settings.topics.partials: 0,
                **tally.native_faults,
            },
            repeats=tally.repeats,
            late=tally.too_late,
            divided={**dict.fromkeys(kinds, 0), **tally.divided},
            together={**dict.fromkeys(kinds, 0), **tally.together},
            refused={
                self.settings.topics.agreements: self.books.refused,
                self.settings.topics.responses: self.on_call.responses.refused,
                self.settings.topics.markers: self.markers.refused,
            },
            mapped=tally.mapped,
            unmapped=tally.unmapped,
            series=self.pipeline.places(),
            evaluation_seconds={partition: one.seconds for partition, one in evaluations.items()},
            detection_delay=self._detection.histogram(),
            rebalances=stats.rebalances,
            restores=self.pipeline.restores + self.on_call.restores,
            stalls=stats.stalls,
            clock_steps=stats.clock_steps,
            unexpected_partitions=self.watch.unexpected,
            cut_off=self.door.cut_off_by,
        )

    def web_server(self) -> WebServer:
        """Return the server of /healthz, /readyz and /metrics; enter it beside ``run``."""
        web = self.settings.web
        metrics = Exporter(self.snapshot).scrape
        return WebServer(web.host, web.port, alive=self.alive, ready=self.ready, metrics=metrics, door=self.door)

    def alive(self) -> tuple[bool, str]:
        """Return whether the worker makes progress, with a line that says why or why not."""
        if self.app.failure is not None:
            return False, f"stopped: {self.app.failure}"
        if (standstill := self.app.standstill()) is not None:
            return False, standstill
        return True, "; ".join(["alive", *self.watch.wrong.values()])

    def ready(self) -> tuple[bool, str]:
        """Return whether all partitions of this worker are open, with a line that says so."""
        if not self.app.ready():
            return False, "not all partitions are open yet"
        return True, f"{len(self.app.runners)} partitions open"

    async def check(self) -> None:
        """Check the topics before any record is consumed.

        Raises:
            BrokerError: topics or rights are missing or topics have the wrong shape; the message names all of them.
        """
        rights = needed_rights(self.settings, "worker")
        mistakes = await check_topics(
            self.settings.bootstrap,
            topic_plan(self.settings),
            security=self.security,
            operations=[(one.operation, one.name) for one in rights if one.kind == "topic"],
        )
        if mistakes:
            raise BrokerError("; ".join(mistakes))

    def caught_up_subjects(self) -> list[PartitionState]:
        """Return the partitions of subjects that have caught up: in others most that looks due was met long ago."""
        known = self.app.stats.partitions
        return [state for at, state in self.pipeline.subjects.items() if at in known and known[at].caught_up]

    async def run(self) -> None:
        """Read the agreements, then consume until ``app.request_stop()``."""
        options: dict[str, Any] = {"check_crcs": self.settings.check_crcs, **self.security}
        bootstrap, topics = self.settings.bootstrap, self.settings.topics
        reader = BookReader(self.books, bootstrap, topics.agreements, options)
        marks = ModelReader(self.markers, bootstrap, topics.markers, options)
        people = ModelReader(self.on_call.responses, bootstrap, topics.responses, options)
        capping = asyncio.ensure_future(Capping(self.tally, self.pipeline.places).run())
        coming = asyncio.ensure_future(self.coming.run())
        watching: asyncio.Future[None] | None = None
        try:
            await reader.start(self.app.fail)
            await people.start(self.app.fail)
            await marks.start(self.app.fail)
            if not self.books.book.agreements:
                log.warning("no agreements are published: nothing is promised yet (sla-monitor agreements apply DIR)")
            watching = asyncio.ensure_future(self.watch.run())
            watching.add_done_callback(failing(self.app))
            await run_worker(self.app)
        except Exception as error:
            await self._tell_refusal(error)
            raise
        finally:
            beside = [one for one in (capping, coming, watching) if one is not None]
            for one in beside:
                one.cancel()
            await asyncio.gather(*beside, return_exceptions=True)
            await marks.stop()
            await people.stop()
            await reader.stop()

    async def _tell_refusal(self, error: Exception) -> None:
        """Log the obstacle to a connection with Kafka, if there is one: a password or certificate may have changed.

        The worker itself only notices that no connection is made and nothing is confirmed.
        """
        if isinstance(error, BrokerError):
            return  # the error names the obstacle itself
        try:
            async with asyncio.timeout(REFUSAL_TIMEOUT_S):
                why = await refusal(self.settings.bootstrap, self.security)
        except TimeoutError:
            return
        if why is not None:
            # A worker says once that it stops. Where it has done so, this is the reason behind the one that it gave.
            log.critical(why if self.app.failure is not None else f"worker stops: {why}")


def _courier_if_any(settings: Settings, zone_of: ZoneOf) -> Courier | None:
    try:
        return courier_of(settings, zone_of)
    except ConfigError:
        return None
