"""Responses and deliveries come back as they were written, and what is none of ours is refused."""

from __future__ import annotations

import jsonschema
import msgspec
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.alerts.stretches import Stretch, newest
from monitor.core.paging.delivery import Delivery, DisabledRow, Failed, FailedRow, OutboxRow, Waiting
from monitor.core.paging.mutes import Silence
from monitor.core.paging.not_told import MEANINGS, NotTold
from monitor.core.paging.notices import Notice
from monitor.core.paging.pages import MAX_ALERTS, AlertRow, PageRow, fitting
from monitor.errors import DecodeError
from monitor.wire.deliveries import decode_delivery, encode_delivery, encode_not_told
from monitor.wire.envelopes import announcement_schema
from monitor.wire.responses import (
    Acknowledgement,
    Enable,
    Resend,
    SilenceResponse,
    decode_response,
    encode_response,
    silence_of,
)
from monitor.wire.rows import NOTIFY_ROWS, HeardRow
from tests.core.paging_stage import alert
from tests.wire.strategies import alerts as any_alert
from tests.wire.strategies import instants, texts

alerts = any_alert()
notices = st.builds(
    Notice, texts(), texts(), st.sampled_from(["trigger", "update", "resolve"]),
    st.sampled_from(["critical", "warning", "info"]), instants, texts(), st.lists(alerts, max_size=3).map(tuple),
    st.integers(0, 9), st.booleans(), texts(), st.booleans(),
)  # fmt: skip
counts = st.integers(0, 1000)
SCHEMA = jsonschema.Draft202012Validator(announcement_schema("delivery"))
ROWS = {
    b"a": st.builds(AlertRow, instants, alerts, instants, st.booleans(), st.booleans(),
                    st.lists(counts, max_size=3), st.lists(texts(), max_size=3)),
    b"p": st.builds(PageRow, instants, texts(), texts(), texts(), instants, instants, counts, counts,
                    st.sampled_from(["critical", "warning", "info"]), st.booleans(), texts(), st.booleans()),
    b"o": st.builds(OutboxRow, texts(), texts(),
                    st.lists(st.builds(Waiting, notices, instants, instants, counts, counts, st.booleans()),
                             max_size=3)),
    b"f": st.builds(FailedRow, instants, texts(), texts(),
                    st.lists(st.builds(Failed, notices, counts), max_size=2)),
    b"d": st.builds(DisabledRow, texts(), instants, texts()),
    b"r": st.builds(HeardRow, counts),
}  # fmt: skip


@given(st.data(), st.sampled_from(sorted(ROWS)))
def test_rows_come_back_as_they_were_put_and_tell_when_they_wake(data, kind):
    row = data.draw(ROWS[kind])
    encoded = NOTIFY_ROWS.encode(kind + b"x", row)

    assert NOTIFY_ROWS.decode(kind + b"x", encoded) == row
    assert NOTIFY_ROWS.wake_ms(encoded) == getattr(row, "wake_ms", 0)


@given(any_alert())
def test_the_times_that_an_alert_does_not_have_are_minus_one_in_the_bytes_of_its_rows(one):
    """As in the rows of all releases: a row that holds -1 has the same bytes as before, and is read as None."""
    notice = Notice("i", "k", "update", "info", 0, "t", (one,))
    alert_row = AlertRow(0, one, 0, acknowledged=False, silenced=False, steps=[], told=[])
    outbox_row, failed_row = OutboxRow("a", "r", [Waiting(notice, 0, 0)]), FailedRow(0, "a", "r", [Failed(notice, 1)])
    names = ("start_ms", "due_ms", "budget_ms", "elapsed_ms", "wall_ms")
    old = one._replace(**{name: -1 for name in names if getattr(one, name) is None})
    old_notice = notice._replace(alerts=(old,))

    for key, row, in_bytes in (
        (b"a", alert_row, alert_row._replace(alert=old)),
        (b"o", outbox_row, OutboxRow("a", "r", [Waiting(old_notice, 0, 0)])),
        (b"f", failed_row, FailedRow(0, "a", "r", [Failed(old_notice, 1)])),
    ):
        encoded = NOTIFY_ROWS.encode(key, row)
        assert encoded[9:] == msgspec.msgpack.encode(in_bytes)
        assert NOTIFY_ROWS.decode(key, encoded) == row


def test_the_largest_row_of_the_outbox_fits_in_a_record_of_the_changelog():
    long = [alert("😀" * 512, labels=dict.fromkeys("abcdefghijkl", "😀" * 1024)) for _ in range(MAX_ALERTS)]
    check_that_the_row_fits(long)


def test_it_fits_with_the_longest_reasons_of_pauses_too():
    part = Stretch(2**42, 2**42, "holiday", "😀" * 10_000)
    check_that_the_row_fits([alert("T")._replace(stretches=newest([part] * 30)) for _ in range(MAX_ALERTS)])


def check_that_the_row_fits(long):
    notice = Notice("i" * 32, "k" * 255, "update", "critical", 0, "t" * 300, fitting(long))
    row = OutboxRow("desk", "on-call", [Waiting(notice, 0, 0)] * 5)

    assert len(NOTIFY_ROWS.encode(b"ox", row)) < 8 << 20


@given(
    st.one_of(
        st.builds(Acknowledgement, target=texts(), at_ms=instants, by=texts(), note=texts()),
        st.builds(
            SilenceResponse,
            id=texts(),
            agreement=texts(),
            until_ms=instants,
            at_ms=instants,
            promise=texts(),
            labels=st.dictionaries(texts(), texts(), max_size=3),
            reason=texts(),
            by=texts(),
        ),
        st.builds(Resend, notice=texts(), at_ms=instants, by=texts()),
        st.builds(Enable, receiver=texts(), at_ms=instants, by=texts()),
    )
)
def test_responses_come_back_as_they_were_written(response):
    key, value = encode_response(response)

    assert decode_response(value) == response
    assert key.split(b"/")[0] == orjson.loads(value)["type"].encode()


@pytest.mark.parametrize("number", [-1, 1 << 64, 10**30])
@pytest.mark.parametrize("field", ["until_ms", "at_ms"])
def test_a_silence_with_a_number_that_no_row_takes_is_refused(field, number):
    value = {"type": "silence", "id": "s", "agreement": "desk", "until_ms": 9, "at_ms": 1}
    text = orjson.dumps(value | {field: 7}).replace(b'"%s":7' % field.encode(), b'"%s":%d' % (field.encode(), number))

    with pytest.raises(DecodeError, match=f"wrong_type.*{field}"):
        decode_response(text)


def test_a_silence_is_the_core_s():
    asked = SilenceResponse(id="s", agreement="desk", until_ms=9, at_ms=1, promise="p", labels={"a": "b"}, reason="r")
    assert silence_of(asked) == Silence("s", "desk", 9, "p", (("a", "b"),), "r", "", 1)


@given(
    notices,
    st.sampled_from(["pending", "delivered", "retry", "rejected", "gone", "expired", "replaced", "skipped"]),
    instants,
    st.none() | st.integers(0, 10**13),
)
def test_a_delivery_keeps_its_schema_and_comes_back(notice, result, at_ms, next_ms):
    key, value = encode_delivery(
        Delivery(notice, "desk", "on-call", result, at_ms, at_ms, 3, 503, "no", next_ms), "test"
    )

    SCHEMA.validate(orjson.loads(value))
    data = decode_delivery(value)
    assert (key.decode(), data.notice, data.result, data.attempt, data.status) == (notice.id, notice.id, result, 3, 503)
    assert data.next_ms == next_ms


@given(any_alert(), st.sampled_from(sorted(MEANINGS)), instants, st.none() | st.integers(0, 10**13))
def test_a_decision_not_to_tell_keeps_the_schema_and_comes_back(alert, reason, at_ms, until_ms):
    key, value = encode_not_told(NotTold(alert, reason, at_ms, until_ms), "test")

    SCHEMA.validate(orjson.loads(value))
    data = decode_delivery(value)
    assert (data.notice, data.key, data.result, data.reason) == (key.decode(), alert.key.text(), "not_told", reason)
    assert (data.receiver, data.attempt, data.detail) == ("", 0, MEANINGS[reason])
    assert data.next_ms == until_ms
    assert key == encode_not_told(NotTold(alert, reason, at_ms + 1), "test")[0], "said again, it replaces the first"


@pytest.mark.parametrize(
    ("value", "reason"), [(b"{}", "wrong_type"), (b"{", "bad_json"), (b"\xff", "bad_json"), (b"[1]", "wrong_type")]
)
def test_what_is_none_of_ours_is_refused_with_the_reason(value, reason):
    for decode in (decode_response, decode_delivery):
        with pytest.raises(DecodeError) as refused:
            decode(value)
        assert refused.value.reason == reason
    with pytest.raises(DecodeError, match="tombstone"):
        decode_delivery(None)
