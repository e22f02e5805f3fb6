"""The markers topic: how far a partition of a foreign topic has been read, and where the events made of it end.

    key   jira-webhooks/3
    value {"source": "jira-webhooks/3", "watermark_ms": 1767600000000, "behind": true, "ends": {"0": 1042, "2": 977}}

Only workers write here, in the transaction of the events themselves. ``ends`` are offsets of the topic of events, by
its partition: before them stand all events that were made of the foreign partition so far. Whoever has read a
partition up to there has read all that "not behind" vouches for. So the markers need not stand among the events,
where others may write. The topic is compacted: the newest marker of each foreign partition stays.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final

import msgspec

from monitor.errors import DecodeError
from monitor.wire.contract import MAX_INTEGER
from monitor.wire.partials import Marker

_Number = Annotated[int, msgspec.Meta(ge=0, le=MAX_INTEGER)]
"""What is heard stands in a row: a larger number than rows take would fail each batch that comes after it."""


class SourceMarker(msgspec.Struct, frozen=True, kw_only=True):
    """What a partition of a foreign topic says of itself.

    ``watermark_ms`` is the instant up to which its events are made while it is ``behind`` (0: not known yet).
    """

    source: str
    watermark_ms: _Number
    behind: bool
    ends: Mapping[_Number, _Number] = {}

    def holds_from(self, partition: int) -> int:
        """Return the position from which on a partition of events may rely on it. That it is behind holds at once."""
        return 0 if self.behind else self.ends.get(partition, 0)

    def marker(self) -> Marker:
        """Return it as sources say it to those that merge their panes."""
        return Marker(self.source, self.watermark_ms, self.behind)


def encode_source_marker(marker: SourceMarker) -> tuple[bytes, bytes]:
    """Return key and value of a marker's record."""
    return marker.source.encode(), _encode(marker)


def decode_source_marker(value: bytes) -> SourceMarker:
    """Return the marker that a record holds.

    Raises:
        DecodeError: it is none.
    """
    try:
        return _decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DecodeError("foreign_record", f"no marker of ours: {error}") from None


_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(SourceMarker).decode
