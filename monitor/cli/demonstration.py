"""The demonstration: a broker, a worker, simulated traffic and a display, all in this process.

Nothing is faked between the traffic and the display: events are produced to Kafka topics, the worker is the one that
runs in production, and what is shown was read back from its topics. Only the clock runs faster.
"""

from __future__ import annotations

import asyncio
import signal
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from math import inf
from statistics import median
from typing import Any, Final

import orjson
from aiokafka.structs import ConsumerRecord

from monitor.bootstrap import Monitor
from monitor.cli.feeding import feed
from monitor.config.agreements.document import AgreementDocument
from monitor.config.settings.settings import Settings, TopicSettings
from monitor.config.settings.web import WebSettings
from monitor.core.alerts.alert import Alert
from monitor.core.facts.events import SUBJECTS
from monitor.core.objectives.status import WindowStatus
from monitor.demo.display import Display
from monitor.demo.hours import busy_start_ms
from monitor.demo.pager import Pager
from monitor.demo.simulate import Simulator, bad_records
from monitor.demo.view import Counters, DemoView
from monitor.installation import topic_of, topic_plan
from monitor.pages.access import Access
from monitor.pages.app import make_app
from monitor.pages.server import PagesServer
from monitor.pages.site import Site
from monitor.read_model.arrivals import Lookout
from monitor.read_model.due import due_next
from monitor.read_model.live import Follower
from monitor.read_model.subjects import newest_row
from monitor.read_model.topics import Outgoing, committed, producer, send_all
from monitor.reports.topics import read_report
from monitor.stream.agents.books import agreement_key
from monitor.stream.kafka.embedded import EmbeddedBroker
from monitor.stream.partitions.clock import FastClock, WallClock, wall_ms
from monitor.wire.announcements import decode_alert, decode_status
from monitor.wire.markers import ClockMarker, encode_clock_marker

PARTITIONS: Final = 2
FEED_S: Final = 0.1
PICTURE_S: Final = 0.25
EVALUATE_S: Final = 0.5
"""Real seconds between two evaluations of the windows."""
SESSION_MS: Final = 10_000
BAD_RECORD_S: Final = 4.0
"""Real seconds between two broken records."""
KEPT_ALERTS: Final = 5_000
KEPT_DELAYS: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The options of the command line. ``for_s`` None: until it is interrupted."""

    documents: Sequence[AgreementDocument]
    speed: float = 60.0
    for_s: float | None = None
    seed: int = 1
    port: int = 0
    web_port: int = 0


@dataclass(slots=True)
class Seen:
    """The records that were read back from the topics so far."""

    alerts: deque[Alert] = field(default_factory=lambda: deque(maxlen=KEPT_ALERTS))
    counts: Counter[str] = field(default_factory=Counter)
    statuses: dict[bytes, WindowStatus] = field(default_factory=dict)
    delays_s: deque[float] = field(default_factory=lambda: deque(maxlen=KEPT_DELAYS))
    first_breach_s: float | None = None


def demo_settings(bootstrap: str, *, speed: float, port: int) -> Settings:
    """Return the settings of the demonstration's worker."""
    settings = Settings(
        bootstrap=bootstrap,
        topics=TopicSettings(partitions=PARTITIONS),
        web=WebSettings(port=port),
    )
    interval_ms = max(1, round(EVALUATE_S * 1000 * speed))
    return settings.model_copy(update={"evaluate_interval_ms": interval_ms, "session_timeout_ms": SESSION_MS})


class Demonstration:
    """One demonstration on a broker, from ``run`` to its end."""

    def __init__(self, options: Options, settings: Settings, display: Display, *, began: float) -> None:
        self.options = options
        self.settings = settings
        self.display = display
        self.began = began
        start_ms = busy_start_ms(wall_ms())
        self.clock = FastClock(options.speed, start_ms)
        self.told = ClockMarker(wall_ms=wall_ms(), clock_ms=self.clock.now_ms(), speed=options.speed)
        """The clock, for those who read the topics."""
        self.simulator = Simulator(options.seed, start_ms)
        self.pager = Pager()
        self.monitor = Monitor(settings, self.clock, self.pager)
        self.seen = Seen()
        self.stopping = asyncio.Event()
        self.addresses: dict[str, str] = {}
        self.up_ms: float = inf
        """When the worker had read what was there before it, by the clock of the demonstration."""

    async def run(self) -> DemoView:
        """Run until it is asked to stop or its time is over, and return the last moment before its parts were stopped.

        Raises:
            StateError: the worker could not go on.
            BrokerError: the embedded broker does not answer.
        """
        key, value = encode_clock_marker(self.told)
        await send_all(self.settings, [Outgoing(self.settings.topics.markers, key, value, partition=0)])
        async with AsyncExitStack() as parts:
            web = await parts.enter_async_context(self.monitor.web_server())
            pages = await parts.enter_async_context(self._pages())
            self.addresses = {
                "board": pages.address,
                "metrics": f"{web.address}/metrics",
                "health": f"{web.address}/healthz",
                "kafka": self.settings.bootstrap,
            }
            tasks: list[asyncio.Future[Any]] = [await parts.enter_async_context(self._working())]
            tasks += [
                await parts.enter_async_context(_beside(part)) for part in (self._watch(), self._feed(), self._show())
            ]
            over = await parts.enter_async_context(_beside(self.stopping.wait()))
            done, _ = await asyncio.wait([*tasks, over], timeout=self._left_s(), return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
            return self.view()

    @asynccontextmanager
    async def _pages(self) -> AsyncIterator[PagesServer]:
        """Serve the pages."""
        follower = Follower(self.settings)
        lookout = Lookout(self.settings, self.clock.now_ms)
        reports = partial(read_report, self.settings)
        site = Site(follower, WallClock(), arrivals=lookout.arrivals, report_of=reports)
        app = make_app(site, partial(newest_row, self.settings), Access({}), read_due=partial(due_next, self.settings))
        async with (
            _beside(follower.run()),
            _beside(lookout.run()),
            PagesServer(app, "127.0.0.1", self.options.web_port) as server,
        ):
            yield server

    @asynccontextmanager
    async def _working(self) -> AsyncIterator[asyncio.Task[None]]:
        task = asyncio.ensure_future(self.monitor.run())
        try:
            yield task
        finally:
            self.monitor.app.request_stop()
            await asyncio.gather(task, return_exceptions=True)

    async def _feed(self) -> None:
        """Produce the simulated events as they arrive, and a broken record now and then."""
        bad = deque(bad_records())
        next_bad_s = self._ran_s() + BAD_RECORD_S
        async with producer(self.settings) as writer:
            while True:
                broken = []
                if bad and self._ran_s() >= next_bad_s:
                    next_bad_s += BAD_RECORD_S
                    broken = [bad.popleft()]
                await feed(writer, self.settings, self.simulator.until(self.clock.now_ms()), broken)
                await asyncio.sleep(FEED_S)

    async def _watch(self) -> None:
        """Read the worker's announcements, as any consumer would."""
        topics = self.settings.topics
        async for records in committed(self.settings, [topics.alerts, topics.status], follow=True):
            for record in records:
                self._take(record)

    def _take(self, record: ConsumerRecord) -> None:
        if record.topic == self.settings.topics.status:
            if record.value is None:  # a window that ended
                self.seen.statuses.pop(record.key, None)
            else:
                self.seen.statuses[record.key] = decode_status(record.value)
            return
        alert, seen = decode_alert(record.value), self.seen
        seen.alerts.append(alert)
        seen.counts[alert.state] += 1
        if alert.backfill:
            return
        if alert.state == "breached" and seen.first_breach_s is None:
            seen.first_breach_s = self._ran_s()
        # What came due before the worker was up says nothing of how fast it is.
        if alert.state in ("at_risk", "breached") and alert.due_ms is not None and alert.at_ms >= self.up_ms:
            seen.delays_s.append(max(0.0, (self.clock.now_ms() - alert.at_ms) / 1000 / self.options.speed))

    async def _show(self) -> None:
        while True:
            self.display.show(self.view())
            await asyncio.sleep(PICTURE_S)

    def view(self) -> DemoView:
        """Return the picture of this moment."""
        monitor, seen = self.monitor, self.seen
        sources = {topic_of(self.settings, subject) for subject in SUBJECTS}
        stats = [one for (topic, _), one in monitor.app.stats.partitions.items() if topic in sources]
        dead_letters: Counter[str] = Counter()
        for (_, reason), count in monitor.tally.dead_letters.items():
            dead_letters[reason] += count
        events, lag = sum(one.events for one in stats), sum(one.lag for one in stats)
        if self.up_ms == inf and events and not lag:
            self.up_ms = self.clock.now_ms()
        alive, why = monitor.alive()
        if alive:
            alive, why = monitor.ready()
        return DemoView(
            start_ms=self.clock.start_ms,
            now_ms=self.clock.now_ms(),
            speed=self.options.speed,
            ran_s=self._ran_s(),
            # Until the worker has read them back, what was published.
            agreements=monitor.books.book.agreements or [one.agreement for one in self.options.documents],
            statuses=list(seen.statuses.values()),
            alerts=list(seen.alerts),
            counters=Counters(
                events=events,
                lag=lag,
                dead_letters=dead_letters,
                alerts=dict(seen.counts),
                pages=dict(self.pager.pages),
                detection_delay_s=median(seen.delays_s) if seen.delays_s else None,
            ),
            healthy=alive,
            health=why,
            addresses=self.addresses,
            first_breach_s=seen.first_breach_s,
        )

    def _ran_s(self) -> float:
        return time.monotonic() - self.began

    def _left_s(self) -> float | None:
        return None if self.options.for_s is None else max(0.0, self.options.for_s - self._ran_s())


async def demonstrate(options: Options, display: Display) -> DemoView:
    """Run a demonstration until SIGINT, SIGTERM or the end of its time, show its summary and return its last moment.

    Raises:
        SlaMonitorError: a part of it failed.
    """
    began = time.monotonic()
    plan = topic_plan(demo_settings("127.0.0.1:1", speed=options.speed, port=options.port))
    with EmbeddedBroker({spec.name: spec.partitions for spec in plan}) as broker:
        settings = demo_settings(broker.bootstrap, speed=options.speed, port=options.port)
        await send_all(settings, [_publication(one, settings) for one in options.documents])
        demonstration = Demonstration(options, settings, display, began=began)
        loop = asyncio.get_running_loop()
        for name in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(name, demonstration.stopping.set)
        with display:
            last = await demonstration.run()
        display.finish(last)
        return last


def _publication(one: AgreementDocument, settings: Settings) -> Outgoing:
    key = agreement_key(one.agreement.id, one.agreement.version)
    return Outgoing(settings.topics.agreements, key, orjson.dumps(one.document), partition=0)


@asynccontextmanager
async def _beside(part: Awaitable[Any]) -> AsyncIterator[asyncio.Future[Any]]:
    task = asyncio.ensure_future(part)
    try:
        yield task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError, Exception):  # its failure has been raised by whoever waited for it
            await task
