"""The readers of an event's fields: each returns its field's value, or refuses it with the exact reason."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, NoReturn

import orjson

from monitor.core.facts.events import ATTRIBUTES, Value
from monitor.errors import DecodeError
from monitor.wire.contract import (
    ASCII_CONTROL,
    CONTROL,
    EARLIEST_MS,
    INSTANTS,
    LATEST_MS,
    MAX_ID,
    MAX_INTEGER,
    MAX_TEXT,
    NOT_NEGATIVE,
    SECONDS,
)
from monitor.wire.instants import parse_rfc3339

_SHOWN: Final = 80
"""How many characters of a wrong text a refusal shows."""
_find_control: Final = re.compile(CONTROL).search
_find_ascii_control: Final = re.compile(ASCII_CONTROL).search


def has_control(text: str) -> bool:
    """Return whether a text contains a character that changes how the text around it is shown: see `CONTROL`."""
    # The first test is four times cheaper and decides nearly every text.
    return not text.isprintable() and _find_control(text) is not None


def json_object(value: bytes) -> dict[str, Any]:
    """Return the JSON object that the bytes encode."""
    try:
        value.decode()
    except UnicodeDecodeError as error:
        refuse("bad_utf8", f"byte {error.start}: {error.reason}")
    try:
        body = orjson.loads(value)
    except orjson.JSONDecodeError as error:
        refuse("bad_json", f"line {error.lineno} column {error.colno}: {error.msg}")
    if not isinstance(body, dict):
        refuse("not_an_object", f"it is {kind_of(body)}")
    return body


def present(body: Mapping[str, Any], name: str) -> object:
    """Return a field's value; absent and null are the same."""
    value = body.get(name)
    if value is None:
        refuse("missing_field", name)
    return value


def string(body: Mapping[str, Any], name: str) -> str:
    """Return the text of a field that must be there."""
    value = present(body, name)
    if not isinstance(value, str):
        refuse("wrong_type", f"{name} is {kind_of(value)}, not a string")
    return value


def identifier(body: Mapping[str, Any], name: str) -> str:
    """Return an id that must be there."""
    value = string(body, name)
    if not value:
        refuse("bad_id", f"{name} is empty")
    if len(value) > MAX_ID:
        refuse("bad_id", f"{name} has {len(value):,} characters, at most {MAX_ID} are allowed")
    if has_control(value):
        refuse("bad_id", f"{name} contains a control character: {shown(value)}")
    return value


def read_instant(name: str, value: object) -> int:
    """Return an instant in epoch milliseconds: RFC 3339 text with an offset, or the milliseconds themselves."""
    if isinstance(value, str):
        try:
            instant_ms = parse_rfc3339(value)
        except ValueError:
            refuse("bad_time", f"{name} is {shown(value)}, not RFC 3339 such as 2026-11-23T13:05:01+01:00")
        if instant_ms is None:
            refuse("time_without_zone", f"{name} is {shown(value)}; add Z or an offset such as +01:00")
    elif isinstance(value, bool) or not isinstance(value, int | float):
        refuse("wrong_type", f"{name} is {kind_of(value)}, neither RFC 3339 text nor epoch milliseconds")
    elif SECONDS[0] <= value < SECONDS[1]:
        refuse("time_in_seconds", f"{name} is {value}; milliseconds are expected")
    elif value != int(value):
        refuse("wrong_type", f"{name} is {value}, not a whole number of milliseconds")
    else:
        instant_ms = int(value)
    if not EARLIEST_MS <= instant_ms < LATEST_MS:
        refuse("absurd_time", f"{name} is {shown(str(value))}")
    return instant_ms


def _text(name: str, value: object) -> str:
    if isinstance(value, str):
        if len(value) > MAX_TEXT:
            refuse("too_long", f"{name} has {len(value):,} characters, at most {MAX_TEXT:,} are allowed")
        if not value.isprintable() and _find_ascii_control(value) is not None:
            refuse("control_character", f"{name} is {shown(value)}")
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        refuse("wrong_type", f"{name} is {kind_of(value)}, not a string")
    return str(read_integer(name, value))


def _flag(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        refuse("wrong_type", f"{name} is {kind_of(value)}, not true or false")
    return value


def read_integer(name: str, value: object) -> int:
    """Return a whole number; 3.0 is one, as in JSON Schema."""
    if isinstance(value, bool) or not isinstance(value, int | float) or value != int(value):
        refuse("wrong_type", f"{name} is {kind_of(value)}, not a whole number")
    if abs(value) > MAX_INTEGER:
        refuse("out_of_range", f"{name} is beyond {MAX_INTEGER:,}")
    return int(value)


def _number(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        refuse("wrong_type", f"{name} is {kind_of(value)}, not a number")
    return float(value)


def _not_negative(read: Callable[[str, object], int | float]) -> Callable[[str, object], int | float]:
    def checked(name: str, value: object) -> int | float:
        number = read(name, value)
        if number < 0:
            refuse("out_of_range", f"{name} is {number}, below 0")
        return number

    return checked


def _reader(name: str, kind: type) -> Callable[[str, object], Value]:
    if name in INSTANTS.values():
        return read_instant
    if kind is int or kind is float:
        read = read_integer if kind is int else _number
        return _not_negative(read) if name in NOT_NEGATIVE else read
    return _text if kind is str else _flag


READERS: Final = {name: _reader(name, kind) for name, kind in ATTRIBUTES.items()}
"""The reader of each attribute: it takes the attribute's name and JSON value."""


def kind_of(value: object) -> str:
    """Return the kind of a JSON value, in words."""
    words = {str: "a string", bool: "a boolean", int: "a number", float: "a number", dict: "an object", list: "a list"}
    return words.get(type(value), "null")


def shown(text: str) -> str:
    """Return a text in the form that refusals show: quoted, escaped and short."""
    shown = ascii(text[:_SHOWN])
    return shown + "…" if len(text) > _SHOWN else shown


def refuse(reason: str, detail: str = "") -> NoReturn:
    """Refuse the record, for one of the contract's reasons."""
    raise DecodeError(reason, detail)
