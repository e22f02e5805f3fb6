"""The picture of an error budget: how much of it was left when, and where that leads."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final, NamedTuple

from monitor.pages.board import Budget
from monitor.read_model.courses import Point

BURN_WIDTH: Final = 300
BURN_HEIGHT: Final = 70

Place = tuple[float, float]


class BurnDown(NamedTuple):
    """The picture of an error budget, from the whole of it at the top down to nothing.

    ``course`` are the places that are known, the last one of this instant. ``before`` is where the line began in a
    period of the calendar, of which the way to the first known place is not known; None: it is, or the window rolls.
    ``end`` is where it arrives if it goes on like that, at the end of the window or when the budget is used up.
    Nothing leaves ``BURN_WIDTH`` × ``BURN_HEIGHT``.
    """

    budget: Budget
    course: tuple[Place, ...]
    before: Place | None
    end: Place | None
    used_up_ms: int | None
    """When the budget was used up, between two places that are known; None: it is not, or nobody knows when."""
    known_from_ms: int


def burn_down(one: Budget, known: Sequence[Point] = ()) -> BurnDown:
    """Return the picture of an error budget, given its course as far as it is known."""
    status = one.status
    length_ms = max(1, status.to_ms - status.from_ms)
    course = [point for point in known if status.from_ms <= point.at_ms < status.as_of_ms]
    course.append(Point(status.as_of_ms, 1 - one.left))

    def place(point: Point) -> Place:
        return _within((point.at_ms - status.from_ms) / length_ms) * BURN_WIDTH, _height(1 - point.consumed_share)

    places = tuple(map(place, course))
    before = None if one.is_rolling or places[0][0] <= 0 else (0.0, 0.0)
    return BurnDown(one, places, before, _end(one, length_ms), _used_up_ms(course), course[0].at_ms)


def _end(one: Budget, length_ms: int) -> Place | None:
    """Return where the line arrives at its pace; None: nobody can tell, or there is no room behind now in the picture.

    A window that goes with the time ends now.
    """
    ahead, status = one.forecast, one.status
    if ahead is None or ahead.left_at_end is None or status.as_of_ms >= status.to_ms:
        return None
    at_ms = status.to_ms if ahead.used_up_ms is None else ahead.used_up_ms
    return _within((at_ms - status.from_ms) / length_ms) * BURN_WIDTH, _height(ahead.left_at_end)


def _used_up_ms(course: Sequence[Point]) -> int | None:
    """Return when the newest way down passed the end of the budget."""
    if course[-1].consumed_share < 1:
        return None
    for earlier, later in reversed(list(pairwise(course))):
        if earlier.consumed_share < 1 <= later.consumed_share:
            share = (1 - earlier.consumed_share) / (later.consumed_share - earlier.consumed_share)
            return earlier.at_ms + round(share * (later.at_ms - earlier.at_ms))
    return None


def _within(share: float) -> float:
    return min(1.0, max(0.0, share))


def _height(left: float) -> float:
    return (1 - _within(left)) * BURN_HEIGHT
