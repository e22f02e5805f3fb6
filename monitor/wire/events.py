"""Events: the bytes of a source topic's records <-> `monitor.core.events.Event`.

Three forms are understood: plain JSON, structured CloudEvents 1.0, and CloudEvents in binary mode (``ce_`` headers).

    {"id": "e-1", "type": "opened", "time": "2026-11-23T13:05:01Z", "ticket": "T-17", "priority": "P1"}

There are two ways through. The fast one takes plain JSON as most producers write it, in one typed pass. Whatever it
does not take, right or wrong, goes the slow way, which reads field by field, takes every form, and gives the exact
reason of a refusal. So the slow way is the definition; tests hold the fast one to it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Final, Literal, NoReturn, Required, TypedDict

import msgspec
import orjson

from monitor.core.events import ATTRIBUTES, SUBJECTS, TYPES, Event, Fact, Subject, Value
from monitor.errors import DecodeError
from monitor.wire.contract import (
    CONTROL,
    EARLIEST_MS,
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
from monitor.wire.instants import milliseconds, parse_rfc3339, rfc3339

__all__ = ["REASONS", "Headers", "cloudevent_schema", "contract_table", "decode", "encode_event", "event_schema"]

Headers = Sequence[tuple[str, bytes | None]]
"""Headers of a Kafka record."""

_has_control: Final = re.compile(CONTROL).search
_BACKSLASH: Final = ord("\\")
_DELETE: Final = 127
_SHOWN: Final = 80
"""How much of a wrong text a refusal shows."""


def decode(
    subject: Subject,
    key: bytes | None,
    value: bytes | None,
    headers: Headers = (),
    *,
    max_bytes: int = MAX_EVENT_BYTES,
) -> Event:
    """Return the event that a record of a subject's topic is.

    Args:
        subject: whose topic it is.
        key: the record's key; must be the subject id.
        value: the record's value.
        headers: the record's headers; with ``ce_specversion`` among them it is a CloudEvent in binary mode.
        max_bytes: a longer value is refused unread.

    Raises:
        DecodeError: it is no event; the reason is one of `REASONS`.
    """
    if value is None:
        if headers and _is_binary(headers):
            return _binary(subject, key, b"", headers)
        _refuse("tombstone")
    if len(value) > max_bytes:
        _refuse("too_large", f"{len(value):,} bytes, at most {max_bytes:,} are read")
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
        not EARLIEST_MS <= time_ms < LATEST_MS
        or subject_id.encode() != key
        # In JSON a control character is escaped, but for DEL: without either byte there is none.
        or ((_BACKSLASH in value or _DELETE in value) and _any_control(event_id, subject_id, found))
        # What is passed over is not looked into by the typed pass.
        or not (value.isascii() or _is_utf8(value))
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
    return event.subject_id.encode(), orjson.dumps(body | fact.attributes)


_new: Final[Callable[..., Any]] = tuple.__new__


def _fast_decoder(subject: Subject) -> Callable[[bytes], dict[str, Any]]:
    """Return the typed pass over plain JSON; a TypedDict, as its dict becomes the attributes without a copy."""
    identifier = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_ID)]
    fields: dict[str, Any] = {
        "id": Required[identifier],
        "type": Required[Literal[tuple(sorted(TYPES[subject]))]],
        "time": Required[int | Annotated[datetime, msgspec.Meta(tz=True)]],
        subject: Required[identifier],
        "sequence": Annotated[int, msgspec.Meta(ge=0, le=MAX_INTEGER)],
        # Only null fits these: a CloudEvent, or an instant among the attributes (rare), goes the slow way.
        "specversion": None,
        **dict.fromkeys((*INSTANTS, *INSTANTS.values()), None),
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
    # The first question is four times cheaper and settles nearly every text.
    return any(not one.isprintable() and _has_control(one) for one in texts)


def _is_utf8(value: bytes) -> bool:
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True


# ---- the slow way


def _slow(subject: Subject, key: bytes | None, value: bytes) -> Event:
    body = _object(value)
    if body.get("specversion") is not None:
        if body.get("data_base64") is not None:
            _refuse("wrong_type", "data_base64: the data must be a JSON object under data")
        data = body.get("data")
        if data is None:
            data = {}
        elif not isinstance(data, dict):
            _refuse("wrong_type", f"data is {_kind(data)}, not an object")
        return _cloudevent(subject, key, body, data)
    name: str = subject
    if body.get(subject) is None:
        others = [one for one in SUBJECTS if one != subject and body.get(one) is not None]
        if others and body.get("subject") is None:
            _refuse("wrong_subject", f"an event of a {others[0]} on the topic of {subject}s")
        name = "subject" if body.get("subject") is not None else subject
    subject_id = _identifier(body, name)
    kind = _string(body, "type")
    if kind not in TYPES[subject]:
        _refuse("unknown_type", f"{_cut(kind)} is no event of a {subject}")
    return _event(subject, key, subject_id, kind, body, body, body.get("sequence"))


def _is_binary(headers: Headers) -> bool:
    return any(name == "ce_specversion" for name, _ in headers)


def _binary(subject: Subject, key: bytes | None, value: bytes, headers: Headers) -> Event:
    try:
        envelope = {name[3:]: (text or b"").decode() for name, text in headers if name.startswith("ce_")}
    except UnicodeDecodeError as error:
        _refuse("bad_utf8", f"header: {error.reason}")
    return _cloudevent(subject, key, envelope, _object(value) if value else {})


def _cloudevent(subject: Subject, key: bytes | None, envelope: Mapping[str, Any], data: Mapping[str, Any]) -> Event:
    version = _string(envelope, "specversion")
    if version != "1.0":
        _refuse("bad_specversion", f"{_cut(version)} is not 1.0")
    if not _string(envelope, "source"):
        _refuse("missing_field", "source")
    subject_id = _identifier(envelope, "subject")
    full = _string(envelope, "type")
    prefix, _, kind = full.rpartition(".")
    about = prefix.rpartition(".")[2]
    if about != subject and about in TYPES and kind in TYPES[about]:
        _refuse("wrong_subject", f"{_cut(full)} on the topic of {subject}s")
    if about != subject or kind not in TYPES[subject]:
        _refuse("unknown_type", f"{_cut(full)} does not end in .{subject}. and one of its types")
    sequence = envelope.get("sequence")
    if isinstance(sequence, str):  # CloudEvents' extension of that name is a string
        if not re.fullmatch("[0-9]{1,15}", sequence):
            _refuse("wrong_type", f"sequence is {_cut(sequence)}, not a number of up to 15 digits")
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
    """Return the event of fields that are known to be this subject's; what is left are id, time and attributes."""
    event_id = _identifier(envelope, "id")
    time_ms = _instant("time", _present(envelope, "time"))
    number = 0 if sequence is None else _integer("sequence", sequence)
    if number < 0:
        _refuse("out_of_range", f"sequence is {number}, below 0")
    attributes: dict[str, Value] = {}
    for name, value in body.items():
        if value is None:
            continue
        read = _READERS.get(name)
        if read is not None:
            attributes[name] = read(name, value)
        elif name in INSTANTS:
            instant = _instant(name, value)
            if body.get(INSTANTS[name]) is None:
                attributes[INSTANTS[name]] = instant
    if subject_id.encode() != key:
        shown = "absent" if key is None else _cut(key.decode(errors="replace"))
        _refuse("key_mismatch", f"the key is {shown}, the {subject} {_cut(subject_id)}")
    return Event(subject, subject_id, Fact(time_ms, number, event_id, kind, attributes))


def _object(value: bytes) -> dict[str, Any]:
    try:
        value.decode()
    except UnicodeDecodeError as error:
        _refuse("bad_utf8", f"byte {error.start}: {error.reason}")
    try:
        body = orjson.loads(value)
    except orjson.JSONDecodeError as error:
        _refuse("bad_json", f"line {error.lineno} column {error.colno}: {error.msg}")
    if not isinstance(body, dict):
        _refuse("not_an_object", f"it is {_kind(body)}")
    return body


def _present(body: Mapping[str, Any], name: str) -> object:
    value = body.get(name)
    if value is None:
        _refuse("missing_field", name)
    return value


def _string(body: Mapping[str, Any], name: str) -> str:
    value = _present(body, name)
    if not isinstance(value, str):
        _refuse("wrong_type", f"{name} is {_kind(value)}, not a string")
    return value


def _identifier(body: Mapping[str, Any], name: str) -> str:
    value = _string(body, name)
    if not value:
        _refuse("bad_id", f"{name} is empty")
    if len(value) > MAX_ID:
        _refuse("bad_id", f"{name} has {len(value):,} characters, at most {MAX_ID} are allowed")
    if not value.isprintable() and _has_control(value):
        _refuse("bad_id", f"{name} contains a control character: {_cut(value)}")
    return value


def _instant(name: str, value: object) -> int:
    if isinstance(value, str):
        try:
            instant_ms = parse_rfc3339(value)
        except ValueError:
            _refuse("bad_time", f"{name} is {_cut(value)}, not RFC 3339 such as 2026-11-23T13:05:01+01:00")
        if instant_ms is None:
            _refuse("time_without_zone", f"{name} is {_cut(value)}; add Z or an offset such as +01:00")
    elif isinstance(value, bool) or not isinstance(value, int | float):
        _refuse("wrong_type", f"{name} is {_kind(value)}, neither RFC 3339 text nor epoch milliseconds")
    elif SECONDS[0] <= value < SECONDS[1]:
        _refuse("time_in_seconds", f"{name} is {value}; milliseconds are expected")
    elif value != int(value):
        _refuse("wrong_type", f"{name} is {value}, not a whole number of milliseconds")
    else:
        instant_ms = int(value)
    if not EARLIEST_MS <= instant_ms < LATEST_MS:
        _refuse("absurd_time", f"{name} is {_cut(str(value))}")
    return instant_ms


def _text(name: str, value: object) -> str:
    if isinstance(value, str):
        if len(value) > MAX_TEXT:
            _refuse("too_long", f"{name} has {len(value):,} characters, at most {MAX_TEXT:,} are allowed")
        if not value.isprintable() and _has_control(value):
            _refuse("control_character", f"{name} is {_cut(value)}")
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        _refuse("wrong_type", f"{name} is {_kind(value)}, not a string")
    return str(_integer(name, value))


def _flag(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        _refuse("wrong_type", f"{name} is {_kind(value)}, not true or false")
    return value


def _integer(name: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float) or value != int(value):
        _refuse("wrong_type", f"{name} is {_kind(value)}, not a whole number")
    if abs(value) > MAX_INTEGER:
        _refuse("out_of_range", f"{name} is beyond {MAX_INTEGER:,}")
    return int(value)


def _number(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        _refuse("wrong_type", f"{name} is {_kind(value)}, not a number")
    return float(value)


def _not_negative(read: Callable[[str, object], int | float]) -> Callable[[str, object], int | float]:
    def checked(name: str, value: object) -> int | float:
        number = read(name, value)
        if number < 0:
            _refuse("out_of_range", f"{name} is {number}, below 0")
        return number

    return checked


def _reader(name: str, kind: type) -> Callable[[str, object], Value]:
    if name in INSTANTS.values():
        return _instant
    if kind is int or kind is float:
        read = _integer if kind is int else _number
        return _not_negative(read) if name in NOT_NEGATIVE else read
    return _text if kind is str else _flag


_READERS: Final = {name: _reader(name, kind) for name, kind in ATTRIBUTES.items()}


def _kind(value: object) -> str:
    words = {str: "a string", bool: "a boolean", int: "a number", float: "a number", dict: "an object", list: "a list"}
    return words.get(type(value), "null")


def _cut(text: str) -> str:
    """Return a text as a refusal shows it: quoted, escaped and short."""
    shown = ascii(text[:_SHOWN])
    return shown + "…" if len(text) > _SHOWN else shown


def _refuse(reason: str, detail: str = "") -> NoReturn:
    raise DecodeError(reason, detail)
