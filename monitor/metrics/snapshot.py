"""The snapshot that the exporter shows: plain values of one moment, handed in by the program that runs the worker.

Nothing here knows the stream: the bootstrap adapts its figures to these. Series and partitions that a snapshot no
longer holds (another worker took them over) are gone from the next scrape.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from monitor.core.agreements.agreement import Agreement
from monitor.core.objectives.status import WindowStatus
from monitor.core.series.series import SeriesKey
from monitor.counters import Histogram, PartitionStats


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcePartition:
    """One source partition that this worker owns: its counters, and how long others held it back. None is not shown."""

    topic: str
    partition: int
    stats: PartitionStats
    kind: str = ""
    """The subject that its events are about; "" of partials."""
    last_event_ms: int | None = None
    """The newest event time."""
    held_seconds: float | None = None
    """For how long sources that catch up have held its horizon back; None: it has no such sources."""
    let_go: int | None = None
    """How many sources catch up without getting further and so hold its horizon back no more; None: it has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiverStats:
    """One receiver of on-call, over the partitions of alerts that this worker owns."""

    receiver: str
    pending: int = 0
    oldest_pending_ms: int | None = None
    """Since when the oldest notice waits."""
    pages: int = 0
    disabled: bool = False
    misconfigured: int = 0
    """Pages that wait for somebody to correct the receiver's settings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """All values that the exporter shows, at one moment. Counts run since the start of the process."""

    now_ms: int | None = None
    """The monitor's clock: in a demonstration it is not the wall clock."""
    agreements: Sequence[Agreement] = ()
    statuses: Sequence[WindowStatus] = ()
    spreads: Mapping[tuple[SeriesKey, str], Mapping[int, int]] = field(default_factory=dict)
    """Sketches of durations (`monitor.core.series.sketch`), by series and the one window that each is shown in."""
    due: Mapping[tuple[SeriesKey, int], Sequence[int]] = field(default_factory=dict)
    """When the open clocks of each series are due (ms), earliest first; by the version of the agreement."""
    series: Mapping[tuple[str, str], tuple[int, int]] = field(default_factory=dict)
    """By agreement and measure: how many series are shown one by one, and how many are counted together as the rest."""
    partitions: Sequence[SourcePartition] = ()
    dead_letters: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """By topic and reason."""
    cut: Mapping[str, int] = field(default_factory=dict)
    """Dead letters that do not hold all of their record, by its topic."""
    alerts: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """By kind (a subject, or ``objective``) and state."""
    supporting: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """Breaches by agreement and supporting agreement that was missed under them."""
    deliveries: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """By receiver and outcome."""
    not_told: Mapping[str, int] = field(default_factory=dict)
    """Decisions to notify nobody of an alert, by reason."""
    receivers: Sequence[ReceiverStats] = ()
    ways: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """Events that were folded, by topic and by who folded them: ``native`` or ``python``."""
    merged: Mapping[str, int] = field(default_factory=dict)
    """Panes that were merged, by who did it: ``native`` or ``python``."""
    native_faults: Mapping[str, int] = field(default_factory=dict)
    """Pieces of batches that Python folded because the native fast path failed on them, by topic."""
    repeats: Mapping[str, int] = field(default_factory=dict)
    """Events that were known already, by topic."""
    late: Mapping[str, int] = field(default_factory=dict)
    """Events that came after their subject was forgotten, by topic."""
    divided: Mapping[str, int] = field(default_factory=dict)
    """Parts that were made of panes which outgrew a row, by topic."""
    together: Mapping[str, int] = field(default_factory=dict)
    """Late events whose consequences were announced together, not one by one, by topic."""
    refused: Mapping[str, int] = field(default_factory=dict)
    """Agreements and responses that could not be used, by topic."""
    mapped: Mapping[str, int] = field(default_factory=dict)
    """Events that were made of a foreign topic's records, by that topic."""
    unmapped: Mapping[str, int] = field(default_factory=dict)
    """Records of a foreign topic that no event was made of, by that topic."""
    evaluation_seconds: Mapping[int, float] = field(default_factory=dict)
    """Time spent judging windows, by partition of the partials."""
    detection_delay: Histogram | None = None
    """From the instant a clock got at risk or breached to its announcement."""
    rebalances: int | None = None
    restores: int | None = None
    stalls: int | None = None
    """How often the process stood still for over half a second."""
    clock_steps: int | None = None
    """How often the host's clock was set by more than half a second."""
    cut_off: Mapping[str, int] = field(default_factory=dict)
    """Connections to the web server that were cut off, by the reason."""
    unexpected_partitions: Mapping[str, int] = field(default_factory=dict)
    """Partitions of a topic beyond those that the worker was started with, for topics that differ."""
