"""The explanation of a clock: its state, its stretches, its target and the target's origin (domain.md §3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from monitor.core.agreements.measures import ANY, Budget
from monitor.core.alerts.stretches import Stretch
from monitor.core.clocks import clock as clocks
from monitor.core.clocks.due import due_had_it_gone_on_ms, is_overdue
from monitor.core.clocks.stretches import stretches_of, text_of
from monitor.core.subjects.contribution import Contribution, contribution

if TYPE_CHECKING:
    from monitor.core.agreements.agreement import Origin
if TYPE_CHECKING:
    from monitor.core.clocks.clock import Terms
    from monitor.core.clocks.clock_value import Clock
    from monitor.core.subjects.rows import SubjectRow
if TYPE_CHECKING:
    from monitor.core.clocks.clock import Terms
    from monitor.core.clocks.clock_value import Clock


Standing = Literal["running", "paused", "at_risk", "overdue", "met", "breached", "cancelled", "undated"]


class Explanation(NamedTuple):
    """The state of a clock at an instant, and the reasons for it.

    ``priority`` is the one whose target holds. ``target_of`` is the line of the agreement that gives the target: the
    priority's own or ``*``. ``stop_ms`` is None while the clock is open. ``due_ms`` of a clock that ended in time is
    when it would have been due without its end; None if the clock, as it stands, is never due. ``wall_ms`` is the
    elapsed time without calendar and pauses. ``origin`` is the agreement and version that the target comes from.
    ``days`` and ``by_minute`` are not 0 if the target is one in business days.
    """

    agreement: str
    version: int
    clock: str
    metric: str
    cycle: int
    priority: str
    target_of: str
    budget_ms: int
    calendar: str
    start_ms: int
    stop_ms: int | None
    due_ms: int | None
    elapsed_ms: int
    wall_ms: int
    standing: Standing
    flagged: bool
    stretches: tuple[Stretch, ...]
    origin: Origin
    """The level of the agreement that gives the target; the agreement itself if it has no levels."""
    contribution: Contribution
    days: int = 0
    by_minute: int = 0
    strict: bool = False
    """Whether the target itself is too long already."""
    due_at: str = ""
    """The attribute of the record that brings the due instant; "": the target is a budget."""

    @property
    def target(self) -> Budget:
        """The target in the agreement's words: a duration, or business days."""
        return Budget(0 if self.days else self.budget_ms, self.calendar, self.days, self.by_minute)


def explain(row: SubjectRow, clock: Clock, of: Terms, now_ms: int) -> Explanation:
    """Return the explanation of a clock of a subject.

    Args:
        row: the subject's row.
        clock: one of the subject's clocks.
        of: the clock's terms.
        now_ms: the instant up to which an open clock is explained.
    """
    is_open = clock.state in ("running", "paused")
    end_ms = max(now_ms, clock.start_ms) if is_open else clock.stop_ms
    elapsed_ms = clocks.elapsed_at(clock, end_ms, of.calendar)
    priority = text_of(row.known().get("priority"))
    target = of.rule.budget(priority)
    target_of = priority if priority in of.rule.budgets else ANY
    return Explanation(
        clock.series.agreement,
        clock.version,
        of.rule.id,
        of.rule.metric,
        clock.cycle,
        priority,
        target_of,
        clock.budget_ms,
        clock.calendar,
        clock.start_ms,
        None if is_open else clock.stop_ms,
        due_had_it_gone_on_ms(clock, of.calendar),
        elapsed_ms,
        clocks.wall_at(clock, end_ms, of),
        _standing(clock, elapsed_ms, end_ms, of),
        clock.flagged,
        tuple(stretches_of(row.facts, clock, of, end_ms)),
        of.agreement.origin("clocks", of.rule.id, "targets", target_of),
        contribution(row.facts, clock, of, end_ms),
        target.days if target else 0,
        target.by_minute if target else 0,
        of.rule.strict,
        of.rule.due_at,
    )


def _standing(clock: Clock, elapsed_ms: int, at_ms: int, of: Terms) -> Standing:
    if clock.state == "cancelled":
        return "cancelled"
    if clocks.is_undated(clock):
        return "undated"
    if clock.state == "stopped":
        return "breached" if clocks.is_breached(clock) else "met"
    if is_overdue(clock, at_ms, of):
        return "overdue"
    if any(elapsed_ms >= one.elapsed_ms for one in of.thresholds):
        return "at_risk"
    return "paused" if clock.state == "paused" else "running"
