"""The story of a small worker: floods of every kind, one after the other or together, while its neighbours go on.

The worker has coped with a flood when it has read all of it, and its figures and announcements are those that the
events must lead to, the neighbours' among them.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import orjson

from tests.kafka.floods import AGREEMENTS, Floods, Sender, Sent, Wanted, wall_ms
from tests.kafka.limited import MIB, Alerts, LimitedWorker, Page, records
from tests.kafka.monitor_job import MonitorJob
from tests.notify.desk import Desk

SECRET: Final = "whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" + "MfKQ9r8G"
NEIGHBOURS_A_SECOND: Final = 10
FEW_RECORDS: Final = 50
"""With so little lag the worker has caught up: the neighbours go on sending."""
TURNS: Final = {"customers": 3, "due": 2, "queue": 2, "endless": 20, "half": 8}
"""How many events of each flood follow each other where they come together, so that all end at about the same time."""
CAPS: Final = {
    "sla_series_in_rest": "series counted together",
    "sla_panes_divided_total": "parts of panes",
    "sla_events_told_together_total": "events told together",
    "sla_exporter_dropped_series": "lines left out of /metrics",
    "sla_dead_letters_total": "dead letters",
}


@dataclass
class Coped:
    """How the worker coped with one flood."""

    name: str
    events: int = 0
    seconds: float = 0.0
    cpu_s: float = 0.0
    peak_mib: float = 0.0
    """The most resident memory during the flood, libraries and all."""
    data_mib: float = 0.0
    """The most writable memory that was seen: what is limited."""
    scrape_s: float = 0.0
    """The longest scrape."""
    health_s: float = 0.0
    """The longest that /healthz took."""
    unwell: list[str] = field(default_factory=list)
    """What /healthz said when it was not well."""
    delays_s: list[float] = field(default_factory=list)
    """From the due instants of the neighbours' tickets to the reader of their alerts."""
    storm_s: float = 0.0
    """From the one due instant of the flood to the last of its alerts."""
    stalls: float = 0
    capped: dict[str, float] = field(default_factory=dict)
    """What was capped since the worker started."""
    differences: list[str] = field(default_factory=list)
    """What is not as it must be."""


@dataclass
class SmallWorker:
    """A worker with little memory on topics of its own, its neighbours, and a receiver."""

    kafka: str
    folder: Path
    size: int
    limit_bytes: int
    max_series: int = 1_000
    partitions: int = 4
    within_s: float = 900.0
    """A flood must have been coped with by then."""
    wanted: Wanted = field(default_factory=Wanted)
    told: Counter[str] = field(default_factory=Counter)
    """What the receiver was told, by agreement and action."""
    _neighbours: int = 0
    _rounds: Iterator[int] = field(default_factory=itertools.count)
    _counted: Counter[str] = field(default_factory=Counter)
    """Dead letters of earlier lives: the counters begin with each life."""

    @asynccontextmanager
    async def running(self) -> AsyncIterator[SmallWorker]:
        """Make the topics, start the worker, wait until it is ready; end all of it afterwards."""
        self.folder.mkdir(parents=True, exist_ok=True)
        file = self.folder / "settings.yaml"
        more = {"SETTINGS": str(file), "MAX_SERIES": str(self.max_series), "ALLOWED_LATENESS": "10s"}
        self.job = MonitorJob(
            self.kafka, self.folder, AGREEMENTS, partitions=self.partitions, session_s=15, compact=False, more=more
        )
        async with Desk.started() as self.desk:
            file.write_text(f"receivers:\n  on-call: {{kind: generic, url: {self.desk.url}, secrets: [{SECRET}]}}\n")
            await self.job.create()
            settings = self.job.settings
            self._few, self._many = Sender(settings), Sender(settings)
            self.floods = Floods(self.size, self.wanted)
            environment = {**os.environ, **self.job.environment}
            self.worker = LimitedWorker(environment, self.folder / "worker.log", self.limit_bytes)
            with ExitStack() as self._stack, Alerts(self.kafka, settings.topics.alerts, self.partitions) as self.alerts:
                self._stack.enter_context(self.worker)
                await asyncio.to_thread(self.worker.ready, 60)
                yield self
                self._hear_receiver()

    async def idle(self) -> Coped:
        """Return what a worker takes to which nothing was sent."""
        await asyncio.sleep(1)
        coped = Coped("nothing yet")
        await asyncio.to_thread(self.worker.page)
        self._measure(coped)
        return coped

    async def one_after_the_other(self) -> AsyncIterator[Coped]:
        """Send one flood after the other."""
        n, floods = self.size, self.floods
        yield await self.flood(f"{n:,} customers", lambda: floods.customers(wall_ms()))
        due_ms = wall_ms() + self._lead_ms(n)
        yield await self.flood(f"{n:,} tickets due in one second", lambda: floods.due(due_ms), due_ms)
        queued_ms = wall_ms()
        yield await self.flood(f"{n:,} calls wait", lambda: floods.queue(queued_ms))
        yield await self.flood(f"{n:,} calls are answered", lambda: floods.answers(queued_ms))
        yield await self.flood(f"{10 * n:,} events of one ticket", lambda: floods.endless(wall_ms()))
        yield await self.flood(f"{2 * n:,} tickets, half of one customer", lambda: floods.half(wall_ms()))
        yield await self.restart()

    async def together(self) -> AsyncIterator[Coped]:
        """Send all floods at once."""
        now_ms, floods = wall_ms(), self.floods
        due_ms = now_ms + self._lead_ms(18 * self.size)
        makers = {
            "customers": floods.customers(now_ms), "due": floods.due(due_ms), "queue": floods.queue(now_ms),
            "endless": floods.endless(now_ms), "half": floods.half(now_ms),
        }  # fmt: skip
        yield await self.flood("all of it together", lambda: _in_turn(makers), due_ms)
        yield await self.restart()

    def _lead_ms(self, events: int) -> int:
        return 8_000 + events // 20

    async def flood(self, name: str, make: Callable[[], Iterable[Sent]], until_ms: int = 0) -> Coped:
        """Send one flood and the neighbours' events; return once the worker has coped with them, or will not.

        The neighbours go on until the worker has read the flood, and until an instant.
        """
        coped, started = Coped(name), time.monotonic()
        cpu_s, heard = self.worker.cpu_s(), len(self.alerts.delays_s)
        self.worker.reset_peak()
        await asyncio.to_thread(self._few.send, self.floods.few(wall_ms(), next(self._rounds)))
        sending = asyncio.ensure_future(asyncio.to_thread(self._many.send, make()))
        beside = asyncio.ensure_future(self._live_on())
        try:
            while True:
                lag = self._lag(await self._look(coped))
                if sending.done() and wall_ms() >= until_ms and lag <= FEW_RECORDS:
                    break
                if not self._goes_on(coped, started):
                    break
                await asyncio.sleep(0.3)
            coped.events = await sending
        finally:
            beside.cancel()
            await asyncio.gather(beside, return_exceptions=True)
        while coped.differences != [] or not coped.seconds:
            page = await self._look(coped)
            coped.differences = self.differences(page)
            coped.seconds = time.monotonic() - started
            if not self._goes_on(coped, started):
                break
            await asyncio.sleep(0.2)
        self._measure(coped)
        coped.cpu_s = self.worker.cpu_s() - cpu_s if self.worker.lives() else 0.0
        delays = self.alerts.delays_s[heard:]
        coped.delays_s = sorted(seconds for agreement, seconds in delays if agreement == "neighbours")
        coped.storm_s = max((seconds for agreement, seconds in delays if agreement == "deadline"), default=0.0)
        return coped

    async def restart(self) -> Coped:
        """End the worker and start it with the same limit: it must know all that it knew."""
        self._counted = Counter(self.wanted.dead_letters)
        self._stack.close()
        coped = Coped("started again")
        self._stack.enter_context(self.worker)
        started = time.monotonic()
        await asyncio.to_thread(self.worker.ready, self.within_s)
        while (coped.differences or not coped.seconds) and self._goes_on(coped, started):
            coped.differences = self.differences(await self._look(coped))
            coped.seconds = time.monotonic() - started
            await asyncio.sleep(0.2)
        self._measure(coped)
        coped.cpu_s = self.worker.cpu_s() if self.worker.lives() else 0.0
        return coped

    async def _live_on(self) -> None:
        """Go on as neighbours: tickets that are answered in time, and others that nobody answers."""
        while True:
            since, self._neighbours = self._neighbours, self._neighbours + NEIGHBOURS_A_SECOND // 2
            await asyncio.shield(self._send_few(since, self._neighbours))
            await asyncio.sleep(0.5)

    async def _send_few(self, since: int, until: int) -> None:
        await asyncio.to_thread(self._few.send, self.floods.neighbours(wall_ms(), since, until))

    async def _look(self, coped: Coped) -> Page:
        page = await asyncio.to_thread(self.worker.page)
        coped.scrape_s = max(coped.scrape_s, page.seconds)
        asked = time.monotonic()
        status, text = await asyncio.to_thread(self.worker.get, "healthz")
        coped.health_s = max(coped.health_s, time.monotonic() - asked)
        if (status, text.strip()) != (200, "alive"):
            coped.unwell.append(f"{status} {text}")
        return page

    def _lag(self, page: Page) -> float:
        """Return how many records the worker still has to read."""
        return page.sum("sla_lag_records") if page.text else 1e9

    def _goes_on(self, coped: Coped, started: float) -> bool:
        if not self.worker.lives():
            coped.differences = [f"the worker ended with {self.worker.end()}: {self.worker.log[-3_000:]}"]
            return False
        return time.monotonic() - started < self.within_s

    def _measure(self, coped: Coped) -> None:
        coped.data_mib = self.worker.most_data_bytes / MIB
        if not self.worker.lives():
            return
        coped.peak_mib = self.worker.peak_bytes() / MIB
        if self.worker.peak_bytes() > self.limit_bytes:
            coped.differences.append(f"{coped.peak_mib:.0f} MiB were resident: libraries do not count for the limit")
        page = self.worker.page()
        for metric in CAPS:
            if value := page.sum(metric):
                coped.capped[metric] = value
        coped.stalls = page.sum("sla_stalls_total")
        if coped.unwell:
            coped.differences.append(f"/healthz said {coped.unwell[0]}, and {len(coped.unwell) - 1} times more")

    def differences(self, page: Page) -> list[str]:
        """Return what the worker shows and has announced that does not follow from what was sent."""
        found = []
        for (metric, agreement, labels), wanted in list(self.wanted.figures.items()):
            shown = page.sum(metric, agreement=agreement, **dict(labels))
            if abs(shown - wanted) > 1e-6 * max(1, abs(wanted)):
                found.append(f"{metric} of {agreement} {dict(labels)}: {shown:g}, not {wanted:g}")
        alerts = Counter({key: count for key, count in self.alerts.counts.items() if key[1] != "resolved"})
        found += [
            f"alerts of {key}: {alerts[key]}, not {self.wanted.alerts[key]}"
            for key in sorted(alerts.keys() | self.wanted.alerts.keys())
            if alerts[key] != self.wanted.alerts[key]
        ]
        if self.alerts.twice:
            found.append(f"{self.alerts.twice} alerts came twice")
        letters = Counter({
            one.labels["reason"]: round(one.value) for one in page.all("sla_dead_letters_total") if one.value
        })  # fmt: skip
        wanted_letters = Counter({key: n for key, n in (self.wanted.dead_letters - self._counted).items() if n})
        if letters != wanted_letters:
            found.append(f"dead letters: {dict(letters)}, not {dict(wanted_letters)}")
        for metric in ("sla_faults_total", "sla_rows_set_aside", "sla_records_lost_total", "sla_clock_steps_total"):
            if value := page.sum(metric):
                found.append(f"{metric}: {value:g}")
        if lag := self._lag(page):
            found.append(f"{lag:g} records are not read yet")
        return found

    def letters_differ(self) -> list[str]:
        """Compare the dead letters that stand on the topic, each with its reason, with what must stand there."""
        found: Counter[str] = Counter()
        for message in records(self.kafka, self.job.settings.topics.dead_letters, self.partitions):
            found[dict(message.headers())["reason"].decode()] += 1
        return [] if found == self.wanted.dead_letters else [f"{found}, not {self.wanted.dead_letters}"]

    def statuses(self) -> Counter[str]:
        """Count the newest statuses on their topic by agreement; ``… rest`` are those of what is counted together."""
        newest = {}
        for message in records(self.kafka, self.job.settings.topics.status, self.partitions):
            newest[message.key()] = message.value()
        found: Counter[str] = Counter()
        for value in newest.values():
            if value is not None:
                data = orjson.loads(value)["data"]
                found[data["agreement"] + (" rest" if data.get("rest") else "")] += 1
        return found

    def _hear_receiver(self) -> None:
        for _, _, body in self.desk.told:
            notice = orjson.loads(body)["data"]
            agreement = notice["alerts"][0]["data"]["agreement"] if notice["alerts"] else ""
            self.told[f"{agreement} {notice['action']}"] += 1
            self.told[f"{agreement} alerts"] = max(self.told[f"{agreement} alerts"], notice["alerts_total"])

    def complaints(self) -> list[str]:
        """Return the lines of the log above ``info``, without their times, each once."""
        lines = [line.split(" ", 1)[-1] for line in self.worker.log.splitlines() if line.strip()]
        found = dict.fromkeys(line for line in lines if not line.startswith("INFO "))
        return list(found)


def _in_turn(makers: dict[str, Iterator[Sent]]) -> Iterator[Sent]:
    makers = dict(makers)
    while makers:
        for name, events in list(makers.items()):
            some = list(itertools.islice(events, TURNS[name]))
            yield from some
            if not some:
                del makers[name]
