"""The rows of a series' windows: read when they are first needed, and kept decoded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from monitor.core.objectives.verdicts import Announced
from monitor.core.series.series import Pane, PaneKey, SeriesKey, encode_pane_key

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monitor.core.rows import Rows


_SEPARATOR: Final = "\x1f"
ROLLING: Final = 0
"""Stands for the start of the period in the row of a rolling window, which has no periods."""


class WindowRows:
    """The rows of a series' windows, by name. A window without a row reads as an empty row."""

    __slots__ = ("_rows", "_windows", "series")

    def __init__(self, series: SeriesKey, rows: Rows) -> None:
        self.series = series
        self._rows = rows
        self._windows: dict[str, WindowRow | None] = {}

    def __bool__(self) -> bool:
        return bool(self._windows)

    def note(self, name: str) -> None:
        """Take note that a window has a row."""
        self._windows.setdefault(name, None)

    def names(self) -> set[str]:
        """Return the names of the windows that have a row."""
        return set(self._windows)

    def items(self) -> Iterator[tuple[str, WindowRow]]:
        """Yield all rows by the names of their windows."""
        return ((name, self.get(name)) for name in self._windows)

    def get(self, name: str) -> WindowRow:
        """Return the row of a window."""
        row = self._windows.get(name)
        if row is None:
            stored = self._rows.get(encode_window_key(self.series, name)) if name in self._windows else None
            row = stored if isinstance(stored, WindowRow) else WindowRow({})
            if name in self._windows:
                self._windows[name] = row
        return row

    def put(self, name: str, row: WindowRow | None) -> None:
        """Store the row of a window, or delete it."""
        self._rows.put(encode_window_key(self.series, name), row)
        if row is None:
            self._windows.pop(name, None)
        else:
            self._windows[name] = row


class MergedPane(NamedTuple):
    """The row of a pane: the contents that sources (topic and partition) last sent. Its key begins with ``w``.

    Counts and sketches of all sources share one row. A pane with items has a row of its own for each source and part,
    which the key names: together they would outgrow any record.
    """

    sources: dict[str, Pane]


class WindowRow(NamedTuple):
    """The state of one window of a series. Its key begins with ``v``.

    ``told`` holds the announced states, by the start of the period (0 for a rolling window) and by objective. All
    periods before ``open_from_ms`` are closed or lie before the series' first one; ``closed`` counts the closed ones.
    ``dormant`` is set when nothing more is stated: the series has been silent for long, or its agreement is over. It
    states again from the period on in which something is measured.
    ``shown`` is set while a status of the window is published: its end must be published too, also after a restart.
    """

    told: dict[int, dict[str, Announced]]
    open_from_ms: int = 0
    closed: int = 0
    dormant: bool = False
    shown: bool = False
    measured_ms: int = 0
    """The end of the newest closed period in which something was measured (0: there is none)."""
    stated: dict[str, float] = {}  # noqa: RUF012 - a field of a tuple: nobody changes it
    """The judged values of the newest closed period, by objective; those without a value are not there."""


def encode_window_key(series: SeriesKey, window: str) -> bytes:
    """Return the row key of a window: ``v`` + its parts joined with the unit separator."""
    return b"v" + _SEPARATOR.join((series.agreement, series.measure, window, *series.values)).encode()


def decode_window_key(encoded: bytes) -> tuple[SeriesKey, str]:
    """Return the series and the window's name that `encode_window_key` was given."""
    agreement, measure, window, *values = encoded[1:].decode().split(_SEPARATOR)
    return SeriesKey(agreement, measure, tuple(values)), window


def merged_pane_key(key: PaneKey) -> bytes:
    """Return the row key of a merged pane: the pane's key with another first byte."""
    return b"w" + encode_pane_key(key)[1:]
