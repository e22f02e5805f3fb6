"""The deliveries topic: the results of each notice's delivery, as CloudEvents 1.0 in JSON.

The key is the notice's id.
"""

from __future__ import annotations

from typing import Final

import msgspec

from monitor.core.paging.delivery import Delivery
from monitor.core.paging.pages import hash_of
from monitor.errors import DecodeError
from monitor.wire.envelopes import DeliveryData, DeliveryEnvelope
from monitor.wire.instants import rfc3339


def encode_delivery(told: Delivery, source: str) -> tuple[bytes, bytes]:
    """Return key and value of the record with a result of a notice's delivery. ``source`` is the CloudEvents source."""
    notice = told.notice
    at = rfc3339(told.at_ms)
    data = DeliveryData(
        notice=notice.id,
        key=notice.key,
        agreement=told.agreement,
        receiver=told.receiver,
        action=notice.action,
        severity=notice.severity,
        title=notice.title,
        step=notice.step,
        alerts=len(notice.alerts),
        result=told.result,
        attempt=told.attempt,
        status=told.status,
        detail=told.detail,
        at=at,
        at_ms=told.at_ms,
        queued=rfc3339(told.queued_ms),
        queued_ms=told.queued_ms,
        next=rfc3339(told.next_ms) if told.next_ms >= 0 else None,
        next_ms=told.next_ms if told.next_ms >= 0 else None,
    )
    envelope = DeliveryEnvelope(
        specversion="1.0",
        id=hash_of(notice.id, told.result, str(told.attempt), str(told.queued_ms)),
        source=source,
        type="sla.delivery",
        subject=notice.id,
        time=at,
        datacontenttype="application/json",
        data=data,
    )
    return notice.id.encode(), _encode(envelope)


def decode_delivery(value: bytes | None) -> DeliveryData:
    """Return the delivery that a record of the deliveries topic holds.

    Raises:
        DecodeError: the record is not a delivery.
    """
    if value is None:
        raise DecodeError("tombstone")
    try:
        return _decoder.decode(value).data
    except msgspec.ValidationError as error:
        raise DecodeError("wrong_type", str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DecodeError("bad_json", str(error)) from None


_encode: Final = msgspec.json.Encoder().encode
_decoder: Final = msgspec.json.Decoder(DeliveryEnvelope)
