"""Markers on the topics of events: how far a foreign topic has been read, in the midst of the events made of it.

    key   jira-webhooks/3        header  sla-marker: 1
    value {"source": "jira-webhooks/3", "watermark_ms": 1767600000000, "behind": true}

They stand in order with the events: whoever has read a marker that says "not behind" has read all events before it.
Whoever else reads the topic knows them by the header, and passes over them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec
import orjson

from monitor.wire.partials import Marker

MARKER_HEADER: Final = "sla-marker"


def encode_source_marker(
    source: str, watermark_ms: int, *, behind: bool
) -> tuple[bytes, bytes, list[tuple[str, bytes]]]:
    """Return key, value and headers of a marker. Send it to every partition of the topic that the events go to."""
    value = orjson.dumps({"source": source, "watermark_ms": watermark_ms, "behind": behind})
    return source.encode(), value, [(MARKER_HEADER, b"1")]


def decode_source_marker(value: bytes | None, headers: Sequence[tuple[str, bytes | None]]) -> Marker | None:
    """Return the marker that a record of a topic of events is, None if it is none."""
    if value is None or not any(name == MARKER_HEADER for name, _ in headers):
        return None
    try:
        return msgspec.json.decode(value, type=_Body).marker()
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None  # somebody else's: it is told as the dead letter that it will be


class _Body(msgspec.Struct, frozen=True):
    source: str
    watermark_ms: int
    behind: bool

    def marker(self) -> Marker:
        return Marker(self.source, self.watermark_ms, self.behind)
