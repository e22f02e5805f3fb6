"""The exporter: one snapshot at each scrape becomes metric families. Nothing is kept between two scrapes.

Events cost nothing here: the worker counts plain numbers, and a scrape pays for what it asks. An absent value has no
sample: never 0 for "nothing offered".
"""

from __future__ import annotations

import asyncio
import platform
from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version
from math import inf
from typing import Final

from prometheus_client import CollectorRegistry
from prometheus_client.core import Metric as Family
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from monitor.core.agreement import Agreement
from monitor.core.figures import WindowStatus
from monitor.core.levels import in_force, parts_by_origin
from monitor.core.measures import subject_of
from monitor.core.objectives import INDICATORS
from monitor.core.series import SeriesKey
from monitor.core.sketch import counts_within
from monitor.core.term import outlook
from monitor.metrics import catalogue as m
from monitor.metrics.catalogue import ATTRIBUTES, MAX_SERIES, VERDICTS, Metric
from monitor.metrics.outcomes import show_outcomes
from monitor.metrics.shown import FIGURES, LIVE, SPREADS, Spread
from monitor.metrics.snapshot import Histogram, PartitionStats, Snapshot

Values = tuple[str, ...]

_FAILURES: Final = ("rejected", "expired")
"""Outcomes of deliveries that an alert rule watches the increase of."""
_TELLS: Final = {"clock": "compliance", "call": "asa", "outage": "availability", "lead": "depth"}
"""The indicator that only this kind of measure has."""


class SnapshotCollector(Collector):
    """Shows what ``snapshot`` returns at the moment of the scrape, at most ``max_series`` series for each metric."""

    def __init__(self, snapshot: Callable[[], Snapshot], *, max_series: int = MAX_SERIES) -> None:
        self.snapshot = snapshot
        self.max_series = max_series

    def describe(self) -> Iterable[Family]:
        """Return nothing: a registration takes no snapshot."""
        return ()

    def collect(self) -> Iterable[Family]:
        """Return the families of a new snapshot; those without a sample are left out."""
        return families(self.snapshot(), max_series=self.max_series)


class Exporter:
    """Answers scrapes. The snapshot is taken in the event loop, whose objects it reads; the text is made beside it."""

    def __init__(self, snapshot: Callable[[], Snapshot], *, max_series: int = MAX_SERIES) -> None:
        self.snapshot = snapshot
        self.max_series = max_series

    async def scrape(self, accept: str) -> tuple[bytes, str]:
        """Return body and content type in the format that the scraper accepts."""
        taken = self.snapshot()
        return await asyncio.to_thread(
            render, registry_of(SnapshotCollector(lambda: taken, max_series=self.max_series)), accept
        )


def registry_of(collector: Collector) -> CollectorRegistry:
    """Return a registry of its own with this collector: the library's global one shows other people's metrics."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(collector)
    return registry


def render(registry: CollectorRegistry, accept: str) -> tuple[bytes, str]:
    """Return body and content type in the format that an ``Accept`` header asks for: text, or OpenMetrics."""
    encode, content_type = choose_encoder(accept)
    return encode(registry), content_type


def families(snapshot: Snapshot, *, max_series: int = MAX_SERIES) -> list[Family]:
    """Return a snapshot as metric families, in the order of the catalogue."""
    page = _Page(max_series)
    _figures(page, snapshot)
    _agreements(page, snapshot)
    for stats in snapshot.partitions:
        _partition(page, stats)
    _receivers(page, snapshot)
    _health(page, snapshot)
    return page.families()


class _Page:
    """The samples of one scrape. Series that come first stay when there are too many: whoever adds them sorts them."""

    def __init__(self, max_series: int) -> None:
        self._max_series = max_series
        self._values: dict[Metric, dict[Values, float | Histogram]] = {}
        self._dropped: dict[Metric, int] = {}

    def set(self, metric: Metric, labels: Values, value: float | Histogram | None) -> None:
        """Set a sample; None: it is absent."""
        if value is None:
            return
        series = self._values.setdefault(metric, {})
        if len(series) >= self._max_series and labels not in series:
            self._dropped[metric] = self._dropped.get(metric, 0) + 1
        else:
            series[labels] = value

    def set_all(self, metric: Metric, samples: Mapping[Values, float]) -> None:
        """Set samples that say nothing without each other: all of them, or none where they are too many."""
        if len(self._values.get(metric, ())) + len(samples) > self._max_series:
            self._dropped[metric] = self._dropped.get(metric, 0) + len(samples)
        else:
            self._values.setdefault(metric, {}).update(samples)

    def families(self) -> list[Family]:
        """Return everything that was set."""
        for metric, dropped in self._dropped.items():
            self._values.setdefault(m.DROPPED_SERIES, {})[(metric.name,)] = dropped
        return [_family(metric, self._values[metric]) for metric in m.CATALOGUE.values() if metric in self._values]


def _family(metric: Metric, series: dict[Values, float | Histogram]) -> Family:
    stem = metric.name.removesuffix("_total")
    family = Family(stem, metric.help, metric.kind, metric.unit)
    for values, value in series.items():
        # To Prometheus an empty label is an absent one; most are, and each costs time at every scrape.
        labels = {name: _printable(one) for name, one in zip(metric.labels, values, strict=True) if one}
        if isinstance(value, Histogram):
            for bound, count in value.buckets:
                family.add_sample(f"{stem}_bucket", {**labels, "le": "+Inf" if bound == inf else repr(bound)}, count)
            family.add_sample(f"{stem}_sum", labels, value.sum)
            family.add_sample(f"{stem}_count", labels, value.count)
        else:
            family.add_sample(metric.name, labels, value)
    return family


def _printable(value: str) -> str:
    """Return a label value that can be encoded: one lone surrogate must not cost the whole scrape."""
    return value if value.isascii() else value.encode("utf-8", "replace").decode()


def _figures(page: _Page, snapshot: Snapshot) -> None:
    kinds = _subjects(snapshot.agreements)
    live: dict[Values, tuple[str, WindowStatus]] = {}
    # Sorted, so that the same series are shown at each scrape where there are too many.
    for status in sorted(_newest(snapshot.statuses), key=lambda one: (one.series, one.window)):
        kind = kind_of(status)
        series = _series_labels(status, kinds.get((status.series.agreement, status.version, status.series.measure), ""))
        _window(page, kind, (*series, status.window), status)
        show_outcomes(page.set, (*series, status.window), status)
        sketch = snapshot.spreads.get((status.series, status.window))
        if sketch is not None and kind in SPREADS:
            _spread(page, SPREADS[kind], (*series, status.window), sketch)
        if kind and (series not in live or live[series][1].as_of_ms < status.as_of_ms):
            live[series] = kind, status
    for series, (kind, status) in live.items():
        for name, shown in LIVE[kind].items():
            value = status.live.get(name, 0)
            if shown.age_of:
                if not status.live.get(shown.age_of):
                    continue
                # A status is not told again merely because what is open gets older.
                value += max(0, (snapshot.now_ms or 0) - status.as_of_ms)
            page.set(shown.metric, series, _in_unit(shown.metric, value))


def _newest(statuses: Iterable[WindowStatus]) -> Iterable[WindowStatus]:
    newest: dict[tuple[SeriesKey, str], WindowStatus] = {}
    for status in statuses:
        if status.closed:  # a statement is history; the period that runs has taken its place
            continue
        other = newest.get((status.series, status.window))
        if other is None or other.as_of_ms <= status.as_of_ms:
            newest[status.series, status.window] = status
    return newest.values()


def kind_of(status: WindowStatus) -> str:
    """Return the kind of measure that a status is of, told by its indicators; "" for none that is known."""
    indicators = {figure.indicator for figure in status.figures}
    return next((kind for kind, indicator in _TELLS.items() if indicator in indicators), "")


def _subjects(agreements: Iterable[Agreement]) -> dict[tuple[str, int, str], str]:
    """Return the subject that each measure is of, by agreement, version and measure."""
    found: dict[tuple[str, int, str], str] = {}
    for one in agreements:
        for measure in one.measures():
            found[one.id, one.version, measure.id] = subject_of(measure)
    return found


def _series_labels(status: WindowStatus, subject: str) -> Values:
    labels = status.labels
    split_by = sorted(name for name in labels if name not in ATTRIBUTES)
    other = ",".join(f"{name}={labels[name]}" for name in split_by)
    return (
        status.series.agreement,
        status.series.measure,
        subject,
        *(labels.get(name, "") for name in ATTRIBUTES),
        other,
    )


def _window(page: _Page, kind: str, labels: Values, status: WindowStatus) -> None:
    shown_of = FIGURES.get(kind, {})
    units = INDICATORS.get(kind, {})
    for figure in status.figures:
        shown = shown_of.get(figure.indicator)
        if shown is None:
            continue
        values = (*labels, *shown.extra)
        page.set(shown.value, values, _in_unit(shown.value, figure.value))
        if shown.numerator is not None:
            page.set(shown.numerator, values, _in_unit(shown.numerator, figure.numerator))
        if shown.denominator is not None:
            page.set(shown.denominator, values, _in_unit(shown.denominator, figure.denominator))
    for one in status.verdicts:
        values = (one.objective, one.indicator, one.comparison, *labels)
        scale = 1000 if units.get(one.indicator) == "ms" else 1
        for metric, value in (
            (m.OBJECTIVE_VALUE, one.value),
            (m.OBJECTIVE_TARGET, one.target),
            (m.OBJECTIVE_WARNING, one.at_risk),
        ):
            page.set(metric, values, None if value is None else value / scale)
        page.set(m.OBJECTIVE_SAMPLES, values, one.sample)
        page.set(m.OBJECTIVE_MINIMUM, values, one.minimum_sample)
        for verdict in VERDICTS:
            page.set(m.OBJECTIVE_VERDICT, (*values, verdict), int(verdict == one.verdict))


def _spread(page: _Page, shown: Spread, labels: Values, sketch: Mapping[int, int]) -> None:
    counts = counts_within(sketch, [bound * 1000 for bound in shown.bounds])
    bounds = [*map(str, shown.bounds), "+Inf"]
    page.set_all(shown.metric, {(*labels, bound): n for bound, n in zip(bounds, counts, strict=True)})


def _in_unit(metric: Metric, value: float | None) -> float | None:
    """Return a value of the core, whose durations are milliseconds, in the unit of the metric."""
    return value / 1000 if value is not None and metric.unit == "seconds" else value


def _agreements(page: _Page, snapshot: Snapshot) -> None:
    for one in sorted(snapshot.agreements, key=lambda one: (one.id, one.version)):
        labels = (one.id, str(one.version), one.name, one.provider, one.customer, one.service, one.status)
        page.set(m.AGREEMENT_INFO, (*labels, one.kind, one.level or "", one.under), 1)
        page.set(m.AGREEMENT_IN_FORCE, (one.id, str(one.version)), 0)
        for support in one.supports:
            page.set(m.AGREEMENT_SUPPORTS, (support.agreement, one.id), 1)
            page.set(m.SUPPORTING_BREACHES, (support.agreement, one.id), 0)
    for pair, breaches in snapshot.supporting.items():
        page.set(m.SUPPORTING_BREACHES, pair, breaches)
    for one in in_force(snapshot.agreements, snapshot.now_ms or 0):
        page.set(m.AGREEMENT_IN_FORCE, (one.id, str(one.version)), 1)
        if (term := outlook(one, snapshot.now_ms or 0)) is not None:
            renewed = "false" if term.notice_until_ms is None else "true"
            page.set(m.AGREEMENT_END, (one.id, renewed), term.end_ms / 1000)
            page.set(m.AGREEMENT_NOTICE, (one.id,), _in_unit(m.AGREEMENT_NOTICE, term.notice_until_ms))
        for origin, parts in parts_by_origin(one).items():
            page.set(m.AGREEMENT_PARTS, (one.id, origin.agreement, origin.level), parts)


def _partition(page: _Page, stats: PartitionStats) -> None:
    source = (stats.topic, str(stats.partition))
    values: tuple[tuple[Metric, float | Histogram | None], ...] = (
        (m.EVENTS, stats.events),
        (m.BATCHES, stats.batches),
        (m.RECORDS_SKIPPED, stats.skipped),
        (m.OFFSET_HOLES, stats.holes),
        (m.RECORDS_LOST, stats.lost),
        (m.SOURCE_REREADS, stats.rereads),
        (m.FAULTS, stats.faults),
        (m.ROWS_SET_ASIDE, stats.set_aside),
        (m.HELD_BACK, stats.held_seconds),
        (m.LET_GO, stats.let_go),
        (m.LAG, stats.lag),
        (m.PARTITION_OPEN, int(stats.open)),
        (m.PARTITION_CAUGHT_UP, int(stats.caught_up)),
        (m.PARTITION_ROWS, stats.rows),
        (m.PARTITION_RESTORED, stats.restored_rows),
        (m.PARTITION_RESTORE, stats.restore_seconds),
        (m.BATCH_DURATION, stats.batch_seconds),
        (m.COMMIT_DURATION, stats.commit_seconds),
        (m.TICK_DELAY, stats.tick_delay_seconds),
    )
    for metric, value in values:
        page.set(metric, source, value)
    page.set(m.LAST_EVENT, (*source, stats.kind), _in_unit(m.LAST_EVENT, stats.last_event_ms))


def _receivers(page: _Page, snapshot: Snapshot) -> None:
    for receiver_outcome, count in snapshot.deliveries.items():
        page.set(m.DELIVERIES, receiver_outcome, count)
    for one in snapshot.receivers:
        labels = (one.receiver,)
        for outcome in _FAILURES:
            # From the start: the first one of a counter that comes out of nothing is no increase to Prometheus.
            page.set(m.DELIVERIES, (one.receiver, outcome), snapshot.deliveries.get((one.receiver, outcome), 0))
        page.set(m.DELIVERIES_PENDING, labels, one.pending)
        if one.oldest_pending_ms is not None:
            age_ms = max(0, (snapshot.now_ms or 0) - one.oldest_pending_ms)
            page.set(m.DELIVERIES_OLDEST, labels, _in_unit(m.DELIVERIES_OLDEST, age_ms))
        page.set(m.PAGES_OPEN, labels, one.pages)
        page.set(m.RECEIVER_DISABLED, labels, int(one.disabled))
        page.set(m.DELIVERIES_MISCONFIGURED, labels, one.misconfigured)


def _health(page: _Page, snapshot: Snapshot) -> None:
    by_topic: tuple[tuple[Metric, Mapping[str, int]], ...] = (
        (m.EVENTS_REPEATED, snapshot.repeats),
        (m.EVENTS_LATE, snapshot.late),
        (m.EVENTS_TOLD_TOGETHER, snapshot.together),
        (m.PANES_DIVIDED, snapshot.divided),
        (m.RECORDS_REFUSED, snapshot.refused),
        (m.EVENTS_MAPPED, snapshot.mapped),
        (m.RECORDS_UNMAPPED, snapshot.unmapped),
        (m.UNEXPECTED_PARTITIONS, snapshot.unexpected_partitions),
    )
    for metric, counts in by_topic:
        for topic, count in counts.items():
            page.set(metric, (topic,), count)
    for topic_reason, count in snapshot.dead_letters.items():
        page.set(m.DEAD_LETTERS, topic_reason, count)
    for kind_state, count in snapshot.alerts.items():
        page.set(m.ALERTS, kind_state, count)
    for partition, seconds in snapshot.evaluation_seconds.items():
        page.set(m.EVALUATION, (str(partition),), seconds)
    page.set(m.DETECTION_DELAY, (), snapshot.detection_delay)
    page.set(m.PARTITIONS_OPEN, (), sum(one.open for one in snapshot.partitions))
    page.set(m.REBALANCES, (), snapshot.rebalances)
    page.set(m.RESTORES, (), snapshot.restores)
    page.set(m.STALLS, (), snapshot.stalls)
    page.set(m.CLOCK_STEPS, (), snapshot.clock_steps)
    page.set(m.MONITOR_TIME, (), _in_unit(m.MONITOR_TIME, snapshot.now_ms))
    page.set(m.BUILD_INFO, (_own_version(), platform.python_version()), 1)


def _own_version() -> str:
    try:
        return version("sla-monitor")
    except PackageNotFoundError:  # run from a checkout that is not installed
        return "unknown"
