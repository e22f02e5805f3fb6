"""A replay drops the rows of subjects that change no more: the results stay the same, and so does the memory."""

from __future__ import annotations

import tracemalloc
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.time.units import DAY_MS, HOUR_MS, MINUTE_MS
from monitor.replay import local
from monitor.replay.files import replay_files
from monitor.replay.finished import last_ones
from monitor.replay.local import ReplayResult, run_replay
from tests.replay.desk import Event, Fact, book, event, ms
from tests.replay.test_little_judged import BOOK, START_MS, histories

CALLS = book(
    "agreement: calls\ncalls:\n  - {id: helpline, answer_within: 20s, by: queue, windows: [day]}\n"
    "objectives:\n  - {id: soon, of: helpline, indicator: service_level, target: '>= 80 %', windows: day}\n"
)


def keeping_all_rows(events: list[Event], **more: int) -> ReplayResult:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(local, "last_ones", lambda ordered: bytearray(len(ordered)))
        return run_replay(events, BOOK, keep_calls=True, **more)


@settings(max_examples=5, deadline=None)
@given(histories(), st.sampled_from([None, 0, HOUR_MS, DAY_MS]))
def test_law_results_are_those_of_keeping_all_rows_to_the_end(events, retention_ms):
    more = {"retention_ms": retention_ms, "step_ms": HOUR_MS, "until_ms": START_MS + 6 * DAY_MS}

    found, kept = run_replay(events, BOOK, keep_calls=True, **more), keeping_all_rows(events, **more)

    assert found == kept
    assert list(found.verdicts.items()) == list(Counter(one.verdict for one in found.records).items())


def test_without_records_only_the_number_of_verdicts_is_kept():
    tickets = [
        event("ticket", "T1", "opened", "08:00", priority="P1"),
        event("ticket", "T1", "resolved", "10:00"),
        event("ticket", "T2", "opened", "08:30", priority="P1"),
        event("ticket", "T2", "resolved", "08:40"),
        event("ticket", "T3", "opened", "10:01", priority="P1"),
    ]

    result = run_replay(tickets, book(), keep_records=False)

    assert (result.records, list(result.verdicts.items())) == ([], [("breached", 1), ("met", 1), ("open", 1)])
    assert result.whole == run_replay(tickets, book()).whole


def test_the_last_event_of_each_subject_is_known():
    events = [
        event("ticket", "A", "opened", "08:00"),
        event("call", "A", "queued", "08:01"),
        event("ticket", "A", "closed", "08:02"),
    ]

    assert list(last_ones(events)) == [0, 1, 1]


def test_the_memory_of_a_replay_follows_the_subjects_that_are_open_not_the_rows():
    _grown(100)  # what is kept for all replays, such as days of a zone, is kept now

    more = (_grown(2_000) - _grown(500)) / 1_500

    assert more < 500  # bytes a call: its row alone takes more than a thousand


def test_events_that_nobody_keeps_are_dropped_as_the_replay_goes(tmp_path):
    rows = tmp_path / "rows.csv"
    rows.write_text("id,at\n" + "".join(f"T{n},2024-03-0{n}T08:00:00Z\n" for n in range(1, 6)))
    mapping = tmp_path / "mapping.yaml"
    mapping.write_text(
        "mapping: t\nsubject: ticket\nsubject_id: '{id}'\ntime: {formats: [rfc3339]}\n"
        "events: [{type: opened, at: at}]\n"
    )
    seen: list[int] = []

    dropped = replay_files([rows], mapping, book(), on_events=lambda events: seen.append(len(events)))
    kept = replay_files([rows], mapping, book())

    assert (seen, dropped.reading.events, len(kept.reading.events)) == ([5], [], 5)
    assert (dropped.events, dropped.cut, dropped.whole) == (5, 0, kept.whole)
    until_ms = ms("2024-03-04T00:00")
    cut = replay_files([rows], mapping, book(), until_ms=until_ms, cut=True, on_events=seen.append)
    assert (cut.events, cut.cut) == (3, 2)


def _grown(number: int) -> int:
    """Return the most memory that the measuring of so many calls took, without their events, in order or not."""
    start_ms = ms("2024-03-01T00:00")
    events = [
        Event("call", f"C{n}", Fact(start_ms + n * 10 * MINUTE_MS + 20_000 * place, 0, f"{n}-{kind}", kind, {}))
        for n in range(number)
        for place, kind in enumerate(("queued", "answered", "ended"))
    ]
    ordering: list[int] = []

    def on_progress(*_: object) -> None:
        if not ordering:
            ordering.append(1)
            tracemalloc.reset_peak()

    tracemalloc.start()
    try:
        run_replay(events, CALLS, step_ms=HOUR_MS, keep_alerts=False, on_progress=on_progress)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
