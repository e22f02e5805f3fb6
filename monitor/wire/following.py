"""What follows from a miss, in words: credits, damages and rights to terminate, and how long they can be claimed."""

from __future__ import annotations

from typing import Final

from monitor.core.objectives.consequence import MONEY, Consequence
from monitor.wire.wording import duration

_STANDING: Final = {"termination_right": "may terminate", "termination_warning": "one miss before termination"}
_TIMES: Final = {"per_hour": "h", "per_case": "case(s)"}


def follows(one: Consequence) -> str:
    """Return a consequence in words: ``credit 1800.00 GBP``."""
    if one.breach:
        return f"may terminate at once ({one.breach})"
    if one.kind not in MONEY:
        return f"{_STANDING[one.kind]} ({len(one.evidence.misses)} misses)"
    text = f"{one.kind} {one.amount:f} {one.currency}"
    if one.basis in _TIMES:
        text += f" ({round(one.quantity, 2).normalize():f} {_TIMES[one.basis]} at {one.rate:f})"
    return text if one.payable == one.amount else f"{text}, payable {one.payable:f} (cap of the {one.bound_by})"


def claim_left(one: Consequence, now_ms: int) -> str:
    """Return how long a consequence can still be claimed or used: a duration, ``over`` or ``no limit``."""
    if not one.claim_until_ms:
        return "no limit"
    left_ms = one.claim_until_ms - now_ms
    return duration(left_ms) if left_ms > 0 else "over"
