"""Where the agents of a worker write to, what they count, and the dead letters that they make."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from aiokafka.structs import ConsumerRecord

from monitor.stream.partitions.partition import PartitionState
from monitor.stream.partitions.sources import Bury
from monitor.wire.deadletters import MAX_VALUE, TRUNCATED, encode_dead_letter
from monitor.wire.mapping_rules import MOST_EVENTS


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlets:
    """The topics to which a worker writes, its name in the records, and the limits of records."""

    alerts: str
    partials: str
    partials_partitions: int
    dead_letters: str
    status: str
    statements: str
    reports: str = "reports"
    deliveries: str = "deliveries"
    markers: str = "markers"
    source: str = "sla-monitor"
    """The CloudEvents source of announcements."""
    backfill_age_ms: int = 15 * 60_000
    """An alert is marked ``backfill`` if its state changed longer ago than this when it is announced."""
    max_event_bytes: int = 1 << 20
    max_dead_letter_bytes: int = MAX_VALUE
    max_events_per_record: int = MOST_EVENTS
    """A record of a foreign topic that would make more is a dead letter, and makes none."""
    max_ahead_ms: int = 3_600_000
    """An event this far in the future is a producer's mistake: believing it would breach every open promise."""


@dataclass(slots=True)
class Tally:
    """The counters of a worker's work, over all its partitions: plain numbers for the exporter."""

    dead_letters: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By topic and reason."""
    cut: Counter[str] = field(default_factory=Counter)
    """Dead letters that do not hold all bytes of their record, by its topic."""
    alerts: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By kind of subject (or ``objective``) and state."""
    supporting: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Breaches by agreement and supporting agreement that was missed under them."""
    deliveries: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By receiver and result of the attempt (or of the notice)."""
    not_told: Counter[str] = field(default_factory=Counter)
    """Decisions to notify nobody of an alert, by reason (`monitor.core.paging.not_told`)."""
    ways: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Facts by topic and by who folded them: ``native`` or ``python``."""
    merged: Counter[str] = field(default_factory=Counter)
    """Panes that partials brought, by who merged them: ``native`` or ``python``."""
    native_faults: Counter[str] = field(default_factory=Counter)
    """Pieces of batches, by topic, that Python folded because the native fast path failed on them."""
    repeats: Counter[str] = field(default_factory=Counter)
    too_late: Counter[str] = field(default_factory=Counter)
    divided: Counter[str] = field(default_factory=Counter)
    """Parts that were made of panes which did not fit one row, by topic."""
    together: Counter[str] = field(default_factory=Counter)
    """Late events of a subject whose consequences were announced together, by topic."""
    mapped: Counter[str] = field(default_factory=Counter)
    """Events that were made of a foreign topic's records, by that topic."""
    unmapped: Counter[str] = field(default_factory=Counter)
    """Records of a foreign topic that no event was made of, by that topic."""
    last_event_ms: dict[tuple[str, int], int] = field(default_factory=dict)
    """The newest event time of each source partition."""
    detected: Callable[[float], None] = lambda _seconds: None
    """Called with the seconds from each deadline's due instant to its announcement. Not called for backfill."""


def bury(
    state: PartitionState, outlets: Outlets, tally: Tally, record: ConsumerRecord, reason: str, detail: str
) -> None:
    """Make a dead letter of a record that cannot be used."""
    count_later(state, tally.dead_letters, (record.topic, reason))
    key, value, headers = encode_dead_letter(
        record.topic,
        record.partition,
        record.offset,
        reason,
        detail,
        record.key,
        record.value,
        record.headers,
        max_bytes=outlets.max_dead_letter_bytes,
    )
    if any(name == TRUNCATED for name, _ in headers):
        count_later(state, tally.cut, record.topic)
    state.emit(outlets.dead_letters, key, value, headers=headers, partition_key=key)


def burier(outlets: Outlets, tally: Tally) -> Bury:
    """Return the function that makes dead letters of a source's records."""

    def make(state: PartitionState, record: ConsumerRecord, reason: str, detail: str) -> None:
        bury(state, outlets, tally, record, reason, detail)

    return make


def count_later(state: PartitionState, counter: Counter[Any], name: object, times: int = 1) -> None:
    """Count something once it is committed: work that is taken back is not counted."""
    state.after_commit(partial(_count, counter, name, times))


def _count(counter: Counter[Any], name: object, times: int) -> None:
    counter[name] += times
