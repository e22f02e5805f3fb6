"""What must be announced of a subject's clocks, computed from its facts in plain Python: no code of the monitor."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, NamedTuple


class Told(NamedTuple):
    """A fact as it was sent; the facts of a subject stand in their order."""

    at_ms: int
    type: str
    attributes: dict[str, Any]


class Promise(NamedTuple):
    """A clock: what starts, stops and restarts it; by priority its warnings and its budget, ``(after_ms, reason)``."""

    id: str
    start: str
    stop: frozenset[str]
    restart: str
    marks: dict[str, tuple[tuple[int, str], ...]]


KEPT = "kept"
"""The state of a clock that stopped in time and had announced nothing: nobody is told."""


class Word(NamedTuple):
    """An announcement: key, state, reason, instant."""

    key: str
    state: str
    reason: str
    at_ms: int


PROMISES: dict[str, tuple[Promise, ...]] = {
    "ticket": (
        Promise(
            "response", "opened", frozenset({"responded", "resolved", "closed"}), "",
            {"P1": ((5_000, "elapsed_50"), (10_000, "due")), "P2": ((6_000, "elapsed_50"), (12_000, "due"))},
        ),
        Promise(
            "resolution", "opened", frozenset({"resolved", "closed"}), "reopened",
            {"P1": ((15_000, "elapsed_75"), (20_000, "due")), "P2": ((18_000, "elapsed_75"), (24_000, "due"))},
        ),
    ),
    "outage": (
        Promise(
            "restore", "started", frozenset({"restored", "resolved"}), "",
            {"": ((6_000, "before_due_4000"), (10_000, "due"))},
        ),
    ),
    "call": (),
}  # fmt: skip


@cache
def promises(subject: str, pace: float) -> tuple[Promise, ...]:
    """Return the promises for a kind of subject, with budgets and warnings ``pace`` times as long."""

    def mark(after_ms: int, reason: str) -> tuple[int, str]:
        kind, _, number = reason.rpartition("_")  # before_due_4000 is a time, elapsed_50 is not
        # "Within" is inclusive: a promise is broken by the first millisecond after its budget.
        at_ms = round(after_ms * pace) + (reason == "due")
        return at_ms, f"{kind}_{round(int(number) * pace)}" if kind == "before_due" else reason

    return tuple(
        one._replace(marks={priority: tuple(mark(*each) for each in marks) for priority, marks in one.marks.items()})
        for one in PROMISES[subject]
    )


def words(subject: str, subject_id: str, facts: Sequence[Told], pace: float = 1.0) -> Iterator[Word]:
    """Yield all that must be announced, given that nothing more happens to the subject."""
    for promise in promises(subject, pace):
        for cycle, state, reason, at_ms in _announced(promise, facts):
            yield Word(f"{subject}/{subject_id}/chaos/{promise.id}/{cycle}", state, reason, at_ms)


def verdicts(subject: str, facts: Sequence[Told], pace: float = 1.0) -> Iterator[tuple[str, bool]]:
    """Yield id and verdict (kept or not) of each clock that stopped or is overdue; cancelled ones count nowhere."""
    for promise in promises(subject, pace):
        states: dict[int, list[str]] = {}
        for cycle, state, _, _ in _run(promise, facts):
            states.setdefault(cycle, []).append(state)
        for told in states.values():
            if "voided" not in told and ("breached" in told or told[-1] in ("resolved", KEPT)):
                yield promise.id, "breached" not in told


def due_until(subject: str, facts: Sequence[Told], now_ms: int, pace: float = 1.0) -> bool:
    """Return whether anything has come due by now."""
    return any(at_ms <= now_ms for promise in promises(subject, pace) for *_, at_ms in _announced(promise, facts))


def pending(subject: str, facts: Sequence[Told], pace: float = 1.0) -> list[int]:
    """Return the instants at which something comes due after the last fact, if nothing more happens."""
    if not facts:
        return []
    return [
        at_ms
        for promise in promises(subject, pace)
        for _, state, _, at_ms in _announced(promise, facts)
        if state in ("at_risk", "breached") and at_ms > facts[-1].at_ms
    ]


def _announced(promise: Promise, facts: Sequence[Told]) -> Iterator[tuple[int, str, str, int]]:
    return (one for one in _run(promise, facts) if one[1] != KEPT)


def _run(promise: Promise, facts: Sequence[Told]) -> Iterator[tuple[int, str, str, int]]:
    """Yield cycle, state, reason and instant of all that one clock announces, and of what it kept unannounced."""
    priority = ""
    for fact in facts:  # the newest priority decides as if it had always held
        priority = fact.attributes.get("priority", priority)
    marks = promise.marks[priority]
    cycle, told, elapsed_ms, since_ms = 0, 0, 0, 0
    state = "none"
    for fact in (*facts, Told(1 << 60, "the end", {})):
        at_ms = fact.at_ms
        while state == "running" and told < len(marks) and since_ms + marks[told][0] - elapsed_ms <= at_ms:
            after_ms, reason = marks[told]
            told += 1
            yield cycle, "breached" if reason == "due" else "at_risk", reason, since_ms + after_ms - elapsed_ms
        does = _effect(promise, fact, state)
        if does in ("cancelled", "stopped"):
            state = does
            if told and does == "cancelled":
                yield cycle, "voided", "cancelled", at_ms
            elif does == "stopped":
                reason = "stopped" if told == len(marks) else "stopped_in_time"
                yield cycle, "resolved" if told else KEPT, reason, at_ms
        elif does == "paused":
            elapsed_ms, state = elapsed_ms + at_ms - since_ms, "paused"
        elif does == "resumed":
            since_ms, state = at_ms, "running"
        elif does == "started":
            cycle, told, elapsed_ms, since_ms, state = cycle + 1, 0, 0, at_ms, "running"


def _effect(promise: Promise, fact: Told, state: str) -> str:
    """Return what a fact does to a clock in a state."""
    kind, attributes = fact.type, fact.attributes
    if state in ("running", "paused"):
        partly = kind == "restored" and attributes.get("weight", 0) > 0
        nobody = attributes.get("public") is False or attributes.get("automatic") is True
        if kind in promise.stop and not partly and not nobody:
            return "stopped"
        return kind if (kind, state) in (("paused", "running"), ("resumed", "paused")) or kind == "cancelled" else ""
    starts = (promise.start, "none"), (promise.restart, "stopped")
    return "started" if (kind, state) in starts else ""
