"""Corrections: the announcements that replace earlier ones after the ledger of a clock was folded again.

`monitor.core.subjects.folding` calls this. Nothing that was announced is erased silently.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.core.alerts.alert import AlertState
from monitor.core.clocks.clock_value import OPEN, Clock

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitor.core.clocks.terms import Plan

Told = tuple[Clock, AlertState, int, str]
"""A transition of a clock that is announced: the clock at that moment, the alert's state, the instant, the reason."""

Word = tuple[AlertState, int, str]
"""The state, the instant and the reason of an announcement."""


def corrections(
    was: Clock, clock: Clock, said: Sequence[Told], cause_ms: int, before: frozenset[str], after: frozenset[str]
) -> tuple[Word | None, list[Word]]:
    """Return the announcement that takes back an earlier one (or None), and the announcements to add.

    After them, everything announced of the re-folded clock is true. ``before`` are the reasons of the warnings that
    were announced, ``after`` of those that hold by now. ``said`` are the transitions of the new fold.
    """
    if has_ended(was) and was.state == "stopped" and clock.state == "cancelled":
        # The last announcement of a cancelled clock is that it is void, even if its end was announced before.
        return ("voided", clock.stop_ms, "cancelled"), []
    if has_ended(was) and (was.state == "cancelled" or clock.state in OPEN):
        # The earlier alert has ended: there is nothing to take back, and transitions that hold are announced anew.
        return None, [] if was.state == clock.state else [one[1:] for one in said]
    down = _taken_back(was, clock, cause_ms, is_less=not before <= after)
    if down is not None and down[0] == "rearmed":
        before = frozenset()  # the page is over: the warnings that still hold are announced anew
    ups = [one[1:] for one in said if one[1] == "at_risk" and one[3] not in before]
    ups += [one[1:] for one in said if one[1] == "breached" and not was.breached_ms]
    if clock.state not in OPEN and (ups or not has_ended(was)) and (down is None or down[0] == "rearmed"):
        ups += [one[1:] for one in said if one[1] in ("resolved", "voided")]
    return down, ups


def identity(clock: Clock) -> tuple[str, str, int]:
    """Return the agreement, rule and cycle by which a clock is recognised after its ledger was folded again."""
    return clock.series.agreement, clock.series.measure, clock.cycle


def warned(clock: Clock, plan: Plan) -> frozenset[str]:
    """Return the reasons of the announced warnings of a clock. Not their number: their order depends on the budget."""
    of = plan.terms(clock)
    return frozenset(one.reason for one in of.thresholds[: clock.told]) if of is not None else frozenset()


def has_ended(clock: Clock) -> bool:
    """Return whether a clock has ended after a warning or breach of it was announced."""
    return clock.state not in OPEN and bool(clock.told or clock.breached_ms)


def _taken_back(was: Clock, clock: Clock, cause_ms: int, *, is_less: bool) -> Word | None:
    """Return the announcement that takes back one that no longer holds; None: all of them hold.

    A late fact that proves that the promise was kept voids the breach; a due instant that moved later re-arms.
    """
    if was.breached_ms and not clock.breached_ms:
        if clock.state in OPEN:
            return "rearmed", cause_ms, "due_moved"
        return "voided", clock.stop_ms, "cancelled" if clock.state == "cancelled" else "stopped_in_time"
    if is_less and was.state in OPEN:
        if clock.state in OPEN:
            return "rearmed", cause_ms, "due_moved"
        if clock.state == "cancelled":
            return "voided", clock.stop_ms, "cancelled"
        return "resolved", clock.stop_ms, "stopped_in_time"
    return None
