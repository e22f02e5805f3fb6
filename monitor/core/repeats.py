"""Repeat calls: first call resolution by "no repeat call of the same caller and issue within W" (domain.md §4).

Other calls are other subjects, maybe of other partitions. So each call with a caller leaves an item in the pane of the
instant at which it was queued, and whoever adds up the panes finds the repeats among them:

    <hash of caller and issue>.<hash of the call's id>.<queued_ms>.<1 if transferred after its answer>  ->  ended_ms

``ended_ms`` is 0 of a call that was not handled (abandoned, waiting): it is no resolution, but it may be a repeat.

- A *repeat* of a call was queued after it, and at most W after its end. It is looked for in the same series: where
  figures are split by queue, a call to another queue is none.
- *Provisional* until the call's end + W, *confirmed* from then on, whatever was found before: repeats show early, so
  that confirming them at once would make the confirmed share too low.
- A call without a caller says nothing, and stands in no denominator. Without an issue the caller alone decides.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from monitor.core.events import Value
    from monitor.core.timeline import Span


class Tally(NamedTuple):
    """Handled calls of a window: all, those without a repeat so far, those that ended W ago, of them without repeat.

    ``_net`` leaves out the calls that the first level could not solve.
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


class _Kept(NamedTuple):
    """The tally of a pane, and the instants ``[from_ms, until_ms)`` for which it holds."""

    tally: Tally
    from_ms: int
    until_ms: float


def repeat_item(
    call_id: str, attributes: Mapping[str, Value], queued_ms: int, ended_ms: int, *, escalated: bool
) -> tuple[str, int] | None:
    """Return the item that a call leaves in its pane; None where its caller is not known."""
    caller = attributes.get("caller")
    if not caller:
        return None
    who = _hash(f"{caller}\x1f{attributes.get('issue', '')}")
    return f"{who}.{_hash(call_id)}.{queued_ms}.{int(escalated)}", ended_ms


def _hash(text: str) -> str:
    # Not hash(): that of a text differs from worker to worker.
    return blake2b(text.encode(), digest_size=8).hexdigest()


def _call(item: str, ended_ms: int) -> _Call:
    who, _, queued, escalated = item.split(".")
    return _Call(int(who, 16), int(queued), ended_ms, escalated == "1")


class RepeatIndex:
    """The calls in the panes of one width of a series, by who called. Only what changed is counted again.

    ``stale`` are the starts of panes that are to be taken (`take`) before the next `tally`.
    """

    __slots__ = ("_callers", "_calls", "_tallies", "stale")

    def __init__(self, starts: Iterable[int]) -> None:
        self.stale = set(starts)
        self._calls: dict[int, list[_Call]] = {}
        self._callers: dict[int, list[tuple[int, int]]] = {}
        """Instants of queueing and the pane's start, by who called."""
        self._tallies: dict[int, _Kept] = {}

    def take(self, start_ms: int, items: Mapping[str, int]) -> None:
        """Take over the items of a pane; none: it is gone."""
        self.stale.discard(start_ms)
        before = self._calls.pop(start_ms, [])
        after = [_call(item, ended_ms) for item, ended_ms in items.items()]
        if after:
            self._calls[start_ms] = after
        changed = set(before) ^ set(after)
        for call in before:
            self._callers[call.who].remove((call.queued_ms, start_ms))
        for call in after:
            self._callers.setdefault(call.who, []).append((call.queued_ms, start_ms))
        self._tallies.pop(start_ms, None)
        for call in changed:
            places = self._callers[call.who]
            for _, other_ms in places:
                self._tallies.pop(other_ms, None)
        for who in {call.who for call in before}:
            if not self._callers[who]:
                del self._callers[who]

    def tally(self, span: Span, within_ms: int, now_ms: int) -> Tally:
        """Return the tally over the panes that start in a span, as far as it is known at an instant."""
        total = NO_TALLY
        for start_ms in self._calls:
            if span.start_ms <= start_ms < span.end_ms:
                kept = self._tallies.get(start_ms)
                if kept is None or not kept.from_ms <= now_ms < kept.until_ms:
                    kept = self._tallies[start_ms] = self._counted(start_ms, within_ms, now_ms)
                total = Tally(*[one + more for one, more in zip(total, kept.tally, strict=True)])
        return total

    def _counted(self, start_ms: int, within_ms: int, now_ms: int) -> _Kept:
        handled = unrepeated = confirmed = first = confirmed_net = first_net = 0
        until_ms = float("inf")
        for call in self._calls[start_ms]:
            if not call.ended_ms:
                continue
            end_ms = call.ended_ms + within_ms
            repeats = [queued for queued, _ in self._callers[call.who] if call.queued_ms < queued <= end_ms]
            repeated = any(queued <= now_ms for queued in repeats)
            until_ms = min([until_ms, *(queued for queued in repeats if queued > now_ms)])
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
