"""Which outages are failures of their own: an outage that is the consequence of a counted one adds no failure.

A child names its parent. It is a consequence if the parent is an outage of the same series that was not over when the
child began. Then it adds no failure and no customers; its downtime is part of the union anyway. In a chain only the
first outage is a failure. Of outages that name each other in a circle the earliest is the failure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.core.pieces import LOT, at_once, lots

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monitor.core.pieces import Pieces
    from monitor.core.series.series import OutageRecord


def failures_of(outages: Mapping[str, OutageRecord]) -> dict[str, OutageRecord]:
    """Return the outages, by id, that are not the consequence of another one among them."""
    return at_once(failing(outages))


def failing(outages: Mapping[str, OutageRecord]) -> Pieces[dict[str, OutageRecord]]:
    """Run `failures_of` in pieces."""
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
    """For each outage that was passed, the outage at which that chain began."""
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
