"""Generic receivers: a CloudEvent in structured JSON, signed as Standard Webhooks says.

CloudEvents 1.0: https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md
Standard Webhooks 1.0: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable
from typing import Final

from monitor.config.settings.receivers import GenericReceiver, signing_key
from monitor.core.paging.notices import Notice
from monitor.notify.requests import Request, Sender, fitted, post
from monitor.wire.announcements import encode_notice

MAX_BODY: Final = 256 << 10
"""Bytes. Standard Webhooks recommends small payloads; a storm's page tells as many of its alerts as fit."""
MAX_ALERTS: Final = 500

_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,128}")


def request(receiver: GenericReceiver, notice: Notice, sender: Sender, now_ms: int) -> Request:
    """Return the signed request; ``data.alerts`` are the announcements as they stand on the alerts topic."""
    notice = notice._replace(id=message_id(notice.id))
    link = receiver.link.get_secret_value() if receiver.link else None
    body = fitted(
        lambda shown: encode_notice(notice, sender.source, sender.receiver, link, shown),
        min(len(notice.alerts), MAX_ALERTS),
        MAX_BODY,
    )
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


def message_id(text: str) -> str:
    """Return an id as a header can hold it. It has no full stop: that parts what is signed."""
    return text if _ID.fullmatch(text) else hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def signatures(keys: Iterable[bytes], message_id: str, timestamp_s: int, body: bytes) -> str:
    """Return the signature of each key, as the header ``webhook-signature`` holds them."""
    signed = f"{message_id}.{timestamp_s}.".encode() + body
    digests = (hmac.digest(key, signed, hashlib.sha256) for key in keys)
    return " ".join(f"v1,{base64.b64encode(digest).decode()}" for digest in digests)
