"""Panes travel with their source, so that compaction keeps the newest pane of each source and no other."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.series.series import PaneKey, SeriesKey, empty_pane
from monitor.errors import DecodeError
from monitor.wire.partials import PANE, Marker, Partial, decode_partial, encode_marker
from tests.partials import encode_partial
from tests.wire import strategies

KEY = PaneKey(SeriesKey("desk", "first_response", ("finance", "P1")), "hour", 0)
sources = st.sampled_from(["tickets/0", "tickets/127", "rufe-süd/3"])


@given(sources, strategies.pane_keys, strategies.panes)
def test_a_pane_arrives_as_it_was_sent(source, key, pane):
    assert decode_partial(*encode_partial(source, key, pane)) == Partial(source, key, pane)


@given(sources, strategies.pane_keys)
def test_an_expired_pane_is_a_tombstone_that_still_tells_its_source(source, key):
    record = encode_partial(source, key, None)

    assert record[1] is None
    assert decode_partial(*record) == Partial(source, key, None)


@given(st.lists(st.tuples(sources, strategies.pane_keys), unique=True, max_size=20))
def test_no_two_panes_or_sources_share_a_key(places):
    keys = [encode_partial(source, key, None)[0] for source, key in places]

    assert len(set(keys)) == len(places)


@given(sources, st.integers(-1, 10**13), st.booleans())
def test_a_marker_arrives_as_it_was_sent(source, watermark_ms, behind):
    assert decode_partial(*encode_marker(source, watermark_ms, behind=behind)) == Marker(source, watermark_ms, behind)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (None, b""),
        (b"", b""),
        (b"x", b""),
        (b"mtickets/0", None),
        (b"mtickets/0", b"\x92\x01"),
        (b"m\xff", b"\x01" + msgspec.msgpack.encode((1, True))),
        (b"mtickets/0", b"hello"),
        (b"mtickets/0", b"\x02\x05"),
        (b"p", None),
        (b"pdesk\x1ftickets/0", None),
        (b"pdesk\x1fm\x1fhour\x1fnoon\x1ftickets/0", None),
        (encode_partial("tickets/0", KEY, None)[0], b"\xc1"),
        (encode_partial("tickets/0", KEY, None)[0], msgspec.msgpack.encode(["tickets/0", 5])),
    ],
)
def test_a_foreign_record_is_refused_and_it_is_said_whose_fault_it_is(key, value):
    with pytest.raises(DecodeError, match="is not ours") as refused:
        decode_partial(key, value)

    assert refused.value.reason == "foreign_record"


@pytest.mark.parametrize(
    ("key", "known", "newer"),
    [(b"mtickets/0", 1, [1, True]), (encode_partial("t/0", KEY, None)[0], PANE.version, [[], 7])],
)
def test_a_record_of_a_newer_release_is_told_from_a_foreign_one_and_who_must_act(key, known, newer):
    said = f"has version {known + 1}, this program reads up to {known}: update all workers .* sla-monitor dead-letters"
    with pytest.raises(DecodeError, match=said) as refused:
        decode_partial(key, bytes([known + 1]) + msgspec.msgpack.encode(newer))

    assert refused.value.reason == "newer_layout"


@given(st.text(min_size=1, max_size=30))
def test_text_is_never_taken_for_a_record_of_a_newer_release(text):
    with pytest.raises(DecodeError, match="is not ours"):
        decode_partial(b"mtickets/0", text.encode())


@given(st.none() | st.binary(max_size=30), st.none() | st.binary(max_size=30))
def test_no_record_whatsoever_makes_it_fail_in_another_way(key, value):
    good_key, good = encode_partial("tickets/0", KEY, empty_pane())
    for record in (
        (key, value),
        (good_key, value),
        (key, good),
        (b"p" + (key or b""), good),
        (b"m" + (key or b""), value),
    ):
        try:
            found = decode_partial(*record)
        except DecodeError:
            continue
        assert isinstance(found, Partial | Marker)
