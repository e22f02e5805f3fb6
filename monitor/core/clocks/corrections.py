"""Corrections: the announcements that replace earlier ones after the ledger of a clock was folded again.

`monitor.core.subjects.folding` calls this. Nothing that was announced is erased silently.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.core.alerts.alert import AlertState
from monitor.core.clocks.clock import told_until_ms
from monitor.core.clocks.clock_value import OPEN, Clock

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

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


def difference(
    was: Clock, clock: Clock, said: Sequence[Told], cause_ms: int, before: frozenset[str], after: frozenset[str]
) -> tuple[list[tuple[int, Word]], Clock]:
    """Return the announcements, with their ordinals, that a new fold of a clock makes necessary, and the clock.

    The clock's ordinal is then one under which no other announcement has been made. The arguments are those of
    `corrections`; ``said`` are the transitions of all lives of a summed clock.
    """
    # For a summed clock that was reopened, only announcements since its last reopening can need correction …
    newest = [one for one in said if one[0].ordinal == clock.ordinal]
    down, words = corrections(was, clock, newest, cause_ms, before, after)
    of_lives = _lives(was, clock, said, down, before)  # … unless it has had other lives
    if of_lives:
        return of_lives, clock._replace(ordinal=of_lives[-1][0] + 1)
    # After a correction, or if the clock begins again after its end, later announcements need new ids.
    anew = down is not None or (has_ended(was) and (bool(words) or not has_ended(clock)))
    ordinal = was.ordinal + anew
    first = [(was.ordinal, down)] if down is not None else []
    return [*first, *[(ordinal, word) for word in words]], clock._replace(ordinal=ordinal)


def _lives(
    was: Clock, clock: Clock, said: Sequence[Told], down: Word | None, before: frozenset[str]
) -> list[tuple[int, Word]]:
    """Return the announcements, with their ordinals, after which all lives of a summed clock are announced as they are.

    A summed clock has one life until each stop. Each breach and its end are announced, and stay so for good. Empty:
    the lives before the present one are those that were announced, so `corrections` says all. ``said`` are the
    transitions of the new fold, ``down`` what `corrections` takes back, ``before`` the reasons of the warnings that
    were announced.
    """
    of_life: dict[int, list[Word]] = {}
    for one in said:
        if one[1] == "rearmed":
            of_life.clear()  # it has taken back what was announced before
        else:
            of_life.setdefault(one[0].ordinal, []).append(one[1:])
    now = of_life.pop(clock.ordinal, [])
    ended = [words for words in of_life.values() if any(word[0] == "breached" for word in words)]
    known = was.extra.ended if was.extra else 0
    if clock.state == "cancelled" or (len(ended) == known and (down is None or not known)):
        return []
    found: list[tuple[int, Word]] = []
    ordinal = was.ordinal
    if len(ended) <= known:
        state: AlertState = "rearmed" if clock.state in OPEN else "voided"
        found.append((ordinal, down or (state, ended[-1][-1][1] if ended else clock.start_ms, "due_moved")))
        found += [(ordinal + number, word) for number, words in enumerate([*ended, now], 1) for word in words]
        return found
    if has_ended(was) and not was.breached_ms:
        ordinal, before = ordinal + 1, frozenset()  # the end of its warnings was announced under its ordinal
    if not (has_ended(was) and was.breached_ms):
        skipped = {("breached", "due")} if was.breached_ms else set()
        skipped |= {("at_risk", reason) for reason in before}
        found += [(ordinal, word) for word in ended[known] if (word[0], word[2]) not in skipped]
    following = [*ended[known + 1 :], now]
    return found + [(ordinal + number, word) for number, words in enumerate(following, 1) for word in words]


def identity(clock: Clock) -> tuple[str, str, int]:
    """Return the agreement, rule and cycle by which a clock is recognised after its ledger was folded again."""
    return clock.series.agreement, clock.series.measure, clock.cycle


def warned(clock: Clock, plan: Plan) -> frozenset[str]:
    """Return the reasons of the announced warnings of a clock. Not their number: their order depends on the budget."""
    of = plan.terms(clock)
    return frozenset(one.reason for one in of.thresholds[: clock.told]) if of is not None else frozenset()


def told_until(clocks: Iterable[Clock], plan: Plan) -> dict[tuple[str, str, int], int]:
    """Return the instants of the last announcements of running clocks, by their `identity`."""
    found = {}
    for clock in clocks:
        of = plan.terms(clock)
        if of is not None and clock.due_ms and (clock.told or clock.breached_ms):
            found[identity(clock)] = told_until_ms(clock, of)
    return found


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
