"""The law of the native fast path: nothing tells whether Python or the package has folded a fact.

The same records go through a partition that Python folds alone, and through one that half its workers fold natively.
"""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.core.agreements.book import Book
from monitor.stream.agents import ingest
from monitor.stream.kafka import pace
from monitor.wire.events import encode_event
from tests.core.stories import DAY_MS, MONDAY_MS
from tests.native.given import BOOKS, MINUTE, histories, hostile, plain_job, warming, written
from tests.native.stage import Both, record

native = pytest.importorskip("sla_monitor_native", reason="the package sla-monitor-native is not installed")

END_MS = MONDAY_MS + 5 * DAY_MS


def records_of(events):
    return [record(*encode_event(one)) for one in events]


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.sampled_from(range(len(BOOKS))), histories(), st.sampled_from([2, 5, 256]), st.data())
def test_nothing_tells_who_has_folded_a_fact(number, events, at_once, data):
    agreements = BOOKS[number]
    both = Both(Book(agreements, 1), native)
    stamp = 1
    both.batch(records_of(warming(0)), MONDAY_MS, caught_up=False)
    records = [data.draw(written(one)) for one in events]
    for _ in range(data.draw(st.sampled_from([0, 0, 1, 3]))):
        records.insert(data.draw(st.integers(0, len(records))), data.draw(hostile()))
    times = [one.fact.time_ms for one in events]
    cuts = sorted(data.draw(st.sets(st.integers(1, len(records)), max_size=4)) | {len(records)})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ingest, "RECORDS_AT_ONCE", at_once)
        patch.setattr(pace, "HOLD_S", 3_600.0)  # else a tick would end by the clock, now here and now there
        for place, (start, end) in enumerate(zip([0, *cuts], cuts, strict=False)):
            newest_ms = max(times[: max(1, end)])
            now_ms = newest_ms + data.draw(st.sampled_from([0, MINUTE, 40 * MINUTE]))
            both.batch(
                records[start:end], now_ms, caught_up=data.draw(st.booleans()), take_back=data.draw(st.booleans())
            )
            match data.draw(st.integers(0, 5)):
                case 0:
                    both.tick(now_ms)
                case 1:
                    both.restart(natively=data.draw(st.booleans()))
                    both.batch(records_of(warming(place + 1)), now_ms, caught_up=False)
                case 2:
                    stamp += 1
                    both.amend(*agreements, stamp=stamp)
            both.check()
        both.tick(END_MS)
        both.tick(END_MS + 5 * DAY_MS)
        both.check()


@pytest.mark.parametrize("number", [0, 2])
def test_a_plain_job_is_folded_natively(number):
    both = Both(Book(BOOKS[number], 1), native)
    records = records_of(plain_job())

    for start in range(0, len(records), 500):
        piece = records[start : start + 500]
        both.batch(piece, MONDAY_MS + DAY_MS, caught_up=False)

    both.check()
    assert both.share >= 0.9
