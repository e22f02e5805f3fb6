"""The row codecs of the state layer: decoded rows of the core <-> bytes of the changelogs.

    8 bytes: the instant at which the row needs attention (big-endian, signed; 0: none)
    1 byte:  the version of the row's layout (`monitor.wire.versions`) │ msgpack of the row

The instant comes first so that a restore finds the due rows without decoding any. The row is a NamedTuple, so its
msgpack is a compact array. The first byte of a row's key determines its type.

**To change a row**: raise its version in the tables below and add the upgrade of the fields of the last version. Rows
that hold others (`MergedPane` holds panes) change with them. `tests/wire/golden` holds rows of all released versions.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any, Final, NamedTuple, NoReturn

import msgspec

from monitor.core.clocks.clock_value import Clock
from monitor.core.objectives.credits import AccountRow
from monitor.core.paging.delivery import DisabledRow, FailedRow, OutboxRow
from monitor.core.paging.pages import AlertRow, PageRow
from monitor.core.subjects.rows import SubjectRow
from monitor.core.windows.budgets import BudgetRow
from monitor.core.windows.consequences import ConsequenceRow
from monitor.core.windows.reports import REPORT, ReportRow
from monitor.core.windows.rest import RestRow
from monitor.core.windows.rows import MergedPane, WindowRow
from monitor.core.windows.timeslices import packed
from monitor.errors import StateError
from monitor.wire.alert_rows import restored, stored
from monitor.wire.partials import PANE, Marker
from monitor.wire.versions import Fields, Layout, Upgrade, unchanged, without_own_version

_HEAD: Final = struct.Struct(">qB")
_WAKE: Final = struct.Struct(">q")
_BODY: Final = _WAKE.size


class RowKind(NamedTuple):
    """The properties of the rows under one first byte: their layout, and whether the type has a ``wake_ms``."""

    layout: Layout[Any]
    wakes: bool = False


class RowCodec:
    """Encodes and decodes the rows of one changelog, by the first byte of their keys."""

    def __init__(self, kinds: Mapping[bytes, RowKind]) -> None:
        self.kinds = kinds
        self._pack = msgspec.msgpack.Encoder().encode

    def encode(self, key: bytes, row: object) -> bytes:
        """Return the row as bytes.

        Raises:
            StateError: the key is of no kind, or the row is of another type than its key demands.
        """
        layout, wakes = self.kinds.get(key[:1]) or self._refuse(key)
        if type(row) is not layout.type:
            raise StateError(f"row {_shown(key)} is a {type(row).__name__}, its key wants a {layout.type.__name__}")
        try:
            return _HEAD.pack(row.wake_ms if wakes else 0, layout.version) + self._pack(row)  # type: ignore[attr-defined]
        except (OverflowError, TypeError, ValueError, struct.error) as error:
            raise StateError(f"row {_shown(key)} cannot be written: {error}") from error

    def decode(self, key: bytes, encoded: bytes) -> object:
        """Return the row, of any released version.

        Raises:
            StateError: the bytes are no row, or one that a newer version of the program wrote.
        """
        layout, _ = self.kinds.get(key[:1]) or self._refuse(key)
        try:
            row: object = layout.decode(encoded, _BODY)
        except StateError as error:
            raise StateError(f"row {_shown(key)} {error}") from error
        return row

    def wake_ms(self, encoded: bytes) -> int:
        """Return the instant at which the row needs attention, 0 for none."""
        try:
            wake_ms: int = _WAKE.unpack_from(encoded)[0]
        except struct.error:
            text = f"a row has {len(encoded)} bytes and thus no wake instant: the changelog is damaged"
            raise StateError(text) from None
        return wake_ms

    def _refuse(self, key: bytes) -> NoReturn:
        raise StateError(f"row {_shown(key)} is of no kind that this version knows: run the version that wrote it")


def _shown(key: bytes) -> str:
    return ascii(key[:80].decode(errors="replace"))


class LookRow(NamedTuple):
    """The instant as of which a partition was last judged.

    Of partials: its windows were judged. Of a source that others feed: its deadlines were.
    """

    as_of_ms: int


class HeardRow(NamedTuple):
    """The offset of a followed topic (responses, markers) up to which a partition has applied the records."""

    offset: int


class EndsRow(NamedTuple):
    """The offsets at which the events made of a foreign partition end, by partition of the topic of events."""

    ends: dict[int, int]


_MARKER: Final = Layout(Marker, 1, {0: unchanged})
_LOOK: Final = Layout(LookRow, 1, {0: unchanged})

_HEARD: Final = Layout(HeardRow, 1, {0: unchanged})


def _with_inclusive_limits(fields: Fields) -> Fields:
    """Let the breaches that were to be announced at the due instant be announced after it: "within" is inclusive."""
    for clock in fields[_CLOCKS]:
        if clock[_DUE_MS] and clock[_NEXT_MS] == clock[_DUE_MS]:
            clock[_NEXT_MS] += 1
    return fields


_CLOCKS: Final = SubjectRow._fields.index("clocks")
_DUE_MS: Final = Clock._fields.index("due_ms")
_NEXT_MS: Final = Clock._fields.index("next_ms")

SOURCE_ROWS: Final = RowCodec({
    b"s": RowKind(Layout(SubjectRow, 2, {0: without_own_version(2), 1: _with_inclusive_limits}), wakes=True),
    b"p": RowKind(PANE),
    b"m": RowKind(_MARKER),
    b"l": RowKind(_LOOK),
    b"h": RowKind(_HEARD),
    b"e": RowKind(Layout(EndsRow, 1, {0: unchanged})),
})  # fmt: skip
"""The rows of a source partition: its subjects and the panes of its series. If its events are made of foreign topics,
also their progress: the markers of those that catch up, the offsets up to which markers were applied, and the instant
of the last judgement. A partition of a foreign topic has one row: the offsets at which its events end."""


def _in_each(upgrade: Upgrade) -> Upgrade:
    return lambda fields: [{source: upgrade(pane) for source, pane in fields[0].items()}]


_MERGED: Final = Layout(
    MergedPane, PANE.version, {version: _in_each(upgrade) for version, upgrade in PANE.upgrades.items()}
)


def _in_rest(upgrade: Upgrade) -> Upgrade:
    return lambda fields: [upgrade(fields[0])]


_REST: Final = Layout(RestRow, PANE.version, {version: _in_rest(upgrade) for version, upgrade in PANE.upgrades.items()})


def _with_packed_slices(fields: Fields) -> Fields:
    told, bad, *rest = fields
    return [told, {objective: packed(spans) for objective, spans in bad.items()}, *rest]


EVALUATE_ROWS: Final = RowCodec({
    b"w": RowKind(_MERGED),
    b"x": RowKind(_REST),
    b"v": RowKind(Layout(WindowRow, 3, {0: unchanged, 1: unchanged, 2: unchanged})),
    b"b": RowKind(Layout(BudgetRow, 2, {0: unchanged, 1: _with_packed_slices})),
    b"c": RowKind(Layout(ConsequenceRow, 2, {0: unchanged, 1: unchanged})),
    b"a": RowKind(Layout(AccountRow, 1, {0: unchanged})),
    REPORT: RowKind(Layout(ReportRow, 1, {})),
    b"m": RowKind(_MARKER),
    b"l": RowKind(_LOOK),
})  # fmt: skip
"""The rows of a partition of partials: the panes of all sources, those of series in the rest, the state of each window,
of budgets and of consequences, the credits and damages granted so far, the reports that are still to be announced, the
newest marker of each source that catches up, and the instant of the last evaluation."""


class NotifyRowCodec(RowCodec):
    """The codec of the rows that hold alerts. The codecs of other rows, of which there are many more, pay nothing."""

    def encode(self, key: bytes, row: object) -> bytes:  # noqa: D102 - as `RowCodec`
        return super().encode(key, stored(row))

    def decode(self, key: bytes, encoded: bytes) -> object:  # noqa: D102 - as `RowCodec`
        return restored(super().decode(key, encoded))


NOTIFY_ROWS: Final = NotifyRowCodec({
    b"a": RowKind(Layout(AlertRow, 1, {0: without_own_version(1)}), wakes=True),
    b"p": RowKind(Layout(PageRow, 1, {0: without_own_version(1)}), wakes=True),
    b"o": RowKind(Layout(OutboxRow, 1, {0: without_own_version(1)})),
    b"f": RowKind(Layout(FailedRow, 1, {0: without_own_version(1)}), wakes=True),
    b"d": RowKind(Layout(DisabledRow, 1, {0: unchanged})),
    b"r": RowKind(_HEARD),
})  # fmt: skip
"""The rows of a partition of alerts: alerts that are out, pages, notices that wait for delivery, notices that failed,
disabled receivers, and the offset up to which responses were applied."""
