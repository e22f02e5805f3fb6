"""Parts: a pane with more items than one row may hold is stored in several rows, each of them a pane.

Items are ordered by their position: the instant that they belong to, then a hash of their name. A part holds the items
from its first position up to that of the next part. The pane's own row, the part "", holds all items before the first
part. So changes of one time touch few parts, however many there are, and the rows' keys alone say which part holds an
item. Merged like the panes of several sources, the parts give the whole pane.

No part is larger than `LARGEST` plus one item, whatever the input: a row that no record can hold would stop its
partition for good. Parts are never joined again. A part of the live pane is deleted once it is empty, other parts with
their pane.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from hashlib import blake2b
from operator import attrgetter
from typing import TYPE_CHECKING, Final

from monitor.core.series.series import LIVE, Change, Pane, PaneKey, empty_pane

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from monitor.core.series.series import OutageRecord
    from monitor.core.time.windows import Width

LARGEST: Final = 1 << 16
"""The most characters of a part's items at the end of a batch; a character takes up to 4 bytes of the row."""
_FEW: Final = 16
"""A pane with at most this many items is not measured: even the largest items fit a row."""
_LONGEST_NAME: Final = 64
"""A longer id is kept as its hash: ids are only compared with each other."""
_CALL: Final = 8
_OUTAGE: Final = 60
_WEIGHT: Final = 18
_CUSTOMERS: Final = 14
"""The most characters of a call, of an outage, and of each of its steps, besides their texts."""

_part = attrgetter("part")


def name_of(subject_id: str) -> str:
    """Return the name of an outage or an open subject in panes: its id, or the hash of a long id."""
    return subject_id if len(subject_id) <= _LONGEST_NAME else _hash(subject_id)


def in_order(keys: Iterable[PaneKey]) -> list[PaneKey]:
    """Return keys of panes in the order in which they must be sent: a part before the row from which items moved."""
    return sorted(keys, key=_part, reverse=True)


def size_of(pane: Pane) -> int:
    """Return the approximate number of characters of a pane's items."""
    calls = sum(map(len, pane.calls)) + _CALL * len(pane.calls)
    return calls + sum([_outage_size(name, one) for name, one in pane.outages.items()])


class Parts:
    """The panes of a source partition that have several rows, and the part of each item."""

    __slots__ = ("_first",)

    def __init__(self) -> None:
        self._first: dict[PaneKey, list[str]] = {}
        """For each pane with parts, the first positions of the parts, in order."""

    def __bool__(self) -> bool:
        return bool(self._first)

    def __len__(self) -> int:
        return sum(map(len, self._first.values()))

    def __iter__(self) -> Iterator[PaneKey]:
        """Yield the panes that have parts besides their own rows."""
        return iter(self._first)

    def __contains__(self, key: PaneKey) -> bool:
        """Return whether a pane has parts besides its own row."""
        return key in self._first

    def note(self, key: PaneKey) -> None:
        """Take note that the row of a part exists."""
        insort(self._first.setdefault(key._replace(part=""), []), key.part)

    def forget(self, key: PaneKey) -> None:
        """Forget a part. From now on its items belong to the part before it."""
        whole = key._replace(part="")
        first = self._first[whole]
        first.remove(key.part)
        if not first:
            del self._first[whole]

    def remember(self) -> dict[PaneKey, tuple[str, ...]]:
        """Return a copy of the state, for `recall`."""
        return {key: tuple(first) for key, first in self._first.items()}

    def recall(self, memory: Mapping[PaneKey, tuple[str, ...]]) -> None:
        """Restore a state that `remember` returned, because the rows were taken back to that time."""
        self._first = {key: list(first) for key, first in memory.items()}

    def key_of(self, whole: PaneKey, change: Change) -> PaneKey:
        """Return the key of the part of a pane to which the item of a change belongs."""
        first = self._first.get(whole)
        if first is None:
            return whole
        place = bisect_right(first, _position_of(change))
        return whole._replace(part=first[place - 1]) if place else whole

    def divide(self, panes: Mapping[PaneKey, Pane]) -> dict[PaneKey, Pane]:
        """Move items out of panes that are too large, in place, and return them in new parts."""
        found: dict[PaneKey, Pane] = {}
        for key, pane in panes.items():
            if len(pane.calls) + len(pane.outages) > _FEW and size_of(pane) > LARGEST:
                found.update(_divided(key, pane))
        for key in found:
            self.note(key)
        return found


def _divided(key: PaneKey, pane: Pane) -> dict[PaneKey, Pane]:
    """Move all but the first items out of a pane, and return them in parts of half the largest size."""
    calls = pane.calls
    items = [(_position(_call_ms(key.width, name, calls[name]), name_of(name)), name, True) for name in calls]
    items += [(_position(one.start_ms, name), name, False) for name, one in pane.outages.items()]
    found: dict[PaneKey, Pane] = {}
    part: Pane | None = None
    size, before = 0, ""
    for position, name, is_call in sorted(items):
        size += len(name) + _CALL if is_call else _outage_size(name, pane.outages[name])
        if size > LARGEST // 2 and position != before and before:
            part = found[key._replace(part=position)] = empty_pane()
            size = 0
        before = position
        if part is not None:
            if is_call:
                part.calls[name] = calls.pop(name)
            else:
                part.outages[name] = pane.outages.pop(name)
    return found


def _position_of(change: Change) -> str:
    if change.outage is not None:
        name, record = change.outage
        return _position(record.start_ms, name)
    assert change.call is not None
    name, value_ms = change.call
    if change.at_ms == LIVE:
        return _position(value_ms, name_of(name))
    return _position(change.at_ms, name)


def _call_ms(width: Width, name: str, value_ms: int) -> int:
    """Return the instant that an item belongs to: its value in the live pane, else when the call was queued."""
    return value_ms if width == "live" else int(name.split(".")[2])  # see `monitor.core.calls.repeats`


def _position(at_ms: int, name: str) -> str:
    return f"{max(0, at_ms):014x}{_hash(name)}"


def _outage_size(name: str, one: OutageRecord) -> int:
    texts = len(name) + len(one.parent) + len(one.component)
    return texts + _OUTAGE + _WEIGHT * len(one.weights) + _CUSTOMERS * len(one.customers)


def _hash(text: str) -> str:
    # Not hash(): its value for a text differs from worker to worker.
    return blake2b(text.encode(), digest_size=8).hexdigest()
