"""The newest code reads each row that a released version wrote, as what that version meant by it."""

from __future__ import annotations

from bisect import bisect_right
from typing import Any

import pytest

from monitor.core.series.longest import FROM
from monitor.core.series.sketch import bucket_of
from monitor.stream.kafka.topics import changelog_of
from monitor.stream.partitions.partition import POSITION
from monitor.wire.announcements import decode_alert, decode_statement, decode_status
from monitor.wire.deliveries import decode_delivery
from monitor.wire.partials import Marker, decode_partial, encode_marker
from monitor.wire.responses import decode_response
from monitor.wire.rows import EVALUATE_ROWS, NOTIFY_ROWS, SOURCE_ROWS, RowCodec
from tests.golden.record import shown
from tests.golden.recording import RELEASES, Recording, recording
from tests.partials import encode_partial

CODECS = {
    **dict.fromkeys(("tickets", "calls", "outages", "leads", "jira-webhooks"), SOURCE_ROWS),
    "partials": EVALUATE_ROWS,
    "alerts": NOTIFY_ROWS,
}


TIMES = ("start_ms", "due_ms", "budget_ms", "elapsed_ms", "wall_ms")
"""The fields of an alert that stand in rows as -1 where it has no such time."""

NOT_YET: dict[str, list[tuple[RowCodec, bytes]]] = {
    "0.1.0": [(SOURCE_ROWS, b"h"), (SOURCE_ROWS, b"e"), (EVALUATE_ROWS, b"x"), (EVALUATE_ROWS, b"r")]
}
"""The kinds of rows that a release did not know."""


def as_today(row: dict[str, Any]) -> dict[str, Any]:
    """Return what a recorded row is today.

    Its own version stands in front of it, not in it. Times that an alert does not have are None where -1 was recorded;
    the bytes still hold -1.

    "Within" has become inclusive: a breach that was to be told at the due instant is told a millisecond after it. A
    pane lists its longest durations: of an old one only its sketch says how long none of them was.

    Whoever changes what rows mean says here what becomes of the old ones.
    """
    today = {name: without_minus_one(value) for name, value in row.items() if name != "version"}
    if "clocks" in today:
        today["clocks"] = [
            one | {"next_ms": one["next_ms"] + (0 < one["next_ms"] == one["due_ms"])} for one in today["clocks"]
        ]
    if "buckets" in today:
        today["longest"] = {}
    if today.get("buckets"):
        longest = max(int(bucket) for bucket in today["buckets"])
        today["longest"] = shown({FROM: bisect_right(range(10**12), longest, key=bucket_of)})
    if "sources" in today:
        today["sources"] = {source: as_today(pane) for source, pane in today["sources"].items()}
    return today


NOTHING = frozenset({"", "0.00"})
"""How fields that a release did not know are shown, beside empty ones: no amount of money, no word."""


def without_minus_one(value: Any) -> Any:
    """Return a recorded value with None for the times that the alerts in it do not have."""
    if isinstance(value, list):
        return [without_minus_one(one) for one in value]
    if not isinstance(value, dict):
        return value
    found = {name: without_minus_one(one) for name, one in value.items()}
    return found | {name: None for name in TIMES if found.get(name) == -1} if found.keys() >= set(TIMES) else found


def without_new_fields(row: Any, recorded: Any) -> Any:
    """Return a row without the fields that its release did not know. They must mean nothing."""
    if isinstance(row, dict) and isinstance(recorded, dict):
        new = row.keys() - recorded.keys()
        assert {row[name] or "" for name in new} <= NOTHING, {name: row[name] for name in new}
        return {name: without_new_fields(row[name], recorded[name]) for name in row if name not in new}
    if isinstance(row, list) and isinstance(recorded, list) and len(row) == len(recorded):
        return [without_new_fields(one, other) for one, other in zip(row, recorded, strict=True)]
    return row


def records(found: Recording) -> list[tuple[str, RowCodec, bytes, bytes]]:
    return [
        (source, codec, record.key, record.value)
        for source, codec in CODECS.items()
        for record in found.topics[changelog_of("sla-monitor", source)]
        if record.value is not None and record.key != POSITION
    ]


@pytest.fixture(params=RELEASES)
def found(request: pytest.FixtureRequest) -> Recording:
    return recording(request.param)


def test_there_is_a_recording_of_each_released_version():
    assert "0.1.0" in RELEASES


@pytest.mark.parametrize("release", RELEASES)
def test_rows_of_all_kinds_that_a_release_knows_were_recorded(release: str):
    for codec in (SOURCE_ROWS, EVALUATE_ROWS, NOTIFY_ROWS):
        known = codec.kinds.keys() - {kind for own, kind in NOT_YET[release] if own is codec}
        assert {key[:1] for _, own, key, _ in records(recording(release)) if own is codec} == known


def test_the_parts_of_rows_that_few_have_were_recorded_too(found: Recording):
    subjects = [row for source, rows in found.rows.items() for key, row in rows.items() if "facts" in row]
    clocks = [clock for row in subjects for clock in row["clocks"]]
    panes = [row for rows in found.rows.values() for row in rows.values() if "buckets" in row]

    assert any(clock["extra"] and clock["extra"]["former"] for clock in clocks)
    assert any(clock["pauses"] for clock in clocks)
    assert any(clock["breached_ms"] for clock in clocks)
    assert any(row["shown"] for row in subjects)
    assert any(pane["calls"] for pane in panes)
    assert {record["kind"] for pane in panes for record in pane["outages"].values()} >= {
        "outage", "maintenance", "heard",
    }  # fmt: skip
    assert any(record["customers"] for pane in panes for record in pane["outages"].values())
    assert any(row["open"] for row in found.rows["partials/0"].values() if "misses" in row)


def test_each_row_is_read_as_what_it_meant(found: Recording):
    read = 0
    for source, codec in CODECS.items():
        for partition in range(2):
            rows = found.rows.get(f"{source}/{partition}", {})
            stored = found.stored(changelog_of("sla-monitor", source), partition)
            assert rows.keys() == stored.keys() - {POSITION}
            for key, row in rows.items():
                recorded = as_today(row)
                assert without_new_fields(shown(codec.decode(key, stored[key])), recorded) == recorded, (source, key)
                read += 1
    assert read > 100


def test_each_row_that_was_ever_written_is_read_and_written_again_in_the_newest_version(found: Recording):
    for _, codec, key, value in records(found):
        row = codec.decode(key, value)
        again = codec.encode(key, row)

        assert codec.decode(key, again) == row
        assert codec.wake_ms(again) == codec.wake_ms(value)
        assert again[8] == codec.kinds[key[:1]].layout.version


def test_each_partial_is_read_and_written_again(found: Recording):
    panes = markers = 0
    for record in found.topics["partials"]:
        partial = decode_partial(record.key, record.value)
        if isinstance(partial, Marker):
            again = encode_marker(partial.source, partial.watermark_ms, behind=partial.behind)
            markers += 1
        else:
            again = encode_partial(partial.source, partial.pane_key, partial.pane)
            panes += partial.pane is not None
        assert again[0] == record.key
        assert decode_partial(*again) == partial
    assert panes
    assert markers


@pytest.mark.parametrize(
    ("topic", "decode"),
    [
        ("alerts", decode_alert),
        ("status", decode_status),
        ("statements", decode_statement),
        ("deliveries", decode_delivery),
        ("responses", decode_response),
    ],
)
def test_what_was_announced_and_answered_is_read(found: Recording, topic: str, decode: Any):
    values = [record.value for record in found.topics[topic] if record.value is not None]

    assert values
    for value in values:
        assert decode(value) is not None
