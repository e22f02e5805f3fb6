"""The fast path of the fold: for one fact that is newer than all before it, changes no promise and meets no deadline.

Most events are of this kind. `monitor.core.subjects.folding` takes every fact and is the definition; a law in the tests
holds the fast path to its results. All other cases are left to `folding`: facts that are late or repeated, another
priority (or another attribute that decides what is promised or counted), a clock with an announcement made or due, a
reopened subject, another book of agreements. A ticket that agreements count, or whose report lacks required fields,
begins there; later facts of it that change no such count are taken here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from monitor.core.clocks.clock import apply
from monitor.core.clocks.clock_value import OPEN
from monitor.core.clocks.counts import live_share, share_of
from monitor.core.clocks.reporting import missing
from monitor.core.clocks.starting import clocks_started
from monitor.core.clocks.terms import STARTS
from monitor.core.facts.ledger import is_roomy
from monitor.core.series.series import LIVE
from monitor.core.subjects.rows import SubjectRow

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from monitor.core.clocks.clock_value import Clock
    from monitor.core.clocks.terms import Plan
    from monitor.core.facts.events import Fact, Subject
    from monitor.core.series.series import Change

CLOCKS_ONLY: Final[frozenset[Subject]] = frozenset({"ticket"})
"""The subjects for which only clocks are measured, unless an agreement counts them (`is_weighed`)."""

Short = tuple[SubjectRow, list["Change"]]
"""The row after the fact, and the changes of its series. Nothing is announced."""


def is_weighed(fact: Fact, plan: Plan) -> bool:
    """Return whether a ticket with this first fact counts for more than the clocks that it starts, or has to wait.

    An agreement counts it, or requires fields that it lacks.
    """
    attributes = fact.attributes
    return plan.book.counts_tickets and any(
        missing(agreement.report, attributes) or any(rule.where.matches(attributes) for rule in agreement.tickets)
        for agreement in plan.book.in_force(attributes, fact.time_ms)
    )


def first_fact(subject: Subject, fact: Fact, now_ms: int, plan: Plan, retention_ms: int) -> Short | None:
    """Return row and changes after the first fact of a subject with only clocks; None: the fact needs `folding`.

    The arguments are those of `monitor.core.subjects.step.step`.
    """
    kind = fact.type
    if kind not in STARTS[subject] or kind in plan.touching[subject] or plan.dated[subject] or is_weighed(fact, plan):
        return None
    clocks: list[Clock] = []
    changes: list[Change] = []
    wake_ms = 0
    for clock, _ in clocks_started(subject, fact, fact.attributes, plan):
        next_ms = clock.next_ms
        if next_ms <= now_ms:
            return None
        if next_ms < wake_ms or not wake_ms:
            wake_ms = next_ms
        clocks.append(clock)
        changes.append(live_share(clock))
    ended_ms = 0
    if not clocks:
        ended_ms, wake_ms = fact.time_ms, fact.time_ms + retention_ms
    row: SubjectRow = _new(SubjectRow, (wake_ms, plan.book.stamp, [fact], {}, clocks, [], ended_ms, ()))
    return row, changes


def next_fact(  # noqa: C901, PLR0911, PLR0912 - on the hot path, where each call costs
    subject: Subject, row: SubjectRow, fact: Fact, now_ms: int, plan: Plan, retention_ms: int
) -> Short | None:
    """Return row and changes after one more fact of a subject with only clocks; None: the fact needs `folding`.

    The arguments are those of `monitor.core.subjects.step.step`.
    """
    time_ms, _, fact_id, kind, brought = fact
    _, stamp, facts, attributes, before, shown, _, gone = row
    if (
        stamp != plan.book.stamp
        or not facts
        or time_ms <= facts[-1][0]
        or kind in plan.general[subject]
        or not is_roomy(facts)
        # An incomplete report counts with its open clocks, and a cancelled ticket for nothing.
        or (shown and (kind == "cancelled" or any(change.at_ms == LIVE for change in shown)))
    ):
        return None
    if not attributes:
        attributes = facts[-1][4]
    if brought == attributes:
        attributes = {}
    elif not brought.items() <= attributes.items():
        weighing, dated = plan.weighing, plan.dated[subject]
        has_moved = False
        for name, value in brought.items():
            if (name in weighing or name in dated) and (was := attributes.get(name)) != value:
                values = None if name in dated else weighing.get(name)
                if values is None or was in values or value in values:
                    return None
                has_moved = True
        if has_moved and not _is_as_folded_anew(facts, before, gone):
            return None
        attributes = {**attributes, **brought}
        if brought == attributes:
            attributes = {}
    for known in facts:
        if known[2] == fact_id:
            return None
    until_ms = time_ms if time_ms > now_ms else now_ms  # noqa: FURB136 - max() takes three times as long
    clocks = before.copy()
    changes: list[Change] = []
    wake_ms = 0
    is_open = False
    for place, clock in enumerate(before):
        if clock.cycle > 1:
            return None
        state = clock.state
        if state not in OPEN:
            continue
        of = plan.terms(clock)
        if of is None or of.is_general or clock.told or clock.breached_ms or 0 < clock.next_ms <= until_ms:
            return None
        clocks[place] = after = apply(clock, fact, of)
        new_state = after.state
        if new_state in OPEN:
            is_open = True
            next_ms = after.next_ms
            if next_ms:
                if next_ms <= now_ms:
                    return None
                if next_ms < wake_ms or not wake_ms:
                    wake_ms = next_ms
        if new_state != state:  # nothing was announced, so the state alone decides how the clock counts
            changes.append(live_share(clock, -1))
            new = share_of(after)
            if new is not None:
                changes.append(new)
    ended_ms = 0
    if not is_open:
        ended_ms, wake_ms = time_ms, time_ms + retention_ms
    after_row: SubjectRow = _new(
        SubjectRow,
        (wake_ms, stamp, [*facts, fact], attributes, clocks, shown, ended_ms, gone),
    )
    return after_row, changes


def _is_as_folded_anew(facts: Sequence[Fact], known: Sequence[Clock], gone: Sequence[Clock]) -> bool:
    """Return whether a new fold of the ledger under the same promises would surely change nothing.

    Nothing was told, so no count of what was told may change; and no fact brought a promise while there was no clock.
    """
    is_quiet = not gone and not any(one.told or one.breached_ms or one.ordinal for one in known)
    return is_quiet and any(one.start_ms == facts[0].time_ms for one in known)


_new: Final[Callable[..., Any]] = tuple.__new__
