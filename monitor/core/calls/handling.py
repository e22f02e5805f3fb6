"""Conversations: talk, hold, wrap-up and result of the calls that agents took (domain.md §4: AHT, FCR, TAT, occupancy).

A **handled** call is one that an agent answered and that has ended: a call from the queue, or a call back that reached
the customer. Its counts stand beside the call's outcome, in the pane of the instant at which it was queued.

- *Talk, hold, wrap-up*: the values of the attributes ``talk_ms``, ``hold_ms`` and ``wrap_up_ms``. Without ``hold_ms``
  the hold is the time from each ``held`` to its ``retrieved`` (or the end). Without ``talk_ms`` the talk is the rest of
  the time from the answer to the end. Without ``wrap_up_ms`` the wrap-up is 0, because no fact marks its end.
- *Turnaround*: from the first queue to the end.
- *Occupancy*: counts only calls with ``idle_ms``: how long their agent had been available before.
- *Satisfaction*: counts only calls with a ``score``, on the scale that the customer was asked on. The newest one of the
  call holds: a survey may answer long after the end.
- *Resolved by flag*: counts only calls whose end carries the flag ``resolved``. **Net** leaves out calls that were
  transferred after their answer: the first level could not solve them.
- *An end before the answer*: a skewed clock. The times are 0, and the call is flagged.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitor.core.calls.queueing import Stay
    from monitor.core.facts.events import Fact

Counts = tuple[tuple[str, int], ...]
THOUSANDTHS: Final = 1_000
"""Scores stand in panes in thousandths, so that they add up exactly."""
_ABSURD: Final = 1e6
"""Scores from here on are taken for mistakes."""


class Conversation(NamedTuple):
    """The end, times and result of a handled call. Durations in ms. None: not known, or no flag."""

    ended_ms: int
    talk_ms: int
    hold_ms: int
    wrap_up_ms: int
    turnaround_ms: int
    idle_ms: int | None
    resolved: bool | None
    escalated: bool
    """It was transferred after its answer: the first level could not solve it."""
    skewed: bool
    score: float | None = None
    """The customer's score; None: none was given, or one that is absurd."""


def conversation_of(facts: Sequence[Fact], stay: Stay) -> Conversation | None:
    """Return the conversation of a call; None without an answer, or while it has not ended. Facts are ordered."""
    answered_ms = stay.at_ms
    if answered_ms is None or stay.outcome not in ("answered", "callback"):
        return None
    if stay.outcome == "callback":
        # The customer hung up and is called back: only the end after the call back is that of the conversation.
        facts = [fact for fact in facts if fact.time_ms >= answered_ms]
        place = next((place for place, fact in enumerate(facts) if fact.type == "answered"), None)
        if place is None:
            return None
        facts = facts[place:]
        answered_ms = facts[0].time_ms
    ended = _end(facts, answered_ms)
    if ended is None:
        return None
    ended_ms = max(ended.time_ms, answered_ms)
    hold_ms = _told(facts, "hold_ms")
    if hold_ms is None:
        hold_ms = _held_ms(facts, answered_ms, ended_ms)
    talk_ms = _told(facts, "talk_ms")
    resolved = ended.attributes.get("resolved")
    return Conversation(
        ended_ms,
        max(0, ended_ms - answered_ms - hold_ms) if talk_ms is None else talk_ms,
        hold_ms,
        _told(facts, "wrap_up_ms") or 0,
        max(0, ended_ms - stay.queued_ms),
        _told(facts, "idle_ms"),
        resolved if isinstance(resolved, bool) else None,
        any(fact.type == "transferred" and fact.time_ms > answered_ms for fact in facts),
        ended.time_ms < answered_ms,
        _score(facts),
    )


def _end(facts: Sequence[Fact], answered_ms: int) -> Fact | None:
    """Return the end of the conversation. An end before a transfer into another queue belongs to the time before it."""
    for fact in reversed(facts):
        if fact.type == "ended":
            return fact
        if fact.type in ("queued", "transferred") and fact.time_ms <= answered_ms:
            return None
    return None


def _told(facts: Sequence[Fact], name: str) -> int | None:
    """Return the newest value of a duration attribute, at least 0; None if no fact has it."""
    for fact in reversed(facts):
        value = fact.attributes.get(name)
        if isinstance(value, int):
            return max(0, value)
    return None


def _score(facts: Sequence[Fact]) -> float | None:
    for fact in reversed(facts):
        value = fact.attributes.get("score")
        if isinstance(value, int | float) and abs(value) < _ABSURD:
            return value
    return None


def _held_ms(facts: Sequence[Fact], answered_ms: int, ended_ms: int) -> int:
    total_ms = 0
    since_ms: int | None = None
    for fact in facts:
        at_ms = min(max(fact.time_ms, answered_ms), ended_ms)
        if fact.type == "held" and since_ms is None:
            since_ms = at_ms
        elif fact.type == "retrieved" and since_ms is not None:
            total_ms, since_ms = total_ms + at_ms - since_ms, None
    return total_ms + (0 if since_ms is None else ended_ms - since_ms)


def conversation_counts(of: Conversation) -> Counts:
    """Return the counts that a handled call adds to its pane."""
    handle_ms = of.talk_ms + of.hold_ms + of.wrap_up_ms
    counts = [
        ("handled", 1),
        ("talk_ms", of.talk_ms),
        ("hold_ms", of.hold_ms),
        ("wrap_up_ms", of.wrap_up_ms),
        ("turnaround_ms", of.turnaround_ms),
    ]
    if of.idle_ms is not None:
        counts += [("busy_ms", handle_ms), ("idle_ms", of.idle_ms)]
    if of.resolved is not None:
        counts += [("flag_told", 1), ("flag_resolved", int(of.resolved))]
        if not of.escalated:
            counts += [("flag_told_net", 1), ("flag_resolved_net", int(of.resolved))]
    if of.score is not None:
        counts += [("scored", 1), ("score", round(of.score * THOUSANDTHS))]
    if of.skewed:
        counts.append(("flagged", 1))
    return tuple([one for one in counts if one[1]])
