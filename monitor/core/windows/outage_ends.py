"""When the outages of each pane end: known until they change, for a pane may hold 10^5 of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from monitor.core.pieces import lots
from monitor.core.time.spans import NEVER_MS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from monitor.core.pieces import Pieces
    from monitor.core.series.series import OutageRecord
    from monitor.core.time.windows import Width


class Ends(NamedTuple):
    """When the outages of a pane end.

    ``quiet_ms`` is the last instant at which anything happened to one of them (`NEVER_MS` if one is open).
    ``restored_ms`` is the last end of those that have ended. Neither is before the start of the pane.
    """

    outages: dict[str, OutageRecord]
    quiet_ms: int
    restored_ms: int
    is_open: bool

    def after(self, outages: Iterable[OutageRecord]) -> Ends:
        """Return the ends of these outages and some more."""
        _, quiet_ms, restored_ms, is_open = self
        for one in outages:
            if one.restored_ms:
                quiet_ms = max(quiet_ms, *one[1:6])
                restored_ms = max(restored_ms, one.restored_ms)
            else:
                quiet_ms, is_open = NEVER_MS, True
        return Ends(self.outages, quiet_ms, restored_ms, is_open)


class OutageEnds:
    """The ends of the outages of all panes of a series."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: dict[tuple[Width, int], Ends] = {}

    def of(self, width: Width, start_ms: int, outages: dict[str, OutageRecord]) -> Ends:
        """Return the ends of the outages of a pane. The dictionary is never changed, but replaced."""
        known = self._known.get((width, start_ms))
        if known is None or known.outages is not outages:
            known = self._known[width, start_ms] = _none(outages, start_ms).after(outages.values())
        return known

    def finding(self, width: Width, start_ms: int, outages: dict[str, OutageRecord]) -> Pieces[None]:
        """Find the ends of the outages of a pane in pieces, so that `of` has them at once."""
        known = self._known.get((width, start_ms))
        if known is not None and known.outages is outages:
            return
        ends = _none(outages, start_ms)
        for lot in lots(outages.values()):
            ends = ends.after(lot)
            yield
        self._known[width, start_ms] = ends

    def forget(self, width: Width, start_ms: int) -> None:
        """Forget a pane that is gone."""
        self._known.pop((width, start_ms), None)


def _none(outages: dict[str, OutageRecord], start_ms: int) -> Ends:
    return Ends(outages, start_ms, start_ms, is_open=False)
