"""Rounds of an evaluation: which series is judged next.

In a round each series that waits is judged once, so none is judged a second time before all others once. Under a cap of
credits or damages, the periods of an agreement are closed in the order of their closes over all of its series, also if
none was closed for months: what the cap leaves would else go to whichever series comes first. So each series is asked
first when its next period closes, and a round has only those whose period is the next one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection

    from monitor.core.series.series import SeriesKey
    from monitor.core.windows.terms import Scope

_NOT_ASKED: Final = -1


class Rounds:
    """The series of the present round, and until when capped agreements close periods in it."""

    def __init__(self) -> None:
        self._left: list[SeriesKey] = []
        self._closes_ms: dict[str, int] = {}
        self._held: dict[SeriesKey, int] = {}
        """When the next period of a series closed that is held back."""

    def next(self, waiting: Collection[SeriesKey], scope: Scope) -> SeriesKey | None:
        """Return the series to judge next, of those that wait; None: none waits."""
        if not self._left:
            self._begin(waiting, scope)
        return self._left.pop() if self._left else None

    def closes_ms(self, series: SeriesKey) -> int | None:
        """Return until when a series closes periods in this round; None: all that can be closed."""
        return self._closes_ms.get(series.agreement)

    def judged(self, series: SeriesKey, held_ms: int | None) -> None:
        """Note that a series was judged, and when the first period that it held back closed."""
        if held_ms is not None:
            self._held[series] = held_ms
        else:
            self._held.pop(series, None)

    def _begin(self, waiting: Collection[SeriesKey], scope: Scope) -> None:
        capped = scope.capped()
        self._closes_ms = {}
        for series in waiting if capped else ():
            if series.agreement in capped:
                at_ms = self._held.get(series, _NOT_ASKED)
                self._closes_ms[series.agreement] = min(at_ms, self._closes_ms.get(series.agreement, at_ms))
        self._left = sorted([one for one in waiting if self._is_next(one)], reverse=True)

    def _is_next(self, series: SeriesKey) -> bool:
        closes_ms = self._closes_ms.get(series.agreement)
        return closes_ms is None or self._held.get(series, _NOT_ASKED) <= closes_ms
