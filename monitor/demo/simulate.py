"""Simulated traffic of a service desk, a call centre, a network and a sales department: events as they arrive.

The traffic is seeded and pure: the same seed and start give the same events, however ``until`` is called. Some come
late and out of order and some twice, as in life. The example agreements in deploy/agreements bind for it.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from monitor.core.facts.events import Event, Subject
from monitor.core.time.units import HOUR_MS
from monitor.demo.call_centre import LINES, Queue
from monitor.demo.hours import Day, busy
from monitor.demo.leads import HISTORY_MS as LEADS_HISTORY_MS
from monitor.demo.leads import Funnel
from monitor.demo.network import Network
from monitor.demo.scenes import Scenes
from monitor.demo.service_desk import ServiceDesk
from monitor.demo.traffic import Process, Traffic

HISTORY_MS: Final = 3 * HOUR_MS
"""How long the simulated world has been at work when a demonstration starts: its windows are not empty."""
LEADS_SEED: Final = 1_000_003
"""What is drawn for leads changes nothing of what is drawn for the others."""
LATEST_MS: Final = 10 * 60_000
"""No event arrives later than this after it happened, but for repeats."""


class Simulator:
    """The simulated world. The first call of ``until`` brings its history, too.

    Args:
        seed: chooses the course of chance.
        start_ms: when the demonstration starts, and the scenes begin. `monitor.demo.hours.busy_start_ms` finds a good
            one.
        history_ms: how long before that the traffic begins.
        intensity: multiplies how much comes in, but not the staff that works on it.
        day: how busy each hour is.
        suffix: ends the id of every ticket, call, outage and lead: another one for each run on the same topics.
        scenes_every_ms: when the scenes begin anew, again and again; None: they are played once.
    """

    def __init__(
        self,
        seed: int,
        start_ms: int,
        *,
        history_ms: int = HISTORY_MS,
        intensity: float = 1.0,
        day: Day = busy,
        suffix: str = "",
        scenes_every_ms: int | None = None,
    ) -> None:
        self.start_ms = start_ms
        self.now_ms = start_ms - history_ms
        self._traffic = Traffic(seed, suffix)
        begin_ms = self.now_ms
        queues = {line.queue: Queue(self._traffic, line) for line in LINES}
        self._support = queues["support"]
        self._desk = desk = ServiceDesk(self._traffic)
        self._network = network = Network(self._traffic)
        self._funnel = funnel = Funnel(self._traffic.beside(seed + LEADS_SEED))
        self._set_scenes(start_ms)
        if scenes_every_ms is not None:
            self._traffic.start(self._scenes_again(start_ms, scenes_every_ms), start_ms)
        for queue in queues.values():
            self._traffic.start(queue.arrivals(begin_ms, intensity, day), begin_ms)
        self._traffic.start(desk.arrivals(begin_ms, intensity, day), begin_ms)
        self._traffic.start(network.failures(begin_ms, intensity), begin_ms)
        leads_ms = min(begin_ms, start_ms - LEADS_HISTORY_MS) if history_ms > 0 else begin_ms
        self._traffic.start(
            funnel.arrivals(leads_ms, intensity, lambda at_ms: (busy if at_ms < begin_ms else day)(at_ms)), leads_ms
        )

    def until(self, now_ms: int) -> list[Event]:
        """Return the events that have arrived since the last call and up to ``now_ms``, in the order of arrival.

        No event is from after ``now_ms``. An earlier ``now_ms`` than before returns nothing.
        """
        self.now_ms = max(self.now_ms, now_ms)
        self._traffic.run(self.now_ms)
        return self._traffic.arrived(self.now_ms)

    def _set_scenes(self, at_ms: int) -> None:
        Scenes(self._traffic, at_ms, support=self._support, desk=self._desk, network=self._network).set()
        self._traffic.start(self._funnel.forgotten(at_ms), at_ms)

    def _scenes_again(self, at_ms: int, every_ms: int) -> Process:
        while True:
            at_ms += every_ms
            yield at_ms
            self._set_scenes(at_ms)


class BadRecord(NamedTuple):
    """A record as a faulty producer sends it, to the topic of a subject."""

    subject: Subject
    key: bytes | None
    value: bytes | None


def bad_records() -> list[BadRecord]:
    """Return records that are no events, each for another reason: all of them become dead letters."""
    good = b'{"id":"X-1.1","type":"opened","time":"2026-01-05T09:00:00Z","ticket":"X-1"}'
    return [
        BadRecord("ticket", b"X-1", b"\xff\xfe not text"),
        BadRecord("ticket", b"X-1", good[:-1]),
        BadRecord("ticket", b"X-1", b'["opened"]'),
        BadRecord("ticket", b"X-1", None),
        BadRecord("ticket", b"X-2", good),
        BadRecord("ticket", b"X-1", good.replace(b"opened", b"exploded")),
        BadRecord("ticket", b"X-1", good.replace(b'"2026-01-05T09:00:00Z"', b"1767603600")),
        BadRecord("call", b"X-1", b'{"id":"X-1.1","type":"queued","call":"X-1"}'),
        BadRecord("outage", b"X-1", b'{"id":"X-1.1","type":"started","time":"9999-12-31T00:00:00Z","outage":"X-1"}'),
    ]
