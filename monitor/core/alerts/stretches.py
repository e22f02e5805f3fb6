"""Stretches: the consecutive pieces of a clock's life, as an alert or an explanation shows them.

elapsed = the sum of the counted stretches;   [start, stop or now) = all stretches
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

StretchKind = Literal["counted", "closed", "holiday", "paused", "solved", "outside"]
"""``counted``: open hours, which are elapsed time; ``closed``: the calendar is not open; ``holiday``: the calendar is
closed for a holiday; ``paused``: a pause that counts for this clock; ``solved``: between a stop and a reopening;
``outside``: the ticket is in a state (the reason) in which this clock does not run."""

MOST_TOLD: Final = 20
"""An alert carries at most this many stretches, the newest, so that it stays small however long a clock has lived."""
LONGEST_REASON: Final = 80
"""The most characters of a stretch's reason in an alert; a longer reason is cut."""


class Stretch(NamedTuple):
    """One stretch ``[start_ms, end_ms)``. ``reason`` is that of a pause, a holiday's name or a state; "" for none."""

    start_ms: int
    end_ms: int
    kind: StretchKind
    reason: str = ""


class Stretches(NamedTuple):
    """The newest stretches up to an alert; of the older ones, left out, only number, length and counted time."""

    newest: tuple[Stretch, ...]
    left_out: int = 0
    left_out_ms: int = 0
    left_out_counted_ms: int = 0


def newest(stretches: Sequence[Stretch], most: int = MOST_TOLD) -> Stretches:
    """Return the newest stretches, with long reasons cut, and the sums of the older ones."""
    if len(stretches) <= most:
        return Stretches(tuple(map(_cut, stretches)))
    older = stretches[: len(stretches) - most]
    return Stretches(
        tuple(map(_cut, stretches[len(older) :])),
        len(older),
        sum(one.end_ms - one.start_ms for one in older),
        sum(one.end_ms - one.start_ms for one in older if one.kind == "counted"),
    )


def _cut(stretch: Stretch) -> Stretch:
    if len(stretch.reason) <= LONGEST_REASON:
        return stretch
    return stretch._replace(reason=stretch.reason[: LONGEST_REASON - 1] + "…")
