"""Generic receivers: a CloudEvent in structured JSON, signed as Standard Webhooks says.

CloudEvents 1.0: https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md
Standard Webhooks 1.0: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable
from typing import Any, Final

import orjson

from monitor.config.receivers import GenericReceiver, signing_key
from monitor.core.notices import Notice
from monitor.notify.requests import Request, Sender, fitted, post
from monitor.wire.announcements import encode_alert
from monitor.wire.instants import rfc3339

MAX_BODY: Final = 256 << 10
"""Bytes. Standard Webhooks recommends small payloads; a storm's page tells as many of its alerts as fit."""


def request(receiver: GenericReceiver, notice: Notice, sender: Sender, now_ms: int) -> Request:
    """Return the signed request; ``data.alerts`` are the announcements as they stand on the alerts topic."""
    alerts = [orjson.Fragment(encode_alert(alert, sender.source)[1]) for alert in notice.alerts]

    def event(shown: int) -> dict[str, Any]:
        return {
            "specversion": "1.0",
            "id": notice.id,
            "source": sender.source,
            "type": f"sla.notice.{notice.action}",
            "subject": notice.key,
            "time": rfc3339(notice.at_ms),
            "datacontenttype": "application/json",
            "data": {
                "key": notice.key,
                "action": notice.action,
                "severity": notice.severity,
                "title": notice.title,
                "at": rfc3339(notice.at_ms),
                "at_ms": notice.at_ms,
                "step": notice.step,
                "test": notice.is_test,
                "receiver": sender.receiver,
                **({"link": receiver.link.get_secret_value()} if receiver.link else {}),
                "alerts_total": len(alerts),
                "alerts": alerts[:shown],
            },
        }

    body = fitted(event, len(alerts), MAX_BODY)
    timestamp = now_ms // 1000
    keys = (signing_key(secret) for secret in receiver.secrets)
    return post(
        receiver.url.get_secret_value(),
        body,
        {
            **{name: value.get_secret_value() for name, value in receiver.headers.items()},
            "Content-Type": "application/cloudevents+json; charset=utf-8",
            "Authorization": receiver.authorization.get_secret_value() if receiver.authorization else None,
            "webhook-id": notice.id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": signatures(keys, notice.id, timestamp, body),
        },
    )


def signatures(keys: Iterable[bytes], message_id: str, timestamp_s: int, body: bytes) -> str:
    """Return the signature of each key, as the header ``webhook-signature`` holds them."""
    signed = f"{message_id}.{timestamp_s}.".encode() + body
    digests = (hmac.digest(key, signed, hashlib.sha256) for key in keys)
    return " ".join(f"v1,{base64.b64encode(digest).decode()}" for digest in digests)
