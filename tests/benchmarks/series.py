"""Bytes of memory for a series, milliseconds of a scrape of 10,000 series, and the longest that it holds the loop.

Sources, evaluator and exporter of one worker, without Kafka: rows are kept as bytes, as a partition keeps them. Each
customer has tickets in two source partitions, figures of a rolling day and of the month, and an objective in both.
The rows of the tickets themselves are not counted: they are there however the figures are split.
"""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import time
from asyncio.subprocess import PIPE
from pathlib import Path
from typing import TYPE_CHECKING, Final

from monitor.core.facts.events import Event, Fact
from monitor.core.subjects.engine import SourceEngine
from monitor.core.windows.evaluator import Evaluator
from monitor.metrics.exporter import Exporter
from monitor.metrics.shown import MAX_SPREADS
from monitor.metrics.snapshot import Snapshot
from monitor.stream.partitions.collector import calm_collector
from monitor.web.server import WebServer
from monitor.wire.partials import Partial, decode_partial
from monitor.wire.rows import EVALUATE_ROWS, SOURCE_ROWS, RowCodec
from tests.benchmarks import write_json
from tests.partials import encode_partial
from tests.replay.desk import book, ms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitor.core.agreements.book import Book

SERIES = 10_000
SOURCES = 2
TICKETS = 2
"""Of each customer in each source: one is resolved, one stays open."""
AT_ONCE = 500
SCRAPES = 7
BY_CUSTOMER = """
agreement: desk
clocks:
  - {id: resolution, metric: resolution, targets: {P1: 4h}, at_risk: 50%, by: [customer], windows: [24h, month]}
objectives:
  - {id: resolved, of: resolution, indicator: compliance, target: ">= 90 %", windows: [24h, month]}
"""
NOON_MS = ms("2024-03-01T12:00:00")
ROW_BYTES = 150
"""What a row costs beside its key and its bytes: two objects' heads and a place in a dict."""


class KeptRows:
    """Rows as a partition keeps them: bytes, decoded while a batch is worked on."""

    def __init__(self, codec: RowCodec) -> None:
        self.codec = codec
        self.rows: dict[bytes, bytes] = {}
        self._decoded: dict[bytes, object | None] = {}

    def get(self, key: bytes) -> object | None:
        row = self._decoded.get(key, self)
        if row is self:
            encoded = self.rows.get(key)
            row = self._decoded[key] = None if encoded is None else self.codec.decode(key, encoded)
        return row

    def put(self, key: bytes, row: object | None) -> None:
        self._decoded[key] = row

    def commit(self) -> None:
        for key, row in self._decoded.items():
            if row is None:
                self.rows.pop(key, None)
            else:
                self.rows[key] = bytes(self.codec.encode(key, row))
        self._decoded.clear()


class Worker:
    """The sources and the evaluator of one worker."""

    def __init__(self, agreements: Book, sources: int = SOURCES, **options: int) -> None:
        self.book = agreements
        self.kept = [KeptRows(SOURCE_ROWS) for _ in range(sources)]
        self.engines = [SourceEngine("ticket", rows) for rows in self.kept]
        self.windows = KeptRows(EVALUATE_ROWS)
        self.evaluator = Evaluator(self.windows, **options)

    def fold(self, place: int, events: Sequence[Event], now_ms: int) -> None:
        """Fold a batch at one source, and take its panes over, through their bytes."""
        rows = self.kept[place]
        effects = self.engines[place].batch(events, now_ms, self.book)
        found = []
        for key, pane in effects.panes.items():
            found.append(encode_partial(f"tickets/{place}", key, pane))
        rows.commit()
        for partial in found:
            taken = decode_partial(*partial)
            assert isinstance(taken, Partial)
            self.evaluator.fold(taken.source, taken.pane_key, taken.pane, self.book)
        self.windows.commit()

    def judge(self, now_ms: int) -> float:
        """Judge all windows; return the seconds that it took."""
        started, more = time.perf_counter(), True
        while more:
            more = self.evaluator.evaluate(now_ms, self.book, limit=200).more
            self.windows.commit()
        return time.perf_counter() - started

    def snapshot(self) -> Snapshot:
        """Return what a scrape shows."""
        return Snapshot(
            now_ms=NOON_MS,
            agreements=self.book.agreements,
            statuses=list(self.evaluator.latest.values()),
            spreads=self.evaluator.spreads(MAX_SPREADS),
        )

    def subject_bytes(self) -> int:
        """Return what the rows of the tickets take."""
        rows = (item for kept in self.kept for item in kept.rows.items() if item[0][:1] == b"s")
        return sum(len(key) + len(row) + ROW_BYTES for key, row in rows)


def events_of(customers: Sequence[int], place: int, opened_ms: int, tickets: int = TICKETS) -> list[Event]:
    """Return the tickets of some customers at one source; every other one is resolved, some of them too late."""
    found = []
    for customer in customers:
        for number in range(tickets):
            ticket = f"T-{customer}-{place}-{opened_ms % 1_000_000}-{number}"
            told = {"customer": f"customer-{customer:06d}", "priority": "P1"}
            at_ms = opened_ms + customer * 17 % 3_600_000
            found.append(Event("ticket", ticket, Fact(at_ms, 0, f"{ticket}-o", "opened", told)))
            if not number % 2:
                stop_ms = at_ms + 60_000 + customer * 997 % 10_000_000
                found.append(Event("ticket", ticket, Fact(stop_ms, 0, f"{ticket}-r", "resolved", {})))
    return found


def rss() -> int:
    """Return the bytes of memory that the process has in use."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


_SCRAPER: Final = """
import sys, time, urllib.request
for line in sys.stdin:
    started = time.perf_counter()
    size = len(urllib.request.urlopen(line.strip() + "/metrics").read())
    print(time.perf_counter() - started, size, flush=True)
"""
"""A scraper as it is: another process."""


async def scraped(worker: Worker, times: int = SCRAPES) -> tuple[list[float], list[float], int]:
    """Return the seconds of some scrapes over HTTP, the longest hold of the loop in each, and the bytes of a page."""
    seconds, holds, size = [], [], 0

    async def watch(waits: list[float]) -> None:
        while True:
            asked = time.perf_counter()
            await asyncio.sleep(0.001)
            waits.append(time.perf_counter() - asked - 0.001)

    exporter = Exporter(worker.snapshot)
    scraper = await asyncio.create_subprocess_exec(sys.executable, "-c", _SCRAPER, stdin=PIPE, stdout=PIPE)
    assert scraper.stdin is not None
    assert scraper.stdout is not None
    async with WebServer(port=0, alive=lambda: (True, ""), ready=lambda: (True, ""), metrics=exporter.scrape) as server:
        for _ in range(times):
            waits: list[float] = []
            watching = asyncio.create_task(watch(waits))
            scraper.stdin.write(f"{server.address}\n".encode())
            took, bytes_read = (await scraper.stdout.readline()).split()
            seconds.append(float(took))
            size = int(bytes_read)
            watching.cancel()
            holds.append(max(waits))
        scraper.stdin.close()
        await scraper.wait()
    return seconds, holds, size


def worker_of(series: int) -> Worker:
    """Return a worker that shows so many series, each of a customer of its own."""
    worker = Worker(book(BY_CUSTOMER), max_series=series)
    for start in range(0, series, AT_ONCE):
        customers = range(start, min(series, start + AT_ONCE))
        for place in range(SOURCES):
            worker.fold(place, events_of(customers, place, NOON_MS - 4 * 3_600_000), NOON_MS)
        worker.judge(NOON_MS)
    assert worker.evaluator.places() == {("desk", "resolution"): (series, 0)}
    return worker


def main(json_path: Path | None) -> None:
    calm_collector()  # as the worker command does
    before = rss()
    worker = worker_of(SERIES)
    judged = rss()
    seconds, holds, size = asyncio.run(scraped(worker))
    shown = rss()
    figures = {
        "series": SERIES,
        "bytes_a_series": (judged - before - worker.subject_bytes()) / SERIES,
        "bytes_a_series_after_scrapes": (shown - before - worker.subject_bytes()) / SERIES,
        "scrape_ms": sorted(seconds)[len(seconds) // 2] * 1e3,
        "scrape_best_ms": min(seconds) * 1e3,
        "hold_ms": sorted(holds)[len(holds) // 2] * 1e3,
        "page_bytes": size,
    }
    print(f"memory  {figures['bytes_a_series']:8,.0f} bytes a series, {SERIES:,} of them in two windows")
    print(f"        {figures['bytes_a_series_after_scrapes']:8,.0f} after {SCRAPES} scrapes")
    print(f"scrape  {figures['scrape_ms']:8.0f} ms at the median, {figures['scrape_best_ms']:.0f} at best")
    print(f"hold    {figures['hold_ms']:8.1f} ms: the longest that the loop waits during a scrape, at the median")
    print(f"page    {size / 1e6:8.1f} MB")
    write_json(figures, json_path)
