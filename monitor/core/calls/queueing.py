"""A call's stay in its queue: when it was queued, and how its wait ended (domain.md §4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitor.core.facts.events import Fact
if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitor.core.facts.events import Fact


Outcome = Literal["waiting", "answered", "abandoned", "callback", "transferred"]
"""The outcome of a call by its facts. Whether a waiting call is lost depends on the time alone and is decided later."""
_DECIDES: Final[dict[str, Outcome]] = {
    "answered": "answered",
    "abandoned": "abandoned",
    "callback_requested": "callback",
}


class Stay(NamedTuple):
    """A call's stay in the queue: when it was first queued, its outcome, and the outcome's instant (None: it waits)."""

    queued_ms: int
    outcome: Outcome
    at_ms: int | None = None


def stay_of(facts: Sequence[Fact]) -> Stay | None:
    """Return a call's stay in the queue, or None if no fact says that it was queued. Facts are ordered."""
    first = next((index for index, fact in enumerate(facts) if fact.type == "queued"), None)
    if first is None:
        return None
    queued_ms = facts[first].time_ms
    # The usual call is queued first, so there is nothing before it to search.
    early, ended = _before_the_queue(facts[:first]) if first else (None, None)
    if early is not None:
        return Stay(queued_ms, _DECIDES[early.type], early.time_ms)
    flow_out: Fact | None = None
    for fact in facts[first + 1 :]:
        kind = fact.type
        if kind in _DECIDES and flow_out is None:
            return Stay(queued_ms, _DECIDES[kind], fact.time_ms)
        if kind == "queued":
            flow_out = ended = None
        elif kind == "transferred":
            flow_out = flow_out or fact
        elif kind == "ended":
            ended = ended or fact
    if flow_out is not None:
        return Stay(queued_ms, "transferred", flow_out.time_ms)
    return Stay(queued_ms, "abandoned", ended.time_ms) if ended is not None else Stay(queued_ms, "waiting")


def _before_the_queue(facts: Sequence[Fact]) -> tuple[Fact | None, Fact | None]:
    """Return the first outcome and the first end that a skewed clock put before the queue."""
    early: Fact | None = None
    ended: Fact | None = None
    for fact in facts:
        if fact.type == "transferred":
            early = ended = None  # a transfer into the queue: facts before it belong to another agent's call
        elif fact.type in _DECIDES:
            early = early or fact
        elif fact.type == "ended":
            ended = ended or fact
    return early, ended
