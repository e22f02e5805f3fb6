"""Which outages are failures of their own: a child of a counted outage adds none.

A child names its parent. It is a consequence where the parent is an outage of the same series that was not over when
the child began; it then adds no failure and no customers, while its downtime is part of the union anyway. Chains lead
to their first outage. Of outages that name each other in a circle the earliest is the failure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.core.pieces import LOT, at_once, lots

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monitor.core.pieces import Pieces
    from monitor.core.series.series import OutageRecord


def failures_of(outages: Mapping[str, OutageRecord]) -> dict[str, OutageRecord]:
    """Return the outages, by their ids, that are no consequence of another one of them."""
    return at_once(failing(outages))


def failing(outages: Mapping[str, OutageRecord]) -> Pieces[dict[str, OutageRecord]]:
    """Return what `failures_of` returns, in pieces."""
    parents: dict[str, str] = {}
    for lot in lots(outages.items()):
        for outage_id, one in lot:
            if one.parent and _is_child(one, outages):
                parents[outage_id] = one.parent
        yield
    if not parents:
        return dict(outages)
    earliest = yield from _earliest_of_circles(parents, outages)
    found: dict[str, OutageRecord] = {}
    for lot in lots(outages.items()):
        found |= {outage_id: one for outage_id, one in lot if outage_id not in parents or outage_id in earliest}
        yield
    return found


def _is_child(one: OutageRecord, outages: Mapping[str, OutageRecord]) -> bool:
    """Return whether the parent of an outage is one of these, and was not over when it began."""
    parent = outages.get(one.parent)
    return parent is not None and not 0 < parent.restored_ms < one.start_ms


def _earliest_of_circles(parents: Mapping[str, str], outages: Mapping[str, OutageRecord]) -> Pieces[set[str]]:
    """Return the earliest outage of each circle. Each outage is passed once, however long the chains are."""
    found: set[str] = set()
    passed: dict[str, str] = {}
    """The outages that were passed, with the one where that chain began."""
    pause = LOT
    for first in parents:
        at = first
        while at in parents and at not in passed:
            passed[at] = first
            at = parents[at]
        if passed.get(at) == first:  # the chain has come back to itself
            circle = [at]
            while parents[circle[-1]] != at:
                circle.append(parents[circle[-1]])
            found.add(min(circle, key=lambda one: (outages[one].start_ms, one)))
        if len(passed) >= pause:
            pause += LOT
            yield
    return found
