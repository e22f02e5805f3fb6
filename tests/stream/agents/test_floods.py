"""What floods make of the rows and records of the workers: all stay small, nothing stops, nothing is left out."""

from __future__ import annotations

import pytest

from monitor.core.agreements.measures import CallRule, Filter, OutageRule
from monitor.core.time.units import HOUR_MS, MINUTE_MS
from monitor.core.time.windows import Window
from tests.core.stories import agreement, ms
from tests.stream.flow import Flow

DAY, HOUR = Window("day"), Window("rolling", HOUR_MS)
CALLS = CallRule(id="answer", where=Filter(), windows=(DAY, HOUR), answer_within_ms=20_000, repeat_within_ms=HOUR_MS)
OUTAGES = OutageRule(id="up", where=Filter(), windows=(DAY, HOUR))
LIMIT = 1 << 19
"""A sixteenth of what Kafka takes here: so a sixteenth of the flood shows the same."""
START_MS = ms("Mon 09:00")
CALL_IDS = [f"{number:05}".ljust(512, "x") for number in range(4_000)]
OUTAGE_IDS = [f"O-{number:05}" for number in range(8_000)]


def records(ids, kind, at_ms, step_ms=0):
    return [
        (name, {"id": f"{kind}-{name}"[:500], "type": kind, "time": at_ms + place * step_ms, "caller": name})
        for place, name in enumerate(ids)
    ]


def in_batches(sent):
    return [sent[start : start + 1_000] for start in range(0, len(sent), 1_000)]


@pytest.fixture
def calls():
    return Flow("calls", "call", agreement(CALLS), max_record_bytes=LIMIT)


async def test_a_queue_with_long_ids_makes_no_large_record_and_is_told_whole_also_after_a_restart(calls):
    for batch in in_batches(records(CALL_IDS, "queued", START_MS, 10)):
        await calls.send(*batch, now_ms=START_MS + MINUTE_MS)
    await calls.tick(START_MS + 2 * MINUTE_MS)
    await calls.look(START_MS + 2 * MINUTE_MS)

    assert calls.status("1h").live == {"waiting": 4_000, "longest_wait_ms": 2 * MINUTE_MS}
    assert calls.tally.divided["calls"] > 0

    calls.restart()
    for batch in in_batches(records(CALL_IDS, "answered", START_MS + 3 * MINUTE_MS)):
        await calls.send(*batch, now_ms=START_MS + 3 * MINUTE_MS)
    await calls.look(START_MS + 4 * MINUTE_MS)

    assert calls.status("1h").live == {"waiting": 0, "longest_wait_ms": 0}
    assert calls.figure("day", "SL1").denominator == 4_000
    assert calls.figure("day", "fcr_provisional").denominator == 0
    assert calls.largest < LIMIT
    assert calls.tally.dead_letters == {}


async def test_a_flood_of_outages_makes_no_large_record_and_each_of_them_counts():
    flow = Flow("outages", "outage", agreement(OUTAGES), max_record_bytes=LIMIT)
    for batch in in_batches(records(OUTAGE_IDS, "started", START_MS, 100)):
        await flow.send(*batch, now_ms=START_MS + 15 * MINUTE_MS)
    flow.restart()
    for batch in in_batches(records(OUTAGE_IDS[1:], "resolved", START_MS + HOUR_MS)):
        await flow.send(*batch, now_ms=START_MS + HOUR_MS)
    await flow.look(START_MS + HOUR_MS)

    assert flow.status("day").live == {"open": 1, "oldest_ms": HOUR_MS, "blind": 0}
    assert flow.figure("day", "failures").numerator == 8_000
    assert flow.figure("day", "mttr_restore").denominator == 7_999
    assert flow.figure("day", "downtime").numerator == HOUR_MS
    assert flow.largest < LIMIT


async def test_a_batch_that_is_taken_back_takes_its_parts_back_with_it(calls):
    """Given a batch that divides panes and fails, when it is folded again, then nothing stands where it is not read."""
    first, *others = in_batches(records(CALL_IDS, "queued", START_MS, 10))
    await calls.send(*first, now_ms=START_MS + MINUTE_MS)
    for batch in others:
        await calls.send(*batch, now_ms=START_MS + MINUTE_MS, take_back=True)
        before = calls.ingest.engine.parts.remember()
        calls.restart()
        assert calls.ingest.engine.parts.remember() == before
        await calls.send(*batch, now_ms=START_MS + MINUTE_MS)
    for batch in in_batches(records(CALL_IDS, "abandoned", START_MS + 2 * MINUTE_MS)):
        await calls.send(*batch, now_ms=START_MS + 2 * MINUTE_MS)
    await calls.look(START_MS + 3 * MINUTE_MS)

    assert calls.status("1h").live == {"waiting": 0, "longest_wait_ms": 0}
    assert calls.figure("day", "abandonment").numerator == 4_000
