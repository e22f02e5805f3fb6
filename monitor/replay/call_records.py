"""Call records: one line for each call and each measure that counts it, to check a service level call by call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from monitor.core.calls.handling import conversation_of
from monitor.core.calls.queueing import stay_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monitor.core.agreements.book import Book
    from monitor.core.subjects.rows import SubjectRow


class CallRecord(NamedTuple):
    """One call in one measure, as it stood at the end of the replay.

    ``outcome`` is ``answered``, ``abandoned``, ``callback``, ``transferred``, ``waiting`` or ``lost``, and
    ``outcome_ms`` its instant (None: it waits, or is lost). ``wait_ms`` is up to then, or up to the end of the replay.
    ``within`` is whether the wait ended within the time that the agreement allows. Talk, hold, wrap-up and turnaround
    are None for a call that no agent has handled to its end; ``resolved`` is None without a flag.
    """

    subject_id: str
    agreement: str
    agreement_version: int
    measure: str
    labels: dict[str, str]
    queued_ms: int
    outcome: str
    outcome_ms: int | None
    wait_ms: int
    answer_within_ms: int
    within: bool
    talk_ms: int | None
    hold_ms: int | None
    wrap_up_ms: int | None
    turnaround_ms: int | None
    resolved: bool | None
    transferred_on: bool

    def as_json(self) -> dict[str, Any]:
        """Return the record as an object for JSON."""
        return {"subject": "call", **self._asdict()}


def call_records(call_id: str, row: SubjectRow, book: Book, until_ms: int) -> Iterator[CallRecord]:
    """Yield the records of a call: one for each measure that counts it."""
    stay = stay_of(row.facts)
    if stay is None:
        return
    attributes = row.known()
    talk = conversation_of(row.facts, stay)
    for agreement in book.in_force(attributes, row.facts[0].time_ms):
        for rule in agreement.calls:
            if not rule.where.matches(attributes):
                continue
            waits = stay.at_ms is None
            wait_ms = max(0, (until_ms if stay.at_ms is None else stay.at_ms) - stay.queued_ms)
            yield CallRecord(
                subject_id=call_id,
                agreement=agreement.id,
                agreement_version=agreement.version,
                measure=rule.id,
                labels={name: str(attributes.get(name, "")) for name in rule.by},
                queued_ms=stay.queued_ms,
                outcome="lost" if waits and wait_ms >= rule.give_up_after_ms else stay.outcome,
                outcome_ms=stay.at_ms,
                wait_ms=wait_ms,
                answer_within_ms=rule.answer_within_ms,
                within=not waits and wait_ms <= rule.longest_ms,
                talk_ms=talk and talk.talk_ms,
                hold_ms=talk and talk.hold_ms,
                wrap_up_ms=talk and talk.wrap_up_ms,
                turnaround_ms=talk and talk.turnaround_ms,
                resolved=talk and talk.resolved,
                transferred_on=talk is not None and talk.escalated,
            )
