"""The clocks that a fact starts for a subject."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.core.clocks.clock import start

if TYPE_CHECKING:
    from monitor.core.clocks.clock import Terms
    from monitor.core.clocks.clock_value import Clock
    from monitor.core.clocks.terms import Plan
    from monitor.core.facts.events import Fact, Subject, Value


def clocks_started(
    subject: Subject, fact: Fact, attributes: dict[str, Value], plan: Plan, then: str | None = None
) -> list[tuple[Clock, Terms]]:
    """Return the clocks that start with a fact, each with its terms: one for each rule in force that the fact starts.

    ``then`` is the priority right after that fact, if later facts may have changed it. It gives the target of rules
    that are not retroactive. Without ``then`` the priority is taken from the attributes.
    """
    newest, at_ms, kind = attributes.get("priority"), fact.time_ms, fact.type
    started = []
    for agreement in plan.book.in_force(attributes, at_ms):
        for rule in agreement.clocks:
            if rule.subject != subject or not rule.where.matches(attributes):
                continue
            priority = newest if then is None or rule.on_change == "retroactive" else then
            of = plan.terms_for(agreement, rule, priority, at_ms)
            if of is not None and kind in of.metric.start:
                started.append((start(agreement, rule, at_ms, 1, attributes, of), of))
    return started
