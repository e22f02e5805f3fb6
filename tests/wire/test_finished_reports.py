"""Announcements of finished reports: CloudEvents that their schema accepts and followers read back."""

from __future__ import annotations

from typing import get_args

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from monitor.core.time.periods import CALENDAR_KINDS
from monitor.core.windows.reports import FinishedReport, ReportReason
from monitor.errors import DecodeError
from monitor.wire.announcements import announcement_schema
from monitor.wire.contract import MAX_INTEGER
from monitor.wire.finished_reports import decode_report, encode_report

SCHEMA = Draft202012Validator(announcement_schema("report"))
MARCH = FinishedReport(
    agreement="it/desk", version=3, window="month", period="2026-03", zone="Europe/Berlin", from_ms=1_772_319_600_000,
    to_ms=1_774_994_400_000, receiver="ACME board", statistics=("resolution",), reason="closed",
    as_of_ms=1_774_995_300_000, due_ms=1_775_426_400_000,
)  # fmt: skip
instants = st.integers(0, 4_102_444_800_000)


@given(
    st.builds(
        FinishedReport,
        agreement=st.text(), version=st.integers(0, MAX_INTEGER), window=st.sampled_from(CALENDAR_KINDS),
        period=st.text(), zone=st.text(), from_ms=instants, to_ms=instants, receiver=st.text(),
        statistics=st.lists(st.text(), max_size=3).map(tuple), reason=st.sampled_from(get_args(ReportReason)),
        as_of_ms=instants, due_ms=instants,
    )
)  # fmt: skip
def test_a_report_is_read_as_it_was_announced_and_its_schema_accepts_it(report):
    _, value = encode_report(report, "sla-monitor")
    assert decode_report(value) == report
    SCHEMA.validate(orjson.loads(value))


def test_it_is_a_cloudevent_under_the_key_of_agreement_period_and_receiver():
    key, value = encode_report(MARCH, "sla-monitor")
    envelope = orjson.loads(value)
    assert envelope["subject"].encode() == key == b"it%2Fdesk/2026-03/ACME board"
    assert (envelope["type"], envelope["time"]) == ("sla.report", "2026-03-31T22:15:00.000Z")
    assert (envelope["data"]["due"], envelope["data"]["from"]) == (
        "2026-04-05T22:00:00.000Z",
        "2026-02-28T23:00:00.000Z",
    )


def test_a_later_announcement_of_a_report_is_another_event_under_the_same_key():
    first, again = (encode_report(MARCH._replace(as_of_ms=at), "x") for at in (MARCH.as_of_ms, MARCH.as_of_ms + 1))
    assert first[0] == again[0]
    assert orjson.loads(first[1])["id"] != orjson.loads(again[1])["id"]


@pytest.mark.parametrize(("value", "reason"), [(None, "tombstone"), (b"{}", "wrong_type"), (b"{", "bad_json")])
def test_what_announces_no_report_is_refused_with_the_reason(value, reason):
    with pytest.raises(DecodeError) as refused:
        decode_report(value)
    assert refused.value.reason == reason
