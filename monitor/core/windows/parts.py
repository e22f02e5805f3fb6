"""The parts of a period: a version of an agreement counts for the time in which it held (domain.md §3).

A period with an amendment in it that changes what is promised to a series is stated in parts, one for each stretch in
which the same was promised. If the agreement says ``amendments: by_version_at_end``, the version at the end of the
period judges all of it, but for what that version no longer promises: no promise vanishes from a period in which it
held. Time before the first version, after the end of the agreement, or in which only a draft is known belongs to no
part.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from monitor.core.time.calendar import Calendar
    from monitor.core.time.spans import Span
    from monitor.core.time.windows import Window
    from monitor.core.windows.terms import Binding


class Part(NamedTuple):
    """A stretch ``[from_ms, to_ms)`` of a period, and the terms by which it is judged."""

    binding: Binding
    from_ms: int
    to_ms: int


def parts_of(
    binding_at: Callable[[int], Binding | None], changes_ms: Iterable[int], window: Window, span: Span
) -> tuple[Part, ...]:
    """Return the parts of a period in which a window is promised, in their order; none if it never is.

    Args:
        binding_at: returns the terms that hold at an instant.
        changes_ms: the instants in the period at which another version takes effect or the agreement ends, ascending.
        window: the window.
        span: the period.
    """
    found: list[Part] = []
    for from_ms, to_ms in pairwise((span.start_ms, *changes_ms, span.end_ms)):
        binding = binding_at(from_ms)
        if binding is None or window not in binding.windows or binding.agreement.status == "draft":
            continue
        last = found[-1] if found else None
        if last is not None and last.to_ms == from_ms and is_same(last.binding, binding, window):
            found[-1] = Part(binding, last.from_ms, to_ms)
        else:
            found.append(Part(binding, from_ms, to_ms))
    if len(found) > 1 and found[-1].binding.agreement.amendments == "by_version_at_end":
        return tuple(_by_the_last(found, window))
    return tuple(found)


def _by_the_last(parts: list[Part], window: Window) -> list[Part]:
    """Return the parts with all of them judged by the last one's terms, but for those that promised something more."""
    last = parts[-1]
    kept = {one.id for one in last.binding.shown(window)}
    found: list[Part] = []
    for part in reversed(parts):
        is_whole = {one.id for one in part.binding.shown(window)} <= kept
        if found and is_whole and part.to_ms == found[-1].from_ms and found[-1].binding is last.binding:
            found[-1] = found[-1]._replace(from_ms=part.from_ms)
        else:
            found.append(part)
    return found[::-1]


def is_same(one: Binding, other: Binding, window: Window) -> bool:
    """Return whether two versions promise a series the same in a window, with the same consequences."""
    if one.agreement is other.agreement:
        return True
    return _promised(one, window) == _promised(other, window) and _is_same_time(_hours(one), _hours(other))


def _hours(binding: Binding) -> Calendar | None:
    return None if binding.measure is None else binding.agreement.hours_of(binding.measure)


def _is_same_time(one: Calendar | None, other: Calendar | None) -> bool:
    return one is other or (one is not None and other is not None and one.is_like(other))


def _promised(binding: Binding, window: Window) -> tuple[object, ...]:
    agreement, measure = binding.agreement, binding.measure
    assert measure is not None  # else it would have no window
    objectives = binding.shown(window)
    ids = {one.id for one in objectives}
    rules = agreement.consequences
    credit_rules = [one for one in rules.credits if one.objective in ids]
    return (
        measure,
        objectives,
        agreement.zone,
        credit_rules,
        [one for one in rules.termination if one.objective in ids],
        (rules.fees, rules.currency, rules.prorated, rules.month_cap, rules.term_cap) if credit_rules else (),
    )
