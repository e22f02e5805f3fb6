"""The deliveries topic: results of notices, and alerts of which nobody is notified, as CloudEvents 1.0 in JSON.

The key of a record is the notice's id.
"""

from __future__ import annotations

from typing import Final

import msgspec

from monitor.core.paging.delivery import Delivery
from monitor.core.paging.not_told import MEANINGS, NotTold
from monitor.core.paging.pages import ENDED, Counts, hash_of, severity_of, title_of
from monitor.wire.cloud_events import decoded, record
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
        next=None if told.next_ms is None else rfc3339(told.next_ms),
        next_ms=told.next_ms,
    )
    return _record(data, hash_of(notice.id, told.result, str(told.attempt), str(told.queued_ms)), source)


def encode_not_told(told: NotTold, source: str) -> tuple[bytes, bytes]:
    """Return key and value of the record with the reason why nobody is notified of an alert.

    It stands in the place of a notice, whose id follows from the alert's and the reason.
    """
    alert = told.alert
    is_over = alert.state in ENDED
    counts = Counts(alert.state == "breached", alert.state == "at_risk", is_over)
    at = rfc3339(told.at_ms)
    data = DeliveryData(
        notice=hash_of(alert.id, told.reason),
        key=alert.key.text(),
        agreement=alert.key.agreement,
        receiver="",
        action="resolve" if is_over else "trigger",
        severity=severity_of(counts),
        title=title_of(alert.key.agreement, [alert], counts),
        step=0,
        alerts=1,
        result="not_told",
        attempt=0,
        status=0,
        detail=MEANINGS[told.reason],
        at=at,
        at_ms=told.at_ms,
        queued=at,
        queued_ms=told.at_ms,
        next=None if told.until_ms is None else rfc3339(told.until_ms),
        next_ms=told.until_ms,
        reason=told.reason,
    )
    return _record(data, hash_of(data.notice, str(told.at_ms)), source)


def _record(data: DeliveryData, event_id: str, source: str) -> tuple[bytes, bytes]:
    return record(
        DeliveryEnvelope, "sla.delivery", data, event_id=event_id, source=source, subject=data.notice, time=data.at
    )


def decode_delivery(value: bytes | None) -> DeliveryData:
    """Return the delivery that a record of the deliveries topic holds.

    Raises:
        DecodeError: the record is not a delivery.
    """
    return decoded(_decoder, value).data


_decoder: Final = msgspec.json.Decoder(DeliveryEnvelope)
