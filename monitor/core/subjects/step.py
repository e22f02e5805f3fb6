"""One subject's step: the only way a fact changes anything.

step(row, facts, now) -> row, alerts, changes
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

from monitor.core.alerts.alert import Alert, AlertState
from monitor.core.clocks.clock_value import OPEN, Clock
from monitor.core.clocks.corrections import Told
from monitor.core.clocks.counts import shares_of
from monitor.core.clocks.reporting import incomplete_changes
from monitor.core.clocks.stretches import Life
from monitor.core.clocks.terms import Plan
from monitor.core.facts.events import Fact, Subject
from monitor.core.facts.ledger import Rejected
from monitor.core.kinds import COUNTED
from monitor.core.pieces import Pieces, at_once
from monitor.core.series.series import LIVE, Change
from monitor.core.subjects.folding import Folding
from monitor.core.subjects.late import Known, Late, Past, by_time_alone, contributions, late_changes
from monitor.core.subjects.rewriting import Rewriting, counted, left_out, may_rewrite, standing
from monitor.core.subjects.rows import SubjectRow

MOST_REWRITTEN: Final = 2_000
"""The work, in applications of a fact to a clock, that is spent on finding out anew what the facts of a ledger rewrote.
Of a ticket whose priority changes a hundred times the later changes are then not looked at."""
EMPTY: Final = SubjectRow(0, 0, [], {}, [], [], 0)


class Step(NamedTuple):
    """What a step makes of a row. ``row`` is None when the subject is to be forgotten."""

    row: SubjectRow | None
    alerts: list[Alert]
    changes: list[Change]
    rejected: list[Rejected]
    repeats: int
    together: int = 0
    """Late facts whose consequences were told together, not one by one (`monitor.core.subjects.folding.MOST_AGAIN`)."""
    late: Sequence[Late] = ()
    """What the statements of periods that have closed leave out (`monitor.core.subjects.late`)."""


def step(
    subject: Subject,
    subject_id: str,
    row: SubjectRow | None,
    new: Sequence[Fact],
    now_ms: int,
    plan: Plan,
    retention_ms: int,
) -> Step:
    """Return what `steps` returns, at once."""
    return at_once(steps(subject, subject_id, row, new, now_ms, plan, retention_ms))


def steps(
    subject: Subject,
    subject_id: str,
    row: SubjectRow | None,
    new: Sequence[Fact],
    now_ms: int,
    plan: Plan,
    retention_ms: int,
) -> Pieces[Step]:
    """Return what new facts and the time make of a subject.

    Args:
        subject: the kind of the subject.
        subject_id: its id.
        row: what is known of it so far; None for a new one. It is not changed.
        new: facts in the order of their arrival, repeats included; none when only its time has come.
        now_ms: the instant up to which deadlines are judged. While a partition catches up this is its watermark.
        plan: the agreements.
        retention_ms: how long after its last fact a finished subject is kept, for reopenings and late facts.
    """
    row = row or EMPTY
    folding = Folding(subject, subject_id, plan, row)
    if row.stamp != plan.book.stamp and row.facts:
        yield from folding.again(now_ms)
    yield from folding.taking(new)
    folding.until(now_ms)
    shown: list[Change] = []
    wake_ms = ended_ms = 0
    if folding.facts and (plan.book.requires or subject in plan.book.counted):
        shown, wake_ms = _shown(folding, now_ms)
    changes = _changes(row, folding, shown)
    late = _late(row, folding, Known(folding.facts, shown, wake_ms), now_ms)
    if folding.rewritten or folding.disordered:
        late = [*late, *(yield from _rewritten(row, folding, changes))]
    is_open = bool(shown) and any(change.at_ms == LIVE for change in shown)
    for clock in folding.clocks:
        if clock.state in OPEN:
            is_open = True
            if clock.next_ms and (clock.next_ms < wake_ms or not wake_ms):
                wake_ms = clock.next_ms
    if not is_open and folding.facts:
        ended_ms = COUNTED[subject].lasts_until_ms(folding.facts)
        wake_ms = ended_ms + retention_ms
        if wake_ms <= now_ms and not new:
            return Step(None, folding.alerts, changes, folding.rejected, folding.repeats, folding.together)
    facts, attributes = folding.facts, folding.attributes
    if facts and attributes == facts[-1].attributes:
        attributes = {}
    after: SubjectRow = _new(
        SubjectRow,
        (
            wake_ms,
            plan.book.stamp,
            facts,
            attributes,
            folding.clocks,
            shown,
            ended_ms,
            folding.gone,
        ),
    )
    of_facts = folding.rejected, folding.repeats, folding.together, late
    done: Step = _new(Step, (after, folding.alerts, changes, *of_facts))
    return done


def _shown(folding: Folding, now_ms: int) -> tuple[list[Change], int]:
    """Return what a subject has in its series beside its clocks now, and when that changes by itself."""
    facts, attributes, plan = folding.facts, folding.attributes, folding.plan
    shown: list[Change] = []
    if folding.subject == "ticket":
        shown = incomplete_changes(folding.subject, facts, attributes, folding.clocks, plan)
    of_subject, wake_ms = contributions(folding.subject, folding.subject_id, facts, attributes, plan, now_ms)
    return shown + of_subject, wake_ms


def _late(row: SubjectRow, folding: Folding, known: Known, now_ms: int) -> Sequence[Late]:
    """Return what changes in what the statements of closed periods leave out.

    Whatever happened within the shortest lateness of a period after the first fact is in time for all of them.
    """
    facts, plan = folding.facts, folding.plan
    if folding.subject not in plan.book.counted or not facts or (row.facts and row.stamp != plan.book.stamp):
        return ()
    soonest_ms = facts[0].time_ms + plan.soonest_ms(folding.subject)
    if facts[-1].time_ms < soonest_ms and (now_ms < soonest_ms or not by_time_alone((*row.shown, *known.shown))):
        return ()
    subject, subject_id = folding.subject, folding.subject_id
    past = Past(subject, subject_id, facts, plan)
    after = late_changes(subject, known, plan, past, now_ms)
    before: list[Late] = []
    if row.facts:
        is_in_order = row.facts == facts[: len(row.facts)]
        known_past = past if is_in_order else Past(subject, subject_id, row.facts, plan)
        before = late_changes(subject, _known(row), plan, known_past, now_ms)
    if before == after:
        return ()
    return [*(one._replace(change=one.change.undone()) for one in before), *after]


def _rewritten(row: SubjectRow, folding: Folding, changes: list[Change]) -> Pieces[list[Late]]:
    """Add what stays counted of rewritten clocks to the changes; return what statements of closed periods leave out.

    After a fact out of order both follow from the ledger of before and the ledger of now, each folded in its order.
    """
    before: Sequence[Rewriting] = ()
    after: Sequence[Rewriting] = folding.rewritten
    if folding.disordered:
        before = yield from _rewritings(row.facts, folding)
        after = yield from _rewritings(folding.facts, folding)
    if before == after:
        return []
    subject, plan = folding.subject, folding.plan
    net: Counter[Change] = Counter()
    for change in [*changes, *standing(after), *(one.undone() for one in standing(before))]:
        net[change._replace(times=1)] += change.times
    changes[:] = [one._replace(times=1 if n > 0 else -1) for one, n in net.items() for _ in range(abs(n))]
    undone = [one._replace(change=one.change.undone()) for one in left_out(before, subject, plan)]
    return [*undone, *left_out(after, subject, plan)]


def _rewritings(facts: Sequence[Fact], like: Folding) -> Pieces[list[Rewriting]]:
    """Return what the facts of a ledger rewrote, each in its turn."""
    if not may_rewrite(like.subject, facts, like.plan):
        return []
    folding = _Silent(like.subject, like.subject_id, like.plan, EMPTY, MOST_REWRITTEN)
    yield from folding.taking(facts)
    return folding.rewritten


class _Silent(Folding):
    """A fold that announces nothing: only what its clocks count is asked for."""

    def _announce(self, clock: Clock, state: AlertState, at_ms: int, reason: str, life: Life | None = None) -> None:
        pass

    def _announce_difference(
        self,
        before: Sequence[Clock],  # noqa: ARG002 - the base's
        noted: Sequence[Told],  # noqa: ARG002 - the base's
        cause_ms: int,  # noqa: ARG002 - the base's
    ) -> Pieces[None]:
        yield


def _known(row: SubjectRow) -> Known:
    return Known(row.facts, row.shown, row.wake_ms if _is_open(row.shown) else 0)


def _is_open(shown: Sequence[Change]) -> bool:
    return any(change.at_ms == LIVE for change in shown)


def _changes(row: SubjectRow, folding: Folding, shown: list[Change]) -> list[Change]:
    """Return what leads from the old row's place in the series to the new one's: the old out, the new in."""
    changes: list[Change] = []
    if row.shown or shown:
        _replace(changes, row.shown, shown)
    before, after = row.clocks, folding.clocks
    known = len(before)
    if known > len(after) or (after and max([clock.cycle for clock in after]) > 1):
        old, new = Counter(counted(before, folding.plan)), Counter(counted(after, folding.plan))
        changes += [change.undone() for change in (old - new).elements()]
        changes += (new - old).elements()
        return changes
    for index, clock in enumerate(after):
        was = before[index] if index < known else None
        if was is clock:
            continue
        _replace(changes, shares_of(was) if was is not None else [], shares_of(clock))
    return changes


def _replace(changes: list[Change], old: list[Change], new: list[Change]) -> None:
    if old != new:
        left = new.copy()
        for change in old:
            if change in left:
                left.remove(change)  # once: two hand-overs in one instant are equal changes
            else:
                changes.append(change.undone())
        changes += left


_new: Final[Callable[..., Any]] = tuple.__new__
"""Makes the tuples of the hot path directly: their constructors take three times as long."""
