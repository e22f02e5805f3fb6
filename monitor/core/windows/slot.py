"""One pane of a series in memory: what each source sent of it, and the sum."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.core.series.panes import merge_panes

if TYPE_CHECKING:
    from monitor.core.series.series import Pane
    from monitor.core.windows.rows import MergedPane


class Slot:
    """One pane: the shared row of its sources, the panes of sources with rows of their own, and the sum of them all.

    The sum is computed when it is first needed.
    """

    __slots__ = ("key", "merged", "own", "row")

    def __init__(self, key: bytes, row: MergedPane, own: dict[str, Pane]) -> None:
        self.key = key
        self.row = row
        self.own = own
        self.merged: Pane | None = None

    def sum(self) -> Pane:
        """Return the sum; it is never changed, but replaced."""
        if self.merged is None:
            panes = self.panes()
            self.merged = panes[0] if len(panes) == 1 else merge_panes(panes)
        return self.merged

    def panes(self) -> list[Pane]:
        """Return the panes of all sources."""
        return [*self.row.sources.values(), *self.own.values()]
