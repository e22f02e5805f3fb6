"""CloudEvents 1.0 in JSON: the part that all announcements share. Their envelopes stand in `monitor.wire.envelopes`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

import msgspec

from monitor.errors import DecodeError

if TYPE_CHECKING:
    from collections.abc import Callable

_Envelope = TypeVar("_Envelope")

encode: Final = msgspec.json.Encoder().encode


def enveloped(
    envelope: Callable[..., _Envelope], kind: str, data: object, *, event_id: str, source: str, subject: str, time: str
) -> _Envelope:
    """Return data in its envelope.

    Args:
        envelope: the class of the envelope.
        kind: the CloudEvents type, one of those that the class names.
        data: the data, of the type that the class names.
        event_id: the id: the same for the same announcement.
        source: the CloudEvents source.
        subject: the key of the record, as text.
        time: when it happened, as RFC 3339 text.
    """
    return envelope(
        specversion="1.0", id=event_id, source=source, type=kind, subject=subject, time=time,
        datacontenttype="application/json", data=data,
    )  # fmt: skip


def record(
    envelope: Callable[..., object], kind: str, data: object, *, event_id: str, source: str, subject: str, time: str
) -> tuple[bytes, bytes]:
    """Return key and value of the record of an announcement; the arguments are those of `enveloped`."""
    told = enveloped(envelope, kind, data, event_id=event_id, source=source, subject=subject, time=time)
    return subject.encode(), encode(told)


def decoded(decoder: msgspec.json.Decoder[_Envelope], value: bytes | None) -> _Envelope:
    """Return the announcement in a record.

    Raises:
        DecodeError: the record holds none.
    """
    if value is None:
        raise DecodeError("tombstone")
    try:
        return decoder.decode(value)
    except msgspec.ValidationError as error:
        raise DecodeError("wrong_type", str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DecodeError("bad_json", str(error)) from None
