"""CPU of the fold alone, without Kafka: µs of an event of a ticket, with the native fast path and without.

Both ways fold the same events, one after the other; the ratio is of one run. The commit is left out: it is Kafka's.
"""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any

from aiokafka.structs import ConsumerRecord

from monitor.config.agreements.checking import book_of, parse_document
from monitor.core.agreements.book import Book
from monitor.core.pieces import at_once
from monitor.core.time.units import DAY_MS, MINUTE_MS
from monitor.stream.agents.books import Books
from monitor.stream.agents.ingest import Ingest
from monitor.stream.agents.native import chosen
from monitor.stream.agents.tally import Tally
from monitor.stream.partitions.collector import calm_collector
from monitor.stream.partitions.partition import PartitionState
from monitor.stream.partitions.ports import Now
from monitor.wire.rows import SOURCE_ROWS
from tests.benchmarks.holds import OUTLETS, Forgetful
from tests.benchmarks.job import AGREEMENT, BY_CUSTOMER, make

TICKETS = 50_000
BATCH = 3_000
"""Records of a batch, as ``max_batch_records`` has it."""
NOW_MS = 1_772_409_600_000
JOBS: dict[str, dict[str, Any]] = {"by_priority": AGREEMENT, "by_customer": BY_CUSTOMER}


async def fold(records: list[ConsumerRecord], book: Book, native: Any) -> dict[str, float]:
    """Return the CPU of an event (µs), and the share of the facts that the native path took."""
    state = PartitionState(topic="tickets", partition=0, changelog="state", codec=SOURCE_ROWS, writer=Forgetful())
    tally = Tally()
    work = Ingest(
        state, subject="ticket", books=Books(book), outlets=OUTLETS, tally=tally, retention_ms=30 * DAY_MS,
        lateness_ms=MINUTE_MS, native=native,
    )  # fmt: skip
    at_once(work.restore())
    spent = 0.0
    for start in range(0, len(records), BATCH):
        piece = records[start : start + BATCH]
        began = time.process_time()
        at_once(work.batch(piece, Now(NOW_MS, caught_up=start + BATCH >= len(records))))
        spent += time.process_time() - began
        await state.commit(start + len(piece))
        work.committed()
    share = tally.ways["tickets", "native"] / len(records)
    return {"us_an_event": spent / len(records) * 1e6, "native_share": share, "alerts": sum(tally.alerts.values())}


async def measure() -> dict[str, dict[str, float]]:
    """Return the figures of both jobs."""
    native = chosen("auto")
    job = make(TICKETS, before_ms=NOW_MS)
    records = [
        ConsumerRecord("tickets", 0, place, 0, 0, key, value, None, len(key), len(value), ())
        for place, (key, value) in enumerate(job.records)
    ]
    calm_collector()
    found = {}
    for name, document in JOBS.items():
        book = book_of([parse_document(document)])
        python = await fold(records, book, None)
        if native is None:
            found[name] = {"python_us": python["us_an_event"]}
            continue
        fast = await fold(records, book, native)
        assert fast["alerts"] == python["alerts"]
        found[name] = {
            "python_us": python["us_an_event"],
            "native_us": fast["us_an_event"],
            "ratio": python["us_an_event"] / fast["us_an_event"],
            "native_share": fast["native_share"],
        }
    return found


def main(json_path: Path | None) -> None:
    figures = asyncio.run(measure())
    for name, one in figures.items():
        print(name, {key: round(value, 3) for key, value in one.items()})
    if json_path:
        json_path.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
