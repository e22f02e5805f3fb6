"""The markers topic: how far a partition of a foreign topic has been read, and where the events made of it end.

    key   jira-webhooks/3
    value {"source": "jira-webhooks/3", "watermark_ms": 1767600000000, "behind": true, "ends": {"0": 1042, "2": 977}}

    key   clock
    value {"wall_ms": 1767600000000, "clock_ms": 1767366300000, "speed": 60.0}

Only workers write here: markers in the transaction of the events themselves, the clock where it is not real time
(``ClockMarker``). ``ends`` are offsets of the topic of events, by
its partition: before them stand all events that were made of the foreign partition so far. A reader that has read a
partition up to its offset has read all events for which "not behind" vouches. So the markers need not stand among the
events, where others may write. The topic is compacted: the newest marker of each foreign partition stays.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final

import msgspec

from monitor.errors import DecodeError
from monitor.wire.contract import MAX_INTEGER
from monitor.wire.partials import Marker

_Number = Annotated[int, msgspec.Meta(ge=0, le=MAX_INTEGER)]
"""Numbers of markers are kept in rows: one that is too large for a row would fail each batch that comes after it."""


class SourceMarker(msgspec.Struct, frozen=True, kw_only=True):
    """The progress of a partition of a foreign topic, as the worker that reads it reports it.

    ``watermark_ms`` is the instant up to which its events are made while it is ``behind`` (0: not known yet).
    """

    source: str
    watermark_ms: _Number
    behind: bool
    ends: Mapping[_Number, _Number] = {}

    def holds_from(self, partition: int) -> int:
        """Return the position from which on a partition of events may rely on the marker. "Behind" holds at once."""
        return 0 if self.behind else self.ends.get(partition, 0)

    def marker(self) -> Marker:
        """Return the marker in the form in which sources of panes send theirs to the evaluators."""
        return Marker(self.source, self.watermark_ms, self.behind)


class ClockMarker(msgspec.Struct, frozen=True, kw_only=True):
    """The clock of an installation: at the real instant ``wall_ms`` it showed ``clock_ms``.

    It runs ``speed`` times as fast as real time. A demonstration tells its own; an installation that tells none runs by
    real time.
    """

    wall_ms: _Number
    clock_ms: _Number
    speed: Annotated[float, msgspec.Meta(gt=0, le=1e6)]

    def at(self, wall_ms: int) -> int:
        """Return the instant that the clock shows at a real instant, epoch milliseconds."""
        return self.clock_ms + int((wall_ms - self.wall_ms) * self.speed)

    def reached(self, clock_ms: int) -> int:
        """Return the real instant at which the clock shows an instant, epoch milliseconds."""
        return self.wall_ms + int((clock_ms - self.clock_ms) / self.speed)


REAL_TIME: Final = ClockMarker(wall_ms=0, clock_ms=0, speed=1.0)
CLOCK_KEY: Final = b"clock"
"""The key of the clock's record: no foreign partition's, as that has a slash."""


def encode_clock_marker(marker: ClockMarker) -> tuple[bytes, bytes]:
    """Return key and value of the record that tells the clock."""
    return CLOCK_KEY, _encode(marker)


def decode_clock_marker(value: bytes | None) -> ClockMarker:
    """Return the clock that a record tells; a tombstone tells real time.

    Raises:
        DecodeError: the record tells no clock.
    """
    if value is None:
        return REAL_TIME
    try:
        return _decode_clock(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DecodeError("foreign_record", f"no clock of ours: {error}") from None


def encode_source_marker(marker: SourceMarker) -> tuple[bytes, bytes]:
    """Return key and value of a marker's record."""
    return marker.source.encode(), _encode(marker)


def decode_source_marker(value: bytes) -> SourceMarker:
    """Return the marker that a record holds.

    Raises:
        DecodeError: the record is not a marker.
    """
    try:
        return _decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DecodeError("foreign_record", f"no marker of ours: {error}") from None


_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(SourceMarker).decode
_decode_clock: Final = msgspec.json.Decoder(ClockMarker).decode
