"""Events: the facts about the four subjects, their types and their attributes (domain.md §2)."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

Subject = Literal["ticket", "call", "outage", "lead"]
Value = str | int | float | bool
SUBJECTS: Final[tuple[Subject, ...]] = ("ticket", "call", "outage", "lead")
TYPES: Final[dict[Subject, frozenset[str]]] = {
    "ticket": frozenset(
        {
            "opened",
            "acknowledged",
            "assigned",
            "responded",
            "customer_replied",
            "updated",
            "priority_changed",
            "paused",
            "resumed",
            "resolved",
            "reopened",
            "closed",
            "cancelled",
        }
    ),
    "call": frozenset(
        {
            "queued",
            "answered",
            "abandoned",
            "transferred",
            "callback_requested",
            "held",
            "retrieved",
            "ended",
            "rated",
        }
    ),
    "outage": frozenset(
        {
            "started",
            "acknowledged",
            "responded",
            "degraded",
            "impact_changed",
            "restored",
            "resolved",
            "maintenance_announced",
            "maintenance_started",
            "maintenance_ended",
            "monitoring_lost",
            "monitoring_restored",
            "heartbeat",
            "cancelled",
        }
    ),
    "lead": frozenset(
        {
            "created",
            "engaged",
            "handed_over",
            "attempted",
            "contacted",
            "qualified",
            "disqualified",
            "won",
            "lost",
        }
    ),
}
"""The event types of each subject. Some outage types go beyond the usual ones: ``responded`` (work on the repair began:
MTTR "respond"), ``monitoring_lost`` and ``monitoring_restored`` (between them the state of the service is unknown:
coverage), ``heartbeat`` (the service is monitored; a service that is silent for too long is blind). ``rated``: the
customer gave the call a ``score``, perhaps days after its end. ``engaged``: the lead did something by itself (a visit,
a download, an answer), before or after its hand-over."""
ATTRIBUTES: Final[dict[str, type]] = {
    # attributes by which promises are chosen
    "customer": str,
    "service": str,
    "priority": str,
    "queue": str,
    "team": str,
    "agent": str,
    "channel": str,
    "reason": str,
    "severity": str,
    "category": str,
    "source": str,
    "segment": str,
    "campaign": str,
    "parent": str,
    # details of the service, as agreements name them
    "service_type": str,
    "equipment_care": str,
    "connectivity": str,
    "bandwidth": str,
    # answers with `public: false` or `automatic: true` do not count as a response
    "public": bool,
    "automatic": bool,
    "resolved": bool,
    # numbers
    "weight": float,
    "customers_affected": int,
    "customers_total": int,
    "amount": float,
    "score": float,
    "activities": int,
    # calls
    "caller": str,
    "issue": str,
    "talk_ms": int,
    "hold_ms": int,
    "wrap_up_ms": int,
    "idle_ms": int,
    # due instants that come with the record, in epoch milliseconds: of the whole, and of the first response
    "due_at": int,
    "response_due_at": int,
    # announced maintenance: the window, as instants in epoch milliseconds
    "starts_at_ms": int,
    "ends_at_ms": int,
}
"""The attributes that an event may carry, and their types. Unknown attributes are accepted and dropped."""
DUE_ATTRIBUTES: Final = ("due_at", "response_due_at")
"""The attributes from which a clock may take its due instant."""


class Fact(NamedTuple):
    """One fact of a subject's ledger.

    Facts are ordered by ``(time_ms, sequence, id)``: the first three fields. ``time_ms`` is when it happened (event
    time, epoch milliseconds), ``sequence`` orders facts of one instant, ``id`` is unique.
    """

    time_ms: int
    sequence: int
    id: str
    type: str
    attributes: dict[str, Value]


class Event(NamedTuple):
    """A fact and the subject that it belongs to: the decoded record of a source topic."""

    subject: Subject
    subject_id: str
    fact: Fact


def counts_as(fact: Fact, types: frozenset[str]) -> bool:
    """Return whether a fact has one of these types and counts as such.

    Internal notes and automatic replies are no responses (domain.md §2); automatic attempts do not reach a lead (§6). A
    restoration that leaves customers affected is one step of a stepwise restoration (§5): it counts as work on the
    repair, but not as its end.
    """
    kind = fact.type
    if kind not in types:
        return False
    if kind == "restored" and "responded" not in types:
        left = (fact.attributes.get("weight", 0), fact.attributes.get("customers_affected", 0))
        return not any(isinstance(one, int | float) and one > 0 for one in left)
    return kind not in {"responded", "attempted"} or (
        fact.attributes.get("public") is not False and fact.attributes.get("automatic") is not True
    )
