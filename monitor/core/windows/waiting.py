"""Which changed panes may be folded later, in a run that shows nothing in between (`Evaluator.may_wait`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monitor.core.objectives.by_counts import ByCounts
    from monitor.core.series.series import Pane, PaneKey, SeriesKey
    from monitor.core.windows.series import SeriesWindows

_Counts = dict[str, int]


class Waiting:
    """The objectives of each series by all that was counted, and what was seen last of the panes that wait."""

    def __init__(self) -> None:
        self._by_counts: dict[SeriesKey, tuple[ByCounts, ...] | None] = {}
        """None: any change may have to be announced. A series that is not here announces nothing."""
        self._seen: dict[SeriesKey, dict[tuple[str, PaneKey], _Counts]] = {}

    def judged(self, series: SeriesWindows) -> None:
        """Begin anew with a series that was evaluated."""
        self._seen.pop(series.key, None)
        if series.by_counts == ():
            self._by_counts.pop(series.key, None)
        else:
            self._by_counts[series.key] = series.by_counts

    def forget(self, series: SeriesKey) -> None:
        """Forget a series that is gone."""
        self._seen.pop(series, None)
        self._by_counts.pop(series, None)

    def allows(self, series: SeriesWindows, source: str, key: PaneKey, pane: Pane | None, now_ms: int) -> bool:
        """Return whether a pane that has changed by an instant may be folded later: no verdict turns.

        A pane that its source keeps no longer (None) is in no window any more.
        """
        known = self._by_counts.get(series.key, ())
        if known is None or any(one.is_period and now_ms >= one.span.end_ms for one in known):
            return False  # from the end of a period on another one is judged
        if pane is None or not any(one.counts_in(key.width, key.start_ms) for one in known):
            return True
        seen = self._seen.setdefault(series.key, {})
        before = self._before(series, seen, source, key)
        seen[source, key] = {
            name: pane.counts[name] for one in known for name in one.share if name in pane.counts
        }  # fmt: skip
        found = tuple([
            one.after(before, pane.counts) if one.counts_in(key.width, key.start_ms) else one for one in known
        ])  # fmt: skip
        self._by_counts[series.key] = found
        return not any(one.turns() for one in found)

    @staticmethod
    def _before(
        series: SeriesWindows, seen: Mapping[tuple[str, PaneKey], _Counts], source: str, key: PaneKey
    ) -> Mapping[str, int]:
        counts = seen.get((source, key))
        if counts is not None:
            return counts
        folded = series.panes.of_source(source, key.width, key.start_ms)
        return {} if folded is None else folded.counts
