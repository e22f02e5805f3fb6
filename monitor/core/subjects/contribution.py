"""The elapsed time of a clock, split by team, agent, state and pause reason; the shares add up to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from monitor.core.clocks.clock import calendar_at, runs_until
from monitor.core.clocks.ticket_state import Course
from monitor.core.time.spans import NEVER_MS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from monitor.core.clocks.clock import Terms
    from monitor.core.clocks.clock_value import Clock
    from monitor.core.facts.events import Fact

NOBODY: Final = "unassigned"
"""The name under which time without a team, or without an agent, is counted."""


class Contribution(NamedTuple):
    """The elapsed business time of a clock (milliseconds), split in four ways; each split adds up to ``elapsed_ms``.

    ``reasons`` are those of pauses that were open but did not hold the clock; "" for time without such a pause.
    """

    elapsed_ms: int
    teams: Mapping[str, int]
    agents: Mapping[str, int]
    states: Mapping[str, int]
    reasons: Mapping[str, int]


def contribution(facts: Sequence[Fact], clock: Clock, of: Terms, now_ms: int) -> Contribution:
    """Return the shares of teams, agents, states and pause reasons in the elapsed time of a clock.

    Args:
        facts: the ledger of the clock's subject.
        clock: one of the subject's clocks.
        of: the clock's terms.
        now_ms: the instant up to which an open clock is counted.
    """
    runs = runs_until(clock, now_ms)
    total: tuple[dict[str, int], ...] = ({}, {}, {}, {})
    elapsed_ms = 0
    for start_ms, end_ms, names in _stands(facts):
        for from_ms, to_ms in runs:
            at_ms, until_ms = max(from_ms, start_ms), min(to_ms, end_ms)
            if at_ms >= until_ms:
                continue
            counted_ms = calendar_at(clock, at_ms, of).elapsed(at_ms, until_ms)
            elapsed_ms += counted_ms
            for shares, name in zip(total, names, strict=True):
                if counted_ms:
                    shares[name] = shares.get(name, 0) + counted_ms
    return Contribution(elapsed_ms, *total)


def _stands(facts: Sequence[Fact]) -> Iterator[tuple[int, int, tuple[str, str, str, str]]]:
    """Yield each span between two facts, with the subject's team, agent, state and pause reasons in it."""
    course = Course()
    team = agent = ""
    for place, fact in enumerate(facts):
        course.advance(fact)
        team = str(fact.attributes.get("team", team))
        agent = str(fact.attributes.get("agent", agent))
        end_ms = facts[place + 1].time_ms if place + 1 < len(facts) else NEVER_MS
        state = "waiting" if course.pauses else "".join(course.states())
        reasons = ", ".join(filter(None, course.pauses))
        yield fact.time_ms, end_ms, (team or NOBODY, agent or NOBODY, state, reasons)
