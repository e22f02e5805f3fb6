"""The stretches of a clock: when it ran, when it stood still, and for which reason (domain.md §3)."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from functools import cached_property
from itertools import accumulate, islice
from operator import itemgetter
from typing import TYPE_CHECKING, Final

from monitor.core.agreements.clock_metrics import SOLVED
from monitor.core.alerts.stretches import MOST_TOLD, Stretch, Stretches, newest
from monitor.core.clocks import clock as clocks
from monitor.core.clocks.pauses import with_begun, without_ended
from monitor.core.clocks.ticket_state import Course
from monitor.core.facts.events import counts_as

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from monitor.core.clocks.clock import Terms
    from monitor.core.clocks.clock_value import Clock
    from monitor.core.facts.events import Fact, Value
    from monitor.core.time.calendar import Calendar

_FEW: Final = 8
"""The number of announcements for each of which the stretches are computed anew."""
_MOST_REASONS: Final = 20
"""The most pauses open at once whose reasons are listed: a text with a thousand reasons helps nobody."""


def stretches_of(facts: Sequence[Fact], clock: Clock, of: Terms, end_ms: int) -> list[Stretch]:
    """Return the stretches of a clock's life from its start up to an instant, in order.

    Args:
        facts: the ledger of the clock's subject; facts after ``end_ms`` change nothing.
        clock: the clock as it was at that instant.
        of: the clock's terms.
        end_ms: the instant, not before the clock's start.
    """
    found: list[Stretch] = []
    halts: _Halts | None = None  # most clocks that are announced have never stood still
    at_ms = clock.start_ms
    for start_ms, stop_ms in clocks.runs_until(clock, end_ms):
        if at_ms < start_ms:
            halts = halts or _Halts(facts, clock, of)
            found += halts.between(at_ms, start_ms)
        found += _counted_or_closed(clocks.calendar_at(clock, start_ms, of), start_ms, stop_ms)
        at_ms = stop_ms
    if at_ms < end_ms:
        found += (halts or _Halts(facts, clock, of)).between(at_ms, end_ms)
    return found


class Life:
    """The stretches of a clock's life, computed once; the stretches up to any instant are cut from them."""

    def __init__(self, facts: Sequence[Fact], clock: Clock, of: Terms, end_ms: int) -> None:
        self._clock = clock
        self._end_ms = end_ms
        self._stretches = stretches_of(facts, clock, of, end_ms)
        lengths = [one.end_ms - one.start_ms if one.kind == "counted" else 0 for one in self._stretches]
        self._counted_ms = list(accumulate(lengths, initial=0))

    def covers(self, clock: Clock, at_ms: int) -> bool:
        """Return whether a clock is an earlier state of this one, and its stretches up to an instant are known."""
        is_earlier = clock.runs == self._clock.runs[: len(clock.runs)] and clock.start_ms == self._clock.start_ms
        return is_earlier and _shown_until_ms(clock, at_ms) <= self._end_ms

    def until(self, clock: Clock, at_ms: int) -> Stretches:
        """Return ``newest(stretches_of(…))`` for an earlier state of this clock, up to an instant."""
        end_ms = _shown_until_ms(clock, at_ms)
        count = bisect_left(self._stretches, end_ms, key=itemgetter(0))
        first = max(0, count - MOST_TOLD)
        told = self._stretches[first:count]
        if told and told[-1].end_ms > end_ms:
            told[-1] = told[-1]._replace(end_ms=end_ms)
        left_out_ms = told[0].start_ms - self._stretches[0].start_ms if first else 0
        return Stretches(newest(told).newest, first, left_out_ms, self._counted_ms[first])


def _shown_until_ms(clock: Clock, at_ms: int) -> int:
    """Return the end of what is shown: a clock that has gone on since is shown with all up to its last change."""
    return max(at_ms, *clock.runs[-1:], clock.since_ms if clock.state == "running" else 0)


def life_of(facts: Sequence[Fact], clock: Clock, of: Terms | None, instants: Sequence[int]) -> Life | None:
    """Return the life of a clock up to the last of many announcements; None if they are few, or its terms unknown."""
    return None if of is None or len(instants) <= _FEW else Life(facts, clock, of, max(instants))


def _counted_or_closed(calendar: Calendar, start_ms: int, end_ms: int) -> list[Stretch]:
    found: list[Stretch] = []
    at_ms = start_ms
    for from_ms, to_ms in calendar.open_spans(start_ms, end_ms):
        if at_ms < from_ms:
            found += _closed(calendar, at_ms, from_ms)
        found.append(Stretch(from_ms, to_ms, "counted"))
        at_ms = to_ms
    if at_ms < end_ms:
        found += _closed(calendar, at_ms, end_ms)
    return found


def _closed(calendar: Calendar, start_ms: int, end_ms: int) -> Iterator[Stretch]:
    at_ms = start_ms
    for from_ms, to_ms, name in calendar.holidays(start_ms, end_ms):
        if at_ms < from_ms:
            yield Stretch(at_ms, from_ms, "closed")
        yield Stretch(from_ms, to_ms, "holiday", name)
        at_ms = to_ms
    if at_ms < end_ms:
        yield Stretch(at_ms, end_ms, "closed")


class _Halts:
    """The stretches in which a clock stands still. They must be asked for in order: the ledger is read only once."""

    def __init__(self, facts: Sequence[Fact], clock: Clock, of: Terms) -> None:
        self._facts = facts
        self._clock = clock
        self._of = of
        self._read = 0

    @cached_property
    def _course(self) -> Course:
        return Course()

    @cached_property
    def _holds(self) -> list[tuple[int, str, str]]:
        return [(0, "solved", ""), *_holds(self._facts, self._clock, self._of)]

    def between(self, start_ms: int, end_ms: int) -> Iterator[Stretch]:
        """Yield the stretches of a halt by their cause: the pauses that were open, the stop, or the ticket's state."""
        if self._of.metric.course == "states":
            while self._read < len(self._facts) and self._facts[self._read].time_ms <= start_ms:
                self._course.advance(self._facts[self._read])
                self._read += 1
            yield Stretch(start_ms, end_ms, "outside", min(self._course.states(), key=len))
            return
        at_ms, place = start_ms, bisect_right(self._holds, start_ms, key=itemgetter(0))
        _, kind, reason = self._holds[place - 1]
        while place < len(self._holds) and self._holds[place][0] < end_ms:
            time_ms, held_as, why = self._holds[place]
            if time_ms > at_ms and (held_as, why) != (kind, reason):
                yield Stretch(at_ms, time_ms, kind, reason)  # type: ignore[arg-type]  # one of the two
                at_ms = time_ms
            kind, reason = held_as, why
            place += 1
        yield Stretch(at_ms, end_ms, kind, reason)  # type: ignore[arg-type]  # one of the two


def _holds(facts: Sequence[Fact], clock: Clock, of: Terms) -> Iterator[tuple[int, str, str]]:
    """Yield, for each fact, why the clock would stand still after it: ``paused`` with the reasons, or ``solved``."""
    pauses: list[str] = []
    stopped = False
    pause_on = of.rule.pause_on
    for fact in _facts_of(facts, clock, of):
        reason = text_of(fact.attributes.get("reason"))
        if of.metric.course and fact.type in SOLVED:
            pauses = []
        elif not of.metric.course and counts_as(fact, of.metric.stop):
            # Not for driven clocks: they never run again, and a stop before their start belongs to an earlier cycle.
            stopped, pauses = True, []
        elif stopped and fact.type in of.metric.restart:  # a stray one restarts nothing, and ends no pause
            stopped = False
        elif fact.type == "paused" and not stopped:
            pauses = with_begun(pauses, reason, pause_on) or pauses
        elif fact.type == "resumed" and (left := without_ended(pauses, reason, pause_on)) is not None:
            pauses = left
        yield fact.time_ms, "paused" if pauses else "solved", ", ".join(islice(filter(None, pauses), _MOST_REASONS))


def _facts_of(facts: Sequence[Fact], clock: Clock, of: Terms) -> Sequence[Fact]:
    """Return the facts that could hold a clock: in a later cycle, those after the fact that began the cycle."""
    if clock.cycle == 1:
        return facts
    began = [
        place for place, fact in enumerate(facts) if fact.time_ms == clock.start_ms and fact.type in of.metric.restart
    ]
    return facts[began[-1] + 1 :] if began else facts


def text_of(value: Value | None) -> str:
    """Return a value as text; "" for None."""
    return "" if value is None else str(value)
