"""Terms of agreement files: dates that make sense together, and when the agreement ends by them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.core.agreements.term import Length, Term
from monitor.core.time.periods import date_start

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from monitor.config.agreements.term_shape import TermShape

    Told = Callable[[Sequence[str], str, str], None]
    """Takes a path below the agreement, what is wrong there, and a hint."""


def term(
    shape: TermShape | None, zone: str, valid_from_ms: int, terminates_ms: int | None, wrong: Told, warn: Told
) -> tuple[Term | None, int | None]:
    """Return the term, and the instant at which the agreement ends by it or by ``terminates``, whichever is first."""
    if shape is None:
        return None, terminates_ms
    found = Term(zone, shape.start, shape.end, shape.notice, shape.renews, shape.notice_given, shape.warn)
    if shape.end <= shape.start:
        wrong(("term", "end"), "is not after start", "it is the first day on which the agreement does not hold")
        return None, terminates_ms
    if valid_from_ms < date_start(zone, shape.start):
        wrong(("term", "start"), "is after valid_from", "an agreement binds in its term only: begin both on one day")
    if shape.notice.before(shape.end) <= shape.start:
        wrong(("term", "notice"), "is not shorter than the term", "nobody could ever give it in time")
        return None, terminates_ms
    if shape.renews is None and (shape.notice != Length() or shape.notice_given is not None):
        warn(("term",), "ends without a notice", "add renews: 12 months, or leave out notice and notice_given")
    ends_ms = found.ends_ms
    if terminates_ms is not None and ends_ms is not None and terminates_ms > ends_ms:
        wrong(("terminates",), "is after the end of the term", "leave it out, or make the term longer")
    return found, min((one for one in (terminates_ms, ends_ms) if one is not None), default=None)
