"""CPU of the work alone, without Kafka: µs of an event of a ticket or call, or of a merged pane, natively and not.

Both ways do the same work, one after the other; the ratio is of one run. The commit is left out: it is Kafka's. Panes
are those that four partitions send of the same events. The windows are judged after every fourth batch: the native way
decodes there what it has merged, so that is counted for each merged pane, too.
"""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any, NamedTuple
from zlib import crc32

import orjson
from aiokafka.structs import ConsumerRecord

from monitor import demo
from monitor.config.agreements.checking import book_of, load_agreements, parse_document
from monitor.core.agreements.book import Book
from monitor.core.facts.events import Subject
from monitor.core.pieces import at_once
from monitor.core.time.units import DAY_MS, MINUTE_MS
from monitor.stream.agents.books import Books
from monitor.stream.agents.evaluate import Evaluate
from monitor.stream.agents.ingest import Ingest
from monitor.stream.agents.native import chosen
from monitor.stream.agents.tally import Tally
from monitor.stream.partitions.collector import calm_collector
from monitor.stream.partitions.partition import PartitionState
from monitor.stream.partitions.ports import Now
from monitor.wire.rows import EVALUATE_ROWS, SOURCE_ROWS
from tests.benchmarks.holds import OUTLETS, Forgetful
from tests.benchmarks.job import AGREEMENT, BY_CUSTOMER, PARTITIONS, make
from tests.benchmarks.kinds import calls
from tests.stream.fakes import FakeWriter

TICKETS = 50_000
CALLS = 30_000
QUEUES = ("support", "billing", "sales")
BATCH = 3_000
"""Records of a batch, as ``max_batch_records`` has it."""
BATCHES_A_LOOK = 4
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


async def sent(records: list[ConsumerRecord], book: Book, native: Any) -> list[ConsumerRecord]:
    """Return the partials that source partitions send of events, batch by batch in turns."""
    works = []
    for partition in range(PARTITIONS):
        writer = FakeWriter(partitions=1, batch_limit=BATCH)
        state = PartitionState(
            topic="tickets", partition=partition, changelog="state", codec=SOURCE_ROWS, writer=writer
        )  # fmt: skip
        work = Ingest(
            state, subject="ticket", books=Books(book), outlets=OUTLETS, tally=Tally(), retention_ms=30 * DAY_MS,
            lateness_ms=MINUTE_MS, native=native,
        )  # fmt: skip
        at_once(work.restore())
        works.append((work, writer, [one for one in records if crc32(one.key) % PARTITIONS == partition]))
    found = []
    for start in range(0, len(records), BATCH):
        for work, writer, own in works:
            piece = own[start // PARTITIONS : start // PARTITIONS + BATCH // PARTITIONS]
            at_once(work.batch(piece, Now(NOW_MS, caught_up=False)))
            await work.state.commit(start)
            work.committed()
            found += [record for (topic, _), some in writer.committed.items() if topic == "partials" for record in some]
            writer.committed.clear()
            writer.transactions.clear()
    return [
        ConsumerRecord("partials", 0, place, 0, 0, key, value, None, len(key), len(value or b""), ())
        for place, (key, value, _) in enumerate(found)
    ]


async def merge(partials: list[ConsumerRecord], book: Book, native: Any) -> dict[str, Any]:
    """Return the CPU of a merged pane (µs), up to the encoded row and for the judgements, and what was made of all."""
    state = PartitionState(topic="partials", partition=0, changelog="state", codec=EVALUATE_ROWS, writer=Forgetful())
    tally = Tally()
    work = Evaluate(state, books=Books(book), outlets=OUTLETS, tally=tally, interval_ms=1_000, native=native)
    at_once(work.restore())
    merging = judging = 0.0
    for number, start in enumerate(range(0, len(partials), BATCH)):
        began = time.process_time()
        at_once(work.batch(partials[start : start + BATCH], Now(NOW_MS, caught_up=True)))
        state.seal()
        merging += time.process_time() - began
        await state.commit(start)
        work.committed()
        more = number % BATCHES_A_LOOK == 0
        while more:
            began = time.process_time()
            more = at_once(work.tick(Now(NOW_MS, caught_up=True)))
            judging += time.process_time() - began
            await state.commit(start)
            work.committed()
    count = sum(tally.merged.values())
    return {
        "us_a_pane": merging / count * 1e6,
        "judged_us_a_pane": judging / count * 1e6,
        "native_share": tally.merged["native"] / count,
        "panes": {key: row for key, row in state.rows.items() if key[:1] == b"w"},
    }


async def merged(records: list[ConsumerRecord], book: Book, native: Any) -> dict[str, float]:
    """Return the figures of the merge of the panes that follow from events."""
    partials = await sent(records, book, native)
    python = await merge(partials, book, None)
    found = {"python_us": python["us_a_pane"], "python_judged_us": python["judged_us_a_pane"]}
    if native is None:
        return found
    fast = await merge(partials, book, native)
    assert fast["panes"] == python["panes"]
    return {
        **found,
        "native_us": fast["us_a_pane"],
        "native_judged_us": fast["judged_us_a_pane"],
        "ratio": python["us_a_pane"] / fast["us_a_pane"],
        "native_share": fast["native_share"],
        "panes_a_second": 1e6 / fast["us_a_pane"],
    }


async def measure() -> dict[str, dict[str, float]]:
    """Return the figures of all jobs, and of the merge of the panes of one."""
    native = chosen("auto")
    calm_collector()
    found = {}
    for name, work in works().items():
        records = [
            ConsumerRecord(f"{work.subject}s", 0, place, 0, 0, key, value, None, len(key), len(value), ())
            for place, (key, value) in enumerate(work.records)
        ]
        if name == "by_customer":  # by priority there are some hundred panes
            found["panes"] = await merged(records, work.book, native)
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
