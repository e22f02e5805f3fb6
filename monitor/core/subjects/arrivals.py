"""The events of a batch as the engine takes them: by subject, and each refused one with its place in the batch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.core.outages.silence import HEARTBEAT, heartbeat_subject

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitor.core.facts.events import Event, Fact
    from monitor.core.facts.ledger import Rejected


def by_subject(events: Sequence[Event]) -> dict[str, list[Fact]]:
    """Return the facts of each subject in the order of their arrival."""
    found: dict[str, list[Fact]] = {}
    for _, subject_id, fact in events:
        facts = found.get(subject_id)
        if facts is None:
            found[subject_id] = [fact]
        else:
            facts.append(fact)
    return found


def by_the_hour(events: Sequence[Event]) -> list[Event]:
    """Return events of outages, with heartbeats as those of their hour."""
    return [
        one._replace(subject_id=heartbeat_subject(one.subject_id, one.fact)) if one.fact.type == HEARTBEAT else one
        for one in events
    ]


def places(events: Sequence[Event], refused: list[tuple[str, Rejected]]) -> list[tuple[int, str]]:
    """Return where in the batch the refused facts stand: told apart by identity, as two may be equal."""
    reasons = {id(one.fact): one.reason for _, one in refused}
    return [(place, reasons[id(fact)]) for place, (_, _, fact) in enumerate(events) if id(fact) in reasons]
