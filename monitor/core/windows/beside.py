"""Work that merges panes beside the evaluator: it puts them in the rows, and the evaluator learns of it later.

The native path does (`monitor.stream.agents.native_partials`). `Evaluator.fold` is the definition: such work takes only
what changes nothing but one row, and says which. The evaluator reads these rows when it needs their series next, so a
pane that changes many times in between is read once.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import NamedTuple

from monitor.core.series.series import SeriesKey
from monitor.core.time.windows import Width


class Beside(NamedTuple):
    """The series of an evaluator of which others may replace panes, and where they note which they have replaced.

    Others may put the pane of a source, if it counts anything and holds no items, in the shared row of a series that is
    ``shown`` and not among those ``with_items``. They put its width and start into ``panes``, and the series into
    ``dirty``.
    """

    shown: AbstractSet[SeriesKey]
    """The series that have a place of their own."""
    with_items: set[SeriesKey]
    """Series of which some source may have a row of its own."""
    panes: dict[SeriesKey, dict[tuple[Width, int], None]]
    """The panes that were replaced, by series, since the evaluator has read the series last."""
    dirty: set[SeriesKey]
    """The series that are to be evaluated."""
