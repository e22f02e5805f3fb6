"""The row codecs of the state layer: decoded rows of the core <-> bytes of the changelogs.

    8 bytes: the instant at which the row needs attention (big-endian, signed; 0: none) │ msgpack of the row

The instant stands in front so that a restore finds the due rows without decoding any. The row is a NamedTuple, so its
msgpack is a compact array. Which type a row has is told by the first byte of its key.

A field that is added to the end of a row *with a default* needs nothing here: older rows decode with the default. Any
other change needs a new version of the row's type and an entry in the table of upgrades.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple, NoReturn

import msgspec

from monitor.core.credit_account import AccountRow
from monitor.core.delivery import (
    FAILED_ROW_VERSION,
    OUTBOX_ROW_VERSION,
    DisabledRow,
    FailedRow,
    OutboxRow,
)
from monitor.core.pages import ALERT_ROW_VERSION, PAGE_ROW_VERSION, AlertRow, PageRow
from monitor.core.rows import SUBJECT_ROW_VERSION, SubjectRow
from monitor.core.series import Pane
from monitor.core.series_budgets import BudgetRow
from monitor.core.series_consequences import ConsequenceRow
from monitor.core.windows import MergedPane, WindowRow
from monitor.errors import StateError
from monitor.wire.partials import Marker

Upgrade = Callable[[list[Any]], list[Any]]
"""Takes the fields of a row of one version and returns those of the next, the new version first."""

_WAKE: Final = struct.Struct(">q")
_BODY: Final = _WAKE.size


class RowKind(NamedTuple):
    """What is known of the rows under one first byte.

    ``version`` is that of the rows we write (the row's first field), or None for a type without one; ``upgrades`` lead
    from each older version to the next. ``wakes`` tells whether the type has a ``wake_ms``.
    """

    type: type
    wakes: bool = False
    version: int | None = None
    upgrades: Mapping[int, Upgrade] = {}


class RowCodec:
    """Encodes and decodes the rows of one changelog, by the first byte of their keys."""

    def __init__(self, kinds: Mapping[bytes, RowKind]) -> None:
        self._kinds = {first: (kind, _decoder(kind)) for first, kind in kinds.items()}
        self._pack = msgspec.msgpack.Encoder().encode

    def encode(self, key: bytes, row: object) -> bytes:
        """Return the row as bytes.

        Raises:
            StateError: the key is of no kind, or the row of another type than its key says.
        """
        kind, _ = self._kinds.get(key[:1]) or self._refuse(key)
        if type(row) is not kind.type:
            raise StateError(f"row {_shown(key)} is a {type(row).__name__}, its key wants a {kind.type.__name__}")
        try:
            return _WAKE.pack(row.wake_ms if kind.wakes else 0) + self._pack(row)  # type: ignore[attr-defined]
        except (OverflowError, TypeError, ValueError, struct.error) as error:
            raise StateError(f"row {_shown(key)} cannot be written: {error}") from error

    def decode(self, key: bytes, encoded: bytes) -> object:
        """Return the row.

        Raises:
            StateError: the bytes are no row, or one that a newer version of the program wrote.
        """
        kind, read = self._kinds.get(key[:1]) or self._refuse(key)
        try:
            row = read(encoded[_BODY:])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            return self._decode_other(key, encoded, kind, error)
        if kind.version is not None and row[0] != kind.version:
            return self._decode_other(key, encoded, kind, None)
        return row

    def wake_ms(self, encoded: bytes) -> int:
        """Return the instant at which the row needs attention, 0 for none."""
        if len(encoded) < _BODY:
            raise StateError(f"a row has {len(encoded)} bytes and thus no wake instant: the changelog is damaged")
        wake_ms: int = _WAKE.unpack_from(encoded)[0]
        return wake_ms

    def _refuse(self, key: bytes) -> NoReturn:
        raise StateError(f"row {_shown(key)} is of no kind that this version knows: run the version that wrote it")

    def _decode_other(self, key: bytes, encoded: bytes, kind: RowKind, cause: Exception | None) -> object:
        """Return a row that is not of the present version, upgraded step by step."""
        try:
            fields: Any = msgspec.msgpack.decode(encoded[_BODY:])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, TypeError) as error:
            raise StateError(f"row {_shown(key)} is damaged: {error}") from error
        version = fields[0] if isinstance(fields, list) and fields else None
        if kind.version is None or not isinstance(version, int):
            raise StateError(f"row {_shown(key)} is no {kind.type.__name__}: {cause}") from cause
        if version > kind.version:
            raise StateError(
                f"row {_shown(key)} has version {version}, this program reads up to {kind.version}: "
                "update all workers to the release that wrote it (an older one cannot take over its state)"
            )
        while version < kind.version:
            upgrade = kind.upgrades.get(version)
            if upgrade is None:
                raise StateError(
                    f"row {_shown(key)} has version {version}, which can no longer be upgraded to {kind.version}: "
                    "run a release in between first"
                )
            fields = upgrade(fields)
            version += 1
            if fields[0] != version:
                raise StateError(f"the upgrade of row {_shown(key)} to version {version} made version {fields[0]}")
        try:
            return msgspec.convert(fields, kind.type)
        except msgspec.ValidationError as error:
            raise StateError(f"row {_shown(key)} is no {kind.type.__name__}: {error}") from error


def _decoder(kind: RowKind) -> Callable[[bytes], Any]:
    decoder: msgspec.msgpack.Decoder[Any] = msgspec.msgpack.Decoder(kind.type)
    return decoder.decode


def _shown(key: bytes) -> str:
    return ascii(key[:80].decode(errors="replace"))


class LookRow(NamedTuple):
    """As of when a partition was judged last: the windows of partials, the deadlines of a source that others feed."""

    as_of_ms: int


class HeardRow(NamedTuple):
    """The offset of a followed topic (responses, markers) up to which a partition has heeded what is said there."""

    offset: int


class EndsRow(NamedTuple):
    """Where the events end that were made of a foreign partition: offsets of the topic of events, by partition."""

    ends: dict[int, int]


SOURCE_ROWS: Final = RowCodec({
    b"s": RowKind(SubjectRow, wakes=True, version=SUBJECT_ROW_VERSION),
    b"p": RowKind(Pane),
    b"m": RowKind(Marker),
    b"l": RowKind(LookRow),
    b"h": RowKind(HeardRow),
    b"e": RowKind(EndsRow),
})  # fmt: skip
"""The rows of a source partition: its subjects, the panes of its series, and what it knows of foreign topics that its
events are made of: which of them catch up, up to where their markers were heard, and the last look. Of a partition of a
foreign topic: where its events end."""


EVALUATE_ROWS: Final = RowCodec({
    b"w": RowKind(MergedPane),
    b"v": RowKind(WindowRow),
    b"b": RowKind(BudgetRow),
    b"c": RowKind(ConsequenceRow),
    b"a": RowKind(AccountRow),
    b"m": RowKind(Marker),
    b"l": RowKind(LookRow),
})  # fmt: skip
"""The rows of a partition of partials: the panes of all sources, what is remembered of each window, of budgets
and of consequences, the credits granted so far, what each source that catches up said last, and the last look."""


NOTIFY_ROWS: Final = RowCodec({
    b"a": RowKind(AlertRow, wakes=True, version=ALERT_ROW_VERSION),
    b"p": RowKind(PageRow, wakes=True, version=PAGE_ROW_VERSION),
    b"o": RowKind(OutboxRow, version=OUTBOX_ROW_VERSION),
    b"f": RowKind(FailedRow, wakes=True, version=FAILED_ROW_VERSION),
    b"d": RowKind(DisabledRow),
    b"r": RowKind(HeardRow),
})  # fmt: skip
"""The rows of a partition of alerts: alerts that are out, pages, what waits for delivery and what has failed, disabled
receivers, and how far people were heard."""
