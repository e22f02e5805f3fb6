"""The exporter: one snapshot at each scrape becomes metric families. No value is kept between two scrapes.

Events cost nothing here: the worker counts plain numbers, and only a scrape does the work of showing them. An absent
value has no sample: never 0 for "nothing offered".
"""

from __future__ import annotations

import asyncio
import platform
import threading
from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version
from math import inf
from typing import Final

from prometheus_client import CollectorRegistry
from prometheus_client.core import Metric as Family
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from monitor.core.agreements.agreement import Agreement
from monitor.core.agreements.levels import in_force, parts_by_origin
from monitor.core.agreements.outlook import outlook
from monitor.core.agreements.schedule import began_ms, schedule
from monitor.core.paging.not_told import MEANINGS
from monitor.counters import Histogram
from monitor.metrics import catalogue as m
from monitor.metrics import own
from monitor.metrics.declaring import MAX_SERIES, Metric
from monitor.metrics.due import show_due
from monitor.metrics.figures import Known, show_figures
from monitor.metrics.snapshot import Snapshot, SourcePartition
from monitor.metrics.text import Lines
from monitor.wire.visible import visible

Values = tuple[str, ...]

_FAILURES: Final = ("rejected", "expired")
"""The outcomes of deliveries whose increase an alert rule watches."""


class Exporter:
    """Answers scrapes.

    The snapshot is taken in the event loop, whose objects it reads; the page is made in a thread.
    """

    def __init__(self, snapshot: Callable[[], Snapshot], *, max_series: int = MAX_SERIES) -> None:
        self.snapshot = snapshot
        self.max_series = max_series
        self._known = Known()
        self._one_at_a_time = asyncio.Lock()
        self._making = threading.Lock()
        """Held while a page is made: a scrape may be given up while its thread goes on."""

    async def scrape(self, accept: str) -> tuple[bytes, str]:
        """Return body and content type in the format that the scraper accepts."""
        async with self._one_at_a_time:
            return await asyncio.to_thread(self._page, self.snapshot(), accept)

    def _page(self, snapshot: Snapshot, accept: str) -> tuple[bytes, str]:
        with self._making:
            return page_of(snapshot, accept, max_series=self.max_series, known=self._known)


def page_of(
    snapshot: Snapshot, accept: str, *, max_series: int = MAX_SERIES, known: Known | None = None
) -> tuple[bytes, str]:
    """Return body and content type of a snapshot in the format that an ``Accept`` header asks for.

    That is text, or OpenMetrics. Each metric shows at most ``max_series`` series.
    """
    encode, content_type = choose_encoder(accept)
    lines, page = Lines(max_series), _Page(max_series)
    show_figures(lines, snapshot, known)
    _agreements(page, snapshot)
    for partition in snapshot.partitions:
        _partition(page, partition)
    _receivers(page, snapshot)
    _health(page, snapshot)
    show_due(page.set, snapshot)
    for measure, (shown, in_rest) in snapshot.series.items():
        page.set(own.SERIES_SHOWN, measure, shown)
        page.set(own.SERIES_IN_REST, measure, in_rest)
    page.drop(lines.dropped())
    return b"".join((*lines.page(encode), encode(_registry_of(page)))), content_type


def _registry_of(collector: Collector) -> CollectorRegistry:
    """Return a new registry with this collector: the library's global registry also shows metrics of other code."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(collector)
    return registry


class _Page(Collector):
    """The samples of one scrape other than those of the figures.

    If there are too many series, the first ones are shown.
    """

    def __init__(self, max_series: int) -> None:
        self._max_series = max_series
        self._values: dict[Metric, dict[Values, float | Histogram]] = {}
        self._dropped: dict[Metric, int] = {}

    def set(self, metric: Metric, labels: Values, value: float | Histogram | None) -> None:
        """Set a sample. None sets nothing: the sample is absent."""
        if value is None:
            return
        series = self._values.setdefault(metric, {})
        if len(series) >= self._max_series and labels not in series:
            self._dropped[metric] = self._dropped.get(metric, 0) + 1
        else:
            series[labels] = value

    def drop(self, series: Mapping[str, int]) -> None:
        """Show how many series were left out for lack of room, by metric."""
        for name, n in series.items():
            self._dropped[m.CATALOGUE[name]] = n

    def describe(self) -> Iterable[Family]:
        """Return nothing, so that registering the collector collects nothing."""
        return ()

    def collect(self) -> Iterable[Family]:
        """Return everything that was set, in the order of the catalogue."""
        for metric, dropped in self._dropped.items():
            self._values.setdefault(own.DROPPED_SERIES, {})[(metric.name,)] = dropped
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
            family.add_sample(f"{stem}_count", labels, value.observations)
        else:
            family.add_sample(metric.name, labels, value)
    return family


def _printable(value: str) -> str:
    """Return a label value that can be encoded: one lone surrogate would make the whole scrape fail."""
    value = visible(value)
    return value if value.isascii() else value.encode("utf-8", "replace").decode()


def _in_unit(metric: Metric, value: float | None) -> float | None:
    """Return a value of the core, whose durations are milliseconds, in the unit of the metric."""
    return value / 1000 if value is not None and metric.unit == "seconds" else value


def _agreements(page: _Page, snapshot: Snapshot) -> None:
    for one in sorted(snapshot.agreements, key=lambda one: (one.id, one.version)):
        labels = (one.id, str(one.version), one.name, one.provider, one.customer, one.service, one.status)
        page.set(m.AGREEMENT_INFO, (*labels, one.kind, one.level or "", one.under, one.binding), 1)
        for party in one.parties:
            page.set(m.AGREEMENT_PARTY, (one.id, str(one.version), party.name, party.role), 1)
        for detail, value in one.details.items():
            page.set(m.AGREEMENT_DETAIL, (one.id, str(one.version), detail, value), 1)
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
        _reports(page, snapshot, one)
        _limits(page, one)
        for origin, parts in parts_by_origin(one).items():
            page.set(m.AGREEMENT_PARTS, (one.id, origin.agreement, origin.level), parts)


def _limits(page: _Page, one: Agreement) -> None:
    """Show the limits of an agreement in force that are targets of no objective: dashboards draw them."""
    for call in one.calls:
        page.set(m.CALL_LIMIT, (one.id, call.id), _in_unit(m.CALL_LIMIT, call.answer_within_ms))
    for lead in one.leads:
        if lead.attempts > 1:  # one attempt is what every rule means that promises none
            page.set(m.LEAD_DEPTH_LIMIT, (one.id, lead.id), lead.attempts)
        promised_ms = lead.follow_up_within_ms or None
        page.set(m.LEAD_FOLLOW_UP_LIMIT, (one.id, lead.id), _in_unit(m.LEAD_FOLLOW_UP_LIMIT, promised_ms))
    for objective in one.objectives:
        for alert in objective.budget.alerts if objective.budget is not None else ():
            page.set(m.BUDGET_LIMIT, (one.id, objective.id, alert.long.name, alert.urgency), alert.burn)


def _reports(page: _Page, snapshot: Snapshot, one: Agreement) -> None:
    for rights in one.reports:
        following = schedule(one, rights, snapshot.now_ms or 0, began_ms(snapshot.agreements, one)).next
        if following is not None:
            page.set(m.AGREEMENT_REPORT_DUE, (one.id, rights.every, ", ".join(rights.to)), following.due_ms / 1000)


def _partition(page: _Page, one: SourcePartition) -> None:
    source, stats = (one.topic, str(one.partition)), one.stats
    values: tuple[tuple[Metric, float | Histogram | None], ...] = (
        (own.EVENTS, stats.events),
        (own.BATCHES, stats.batches),
        (own.RECORDS_SKIPPED, stats.skipped),
        (own.OFFSET_HOLES, stats.holes),
        (own.RECORDS_LOST, stats.lost),
        (own.SOURCE_REREADS, stats.rereads),
        (own.FAULTS, stats.faults),
        (own.ROWS_SET_ASIDE, stats.set_aside),
        (own.HELD_BACK, one.held_seconds),
        (own.LET_GO, one.let_go),
        (own.LAG, stats.lag),
        (own.PARTITION_OPEN, int(stats.open)),
        (own.PARTITION_CAUGHT_UP, int(stats.caught_up)),
        (own.PARTITION_ROWS, stats.rows),
        (own.PARTITION_RESTORED, stats.restored_rows),
        (own.PARTITION_RESTORE, stats.restore_seconds),
        (own.BATCH_DURATION, stats.batch_seconds.histogram()),
        (own.COMMIT_DURATION, stats.commit_seconds.histogram()),
        (own.TICK_DELAY, stats.tick_delay_seconds.histogram()),
    )
    for metric, value in values:
        page.set(metric, source, value)
    page.set(own.LAST_EVENT, (*source, one.kind), _in_unit(own.LAST_EVENT, one.last_event_ms))


def _receivers(page: _Page, snapshot: Snapshot) -> None:
    for receiver_outcome, count in snapshot.deliveries.items():
        page.set(own.DELIVERIES, receiver_outcome, count)
    for reason in MEANINGS:
        # From the start, as below: a rule watches the increase.
        page.set(own.NOT_TOLD, (reason,), snapshot.not_told.get(reason, 0))
    for one in snapshot.receivers:
        labels = (one.receiver,)
        for outcome in _FAILURES:
            # Shown as 0 from the start: for Prometheus the first sample of a new counter is no increase.
            page.set(own.DELIVERIES, (one.receiver, outcome), snapshot.deliveries.get((one.receiver, outcome), 0))
        page.set(own.DELIVERIES_PENDING, labels, one.pending)
        if one.oldest_pending_ms is not None:
            age_ms = max(0, (snapshot.now_ms or 0) - one.oldest_pending_ms)
            page.set(own.DELIVERIES_OLDEST, labels, _in_unit(own.DELIVERIES_OLDEST, age_ms))
        page.set(own.PAGES_OPEN, labels, one.pages)
        page.set(own.RECEIVER_DISABLED, labels, int(one.disabled))
        page.set(own.DELIVERIES_MISCONFIGURED, labels, one.misconfigured)


def _health(page: _Page, snapshot: Snapshot) -> None:
    by_topic: tuple[tuple[Metric, Mapping[str, int]], ...] = (
        (own.NATIVE_FAULTS, snapshot.native_faults),
        (own.EVENTS_REPEATED, snapshot.repeats),
        (own.EVENTS_LATE, snapshot.late),
        (own.EVENTS_TOLD_TOGETHER, snapshot.together),
        (own.PANES_DIVIDED, snapshot.divided),
        (own.RECORDS_REFUSED, snapshot.refused),
        (own.DEAD_LETTERS_CUT, snapshot.cut),
        (own.EVENTS_MAPPED, snapshot.mapped),
        (own.RECORDS_UNMAPPED, snapshot.unmapped),
        (own.UNEXPECTED_PARTITIONS, snapshot.unexpected_partitions),
    )
    for metric, counts in by_topic:
        for topic, count in counts.items():
            page.set(metric, (topic,), count)
    for reason, count in snapshot.cut_off.items():
        page.set(own.CUT_OFF, (reason,), count)
    for topic_way, count in snapshot.ways.items():
        page.set(own.EVENTS_FOLDED, topic_way, count)
    for way, count in snapshot.merged.items():
        page.set(own.PANES_MERGED, (way,), count)
    for topic_reason, count in snapshot.dead_letters.items():
        page.set(own.DEAD_LETTERS, topic_reason, count)
    for kind_state, count in snapshot.alerts.items():
        page.set(own.ALERTS, kind_state, count)
    for partition, seconds in snapshot.evaluation_seconds.items():
        page.set(own.EVALUATION, (str(partition),), seconds)
    page.set(own.DETECTION_DELAY, (), snapshot.detection_delay)
    page.set(own.PARTITIONS_OPEN, (), sum(one.stats.open for one in snapshot.partitions))
    page.set(own.REBALANCES, (), snapshot.rebalances)
    page.set(own.RESTORES, (), snapshot.restores)
    page.set(own.STALLS, (), snapshot.stalls)
    page.set(own.CLOCK_STEPS, (), snapshot.clock_steps)
    page.set(own.MONITOR_TIME, (), _in_unit(own.MONITOR_TIME, snapshot.now_ms))
    page.set(own.BUILD_INFO, (_own_version(), platform.python_version()), 1)


def _own_version() -> str:
    try:
        return version("sla-monitor")
    except PackageNotFoundError:  # run from a checkout that is not installed
        return "unknown"
