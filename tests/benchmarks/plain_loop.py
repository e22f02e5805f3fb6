"""The plain loop that workers are compared with: aiokafka and orjson read and decode a topic, and nothing else.

``python -m tests.benchmarks.plain_loop BOOTSTRAP TOPIC COUNT THRESHOLDS`` in a process that has loaded nothing else.
Its garbage collector has the worker's thresholds (as JSON) and, like the worker's, leaves out what was there at first.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import time

import orjson
import uvloop
from aiokafka import AIOKafkaConsumer


async def read(bootstrap: str, topic: str, count: int) -> dict[str, float]:
    """Return the seconds, CPU seconds and events after the first fetch."""
    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=bootstrap, auto_offset_reset="earliest", enable_auto_commit=False,
        max_partition_fetch_bytes=1 << 20,
    )  # fmt: skip
    await consumer.start()
    seen, first, started, cpu = 0, 0, 0.0, 0.0
    while seen < count:
        for records in (await consumer.getmany(timeout_ms=1_000, max_records=5_000)).values():
            for record in records:
                orjson.loads(record.value)
            seen += len(records)
        if seen and not started:
            started, cpu, first = time.perf_counter(), time.process_time(), seen
    figures = {"seconds": time.perf_counter() - started, "cpu": time.process_time() - cpu, "events": seen - first}
    await consumer.stop()
    return figures


if __name__ == "__main__":
    address, name, number, thresholds = sys.argv[1:5]
    gc.collect()
    gc.freeze()
    gc.set_threshold(*orjson.loads(thresholds))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:  # as the worker command does
        done = runner.run(read(address, name, int(number)))
    print(orjson.dumps(done).decode())
