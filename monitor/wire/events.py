"""Events: the bytes of a source topic's records <-> `monitor.core.facts.events.Event`.

Three forms are understood: plain JSON, structured CloudEvents 1.0, and CloudEvents in binary mode (``ce_`` headers).

    {"id": "e-1", "type": "opened", "time": "2026-11-23T13:05:01Z", "ticket": "T-17", "priority": "P1"}

There are two decoders. The fast one takes plain JSON as most producers write it, in one typed pass. Every record that
it does not take, right or wrong, goes to the slow one. That one reads field by field, takes every form, and gives the
exact reason of a refusal. So the slow decoder is the definition; tests hold the fast one to it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Final, Literal, Required, TypedDict

import msgspec
import orjson

from monitor.core.facts.events import ATTRIBUTES, SUBJECTS, TYPES, Event, Fact, Subject, Value
from monitor.wire.contract import (
    CONTROL,
    INSTANTS,
    LATEST_MS,
    MAX_EVENT_BYTES,
    MAX_ID,
    MAX_INTEGER,
    MAX_TEXT,
    NOT_NEGATIVE,
    REASONS,
    SECONDS,
    cloudevent_schema,
    contract_table,
    event_schema,
)
from monitor.wire.fields import (
    READERS,
    has_control,
    identifier,
    json_object,
    kind_of,
    present,
    read_instant,
    read_integer,
    refuse,
    shown,
    string,
)
from monitor.wire.instants import milliseconds, rfc3339

__all__ = [
    "REASONS",
    "Headers",
    "cloudevent_schema",
    "contract_table",
    "decode",
    "encode_event",
    "event_schema",
    "right_key",
]

Headers = Sequence[tuple[str, bytes | None]]
"""Headers of a Kafka record."""

_INSTANT_NAMES: Final = tuple(INSTANTS.values())
_find_unescaped: Final = re.compile(CONTROL.replace(r"\u0000-\u001f", "")).search
"""Finds a control character of `CONTROL` that JSON text may contain unescaped."""
_FIRST_OF_C1: Final = 0xC2
_FIRST_OF_SEPARATORS: Final = 0xE2
"""The first byte, in UTF-8, of line and paragraph separators and of the characters that turn the direction."""
_BACKSLASH: Final = ord("\\")
_DELETE: Final = 127


def decode(
    subject: Subject,
    key: bytes | None,
    value: bytes | None,
    headers: Headers = (),
    *,
    max_bytes: int = MAX_EVENT_BYTES,
) -> Event:
    """Return the event that a record of a subject's topic holds.

    Args:
        subject: the subject of the topic.
        key: the record's key; must be the subject id.
        value: the record's value.
        headers: the record's headers; with ``ce_specversion`` among them it is a CloudEvent in binary mode.
        max_bytes: a longer value is refused unread.

    Raises:
        DecodeError: the record is not an event; the reason is one of `REASONS`.
    """
    if value is None:
        if headers and _is_binary(headers):
            return _binary(subject, key, b"", headers)
        refuse("tombstone")
    if len(value) > max_bytes:
        refuse("too_large", f"{len(value):,} bytes, at most {max_bytes:,} are read")
    if headers and _is_binary(headers):
        return _binary(subject, key, value, headers)
    try:
        found = _FAST[subject](value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _slow(subject, key, value)
    pop = found.pop
    event_id = pop("id")
    subject_id = pop(subject)
    time_ms = pop("time")
    if time_ms.__class__ is not int:
        time_ms = milliseconds(time_ms)
    if (
        # Earlier instants are rare, and numbers that small are seconds: the slow way tells.
        not SECONDS[1] <= time_ms < LATEST_MS
        or subject_id.encode() != key
        # ASCII JSON escapes all control characters but DEL. So without a backslash or a DEL there is none.
        or ((_BACKSLASH in value or _DELETE in value) and _any_control(event_id, subject_id, found))
        # The typed pass does not check the fields that it passes over.
        or not (value.isascii() or _is_clean(value))
    ):
        return _slow(subject, key, value)
    kind = pop("type")
    # Making the tuples directly saves a third of a microsecond over their keyword-ready constructors.
    fact = _new(Fact, (time_ms, pop("sequence", 0), event_id, kind, found))
    event: Event = _new(Event, (subject, subject_id, fact))
    return event


def encode_event(event: Event) -> tuple[bytes, bytes]:
    """Return the key and the plain JSON value of a record that decodes to the event."""
    fact = event.fact
    body: dict[str, Value] = {
        "id": fact.id,
        "type": fact.type,
        "time": rfc3339(fact.time_ms),
        event.subject: event.subject_id,
    }
    if fact.sequence:
        body["sequence"] = fact.sequence
    body |= fact.attributes
    for name in _INSTANT_NAMES:
        value = body.get(name)
        if value is not None and value < SECONDS[1]:  # type: ignore[operator] # an instant
            body[name] = rfc3339(value)  # type: ignore[arg-type] # as a number it would be taken for seconds
    return event.subject_id.encode(), orjson.dumps(body)


def right_key(subject: Subject, value: bytes | None, headers: Headers = ()) -> bytes:
    """Return the key that the record of an event must have, independent of its present key: its subject's id.

    Raises:
        DecodeError: more than the key is wrong with the record.
    """
    if headers and _is_binary(headers):
        key = next((text or b"" for name, text in headers if name == "ce_subject"), b"")
    else:
        body = json_object(value or b"")
        plain = body.get("specversion") is None and body.get(subject) is not None
        key = identifier(body, subject if plain else "subject").encode()
    decode(subject, key, value, headers)
    return key


_new: Final[Callable[..., Any]] = tuple.__new__


def _fast_decoder(subject: Subject) -> Callable[[bytes], dict[str, Any]]:
    """Return the typed pass over plain JSON. It is of a TypedDict, whose dict becomes the attributes without a copy."""
    identifier = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_ID)]
    fields: dict[str, Any] = {
        "id": Required[identifier],
        "type": Required[Literal[tuple(sorted(TYPES[subject]))]],
        "time": Required[int | Annotated[datetime, msgspec.Meta(tz=True)]],
        subject: Required[identifier],
        "sequence": Annotated[int, msgspec.Meta(ge=0, le=MAX_INTEGER)],
        # No value fits these: a CloudEvent, or an instant among the attributes (rare), goes the slow way.
        **dict.fromkeys(("specversion", *INSTANTS, *INSTANTS.values()), Annotated[int, msgspec.Meta(ge=1, le=0)]),
    }
    for name, kind in ATTRIBUTES.items():
        least = 0 if name in NOT_NEGATIVE else None
        if kind is str:
            fields[name] = Annotated[str, msgspec.Meta(max_length=MAX_TEXT)]
        elif kind is int:
            at_least = -MAX_INTEGER if least is None else least
            fields.setdefault(name, Annotated[int, msgspec.Meta(ge=at_least, le=MAX_INTEGER)])
        else:
            fields[name] = kind if least is None else Annotated[kind, msgspec.Meta(ge=least)]
    shape: Any = TypedDict(f"Plain{subject.title()}", fields, total=False)  # type: ignore[misc]
    decoder: msgspec.json.Decoder[dict[str, Any]] = msgspec.json.Decoder(shape)
    return decoder.decode


_FAST: Final[Mapping[Subject, Callable[[bytes], dict[str, Any]]]] = {one: _fast_decoder(one) for one in SUBJECTS}


def _any_control(event_id: str, subject_id: str, found: Mapping[str, Any]) -> bool:
    texts = (event_id, subject_id, *(one for one in found.values() if one.__class__ is str))
    return any(has_control(one) for one in texts)


def _is_clean(value: bytes) -> bool:
    """Return whether bytes that are not ASCII are UTF-8 without a control character that JSON may contain unescaped."""
    try:
        text = value.decode()
    except UnicodeDecodeError:
        return False
    # The characters' first bytes in UTF-8: searching for these costs a twentieth of searching for the characters.
    return not (_FIRST_OF_C1 in value or _FIRST_OF_SEPARATORS in value) or _find_unescaped(text) is None


# ---- the slow way


def _slow(subject: Subject, key: bytes | None, value: bytes) -> Event:
    body = json_object(value)
    if body.get("specversion") is not None:
        if body.get("data_base64") is not None:
            refuse("wrong_type", "data_base64: the data must be a JSON object under data")
        data = body.get("data")
        if data is None:
            data = {}
        elif not isinstance(data, dict):
            refuse("wrong_type", f"data is {kind_of(data)}, not an object")
        return _cloudevent(subject, key, body, data)
    name: str = subject
    if body.get(subject) is None:
        others = [one for one in SUBJECTS if one != subject and body.get(one) is not None]
        if others and body.get("subject") is None:
            refuse("wrong_subject", f"an event of a {others[0]} on the topic of {subject}s")
        name = "subject" if body.get("subject") is not None else subject
    subject_id = identifier(body, name)
    kind = string(body, "type")
    if kind not in TYPES[subject]:
        refuse("unknown_type", f"{shown(kind)} is no event of a {subject}")
    return _event(subject, key, subject_id, kind, body, body, body.get("sequence"))


def _is_binary(headers: Headers) -> bool:
    return any(name == "ce_specversion" for name, _ in headers)


def _binary(subject: Subject, key: bytes | None, value: bytes, headers: Headers) -> Event:
    try:
        envelope = {name[3:]: (text or b"").decode() for name, text in headers if name.startswith("ce_")}
    except UnicodeDecodeError as error:
        refuse("bad_utf8", f"header: {error.reason}")
    return _cloudevent(subject, key, envelope, json_object(value) if value else {})


def _cloudevent(subject: Subject, key: bytes | None, envelope: Mapping[str, Any], data: Mapping[str, Any]) -> Event:
    version = string(envelope, "specversion")
    if version != "1.0":
        refuse("bad_specversion", f"{shown(version)} is not 1.0")
    if not string(envelope, "source"):
        refuse("missing_field", "source")
    subject_id = identifier(envelope, "subject")
    full = string(envelope, "type")
    prefix, _, kind = full.rpartition(".")
    about = prefix.rpartition(".")[2]
    if about != subject and about in TYPES and kind in TYPES[about]:
        refuse("wrong_subject", f"{shown(full)} on the topic of {subject}s")
    if about != subject or kind not in TYPES[subject]:
        refuse("unknown_type", f"{shown(full)} does not end in .{subject}. and one of its types")
    sequence = envelope.get("sequence")
    if isinstance(sequence, str):  # CloudEvents' extension of that name is a string
        if not re.fullmatch("[0-9]{1,15}", sequence):
            refuse("wrong_type", f"sequence is {shown(sequence)}, not a number of up to 15 digits")
        sequence = int(sequence)
    return _event(
        subject, key, subject_id, kind, envelope, data, data.get("sequence") if sequence is None else sequence
    )


def _event(
    subject: Subject,
    key: bytes | None,
    subject_id: str,
    kind: str,
    envelope: Mapping[str, Any],
    body: Mapping[str, Any],
    sequence: object,
) -> Event:
    """Return the event, once type and subject id are known to be this subject's: read its id, time and attributes."""
    event_id = identifier(envelope, "id")
    time_ms = read_instant("time", present(envelope, "time"))
    number = 0 if sequence is None else read_integer("sequence", sequence)
    if number < 0:
        refuse("out_of_range", f"sequence is {number}, below 0")
    attributes: dict[str, Value] = {}
    for name, value in body.items():
        if value is None:
            continue
        read = READERS.get(name)
        if read is not None:
            attributes[name] = read(name, value)
        elif name in INSTANTS:
            instant = read_instant(name, value)
            if body.get(INSTANTS[name]) is None:
                attributes[INSTANTS[name]] = instant
    if subject_id.encode() != key:
        found = "absent" if key is None else shown(key.decode(errors="replace"))
        refuse("key_mismatch", f"the key is {found}, the {subject} {shown(subject_id)}")
    return Event(subject, subject_id, Fact(time_ms, number, event_id, kind, attributes))
