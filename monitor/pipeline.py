"""The topics that a worker consumes, in the order in which an event passes them, and the work on each.

`Pipeline.sources` is the main flow of the program on one screen.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

from monitor.config.settings.settings import Settings
from monitor.config.settings.sources import SourceSettings
from monitor.core.facts.events import SUBJECTS, Subject
from monitor.core.objectives.status import WindowStatus
from monitor.core.time.units import DAY_MS
from monitor.installation import partitions_of, topic_of
from monitor.stream.agents.books import Books
from monitor.stream.agents.evaluate import Evaluate
from monitor.stream.agents.feeders import Feeders
from monitor.stream.agents.horizon import Horizon
from monitor.stream.agents.ingest import Ingest
from monitor.stream.agents.mapped import Mapped
from monitor.stream.agents.markers import Markers
from monitor.stream.agents.native import chosen
from monitor.stream.agents.oncall import OnCall
from monitor.stream.agents.tally import Outlets, Tally, burier
from monitor.stream.partitions.partition import PartitionState
from monitor.stream.partitions.ports import Processor, RowCodec
from monitor.stream.partitions.sources import Burial, Source
from monitor.wire.rows import EVALUATE_ROWS, NOTIFY_ROWS, SOURCE_ROWS

CALL_RETENTION_MS: Final = DAY_MS
"""Calls are not reopened: a day covers what comes late."""

Work = Callable[[PartitionState], Processor]
"""Makes the processor of one partition, after its rows were read."""


class Pipeline:
    """The work on all topics of one worker, and the processors of the partitions that it owns.

    Raises:
        ConfigError: a mapping file has mistakes, or the native fast path is required and not there.
    """

    def __init__(
        self, settings: Settings, outlets: Outlets, tally: Tally, *, books: Books, markers: Markers, on_call: OnCall
    ) -> None:
        self.settings = settings
        self.outlets = outlets
        self.tally = tally
        self.books = books
        self.markers = markers
        self.on_call = on_call
        self.mappings = {source.topic: source.rows() for source in settings.sources}
        """By foreign topic, the mapping that makes events of its records."""
        self.native = chosen(settings.native)
        self.evaluations: dict[int, Evaluate] = {}
        """The evaluate processors of the partitions that this worker owns, by partition."""
        self.horizons: dict[tuple[str, int], Horizon] = {}
        """Up to when each partition may be judged that waits for others."""
        self.subjects: dict[tuple[str, int], PartitionState] = {}
        """The state of the partitions of tickets, calls, outages and leads that this worker owns."""
        self.restores = 0
        """How many processors were made: one for each partition that was opened."""

    def sources(self) -> dict[str, Source]:
        """Return the topics with the work on them, from the records of others down to the pages of on-call staff.

        A processor reads what its topic holds, steps, stores rows and emits to the topics below.
        """
        settings, on_call, count = self.settings, self.on_call, self.settings.topics.partitions
        partials, alerts, source = settings.topics.partials, settings.topics.alerts, self._source
        flow = [
            # Records of others are mapped to events.
            *(source(one.topic, self._map(one), SOURCE_ROWS, partitions_of(settings, one)) for one in settings.sources),
            # Tickets, calls, outages, leads: promises are timed. Alerts go to on-call, panes of series to partials.
            *(source(topic_of(settings, subject), self._ingest(subject), SOURCE_ROWS, count) for subject in SUBJECTS),
            # Partials: windows are judged by the panes of all sources. Alerts, status and statements come of it.
            source(partials, self._evaluate, EVALUATE_ROWS, count),
            # Alerts: whom the agreements name is paged. Deliveries tell the outcome.
            source(alerts, on_call.notify, NOTIFY_ROWS, count, on_call.let_go),
        ]
        return {one.topic: one for one in flow}

    def statuses(self) -> list[WindowStatus]:
        """Return the newest figures and verdicts of all series in the partitions that this worker owns."""
        return [status for one in self.evaluations.values() for status in one.evaluator.latest.values()]

    def places(self) -> dict[tuple[str, str], tuple[int, int]]:
        """Return, by agreement and measure, how many series are shown by themselves and how many are in the rest."""
        return {key: counts for one in self.evaluations.values() for key, counts in one.evaluator.places().items()}

    def forget_revoked(self, owned: set[tuple[str, int]]) -> None:
        """Forget the processors of partitions that this worker owns no more, given those that it owns."""
        kept = {partition for topic, partition in owned if topic == self.settings.topics.partials}
        for partition in self.evaluations.keys() - kept:
            del self.evaluations[partition]
        for known in (self.horizons, self.subjects):
            for place in known.keys() - owned:
                del known[place]

    def _source(
        self,
        topic: str,
        work: Work,
        rows: RowCodec,
        partitions: int,
        let_go: Callable[[PartitionState], None] = lambda _state: None,
    ) -> Source:
        return Source(
            topic=topic,
            processor=work,
            codec=rows,
            partitions=partitions,
            burial=Burial(burier(self.outlets, self.tally), self.on_call.skips),
            let_go=let_go,
        )

    def _map(self, source: SourceSettings) -> Work:
        mapping, settings = self.mappings[source.topic], self.settings

        def work(state: PartitionState) -> Processor:
            self.restores += 1
            return Mapped(
                state,
                mapping=mapping,
                topic=topic_of(settings, mapping.subject),
                outlets=self.outlets,
                tally=self.tally,
                lateness_ms=settings.allowed_lateness_ms,
            )

        return work

    def _ingest(self, subject: Subject) -> Work:
        settings, fed_by = self.settings, self._feeders(subject)
        longest_s = settings.longest_hold_ms / 1000
        feeders = partial(Feeders, sources=fed_by, markers=self.markers, longest_s=longest_s) if fed_by else None
        retention_ms = settings.subject_retention_ms

        def work(state: PartitionState) -> Processor:
            self.restores += 1
            self.horizons.pop((state.topic, state.partition), None)
            self.subjects[state.topic, state.partition] = state
            processor = Ingest(
                state,
                subject=subject,
                books=self.books,
                outlets=self.outlets,
                tally=self.tally,
                retention_ms=min(retention_ms, CALL_RETENTION_MS) if subject == "call" else retention_ms,
                lateness_ms=settings.allowed_lateness_ms,
                feeders=feeders,
                native=self.native,
            )
            if processor.feeders is not None:
                self.horizons[state.topic, state.partition] = processor.feeders.horizon
            return processor

        return work

    def _feeders(self, subject: Subject) -> list[str]:
        """Return the partitions of foreign topics that events of a subject are made of."""
        return [
            f"{source.topic}/{partition}"
            for source in self.settings.sources
            if self.mappings[source.topic].subject == subject
            for partition in range(partitions_of(self.settings, source))
        ]

    def _evaluate(self, state: PartitionState) -> Processor:
        self.restores += 1
        processor = Evaluate(
            state,
            books=self.books,
            outlets=self.outlets,
            tally=self.tally,
            interval_ms=self.settings.evaluate_interval_ms,
            max_series=self.settings.max_series,
            native=self.native,
            sources=[
                f"{topic_of(self.settings, subject)}/{partition}"
                for subject in SUBJECTS
                for partition in range(self.outlets.partials_partitions)
            ],
        )
        self.evaluations[state.partition] = processor
        self.horizons[state.topic, state.partition] = processor.horizon
        return processor
