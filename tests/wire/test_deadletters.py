"""A dead letter keeps the record as it was, where it came from, and why it could not be used."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.errors import DecodeError
from monitor.wire.deadletters import (
    DEAD_LETTER_REASONS,
    MAX_HEADERS,
    MAX_KEY,
    MAX_VALUE,
    DeadLetter,
    decode_dead_letter,
    encode_dead_letter,
)
from monitor.wire.events import REASONS

headers = st.lists(st.tuples(st.text(max_size=8), st.binary(max_size=8)), max_size=4)


def letter(**changes):
    """Send a record to the dead letters and read it there."""
    record = {
        "topic": "tickets",
        "partition": 3,
        "offset": 42,
        "reason": "bad_json",
        "detail": "line 1",
        "key": b"T-17",
        "value": b"{",
        "headers": [],
    }
    _, value, own = encode_dead_letter(**(record | changes))
    return decode_dead_letter(value, own)


@given(
    st.text(max_size=9),
    st.integers(0, 999),
    st.integers(0, 2**62),
    st.sampled_from(sorted(DEAD_LETTER_REASONS)),
    st.text(max_size=99),
    st.none() | st.binary(max_size=99),
    st.none() | st.binary(max_size=99),
    headers,
)
def test_a_letter_is_read_as_it_was_written(topic, partition, offset, reason, detail, key, value, original):
    encoded_key, encoded, own = encode_dead_letter(topic, partition, offset, reason, detail, key, value, original)

    expected = DeadLetter(topic, partition, offset, reason, detail, key, value, tuple(original))
    assert decode_dead_letter(encoded, own) == expected
    assert encoded_key.decode() == f"{topic}/{partition}/{offset}"
    assert encoded == value


def test_the_original_headers_do_not_mix_with_our_own():
    original = [
        ("topic", b"other"),
        ("reason", b"none"),
        ("truncated", b"value"),
        ("original.x", b"1"),
        ("ce_id", b"e"),
    ]

    found = letter(headers=original)

    assert found.topic == "tickets"
    assert found.headers == tuple(original)
    assert found.truncated == ()


def test_a_header_without_a_value_comes_back_empty():
    assert letter(headers=[("trace", None)]).headers == (("trace", b""),)


@pytest.mark.parametrize("size", [MAX_VALUE + 1, 9_000_000])
def test_a_long_value_is_cut_and_says_so(size):
    found = letter(value=b"x" * size)

    assert found.value == b"x" * MAX_VALUE
    assert found.truncated == ("value",)
    assert letter(value=b"x" * MAX_VALUE).truncated == ()


def test_a_value_of_five_megabytes_is_kept_whole():
    found = letter(value=b"x" * 5_000_000)

    assert (found.value, found.truncated) == (b"x" * 5_000_000, ())


def test_everything_else_that_is_long_is_cut_too():
    found = letter(
        key=b"k" * (MAX_KEY + 1),
        headers=[("first", b"1"), ("big", b"h" * MAX_HEADERS), ("last", b"2")],
        detail="é" * 5_000,
    )

    assert found.key == b"k" * MAX_KEY
    assert found.headers == (("first", b"1"),)
    assert found.truncated == ("key", "headers")
    assert found.detail == "é" * 512


def test_a_detail_that_is_cut_inside_a_character_is_still_read():
    assert letter(detail="x" + "é" * 5_000).detail == "x" + "é" * 511


@pytest.mark.parametrize("missing", ["topic", "partition", "offset", "reason", "detail"])
def test_a_record_that_lacks_a_header_is_no_dead_letter(missing):
    _, value, own = encode_dead_letter("tickets", 3, 42, "bad_json", "", None, b"{")

    with pytest.raises(DecodeError, match=f"missing_field: not a dead letter: no header {missing}"):
        decode_dead_letter(value, [one for one in own if one[0] != missing])


@pytest.mark.parametrize("odd", [("partition", b"three"), ("offset", b""), ("topic", b"\xff"), ("reason", b"\xff")])
def test_a_record_with_an_odd_header_is_no_dead_letter(odd):
    _, value, own = encode_dead_letter("tickets", 3, 42, "bad_json", "", None, b"{")

    with pytest.raises(DecodeError, match="wrong_type"):
        decode_dead_letter(value, [*own, odd])


def test_what_is_refused_later_than_decoding_has_its_own_reasons():
    own = {"id_reused", "ledger_full", "in_the_future"}
    mapped = {
        "rejected", "nonexistent_time", "bad_number", "bad_value", "unknown_value", "negative_duration",
            "too_many_events", "bad_zone",
    }  # fmt: skip
    anywhere = {"foreign_record", "newer_layout", "internal_error", "skipped", "unreadable_batch"}
    assert set(DEAD_LETTER_REASONS) - set(REASONS) == own | mapped | anywhere
