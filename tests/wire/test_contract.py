"""The published schemas say what decoding does, and the README's tables name everything."""

import copy

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from monitor.core.facts.events import ATTRIBUTES, SUBJECTS, TYPES
from monitor.errors import DecodeError
from monitor.wire.contract import INSTANTS, MAX_ID, MAX_INTEGER, MAX_TEXT, MEANINGS, NOT_NEGATIVE
from monitor.wire.events import cloudevent_schema, contract_table, decode, encode_event, event_schema
from tests.wire import strategies
from tests.wire.test_events import AT, AT_MS, CLOUD, ODD, PLAIN

VALIDATORS = {subject: Draft202012Validator(event_schema(subject)) for subject in SUBJECTS}
CLOUD_VALIDATORS = {subject: Draft202012Validator(cloudevent_schema(subject)) for subject in SUBJECTS}

# Where rules begin and end: whatever a field is, it is tried with each of these.
EDGES = [
    None,
    True,
    False,
    0,
    1,
    -1,
    1.0,
    1.5,
    -0.5,
    MAX_INTEGER,
    MAX_INTEGER + 1,
    -MAX_INTEGER - 1,
    float(MAX_INTEGER + 1),
    AT_MS,
    float(AT_MS),
    AT_MS // 1000,
    AT,
    AT.replace("Z", ""),
    AT.replace("Z", "+0100"),
    AT.replace("Z", "+01:00"),
    AT.replace("Z", "+24:00"),
    AT.replace("T", " "),
    AT.lower(),
    AT + "\n",
    "2026-11-23T13:05:60Z",
    "2026-11-23T24:00:00Z",
    "2026-11-23T13:05Z",
    "2026-11-23T13:05:01.Z",
    "2026-11-23T13:05:01.123456789Z",
    "2028-02-29T00:00:00Z",
    "2026-02-29T00:00:00Z",
    "2026-04-31T00:00:00Z",
    "1999-06-01T00:00:00Z",
    "1972-02-29T00:00:00Z",
    "1970-01-02T00:00:00Z",
    "1970-01-01T12:00:00Z",
    "1969-12-31T00:00:00Z",
    "1900-02-29T00:00:00Z",
    946_684_800,
    86_400_000,
    9_999_999_999,
    10_000_000_000,
    "2100-06-01T00:00:00Z",
    "٢026-11-23T13:05:01Z",
    "",
    "opened",
    "queued",
    "T-17",
    "a\x1fb",
    "a\n",
    "a\x7f",
    "\x80",
    "x" * MAX_ID,
    "x" * (MAX_ID + 1),
    "🏦" * MAX_ID,
    "x" * MAX_TEXT,
    "x" * (MAX_TEXT + 1),
    [],
    {},
]
FIELDS = ["id", "type", "time", "ticket", "subject", "sequence", "specversion", *ATTRIBUTES, *INSTANTS, "unknown"]


def decodes(subject, body, subject_id):
    """Return whether the body decodes under the key that its subject id asks for."""
    key = subject_id.encode() if isinstance(subject_id, str) else b""
    try:
        decode(subject, key, orjson.dumps(body))
    except DecodeError:
        return False
    return True


def subject_id_of(subject, body):
    return body[subject] if body.get(subject) is not None else body.get("subject")


class TestSchemas:
    @pytest.mark.parametrize("subject", SUBJECTS)
    def test_they_are_valid_schemas(self, subject):
        Draft202012Validator.check_schema(event_schema(subject))
        Draft202012Validator.check_schema(cloudevent_schema(subject))

    @pytest.mark.parametrize("field", FIELDS)
    @pytest.mark.parametrize("by", ["ticket", "subject"])
    def test_schema_and_decoding_agree_on_every_field_at_every_edge(self, field, by):
        for value in EDGES:
            body = {"id": "e-1", "type": "opened", "time": AT, by: "T-17", field: value}

            accepted = decodes("ticket", body, subject_id_of("ticket", body))

            assert VALIDATORS["ticket"].is_valid(body) == accepted, (field, value)

    @pytest.mark.parametrize("field", PLAIN)
    def test_schema_and_decoding_agree_on_missing_fields(self, field):
        body = {name: value for name, value in PLAIN.items() if name != field}

        assert not VALIDATORS["ticket"].is_valid(body)
        assert not decodes("ticket", body, "T-17")

    @given(strategies.events(), st.data())
    @settings(max_examples=60)
    def test_schema_and_decoding_agree_on_any_event_with_an_odd_field(self, event, data):
        body = orjson.loads(encode_event(event)[1])
        # The first and the last day of the range are the documented exception.
        body["time"] = AT
        assert VALIDATORS[event.subject].is_valid(body)
        field = data.draw(st.sampled_from([*body, *ATTRIBUTES, *INSTANTS, "specversion"]))
        body[field] = data.draw(ODD)

        accepted = decodes(event.subject, body, subject_id_of(event.subject, body))

        # A CloudEvent is judged by its own schema.
        assert body.get("specversion") is not None or VALIDATORS[event.subject].is_valid(body) == accepted

    @pytest.mark.parametrize("field", [*CLOUD, "sequence", "data_base64"])
    def test_the_schema_of_cloudevents_and_decoding_agree_at_every_edge(self, field):
        kinds = [
            "ticket.opened",
            "x.y.ticket.opened",
            "sla.ticket.opened\n",
            "a\n.ticket.opened",
            "myticket.opened",
            ".ticket.opened",
        ]
        for value in [
            *EDGES,
            *kinds,
            "1.0",
            "7",
            "0123456789012345",
            {"priority": []},
            {"priority": 1},
            {"sequence": -1},
        ]:
            body = CLOUD | {field: value}

            accepted = decodes("ticket", body, body["subject"]) and field != "specversion"

            expected = CLOUD_VALIDATORS["ticket"].is_valid(body) and (field != "specversion" or value != "1.0")
            assert expected == accepted, (field, value)

    def test_a_caller_may_change_what_it_got(self):
        before = copy.deepcopy(event_schema("ticket"))

        event_schema("ticket")["properties"].clear()

        assert event_schema("ticket") == before


class TestTables:
    def test_every_type_and_attribute_stands_in_the_tables_with_its_meaning(self):
        table = contract_table()

        for subject, types in TYPES.items():
            row = next(line for line in table.splitlines() if line.startswith(f"| {subject} |"))
            assert all(f"`{one}`" in row for one in types)
        for name in ATTRIBUTES:
            row = next(line for line in table.splitlines() if line.startswith(f"| `{name}` |"))
            assert MEANINGS[name] in row

    def test_what_is_said_of_attributes_is_said_of_those_that_exist(self):
        assert set(MEANINGS) == set(ATTRIBUTES)
        assert {"sequence", *ATTRIBUTES} >= NOT_NEGATIVE
        assert set(INSTANTS.values()) <= set(ATTRIBUTES)
