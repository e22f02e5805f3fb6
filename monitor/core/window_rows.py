"""The rows of a series' windows: read when they are first needed, and kept decoded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.core.windows import WindowRow, encode_window_key

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monitor.core.rows import Rows
    from monitor.core.series import SeriesKey


class WindowRows:
    """The rows by the window's name. A window without a row reads as one of which nothing is remembered."""

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
