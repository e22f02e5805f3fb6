"""The state of a ticket after each fact of its ledger, and whether a clock runs in that state.

Most clocks are started and stopped by event types alone. The clocks here need more: whether the customer waits for an
answer, which team has the ticket, and which state the ticket is in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from monitor.core.agreements.clock_metrics import SOLVED
from monitor.core.clocks.pauses import with_begun, without_ended
from monitor.core.facts.events import counts_as

if TYPE_CHECKING:
    from collections.abc import Iterable

    from monitor.core.clocks.clock import Terms
    from monitor.core.facts.events import Fact

_ANSWERS: Final = frozenset({"responded"})

TOUCHING: Final[dict[str, frozenset[str]]] = {
    "answers": frozenset({"customer_replied", "reopened"}),
    "updates": frozenset({"opened", "responded", "updated", "reopened"}),
    "owner": frozenset({"opened", "assigned", "reopened"}),
    "states": frozenset({
        "opened", "assigned", "acknowledged", "responded", "paused", "resumed", "resolved", "closed", "reopened",
    }),
}  # fmt: skip
"""The event types that may start a clock, by its kind of drive (`CourseKind`)."""

STATES: Final = frozenset({"new", "assigned", "in_progress", "waiting", "resolved", "closed"})
"""The states of a ticket. ``waiting:<reason>`` is a pause for that reason, ``waiting`` a pause for any reason."""


def is_update(fact: Fact) -> bool:
    """Return whether a fact informs the customer: it is a public answer, or an update that is marked public.

    Ticket systems send an update for every change of a field, so an update without the mark is not public.
    """
    if fact.type == "updated":
        return fact.attributes.get("public") is True and fact.attributes.get("automatic") is not True
    return counts_as(fact, _ANSWERS)


class Course:
    """The state of a ticket after a sequence of facts, oldest first (`advance`)."""

    __slots__ = (
        "_state", "answered", "changed_priority", "changed_team", "former_priority", "is_cancelled", "is_opened",
        "pauses", "priority", "solved", "team", "unanswered",
    )  # fmt: skip

    def __init__(self, facts: Iterable[Fact] = ()) -> None:
        self._state = ""
        self.pauses: list[str] = []
        self.solved = ""
        """``resolved`` or ``closed`` while the ticket is solved, else ""."""
        self.is_opened = self.is_cancelled = False
        self.answered = False
        """The customer has received an answer, or a solution."""
        self.unanswered = False
        """The customer has written since the last answer."""
        self.team = self.priority = self.former_priority = ""
        self.changed_team = self.changed_priority = False
        """Whether the newest fact brought another team, another priority."""
        for fact in facts:
            self.advance(fact)

    def advance(self, fact: Fact) -> None:  # noqa: C901 - one case for each event type
        """Apply the next fact."""
        kind, brought = fact.type, fact.attributes
        priority = brought.get("priority", self.priority)
        self.former_priority = self.priority
        self.changed_priority, self.priority = priority != self.priority, str(priority)
        team = str(brought.get("team") or self.team) if kind == "assigned" else self.team
        self.changed_team, self.team = team != self.team, team
        match kind:
            case "opened" if not self.is_opened:
                self.is_opened = True
                self._state = self._state or "new"
            case "assigned":
                self._state = "assigned"
            case "acknowledged":
                self._state = "in_progress"
            case "responded" if counts_as(fact, _ANSWERS):
                self._state = "in_progress"
                self.answered, self.unanswered = True, False
            case "customer_replied":
                self.unanswered = True
            case "paused":
                reason = str(brought.get("reason", ""))
                if not self.solved:
                    self.pauses = with_begun(self.pauses, reason) or self.pauses
            case "resumed":
                reason = str(brought.get("reason", ""))
                self.pauses = without_ended(self.pauses, reason) or []
            case "resolved" | "closed":
                self.solved = kind if kind == "closed" or not self.solved else self.solved
                self.answered, self.unanswered, self.pauses = True, False, []
            case "reopened":
                self.solved = ""
            case "cancelled":
                self.is_cancelled = True

    def states(self) -> frozenset[str]:
        """Return the states of the ticket: while it is paused, ``waiting`` and one for each reason."""
        if self.solved:
            return frozenset({self.solved})
        if self.pauses:
            return frozenset({"waiting", *(f"waiting:{reason}" for reason in self.pauses)})
        return frozenset({self._state})


def ends(fact: Fact, course: Course, of: Terms) -> bool:
    """Return whether the newest fact of a course ends the cycle of a clock."""
    if fact.type in SOLVED:
        return of.metric.course != "states" or course.solved == "closed" or "resolved" not in of.states
    match of.metric.course:
        case "answers":
            return counts_as(fact, _ANSWERS)
        case "updates":
            return is_update(fact)
        case "owner":
            return course.changed_team
    return False


def begins(fact: Fact, course: Course, of: Terms) -> bool:
    """Return whether the newest fact of a course begins a cycle of a clock that is not open.

    As for all clocks, no cycle begins before the subject was opened.
    """
    if fact.type not in TOUCHING[of.metric.course]:
        return False
    if of.metric.course == "updates" and fact.type not in {"opened", "reopened"} and not is_update(fact):
        return False
    return is_due_to_run(course, of)


def is_due_to_run(course: Course, of: Terms) -> bool:
    """Return whether a cycle of a clock runs in the ticket's present state, however the ticket came there."""
    if course.is_cancelled or not course.is_opened:
        return False
    match of.metric.course:
        case "answers":  # only after a first answer: until then the first response is timed
            return course.answered and course.unanswered and not course.solved
        case "updates":
            return not course.solved
        case "owner":
            return bool(course.team) and not course.solved
    return is_inside(course, of)


def is_inside(course: Course, of: Terms) -> bool:
    """Return whether the ticket is in a state in which a clock runs, and in no pause that holds the clock."""
    if of.states.isdisjoint(course.states()):
        return False
    return not of.rule.pause_on or of.rule.pause_on.isdisjoint(course.pauses)
