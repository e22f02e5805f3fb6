"""Which panes of a series are kept: those that a window needs, and those of periods that are still to be closed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from monitor.core.time.periods import period_window
from monitor.core.time.spans import NEVER_MS
from monitor.core.time.units import DAY_MS, HOUR_MS
from monitor.core.time.windows import own_width, width_for

if TYPE_CHECKING:
    from collections.abc import Collection

    from monitor.core.pieces import Pieces
    from monitor.core.series.series import Pane
    from monitor.core.time.windows import Width
    from monitor.core.windows.evaluation import Look
    from monitor.core.windows.panes import SeriesPanes
    from monitor.core.windows.rows import WindowRows

_UNSHOWN_MS: Final = 30 * DAY_MS
"""How much longer panes are kept where nothing is shown: to delete each at its time would be most of the work."""
_PANES_AT_ONCE: Final = 64
"""Panes that are looked at for their end without a pause: each may have to be read."""
PANE_GRACE_MS: Final = 25 * HOUR_MS
"""A day's pane begins up to a day before what it holds (`monitor.core.subjects.engine`)."""


class Pruning:
    """Deletes the panes of one series that nobody needs any more. ``next_ms`` is when to do it again; 0: at once."""

    __slots__ = ("_oldest", "_panes", "_rows", "next_ms")

    def __init__(self, panes: SeriesPanes, rows: WindowRows) -> None:
        self.next_ms = 0
        self._panes = panes
        self._rows = rows
        self._oldest: dict[Width, int] = {}
        """The oldest panes when panes were last deleted."""

    def is_still_stated(self, width: Width, pane: Pane, of_periods: Collection[Width]) -> bool:
        """Return whether a pane that its source keeps no longer is part of a period that is still to be closed."""
        width = own_width(width)
        of_period = width == "day" or width in of_periods or width in self._open_from_ms()
        return of_period and all(one.restored_ms for one in pane.outages.values())

    def run(self, look: Look) -> Pieces[int | None]:
        """Delete the panes that no window needs any more; those of days not before their periods are closed.

        Return when to do it again.
        """
        if look.now_ms < self.next_ms and (look.shows or not self._has_older_panes()):
            return self.next_ms
        self._oldest = {width: self._panes.first_ms(width) or 0 for width in self._panes.widths()}
        keep_ms = dict(look.slices.keep_ms)
        open_from_ms = self._open_from_ms()
        next_ms = None
        for width in self._panes.widths():
            if width == "live":
                continue
            own = own_width(width)
            kept_ms = keep_ms.get(own, 0) + PANE_GRACE_MS
            # Only the oldest panes are looked at: after a long stop thousands wait for their periods to close.
            for place, start_ms in enumerate(self._panes.between(width, 0, open_from_ms.get(own, look.now_ms))):
                if place % _PANES_AT_ONCE == _PANES_AT_ONCE - 1:
                    yield
                expiry_ms = start_ms + kept_ms
                if expiry_ms <= look.now_ms:
                    expiry_ms = self._panes.last_ms(width, start_ms, look.now_ms) + kept_ms
                    if expiry_ms <= look.now_ms:
                        self._panes.drop(width, start_ms)
                        continue
                    next_ms = min(next_ms or expiry_ms, expiry_ms)
                else:
                    next_ms = min(next_ms or expiry_ms, expiry_ms)
                    break
        self.next_ms = 0
        if next_ms is None:
            return None
        # Not for each pane at its own instant, and soon enough for one that comes late.
        soon_ms = min(next_ms, look.now_ms + DAY_MS) if look.shows else next_ms + _UNSHOWN_MS
        self.next_ms = soon_ms // HOUR_MS * HOUR_MS + HOUR_MS
        return self.next_ms

    def _has_older_panes(self) -> bool:
        """Return whether panes have come since panes were last deleted that are older than all those were."""
        panes, oldest = self._panes, self._oldest
        return any((panes.first_ms(width) or 0) < oldest.get(width, NEVER_MS) for width in panes.widths())

    def _open_from_ms(self) -> dict[Width, int]:
        """Return from when on periods are still to be closed, by the width of the panes that they are made of."""
        found: dict[Width, int] = {}
        for name, row in self._rows.items():
            window = period_window(name)
            if window is not None and not row.dormant:
                width = width_for(window)
                found[width] = min(found.get(width, row.open_from_ms), row.open_from_ms)
        return found
