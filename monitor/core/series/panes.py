"""Panes: applies changes to panes, takes them out again, and adds up the panes of several sources.

Everything in a pane is additive (`monitor.core.series.series`): applying a change and then `Change.undone` leaves the
pane as it was, and merging is addition. A count that returns to 0 is removed with its name, so equal contents are equal
panes. Only the list of the longest durations may get shorter in between (`monitor.core.series.longest`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

from monitor.core.pieces import at_once
from monitor.core.series import longest, sketch
from monitor.core.series.longest import FROM
from monitor.core.series.parts import name_of
from monitor.core.series.series import LIVE, Change, Pane, empty_pane

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from monitor.core.pieces import Pieces

_Item = TypeVar("_Item")
_FEW: Final = 16
"""The number of panes that are added up without a pause."""


def apply(panes: Sequence[Pane], change: Change) -> None:  # noqa: C901, PLR0912 - on the hot path, where each call costs
    """Put a change into panes (the slices of each width that it belongs to), or take it out, in place.

    Items are set and deleted by their id. To replace an item, the old change must be taken out first.
    """
    _, at_ms, added, value_ms, call, outage, times = change
    if call is not None and at_ms == LIVE and (name := name_of(call[0])) != call[0]:
        if times < 0:  # earlier releases kept the whole id
            for pane in panes:
                pane.calls.pop(call[0], None)
        call = name, call[1]
    for pane in panes:
        counts = pane.counts
        for name, n in added:
            count = counts.get(name, 0) + n * times
            if count:
                counts[name] = count
            else:
                counts.pop(name, None)
    if value_ms >= 0:
        bucket = sketch.bucket_of(value_ms)
        for pane in panes:
            buckets, listed = pane.buckets, pane.longest
            sketch.count(buckets, bucket, times)
            if value_ms >= listed.get(FROM, 0):
                longest.count(listed, value_ms, times)
            if not buckets:
                listed.clear()
    if call is not None or outage is not None:
        for pane in panes:
            if call is not None:
                _set(pane.calls, call, times)
            if outage is not None:
                _set(pane.outages, outage, times)


def take_out(panes: Iterable[Pane], value_ms: int) -> None:
    """Take a duration out of panes again, in place."""
    bucket = sketch.bucket_of(value_ms)
    for pane in panes:
        sketch.count(pane.buckets, bucket, -1)
        longest.count(pane.longest, value_ms, -1)
        if not pane.buckets:
            pane.longest.clear()


def _set(items: dict[str, _Item], item: tuple[str, _Item], times: int) -> None:
    if times > 0:
        items[item[0]] = item[1]
    else:
        items.pop(item[0], None)


def exchanged(total: Pane | None, old: Pane | None, new: Pane | None) -> Pane:
    """Return a new pane: the counts and buckets of a sum after one part (or None) was replaced by another."""
    found = empty_pane()
    if total is not None:
        found = Pane(total.counts.copy(), total.buckets.copy(), {}, {}, total.longest.copy())
    counts = found.counts
    for part, times in ((old, -1), (new, 1)):
        if part is None:
            continue
        for name, n in part.counts.items():
            counts[name] = counts.get(name, 0) + n * times
            if not counts[name]:
                del counts[name]
        for bucket, n in part.buckets.items():
            sketch.count(found.buckets, bucket, n * times)
        longest.merge(found.longest, part.longest, times)
    if not found.buckets:
        found.longest.clear()
    return found


def merge_panes(panes: Iterable[Pane]) -> Pane:
    """Return a new pane with the counts, buckets and items of all panes. Order and grouping do not matter.

    A subject lives in one source partition, so no id is in two panes of one slice.
    """
    return at_once(merging(panes))


def merging(panes: Iterable[Pane]) -> Pieces[Pane]:
    """Run `merge_panes` in pieces."""
    merged = empty_pane()
    counts = merged.counts
    for place, pane in enumerate(panes):
        for name, n in pane.counts.items():
            counts[name] = counts.get(name, 0) + n
        sketch.merge(merged.buckets, pane.buckets)
        longest.merge(merged.longest, pane.longest)
        merged.calls.update(pane.calls)
        merged.outages.update(pane.outages)
        if place % _FEW == _FEW - 1:
            yield
    for name in [name for name, n in counts.items() if not n]:
        del counts[name]
    if not merged.buckets:
        merged.longest.clear()
    return merged
