"""Announcing: the alert that tells one transition of a clock, with all that its reader wants to know."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from monitor.core.alerts.alert import Alert, AlertKey, alert_id
from monitor.core.alerts.stretches import newest
from monitor.core.clocks import clock as clocks
from monitor.core.clocks.stretches import stretches_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from monitor.core.clocks.corrections import Told
    from monitor.core.clocks.stretches import Life
    from monitor.core.clocks.supporting import Misses
    from monitor.core.clocks.terms import Plan
    from monitor.core.facts.events import Fact, Subject, Value

DETAILS: Final = ("customer", "service", "priority", "team", "agent", "queue", "severity", "channel")
"""The attributes that may change while an alert lives: they go into its details, never into its labels."""


def announcement(
    told: Told,
    subject: Subject,
    subject_id: str,
    facts: Sequence[Fact],
    attributes: Mapping[str, Value],
    misses: Misses,
    plan: Plan,
    life: Life | None = None,
) -> Alert:
    """Return the alert of what a clock tells.

    Args:
        told: the clock at that moment, the state, the instant and the reason.
        subject: the kind of its subject.
        subject_id: the id of that.
        facts: its ledger.
        attributes: the newest value of each of its attributes.
        misses: those of supporting agreements on the subject.
        plan: the agreements.
        life: that of the clock, if it is known.
    """
    clock, state, at_ms, reason = told
    key = AlertKey(subject, subject_id, *clock.series[:2], clock.cycle)
    of = plan.terms(clock)
    labels = {"agreement": key.agreement, "promise": key.promise, "subject": subject}
    elapsed_ms = due_ms = -1
    stretches = None
    if of is not None:
        if life is not None and life.was(clock):
            stretches = life.until(clock, at_ms)
        else:
            stretches = newest(stretches_of(facts, clock, of, at_ms))
        labels["metric"] = of.rule.metric
        elapsed_ms = clocks.elapsed_at(clock, at_ms, of.calendar)
        due_ms = clocks.due_or_missed_ms(clock, of.calendar)
    for fact in facts:
        if fact.time_ms > clock.start_ms:
            break  # what a subject is called later goes into the details: labels never change during a life
        for name in ("customer", "service"):
            if name in fact.attributes:
                labels[name] = str(fact.attributes[name])
    return Alert(
        alert_id(key, state, reason if state == "at_risk" else "", clock.ordinal),
        key,
        state,
        at_ms,
        reason,
        clock.version,
        labels,
        clock.start_ms,
        due_ms,
        clock.budget_ms,
        elapsed_ms,
        clocks.wall_at(clock, at_ms, of) if of else max(0, at_ms - clock.start_ms),
        details=tuple([(name, str(attributes[name])) for name in DETAILS if name in attributes]),
        stretches=stretches,
        supporting=misses.under(clock, at_ms) if state == "breached" else (),
    )
