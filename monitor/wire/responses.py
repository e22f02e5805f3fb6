"""The responses topic: people's responses to pages. Compacted; commands and pages write it, every worker follows.

| key | value |
|---|---|
| ``ack/<alert's or page's key>`` | `Acknowledgement` |
| ``silence/<id>`` | `SilenceResponse`; a tombstone ends it |
| ``resend/<notice id>`` | `Resend` |
| ``enable/<receiver>`` | `Enable` |
| ``skip/<topic>/<partition>/<offset>`` | `Skip`; a tombstone withdraws it |
"""

from __future__ import annotations

from typing import Annotated, Final

import msgspec

from monitor.core.paging.mutes import Silence
from monitor.errors import DecodeError
from monitor.wire.contract import MAX_INTEGER

_Number = Annotated[int, msgspec.Meta(ge=0, le=MAX_INTEGER)]
"""Bounded, as the end of a silence stands in the rows of all alerts that it mutes: a row takes no larger number."""


class Acknowledgement(msgspec.Struct, kw_only=True, frozen=True, tag="ack"):
    """Somebody takes care of an alert, or of all alerts of a page: its ladder stops."""

    target: str
    at_ms: _Number
    by: str = ""
    note: str = ""


class SilenceResponse(msgspec.Struct, kw_only=True, frozen=True, tag="silence"):
    """Some alerts are not to be notified until an instant."""

    id: str
    agreement: str
    until_ms: _Number
    at_ms: _Number
    promise: str = ""
    labels: dict[str, str] = {}
    reason: str = ""
    by: str = ""


class Resend(msgspec.Struct, kw_only=True, frozen=True, tag="resend"):
    """A failed notice is to be sent again."""

    notice: str
    at_ms: _Number
    by: str = ""


class Enable(msgspec.Struct, kw_only=True, frozen=True, tag="enable"):
    """A receiver that answered 410 is to get notices again."""

    receiver: str
    at_ms: _Number
    by: str = ""


class Skip(msgspec.Struct, kw_only=True, frozen=True, tag="skip"):
    """A record of a topic that the workers read is not to be worked on: it becomes a dead letter unchanged."""

    topic: str
    partition: _Number
    offset: _Number
    reason: str
    at_ms: _Number
    by: str = ""


Response = Acknowledgement | SilenceResponse | Resend | Enable | Skip


def response_key(response: Response) -> bytes:
    """Return the key of a response's record: a newer one of the same key replaces it."""
    match response:
        case Acknowledgement():
            return f"ack/{response.target}".encode()
        case SilenceResponse():
            return f"silence/{response.id}".encode()
        case Resend():
            return f"resend/{response.notice}".encode()
        case Enable():
            return f"enable/{response.receiver}".encode()
        case Skip():
            return f"skip/{response.topic}/{response.partition}/{response.offset}".encode()


def encode_response(response: Response) -> tuple[bytes, bytes]:
    """Return key and value of a response's record."""
    return response_key(response), _encode(response)


def decode_response(value: bytes) -> Response:
    """Return the response that a record holds.

    Raises:
        DecodeError: the record is not a response.
    """
    try:
        return _decoder.decode(value)
    except msgspec.ValidationError as error:
        raise DecodeError("wrong_type", str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DecodeError("bad_json", str(error)) from None


def silence_of(one: SilenceResponse) -> Silence:
    """Return the silence that somebody has asked for."""
    return Silence(
        one.id, one.agreement, one.until_ms, one.promise, tuple(one.labels.items()), one.reason, one.by, one.at_ms
    )


_encode: Final = msgspec.json.Encoder().encode
_decoder: Final[msgspec.json.Decoder[Response]] = msgspec.json.Decoder(Response)
