"""How long an agreement goes on, as people read it."""

from __future__ import annotations

from typing import Any, Final

from monitor.core.agreements.agreement import Agreement, Amendments
from monitor.core.agreements.outlook import Outlook, outlook
from monitor.core.time.periods import period_date
from monitor.core.time.units import DAY_MS
from monitor.wire.instants import rfc3339

WARNED_OF: Final = frozenset({"notice_due", "ending"})
AMENDED: Final[dict[Amendments, str]] = {
    "by_part": "in parts, each under the version that held",
    "by_version_at_end": "under the version at its end",
}
"""How a period with an amendment in it is stated, in words."""


def term_text(agreement: Agreement, now_ms: int) -> str:
    """Return when an agreement ends, or until when notice can be given; "" where nothing was said of it."""
    found = outlook(agreement, now_ms)
    if found is None:
        return ""
    last = period_date(agreement.zone, found.end_ms - 1)
    if found.standing == "over":
        return f"ended after {last}"
    if found.notice_until_ms is None:
        return f"ends after {last}{_left(found.end_ms, now_ms)}"
    if now_ms >= found.notice_until_ms:
        return f"is renewed after {last}: no notice was given"
    notice = period_date(agreement.zone, found.notice_until_ms - 1)
    return f"is renewed after {last} unless notice is given by {notice}{_left(found.notice_until_ms, now_ms)}"


def is_warned_of(agreement: Agreement, now_ms: int) -> bool:
    """Return whether its end, or the last day for a notice, comes so near that people are told."""
    found = outlook(agreement, now_ms)
    return found is not None and found.standing in WARNED_OF


def term_json(agreement: Agreement, now_ms: int) -> dict[str, Any] | None:
    """Return how long an agreement goes on as an object for JSON; None where nothing was said of it."""
    found = outlook(agreement, now_ms)
    return None if found is None else _json(found)


def _json(found: Outlook) -> dict[str, Any]:
    until_ms = found.notice_until_ms
    return {
        "start": rfc3339(found.start_ms) if found.start_ms else None,
        "end": rfc3339(found.end_ms),
        "notice_until": None if until_ms is None else rfc3339(until_ms),
        "standing": found.standing,
    }


def _left(until_ms: int, now_ms: int) -> str:
    days = (until_ms - now_ms) // DAY_MS
    return " (today)" if days == 0 else f" (in {days} {'day' if days == 1 else 'days'})"
