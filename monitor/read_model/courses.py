"""The courses of error budgets: how much of each was used when, as far as the topic of status tells.

Each record of the topic is the newest of its window and replaces the one before, so a course begins with the oldest
record that Kafka still has, or with the first one that was followed. Nobody writes courses down; they are pictures.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from monitor.core.objectives.status import WindowStatus
from monitor.wire.announcements import status_key

POINTS: Final = 96
"""The most points of a course within its window; those in between are left out."""
MOST: Final = 20_000
"""So many windows' budgets are kept, those seen first: some 2 kB each."""


class Point(NamedTuple):
    """The used share of a budget at an instant."""

    at_ms: int
    consumed_share: float


class Courses:
    """The courses of the budgets of all windows that run."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._of: dict[bytes, dict[str, list[Point]]] = {}

    def take(self, key: bytes, status: WindowStatus | None) -> None:
        """Take over the newest record of a window, by the record's key; None: the window is over."""
        if status is None:
            self._of.pop(key, None)
            return
        if not status.budgets or (key not in self._of and len(self._of) >= self._most):
            return
        courses = self._of.setdefault(key, {})
        for figure in status.budgets:
            if figure.consumed_share is not None:
                _append(courses.setdefault(figure.objective, []), status, Point(status.as_of_ms, figure.consumed_share))

    def course(self, status: WindowStatus, objective: str) -> tuple[Point, ...]:
        """Return the course of a budget in a window, its newest point last; none if nothing is known."""
        return tuple(self._of.get(status_key(status.series, status.window), {}).get(objective, ()))


def _append(course: list[Point], status: WindowStatus, point: Point) -> None:
    apart_ms = (status.to_ms - status.from_ms) // POINTS
    # A point that is near its predecessor but one takes the place of the one between them.
    if len(course) > 1 and point.at_ms - course[-2].at_ms < apart_ms:
        course[-1] = point
    else:
        course.append(point)
    old = sum(one.at_ms < status.from_ms for one in course)
    del course[: max(old, len(course) - POINTS - 1)]
