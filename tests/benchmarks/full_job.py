"""Events per second of one worker on one core: topic to committed rows, partials and alerts; a real Kafka.

In one run: the limit (a plain aiokafka loop with orjson, in a process that loads nothing else and has the worker's
settings of the garbage collector), a stock Faust agent with one table write per event, and the monitor's worker with
everything in Kafka transactions. What the worker announces and shows is checked against the job. ``--subject`` measures
calls, outages or leads instead of tickets; ``--python`` another interpreter, which needs the same packages.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import orjson
import uvloop
from aiokafka import AIOKafkaConsumer

from monitor.bootstrap import Monitor
from monitor.core.objectives.status import WindowStatus
from monitor.installation import topic_plan
from monitor.stream.kafka.topics import create_topics
from monitor.stream.partitions.collector import COLLECTOR_THRESHOLDS, calm_collector
from monitor.wire.announcements import decode_status
from tests.benchmarks import job, write_json
from tests.benchmarks.kinds import KINDS, WINDOW, KindJob
from tests.benchmarks.runs import ROOT

MODULE = "tests.benchmarks.full_job"
TICKETS = 150_000
SETTLE_S = 60
"""The figures are shown by then at the latest."""
STOCK_EVENTS = 60_000


Figures = dict[str, list[float]]
"""By indicator: numerator and denominator."""


async def monitor(bootstrap: str, app_id: str, plan: dict[str, Any]) -> dict[str, Any]:
    """Run the worker until all events are committed; time them from when every partition has committed its first batch.

    Before that a cold broker makes the producers of the partitions, one after the other, and the worker waits for it.
    """
    worker = Monitor(job.settings(bootstrap, app_id))
    calm_collector()  # as the worker command does
    task = asyncio.ensure_future(worker.run())
    topics, count = worker.settings.topics, plan["count"]
    source = getattr(topics, plan["topic"])

    def events() -> list[int]:
        return [one.events for (topic, _), one in worker.app.stats.partitions.items() if topic == source]

    try:
        await job.until(lambda: task.done() or sum(map(bool, events())) == job.PARTITIONS, 0.001)
        if task.done():
            task.result()
        started, cpu, first = time.perf_counter(), time.process_time(), sum(events())
        await job.until(lambda: task.done() or sum(events()) >= count, 0.005)
        figures: dict[str, Any] = {"seconds": time.perf_counter() - started, "cpu": time.process_time() - cpu}
        figures["events"] = sum(events()) - first
        batches = [one for (topic, _), one in worker.app.stats.partitions.items() if topic == source]
        figures["records_per_batch"] = sum(events()) / max(1, sum(one.batches for one in batches))
        figures["fold_s"] = sum(one.batch_seconds.histogram().sum for one in batches)
        figures["commit_s"] = sum(one.commit_seconds.histogram().sum for one in batches)
        figures["peak_mb"] = _peak_mb()
        ways = worker.tally.ways
        figures["native_share"] = ways[source, "native"] / max(1, ways[source, "native"] + ways[source, "python"])
        figures["shown"] = await figures_shown(bootstrap, topics.status, plan["figures"])
    finally:
        worker.app.request_stop()
        await task
    return figures


def _peak_mb() -> float:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def stock(bootstrap: str, topic: str, count: int) -> None:
    """Run stock Faust until it has written one table row for each event; print and leave."""
    import faust  # noqa: PLC0415 - its command line reads sys.argv

    app = faust.App(
        f"stock-{os.getpid()}", broker=f"kafka://{bootstrap}", topic_partitions=job.PARTITIONS, store="memory://",
        datadir=tempfile.mkdtemp(prefix="sla-monitor-stock-"), web_enabled=False, topic_disable_leader=True,
        consumer_auto_offset_reset="earliest", stream_wait_empty=False, broker_max_poll_records=5000,
    )  # fmt: skip
    source = app.topic(topic, value_serializer="json", key_serializer="raw")
    table = app.Table("opened", default=int, partitions=job.PARTITIONS)
    subject = topic.rpartition("-")[2].removesuffix("s")
    seen = {"events": 0, "started": 0.0, "cpu": 0.0}

    @app.agent(source)
    async def agent(stream: Any) -> None:
        async for event in stream:
            if not seen["events"]:
                seen["started"], seen["cpu"] = time.perf_counter(), time.process_time()
            table[event[subject]] = event["time"]
            seen["events"] += 1
            if seen["events"] == count:
                seconds = time.perf_counter() - seen["started"]
                cpu = time.process_time() - seen["cpu"]
                line = b"\n" + orjson.dumps({"seconds": seconds, "cpu": cpu, "events": count}) + b"\n"
                os.write(1, line)  # on a line of its own: Faust moves the cursor before, on some terminals
                os._exit(0)

    sys.argv = ["stock", "worker", "--without-web", "-l", "error"]
    app.main()


async def announced(bootstrap: str, topic: str) -> dict[str, int]:
    """Count the distinct breaches that a committed reader sees, and how often one came twice."""
    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=bootstrap, auto_offset_reset="earliest", isolation_level="read_committed"
    )
    await consumer.start()
    ids: list[str] = []
    quiet = 0
    while quiet < 3:
        fetched = await consumer.getmany(timeout_ms=500)
        quiet = 0 if fetched else quiet + 1
        for records in fetched.values():
            events = [orjson.loads(record.value) for record in records]
            ids += [one["id"] for one in events if one["data"]["state"] == "breached"]
    await consumer.stop()
    return {"breaches": len(set(ids)), "twice": len(ids) - len(set(ids))}


async def figures_shown(bootstrap: str, topic: str, wanted: Figures) -> Figures:
    """Return the wanted figures as a committed reader sees them, summed over the series, or the last ones seen."""
    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=bootstrap, auto_offset_reset="earliest", isolation_level="read_committed"
    )
    await consumer.start()
    newest: dict[bytes | None, WindowStatus] = {}
    deadline, shown = time.monotonic() + SETTLE_S, Figures()
    while shown != wanted and time.monotonic() < deadline:
        for records in (await consumer.getmany(timeout_ms=500)).values():
            newest |= {record.key: decode_status(record.value) for record in records if record.value}
        sums: dict[str, list[float]] = {}
        for status in newest.values():
            for one in status.figures if status.window == WINDOW else ():
                if one.indicator in wanted:
                    of = sums.setdefault(one.indicator, [0, 0])
                    of[0] += one.numerator
                    of[1] += one.denominator
        shown = sums
    await consumer.stop()
    return shown


def version_of(python: str) -> str:
    """Return the version and build of an interpreter that can run the worker.

    Raises:
        SystemExit: it is none, or lacks packages; the message says which and how to install them.
    """
    try:
        done = subprocess.run(
            [python, "-c", "import sys; print(sys.version); import uvloop, monitor.bootstrap"],
            cwd=ROOT, capture_output=True, text=True, check=False,
        )  # fmt: skip
    except OSError as error:
        raise SystemExit(f"--python {python}: {error.strerror}") from error
    version = " ".join(done.stdout.split())
    if done.returncode:
        why = done.stderr.strip().rpartition("\n")[2]
        raise SystemExit(
            f"--python {python} ({version or 'no CPython'}) cannot run the worker: {why}. "
            "Make a virtual environment of it, install requirements-test.txt there, and name the python of that."
        )
    return version


def cases(subject: str, number: int | None) -> dict[str, KindJob]:
    """Return the jobs of a subject by their names."""
    if subject != "tickets":
        make, usual = KINDS[subject]
        return {"by_default": make(number or usual)}
    work = job.make(number or TICKETS)
    agreements = {"by_priority": job.AGREEMENT, "by_customer": job.BY_CUSTOMER}
    return {case: KindJob("tickets", work.records, one, work.breaches, {}) for case, one in agreements.items()}


def measured(bootstrap: str, work: KindJob, app_id: str, python: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the figures of the plain loop and of the worker over the job, on topics of its own."""
    count = len(work.records)
    settings = job.settings(bootstrap, app_id)
    source = getattr(settings.topics, work.topic)
    asyncio.run(create_topics(bootstrap, topic_plan(settings)))
    asyncio.run(job.publish_agreement(bootstrap, settings.topics.agreements, work.agreement))
    asyncio.run(job.publish(bootstrap, source, work.records))
    thresholds = orjson.dumps(COLLECTOR_THRESHOLDS).decode()
    plain = job.child(["tests.benchmarks.plain_loop", bootstrap, source, str(count), thresholds], 1, python=python)
    plan = orjson.dumps({"topic": work.topic, "count": count, "figures": work.figures}).decode()
    ours = job.child([MODULE, "monitor", bootstrap, app_id, plan], 1, python=python)
    return plain, ours | asyncio.run(announced(bootstrap, settings.topics.alerts))


def options(parser: argparse.ArgumentParser) -> None:
    """Add what can be asked."""
    parser.add_argument("--subject", choices=("tickets", *KINDS), default="tickets", help="whose events [tickets]")
    parser.add_argument(
        "--number",
        type=int,
        metavar="N",
        help="how many tickets, calls, outages or leads: few measure little but the first batches",
    )
    parser.add_argument(
        "--python", default=sys.executable, metavar="FILE", help="the interpreter of what is measured [this one]"
    )


def main(json_path: Path | None, asked: argparse.Namespace) -> None:
    version = version_of(asked.python)
    print(f"Python {version}")
    figures: dict[str, object] = {"python": version, "subject": asked.subject}
    wrong: list[str] = []
    with job.kafka() as bootstrap:
        jobs = cases(asked.subject, asked.number)
        for case, work in jobs.items():
            count = len(work.records)
            size = sum(len(value) for _, value in work.records) / count
            print(f"{case}: {count:,} events of {asked.subject}, of {size:.0f} bytes on average")
            plain, ours = measured(bootstrap, work, f"bench-{case}-{int(time.time())}", asked.python)
            if not plain["events"] or not ours["events"]:
                raise SystemExit(f"{count:,} events are all in the first fetches: name a larger --number")
            shown = ours.pop("shown")
            figures[case] = told(plain, ours)
            if (ours["breaches"], ours["twice"]) != (work.breaches, 0):
                wrong.append(
                    f"{case}: {ours['breaches']:,} breaches of {work.breaches:,} were announced, {ours['twice']} twice"
                )
            if shown != orjson.loads(orjson.dumps(work.figures)):
                wrong.append(f"{case}: {work.figures} was expected, {shown} was shown")
        (first, *_) = jobs.values()
        figures["stock_faust"] = faust = stock_measured(bootstrap, first, asked.python)
    print(f"stock Faust, one table write an event  {faust['per_s']:>10,.0f} events/s")
    for case in jobs:
        of_case: Any = figures[case]
        of_case["to_stock_faust"] = of_case["per_s"] / faust["per_s"]
        print(f"  {case}: {of_case['to_stock_faust']:.1f} times stock Faust")
    write_json(figures, json_path)
    if wrong:
        raise SystemExit("\n".join(["the worker said something else than the job holds:", *wrong]))


def told(plain: dict[str, Any], ours: dict[str, Any]) -> dict[str, Any]:
    """Print and return the figures of a plain loop and of the worker on the same records."""
    found = ours | {"per_s": rate(ours), "plain_loop_per_s": rate(plain), "to_plain": rate(ours) / rate(plain)}
    found["cpu_us"], found["plain_cpu_us"] = (one["cpu"] / one["events"] * 1e6 for one in (ours, plain))
    for who, one, cpu_us in (("plain loop", plain, found["plain_cpu_us"]), ("sla-monitor", ours, found["cpu_us"])):
        print(f"  {who:37}{rate(one):>10,.0f} events/s, {cpu_us:.2f} us CPU each")
    print(
        f"  {found['to_plain']:.3f} of the plain loop; "
        f"{ours['fold_s']:.1f} s folding, {ours['commit_s']:.1f} s in commits, "
        f"{ours['records_per_batch']:.0f} events a batch, {ours['peak_mb']:.0f} MB at most, "
        f"{ours['native_share']:.0%} folded by the native package, "
        f"{ours['breaches']:,} breaches announced, {ours['twice']} twice"
    )
    return found


def stock_measured(bootstrap: str, work: KindJob, python: str) -> dict[str, Any]:
    """Return the figures of stock Faust on some of a job's records."""
    app_id = f"stock-{int(time.time())}"
    settings = job.settings(bootstrap, app_id)
    source = getattr(settings.topics, work.topic)
    asyncio.run(create_topics(bootstrap, topic_plan(settings)))
    asyncio.run(job.publish(bootstrap, source, work.records[: 2 * STOCK_EVENTS]))
    count = min(STOCK_EVENTS, len(work.records) // 2)
    figures = job.child([MODULE, "stock", bootstrap, source, str(count)], 1, python=python)
    return figures | {"per_s": rate(figures)}


def rate(one: dict[str, Any]) -> float:
    """Return events per second."""
    return float(one["events"] / one["seconds"])


if __name__ == "__main__":
    which, address, name, more = sys.argv[1:5]
    if which == "stock":
        stock(address, name, int(more))
    else:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:  # as the worker command does
            done = runner.run(monitor(address, name, orjson.loads(more)))
        print(orjson.dumps(done).decode())
