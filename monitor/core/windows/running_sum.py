"""The running sum of the panes of one window: `monitor.core.windows.panes` keeps one for each window."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

from monitor.core.series.longest import FROM, longest_of
from monitor.core.series.series import Pane, empty_pane
from monitor.core.time.spans import NEVER_MS
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
    """The sum of the panes in a moving span. Outages are no sums and are left out.

    Of the longest durations only the longest one is kept: it is no sum, and is looked up among those of the panes.
    """

    __slots__ = ("_listed_from", "_longest", "_parts", "_span", "_sum", "stale", "width")

    def __init__(self, width: Width) -> None:
        self.width = width
        self.stale: set[int] = set()
        """The starts of panes that changed since the last move."""
        self._parts: dict[int, Pane] = {}
        self._longest: dict[int, int] = {}
        """The longest duration of each part that knows one, by the part's start."""
        self._listed_from: dict[int, int] = {}
        """The shortest duration from which on a part lists all, if that is not 0."""
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
        if not self.stale:
            return self._sum
        for start in self.stale:
            old = self._parts.pop(start, None)
            if old is not None:
                self._add(old, -1)
                self._longest.pop(start, None)
                self._listed_from.pop(start, None)
            if start in starts and span.start_ms <= start < span.end_ms:
                new = self._parts[start] = panes.pane(self.width, start)
                self._add(new, 1)
                if new.longest:
                    self._note_longest(start, new.longest)
        self.stale.clear()
        self._find_longest()
        return self._sum

    def _note_longest(self, start: int, listed: dict[int, int]) -> None:
        longest_ms = longest_of(listed)
        if longest_ms is not None:
            self._longest[start] = longest_ms
        if FROM in listed:
            self._listed_from[start] = listed[FROM]

    def _find_longest(self) -> None:
        """Put the longest duration of all parts into the sum, if it is known."""
        listed = self._sum.longest
        listed.clear()
        longest_ms = max(self._longest.values(), default=FROM)
        from_ms = max(self._listed_from.values(), default=0)
        if longest_ms >= from_ms:
            listed[longest_ms] = 1
        elif from_ms:
            listed[FROM] = from_ms

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


class OverdueSum:
    """How many clocks came to be overdue less than ceased to be, in all panes from an instant on.

    It is kept and moved on with the instant: after a long stop thousands of periods close, and the sum from the end of
    each on would else be made of all later panes.
    """

    __slots__ = ("_from_ms", "_parts", "_sum", "stale", "width")

    def __init__(self, width: Width) -> None:
        self.width = width
        self.stale: set[int] = set()
        """The starts of panes that changed since the last move."""
        self._from_ms: int | None = None
        self._parts: dict[int, int] = {}
        self._sum = 0

    def moved(self, from_ms: int, panes: Panes) -> int:
        """Return the sum from an instant on, brought up to date."""
        before_ms = self._from_ms
        if before_ms is None or from_ms < before_ms:
            self.stale.update(panes.between(self.width, from_ms, NEVER_MS if before_ms is None else before_ms))
        else:
            self.stale.update(panes.between(self.width, before_ms, from_ms))
        self._from_ms = from_ms
        starts = panes.starts(self.width) if self.stale else ()
        for start_ms in self.stale:
            self._sum -= self._parts.pop(start_ms, 0)
            if start_ms >= from_ms and start_ms in starts:
                counts = panes.pane(self.width, start_ms).counts
                part = counts.get("overdue_in", 0) - counts.get("overdue_out", 0)
                self._sum += part
                if part:
                    self._parts[start_ms] = part
        self.stale.clear()
        return self._sum
