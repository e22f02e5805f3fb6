"""Ticket events per second of one worker on one core: topic to committed rows, partials and alerts; a real Kafka.

In one run: the limit (a plain aiokafka loop with orjson), a stock Faust agent with one table write per event, and the
monitor's worker with everything in Kafka transactions. What the worker announces is checked against the job.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import orjson
import uvloop
from aiokafka import AIOKafkaConsumer

from monitor.bootstrap import Monitor, calm_collector
from monitor.installation import topic_plan
from monitor.stream.kafka.topics import create_topics
from tests.benchmarks import job, write_json
from tests.kafka.broker import KafkaBroker

MODULE = "tests.benchmarks.full_job"
RUNS = 2
"""Of the plain loop and of the worker the best run counts: what disturbs a run only ever makes it slower."""
STOCK_EVENTS = 60_000


async def limit(bootstrap: str, topic: str, count: int) -> dict[str, Any]:
    """Read and decode, nothing else."""
    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=bootstrap, auto_offset_reset="earliest", enable_auto_commit=False,
        max_partition_fetch_bytes=1 << 20,
    )  # fmt: skip
    await consumer.start()
    seen, started, cpu = 0, 0.0, 0.0
    first = 0
    while seen < count:
        for records in (await consumer.getmany(timeout_ms=1_000, max_records=5_000)).values():
            for record in records:
                orjson.loads(record.value)
            seen += len(records)
        if not started:
            started, cpu, first = time.perf_counter(), time.process_time(), seen
    figures = {"seconds": time.perf_counter() - started, "cpu": time.process_time() - cpu, "events": seen - first}
    await consumer.stop()
    return figures


async def monitor(bootstrap: str, app_id: str, count: int) -> dict[str, Any]:
    """Run the worker until all events are committed; time them from when every partition has committed its first batch.

    Before that a cold broker makes the producers of the partitions, one after the other, and the worker waits for it.
    """
    worker = Monitor(job.settings(bootstrap, app_id))
    calm_collector()  # as the worker command does
    task = asyncio.ensure_future(worker.run())
    tickets = worker.settings.topics.tickets

    def events() -> list[int]:
        return [one.events for (topic, _), one in worker.app.stats.partitions.items() if topic == tickets]

    try:
        await job.until(lambda: task.done() or sum(map(bool, events())) == job.PARTITIONS, 0.001)
        if task.done():
            task.result()
        started, cpu, first = time.perf_counter(), time.process_time(), sum(events())
        await job.until(lambda: task.done() or sum(events()) >= count, 0.005)
        figures = {"seconds": time.perf_counter() - started, "cpu": time.process_time() - cpu}
        figures["events"] = sum(events()) - first
        batches = [one for (topic, _), one in worker.app.stats.partitions.items() if topic == tickets]
        figures["records_per_batch"] = sum(events()) / max(1, sum(one.batches for one in batches))
        figures["fold_s"] = sum(one.batch_seconds.histogram().sum for one in batches)
        figures["commit_s"] = sum(one.commit_seconds.histogram().sum for one in batches)
        figures["peak_mb"] = _peak_mb()
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
    seen = {"events": 0, "started": 0.0, "cpu": 0.0}

    @app.agent(source)
    async def agent(stream: Any) -> None:
        async for event in stream:
            if not seen["events"]:
                seen["started"], seen["cpu"] = time.perf_counter(), time.process_time()
            table[event["ticket"]] = event["time"]
            seen["events"] += 1
            if seen["events"] == count:
                seconds = time.perf_counter() - seen["started"]
                cpu = time.process_time() - seen["cpu"]
                line = orjson.dumps({"seconds": seconds, "cpu": cpu, "events": count}) + b"\n"
                os.write(1, line)
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


def measured(
    broker: KafkaBroker, work: job.Job, agreement: dict[str, Any], app_id: str
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the figures of the plain loop and of the worker over the job, on topics of its own."""
    count = str(len(work.records))
    settings = job.settings(broker.bootstrap, app_id)
    tickets = settings.topics.tickets
    asyncio.run(create_topics(broker.bootstrap, topic_plan(settings)))
    asyncio.run(job.publish_agreement(broker.bootstrap, settings.topics.agreements, agreement))
    asyncio.run(job.publish(broker.bootstrap, tickets, work.records))
    broker.pin(0)
    plain = job.child([MODULE, "limit", broker.bootstrap, tickets, count], 1)
    ours = job.child([MODULE, "monitor", broker.bootstrap, app_id, count], 1)
    return plain, ours | asyncio.run(announced(broker.bootstrap, settings.topics.alerts))


def main(json_path: Path | None) -> None:
    work = job.make()
    count = len(work.records)
    print(f"{count:,} ticket events of {sum(len(value) for _, value in work.records) / count:.0f} bytes on average")
    with KafkaBroker() as broker:
        broker.pin(0)
        plain = []
        runs: dict[str, list[dict[str, Any]]] = {"by_priority": [], "by_customer": []}
        for number in range(RUNS):
            for case, agreement in (("by_priority", job.AGREEMENT), ("by_customer", job.BY_CUSTOMER)):
                limit_run, our_run = measured(broker, work, agreement, f"bench-{case}-{number}-{int(time.time())}")
                plain.append(limit_run)
                runs[case].append(our_run)
        tickets = f"stock-{int(time.time())}"
        asyncio.run(create_topics(broker.bootstrap, topic_plan(job.settings(broker.bootstrap, tickets))))
        asyncio.run(job.publish(broker.bootstrap, f"{tickets}-tickets", work.records[: 2 * STOCK_EVENTS]))
        faust = job.child([MODULE, "stock", broker.bootstrap, f"{tickets}-tickets", str(STOCK_EVENTS)], 1)
    ours = {case: max(several, key=rate) for case, several in runs.items()}
    limit_rate = max(rate(one) for one in plain)
    figures: dict[str, object] = {
        "plain_loop_per_s": limit_rate,
        "stock_faust_per_s": rate(faust),
        "breaches_expected": work.breaches,
    }
    print(f"plain aiokafka + orjson loop           {limit_rate:>10,.0f} events/s, the best of {len(plain)} runs")
    print(f"stock Faust, one table write an event  {rate(faust):>10,.0f} events/s")
    for case, one in ours.items():
        figures[case] = one | {
            "per_s": rate(one), "to_plain": rate(one) / limit_rate, "to_stock_faust": rate(one) / rate(faust),
        }  # fmt: skip
        of = f"the best of {len(runs[case])} runs"
        print(f"sla-monitor, figures {case.replace('_', ' '):18}{rate(one):>10,.0f} events/s, {of}")
        print(f"  to the plain loop                    {rate(one) / limit_rate:>10.3f}")
        print(f"  to stock Faust                       {rate(one) / rate(faust):>10.1f}")
        print(
            f"  {one['cpu'] / one['events'] * 1e6:.1f} us CPU an event, {one['fold_s']:.1f} s folding, "
            f"{one['records_per_batch']:.0f} events a batch, {one['peak_mb']:.0f} MB at most, "
            f"breaches announced {one['breaches']:,} of {work.breaches:,}, {one['twice']} twice"
        )
    write_json(figures, json_path)
    if any(one["breaches"] != work.breaches or one["twice"] for several in runs.values() for one in several):
        raise SystemExit("the worker announced something else than the job holds")


def rate(one: dict[str, Any]) -> float:
    """Return events per second."""
    return float(one["events"] / one["seconds"])


if __name__ == "__main__":
    which, address, name, number = sys.argv[1:5]
    if which == "stock":
        stock(address, name, int(number))
    else:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:  # as the worker command does
            done = runner.run((limit if which == "limit" else monitor)(address, name, int(number)))
        print(orjson.dumps(done).decode())
