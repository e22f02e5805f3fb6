"""The outlook of a term: running, in its notice period, renewed or ended (domain.md §1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from monitor.core.agreements.term import WARN
from monitor.core.time.periods import date_start
from monitor.core.time.units import DAY_MS

if TYPE_CHECKING:
    from monitor.core.agreements.agreement import Agreement


Standing = Literal["running", "notice_due", "ending", "over"]
"""``notice_due``: the time to give notice runs out; ``ending``: the end is near; ``over``: the end has come."""


class Outlook(NamedTuple):
    """How long an agreement goes on, as of an instant: the start of its running term (0: no term), and its end.

    The end is that of the agreement or, if the agreement is renewed, that of the running term. ``notice_until_ms`` is
    the instant before which notice must be given, or the agreement is renewed; None: it is not renewed.
    """

    start_ms: int
    end_ms: int
    notice_until_ms: int | None
    standing: Standing


def outlook(agreement: Agreement, now_ms: int) -> Outlook | None:
    """Return how long an agreement goes on; None if it has neither a term nor an end."""
    term, ends_ms = agreement.term, agreement.terminates_ms
    if term is None:
        if ends_ms is None:
            return None
        return Outlook(0, ends_ms, None, _standing(ends_ms, None, WARN.days * DAY_MS, now_ms))
    running = term.running(now_ms)
    warn_ms = date_start(term.zone, term.warn.after(term.start)) - date_start(term.zone, term.start)
    if ends_ms is not None:
        return Outlook(running.start_ms, ends_ms, None, _standing(ends_ms, None, warn_ms, now_ms))
    until_ms = running.notice_until_ms
    return Outlook(running.start_ms, running.end_ms, until_ms, _standing(running.end_ms, until_ms, warn_ms, now_ms))


def _standing(end_ms: int, notice_until_ms: int | None, warn_ms: int, now_ms: int) -> Standing:
    if notice_until_ms is not None:
        return "notice_due" if notice_until_ms - warn_ms <= now_ms < notice_until_ms else "running"
    if now_ms >= end_ms:
        return "over"
    return "ending" if end_ms - warn_ms <= now_ms else "running"
