"""Problem reporting (domain.md §1): what a report must contain, and what becomes of the clocks of one that does not.

A ticket is incomplete until its facts have brought every field that the agreement requires. By ``incomplete_clock``
its clocks start at once (and the ticket is counted as incomplete), or wait for the missing fields.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from monitor.core.clocks import clock as clocks
from monitor.core.clocks.clock_value import OPEN, Clock
from monitor.core.clocks.starting import clocks_started
from monitor.core.clocks.terms import STARTS
from monitor.core.facts.events import counts_as
from monitor.core.series.series import LIVE, Change, SeriesKey

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping, Sequence

    from monitor.core.agreements.agreement import Report
    from monitor.core.clocks.terms import Plan
    from monitor.core.facts.events import Fact, Subject, Value


def missing(report: Report, attributes: Mapping[str, Value]) -> list[str]:
    """Return the required fields that are not among the attributes, or are empty."""
    return [name for name in report.required if attributes.get(name) in (None, "")]


class Reported(NamedTuple):
    """The attributes that the facts of a report have brought before the newest one, and with it."""

    before: Mapping[str, Value]
    now: Mapping[str, Value]


def may_start(of: clocks.Terms, reported: Reported | None) -> bool:
    """Return whether a clock may start with the newest fact: its report is complete, or does not matter.

    ``reported`` is None where no agreement requires anything.
    """
    return reported is None or _is_complete(of, reported.now)


def completes(of: clocks.Terms, reported: Reported | None) -> bool:
    """Return whether the newest fact brings what a clock waited for."""
    return reported is not None and _is_complete(of, reported.now) and not _is_complete(of, reported.before)


def _is_complete(of: clocks.Terms, brought: Mapping[str, Value]) -> bool:
    report = of.agreement.report
    if of.rule.subject != "ticket" or not report.required or report.incomplete_clock == "starts":
        return True
    return not missing(report, brought)


def completed(
    subject: Subject,
    facts: Sequence[Fact],
    reported: Reported,
    attributes: dict[str, Value],
    plan: Plan,
    existing: Container[tuple[str, str]],
) -> list[Clock]:
    """Return the clocks that waited for what the newest of these facts has brought, as they start with it.

    ``existing`` holds the agreement and the rule of each clock that the subject has. A ticket that was solved or
    cancelled before has nothing left to be timed.
    """
    if len(facts) < 2 or subject != "ticket":  # noqa: PLR2004 - what was opened, and what completes it
        return []
    known, now = reported
    if now == known:
        return []
    *before, newest = facts
    opened = next((one for one in before if one.type in STARTS[subject]), None)
    if opened is None or newest.type in STARTS[subject]:
        return []
    start = opened._replace(time_ms=newest.time_ms)
    found = []
    for clock, of in clocks_started(subject, start, attributes, plan):
        report = of.agreement.report
        if clock.series[:2] in existing or report.incomplete_clock == "starts":
            continue
        if not missing(report, known) or missing(report, now):
            continue
        if not any(one.type == "cancelled" or counts_as(one, of.metric.stop) for one in facts):
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
            waits = not any(one.type == "cancelled" or counts_as(one, of.metric.stop) for one in facts)
            if state.get((agreement.id, rule.id)) in OPEN or (waits and (agreement.id, rule.id) not in state):
                values = tuple(str(attributes.get(name, "")) for name in rule.by)
                found.append(Change(SeriesKey(agreement.id, rule.id, values), LIVE, (("incomplete", 1),)))
    return found
