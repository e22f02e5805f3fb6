"""When a clock is due, was due, or was missed; and clocks whose due instant comes with the record (domain.md §3).

A clock of a rule with ``due_at`` takes its due instant from that attribute of the subject's facts, in place of start +
budget. Its budget is then the open time from its start to that instant: warnings are placed in it. Pauses do not move
the due instant, so a paused clock is due too; if the rule says that they do, it moves by the open time of the pauses. A
later fact may bring another instant (`dated`). Without the attribute the clock has no due instant: it is *undated*,
never met and never breached.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.core.clocks.clock import broken_at, due_from, next_at, told_until_ms
from monitor.core.clocks.clock_value import NO_DUE, OPEN, with_extra

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from monitor.core.clocks.clock import Terms
    from monitor.core.clocks.clock_value import Clock
    from monitor.core.clocks.terms import Plan
    from monitor.core.facts.events import Fact
    from monitor.core.time.calendar import Calendar


def due_or_missed_ms(clock: Clock, calendar: Calendar) -> int | None:
    """Return when the budget was first used up or, while the clock runs, will be; None: never, as the clock stands."""
    if clock.extra is not None and clock.extra.due_at_ms:
        return _of_record(clock, calendar)
    return _reached_ms(clock, clock.budget_ms, clock.due_ms, calendar)


def missed_ms(clock: Clock, of: Terms) -> int | None:
    """Return when the promise was first broken or, while the clock runs, will be; None: never, as the clock stands."""
    ends_ms = 0
    if clock.due_ms:
        ends_ms = broken_at(clock.since_ms, clock.elapsed_ms, clock.due_ms, of)
    if of.by_instant:
        return clock.breached_ms or ends_ms or None
    return _reached_ms(clock, of.limit_ms, ends_ms, of.calendar)


def _reached_ms(clock: Clock, amount_ms: int, next_ms: int, calendar: Calendar) -> int | None:
    """Return when the elapsed time first reached an amount; ``next_ms`` (0: never) if that was in no closed stretch.

    A change of target closes the running stretch, and the target of a used up budget is never changed. Time before the
    last change keeps the elapsed time that was counted then, in the calendar of that time.
    """
    if clock.elapsed_ms < amount_ms:
        return next_ms or None
    from_ms, used_ms = _changed_at(clock)
    before_ms = 0  # when the stretch before the change ended: there a budget was used up that the change found used up
    for start_ms, end_ms in zip(clock.runs[::2], clock.runs[1::2], strict=True):
        if start_ms < from_ms:
            before_ms = end_ms
            continue
        ran_ms = calendar.elapsed(start_ms, end_ms)
        if used_ms + ran_ms >= amount_ms:
            return calendar.due(start_ms, amount_ms - used_ms)
        used_ms += ran_ms
    return next_ms or before_ms or None  # a clock without any budget is due at its start


def due_had_it_gone_on_ms(clock: Clock, calendar: Calendar) -> int | None:
    """Return `due_or_missed_ms`; for a clock that ended in time, when it would have been due without its end."""
    is_of_record = clock.extra is not None and clock.extra.due_at_ms
    if clock.state in OPEN or is_of_record or clock.elapsed_ms >= clock.budget_ms:
        return due_or_missed_ms(clock, calendar)
    return calendar.due(max(clock.runs[-1], _changed_at(clock)[0]), clock.budget_ms - clock.elapsed_ms)


def _of_record(clock: Clock, calendar: Calendar) -> int | None:
    """Return the due instant of a record, moved by the pauses up to it if pauses move it; None: there is none."""
    extra = clock.extra
    assert extra is not None  # it holds the due instant
    if extra.due_at_ms == NO_DUE:
        return None
    if not extra.due_moves:
        return extra.due_at_ms
    used_ms, due_ms = 0, extra.due_at_ms
    for start_ms, end_ms in zip(clock.runs[::2], clock.runs[1::2], strict=True):
        due_ms = calendar.due(extra.due_at_ms, max(0, calendar.elapsed(clock.start_ms, start_ms) - used_ms))
        if due_ms <= end_ms:
            return due_ms
        used_ms += calendar.elapsed(start_ms, end_ms)
    if clock.state == "paused":
        return None
    return clock.due_ms or due_ms


def _changed_at(clock: Clock) -> tuple[int, int]:
    """Return when the present target of a clock began to hold, and the time elapsed by then."""
    return clock.extra.former[-1][:2] if clock.extra and clock.extra.former else (0, 0)


def is_overdue(clock: Clock, at_ms: int, of: Terms) -> bool:
    """Return whether the promise of an open clock is broken at an instant, also if that is not announced yet."""
    if clock.breached_ms:
        return True
    return clock.due_ms != 0 and broken_at(clock.since_ms, clock.elapsed_ms, clock.due_ms, of) <= at_ms


def is_belated(newest: Iterable[Clock], fact: Fact, plan: Plan) -> bool:
    """Return whether a fact is older than an announcement, which it may disprove, or than a capped pause's end.

    ``newest`` are the last clocks of each rule.
    """
    for clock in newest:
        if clock.since_ms > fact.time_ms and clock.state in OPEN and clock.extra:
            return True  # a capped pause has ended after the fact
        if clock.due_ms and (clock.told or clock.breached_ms):
            of = plan.terms(clock)
            if of is not None and fact.time_ms < told_until_ms(clock, of):
                return True
    return False


def due_in(facts: Sequence[Fact], name: str) -> int:
    """Return the newest due instant that an attribute of the facts brings; `NO_DUE`: none does."""
    for fact in reversed(facts):
        value = fact.attributes.get(name)
        if isinstance(value, int):
            return value
    return NO_DUE


def dated(clock: Clock, due_at_ms: int, at_ms: int, plan: Plan) -> Clock:
    """Return a clock with another due instant of the record, which is known since an instant.

    A warning or breach that was announced and no longer holds is taken back: the ordinal is then another one, and the
    clock is to be announced as rearmed. A clock that has stopped keeps the due instant that it had.

    Args:
        clock: a clock of a rule with ``due_at``.
        due_at_ms: the due instant; `NO_DUE`: the record has none.
        at_ms: when the record got it.
        plan: the agreements.
    """
    was_ms = clock.extra.due_at_ms if clock.extra else 0
    if was_ms == due_at_ms or (was_ms and clock.state not in OPEN):
        return clock
    old = plan.terms(clock)
    assert old is not None  # the plan has just made the clock, or moved it
    budget_ms = old.calendar.elapsed(clock.start_ms, due_at_ms) if due_at_ms != NO_DUE else 0
    moves = old.rule.pauses_move_due
    clock = with_extra(clock, due_at_ms=due_at_ms, due_moves=moves)._replace(budget_ms=budget_ms, due_ms=0)
    of = plan.terms(clock)
    assert of is not None
    if due_at_ms == NO_DUE or clock.state not in OPEN:
        return clock._replace(next_ms=0)
    known = [one.reason for one in old.thresholds[: clock.told]]
    # Another budget may put the warnings in another order: those that were told are then told anew, under new ids.
    in_order = sorted(known) == sorted([one.reason for one in of.thresholds[: clock.told]])
    if clock.state == "paused" and moves:
        is_broken = clock.elapsed_ms > budget_ms
        told = sum(one.elapsed_ms <= clock.elapsed_ms for one in of.thresholds) if in_order else 0
        return _taken_back(clock, told, is_broken=is_broken)
    due_ms = due_from(clock, clock.since_ms, of)
    at = clock.since_ms, clock.elapsed_ms, due_ms
    told = sum(next_at(clock, *at, place, of) <= at_ms for place in range(len(of.thresholds))) if in_order else 0
    clock = _taken_back(clock._replace(due_ms=due_ms), told, is_broken=broken_at(*at, of) <= at_ms)
    return clock._replace(next_ms=0 if clock.breached_ms else max(at_ms, next_at(clock, *at, clock.told, of)))


def _taken_back(clock: Clock, told: int, *, is_broken: bool) -> Clock:
    """Return a clock without the announcements that no longer hold; ``told`` is the number of warnings that do."""
    if clock.breached_ms and not is_broken:
        return with_extra(clock, ended=0)._replace(ordinal=clock.ordinal + 1, told=0, breached_ms=0)
    return clock._replace(ordinal=clock.ordinal + 1, told=0) if not clock.breached_ms and told < clock.told else clock
