"""The work on a partition of events: decode, step, store, emit. Bad records become dead letters and stop nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from operator import itemgetter
from types import MappingProxyType
from typing import Final

from aiokafka.structs import ConsumerRecord

from monitor.core.alerts.alert import Alert
from monitor.core.facts.events import Event, Subject
from monitor.core.pieces import Pieces, lots
from monitor.core.series.parts import in_order
from monitor.core.series.series import PaneKey, encode_pane_key
from monitor.core.series.sums import Sums
from monitor.core.subjects.effects import Effects
from monitor.core.subjects.engine import SourceEngine
from monitor.core.subjects.rows import PANE, SUBJECT
from monitor.errors import DecodeError
from monitor.stream.agents.books import Books, SeenBook
from monitor.stream.agents.feeders import HEARD, Feeders, forget
from monitor.stream.agents.horizon import MARKER
from monitor.stream.agents.native import TicketsWay
from monitor.stream.agents.native_calls import CallsWay
from monitor.stream.agents.native_way import Native
from monitor.stream.agents.sweep import Sweep
from monitor.stream.agents.tally import Outlets, Tally, bury, count_later
from monitor.stream.kafka.pace import Pace
from monitor.stream.partitions.containment import internal_error
from monitor.stream.partitions.partition import PartitionState
from monitor.stream.partitions.ports import Now
from monitor.wire.announcements import encode_alert
from monitor.wire.events import decode
from monitor.wire.partials import encode_marker, encode_partial

RECORDS_AT_ONCE = 256
"""Records that are folded before others may run: 5 to 10 ms."""
LONG_RECORD: Final = 4_096
"""Bytes of a record before whose decoding the time is checked: one of a megabyte takes 5 ms."""
TICK_SUBJECTS = 500
"""Subjects that one tick works on before its changes are committed."""

PANES_AT_ONCE: Final = 64
"""Panes that are sent before the time is checked: up to 0.1 ms each, if they hold as many items as fit."""
Placed = tuple[int, Event, ConsumerRecord]
"""An event, the place of its record in the piece of the batch, and the record."""
_PLACE: Final = itemgetter(0)
WAYS: Final[Mapping[Subject, type[CallsWay | TicketsWay]]] = {"call": CallsWay, "ticket": TicketsWay}
"""The native fast paths by subject."""


class Ingest:
    """Folds the records of one source partition of one subject.

    ``feeders`` makes the `Feeders` of the partition: the foreign partitions from whose records its events are made. It
    is None if there are none. While one of them catches up, the clock proves nothing here either. ``native`` is the
    module of the fast path; None: all is done in Python.
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
        native: Native | None = None,
    ) -> None:
        self.state = state
        self.subject = subject
        self.books = books
        self.outlets = outlets
        self.tally = tally
        self.lateness_ms = lateness_ms
        self.source = f"{state.topic}/{state.partition}"
        self.engine = SourceEngine(subject, state, retention_ms=retention_ms)
        way = None if native is None else WAYS.get(subject)
        self._native = None if way is None else way(native, state, self.engine, tally)
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
        put: dict[bytes, None] = {}
        if self.feeders is not None:
            self.feeders.listen()
        pace, native = Pace(), self._native
        # The batch with which it catches up is old, too: by the clock, its panes might be too old for a correction.
        judged = now.unproved() if self._behind else now
        for start in range(0, len(records), RECORDS_AT_ONCE):
            if start:
                # What is packed the native path may take over.
                yield from pace.kept_by(self.state.pack(SUBJECT if native is None or not native.is_used else b""))
                yield
            # Before the last piece, a record of the next piece could disprove a deadline that the clock finds missed.
            is_last = start + RECORDS_AT_ONCE >= len(records)
            piece = records[start : start + RECORDS_AT_ONCE]
            effects = yield from self._fold(piece, judged if is_last else judged.unproved(), pace)
            changed.update(dict.fromkeys(effects.panes))
            put.update(dict.fromkeys(effects.put))
        if due and (judged.caught_up or not now.caught_up):
            # Deadlines that came due meanwhile go into the same transaction, not into one of their own.
            yield from pace.kept_by(self.state.pack(SUBJECT))
            yield
            horizon_ms = self._horizon_ms(judged)
            keys = self.state.due_keys(horizon_ms, TICK_SUBJECTS)
            effects = yield from pace.kept_by(self.engine.looked_at(keys, horizon_ms, self.books.book))
            self._announce_all(effects, now.ms)
            changed.update(dict.fromkeys(effects.panes))
        yield from pace.kept_by(self._emit_partials(in_order(changed), put))
        self._mark(now)
        yield from pace.kept_by(self.state.pack())

    def _fold(self, records: Sequence[ConsumerRecord], now: Now, pace: Pace) -> Pieces[Effects]:
        if self._native is not None:
            return (yield from self._fold_natively(self._native, records, now, pace))
        events, newest_ms = yield from self._decoded(records, range(len(records)), now.ms, pace)
        return (yield from self._folded(events, self._seen_up_to(newest_ms, now), now, pace))

    def _fold_natively(
        self, native: CallsWay | TicketsWay, records: Sequence[ConsumerRecord], now: Now, pace: Pace
    ) -> Pieces[Effects]:
        """Fold a piece of a batch as `_fold` does; the native path takes what it knows, Python the rest."""
        book = self.books.book
        yield from native.prepare(book, pace)
        piece = native.read(records, self.outlets.max_event_bytes, now.ms + self.outlets.max_ahead_ms)
        others = range(len(records)) if piece is None else piece.others
        events, newest_ms = yield from self._decoded(records, others, now.ms, pace)
        if piece is None:
            return (yield from self._folded(events, self._seen_up_to(newest_ms, now), now, pace))
        horizon_ms = self._seen_up_to(max(newest_ms, piece.newest_ms), now)
        left, sums = native.step(piece, horizon_ms, len(records))
        more, _ = yield from self._decoded(records, left, now.ms, pace)
        native.answer(piece, more)
        events = sorted([*events, *more], key=_PLACE) if more else events
        return (yield from self._folded(events, horizon_ms, now, pace, sums))

    def _decoded(
        self, records: Sequence[ConsumerRecord], places: Iterable[int], now_ms: int, pace: Pace
    ) -> Pieces[tuple[list[Placed], int]]:
        """Decode the records at some places, and bury those that are no events.

        Return the events with their places and records, and the newest instant that the partition has seen.
        """
        events: list[Placed] = []
        subject, newest = self.subject, self.watermark_ms
        limit = self.outlets.max_event_bytes
        latest = now_ms + self.outlets.max_ahead_ms
        for place in places:
            record = records[place]
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
            events.append((place, event, record))
        if pace.is_over():
            yield
        return events, newest

    def _seen_up_to(self, newest_ms: int, now: Now) -> int:
        """Note the newest instant of the partition; return the instant up to which deadlines are judged."""
        self.watermark_ms = min(newest_ms, now.ms)
        if newest_ms:
            self.tally.last_event_ms[self.state.topic, self.state.partition] = newest_ms
        return self._horizon_ms(now)

    def _folded(
        self, placed: list[Placed], horizon_ms: int, now: Now, pace: Pace, sums: Sums | None = None
    ) -> Pieces[Effects]:
        if placed:
            count_later(self.state, self.tally.ways, (self.state.topic, "python"), len(placed))
        events = [event for _, event, _ in placed]
        effects = yield from pace.kept_by(self.engine.folded(events, horizon_ms, self.books.book, sums))
        for place, reason in effects.rejected:
            self._bury(placed[place][2], reason, "")
        self._announce_all(effects, now.ms)
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

    def _emit_partials(
        self, panes: Iterable[PaneKey], put: Mapping[bytes, None] = MappingProxyType({})
    ) -> Pieces[None]:
        """Send panes as their rows are, in pieces: what is written of a pane is encoded once.

        ``put`` are the keys of rows that the native path has put. It also sends, where it is used.
        """
        yield from self.state.pack(PANE)
        state, source, topic = self.state, self.source, self.outlets.partials
        if self._native is not None:
            keys = {**dict.fromkeys(map(encode_pane_key, panes)), **put}
            yield from self._native.send(keys, source, topic)
            return
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
