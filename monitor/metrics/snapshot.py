"""What the exporter shows: plain values of one moment, handed in by whoever runs the worker.

Nothing here knows the stream: the bootstrap adapts its figures to these. What a snapshot no longer holds (series and
partitions that another worker took over) is gone from the next scrape.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Final

from monitor.core.agreements.agreement import Agreement
from monitor.core.objectives.status import WindowStatus
from monitor.core.series.series import SeriesKey

DELAY_BOUNDS: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Upper bounds, seconds, for how long after its instant something was announced."""


@dataclass(frozen=True, slots=True)
class Histogram:
    """Durations in seconds: sum, number, and ``(upper bound, how many were at most that)``; the last bound is inf."""

    sum: float
    count: int
    buckets: tuple[tuple[float, int], ...]


class Observations:
    """A histogram in the making.

    Raises:
        ValueError: the bounds are not ascending, or hold infinity, which is always there.
    """

    def __init__(self, bounds: Sequence[float] = DELAY_BOUNDS) -> None:
        if list(bounds) != sorted(set(bounds)) or inf in bounds:
            raise ValueError(f"bounds must be finite and ascend: {bounds}")
        self._bounds = tuple(bounds)
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0

    def observe(self, seconds: float) -> None:
        """Count one duration; one that equals a bound is within it."""
        self._sum += seconds
        self._counts[bisect_left(self._bounds, seconds)] += 1

    def histogram(self) -> Histogram:
        """Return what was counted so far."""
        buckets, below = [], 0
        for bound, count in zip((*self._bounds, inf), self._counts, strict=True):
            below += count
            buckets.append((bound, below))
        return Histogram(self._sum, below, tuple(buckets))


@dataclass(frozen=True, slots=True, kw_only=True)
class PartitionStats:
    """One source partition that this worker owns, counted since it took it over. None: not known, so not shown."""

    topic: str
    partition: int
    events: int
    batches: int
    lag: int
    open: bool
    caught_up: bool
    skipped: int = 0
    """Records below the position: applied before."""
    holes: int = 0
    """Offsets without a record: transaction markers, aborted or compacted records."""
    lost: int = 0
    """Offsets that retention removed before they were read."""
    rereads: int = 0
    faults: int = 0
    """How often work on a record or a row failed by a fault of the program."""
    held_seconds: float | None = None
    """For how long others that catch up have held it back; None: it waits for nobody."""
    let_go: int | None = None
    """How many that catch up without getting further hold it back no more."""
    set_aside: int = 0
    """Rows that are left alone, as the work on them fails."""
    rows: int | None = None
    restored_rows: int | None = None
    restore_seconds: float | None = None
    kind: str = ""
    """The subject that its events are about; "" of partials."""
    last_event_ms: int | None = None
    """The newest event time."""
    batch_seconds: Histogram | None = None
    commit_seconds: Histogram | None = None
    tick_delay_seconds: Histogram | None = None


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
    """Pages that wait for somebody to mend its settings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """All that the exporter shows, at one moment. Counts run since the start of the process."""

    now_ms: int | None = None
    """The monitor's clock: in a demonstration it is not the wall clock."""
    agreements: Sequence[Agreement] = ()
    statuses: Sequence[WindowStatus] = ()
    spreads: Mapping[tuple[SeriesKey, str], Mapping[int, int]] = field(default_factory=dict)
    """Sketches of durations (`monitor.core.series.sketch`), by series and the one window that each is shown in."""
    series: Mapping[tuple[str, str], tuple[int, int]] = field(default_factory=dict)
    """By agreement and measure: how many series are shown one by one, and how many are counted together as the rest."""
    partitions: Sequence[PartitionStats] = ()
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
    """Decisions to tell nobody of an alert, by reason."""
    receivers: Sequence[ReceiverStats] = ()
    repeats: Mapping[str, int] = field(default_factory=dict)
    """Events that were known already, by topic."""
    late: Mapping[str, int] = field(default_factory=dict)
    """Events that came after their subject was forgotten, by topic."""
    divided: Mapping[str, int] = field(default_factory=dict)
    """Parts that were made of panes which outgrew a row, by topic."""
    together: Mapping[str, int] = field(default_factory=dict)
    """Late events that were not told one by one, by topic."""
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
