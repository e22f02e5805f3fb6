"""Problem reporting (domain.md §1): what a report must contain, and what becomes of the clocks of one that does not.

A ticket is incomplete until its facts have brought every field that the agreement requires. By ``incomplete_clock``
its clocks start at once (and the ticket is counted as incomplete), or wait for the missing fields.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.core import clock as clocks
from monitor.core.ledger import attributes_of
from monitor.core.plan import STARTS
from monitor.core.rows import OPEN, Clock
from monitor.core.series import LIVE, Change, SeriesKey
from monitor.core.starting import clocks_started

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from monitor.core.agreement import Report
    from monitor.core.events import Fact, Subject, Value
    from monitor.core.plan import Plan


def missing(report: Report, attributes: Mapping[str, Value]) -> list[str]:
    """Return the required fields that are not among the attributes, or are empty."""
    return [name for name in report.required if attributes.get(name) in (None, "")]


def may_start(of: clocks.Terms, facts: Iterable[Fact]) -> bool:
    """Return whether a clock may start with the last of these facts: its report is complete, or does not matter."""
    report = of.agreement.report
    if of.rule.subject != "ticket" or not report.required or report.incomplete_clock == "starts":
        return True
    return not missing(report, attributes_of(facts))


def completes(of: clocks.Terms, facts: Sequence[Fact]) -> bool:
    """Return whether the last of these facts brings what a clock waited for."""
    return may_start(of, facts) and not may_start(of, facts[:-1])


def completed(
    subject: Subject, facts: Sequence[Fact], attributes: dict[str, Value], plan: Plan, running: Iterable[Clock]
) -> list[Clock]:
    """Return the clocks that waited for what the newest of these facts has brought, as they start with it.

    A ticket that was solved or cancelled before has nothing left to be timed.
    """
    if len(facts) < 2 or subject != "ticket":  # noqa: PLR2004 - what was opened, and what completes it
        return []
    *before, newest = facts
    opened = [one for one in before if one.type in STARTS[subject]]
    if not opened or newest.type in STARTS[subject]:
        return []
    known, now = attributes_of(before), attributes_of(facts)
    if now == known:
        return []
    start = opened[0]._replace(time_ms=newest.time_ms)
    existing = {one.series[:2] for one in running}
    found = []
    for clock, of in clocks_started(subject, start, attributes, plan):
        report = of.agreement.report
        if clock.series[:2] in existing or report.incomplete_clock == "starts":
            continue
        if not missing(report, known) or missing(report, now):
            continue
        if not any(one.type == "cancelled" or clocks.counts_as(one, of.metric.stop) for one in facts):
            found.append(clocks.started_late(clock, before, of))
    return found


def incomplete_changes(
    subject: Subject, facts: Sequence[Fact], attributes: dict[str, Value], running: Iterable[Clock], plan: Plan
) -> list[Change]:
    """Return what an open ticket that lacks required fields has in the series of its clocks, started or waiting."""
    opened = [one for one in facts if one.type in STARTS[subject]]
    if subject != "ticket" or not opened:
        return []
    state = {one.series[:2]: one.state for one in running}
    found = []
    for agreement in plan.book.in_force(attributes, opened[0].time_ms):
        if not missing(agreement.report, attributes):
            continue
        for rule in agreement.clocks:
            of = plan.terms_for(agreement, rule, attributes.get("priority"), opened[0].time_ms)
            if rule.subject != subject or of is None or not rule.where.matches(attributes):
                continue
            waits = not any(one.type == "cancelled" or clocks.counts_as(one, of.metric.stop) for one in facts)
            if state.get((agreement.id, rule.id)) in OPEN or (waits and (agreement.id, rule.id) not in state):
                values = tuple(str(attributes.get(name, "")) for name in rule.by)
                found.append(Change(SeriesKey(agreement.id, rule.id, values), LIVE, (("incomplete", 1),)))
    return found
