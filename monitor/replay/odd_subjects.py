"""Subjects whose events contradict each other: those that ended and never began, or ended before they began.

A ticket that was closed and never opened starts no clock: without a word it would be in no figure. One that was closed
before it was opened would be done in no time (a negative duration is 0, domain.md §2), and its promise kept. In
recorded data, which is whole, both are faults of the data: they are told, and the second kind is not measured.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, Literal, NamedTuple

from monitor.core.facts.events import Event, Subject
from monitor.core.time.spans import NEVER_MS

Oddity = Literal["never_began", "ended_before_it_began"]

_BEGINS: Final[dict[Subject, frozenset[str]]] = {
    "ticket": frozenset({"opened"}),
    "call": frozenset({"queued"}),
    "outage": frozenset({"started"}),
    "lead": frozenset({"created", "handed_over"}),
}
_ENDS: Final[dict[Subject, frozenset[str]]] = {
    "ticket": frozenset({"resolved", "closed"}),
    "call": frozenset({"answered", "abandoned", "transferred", "callback_requested"}),
    "outage": frozenset({"restored", "resolved"}),
    "lead": frozenset({"won", "lost", "disqualified"}),
}
_SENTENCES: Final[dict[Oddity, dict[Subject, str]]] = {
    "never_began": {
        "ticket": "was solved or closed and never opened",
        "call": "left the queue and never entered it",
        "outage": "was restored and never started",
        "lead": "was won or lost and never created",
    },
    "ended_before_it_began": {
        "ticket": "was solved or closed before it was opened",
        "call": "left the queue before it entered it",
        "outage": "was restored before it started",
        "lead": "was won or lost before it was created",
    },
}


class OddSubject(NamedTuple):
    """A subject whose events contradict each other. ``began_ms`` is 0 if it never began."""

    subject: Subject
    subject_id: str
    what: Oddity
    began_ms: int
    ended_ms: int

    @property
    def is_measured(self) -> bool:
        """Return whether its events are folded all the same."""
        return self.what == "never_began"

    @property
    def sentence(self) -> str:
        """Return what is odd about it, in words that go on from its name."""
        return _SENTENCES[self.what][self.subject]


def odd_subjects(events: Iterable[Event]) -> list[OddSubject]:
    """Return the odd subjects in the order in which they ended."""
    of_kind: dict[Subject, tuple[dict[str, int], dict[str, int]]] = {one: ({}, {}) for one in _BEGINS}
    for subject, subject_id, (time_ms, _, _, kind, _) in events:
        if kind in _BEGINS[subject]:
            began = of_kind[subject][0]
            if time_ms < began.get(subject_id, NEVER_MS):
                began[subject_id] = time_ms
        elif kind in _ENDS[subject]:
            # The last one: who was reopened and closed again after the beginning has ended after it.
            ended = of_kind[subject][1]
            if time_ms > ended.get(subject_id, -NEVER_MS):
                ended[subject_id] = time_ms
    found: list[OddSubject] = []
    for subject, (began, ended) in of_kind.items():
        for subject_id, ended_ms in ended.items():
            began_ms = began.get(subject_id)
            if began_ms is None:
                found.append(OddSubject(subject, subject_id, "never_began", 0, ended_ms))
            elif ended_ms < began_ms:
                found.append(OddSubject(subject, subject_id, "ended_before_it_began", began_ms, ended_ms))
    return sorted(found, key=lambda one: (one.ended_ms, one.subject, one.subject_id))


def without_impossible(events: list[Event], odd: Sequence[OddSubject]) -> list[Event]:
    """Return the events without those of subjects that ended before they began."""
    left_out = {(one.subject, one.subject_id) for one in odd if not one.is_measured}
    if not left_out:
        return events
    return [event for event in events if (event.subject, event.subject_id) not in left_out]
