"""Metrics of clocks: which events of a subject start and stop its clocks (domain.md §3 to §6)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from monitor.core.facts.events import Subject

CourseKind = Literal["", "answers", "updates", "owner", "states"]


@dataclass(frozen=True, slots=True)
class Metric:
    """The event types that start and stop a clock. If one event matches several: stop > pause > start."""

    start: frozenset[str]
    stop: frozenset[str]
    restart: frozenset[str] = frozenset()
    """Events that begin a new cycle of a stopped clock (a reopened ticket)."""
    early_stop: bool = True
    """Whether a stop before the start comes from a skewed clock. If not, it is ignored: an answer before a callback."""
    gap: Literal["", "counted", "left_out"] = ""
    """Whether the solved gap before a reopening is elapsed time, or is left out of elapsed and wall-clock time."""
    course: CourseKind = ""
    """The ticket state that drives the clock if types alone do not (`clocks.ticket_state`); ``start`` is then empty."""
    states: frozenset[str] = frozenset()
    """The states in which a state-driven clock runs; empty: those of its rule."""


SOLVED: Final = frozenset({"resolved", "closed"})
"""The event types that solve a ticket."""
_UNSOLVED: Final = frozenset({"new", "assigned", "in_progress", "waiting"})
METRICS: Final[dict[Subject, dict[str, Metric]]] = {
    "ticket": {
        # An answer or a solution shows that the ticket was seen: later steps stop the earlier clocks too.
        "acknowledge": Metric(frozenset({"opened"}), frozenset({"acknowledged", "responded", "resolved", "closed"})),
        "first_response": Metric(frozenset({"opened"}), frozenset({"responded", "resolved", "closed"})),
        "resolution": Metric(frozenset({"opened"}), SOLVED, frozenset({"reopened"})),
        # domain.md §4, TAT: received to delivered. A solution is delivered when the customer's ticket is closed.
        "turnaround": Metric(frozenset({"opened"}), frozenset({"closed"}), frozenset({"reopened"})),
        "resolution_gross": Metric(frozenset({"opened"}), SOLVED, frozenset({"reopened"}), gap="counted"),
        "resolution_net": Metric(frozenset({"opened"}), SOLVED, frozenset({"reopened"}), gap="left_out"),
        "next_response": Metric(frozenset(), frozenset({"responded"}) | SOLVED, course="answers"),
        "periodic_update": Metric(frozenset(), frozenset({"responded", "updated"}) | SOLVED, course="updates"),
        "ownership": Metric(frozenset(), frozenset({"assigned"}) | SOLVED, course="owner"),
        "time_in": Metric(frozenset(), SOLVED, course="states"),
        "requester_wait": Metric(frozenset(), SOLVED, course="states", states=_UNSOLVED),
        "agent_work": Metric(frozenset(), SOLVED, course="states", states=_UNSOLVED - {"waiting"}),
    },
    "outage": {
        "acknowledge": Metric(frozenset({"started"}), frozenset({"acknowledged", "responded", "restored", "resolved"})),
        "respond": Metric(frozenset({"started"}), frozenset({"responded", "restored", "resolved"})),
        "restore": Metric(frozenset({"started"}), frozenset({"restored", "resolved"})),
        "resolve": Metric(frozenset({"started"}), frozenset({"resolved"})),
    },
    "lead": {
        # domain.md §6: the clock starts at the hand-over, not at the creation.
        "follow_up": Metric(
            frozenset({"handed_over"}), frozenset({"attempted", "contacted", "disqualified", "won", "lost"})
        ),
    },
    "call": {
        # domain.md §4: until the customer is reached. Hanging up to be called back does not stop it.
        "callback": Metric(frozenset({"callback_requested"}), frozenset({"answered"}), early_stop=False),
    },
}
"""The clocks of each subject that has any. ``paused``, ``resumed`` and ``cancelled`` act on all of them."""
