"""A whole installation in one process: embedded broker, workers on a hand-turned clock, and the real command line."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Self

import aiohttp
import orjson
from aiokafka.structs import ConsumerRecord
from click.testing import CliRunner, Result
from prometheus_client.parser import text_string_to_metric_families

from monitor.bootstrap import Monitor
from monitor.cli.root import root
from monitor.config.settings.settings import Settings, TopicSettings
from monitor.config.settings.sources import SourceSettings
from monitor.config.settings.web import WebSettings
from monitor.core.paging.notices import Courier
from monitor.installation import partitions_of, topic_plan
from monitor.metrics.catalogue import CATALOGUE
from monitor.read_model.topics import Outgoing, read_all, send_all
from monitor.stream.kafka.embedded import EmbeddedBroker
from monitor.stream.partitions.clock import HandClock
from monitor.wire.instants import parse_rfc3339
from tests.stream.running import until

PARTITIONS = 2
SETTLE_S = 60.0


def at(text: str) -> int:
    """Return an instant of UTC in epoch milliseconds: ``2026-01-05 09:00`` or with seconds."""
    instant_ms = parse_rfc3339(text.replace(" ", "T") + ("Z" if text.count(":") > 1 else ":00Z"))
    assert instant_ms is not None
    return instant_ms


def desk_agreement(rest: str) -> str:
    """Return the agreement of a service desk: its head, and the clocks and whatever else a story needs."""
    return f"""\
agreement: desk
version: 1
valid_from: 2024-01-01
name: Service desk
form: service
provider: IT
customer: Everybody
service: Mail
status: accepted
accepted_by: Dana
accepted_on: 2023-12-01
{rest}"""


class Installation:
    """Topics, settings and clock; workers come and go with ``worker``."""

    def __init__(
        self, broker: EmbeddedBroker, start_ms: int, folder: Path, sources: Sequence[SourceSettings] = ()
    ) -> None:
        self.settings = Settings(
            bootstrap=broker.bootstrap,
            topics=TopicSettings(partitions=PARTITIONS),
            web=WebSettings(port=0),
            sources=list(sources),
        ).model_copy(update={"session_timeout_ms": 1_500})
        self.clock = HandClock(start_ms)
        self.folder = folder
        self.file = folder.parent / "settings.yaml"
        self.file.write_bytes(
            orjson.dumps({"sources": [one.model_dump(exclude_none=True) for one in sources]})
        )  # JSON is YAML
        self._sent = 0

    @classmethod
    @asynccontextmanager
    async def started(cls, start_ms: int, folder: Path, sources: Sequence[SourceSettings] = ()) -> AsyncIterator[Self]:
        """Start a broker that has all topics, those that the sources name among them."""
        plan = topic_plan(Settings(topics=TopicSettings(partitions=PARTITIONS), sources=list(sources)))
        with EmbeddedBroker({spec.name: spec.partitions for spec in plan}, rebalance_delay_ms=300) as broker:
            yield cls(broker, start_ms, folder, sources)

    # -- as its operator

    async def run(self, *arguments: str | Path, answer: str | None = None) -> Result:
        """Run ``sla-monitor`` with these arguments."""
        environment = {
            "SLA_MONITOR_SETTINGS": str(self.file),
            "SLA_MONITOR_BOOTSTRAP": self.settings.bootstrap,
            "SLA_MONITOR_TOPICS_PARTITIONS": str(PARTITIONS),
        }
        result = await asyncio.to_thread(
            CliRunner().invoke, root, [str(one) for one in arguments], input=answer, env=environment
        )
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    async def json(self, *arguments: str | Path) -> list[Any]:
        """Run ``sla-monitor … --json`` and return what it printed; it must go well."""
        result = await self.run(*arguments, "--json")
        assert result.exit_code == 0, result.output
        return [orjson.loads(line) for line in result.stdout.splitlines()]

    async def publish(self, text: str, name: str = "agreement.yaml") -> Result:
        """Write an agreement file and apply its folder."""
        (self.folder / name).write_text(text)
        return await self.run("agreements", "apply", self.folder, "--yes")

    @asynccontextmanager
    async def worker(self, courier: Courier | None = None) -> AsyncIterator[Worker]:
        """Run a worker until the block ends; it must not fail."""
        monitor = Monitor(self.settings, self.clock, courier)
        async with monitor.web_server() as web:
            task = asyncio.ensure_future(monitor.run())
            try:
                await until(lambda: monitor.ready()[0] or task.done())
                yield Worker(monitor, web.address)
            finally:
                monitor.app.request_stop()
                await asyncio.wait([task])
        task.result()

    # -- as a producer

    async def send(self, *records: Outgoing) -> None:
        """Write records as they are."""
        await send_all(self.settings, records)

    def event(
        self, subject: str, subject_id: str, kind: str, when: str | int, attributes: Mapping[str, Any]
    ) -> Outgoing:
        """Return the record of an event as plain JSON, with an id of its own."""
        self._sent += 1
        body = {
            "id": f"e{self._sent}", "type": kind, "time": at(when) if isinstance(when, str) else when,
            subject: subject_id, **attributes,
        }  # fmt: skip
        return Outgoing(f"{subject}s", subject_id.encode(), orjson.dumps(body))

    async def tell(self, subject: str, subject_id: str, *facts: tuple[str, str | int, Mapping[str, Any]]) -> None:
        """Write plain JSON events of one subject: (type, instant, attributes)."""
        await self.send(*[self.event(subject, subject_id, *fact) for fact in facts])

    async def read(self, topic: str) -> list[ConsumerRecord]:
        """Return all committed records of a topic."""
        return await read_all(self.settings, topic)

    async def told(self) -> list[dict[str, Any]]:
        """Return the data of all alerts so far, as ``tail alerts --json`` prints them, in order of time."""
        told = [one["data"] for one in await self.json("tail", "alerts", "--no-follow")]
        return sorted(told, key=lambda one: (one["at_ms"], one["key"], one["state"]))

    async def turn(self, when: str | int, *workers: Worker) -> None:
        """Let the workers (all that run) read what was sent, turn the clock to an instant, and let them judge."""
        monitor = workers[0].monitor
        foreign = [partitions_of(monitor.settings, source) for source in monitor.settings.sources]
        sources = (len(monitor.sources()) - len(foreign)) * PARTITIONS + sum(foreign)
        # After a rebalance the partitions of the one that left are open only a little later.
        await until(lambda: sum(len(one.monitor.app.runners) for one in workers) == sources)
        for worker in workers:
            await worker.caught_up()
        to_ms = at(when) if isinstance(when, str) else when
        self.clock.advance(to_ms - self.clock.now_ms())
        for worker in workers:
            await worker.caught_up()


class Worker:
    """One worker, as whoever watches it sees it."""

    def __init__(self, monitor: Monitor, address: str) -> None:
        self.monitor = monitor
        self.address = address

    async def caught_up(self) -> None:
        """Wait until it has read all that was there, and nothing is due any more."""
        quiet_since = None
        deadline = time.monotonic() + SETTLE_S
        while quiet_since is None or time.monotonic() - quiet_since < 0.1:
            assert time.monotonic() < deadline, "the worker does not come to rest"
            ends = await self._ends()
            runners = self.monitor.app.runners
            still = bool(runners) and all(
                runner.caught_up and runner.state.position >= ends.get(tp, 0) and not runner._due()
                for tp, runner in runners.items()
            )
            quiet_since = (quiet_since or time.monotonic()) if still else None
            await asyncio.sleep(0.02)

    async def _ends(self) -> dict[Any, int]:
        asker = self.monitor.app._asker
        return {tp: await asker.end(tp) for tp in tuple(self.monitor.app.runners)}

    async def get(self, path: str) -> tuple[int, str]:
        """Return status and text of a page."""
        async with aiohttp.ClientSession() as session, session.get(self.address + path) as answer:
            return answer.status, await answer.text()

    async def metrics(self) -> Metrics:
        """Return a scrape."""
        status, text = await self.get("/metrics")
        assert status == 200, text
        return Metrics(text)


class Metrics:
    """One scrape of /metrics."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.samples = [one for family in text_string_to_metric_families(text) for one in family.samples]

    def value(self, name: str, **labels: str) -> float | None:
        """Return the one sample of a name that has these labels, None where there is none."""
        found = self.all(name, **labels)
        assert len(found) <= 1, found
        return found[0] if found else None

    def all(self, name: str, **labels: str) -> list[float]:
        """Return the samples of a name that have these labels."""
        assert name.removesuffix("_count") in CATALOGUE, "a name that is none would never have a sample"
        return [one.value for one in self.samples if one.name == name and labels.items() <= one.labels.items()]


async def eventually(condition: Callable[[], Any], timeout_s: float = SETTLE_S) -> Any:
    """Ask until the answer is true, and return it."""
    deadline = time.monotonic() + timeout_s
    while True:
        answer = await condition()
        if answer:
            return answer
        assert time.monotonic() < deadline, "it did not come to pass"
        await asyncio.sleep(0.05)
