"""The partials topic: panes of source partitions on their way to the evaluators, and markers of each source's progress.

    p<pane key>␟<source>  ->  version │ msgpack [source, pane], or no value once the pane has expired (a part: is gone)
    m<source>             ->  version │ msgpack [watermark_ms, behind]

The key names pane and source, so that compaction keeps the newest pane of each source. Records are partitioned by the
agreement's id, not by their key: all panes of an agreement meet in one evaluator. The version is one byte, that of the
pane's layout, or of the marker's (`monitor.wire.versions`).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final, NamedTuple

import msgspec

from monitor.core.series.longest import unlisted
from monitor.core.series.series import Pane, PaneKey, decode_pane_key
from monitor.errors import DecodeError, StateError
from monitor.wire.versions import Fields, Layout, NewerError, Upgrade, unchanged

_UNIT_SEPARATOR: Final = b"\x1f"
_ARRAY_OF_TWO: Final = b"\x92"
_ROW_HEAD: Final = 9
"""The bytes in front of the pane in its row: the instant and the version, which is that of `_Sent`, too."""


class Partial(NamedTuple):
    """The newest pane of a source partition; None once it has expired there."""

    source: str
    pane_key: PaneKey
    pane: Pane | None


class _Sent(NamedTuple):
    """The value of a pane's record."""

    source: str
    pane: Pane


class _Place(NamedTuple):
    """The value of a marker's record."""

    watermark_ms: int
    behind: bool


def _with_longest(fields: Fields) -> Fields:
    return [*fields, unlisted(fields[1])]


PANE: Final = Layout(Pane, 2, {0: unchanged, 1: _with_longest})
"""The layout of panes. Rows and records that hold panes take their version and upgrades from it.

Before version 2 a pane did not list its longest durations.
"""


def _inside(upgrade: Upgrade) -> Upgrade:
    return lambda fields: [fields[0], upgrade(fields[1])]


_SENT: Final = Layout(_Sent, PANE.version, {version: _inside(upgrade) for version, upgrade in PANE.upgrades.items()})
_PLACE: Final = Layout(_Place, 1, {0: unchanged})


class Marker(NamedTuple):
    """The progress of a source partition: its watermark (-1: none yet), and whether it still catches up."""

    source: str
    watermark_ms: int
    behind: bool


def encode_partial(source: str, key: bytes, row: bytes | None) -> tuple[bytes, bytes | None]:
    """Return key and value of the record of a pane.

    Args:
        source: topic and partition, ``tickets/3``.
        key: the key of the pane's row in the source partition.
        row: that row as it is stored (`monitor.wire.rows.SOURCE_ROWS`), so that a pane is encoded once; None if the
            pane has expired.
    """
    return key + _UNIT_SEPARATOR + source.encode(), None if row is None else _head(source) + row[_ROW_HEAD:]


def encode_marker(source: str, watermark_ms: int, *, behind: bool) -> tuple[bytes, bytes]:
    """Return key and value of the record of a source's progress. Send it to every partition of partials."""
    return b"m" + source.encode(), _PLACE.head + _encode((watermark_ms, behind))


def decode_partial(key: bytes | None, value: bytes | None) -> Partial | Marker:
    """Return the pane or the marker that a record of the partials topic holds.

    Raises:
        DecodeError: the record is not one of ours (``foreign_record``; only workers write to this topic), or one of a
            newer release (``newer_layout``).
    """
    try:
        return _decode(key or b"", value)
    except NewerError as error:
        raise DecodeError(
            "newer_layout",
            f"has version {error.version}, this program reads up to {error.known}: update all workers to the release "
            "that wrote it, then run sla-monitor dead-letters replay --reason newer_layout. It is a record of the "
            f"partials topic with key {ascii(key)[:120]}",
        ) from error
    except (StateError, ValueError) as error:
        raise DecodeError(
            "foreign_record",
            f"a record of the partials topic with key {ascii(key)[:120]} is not ours: {error}. "
            "Only the monitor's workers, all of one release, may write there",
        ) from error


def _decode(key: bytes, value: bytes | None) -> Partial | Marker:
    if key[:1] == b"m" and value is not None:
        return Marker(key[1:].decode(), *_PLACE.decode(value))
    if key[:1] != b"p":
        raise ValueError("it is neither a pane nor a marker")
    pane_key, _, source = key.rpartition(_UNIT_SEPARATOR)
    pane = None if value is None else _SENT.decode(value).pane
    partial: Partial = _new(Partial, (source.decode(), decode_pane_key(pane_key), pane))
    return partial


_new: Final[Callable[..., Any]] = tuple.__new__
"""Makes the tuples of the hot path directly: their constructors take three times as long."""
_encode: Final = msgspec.msgpack.Encoder().encode


@lru_cache(maxsize=4096)
def _head(source: str) -> bytes:
    return _SENT.head + _ARRAY_OF_TWO + _encode(source)
