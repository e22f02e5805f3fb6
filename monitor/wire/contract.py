"""The contract of the event topics: limits, reasons of refusal, the published schema and the README's tables.

`monitor.wire.events` enforces it; ``tests/wire`` holds the two to each other.
"""

from __future__ import annotations

from typing import Any, Final

from monitor.core.facts.events import ATTRIBUTES, DUE_ATTRIBUTES, TYPES, Subject
from monitor.core.time.units import DAY_MS

MAX_EVENT_BYTES: Final = 1 << 20
"""The longest record that is decoded, in bytes."""
MAX_ID: Final = 512
"""The longest event or subject id, in characters."""
MAX_TEXT: Final = 1024
"""The longest text of an attribute, in characters."""
MAX_INTEGER: Final = (1 << 53) - 1
"""The largest integer that every JSON reader keeps exactly."""
EARLIEST_MS: Final = DAY_MS
"""1970-01-02T00:00Z: an earlier instant is absurd. The first day of the epoch is what an empty time looks like, in any
zone."""
LATEST_MS: Final = 4_102_444_800_000
"""2100-01-01T00:00Z: this and any later instant is absurd."""
SECONDS: Final = (EARLIEST_MS, 10_000_000_000)
"""Numbers up to 10^10 are seconds, not milliseconds: those would mean the spring of 1970, which only texts may name."""
CONTROL: Final = r"[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]"
"""Characters that no id may contain: each changes how the text around it is shown. They are the control characters of
ASCII and Latin-1 (C0, DEL, C1), the separators of lines and paragraphs, and the characters that override or isolate the
direction of writing. Marks of direction and marks without a width (U+061C, U+200B to U+200F, U+FEFF) are allowed: some
scripts need them, and names that people paste are full of them. Terminals show them escaped."""
ASCII_CONTROL: Final = r"[\u0000-\u001f\u007f]"
"""The control characters that no attribute may contain either: some of them separate the parts of row keys. Attributes
may contain the others. A name that was decoded wrongly (Windows-1252 taken for Latin-1) holds C1 characters, and the
promises to that customer must be watched all the same. They are shown escaped everywhere (`monitor.wire.visible`)."""
NOT_NEGATIVE: Final = frozenset(
    {"weight", "customers_affected", "customers_total", "talk_ms", "hold_ms", "wrap_up_ms", "idle_ms"}
)
"""The attributes that cannot be below zero. ``sequence``, which is no attribute, cannot either."""
INSTANTS: Final = {
    "starts_at": "starts_at_ms", "ends_at": "ends_at_ms", **{name: name for name in DUE_ATTRIBUTES},
}  # fmt: skip
"""Instants among the attributes: the short name, and the name under which they are kept. Producers may send either."""

REASONS: Final[dict[str, str]] = {
    "tombstone": "the record has no value",
    "too_large": f"the value is longer than {MAX_EVENT_BYTES:,} bytes (or the limit that was set)",
    "bad_utf8": "the bytes are not UTF-8",
    "bad_json": "the text is not JSON",
    "not_an_object": "the JSON is not an object",
    "missing_field": "a field that every event has is absent or null",
    "wrong_type": "a field has another JSON type than the contract says",
    "out_of_range": "a number is too large or below zero where it cannot be",
    "too_long": f"the text of an attribute is longer than {MAX_TEXT:,} characters",
    "control_character": "an attribute contains a control character of ASCII",
    "bad_id": f"an id is empty, longer than {MAX_ID} characters, or contains a character that controls, ends a line or "
    "turns the direction",
    "unknown_type": "the subject has no events of this type",
    "wrong_subject": "the event is about another kind of subject than the topic",
    "bad_specversion": "a CloudEvent of another version than 1.0",
    "bad_time": "the text of an instant is not RFC 3339",
    "time_without_zone": "the text of an instant has no offset from UTC",
    "time_in_seconds": "an instant is in seconds; epoch numbers are milliseconds",
    "absurd_time": "an instant is before 1970-01-02 or after 2099",
    "key_mismatch": "the record's key is not the subject id: order and single ownership of a subject rest on it",
}
"""Why a record is refused, and what each reason means. A closed set: it labels counters, dead letters and log lines."""

MEANINGS: Final[dict[str, str]] = {
    "customer": "who is served",
    "service": "what is provided",
    "priority": "decides the budget; a number becomes text",
    "queue": "where it waits",
    "team": "who is responsible",
    "agent": "who works on it",
    "channel": "how it came in or how somebody was reached",
    "reason": "why it was paused, transferred or disqualified",
    "severity": "how bad an outage is",
    "category": "what it is about",
    "source": "where it came from",
    "segment": "part of the market",
    "campaign": "campaign of marketing that brought the lead",
    "parent": "id of the subject that caused it",
    "service_type": "kind of the service; an agreement's `service.type`",
    "equipment_care": "how its equipment is cared for; `service.equipment_care`",
    "connectivity": "how it is connected; `service.connectivity`",
    "bandwidth": "its bandwidth; `service.bandwidth`",
    "public": "`false`: an internal note, no response",
    "automatic": "`true`: sent by a machine, no response",
    "resolved": "the call solved the caller's problem",
    "weight": "share that is down (0 to 1), or the worth of a lead",
    "customers_affected": "how many customers are without service",
    "customers_total": "out of how many",
    "amount": "value of a won deal",
    "score": "quality of a lead, or how satisfied the customer was with a call",
    "activities": "how often a lead has been active so far",
    "caller": "who calls, to recognise repeat calls",
    "issue": "what the call is about",
    "talk_ms": "time talked, milliseconds",
    "hold_ms": "time on hold, milliseconds",
    "wrap_up_ms": "work after the call, milliseconds",
    "idle_ms": "how long the agent had been available before the call, milliseconds",
    "due_at": "when it is due, if the record says so: clocks with `due_at` take it in place of a target",
    "response_due_at": "when its first response is due, if the record says so",
    "starts_at_ms": "announced start of maintenance; also as `starts_at`",
    "ends_at_ms": "announced end of maintenance; also as `ends_at`",
}

_LEAP: Final = "(?:[02468][048]|[13579][26])"
_DATE: Final = (
    "(?!1970-01-01)(?:19(?=[7-9])|20)(?:"
    "[0-9]{2}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])"
    "|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)"
    "|02-(?:0[1-9]|1[0-9]|2[0-8]))"
    f"|{_LEAP}-02-29)"
)
_CLOCK: Final = "(?:[01][0-9]|2[0-3])"
# The look-ahead: a "$" alone also holds before a last line feed in some dialects.
_RFC3339: Final = rf"^{_DATE}[Tt ]{_CLOCK}(?::[0-5][0-9]){{2}}(?:\.[0-9]+)?(?:[Zz]|[+-]{_CLOCK}:?[0-5][0-9])$(?!\n)"


def event_schema(subject: Subject) -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a subject's events as plain JSON.

    It accepts the same events as `monitor.wire.events.decode`, with two exceptions. On the first and the last day of
    the range of instants, an offset from UTC may carry an instant over the edge. And the schema does not see the
    record's key.
    """
    required_id = {"required": [subject], "properties": {subject: _id()}}
    by_subject = {"required": ["subject"], "properties": {subject: {"type": "null"}, "subject": _id()}}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:sla-monitor:event:{subject}",
        "title": f"An event of a {subject}",
        "description": "Unknown fields are accepted and not kept; null means absent.",
        "type": "object",
        "required": ["id", "type", "time"],
        "properties": {
            "id": {**_id(), "description": "Unique: the same event sent twice has the same id."},
            "type": {"enum": sorted(TYPES[subject])},
            "time": {"description": "When it happened: RFC 3339 with offset, or epoch milliseconds.", **_instant()},
            "sequence": {
                "description": "Orders events of one instant; 0 if absent.",
                "type": ["integer", "null"],
                "minimum": 0,
                "maximum": MAX_INTEGER,
            },
            "specversion": {"description": "A CloudEvent has another schema.", "type": "null"},
            **_attributes(),
        },
        "anyOf": [required_id, by_subject],
    }


def cloudevent_schema(subject: Subject) -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a subject's events as structured CloudEvents 1.0."""
    types = "|".join(sorted(TYPES[subject]))
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:sla-monitor:cloudevent:{subject}",
        "title": f"An event of a {subject} as a CloudEvent",
        "type": "object",
        "required": ["specversion", "id", "source", "type", "subject", "time"],
        "properties": {
            "specversion": {"const": "1.0"},
            "id": _id(),
            "source": {"type": "string", "minLength": 1},
            "type": {"type": "string", "pattern": rf"^(?:[\s\S]*\.)?{subject}\.(?:{types})$(?!\n)"},
            "subject": {**_id(), "description": f"The id of the {subject}."},
            "time": _instant(),
            "sequence": {"anyOf": [_sequence(), {"type": "string", "pattern": r"^[0-9]{1,15}$(?!\n)"}]},
            "data": {
                "type": ["object", "null"],
                "properties": {"sequence": _sequence(), **_attributes()},
            },
            "data_base64": {"type": "null"},
        },
    }


def contract_table() -> str:
    """Return the contract as the two Markdown tables of the README: types by subject, and the attributes."""
    lines = ["| subject | its id stands in | types |", "|---|---|---|"]
    for subject, types in TYPES.items():
        lines.append(f"| {subject} | `{subject}` | {', '.join(f'`{one}`' for one in sorted(types))} |")
    lines += ["", "| attribute | JSON type | meaning |", "|---|---|---|"]
    words = {str: "string", bool: "boolean", int: "integer", float: "number"}
    for name, kind in ATTRIBUTES.items():
        word = "RFC 3339 or epoch ms" if name in INSTANTS.values() else words[kind]
        lines.append(f"| `{name}` | {word} | {MEANINGS[name]} |")
    return "\n".join(lines) + "\n"


def _attributes() -> dict[str, Any]:
    schemas = {name: _attribute(name, kind) for name, kind in ATTRIBUTES.items()}
    for name, kept in INSTANTS.items():
        schemas[name] = schemas[kept] = {"description": MEANINGS[kept], **_instant(or_null=True)}
    return schemas


def _attribute(name: str, kind: type) -> dict[str, Any]:
    schema: dict[str, Any] = {"description": MEANINGS[name]}
    if kind is str:
        schema |= {"type": ["string", "integer", "null"], "maxLength": MAX_TEXT, "not": _containing(ASCII_CONTROL)}
    elif kind is bool:
        return schema | {"type": ["boolean", "null"]}
    else:
        schema |= {"type": ["integer" if kind is int else "number", "null"]}
    if kind is not float:
        schema |= {"minimum": -MAX_INTEGER, "maximum": MAX_INTEGER}
    if name in NOT_NEGATIVE:
        schema |= {"minimum": 0}
    return schema


def _sequence() -> dict[str, Any]:
    return {"type": ["integer", "null"], "minimum": 0, "maximum": MAX_INTEGER}


def _id() -> dict[str, Any]:
    return {"type": "string", "minLength": 1, "maxLength": MAX_ID, "not": _containing(CONTROL)}


def _containing(characters: str) -> dict[str, Any]:
    # The type stands beside the pattern: a pattern alone accepts all that is no string, and "not" would refuse that.
    return {"type": "string", "pattern": characters}


def _instant(*, or_null: bool = False) -> dict[str, Any]:
    return {
        "anyOf": [
            {"type": "string", "pattern": _RFC3339},
            {"type": "integer", "minimum": SECONDS[1], "exclusiveMaximum": LATEST_MS},
            *([{"type": "null"}] if or_null else []),
        ]
    }
