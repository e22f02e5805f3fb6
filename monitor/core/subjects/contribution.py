"""Who has had a clock while its time elapsed, and in which state the ticket was: shares that add up to elapsed."""

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
"""The name of what nobody has: no team, no agent."""


class Contribution(NamedTuple):
    """What has elapsed of a clock (business time, milliseconds), split in four ways; each adds up to all of it.

    ``reasons`` are those of pauses that were open but did not hold the clock: "" where none was.
    """

    elapsed_ms: int
    teams: Mapping[str, int]
    agents: Mapping[str, int]
    states: Mapping[str, int]
    reasons: Mapping[str, int]


def contribution(facts: Sequence[Fact], clock: Clock, of: Terms, now_ms: int) -> Contribution:
    """Return who and what contributed to the elapsed time of a clock.

    Args:
        facts: the ledger of its subject.
        clock: one of its clocks.
        of: its terms.
        now_ms: up to when an open clock is told.
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
    """Yield from when to when who had the subject: team, agent, state and the reasons of its pauses."""
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
