"""Which pauses are open: by their reasons, in the order in which they began ("" is a pause without a reason).

Pauses overlap. One reason is open once, however often it is told. A pause is ended by its own reason; an end with
another reason, or without one, ends all of them. ``pause_on`` holds the reasons that count (None: every reason).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection


def with_begun(pauses: Collection[str], reason: str, pause_on: Collection[str] | None = None) -> list[str] | None:
    """Return the open pauses after another has begun; None: nothing changes, it is open already or does not count."""
    if reason in pauses or (pause_on is not None and reason not in pause_on):
        return None
    return [*pauses, reason]


def without_ended(pauses: Collection[str], reason: str, pause_on: Collection[str] | None = None) -> list[str] | None:
    """Return the pauses that are still open after an end; None: nothing changes, the one that ends never counted."""
    if not reason:
        return []
    if reason in pauses:
        return [one for one in pauses if one != reason]
    return [] if pause_on is None or reason in pause_on else None
