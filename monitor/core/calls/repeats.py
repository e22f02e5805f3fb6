"""Repeat calls: first call resolution by "no repeat call of the same caller and issue within W" (domain.md §4).

The calls of one caller are separate subjects, perhaps of different partitions. So each call with a known caller leaves
an item in the pane of the instant at which it was queued. The evaluator adds up the panes of all partitions and finds
the repeats among their items:

    <hash of caller and issue>.<hash of the call's id>.<queued_ms>.<1 if transferred after its answer>  ->  ended_ms

``ended_ms`` is 0 for a call that was not handled (abandoned, waiting): it is no resolution, but it may be a repeat.

- A *repeat* of a call is queued after it, and at most W after its end. It is looked for in the same series only: if
  figures are split by queue, a call to another queue is no repeat.
- A call is *provisional* until its end + W and *confirmed* from then on, even if a repeat was found earlier. Repeats
  are found before the W of unrepeated calls is over, so confirming them at once would make the confirmed share too low.
- A call without a caller is in no denominator. Without an issue the caller alone decides.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from hashlib import blake2b
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Final, NamedTuple

from monitor.core.pieces import at_once, lots
from monitor.core.time.spans import NEVER_MS, Span

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from monitor.core.facts.events import Value
    from monitor.core.pieces import Pieces


class Tally(NamedTuple):
    """Counts of the handled calls of a window.

    ``handled`` are all, ``unrepeated`` those without a repeat so far, ``confirmed`` those that ended at least W ago,
    ``first`` those of the confirmed ones without a repeat. ``_net`` leaves out calls that were transferred after their
    answer: the first level could not solve them.
    """

    handled: int = 0
    unrepeated: int = 0
    confirmed: int = 0
    first: int = 0
    confirmed_net: int = 0
    first_net: int = 0


NO_TALLY = Tally()
_AT_ONCE: Final = 256
"""Calls that are counted without a pause: some microseconds each."""
_MOST_MOVING: Final = 16
"""The tallies of moving spans that are kept: months have four lengths, and a clock change makes two more of each."""


class _Call(NamedTuple):
    who: int
    queued_ms: int
    ended_ms: int
    escalated: bool


_Place = tuple[int, str]
"""The place of calls: the start of their pane, and the pane's part."""


class _Share(NamedTuple):
    """The part of one call in the tally, and the first instant at which it differs (`NEVER_MS`: none)."""

    tally: Tally
    until_ms: int


class _Moving:
    """The tally of the panes in a span that moves: only panes that entered, left or changed are added up again."""

    __slots__ = ("parts", "span", "stale", "total")

    def __init__(self) -> None:
        self.span = Span(0, 0)
        self.parts: dict[_Place, Tally] = {}
        self.stale: set[_Place] = set()
        self.total = NO_TALLY


def repeat_item(
    call_id: str, attributes: Mapping[str, Value], queued_ms: int, ended_ms: int, *, escalated: bool
) -> tuple[str, int] | None:
    """Return the item that a call leaves in its pane; None if its caller is not known."""
    caller = attributes.get("caller")
    if not caller:
        return None
    who = _hash(f"{caller}\x1f{attributes.get('issue', '')}")
    return f"{who}.{_hash(call_id)}.{queued_ms}.{int(escalated)}", ended_ms


def _hash(text: str) -> str:
    # Not hash(): its value for a text differs from worker to worker.
    return blake2b(text.encode(), digest_size=8).hexdigest()


def _call(item: str, ended_ms: int) -> _Call:
    who, _, queued, escalated = item.split(".")
    return _Call(int(who, 16), int(queued), ended_ms, escalated == "1")


class RepeatIndex:
    """The calls in the panes of one width of a series, by caller, and the share of each call in the tally.

    A new or changed call costs its own share and those of the caller's calls just before it; the passing of time costs
    the calls whose W is over. The other calls of the day cost nothing.

    ``stale`` are the starts of panes that must be taken (`take`) before the next `tally`. A pane may consist of several
    parts; each is taken by itself.
    """

    __slots__ = (
        "_at_ms",
        "_callers",
        "_calls",
        "_items",
        "_moving",
        "_of",
        "_shares",
        "_sums",
        "_turns",
        "_within_ms",
        "stale",
    )

    def __init__(self, starts: Iterable[int]) -> None:
        self.stale = set(starts)
        self._items: dict[_Place, Mapping[str, int]] = {}
        self._of: dict[int, set[str]] = {}
        """The parts of each pane that have calls."""
        self._calls: dict[_Place, dict[str, _Call]] = {}
        """The calls of each place by their items."""
        self._callers: dict[int, list[tuple[int, _Place, str]]] = {}
        """By caller: the instants at which calls were queued, their places and items, in order."""
        self._at_ms = 0
        """The instant as of which the shares are counted."""
        self._within_ms = 0
        self._shares: dict[tuple[_Place, str], _Share] = {}
        self._sums: dict[_Place, Tally] = {}
        self._turns: list[tuple[int, _Place, str]] = []
        """A heap of the instants at which shares differ by time alone, with lazy deletion."""
        self._moving: dict[int, _Moving] = {}
        """The tallies of spans that move, by their length."""

    def take(self, start_ms: int, parts: Mapping[str, Mapping[str, int]]) -> None:
        """Take over the items of a pane, by part. No parts: the pane is gone. The items must not be changed later."""
        at_once(self.taking(start_ms, parts))

    def taking(self, start_ms: int, parts: Mapping[str, Mapping[str, int]]) -> Pieces[None]:
        """Run ``take`` in pieces. The pane is stale until all its parts are taken."""
        for part in self._of.get(start_ms, set()) - parts.keys():
            yield from self._replace((start_ms, part), {})
        for part, items in parts.items():
            if items is not self._items.get((start_ms, part)):
                yield from self._replace((start_ms, part), items)
        self.stale.discard(start_ms)

    def _replace(self, place: _Place, items: Mapping[str, int]) -> Pieces[None]:
        before = self._items.get(place, {})
        calls = self._calls.setdefault(place, {})
        self._of.setdefault(place[0], set()).add(place[1])
        touched: set[tuple[_Place, str]] = set()
        for lot in lots(before.keys() | items.keys(), _AT_ONCE):
            for item in lot:
                if items.get(item) == before.get(item):
                    continue
                old = [(calls.pop(item), False)] if item in calls else []
                new = [(_call(item, items[item]), True)] if item in items else []
                for call, is_new in (*old, *new):
                    self._move(place, item, call, is_new=is_new)
                    touched.update(self._before(call))
                touched.add((place, item))
            yield
        self._items[place] = items
        for some in lots(touched, _AT_ONCE):
            for one in some:
                self._count(one)
            yield
        if not items:
            del self._items[place], self._calls[place]
            self._sums.pop(place, None)
            self._of[place[0]].discard(place[1])
            if not self._of[place[0]]:
                del self._of[place[0]]

    def _move(self, place: _Place, item: str, call: _Call, *, is_new: bool) -> None:
        """Put a call among those of its caller, or take it away."""
        others = self._callers.setdefault(call.who, [])
        entry = call.queued_ms, place, item
        if is_new:
            self._calls[place][item] = call
            insort(others, entry)
            return
        others.pop(bisect_left(others, entry))
        if not others:
            del self._callers[call.who]

    def _before(self, call: _Call) -> list[tuple[_Place, str]]:
        """Return the last calls before a call: it is their next call. Earlier calls have another one."""
        others = self._callers.get(call.who, [])
        end = bisect_left(others, (call.queued_ms,))
        if not end:
            return []
        return [(place, item) for _, place, item in others[bisect_left(others, (others[end - 1][0],)) : end]]

    def _count(self, of: tuple[_Place, str]) -> None:
        """Count the share of a call as of now, in place of its older one."""
        place, item = of
        call = self._calls.get(place, {}).get(item)
        share = _NO_SHARE if call is None else self._share(call, self._within_ms, self._at_ms)
        old = self._shares.get(of, _NO_SHARE)
        if share.tally != old.tally:
            self._sums[place] = _sum(_sum(self._sums.get(place, NO_TALLY), old.tally, -1), share.tally, 1)
            for moving in self._moving.values():
                moving.stale.add(place)
        if share.until_ms < NEVER_MS:
            heappush(self._turns, (share.until_ms, place, item))
        if call is None:
            self._shares.pop(of, None)
        else:
            self._shares[of] = share

    def tally(self, span: Span, within_ms: int, now_ms: int) -> Tally:
        """Return the tally of the panes that start in a span, by the repeats that are known at an instant."""
        return at_once(self.tallying(span, within_ms, now_ms))

    def tallying(self, span: Span, within_ms: int, now_ms: int) -> Pieces[Tally]:
        """Run ``tally`` in pieces."""
        if now_ms < self._at_ms and within_ms == self._within_ms:
            return (yield from self._looking_back(span, within_ms, now_ms))
        if within_ms != self._within_ms:
            self._within_ms, self._at_ms = within_ms, now_ms
            for lot in lots([(place, item) for place, calls in self._calls.items() for item in calls], _AT_ONCE):
                for one in lot:
                    self._count(one)
                yield
        self._at_ms = now_ms
        done = 0
        while self._turns and self._turns[0][0] <= now_ms:
            at_ms, place, item = heappop(self._turns)
            share = self._shares.get((place, item))
            if share is not None and share.until_ms == at_ms:
                self._count((place, item))
            done += 1
            if done % _AT_ONCE == 0:
                yield
        return self._moved(span)

    def _moved(self, span: Span) -> Tally:
        length_ms = span.end_ms - span.start_ms
        moving = self._moving.get(length_ms)
        if moving is None:
            if len(self._moving) >= _MOST_MOVING:
                self._moving.clear()
            moving = self._moving[length_ms] = _Moving()
        if span != moving.span:
            moving.span = span
            moving.stale.update([one for one in moving.parts if not span.start_ms <= one[0] < span.end_ms])
            moving.stale.update(
                [one for one in self._sums if span.start_ms <= one[0] < span.end_ms and one not in moving.parts]
            )
        for place in moving.stale:
            old = moving.parts.pop(place, None)
            if old is not None:
                moving.total = _sum(moving.total, old, -1)
            new = self._sums.get(place)
            if new is not None and span.start_ms <= place[0] < span.end_ms:
                moving.parts[place] = new
                moving.total = _sum(moving.total, new, 1)
        moving.stale.clear()
        return moving.total

    def _looking_back(self, span: Span, within_ms: int, now_ms: int) -> Pieces[Tally]:
        """Return the tally as of an instant before the one as of which the shares are counted."""
        total = NO_TALLY
        for place, calls in self._calls.items():
            if span.start_ms <= place[0] < span.end_ms:
                for call in calls.values():
                    total = _sum(total, self._share(call, within_ms, now_ms).tally, 1)
                yield
        return total

    def _share(self, call: _Call, within_ms: int, now_ms: int) -> _Share:
        if not call.ended_ms:
            return _NO_SHARE
        if call.ended_ms > now_ms:  # a statement holds what was known at its close
            return _Share(NO_TALLY, call.ended_ms)
        end_ms = call.ended_ms + within_ms
        others = self._callers[call.who]
        after = bisect_left(others, (call.queued_ms + 1,))
        next_ms = others[after][0] if after < len(others) else NEVER_MS
        until_ms, repeated = NEVER_MS, False
        if next_ms <= end_ms:
            repeated = next_ms <= now_ms
            if not repeated:
                until_ms = next_ms
        if now_ms < end_ms:
            return _Share(_PROVISIONAL[repeated], min(until_ms, end_ms))
        return _Share(_CONFIRMED[repeated, call.escalated], until_ms)


_NO_SHARE: Final = _Share(NO_TALLY, NEVER_MS)
_PROVISIONAL: Final = {repeated: Tally(handled=1, unrepeated=int(not repeated)) for repeated in (False, True)}
_CONFIRMED: Final = {
    (repeated, escalated): Tally(
        1, int(not repeated), 1, int(not repeated), int(not escalated), int(not escalated and not repeated)
    )
    for repeated in (False, True)
    for escalated in (False, True)
}


def _sum(one: Tally, other: Tally, times: int) -> Tally:
    return Tally(
        one[0] + other[0] * times, one[1] + other[1] * times, one[2] + other[2] * times,
        one[3] + other[3] * times, one[4] + other[4] * times, one[5] + other[5] * times,
    )  # fmt: skip
