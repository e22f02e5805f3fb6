"""Clocks that the state of a ticket drives, and clocks whose target changes while they run (domain.md §3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from monitor.core.agreements.clock_metrics import SOLVED
from monitor.core.clocks import clock as clocks
from monitor.core.clocks.clock_value import NO_EXTRA, Clock, Former, moved, with_extra
from monitor.core.clocks.pauses import with_begun, without_ended
from monitor.core.clocks.reporting import completes, may_start
from monitor.core.clocks.ticket_state import begins, ends, is_due_to_run, is_inside
from monitor.core.facts.events import Fact, counts_as

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Mapping, Sequence

    from monitor.core.agreements.agreement import Agreement
    from monitor.core.agreements.measures import ClockRule
    from monitor.core.clocks.clock import Terms
    from monitor.core.clocks.reporting import Reported
    from monitor.core.clocks.terms import Plan
    from monitor.core.clocks.ticket_state import Course
    from monitor.core.facts.events import Value


def applied(clock: Clock, fact: Fact, of: Terms, course: Course) -> Clock:
    """Return an open, state-driven clock after the newest fact of the course. Precedence: stop > pause > start."""
    if fact.type == "cancelled":
        return clocks.halted(clock, fact.time_ms, of, "cancelled")
    if ends(fact, course, of):
        stopped = clocks.halted(clock, fact.time_ms, of, "stopped")
        if of.metric.course == "states":
            stopped = with_extra(stopped, outside_ms=fact.time_ms - clock.start_ms - clocks.ran_ms(stopped))
        return stopped
    if of.metric.course != "states":
        return clocks.apply(clock, fact, of) if fact.type in {"paused", "resumed"} else clock
    if is_inside(course, of) == (clock.state == "running"):
        return clock
    if clock.state == "paused":
        return clocks.run_from(clock, fact.time_ms, of)
    elapsed_ms, runs = clocks.run_closed(clock, fact.time_ms, of)
    return moved(clock, "paused", clock.since_ms, elapsed_ms, 0, 0, 0, clock.told, clock.breached_ms, runs, [])


def begun(
    facts: Sequence[Fact],
    attributes: dict[str, Value],
    course: Course,
    last: Mapping[tuple[str, str], tuple[int, Clock]],
    plan: Plan,
    subject: str,
    reported: Reported | None,
) -> Iterator[tuple[int, Clock]]:
    """Yield the clocks that the newest fact begins, each with its place among the existing ones (-1: a new clock).

    Args:
        facts: the ledger up to that fact.
        attributes: the newest values of the subject's attributes, also of later facts.
        course: the state of the ticket after that fact.
        last: the last clock of each rule, by agreement and rule, with its place among all clocks.
        plan: the agreements.
        subject: the kind of the subject.
        reported: the attributes that the facts have brought; None if no agreement requires fields.
    """
    fact = facts[-1]
    owned = {**attributes, "team": course.team} if course.team else attributes
    for agreement, rule, known in _rules(plan, subject, attributes, owned, fact.time_ms):
        place, was = last.get((agreement.id, rule.id), (-1, None))
        if was is not None and (was.state != "stopped" or rule.cycles == "first"):
            continue
        priority = known.get("priority") if rule.on_change == "retroactive" else course.priority
        of = plan.terms_for(agreement, rule, priority, fact.time_ms)
        if of is None or not may_start(of, reported):
            continue
        if not begins(fact, course, of) and not (completes(of, reported) and is_due_to_run(course, of)):
            continue
        if was is not None and rule.cycles == "sum":
            yield place, clocks.reopened(was, fact.time_ms, plan.terms(was) or of)
            continue
        clock = clocks.start(agreement, rule, fact.time_ms, was.cycle + 1 if was else 1, known, of)
        if of.metric.course != "states":
            clock = _held(clock, facts, of)
        yield -1, clock


def late_promises(
    facts: Sequence[Fact],
    attributes: dict[str, Value],
    course: Course,
    existing: Container[tuple[str, str]],
    plan: Plan,
    subject: str,
    reported: Reported | None,
) -> Iterator[Clock]:
    """Yield the clocks that start with a new priority, because nothing was promised for the first one."""
    fact = facts[-1]
    for agreement in plan.book.in_force(attributes, fact.time_ms):
        for rule in agreement.clocks:
            if rule.on_change == "retroactive" or rule.subject != subject or (agreement.id, rule.id) in existing:
                continue
            of = plan.terms_for(agreement, rule, course.priority, fact.time_ms)
            if of is None or of.metric.course or not rule.where.matches(attributes) or not may_start(of, reported):
                continue
            is_over = course.is_cancelled or any(counts_as(one, of.metric.stop) for one in facts)
            if not is_over and any(one.type in of.metric.start for one in facts[:-1]):
                yield _held(clocks.start(agreement, rule, fact.time_ms, 1, attributes, of), facts, of)


def retargeted(clock: Clock, at_ms: int, old: Terms, course: Course, plan: Plan) -> Clock:
    """Return an open clock with the target of another priority, from an instant on.

    ``from_change``: the new budget counts from now on. ``prorated``: the share that was used of the old budget counts
    as used of the new one. A clock keeps its target if its promise is broken, or if the new priority has no target.
    """
    new = plan.terms_for(old.agreement, old.rule, course.priority, at_ms)
    extra = clock.extra or NO_EXTRA
    target_ms = clock.budget_ms - extra.offset_ms
    if new is None or old.rule.budget(course.priority) == old.rule.budget(course.former_priority):
        return clock
    elapsed_ms, runs = clocks.run_closed(clock, at_ms, old)
    if clock.breached_ms:
        return clock
    used_ms = 0
    if old.rule.on_change == "prorated":
        used_ms = (elapsed_ms - extra.offset_ms) * new.budget_ms // target_ms
    offset_ms = elapsed_ms - used_ms
    former = [*extra.former, Former(at_ms, elapsed_ms, clock.calendar, clock.budget_ms)]
    after = with_extra(clock, offset_ms=offset_ms, former=former, by_instant=new.by_instant)._replace(
        budget_ms=offset_ms + new.budget_ms, calendar=new.calendar_name, elapsed_ms=elapsed_ms, runs=runs
    )
    of = plan.terms(after) or new
    if sum(one.elapsed_ms <= elapsed_ms for one in of.thresholds) < clock.told:
        after = after._replace(ordinal=clock.ordinal + 1, told=0)
    return clocks.run_from(after, at_ms, of) if clock.state == "running" else after


def _rules(
    plan: Plan, subject: str, attributes: dict[str, Value], owned: dict[str, Value], at_ms: int
) -> Iterator[tuple[Agreement, ClockRule, dict[str, Value]]]:
    """Yield the rules that the ticket's state drives, each with the subject's attributes.

    For ownership the attribute ``team`` is the team that had the ticket at that time.
    """
    for known, are_owners in ((attributes, False), (owned, True)):
        for agreement in plan.book.in_force(known, at_ms):
            for rule in agreement.clocks:
                if rule.subject != subject or not plan.is_driven(rule) or not rule.where.matches(known):
                    continue
                if (rule.metric == "ownership") == are_owners:
                    yield agreement, rule, known


def _held(clock: Clock, facts: Sequence[Fact], of: Terms) -> Clock:
    """Return a clock that has just started, paused from its start on by the pauses that are open."""
    began: dict[str, int] = {}
    pause_on = of.rule.pause_on
    for fact in facts:
        if fact.type not in _PAUSING:
            continue
        reason = str(fact.attributes.get("reason", ""))
        if fact.type in SOLVED:
            began = {}
        elif fact.type == "paused":
            if with_begun(began, reason, pause_on) is not None:
                began[reason] = fact.time_ms
        elif (left := without_ended(began, reason, pause_on)) is not None:
            began = {one: began[one] for one in left}
    spent = []
    for reason, since_ms in began.items():
        cap_ms = of.rule.pause_caps.get(reason, 0)
        if cap_ms and since_ms + cap_ms <= clock.start_ms:
            spent.append(reason)
            continue
        clock = clocks.paused(clock, Fact(clock.start_ms, 0, "", "paused", {"reason": reason}), of)
        if cap_ms and clock.extra:
            caps = [*clock.extra.caps[:-1], since_ms + cap_ms]
            clock = with_extra(clock, caps=caps)._replace(next_ms=min(one for one in caps if one))
    return with_extra(clock, spent=spent) if spent else clock


_PAUSING: Final = SOLVED | {"paused", "resumed"}
"""The event types that begin or end pauses."""
