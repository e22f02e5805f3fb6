"""What a record of a source topic is: an event, or a refusal that says exactly why."""

import json
import sys
from contextlib import suppress
from pathlib import Path

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.facts.events import SUBJECTS, Event, Fact
from monitor.errors import DecodeError
from monitor.wire import events
from monitor.wire.contract import EARLIEST_MS, LATEST_MS, MAX_ID, MAX_INTEGER, MAX_TEXT, SECONDS
from monitor.wire.events import REASONS, decode, encode_event, right_key
from tests.wire import strategies

AT_MS = 1_795_439_101_123
AT = "2026-11-23T13:05:01.123Z"
PLAIN = {"id": "e-1", "type": "opened", "time": AT, "ticket": "T-17"}
CLOUD = {
    "specversion": "1.0",
    "id": "e-1",
    "source": "/desk",
    "type": "sla.ticket.opened",
    "time": AT,
    "subject": "T-17",
    "data": {"priority": "P1"},
}

ASCII_CONTROLS = [*"\x00\x1f\n\x1b\x7f"]
OTHERS = [*"\x80\x81\x85\x9b\x9f", *"\u2028\u2029\u202a\u202c\u202e\u2066\u2069"]
CONTROLS = [*ASCII_CONTROLS, *OTHERS]

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.integers(1_790_000_000_000, 1_800_000_000_000)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5)
    | st.sampled_from([AT, "2026-11-23T13:05:01", "opened", "sla.call.queued", "1.0", "x" * 2_000])
    | st.sampled_from(["a\x1fb", "\x7f", "\x85", "\u202e"])
)
ODD = st.recursive(
    SCALARS, lambda one: st.lists(one, max_size=2) | st.dictionaries(st.text(max_size=3), one, max_size=2)
)
ODD_JSON = st.dictionaries(st.sampled_from([*PLAIN, *CLOUD, "priority", "starts_at", "weight"]), ODD, max_size=8).map(
    orjson.dumps
)


def ticket(**changes):
    """Decode the plain event with some fields changed; None leaves a field out."""
    body = {name: value for name, value in (PLAIN | changes).items() if value is not None}
    key = body.get("ticket", "T-17")
    return decode("ticket", key.encode() if isinstance(key, str) else b"T-17", orjson.dumps(body))


def cloud(**changes):
    body = {name: value for name, value in (CLOUD | changes).items() if value is not None}
    return decode("ticket", b"T-17", orjson.dumps(body))


def refusal(decoding, /, *arguments, **named):
    with pytest.raises(DecodeError) as caught:
        decoding(*arguments, **named)
    assert caught.value.reason in REASONS
    return caught.value.reason


class TestPlainJson:
    def test_an_event_becomes_a_fact_with_the_attributes_that_were_sent_and_no_others(self):
        event = ticket(priority="P1", customer="finance", sequence=3, public=False)

        fact = Fact(AT_MS, 3, "e-1", "opened", {"priority": "P1", "customer": "finance", "public": False})
        assert event == Event("ticket", "T-17", fact)

    def test_every_subject_has_its_own_name_for_the_id(self):
        for subject, kind in (("ticket", "opened"), ("call", "queued"), ("outage", "started"), ("lead", "created")):
            body = {"id": "e", "type": kind, "time": AT_MS, subject: "X-1"}

            event = decode(subject, b"X-1", orjson.dumps(body))

            assert event == Event(subject, "X-1", Fact(AT_MS, 0, "e", kind, {}))

    def test_the_subject_id_may_stand_under_subject(self):
        assert ticket(ticket=None, subject="T-17") == ticket()

    def test_the_named_id_wins_over_one_under_subject(self):
        assert ticket(subject=4) == ticket()

    @pytest.mark.parametrize(
        ("text", "expected_ms"),
        [
            ("2026-11-23T13:05:01Z", AT_MS - 123),
            ("2026-11-23T14:05:01.123+01:00", AT_MS),
            ("2026-11-23t13:05:01.123z", AT_MS),
            ("2026-11-23 07:35:01.1239-05:30", AT_MS),
            (AT_MS, AT_MS),
            (float(AT_MS), AT_MS),
            (SECONDS[1], SECONDS[1]),
            (LATEST_MS - 1, LATEST_MS - 1),
            ("1970-01-01T23:30:00-01:00", EARLIEST_MS + 30 * 60_000),
            ("1970-03-01T00:00:00Z", 59 * 86_400_000),
            ("1999-12-31T23:30:00-01:00", 946_686_600_000),
        ],
    )
    def test_instants_are_rfc_3339_or_epoch_milliseconds(self, text, expected_ms):
        assert ticket(time=text).fact.time_ms == expected_ms

    def test_unknown_attributes_are_passed_over_whatever_they_hold(self):
        assert ticket(colour="red", nested={"a": [1, {"b": "\x1f"}]}, priority="P1") == ticket(priority="P1")

    @pytest.mark.parametrize("name", ["specversion", "starts_at", "starts_at_ms", "ends_at", "ends_at_ms"])
    def test_null_is_no_attribute(self, name):
        assert ticket(**{name: None}) == ticket()

    def test_null_is_the_same_as_absent(self):
        body = PLAIN | {"priority": "P1", "team": None, "sequence": None, "starts_at": None, "specversion": None}

        assert decode("ticket", b"T-17", orjson.dumps(body)) == ticket(priority="P1")

    def test_a_number_becomes_text_where_text_is_expected(self):
        assert ticket(priority=1, customer=4711).fact.attributes == {"priority": "1", "customer": "4711"}

    def test_a_whole_number_does_for_a_fraction_and_back(self):
        attributes = ticket(amount=800, talk_ms=1500.0).fact.attributes

        assert attributes == {"amount": 800.0, "talk_ms": 1500}
        assert [type(one) for one in attributes.values()] == [float, int]

    @pytest.mark.parametrize("name", ["due_at", "response_due_at"])
    def test_a_due_instant_of_the_record_is_an_instant_or_a_dead_letter(self, name):
        for value in (AT_MS, "2026-11-23T12:05:01Z", "2026-11-23T13:05:01.250+01:00"):
            found = ticket(**{name: value}).fact.attributes[name]
            assert isinstance(found, int)
            assert encode_event(ticket(**{name: value}))[1].find(str(found).encode()) > 0
        assert ticket(**{name: None}).fact.attributes == {}
        for value, reason in (
            ("tomorrow", "bad_time"), ("", "bad_time"), ("2026-11-23T13:05:01", "time_without_zone"),
            (True, "wrong_type"), (AT_MS // 1000, "time_in_seconds"), (9_999_999_999_999_999, "absurd_time"),
        ):  # fmt: skip
            with pytest.raises(DecodeError) as refused:
                ticket(**{name: value})
            assert (refused.value.reason, name in str(refused.value)) == (reason, True)

    @pytest.mark.parametrize("name", ["starts_at", "starts_at_ms"])
    @pytest.mark.parametrize("value", [AT, AT_MS])
    def test_an_announced_window_may_be_text_or_milliseconds_under_both_names(self, name, value):
        assert ticket(**{name: value}).fact.attributes == {"starts_at_ms": AT_MS}

    def test_of_both_names_the_one_in_milliseconds_wins(self):
        for order in (("starts_at", "starts_at_ms"), ("starts_at_ms", "starts_at")):
            values = {"starts_at": AT_MS - 5, "starts_at_ms": AT_MS}

            assert ticket(**{name: values[name] for name in order}).fact.attributes == {"starts_at_ms": AT_MS}

    @pytest.mark.parametrize("customer", ['a/b\\c"d', "Müller & Söhne 🏦", "a'b%2F", "=1+1", "x" * MAX_TEXT])
    def test_odd_customers_come_through_unchanged(self, customer):
        body = PLAIN | {"customer": customer, "ticket": customer[:MAX_ID]}
        key = customer[:MAX_ID].encode()

        for written in (orjson.dumps(body), _escaped(body)):
            event = decode("ticket", key, written)

            assert (event.subject_id.encode(), event.fact.attributes) == (key, {"customer": customer})


class TestCloudEvents:
    def test_a_structured_event_carries_its_attributes_in_data(self):
        assert cloud() == ticket(priority="P1")

    @pytest.mark.parametrize("kind", ["ticket.opened", "com.example.desk.ticket.opened", "sla.ticket.opened"])
    def test_any_prefix_of_the_type_is_understood(self, kind):
        assert cloud(type=kind) == ticket(priority="P1")

    def test_it_needs_no_data(self):
        assert cloud(data=None) == ticket()

    @pytest.mark.parametrize("where", [{"sequence": "7"}, {"sequence": 7}, {"data": {"priority": "P1", "sequence": 7}}])
    def test_the_sequence_is_an_extension_or_in_the_data(self, where):
        assert cloud(**where) == ticket(priority="P1", sequence=7)

    def test_binary_mode_has_the_envelope_in_headers_and_the_attributes_in_the_value(self):
        headers = [(f"ce_{name}", value.encode()) for name, value in CLOUD.items() if name != "data"]

        event = decode("ticket", b"T-17", b'{"priority":"P1"}', [("content-type", b"application/json"), *headers])

        assert event == ticket(priority="P1")

    def test_binary_mode_without_a_value_is_an_event_and_no_tombstone(self):
        headers = [(f"ce_{name}", value.encode()) for name, value in CLOUD.items() if name != "data"]

        assert decode("ticket", b"T-17", None, headers) == decode("ticket", b"T-17", b"", headers) == ticket()

    def test_other_headers_do_not_matter(self):
        assert decode("ticket", b"T-17", orjson.dumps(PLAIN), [("trace", b"\xff"), ("empty", None)]) == ticket()


class TestRightKey:
    def test_it_is_the_subject_s_id_in_each_form(self):
        headers = [(f"ce_{name}", value.encode()) for name, value in CLOUD.items() if name != "data"]
        under_subject = {**PLAIN, "subject": PLAIN["ticket"], "ticket": None}

        assert right_key("ticket", orjson.dumps(PLAIN)) == b"T-17"
        assert right_key("ticket", orjson.dumps(under_subject)) == b"T-17"
        assert right_key("ticket", orjson.dumps(CLOUD)) == b"T-17"
        assert right_key("ticket", b"{}", headers) == right_key("ticket", None, headers) == b"T-17"

    @given(strategies.events())
    def test_with_it_every_event_decodes(self, event):
        key, value = encode_event(event)

        assert right_key(event.subject, value) == key

    @pytest.mark.parametrize("value", [None, b"", b"[]", b'{"ticket": "T-17"}', b'{"ticket": 17}', b"{}"])
    def test_what_is_wrong_in_more_than_its_key_has_none(self, value):
        with pytest.raises(DecodeError):
            right_key("ticket", value)

    def test_a_binary_event_without_a_subject_has_none(self):
        with pytest.raises(DecodeError):
            right_key("ticket", b"{}", [("ce_specversion", b"1.0"), ("ce_subject", None)])


class TestRefusals:
    def test_a_tombstone(self):
        assert refusal(decode, "ticket", b"T-17", None) == "tombstone"
        assert refusal(decode, "ticket", b"T-17", None, [("trace", b"1")]) == "tombstone"

    def test_a_value_that_is_too_large_is_not_even_read(self):
        value = b'{"x":"' + b"x" * 5_000_000

        assert refusal(decode, "ticket", b"T-17", value) == "too_large"
        assert refusal(decode, "ticket", b"T-17", orjson.dumps(PLAIN), max_bytes=20) == "too_large"

    @pytest.mark.parametrize(
        "value", [b"\xff\xfe", b'{"id":"\xff"}', orjson.dumps(PLAIN | {"unknown": "?"}).replace(b"?", b"\xff")]
    )
    def test_bad_utf8_also_where_nobody_looks(self, value):
        assert refusal(decode, "ticket", b"T-17", value) == "bad_utf8"

    @pytest.mark.parametrize(
        "value",
        [b"", b"{", b"hello", b'{"id":}', orjson.dumps(PLAIN) + b"x", b"[" * 100_000, b'{"id":"\\ud800"}', b"NaN"],
    )
    def test_bad_json(self, value):
        assert refusal(decode, "ticket", b"T-17", value) == "bad_json"

    def test_nesting_without_end_in_a_field_that_nobody_looks_at(self):
        value = orjson.dumps(PLAIN)[:-1] + b',"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}"

        if sys.version_info < (3, 14):
            assert refusal(decode, "ticket", b"T-17", value) == "bad_json"
            return
        # Later Pythons are limited by the stack alone: with a large one the field is passed over like any other.
        with suppress(DecodeError):
            assert decode("ticket", b"T-17", value) == decode("ticket", b"T-17", orjson.dumps(PLAIN))

    @pytest.mark.parametrize("value", [b"[]", b"1", b"1.5", b'"opened"', b"null", b"true"])
    def test_json_that_is_no_object(self, value):
        assert refusal(decode, "ticket", b"T-17", value) == "not_an_object"

    @pytest.mark.parametrize("name", ["id", "type", "time", "ticket"])
    def test_a_missing_field(self, name):
        assert refusal(ticket, **{name: None}) == "missing_field"

    @pytest.mark.parametrize("name", ["id", "source", "type", "subject", "time"])
    def test_a_missing_field_of_a_cloudevent(self, name):
        assert refusal(cloud, **{name: None}) == "missing_field"

    @pytest.mark.parametrize(
        "changes",
        [
            {"id": 1},
            {"type": 1},
            {"time": True},
            {"time": []},
            {"time": AT_MS + 0.5},
            {"ticket": 17},
            {"sequence": "3"},
            {"sequence": 1.5},
            {"priority": ["P1"]},
            {"priority": 1.5},
            {"priority": True},
            {"public": "yes"},
            {"public": 1},
            {"weight": "0.5"},
            {"weight": True},
            {"talk_ms": 1.5},
            {"talk_ms": "12"},
            {"starts_at": {}},
        ],
    )
    def test_a_field_of_the_wrong_type(self, changes):
        assert refusal(ticket, **changes) == "wrong_type"

    @pytest.mark.parametrize("changes", [{"data": []}, {"data": "{}"}, {"data_base64": "e30="}, {"sequence": "x"}])
    def test_a_cloudevent_with_a_part_of_the_wrong_type(self, changes):
        assert refusal(cloud, **changes) == "wrong_type"

    @pytest.mark.parametrize(
        "changes",
        [
            {"sequence": -1},
            {"sequence": MAX_INTEGER + 1},
            {"talk_ms": -1},
            {"customers_affected": 10**18},
            {"weight": -0.1},
            {"priority": 10**18},
        ],
    )
    def test_a_number_out_of_range(self, changes):
        assert refusal(ticket, **changes) == "out_of_range"

    def test_a_number_that_no_computer_holds(self):
        value = orjson.dumps(PLAIN)[:-1] + b',"talk_ms":' + b"9" * 400 + b"}"

        assert refusal(decode, "ticket", b"T-17", value) in ("out_of_range", "bad_json")

    def test_a_customer_of_ten_kilobytes(self):
        assert refusal(ticket, customer="x" * 10_000) == "too_long"
        assert refusal(ticket, customer="é" * (MAX_TEXT + 1)) == "too_long"

    @pytest.mark.parametrize("character", CONTROLS)
    def test_control_characters_get_into_no_id(self, character):
        assert refusal(ticket, id=f"a{character}b") == "bad_id"
        assert refusal(ticket, ticket=f"a{character}b") == "bad_id"
        assert refusal(cloud, subject=f"a{character}b") == "bad_id"

    @pytest.mark.parametrize("character", CONTROLS)
    @pytest.mark.parametrize("name", ["id", "ticket"])
    def test_it_is_refused_escaped_or_not(self, name, character):
        for escape in (True, False):
            body = {**PLAIN, name: f"é{character}b"}
            value = json.dumps(body, ensure_ascii=escape).encode()
            key = body["ticket"].encode()
            assert refusal(decode, "ticket", key, value) == "bad_id"

    @pytest.mark.parametrize("character", ASCII_CONTROLS)
    def test_control_characters_of_ascii_get_into_no_attribute(self, character):
        for escape in (True, False):
            value = json.dumps({**PLAIN, "customer": f"é{character}b"}, ensure_ascii=escape).encode()
            assert refusal(decode, "ticket", b"T-17", value) == "control_character"

    @pytest.mark.parametrize("character", OTHERS)
    @pytest.mark.parametrize("escape", [True, False])
    def test_a_name_that_was_decoded_wrongly_is_kept(self, character, escape):
        name = f"M{character}ller"
        for body in ({**PLAIN, "customer": name}, {**CLOUD, "data": {"customer": name}}):
            event = decode("ticket", b"T-17", json.dumps(body, ensure_ascii=escape).encode())
            assert event.fact.attributes["customer"] == name

    @pytest.mark.parametrize("character", ["\xa0", "é", "\u0627", "\u200d", "\u200f", "\u061c", "\ufeff", "😀"])
    def test_what_scripts_and_pasted_names_need_may_stand(self, character):
        assert ticket(customer=f"a{character}b").fact.attributes["customer"] == f"a{character}b"
        assert ticket(id=f"a{character}b").fact.id == f"a{character}b"

    def test_a_control_character_in_what_is_passed_over_is_passed_over(self):
        assert ticket(note="a\u202eé").subject_id == "T-17"

    @pytest.mark.parametrize("name", ["id", "ticket"])
    def test_an_id_that_is_empty_or_too_long(self, name):
        assert refusal(ticket, **{name: ""}) == "bad_id"
        assert refusal(ticket, **{name: "x" * (MAX_ID + 1)}) == "bad_id"

    @pytest.mark.parametrize("kind", ["answered", "Opened", "", "ticket.opened"])
    def test_an_unknown_type(self, kind):
        assert refusal(ticket, type=kind) == "unknown_type"

    @pytest.mark.parametrize(
        "kind", ["opened", "sla.ticket.answered", "sla.letter.opened", "sla.ticket.", "myticket.opened"]
    )
    def test_an_unknown_type_of_a_cloudevent(self, kind):
        assert refusal(cloud, type=kind) == "unknown_type"

    def test_an_event_about_another_subject(self):
        assert refusal(cloud, type="sla.call.answered") == "wrong_subject"
        assert refusal(ticket, ticket=None, call="C-1", type="answered") == "wrong_subject"

    def test_another_version_of_cloudevents(self):
        assert refusal(cloud, specversion="0.3") == "bad_specversion"

    @pytest.mark.parametrize(
        "text", ["yesterday", "", "2026-11-23", "2026-02-30T00:00:00Z", "23.11.2026 13:05", str(AT_MS)]
    )
    def test_text_that_is_no_instant(self, text):
        assert refusal(ticket, time=text) == "bad_time"
        assert refusal(ticket, starts_at=text) == "bad_time"

    def test_an_instant_without_a_zone(self):
        assert refusal(ticket, time="2026-11-23T13:05:01") == "time_without_zone"

    @pytest.mark.parametrize("seconds", [AT_MS // 1000, AT_MS / 1000, 946_684_800, EARLIEST_MS, 9_999_999_999])
    def test_seconds_where_milliseconds_belong(self, seconds):
        assert refusal(ticket, time=seconds) == "time_in_seconds"
        assert refusal(ticket, ends_at_ms=seconds) == "time_in_seconds"

    @pytest.mark.parametrize(
        "time",
        [
            "1900-01-01T00:00:00Z",
            "9999-12-31T23:59:59Z",
            "0001-01-01T00:00:00+14:00",
            "1969-12-31T23:59:59Z",
            "1970-01-01T00:00:00Z",
            "1970-01-02T00:30:00+01:00",
            EARLIEST_MS - 1,
            LATEST_MS,
            0,
            -5,
            1e300,
        ],
    )
    def test_an_absurd_instant(self, time):
        assert refusal(ticket, time=time) == "absurd_time"

    @pytest.mark.parametrize("key", [None, b"", b"T-18", b'"T-17"', b"\xff"])
    def test_a_key_that_is_not_the_subject_id(self, key):
        assert refusal(decode, "ticket", key, orjson.dumps(PLAIN)) == "key_mismatch"
        assert refusal(decode, "ticket", key, orjson.dumps(CLOUD)) == "key_mismatch"

    def test_headers_that_are_not_utf8(self):
        assert refusal(decode, "ticket", b"T-17", b"{}", [("ce_specversion", b"1.0"), ("ce_id", b"\xff")]) == "bad_utf8"

    def test_a_header_without_a_value_is_a_missing_field(self):
        assert refusal(decode, "ticket", b"T-17", b"{}", [("ce_specversion", None)]) == "bad_specversion"

    def test_every_reason_has_a_test_here(self):
        source = Path(__file__).read_text(encoding="utf-8")

        assert [reason for reason in REASONS if f'== "{reason}"' not in source] == []

    def test_a_refusal_shows_only_the_beginning_of_a_long_text_and_no_raw_control_characters(self):
        with pytest.raises(DecodeError) as caught:
            ticket(type="\n\x1b[31m" + "x" * 10_000)

        assert len(str(caught.value)) < 300
        assert str(caught.value).isprintable()


class TestLaws:
    @given(strategies.events())
    def test_what_is_encoded_decodes_to_the_same_event(self, event):
        key, value = encode_event(event)

        decoded = decode(event.subject, key, value)

        assert decoded == event
        assert {name: type(one) for name, one in decoded.fact.attributes.items()} == {
            name: type(one) for name, one in event.fact.attributes.items()
        }

    @given(strategies.events(), st.data())
    def test_the_fast_way_says_what_the_slow_way_says(self, event, data):
        key, value = encode_event(event)
        body = orjson.loads(value)
        name = data.draw(st.sampled_from(sorted(body)))
        body[name] = data.draw(ODD)
        for written in (orjson.dumps(body), _escaped(body)):
            assert outcome(decode, event.subject, key, written) == outcome(events._slow, event.subject, key, written)

    @given(strategies.events(), st.data())
    def test_no_bytes_whatsoever_make_it_fail_in_another_way(self, event, data):
        key, value = encode_event(event)
        place = data.draw(st.integers(0, len(value)))
        broken = value[:place] + data.draw(st.binary(max_size=4)) + value[place + data.draw(st.integers(0, 4)) :]

        assert isinstance(outcome(decode, event.subject, key, broken), Event | str)

    @given(
        st.sampled_from(SUBJECTS),
        st.none() | st.binary(max_size=20),
        st.none() | st.binary(max_size=60) | ODD_JSON,
        st.lists(
            st.tuples(
                st.sampled_from(
                    ["ce_specversion", "ce_type", "ce_id", "ce_source", "ce_time", "ce_subject", "ce_sequence"]
                ),
                st.none() | st.binary(max_size=10) | st.sampled_from([b"1.0", b"sla.ticket.opened", AT.encode()]),
            ),
            max_size=8,
        ),
    )
    @settings(max_examples=300)
    def test_no_record_whatsoever_makes_it_fail_in_another_way(self, subject, key, value, headers):
        found = outcome(decode, subject, key, value, headers)

        assert isinstance(found, Event) or found in REASONS


def outcome(call, *arguments):
    """Return the event or the reason of the refusal; any other exception fails the test."""
    try:
        return call(*arguments)
    except DecodeError as error:
        return error.reason


def _escaped(body):
    """Return JSON as Python's json module writes it: everything beyond ASCII escaped."""
    return json.dumps(body).encode()
