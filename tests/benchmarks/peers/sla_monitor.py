"""sla-monitor itself with an agreement that says the job: its worker, as its command runs it.

It does more than the job asks: it decodes and checks whole events by a contract and keeps what it cannot read as dead
letters, keeps each ticket's facts so that late and repeated ones change nothing wrongly, keeps pauses, calendars and
sketches of the durations by which percentiles are known, sends each pane in the same transaction to where the panes of
all partitions are merged into a rolling half hour for every customer, and judges and shows these. Its alerts are made
when a deadline passes, not when the answer comes.

Everything that follows from a fetch is one Kafka transaction. Progress is what the worker has counted as committed.
"""

from __future__ import annotations

import asyncio
import sys
import time
from typing import TYPE_CHECKING, Any, Final

import orjson
import uvloop

from monitor.bootstrap import Monitor
from monitor.installation import topic_plan
from monitor.stream.kafka.topics import create_topics
from monitor.stream.partitions.collector import calm_collector
from tests.benchmarks import job
from tests.benchmarks.peers.place import Peer
from tests.benchmarks.peers.reading import alerted, changelog, monitor_panes
from tests.benchmarks.peers.running import Process, Ran, Sample, ended
from tests.benchmarks.peers.work import Outcome, outcome

if TYPE_CHECKING:
    from monitor.config.settings.settings import Settings
    from tests.benchmarks.peers.place import Place

SAMPLE_S: Final = 0.05


def settings_of(bootstrap: str, app_id: str, source: str) -> Settings:
    """Return the settings of a worker that reads the tickets of a topic which others read, too."""
    settings = job.settings(bootstrap, app_id)
    return settings.model_copy(update={"topics": settings.topics.model_copy(update={"tickets": source})})


def run(place: Place) -> tuple[Ran, Outcome]:
    settings = settings_of(place.bootstrap, place.app_id, place.source)
    asyncio.run(create_topics(place.bootstrap, topic_plan(settings)))
    asyncio.run(job.publish_agreement(place.bootstrap, settings.topics.agreements, job.BY_CUSTOMER))
    command = [
        sys.executable, "-m", __name__, place.bootstrap, place.app_id, place.source, str(place.events),
        str(place.within_s),
    ]  # fmt: skip
    with Process(command, place.folder / "log") as process:
        told = ended(process, place)
        ran = Ran([Sample(*one) for one in told.pop("samples")], process.peak_mb, told)
    rows = asyncio.run(changelog(place.bootstrap, settings.topics.partials))
    return ran, outcome(asyncio.run(alerted(place.bootstrap, settings.topics.alerts)), monitor_panes(rows))


async def worker(bootstrap: str, app_id: str, source: str, events: int, within_s: float) -> dict[str, Any]:
    """Run the worker until all events are committed; return how far it had got at which instants."""
    monitor = Monitor(settings_of(bootstrap, app_id, source))
    calm_collector()  # as the worker command does
    task = asyncio.ensure_future(monitor.run())
    samples: list[tuple[float, float, int]] = []
    deadline = time.monotonic() + within_s
    try:
        while (not samples or samples[-1][2] < events) and not task.done() and time.monotonic() < deadline:
            partitions = monitor.app.stats.partitions.items()
            committed = sum(one.events for (topic, _), one in partitions if topic == source)
            samples.append((time.perf_counter(), time.process_time(), committed))
            await asyncio.sleep(SAMPLE_S)
    finally:
        monitor.app.request_stop()
        await task
    return {"samples": samples}


PEERS: Final = (
    Peer("sla-monitor", "long", "exactly once; rolling half hours by customer are judged and shown, too", run),
)

if __name__ == "__main__":
    address, name, topic, number, seconds = sys.argv[1:6]
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:  # as the worker command does
        done = runner.run(worker(address, name, topic, int(number), float(seconds)))
    print(orjson.dumps(done).decode())
