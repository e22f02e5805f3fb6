"""One subject's step: the only way a fact changes anything.

step(row, facts, now) -> row, alerts, changes
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

from monitor.core.alerts.alert import Alert
from monitor.core.clocks.clock_value import OPEN, Clock
from monitor.core.clocks.counts import shares_of
from monitor.core.clocks.reporting import incomplete_changes
from monitor.core.clocks.terms import Plan
from monitor.core.facts.events import Fact, Subject
from monitor.core.facts.ledger import Rejected
from monitor.core.kinds import COUNTED
from monitor.core.pieces import Pieces, at_once
from monitor.core.series.series import LIVE, Change, SeriesKey
from monitor.core.subjects.folding import Folding
from monitor.core.subjects.rows import SubjectRow

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
    of_facts = folding.rejected, folding.repeats, folding.together
    done: Step = _new(Step, (after, folding.alerts, changes, *of_facts))
    return done


def _shown(folding: Folding, now_ms: int) -> tuple[list[Change], int]:
    """Return what a subject has in its series beside its clocks now, and when that changes by itself."""
    counted = COUNTED[folding.subject]
    subject_id, facts, attributes = folding.subject_id, folding.facts, folding.attributes
    shown: list[Change] = []
    if folding.subject == "ticket":
        shown = incomplete_changes(folding.subject, facts, attributes, folding.clocks, folding.plan)
    wake_ms = 0
    for agreement in folding.plan.book.in_force(attributes, facts[0].time_ms):
        for rule in counted.rules(agreement):
            if not rule.where.matches(attributes):
                continue
            values = tuple([str(attributes.get(name, "")) for name in rule.by])
            series = SeriesKey(agreement.id, rule.id, values)
            changes, at_ms = counted.changes(subject_id, facts, attributes, rule, agreement, series, now_ms)
            shown.extend(changes)
            wake_ms = min(wake_ms or at_ms, at_ms or wake_ms)
    return shown, wake_ms


def _changes(row: SubjectRow, folding: Folding, shown: list[Change]) -> list[Change]:
    """Return what leads from the old row's place in the series to the new one's: the old out, the new in."""
    changes: list[Change] = []
    if row.shown or shown:
        _replace(changes, row.shown, shown)
    before, after = row.clocks, folding.clocks
    known = len(before)
    if known > len(after) or (after and max([clock.cycle for clock in after]) > 1):
        old, new = Counter(_shown_by_cycles(before, folding.plan)), Counter(_shown_by_cycles(after, folding.plan))
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
        changes += [change.undone() for change in old if change not in new]
        changes += [change for change in new if change not in old]


def _shown_by_cycles(all_clocks: Sequence[Clock], plan: Plan) -> list[Change]:
    """Return what clocks with several cycles have in their series: of some only the last cycle counts."""
    shown = []
    last = {clock.series[:2]: clock.cycle for clock in all_clocks}
    for clock in all_clocks:
        if clock.cycle != last[clock.series[:2]]:
            of = plan.terms(clock)
            if of is not None and of.rule.cycles == "last":
                continue
        shown += shares_of(clock)
    return shown


_new: Final[Callable[..., Any]] = tuple.__new__
"""Makes the tuples of the hot path directly: their constructors take three times as long."""
