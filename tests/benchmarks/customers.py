"""A worker with 100,000 customers in 1 GiB: what it takes, what it shows and what it says that it capped.

Sources, evaluator and exporter of one worker, without Kafka, with the default ``max_series``. One customer has half of
all tickets. The address space is limited while it runs: beyond the limit it ends with a MemoryError.
"""

from __future__ import annotations

import asyncio
import resource
import time
from typing import TYPE_CHECKING

from tests.benchmarks import write_json
from tests.benchmarks.series import BY_CUSTOMER, NOON_MS, Worker, events_of, rss, scraped
from tests.replay.desk import book

if TYPE_CHECKING:
    from pathlib import Path

CUSTOMERS = 100_000
AT_ONCE = 2_000
GIB = 1 << 30
HOUR_MS = 3_600_000


def main(json_path: Path | None) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (GIB, resource.getrlimit(resource.RLIMIT_AS)[1]))
    worker = Worker(book(BY_CUSTOMER))
    started = time.perf_counter()
    tickets = 0
    for start in range(0, CUSTOMERS, AT_ONCE):
        for place in range(2):
            # Half of the events are those of customer 0, in tickets of their own.
            few = events_of(range(start + place, start + AT_ONCE, 2), place, NOON_MS - 4 * HOUR_MS, tickets=1)
            many = events_of([0], place, NOON_MS - 4 * HOUR_MS + start, tickets=AT_ONCE // 2)
            for lot in (few, many):
                worker.fold(place, lot, NOON_MS)
            tickets += AT_ONCE
        worker.judge(NOON_MS)
    seconds = time.perf_counter() - started
    scrapes, holds, size = asyncio.run(scraped(worker, 3))
    (shown, in_rest) = worker.evaluator.places()["desk", "resolution"]
    figures: dict[str, object] = {
        "customers": CUSTOMERS,
        "tickets": tickets,
        "seconds": seconds,
        "resident_bytes": rss(),
        "address_space_limit": GIB,
        "series_shown": shown,
        "series_in_rest": in_rest,
        "scrape_ms": min(scrapes) * 1e3,
        "hold_ms": max(holds) * 1e3,
        "page_bytes": size,
    }
    print(f"{CUSTOMERS:,} customers, {tickets:,} tickets, half of them of one customer: {seconds:.0f} s")
    print(f"memory  {rss() / 1e6:6.0f} MB of the {GIB / 1e6:.0f} MB that it may have")
    print(f"capped  {shown:,} series are shown, {in_rest:,} are counted together as other")
    print(f"scrape  {min(scrapes) * 1e3:6.0f} ms at best, {size / 1e6:.1f} MB")
    write_json(figures, json_path)
