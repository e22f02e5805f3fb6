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
from typing import TYPE_CHECKING, NamedTuple

from monitor.core.pieces import at_once

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from monitor.core.facts.events import Value
    from monitor.core.pieces import Pieces
    from monitor.core.time.spans import Span


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


class _Call(NamedTuple):
    who: int
    queued_ms: int
    ended_ms: int
    escalated: bool


_Place = tuple[int, str]
"""The place of calls: the start of their pane, and the pane's part."""


class _Kept(NamedTuple):
    """The tally of a pane, and the instants ``[from_ms, until_ms)`` for which it holds."""

    tally: Tally
    from_ms: int
    until_ms: float


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
    """The calls in the panes of one width of a series, by caller. Only changed panes are counted again.

    ``stale`` are the starts of panes that must be taken (`take`) before the next `tally`. A pane may consist of several
    parts. Each part is taken and counted by itself, so the cost of a new call does not depend on the number of calls of
    the day.
    """

    __slots__ = ("_callers", "_calls", "_items", "_of", "_tallies", "stale")

    def __init__(self, starts: Iterable[int]) -> None:
        self.stale = set(starts)
        self._items: dict[_Place, Mapping[str, int]] = {}
        self._of: dict[int, set[str]] = {}
        """The parts of each pane that have calls."""
        self._calls: dict[_Place, list[_Call]] = {}
        self._callers: dict[int, list[tuple[int, _Place]]] = {}
        """By caller: the instants at which calls were queued and the calls' places, in order."""
        self._tallies: dict[_Place, _Kept] = {}

    def take(self, start_ms: int, parts: Mapping[str, Mapping[str, int]]) -> None:
        """Take over the items of a pane, by part. No parts: the pane is gone. The items must not be changed later."""
        at_once(self.taking(start_ms, parts))

    def taking(self, start_ms: int, parts: Mapping[str, Mapping[str, int]]) -> Pieces[None]:
        """Run ``take`` in pieces. The pane is stale until all its parts are taken."""
        for part in self._of.get(start_ms, set()) - parts.keys():
            self._replace((start_ms, part), {})
            yield
        for part, items in parts.items():
            if items is not self._items.get((start_ms, part)):
                self._replace((start_ms, part), items)
                yield
        self.stale.discard(start_ms)

    def _replace(self, place: _Place, items: Mapping[str, int]) -> None:
        before = self._calls.pop(place, [])
        after = [_call(item, ended_ms) for item, ended_ms in items.items()]
        self._of.setdefault(place[0], set()).add(place[1])
        if after:
            self._calls[place], self._items[place] = after, items
        else:
            self._items.pop(place, None)
            self._of[place[0]].discard(place[1])
            if not self._of[place[0]]:
                del self._of[place[0]]
        changed = set(before) ^ set(after)
        for call in before:
            others = self._callers[call.who]
            others.pop(bisect_left(others, (call.queued_ms, place)))
        for call in after:
            insort(self._callers.setdefault(call.who, []), (call.queued_ms, place))
        self._tallies.pop(place, None)
        for call in changed:
            self._forget_before(call)
        for who in {call.who for call in before}:
            if not self._callers[who]:
                del self._callers[who]

    def _forget_before(self, call: _Call) -> None:
        """Forget the tallies of the last calls before a call: it is their next call. Earlier calls have another one."""
        others = self._callers[call.who]
        end = bisect_left(others, (call.queued_ms,))
        if end:
            last_ms = others[end - 1][0]
            for _, place in others[bisect_left(others, (last_ms,)) : end]:
                self._tallies.pop(place, None)

    def tally(self, span: Span, within_ms: int, now_ms: int) -> Tally:
        """Return the tally of the panes that start in a span, by the repeats that are known at an instant."""
        return at_once(self.tallying(span, within_ms, now_ms))

    def tallying(self, span: Span, within_ms: int, now_ms: int) -> Pieces[Tally]:
        """Run ``tally`` in pieces."""
        total = NO_TALLY
        for place in self._calls:
            if span.start_ms <= place[0] < span.end_ms:
                kept = self._tallies.get(place)
                if kept is None or not kept.from_ms <= now_ms < kept.until_ms:
                    kept = self._tallies[place] = self._counted(place, within_ms, now_ms)
                    yield
                total = Tally(*[one + more for one, more in zip(total, kept.tally, strict=True)])
        return total

    def _counted(self, place: _Place, within_ms: int, now_ms: int) -> _Kept:
        handled = unrepeated = confirmed = first = confirmed_net = first_net = 0
        until_ms = float("inf")
        for call in self._calls[place]:
            if not call.ended_ms:
                continue
            if call.ended_ms > now_ms:  # a statement holds what was known at its close
                until_ms = min(until_ms, call.ended_ms)
                continue
            end_ms = call.ended_ms + within_ms
            others = self._callers[call.who]
            after = bisect_left(others, (call.queued_ms + 1,))
            next_ms = others[after][0] if after < len(others) else None
            repeated = False
            if next_ms is not None and next_ms <= end_ms:
                repeated = next_ms <= now_ms
                if not repeated:
                    until_ms = min(until_ms, next_ms)
            handled += 1
            unrepeated += not repeated
            if now_ms < end_ms:
                until_ms = min(until_ms, end_ms)
                continue
            confirmed += 1
            first += not repeated
            if not call.escalated:
                confirmed_net += 1
                first_net += not repeated
        return _Kept(Tally(handled, unrepeated, confirmed, first, confirmed_net, first_net), now_ms, until_ms)
