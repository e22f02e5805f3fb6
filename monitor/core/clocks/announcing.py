"""Announcing: builds the alert that announces one transition of a clock, with everything that its reader needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from monitor.core.alerts.alert import Alert, AlertKey, alert_id
from monitor.core.alerts.stretches import newest
from monitor.core.clocks import clock as clocks
from monitor.core.clocks.due import due_or_missed_ms
from monitor.core.clocks.stretches import stretches_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from monitor.core.clocks.corrections import Told
    from monitor.core.clocks.stretches import Life
    from monitor.core.clocks.supporting import Misses
    from monitor.core.clocks.terms import Plan
    from monitor.core.facts.events import Fact, Subject, Value

DETAILS: Final = ("customer", "service", "priority", "team", "agent", "queue", "severity", "channel")
"""The attributes that may change during an alert's life: they go into its details, never into its labels."""


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
    """Return the alert that announces a transition of a clock.

    Args:
        told: the transition: the clock at that moment, the alert's state, the instant and the reason.
        subject: the kind of the clock's subject.
        subject_id: the id of the subject.
        facts: the subject's ledger.
        attributes: the newest value of each of the subject's attributes.
        misses: the misses of supporting agreements on the subject.
        plan: the agreements.
        life: the stretches of the clock's life, if they were computed before.
    """
    clock, state, at_ms, reason = told
    key = AlertKey(subject, subject_id, *clock.series[:2], clock.cycle)
    of = plan.terms(clock)
    labels = {"agreement": key.agreement, "promise": key.promise, "subject": subject}
    elapsed_ms: int | None = None
    due_ms: int | None = None
    stretches = None
    if of is not None:
        if life is not None and life.covers(clock, at_ms):
            stretches = life.until(clock, at_ms)
        else:
            stretches = newest(stretches_of(facts, clock, of, at_ms))
        labels["metric"] = of.rule.metric
        elapsed_ms = clocks.elapsed_at(clock, at_ms, of.calendar)
        due_ms = due_or_missed_ms(clock, of.calendar)
    for fact in facts:
        if fact.time_ms > clock.start_ms:
            break  # later values go into the details: labels never change during an alert's life
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
