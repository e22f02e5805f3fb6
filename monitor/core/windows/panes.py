"""The stored panes of one series from all sources, their rows, and the sums of the windows that are made of them.

Sources send panes as absolute values; the newest of each source replaces its older one. The sum of a window is kept and
moved on: the old content of a changed pane is subtracted and the new one added. This costs the same for a window of 720
panes as for one of 30 (`monitor.core.series.series`: everything in a pane is additive).
"""

from __future__ import annotations

from bisect import bisect_left, insort
from math import inf
from typing import TYPE_CHECKING, Final

from monitor.core.calls.repeats import RepeatIndex, Tally
from monitor.core.outages.customers import past_days
from monitor.core.outages.interruptions import Kept, kept
from monitor.core.pieces import lots
from monitor.core.series.panes import exchanged, merge_panes, merging
from monitor.core.series.series import (
    OutageRecord,
    Pane,
    PaneKey,
    SeriesKey,
    Slice,
    empty_pane,
    slice_of,
)
from monitor.core.time.periods import day_start
from monitor.core.time.units import DAY_MS
from monitor.core.time.windows import Width, late_width, width_for
from monitor.core.windows.outage_ends import OutageEnds
from monitor.core.windows.rows import MergedPane, merged_pane_key
from monitor.core.windows.running_sum import OverdueSum, RunningSum
from monitor.core.windows.slot import Slot

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from monitor.core.agreements.measures import CustomerTerms
    from monitor.core.outages.customers import Counting
    from monitor.core.pieces import Pieces
    from monitor.core.rows import Rows
    from monitor.core.time.spans import Span
    from monitor.core.time.windows import Window
_MANY_ROWS: Final = 8
"""A pane of more rows than this is read in pieces: each may hold some hundreds of items."""


class SeriesPanes:
    """All panes of one series. Rows are read when they are first needed and kept decoded."""

    __slots__ = (
        "_days", "_ends", "_interruptions", "_judged", "_ordered", "_overdue", "_own", "_repeats", "_rows", "_slots",
        "_sums", "series",
    )  # fmt: skip

    def __init__(self, series: SeriesKey, rows: Rows) -> None:
        self.series = series
        self._rows = rows
        self._slots: dict[Width, dict[int, Slot | None]] = {}
        self._ordered: dict[Width, list[int]] = {}
        """The starts of the panes of a width in their order: built when they are first asked for."""
        self._own: dict[tuple[Width, int], set[str]] = {}
        """The sources of each pane that have rows of their own."""
        self._sums: dict[Window, RunningSum] = {}
        self._days: dict[int, tuple[Mapping[str, OutageRecord], CustomerTerms, int]] = {}
        self._ends = OutageEnds()
        self._interruptions: dict[tuple[Width, int], Kept] = {}
        self._overdue: dict[Width, OverdueSum] = {}
        self._repeats: dict[Width, RepeatIndex] = {}
        self._judged: frozenset[Window] = frozenset()
        """The windows whose figures are shown; other sums belong to burn rates."""

    def __bool__(self) -> bool:
        return any(self._slots.values())

    def note(self, width: Width, start_ms: int, source: str = "") -> None:
        """Take note that a row exists: that of one source, or the shared one (``source`` "")."""
        slots = self._slots.setdefault(width, {})
        if start_ms not in slots:
            slots[start_ms] = None
            self._order(width, start_ms)
        if source:
            self._own.setdefault((width, start_ms), set()).add(source)

    def replace(self, source: str, width: Width, start_ms: int, pane: Pane | None) -> bool:
        """Take over the newest pane of a source (None or empty: it no longer has one); return whether it differs.

        On the hot path of the partials: nothing is summed before it is needed. The pane is kept, not copied.
        """
        slots = self._slots.get(width)
        if slots is None:
            slots = self._slots[width] = {}
        slot = (slots[start_ms] or self._slot(width, start_ms)) if start_ms in slots else None
        if pane is None or not (pane.counts or pane.buckets or pane.calls or pane.outages):
            if slot is None or (source not in slot.row.sources and source not in slot.own):
                return False
            if len(slot.row.sources) + len(slot.own) == 1:
                self.drop(width, start_ms)
                return True
            self._leave(slot, source, width, start_ms)
        else:
            if slot is None:
                key = merged_pane_key(PaneKey(self.series, width, start_ms))
                slot = slots[start_ms] = Slot(key, MergedPane({}), {})
                self._order(width, start_ms)
            elif pane == (slot.own.get(source) or slot.row.sources.get(source)):
                return False
            self._enter(slot, source, width, start_ms, pane)
        slot.merged = None
        self._stale(width, start_ms)
        return True

    def replaced(self, width: Width, start_ms: int) -> None:
        """Take note that the shared row of a pane was put by others: it is read when it is needed."""
        slots = self._slots.setdefault(width, {})
        if start_ms not in slots:
            self._order(width, start_ms)
        slots[start_ms] = None
        self._stale(width, start_ms)

    def _enter(self, slot: Slot, source: str, width: Width, start_ms: int, pane: Pane) -> None:
        sources = slot.row.sources
        if pane.calls or pane.outages:
            if source in sources:
                self._leave(slot, source, width, start_ms)
            slot.own[source] = pane
            self.note(width, start_ms, source)
            self._rows.put(merged_pane_key(PaneKey(self.series, width, start_ms, source)), MergedPane({source: pane}))
            return
        if source in slot.own:
            self._leave(slot, source, width, start_ms)
        is_new = source not in sources
        sources[source] = pane
        if is_new and len(sources) > 1:  # equal contents are equal rows
            slot.row = MergedPane(dict(sorted(sources.items())))
        self._rows.put(slot.key, slot.row)

    def _leave(self, slot: Slot, source: str, width: Width, start_ms: int) -> None:
        if slot.own.pop(source, None) is not None:
            self._own[width, start_ms].discard(source)
            self._rows.put(merged_pane_key(PaneKey(self.series, width, start_ms, source)), None)
            return
        del slot.row.sources[source]
        self._rows.put(slot.key, slot.row if slot.row.sources else None)

    def noted(self) -> tuple[Slice, ...]:
        """Return all panes, and the sources with rows of their own in them, as `note` takes them."""
        shared = [slice_of(width, start_ms) for width, slots in self._slots.items() for start_ms in slots]
        own = [slice_of(*place, source) for place, sources in self._own.items() for source in sources]
        return (*shared, *own)

    def of_source(self, source: str, width: Width, start_ms: int) -> Pane | None:
        """Return the newest pane of a source, None if it has none. It must not be changed."""
        if start_ms not in self._slots.get(width, {}):
            return None
        return self._slot(width, start_ms).row.sources.get(source)

    def with_items(self, source: str, width: Width, start_ms: int) -> Pane | None:
        """Return the newest pane of a source, also one with a row of its own; None if it has none."""
        if start_ms not in self._slots.get(width, {}):
            return None
        slot = self._slot(width, start_ms)
        return slot.own.get(source) or slot.row.sources.get(source)

    def drop(self, width: Width, start_ms: int) -> None:
        """Delete a pane and its rows."""
        del self._slots[width][start_ms]
        ordered = self._ordered.get(width)
        if ordered is not None:
            del ordered[bisect_left(ordered, start_ms)]
        self._days.pop(start_ms, None)
        self._ends.forget(width, start_ms)
        self._interruptions.pop((width, start_ms), None)
        self._rows.put(merged_pane_key(PaneKey(self.series, width, start_ms)), None)
        for source in sorted(self._own.pop((width, start_ms), ())):
            self._rows.put(merged_pane_key(PaneKey(self.series, width, start_ms, source)), None)
        self._stale(width, start_ms)

    def widths(self) -> list[Width]:
        """Return the widths that have panes."""
        return [width for width, slots in self._slots.items() if slots]

    def starts(self, width: Width) -> Collection[int]:
        """Return the starts of the panes of a width, in no order."""
        return self._slots.get(width, {}).keys()

    def between(self, width: Width, from_ms: int, to_ms: float = inf) -> list[int]:
        """Return the starts of the panes of a width in ``[from_ms, to_ms)``, in their order.

        After a long stop thousands of periods close, each of a few of 10^5 panes.
        """
        ordered = self._ordered.get(width)
        if ordered is None:
            ordered = self._ordered[width] = sorted(self._slots.get(width, ()))
        return ordered[bisect_left(ordered, from_ms) : bisect_left(ordered, to_ms)]

    def stated_from(self, window: Window, from_ms: int, to_ms: float = inf) -> int | None:
        """Return the first start in ``[from_ms, to_ms)`` of a pane that periods of a window are made of; None: none is.

        What moved to another series after the close stands in the late pane alone.
        """
        firsts = [
            starts[0]
            for width in (width_for(window), late_width(window))
            if (starts := self.between(width, from_ms, to_ms))
        ]
        return min(firsts, default=None)

    def first_ms(self, width: Width) -> int | None:
        """Return the start of the oldest pane of a width; None: there is none."""
        if width not in self._ordered:
            self.between(width, 0)
        return next(iter(self._ordered[width]), None)

    def _order(self, width: Width, start_ms: int) -> None:
        ordered = self._ordered.get(width)
        if ordered is not None:
            insort(ordered, start_ms)

    def pane(self, width: Width, start_ms: int) -> Pane:
        """Return the sum of a pane over all sources."""
        return self._slot(width, start_ms).sum()

    def reading(self) -> Pieces[None]:
        """Read the panes of many rows and add them up, in pieces, so that the next evaluation has them at once.

        No pane may change meanwhile. A pane is kept only once it is whole, so work that is cut off leaves no half one.
        """
        for (width, start_ms), sources in self._own.items():
            if len(sources) <= _MANY_ROWS:
                continue
            slot = self._slots[width][start_ms]
            if slot is None:
                slot = self._shared(width, start_ms)
                for source in sorted(sources):
                    slot.own.update(self._own_row(width, start_ms, source))
                    yield
                self._slots[width][start_ms] = slot
            if slot.merged is None:
                slot.merged = yield from merging(slot.panes())
            yield from self._ends.finding(width, start_ms, slot.merged.outages)

    def live(self) -> Pane:
        """Return the live pane: the counts and items of open subjects."""
        return self.pane("live", 0) if 0 in self._slots.get("live", {}) else empty_pane()

    def total(self, window: Window, span: Span) -> Pane:
        """Return the sum of the panes that start in a window's span. It must not be changed."""
        running = self._sums.get(window)
        if running is None:
            running = self._sums[window] = RunningSum(width_for(window))
        return running.moved(span, self)

    def spread(self) -> tuple[str, dict[int, int]] | None:
        """Return the name of the shortest window that is shown, and a copy of the sketch of the durations in it.

        None if no shown window was summed up yet. The sketch is that of the last evaluation.
        """
        lengths = [
            (sums.length_ms, window.name, sums)
            for window, sums in self._sums.items()
            if sums.length_ms and window in self._judged
        ]
        if not lengths:
            return None
        _, name, shortest = min(lengths, key=lambda one: one[:2])
        return name, dict(shortest.buckets)

    def sum_of(self, window: Window, span: Span) -> Pane:
        """Return the sum of the panes that start in a span, without what became known after its close.

        It is not kept.
        """
        width = width_for(window)
        total = merge_panes(self.pane(width, start) for start in self.between(width, span.start_ms, span.end_ms))
        late = late_width(window)
        for start in self.between(late, span.start_ms, span.end_ms):
            total = exchanged(total, self.pane(late, start), None)._replace(calls=total.calls, outages=total.outages)
        return total

    def overdue_from(self, width: Width, from_ms: int) -> int:
        """Return how many clocks came to be overdue from an instant on, less those that ceased to be."""
        kept = self._overdue.get(width)
        if kept is None:
            kept = self._overdue[width] = OverdueSum(width)
        return kept.moved(from_ms, self)

    def next_move_ms(self, window: Window, span: Span) -> int | None:
        """Return when the sum of a rolling window next changes by time alone: a pane leaves it, or one enters it."""
        running = self._sums.get(window)
        moves = self.between(width_for(window), span.end_ms)[:1]  # of events from the future
        if running is not None and (oldest := running.oldest_ms()) is not None:
            moves.append(oldest + span.end_ms - span.start_ms)
        return min(moves, default=None)

    def outages(self, window: Window, span: Span) -> Iterator[tuple[str, OutageRecord]]:
        """Yield the outages, maintenances and blind stretches that began before the end of the span.

        Records from long before the span are included too, except those of panes whose outages all ended more than a
        day before its start.
        """
        width = width_for(window)
        for start_ms in self.between(width, 0, span.end_ms):
            outages = self.pane(width, start_ms).outages
            if self._ends.of(width, start_ms, outages).quiet_ms >= span.start_ms - DAY_MS:
                yield from outages.items()

    def interruptions(self, window: Window, span: Span, counting: Counting, now_ms: int) -> list[Kept]:
        """Return the outages that began from the first day of a span on, by panes, the sums of those that are over."""
        width, found = width_for(window), []
        for start_ms in self.between(width, day_start(counting.zone, span.start_ms), span.end_ms):
            outages = self.pane(width, start_ms).outages
            own = kept(counting, outages, now_ms, self._interruptions.get((width, start_ms)))
            self._interruptions[width, start_ms] = own
            found.append(own)
        return found

    def restored_ms(self, window: Window, span: Span) -> Pieces[int | None]:
        """Return when all outages that began in a span were over, not before its end; None: one is open. In pieces."""
        width, last_ms = width_for(window), span.end_ms
        for start_ms in [one for one in self.starts(width) if one < span.end_ms]:
            for some in lots(self.pane(width, start_ms).outages.values()):
                for one in some:
                    if one.kind == "outage" and span.start_ms <= one.start_ms < span.end_ms:
                        if not one.restored_ms:
                            return None
                        last_ms = max(last_ms, one.restored_ms)
                yield
        return last_ms

    def history(self, terms: CustomerTerms, before_ms: int, now_ms: int) -> Pieces[list[int]]:
        """Return the customer time of each kept day before a day, as of an instant, in pieces."""
        days = ((start_ms, self.pane("day", start_ms).outages) for start_ms in self.starts("day"))
        return (yield from past_days(terms, days, before_ms, now_ms, self._days))

    def repeats(self, window: Window, span: Span, within_ms: int, now_ms: int) -> Pieces[Tally]:
        """Return the counts of repeat calls for the handled calls in a window's span, as of an instant, in pieces."""
        width = width_for(window)
        index = self._repeats.get(width)
        if index is None:
            index = self._repeats[width] = RepeatIndex(self.starts(width))
        starts = self.starts(width)
        for start_ms in sorted(index.stale):
            slot = self._slot(width, start_ms) if start_ms in starts else None
            panes = {**slot.row.sources, **slot.own} if slot else {}
            yield from index.taking(start_ms, {source: pane.calls for source, pane in panes.items() if pane.calls})
        return (yield from index.tallying(span, within_ms, now_ms))

    def last_ms(self, width: Width, start_ms: int, now_ms: int) -> int:
        """Return the last instant that a pane covers: its start, or the last end of its outages (open ones: now)."""
        outages = self.pane(width, start_ms).outages
        if not outages:
            return start_ms
        ends = self._ends.of(width, start_ms, outages)
        return max(now_ms, ends.restored_ms) if ends.is_open else ends.restored_ms

    def keep_sums(self, judged: Iterable[Window], others: Iterable[Window] = ()) -> None:
        """Forget the sums of all windows but these; the sums of the ``judged`` ones are shown."""
        self._judged = frozenset(judged)
        kept = self._judged.union(others)
        for window in [one for one in self._sums if one not in kept]:
            del self._sums[window]

    def _slot(self, width: Width, start_ms: int) -> Slot:
        slot = self._slots[width][start_ms]
        if slot is None:
            slot = self._shared(width, start_ms)
            for source in sorted(self._own.get((width, start_ms), ())):
                slot.own.update(self._own_row(width, start_ms, source))
            self._slots[width][start_ms] = slot
        return slot

    def _shared(self, width: Width, start_ms: int) -> Slot:
        key = merged_pane_key(PaneKey(self.series, width, start_ms))
        shared = self._rows.get(key)
        return Slot(key, shared if isinstance(shared, MergedPane) else MergedPane({}), {})

    def _own_row(self, width: Width, start_ms: int, source: str) -> dict[str, Pane]:
        own = self._rows.get(merged_pane_key(PaneKey(self.series, width, start_ms, source)))
        assert isinstance(own, MergedPane)
        return own.sources

    def _stale(self, width: Width, start_ms: int) -> None:
        for running in self._sums.values():
            if running.width == width:
                running.stale.add(start_ms)
        if self._repeats and width in self._repeats:
            self._repeats[width].stale.add(start_ms)
        if self._overdue and width in self._overdue:
            self._overdue[width].stale.add(start_ms)
