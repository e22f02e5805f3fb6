"""The running sum of the panes of one window: `monitor.core.windows.panes` keeps one for each window."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

from monitor.core.series.series import Pane, empty_pane
from monitor.core.time.windows import Width

if TYPE_CHECKING:
    from collections.abc import Collection

    from monitor.core.time.spans import Span

_Name = TypeVar("_Name", str, int)


class Panes(Protocol):
    """The panes of one series."""

    def starts(self, width: Width) -> Collection[int]:
        """Return the starts of all panes of a width."""
        ...

    def between(self, width: Width, from_ms: int, to_ms: int) -> list[int]:
        """Return the starts of the panes of a width in ``[from_ms, to_ms)``."""
        ...

    def pane(self, width: Width, start_ms: int) -> Pane:
        """Return the pane of a width that starts at an instant."""
        ...


class RunningSum:
    """The sum of the panes in a moving span. Outages are no sums and are left out."""

    __slots__ = ("_parts", "_span", "_sum", "stale", "width")

    def __init__(self, width: Width) -> None:
        self.width = width
        self.stale: set[int] = set()
        """The starts of panes that changed since the last move."""
        self._parts: dict[int, Pane] = {}
        self._span = (0, 0)
        self._sum = empty_pane()

    @property
    def length_ms(self) -> int:
        """The length of the span; 0 before the first move."""
        return self._span[1] - self._span[0]

    @property
    def buckets(self) -> dict[int, int]:
        """The sketch of all durations in the sum. It must not be changed."""
        return self._sum.buckets

    def oldest_ms(self) -> int | None:
        """Return the start of the oldest pane in the sum."""
        return min(self._parts, default=None)

    def moved(self, span: Span, panes: Panes) -> Pane:
        """Return the sum over a span, brought up to date."""
        starts = panes.starts(self.width)
        if span != self._span:
            self._span = span
            self.stale.update([start for start in self._parts if not span.start_ms <= start < span.end_ms])
            inside = panes.between(self.width, span.start_ms, span.end_ms)
            self.stale.update([start for start in inside if start not in self._parts])
        for start in self.stale:
            old = self._parts.pop(start, None)
            if old is not None:
                self._add(old, -1)
            if start in starts and span.start_ms <= start < span.end_ms:
                new = self._parts[start] = panes.pane(self.width, start)
                self._add(new, 1)
        self.stale.clear()
        return self._sum

    def _add(self, pane: Pane, times: int) -> None:
        _add(self._sum.counts, pane.counts, times)
        _add(self._sum.buckets, pane.buckets, times)


def _add(total: dict[_Name, int], part: dict[_Name, int], times: int) -> None:
    for name, n in part.items():
        count = total.get(name, 0) + n * times
        if count:
            total[name] = count
        else:
            total.pop(name, None)
