"""Seconds until a worker is ready again after kill -9, with and without ``instance_id``, and bytes of an open ticket.

A real Kafka and ``sla-monitor worker`` as a process, with the usual session timeout. ``--tickets 1000000`` is the size
that counts; the default ends within a minute. The worker must have as many rows as before it was killed.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import resource
import signal
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.benchmarks import job, write_json
from tests.benchmarks.growth import CUSTOMERS, tickets
from tests.kafka.limited import LimitedWorker
from tests.kafka.monitor_job import MonitorJob

TICKETS = 20_000
SESSION_S = 15
"""The default."""
WITHIN_S = 900
CORE = 1


def options(parser: argparse.ArgumentParser) -> None:
    """Add what can be asked."""
    parser.add_argument("--tickets", type=int, default=TICKETS, help=f"how many are open [{TICKETS:,}]")


def main(json_path: Path | None, asked: argparse.Namespace) -> None:
    figures: dict[str, object] = {"tickets": asked.tickets}
    with job.kafka() as bootstrap, tempfile.TemporaryDirectory(prefix="sla-monitor-recovery-") as folder:
        for case, more in (("with_instance_id", {"INSTANCE_ID": "worker-0"}), ("without", {})):
            one = recovered(bootstrap, Path(folder, case), asked.tickets, more)
            figures[case] = one
            print(
                f"{case.replace('_', ' '):17} ready {one['ready_s']:.1f} s after the kill -9, "
                f"{asked.tickets:,} open tickets, {one['rows']:,} rows; {one['bytes_a_ticket']:,.0f} bytes a ticket, "
                f"{one['restored_bytes_a_ticket']:,.0f} after the restart",
                flush=True,
            )
    write_json(figures, json_path)


def recovered(bootstrap: str, folder: Path, number: int, more: dict[str, str]) -> dict[str, Any]:
    """Return the figures of a worker that is killed while so many tickets are open."""
    folder.mkdir()
    on = MonitorJob(bootstrap, folder, [job.AGREEMENT], session_s=SESSION_S, compact=False, more=more)
    asyncio.run(on.create())
    worker = LimitedWorker({**os.environ, **on.environment}, folder / "worker.log", resource.RLIM_INFINITY)
    with worker:
        _keep_to_itself(worker)
        worker.ready(60)
        empty_bytes = worker.resident_bytes()
        records = tickets(number, "T", CUSTOMERS, answered=False)
        asyncio.run(job.publish(bootstrap, on.settings.topics.tickets, records))
        rows = _rows(worker, number)
        full_bytes = worker.resident_bytes()
        os.kill(worker.pid, signal.SIGKILL)
        killed = time.monotonic()
        while worker.lives():
            time.sleep(0.01)
    with worker:
        _keep_to_itself(worker)
        worker.ready(WITHIN_S)
        ready_s = time.monotonic() - killed
        restored_bytes = worker.resident_bytes()
        again = _rows(worker, number)
    if again != rows:
        raise SystemExit(f"{rows:,} rows of tickets before the kill -9, {again:,} after it")
    return {
        "ready_s": ready_s,
        "rows": rows,
        "bytes_a_ticket": (full_bytes - empty_bytes) / number,
        "restored_bytes_a_ticket": (restored_bytes - empty_bytes) / number,
    }


def _rows(worker: LimitedWorker, number: int) -> int:
    """Return the rows of tickets once all of them are read.

    Raises:
        SystemExit: that takes too long.
    """
    deadline = time.monotonic() + WITHIN_S
    while time.monotonic() < deadline:
        page = worker.page()
        rows = sum(one.value for one in page.all("sla_partition_rows") if one.labels["topic"].endswith("-tickets"))
        if rows >= number and not page.sum("sla_lag_records"):
            return int(rows)
        time.sleep(0.5)
    raise SystemExit(f"{number:,} tickets were not read within {WITHIN_S} s: {worker.log[-2000:]}")


def _keep_to_itself(worker: LimitedWorker) -> None:
    if CORE in os.sched_getaffinity(0):
        os.sched_setaffinity(worker.pid, {CORE})
