"""Which outages are failures of their own: a child of a counted outage adds none.

A child names its parent. It is a consequence where the parent is an outage of the same series that was not over when
the child began; it then adds no failure and no customers, while its downtime is part of the union anyway. Chains lead
to their first outage. Of outages that name each other in a circle the earliest is the failure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monitor.core.series import OutageRecord


def failures_of(outages: Mapping[str, OutageRecord]) -> dict[str, OutageRecord]:
    """Return the outages, by their ids, that are no consequence of another one of them."""
    if not any(one.parent for one in outages.values()):
        return dict(outages)
    return {outage_id: one for outage_id, one in outages.items() if not _is_consequence(outage_id, outages)}


def _is_consequence(outage_id: str, outages: Mapping[str, OutageRecord]) -> bool:
    chain = [outage_id]
    while True:
        child = outages[chain[-1]]
        parent = outages.get(child.parent)
        if parent is None or 0 < parent.restored_ms < child.start_ms:
            return len(chain) > 1
        if child.parent in chain:
            circle = chain[chain.index(child.parent) :]
            return outage_id not in circle or outage_id != min(circle, key=lambda one: (outages[one].start_ms, one))
        chain.append(child.parent)
