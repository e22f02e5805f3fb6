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
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field, SecretStr

from monitor.config.reading.secrets import Secret
from monitor.config.reading.shape import wrong
from monitor.config.receivers.base import HeaderValue, ReceiverSettings, Url
from monitor.config.receivers.kind import Kind
from monitor.config.receivers.requests import Request, Sender, fitted, post
from monitor.core.paging.notices import Notice
from monitor.wire.announcements import encode_notice

MAX_BODY: Final = 256 << 10
"""Bytes. Standard Webhooks recommends small payloads; a storm's page tells as many of its alerts as fit."""
MAX_ALERTS: Final = 500

_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,128}")
_HEADER: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")
_OWN_HEADERS: Final = frozenset(
    {"host", "content-type", "content-length", "transfer-encoding", "authorization", "connection", "user-agent"}
)
_PREFIX: Final = "whsec_"
_KEY_BYTES: Final = range(24, 65)


def _header(value: str) -> str:
    if not _HEADER.fullmatch(value) or value.lower() in _OWN_HEADERS or value.lower().startswith("webhook-"):
        raise wrong(f"is no header that can be set: {value[:100]!r}", "authorization has a setting of its own")
    return value


def _signing_secret(value: SecretStr) -> SecretStr:
    signing_key(value)
    return value


def signing_key(secret: SecretStr) -> bytes:
    """Return the bytes that a ``whsec_`` secret of Standard Webhooks stands for."""
    text = secret.get_secret_value()
    try:
        key = base64.b64decode(text.removeprefix(_PREFIX), validate=True)
    except ValueError:
        key = b""
    if not text.startswith(_PREFIX) or len(key) not in _KEY_BYTES:
        raise wrong(
            "is no signing secret",
            "write whsec_ and 24 to 64 random bytes in base64: echo whsec_$(openssl rand -base64 32)",
        )
    return key


HeaderName = Annotated[str, AfterValidator(_header)]
SigningSecret = Annotated[Secret, AfterValidator(_signing_secret)]


class GenericReceiver(ReceiverSettings):
    """Any service that takes CloudEvents, signed as Standard Webhooks says."""

    kind: Literal["generic"]
    url: Url = Field(description="Where notices are posted.")
    secrets: list[SigningSecret] = Field(
        min_length=1, max_length=5, description="Signing secrets (whsec_…): the new one beside the old one to rotate."
    )
    authorization: HeaderValue | None = Field(default=None, description="Authorization header: Bearer …, Basic …")
    headers: dict[HeaderName, HeaderValue] = Field(default={}, description="Further headers, for gateways.")


def requests(receiver: GenericReceiver, notice: Notice, sender: Sender, now_ms: int) -> tuple[Request, ...]:
    """Return the one signed request; ``data.alerts`` are the announcements as they stand on the alerts topic."""
    notice = notice._replace(id=message_id(notice.id))
    link = receiver.link.get_secret_value() if receiver.link else None
    body = fitted(
        lambda shown: encode_notice(notice, sender.source, sender.receiver, link, shown, sender.zone),
        min(len(notice.alerts), MAX_ALERTS),
        MAX_BODY,
    )
    timestamp = now_ms // 1000
    keys = (signing_key(secret) for secret in receiver.secrets)
    request = post(
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
    return (request,)


def message_id(text: str) -> str:
    """Return an id as a header can hold it. It has no full stop: that parts what is signed."""
    return text if _ID.fullmatch(text) else hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def signatures(keys: Iterable[bytes], message_id: str, timestamp_s: int, body: bytes) -> str:
    """Return the signature of each key, as the header ``webhook-signature`` holds them."""
    signed = f"{message_id}.{timestamp_s}.".encode() + body
    digests = (hmac.digest(key, signed, hashlib.sha256) for key in keys)
    return " ".join(f"v1,{base64.b64encode(digest).decode()}" for digest in digests)


KIND: Final = Kind(GenericReceiver, requests, MAX_BODY)
