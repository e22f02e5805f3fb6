"""The rest: which series of a measure have a place of their own, and the panes of the series that have none.

The evaluator calls this (`monitor.core.windows.evaluator`). A measure shows a limited number of series, in the order in
which their panes came; a series whose values the agreement lists always has a place. All others are counted in one more
series, the rest (`monitor.core.series.series.rest_of`). So every shown figure is complete: a series that is not shown
is in the rest with all its panes.

The pane that each source sent for a series in the rest has a row of its own (its key begins with ``x``), because panes
are sent whole and the pane before must be taken out of the sum. So the rows name the series of the rest, also after a
restart. A place becomes free when its series has no panes any longer. The next series that sends a pane takes it: a new
one, or one of the rest, whose panes then leave the sum.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final, NamedTuple

from monitor.core.series.series import Pane, PaneKey, SeriesKey, Slice, encode_pane_key, slice_of
from monitor.core.time.windows import Width

if TYPE_CHECKING:
    from monitor.core.rows import Rows

MOST_SERIES: Final = 1_000
"""How many series of a measure are shown by default."""

_Measure = tuple[str, str, int]
"""An agreement, its measure, and the number of attributes by which the measure is split."""


class RestRow(NamedTuple):
    """The pane that a source (topic and partition, and part of a pane) last sent for a series in the rest."""

    pane: Pane


class Part(NamedTuple):
    """A pane of one source that a series leaving the rest had there."""

    source: str
    width: Width
    start_ms: int
    pane: Pane


def rest_row_key(key: PaneKey) -> bytes:
    """Return the row key of a pane of a series in the rest."""
    return b"x" + encode_pane_key(key)[1:]


class Rest:
    """The places of all measures of a partition, and the panes of the series that have none."""

    def __init__(self, rows: Rows, most: int = MOST_SERIES) -> None:
        self.most = most
        self._rows = rows
        self.placed: set[SeriesKey] = set()
        """The series that are shown by themselves."""
        self._taken: Counter[_Measure] = Counter()
        """The number of places taken."""
        self._parts: dict[SeriesKey, list[Slice]] = {}
        """The panes of each series in the rest, by width, start and source."""
        self._counted: Counter[_Measure] = Counter()
        """The number of series in the rest."""

    def __contains__(self, series: SeriesKey) -> bool:
        return series in self._parts

    def is_full(self, series: SeriesKey) -> bool:
        """Return whether the measure of a series has no free place."""
        return self._taken[_measure(series)] >= self.most

    def place(self, series: SeriesKey) -> None:
        """Give a series a place."""
        if series not in self.placed:
            self.placed.add(series)
            self._taken[_measure(series)] += 1

    def free(self, series: SeriesKey) -> None:
        """Free the place of a series that no longer has panes."""
        if series in self.placed:
            self.placed.discard(series)
            _less(self._taken, _measure(series))

    def size(self, rest: SeriesKey) -> int:
        """Return the number of series that are counted in the rest of a measure."""
        return self._counted[rest.agreement, rest.measure, len(rest.values) - 1]

    def counts(self) -> dict[tuple[str, str], tuple[int, int]]:
        """Return, by agreement and measure, the number of series shown and of series in the rest."""
        found: dict[tuple[str, str], tuple[int, int]] = {}
        for measure in self._taken.keys() | self._counted.keys():
            shown, counted = found.get(measure[:2], (0, 0))
            found[measure[:2]] = shown + self._taken[measure], counted + self._counted[measure]
        return found

    def note(self, key: PaneKey) -> None:
        """Take note that a row of this pane exists."""
        parts = self._parts.get(key.series)
        if parts is None:
            parts = self._parts[key.series] = []
            self._counted[_measure(key.series)] += 1
        part = slice_of(*key[1:])
        if part not in parts:
            parts.append(part)

    def exchange(self, key: PaneKey, pane: Pane | None) -> Pane | None:
        """Store the newest pane of a source (the key's ``part``), or delete it (None); return the pane before."""
        encoded = rest_row_key(key)
        row = self._rows.get(encoded)
        before = row.pane if isinstance(row, RestRow) else None
        if pane is not None:
            self._rows.put(encoded, RestRow(pane))
            self.note(key)
        elif before is not None:
            self._rows.put(encoded, None)
            self._forget(key)
        return before

    def leave(self, series: SeriesKey) -> list[Part]:
        """Let a series leave the rest; return the panes that it had there."""
        found = []
        for width, start_ms, source in tuple(self._parts[series]):
            key = PaneKey(series, width, start_ms, source)
            before = self.exchange(key, None)
            assert before is not None
            found.append(Part(source, width, start_ms, before))
        return found

    def _forget(self, key: PaneKey) -> None:
        parts = self._parts[key.series]
        parts.remove(slice_of(*key[1:]))
        if not parts:
            del self._parts[key.series]
            _less(self._counted, _measure(key.series))


def _measure(series: SeriesKey) -> _Measure:
    return series.agreement, series.measure, len(series.values)


def _less(counts: Counter[_Measure], measure: _Measure) -> None:
    counts[measure] -= 1
    if not counts[measure]:
        del counts[measure]
