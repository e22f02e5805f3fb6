"""The work on a partition of events: decode, step, store, emit. Bad records become dead letters and stop nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from aiokafka.structs import ConsumerRecord

from monitor.core.alerts.alert import Alert
from monitor.core.facts.events import Event, Subject
from monitor.core.pieces import Pieces, lots
from monitor.core.series.parts import in_order
from monitor.core.series.series import PaneKey, encode_pane_key
from monitor.core.subjects.engine import Effects, SourceEngine
from monitor.core.subjects.rows import SUBJECT
from monitor.errors import DecodeError
from monitor.stream.agents.books import Books, SeenBook
from monitor.stream.agents.feeders import HEARD, Feeders, forget
from monitor.stream.agents.horizon import MARKER
from monitor.stream.agents.sweep import Sweep
from monitor.stream.kafka.pace import Pace
from monitor.stream.partitions.containment import internal_error
from monitor.stream.partitions.partition import PartitionState
from monitor.stream.partitions.ports import Now
from monitor.stream.partitions.sources import Bury
from monitor.wire.announcements import encode_alert
from monitor.wire.deadletters import MAX_VALUE, TRUNCATED, encode_dead_letter
from monitor.wire.events import decode
from monitor.wire.mapping_rules import MOST_EVENTS
from monitor.wire.partials import encode_marker, encode_partial

RECORDS_AT_ONCE = 256
"""Records that are folded before others may run: 5 to 10 ms."""
LONG_RECORD: Final = 4_096
"""Bytes of a record before whose decoding the time is checked: one of a megabyte takes 5 ms."""
TICK_SUBJECTS = 500
"""Subjects that one tick works on before its changes are committed."""

PANES_AT_ONCE: Final = 64
"""Panes that are sent before the time is checked: up to 0.1 ms each, if they hold as many items as fit."""
PANE: Final = b"p"
"""The first byte of the keys of panes."""


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


class Ingest:
    """Folds the records of one source partition of one subject.

    ``feeders`` makes the `Feeders` of the partition: the foreign partitions from whose records its events are made. It
    is None if there are none. While one of them catches up, the clock proves nothing here either.
    """

    def __init__(
        self,
        state: PartitionState,
        *,
        subject: Subject,
        books: Books,
        outlets: Outlets,
        tally: Tally,
        retention_ms: int,
        lateness_ms: int,
        feeders: Callable[[PartitionState], Feeders] | None = None,
    ) -> None:
        self.state = state
        self.subject = subject
        self.books = books
        self.outlets = outlets
        self.tally = tally
        self.lateness_ms = lateness_ms
        self.source = f"{state.topic}/{state.partition}"
        self.engine = SourceEngine(subject, state, retention_ms=retention_ms)
        self.watermark_ms = 0
        self.feeders = None if feeders is None else feeders(state)
        self._feeds = None if self.feeders is None else self.feeders.horizon
        self._behind = True  # so that a first "not behind" is sent: an earlier owner may have been behind
        self._marked: tuple[int, bool] | None = None
        self._seen = SeenBook(books)
        self._sweep = Sweep()
        self.committed()

    def restore(self) -> Pieces[None]:
        """Find in the rows which panes there are and how far the feeders are, in pieces."""
        keys = yield from self.state.keys_by_kind()
        yield from self.engine.restoring(keys.get(PANE, ()))
        known = [*keys.get(MARKER, ()), *keys.get(HEARD, ())]
        if self.feeders is None:
            forget(self.state, known)
        else:
            self.feeders.restore(known)
        self.committed()

    def batch(
        self,
        records: Sequence[ConsumerRecord],
        now: Now,
        *,
        due: bool = True,
    ) -> Pieces[None]:
        """Fold a batch of records: decode, step, store, emit.

        Then announce deadlines that are due, as far as one tick would.
        """
        changed: dict[PaneKey, None] = {}
        if self.feeders is not None:
            self.feeders.listen()
        pace = Pace()
        # The batch with which it catches up is old, too: by the clock, its panes might be too old for a correction.
        judged = now.unproved() if self._behind else now
        for start in range(0, len(records), RECORDS_AT_ONCE):
            if start:
                yield from pace.kept_by(self.state.pack(SUBJECT))
                yield
            # Before the last piece, a record of the next piece could disprove a deadline that the clock finds missed.
            is_last = start + RECORDS_AT_ONCE >= len(records)
            piece = records[start : start + RECORDS_AT_ONCE]
            effects = yield from self._fold(piece, judged if is_last else judged.unproved(), pace)
            changed.update(dict.fromkeys(effects.panes))
        if due and (judged.caught_up or not now.caught_up):
            # Deadlines that came due meanwhile go into the same transaction, not into one of their own.
            yield from pace.kept_by(self.state.pack(SUBJECT))
            yield
            horizon_ms = self._horizon_ms(judged)
            keys = self.state.due_keys(horizon_ms, TICK_SUBJECTS)
            effects = yield from pace.kept_by(self.engine.looked_at(keys, horizon_ms, self.books.book))
            self._announce_all(effects, now.ms)
            changed.update(dict.fromkeys(effects.panes))
        yield from pace.kept_by(self._emit_partials(in_order(changed)))
        self._mark(now)
        yield from pace.kept_by(self.state.pack())

    def _fold(self, records: Sequence[ConsumerRecord], now: Now, pace: Pace) -> Pieces[Effects]:
        now_ms = now.ms
        events: list[Event] = []
        origins: list[ConsumerRecord] = []
        subject, newest = self.subject, self.watermark_ms
        limit = self.outlets.max_event_bytes
        latest = now_ms + self.outlets.max_ahead_ms
        for record in records:
            value = record.value
            if value is not None and len(value) > LONG_RECORD and pace.is_over():
                yield
            try:
                event = decode(subject, record.key, value, record.headers, max_bytes=limit)
            except DecodeError as error:
                self._bury(record, error.reason, error.detail)
                continue
            except Exception as error:  # noqa: BLE001 - nothing was changed yet: there is nothing to take back
                self._bury(*internal_error(record, error))
                continue
            time_ms = event.fact.time_ms
            if time_ms > latest:
                ahead_ms = time_ms - now_ms
                self._bury(record, "in_the_future", f"event time is {ahead_ms} ms ahead of the monitor's clock")
                continue
            if time_ms > newest:  # noqa: PLR1730 - max() takes three times as long
                newest = time_ms
            events.append(event)
            origins.append(record)
        if pace.is_over():
            yield
        self.watermark_ms = min(newest, now_ms)
        if newest:
            self.tally.last_event_ms[self.state.topic, self.state.partition] = newest
        horizon_ms = self._horizon_ms(now)
        effects = yield from pace.kept_by(self.engine.folded(events, horizon_ms, self.books.book))
        for place, reason in effects.rejected:
            self._bury(origins[place], reason, "")
        self._announce_all(effects, now_ms)
        return effects

    def tick(self, now: Now) -> Pieces[bool]:
        """Announce due deadlines, fold rows of an older book again, drop old panes; return whether more is left.

        All of it is judged as of the tick's beginning, by the book and the feeders of that moment. Changes that come
        between its pieces are left to the next tick, which `next_tick_ms` asks for.
        """
        pace, book = Pace(), self.books.book
        if self.feeders is not None:
            self.feeders.listen()
        horizon_ms = self._horizon_ms(now)
        if self._seen.is_old:
            keys = yield from pace.kept_by(self.state.keys_of(SUBJECT))
            self._seen.book, self._sweep = book, Sweep.of(keys)
        limit = min(TICK_SUBJECTS, self.state.set_aside.limit)
        keys = self.state.due_keys(horizon_ms, limit)
        is_full = len(keys) >= limit
        swept: list[bytes] = []
        if self._sweep.left and not (is_full and limit == 1):  # one row alone, to find the failing one
            swept = self._sweep.next(limit)
            keys += self.state.looked_at(swept)
        # Rows for which there is no time stay due, or in the sweep.
        looked = list[bytes]()
        in_time = _noted(Pace().while_in_time(keys), looked)
        effects = yield from pace.kept_by(self.engine.looked_at(in_time, horizon_ms, book))
        self._announce_all(effects, now.ms)
        left = set(keys).difference(looked)
        self._sweep = self._sweep.after(swept, missed=left)
        yield from pace.kept_by(self._emit_partials(effects.panes))
        more = bool(self._sweep.left) or is_full or bool(left)
        # After a stop, due deadlines may lie days back: panes expire only once all of these are in them.
        if not more:
            yield from pace.kept_by(self._emit_partials(self.engine.expire(horizon_ms)))
        self._mark(now)
        return more

    def next_tick_ms(self) -> int | None:
        """Return when a tick is wanted for reasons other than due subjects."""
        if self._seen.is_old or self._sweep.left:
            return 0
        if self.feeders is not None and (self.feeders.has_news or self.feeders.horizon.is_held):
            return 0
        return self.engine.next_expiry_ms()

    def committed(self) -> None:
        """Remember the fields that stand in memory, for `recover`: they now agree with the rows."""
        feeds = None if self.feeders is None else self.feeders.remember()
        self.engine.remember()
        self._memory = self.watermark_ms, self._behind, self._marked, self._seen.book, self._sweep, feeds

    def recover(self, error: Exception) -> Pieces[str]:  # noqa: ARG002 - the fault is of a row or record
        """Go back to the fields that `committed` remembered last."""
        yield from ()
        self.engine.recall()
        self.watermark_ms, self._behind, self._marked, self._seen.book, self._sweep, feeds = self._memory
        if self.feeders is not None and feeds is not None:
            self.feeders.recall(feeds)
        return ""

    def _horizon_ms(self, now: Now) -> int:
        """Return the instant up to which deadlines are judged: now only once no record can disprove a breach."""
        own_ms = now.horizon_ms(self.watermark_ms - self.lateness_ms)
        if self._feeds is None:
            return own_ms
        return min(own_ms, self._feeds.as_of_ms(now.ms) or 0)

    def _announce_all(self, effects: Effects, now_ms: int) -> None:
        tally, topic = self.tally, self.state.topic
        for alert in effects.alerts:
            self._announce(alert, now_ms)
        if effects.repeats:
            count_later(self.state, tally.repeats, topic, effects.repeats)
        if effects.together:
            count_later(self.state, tally.together, topic, effects.together)
        if effects.too_late:
            count_later(self.state, tally.too_late, topic, effects.too_late)
        if effects.divided:
            count_later(self.state, tally.divided, topic, effects.divided)

    def _announce(self, alert: Alert, now_ms: int) -> None:
        age_ms = now_ms - alert.at_ms
        if age_ms > self.outlets.backfill_age_ms:
            alert = alert.told_late()
        elif alert.state in ("at_risk", "breached"):
            self.tally.detected(max(0, age_ms) / 1000)
        count_later(self.state, self.tally.alerts, (alert.key.kind, alert.state))
        for supporting in {one.agreement for one in alert.supporting}:
            count_later(self.state, self.tally.supporting, (alert.key.agreement, supporting))
        key, value = encode_alert(alert, self.outlets.source)
        # All alerts of an agreement in one partition: there storms become one page.
        self.state.emit(self.outlets.alerts, key, value, partition_key=alert.key.agreement.encode())

    def _emit_partials(self, panes: Iterable[PaneKey]) -> Pieces[None]:
        """Send panes as their rows are, in pieces: what is written of a pane is encoded once."""
        yield from self.state.pack(PANE)
        state, source, topic = self.state, self.source, self.outlets.partials
        for lot in lots(panes, PANES_AT_ONCE):
            for pane_key in lot:
                row_key = encode_pane_key(pane_key)
                key, value = encode_partial(source, row_key, state.packed(row_key))
                state.emit(topic, key, value, partition_key=pane_key.series.agreement.encode())
            yield

    def _mark(self, now: Now) -> None:
        """Emit a marker for the evaluators while this source catches up: their windows must not run ahead of it."""
        behind, watermark_ms = not now.caught_up, max(0, self.watermark_ms - self.lateness_ms)
        if self._feeds is not None:
            fed_ms = self._feeds.as_of_ms(now.ms) or 0
            self._feeds.looked(fed_ms)
            if self._feeds.is_held:
                behind, watermark_ms = True, min(watermark_ms or fed_ms, fed_ms)
        if not behind and not self._behind:
            return
        self._behind = behind
        if self._feeds is not None and self._marked == (watermark_ms, behind):
            return  # while others hold it back, it ticks without getting further
        self._marked = watermark_ms, behind
        key, value = encode_marker(self.source, watermark_ms, behind=behind)
        for partition in range(self.outlets.partials_partitions):
            self.state.emit(self.outlets.partials, key, value, partition=partition)

    def _bury(self, record: ConsumerRecord, reason: str, detail: str) -> None:
        bury(self.state, self.outlets, self.tally, record, reason, detail)


def _noted(keys: Iterable[bytes], looked: list[bytes]) -> Iterator[bytes]:
    """Yield keys, and note which have been asked for."""
    for key in keys:
        looked.append(key)
        yield key
