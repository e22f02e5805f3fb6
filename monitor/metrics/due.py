"""When open clocks are due: how long until the next one of each series, and how many are due within the hour."""

from __future__ import annotations

import heapq
from bisect import bisect_left
from collections import defaultdict
from typing import TYPE_CHECKING

from monitor.core.series.series import labels_in
from monitor.core.time.units import HOUR_MS
from monitor.metrics import catalogue as m
from monitor.metrics.declaring import ATTRIBUTES

if TYPE_CHECKING:
    from collections.abc import Callable

    from monitor.core.agreements.measures import Measure
    from monitor.core.series.series import SeriesKey
    from monitor.metrics.declaring import Metric
    from monitor.metrics.snapshot import Snapshot


def show_due(put: Callable[[Metric, tuple[str, ...], float], None], snapshot: Snapshot) -> None:
    """Show the due instants of a snapshot, the series with the nearest one first: a page may have too little room.

    Clocks whose due instant has passed since they were looked for are not shown: they are past due.
    """
    now_ms = snapshot.now_ms or 0
    measures = {(one.id, one.version, measure.id): measure for one in snapshot.agreements for measure in one.measures()}
    found: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
    for (series, version), instants in snapshot.due.items():
        measure = measures.get((series.agreement, version, series.measure))
        to_come = instants[bisect_left(instants, now_ms) :]
        if measure is not None and to_come:
            labels = _labels(measure, series)
            found[labels] = list(heapq.merge(found[labels], to_come))
    for labels, instants in sorted(found.items(), key=lambda one: one[1][0]):
        put(m.CLOCKS_DUE_NEXT, labels, (instants[0] - now_ms) / 1000)
        put(m.CLOCKS_DUE_SOON, labels, bisect_left(instants, now_ms + HOUR_MS + 1))


def _labels(measure: Measure, series: SeriesKey) -> tuple[str, ...]:
    """Return the values of the labels (`SERIES`) of a series."""
    labels = labels_in(measure.by, series)
    others = [f"{name}={labels[name]}" for name in sorted(labels) if name not in ATTRIBUTES]
    own = [labels.get(name, "") for name in ATTRIBUTES]
    return (series.agreement, series.measure, measure.subject_kind, *own, ",".join(others))
