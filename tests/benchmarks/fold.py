"""CPU of the fold alone, without Kafka: µs of an event of a ticket or a call, with the native fast path and without.

Both ways fold the same events, one after the other; the ratio is of one run. The commit is left out: it is Kafka's.
"""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any, NamedTuple

import orjson
from aiokafka.structs import ConsumerRecord

from monitor import demo
from monitor.config.agreements.checking import book_of, load_agreements, parse_document
from monitor.core.agreements.book import Book
from monitor.core.facts.events import Subject
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
from tests.benchmarks.kinds import calls

TICKETS = 50_000
CALLS = 30_000
QUEUES = ("support", "billing", "sales")
BATCH = 3_000
"""Records of a batch, as ``max_batch_records`` has it."""
NOW_MS = 1_772_409_600_000
JOBS: dict[str, dict[str, Any]] = {"by_priority": AGREEMENT, "by_customer": BY_CUSTOMER}
CENTRE = Path(demo.__file__).parent / "agreements" / "call-centre.yaml"


class Work(NamedTuple):
    """Records of one topic, and the book by which they are folded."""

    subject: Subject
    records: list[tuple[bytes, bytes]]
    book: Book
    now_ms: int


async def fold(records: list[ConsumerRecord], of: Work, native: Any) -> dict[str, float]:
    """Return the CPU of an event (µs), and the share of the facts that the native path took."""
    topic = f"{of.subject}s"
    state = PartitionState(topic=topic, partition=0, changelog="state", codec=SOURCE_ROWS, writer=Forgetful())
    tally = Tally()
    work = Ingest(
        state, subject=of.subject, books=Books(of.book), outlets=OUTLETS, tally=tally, retention_ms=30 * DAY_MS,
        lateness_ms=MINUTE_MS, native=native,
    )  # fmt: skip
    at_once(work.restore())
    spent = 0.0
    for start in range(0, len(records), BATCH):
        piece = records[start : start + BATCH]
        began = time.process_time()
        at_once(work.batch(piece, Now(of.now_ms, caught_up=start + BATCH >= len(records))))
        spent += time.process_time() - began
        await state.commit(start + len(piece))
        work.committed()
    share = tally.ways[topic, "native"] / len(records)
    return {"us_an_event": spent / len(records) * 1e6, "native_share": share, "alerts": sum(tally.alerts.values())}


def works() -> dict[str, Work]:
    """Return all jobs: two of tickets, and calls by the agreement of `full_job` and by that of the demo."""
    tickets = make(TICKETS, before_ms=NOW_MS).records
    found = {
        name: Work("ticket", tickets, book_of([parse_document(document)]), NOW_MS) for name, document in JOBS.items()
    }
    hotline, centre = calls(CALLS), load_agreements(CENTRE)
    now_ms = int(time.time() * 1000)
    found["calls"] = Work("call", hotline.records, book_of([parse_document(hotline.agreement)]), now_ms)
    found["call_centre"] = Work("call", [*map(_of_the_centre, hotline.records)], centre, now_ms)
    return found


def _of_the_centre(record: tuple[bytes, bytes]) -> tuple[bytes, bytes]:
    """Return an event as the demo's call centre tells it: its queues and callers, and how the conversation went."""
    key, value = record
    body = orjson.loads(value)
    number = int(key[2:])
    body |= {"queue": QUEUES[number % 3], "caller": f"caller-{number % 4_000:04}", "issue": "login"}
    if body["type"] == "ended":
        body |= {"talk_ms": 150_000, "hold_ms": 0, "wrap_up_ms": 20_000, "resolved": number % 5 > 0, "score": 4.5}
    return key, orjson.dumps(body)


async def measure() -> dict[str, dict[str, float]]:
    """Return the figures of all jobs."""
    native = chosen("auto")
    calm_collector()
    found = {}
    for name, work in works().items():
        records = [
            ConsumerRecord(f"{work.subject}s", 0, place, 0, 0, key, value, None, len(key), len(value), ())
            for place, (key, value) in enumerate(work.records)
        ]
        python = await fold(records, work, None)
        if native is None:
            found[name] = {"python_us": python["us_an_event"]}
            continue
        fast = await fold(records, work, native)
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
