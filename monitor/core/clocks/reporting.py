"""Problem reporting (domain.md §1): the required fields of a report, and the clocks of tickets that lack one.

A ticket is incomplete until its facts have brought every field that the agreement requires. By the agreement's
``incomplete_clock`` its clocks either start at once (and the ticket is counted as incomplete), or wait for the missing
fields.
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
    """Return whether a clock may start with the newest fact: the report is complete, or need not be.

    ``reported`` is None if no agreement requires any fields.
    """
    return reported is None or _is_complete(of, reported.now)


def completes(of: clocks.Terms, reported: Reported | None) -> bool:
    """Return whether the newest fact brings the last required field that a clock waited for."""
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
    """Return the clocks that start with the newest of these facts, because it brings the fields they waited for.

    ``existing`` holds the agreement and the rule of each clock that the subject has. A ticket that was solved or
    cancelled before starts no clocks.
    """
    if len(facts) < 2 or subject != "ticket":  # noqa: PLR2004 - the fact that opened it, and the one that completes it
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
    """Return the ``incomplete`` counts of an open ticket without required fields, in the series of its clocks.

    Clocks that have started and clocks that wait both count.
    """
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
