"""The fold of a source partition: events and time in; changed rows, announcements and panes out.

The rows stand wherever the caller keeps them (a partition's state, a dict); the engine gets and puts decoded rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from monitor.core.clocks.terms import Plan
from monitor.core.pieces import at_once, lots
from monitor.core.series.durations import with_beyond
from monitor.core.series.panes import apply, take_out
from monitor.core.series.parts import Parts, in_order
from monitor.core.series.series import (
    LIVE,
    Change,
    Counts,
    Pane,
    PaneKey,
    SeriesKey,
    decode_pane_key,
    empty_pane,
    encode_pane_key,
)
from monitor.core.series.sums import Sums, add, live_changes
from monitor.core.subjects.arrivals import by_subject, by_the_hour, places
from monitor.core.subjects.effects import Effects
from monitor.core.subjects.expiries import Expiries
from monitor.core.subjects.fast_path import CLOCKS_ONLY, first_fact, next_fact
from monitor.core.subjects.rows import SubjectRow, subject_key
from monitor.core.subjects.step import steps
from monitor.core.time.units import DAY_MS, HOUR_MS, MINUTE_MS
from monitor.core.time.windows import late_width, width_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from monitor.core.agreements.book import Book
    from monitor.core.alerts.alert import Alert
    from monitor.core.facts.events import Event, Subject
    from monitor.core.facts.ledger import Rejected
    from monitor.core.pieces import Pieces
    from monitor.core.rows import Rows
    from monitor.core.subjects.late import Late

_KEYS_AT_ONCE: Final = 1_024
"""Keys of panes that are read without a pause: 2 to 5 µs each."""
RETENTION_MS = 14 * DAY_MS
"""How long a finished subject is kept by default: what a reopening or a late fact may still find."""


class SourceEngine:
    """Folds one source partition."""

    def __init__(self, subject: Subject, rows: Rows, *, retention_ms: int = RETENTION_MS) -> None:
        self.subject = subject
        self.rows = rows
        self.retention_ms = retention_ms
        self.plan: Plan | None = None
        self.parts = Parts()
        self._changed: dict[PaneKey, Pane] = {}
        """The panes that this batch has changed, by their keys."""
        self._of_minute: dict[tuple[SeriesKey, int], list[Pane]] = {}
        """The panes that this batch has changed, by series and minute (that of `LIVE`: the live one)."""
        self._taken: list[tuple[Sequence[Pane], int]] = []
        """Durations (ms) that this batch takes out of panes. That comes after all those that it puts in: how many are
        listed as the longest depends on the order, and it must not tell which subject came first."""
        self._expiries = Expiries()
        self._too_late = 0
        self._expired_ms = 0
        """As of when panes have expired."""
        self._dropped: list[bytes] | None = None
        """The panes that have expired since `remember`; None: nobody will ask for them again."""
        self._memory: tuple[dict[PaneKey, tuple[str, ...]], int] = {}, 0

    def restore(self, keys: Iterable[bytes]) -> None:
        """Note which panes exist, so that they expire. Give all row keys; those of subjects are passed over."""
        at_once(self.restoring(keys))

    def restoring(self, keys: Iterable[bytes]) -> Pieces[None]:
        """Do what ``restore`` does, in pieces. Nothing may be asked of this engine before the last one."""
        for lot in lots(keys, _KEYS_AT_ONCE):
            for encoded in lot:
                if encoded[:1] == b"p":
                    key = decode_pane_key(encoded)
                    self._note_expiry(key, encoded)
                    if key.part:
                        self.parts.note(key)
            yield

    def batch(self, events: Sequence[Event], now_ms: int, book: Book) -> Effects:
        """Fold events of this engine's subject, judging deadlines up to ``now_ms``."""
        return at_once(self.folded(events, now_ms, book))

    def folded(self, events: Sequence[Event], now_ms: int, book: Book, sums: Sums | None = None) -> Pieces[Effects]:
        """Do what ``batch`` does, in pieces. Nothing else may be asked of this engine in between.

        ``sums`` is what other events of the batch changed in the series: their rows were put by the caller.
        """
        plan = yield from self.planned(book)
        alerts: list[Alert] = []
        refused: list[tuple[str, Rejected]] = []
        repeats = together = 0
        # How often the same counts go into the live pane of a series: most changes are such, and go in together.
        live = {} if sums is None else self._added(sums, plan)
        subject, retention_ms, get, put, apply_change, expired_ms = (
            self.subject, self.retention_ms, self.rows.get, self.rows.put, self._apply, self._expired_ms,
        )  # fmt: skip
        has_short = subject in CLOCKS_ONLY
        for subject_id, facts in by_subject(events if subject != "outage" else by_the_hour(events)).items():
            key = subject_key(subject_id)
            row: SubjectRow | None = get(key)  # type: ignore[assignment]  # the key says of which kind it is
            short = None
            if has_short and len(facts) == 1:
                if row is None:
                    short = first_fact(subject, facts[0], now_ms, plan, retention_ms)
                else:
                    short = next_fact(subject, row, facts[0], now_ms, plan, retention_ms)
            if short is not None:
                after: SubjectRow | None
                after, changes = short
            else:
                after, told, changes, rejects, known, late, stated = yield from steps(
                    subject, subject_id, row, facts, now_ms, plan, retention_ms
                )
                alerts += told
                repeats += known
                together += late
                self._leave_out(stated, plan)
                if rejects:
                    refused += [(subject_id, one) for one in rejects]
                yield
            put(key, after)
            for change in changes:
                if change[1] == LIVE and change[4] is None:
                    counted = change[0], change[2]
                    live[counted] = live.get(counted, 0) + change[6]
                else:
                    apply_change(change, expired_ms, plan)
        for (series, counts), times in live.items():
            apply_change(Change(series, LIVE, counts, times=times), expired_ms, plan)
        rejected = places(events, refused) if refused else []
        effects = self._effects(alerts, rejected, repeats, together)
        return effects._replace(put=sums.put) if sums is not None and sums.put else effects

    def due(self, keys: Iterable[bytes], now_ms: int, book: Book) -> Effects:
        """Let time pass for the subjects at these row keys: tell what came due, forget what is over."""
        return at_once(self.looked_at(keys, now_ms, book))

    def looked_at(self, keys: Iterable[bytes], now_ms: int, book: Book) -> Pieces[Effects]:
        """Do what ``due`` does, in pieces. Nothing else may be asked of this engine in between."""
        plan = yield from self.planned(book)
        alerts: list[Alert] = []
        for key in keys:
            row = self.rows.get(key)
            if key[:1] != b"s" or not isinstance(row, SubjectRow):
                continue
            done = yield from steps(self.subject, key[1:].decode(), row, (), now_ms, plan, self.retention_ms)
            if done.row != row:
                self.rows.put(key, done.row)
            alerts += done.alerts
            for change in done.changes:
                self._apply(change, self._expired_ms, plan)
            self._leave_out(done.late, plan)
            yield
        return self._effects(alerts)

    def next_expiry_ms(self) -> int | None:
        """Return when the next pane is to be dropped."""
        return self._expiries.next_ms()

    def expire(self, now_ms: int, limit: int = 1_000) -> list[PaneKey]:
        """Drop panes that no window needs any more, and return their keys.

        An outage counts in every window that it reaches into: its pane stays until it is over for so long.
        """
        dropped: list[PaneKey] = []
        self._expired_ms = max(self._expired_ms, now_ms)
        for _ in range(limit):
            encoded = self._expiries.take(now_ms)
            if encoded is None:
                break
            key = decode_pane_key(encoded)
            if key in self.parts:  # it goes after its parts
                self._expiries.note(now_ms + HOUR_MS, encoded)
                continue
            pane = self.rows.get(encoded)
            if pane is None:  # it was never committed, or is noted twice
                continue
            if isinstance(pane, Pane) and pane.outages:
                last_ms = max([one.restored_ms or now_ms for one in pane.outages.values()])
                kept_ms = _kept_ms(key, self.plan)
                if last_ms + kept_ms > now_ms:
                    self._expiries.note(last_ms + kept_ms, encoded)
                    continue
            self.rows.put(encoded, None)
            dropped.append(key)
            if self._dropped is not None:
                self._dropped.append(encoded)
            if key.part:
                self.parts.forget(key)
        return dropped

    def planned(self, book: Book) -> Pieces[Plan]:
        """Return a book compiled for the fold, in pieces. Nothing else may be asked of this engine in between."""
        if self.plan is not None and self.plan.book is book:
            return self.plan
        # Another agreement may keep panes longer. Until it is known of all of them the old plan holds: work that is cut
        # off in between begins with this again, and whoever asks for the next expiry is told what was known before.
        plan, expiries = Plan(book), Expiries()
        for lot in lots(self._expiries, _KEYS_AT_ONCE):
            for encoded in lot:
                key = decode_pane_key(encoded)
                expiries.note(key.start_ms + _kept_ms(key, plan), encoded)
            yield
        self.plan, self._expiries = plan, expiries
        return plan

    def _apply(self, change: Change, expired_ms: int, plan: Plan) -> None:  # noqa: C901 - on the hot path: no call
        """Put a change into the panes of all widths that the windows of its measure need.

        Too late is what would stand in panes that have expired as of ``expired_ms``. A backlog, or a tick after a stop,
        brings days at once: its oldest changes are no later than its newest.
        """
        series, at_ms = change[0], change[1]
        if change[3] >= 0 and plan.near_targets and (near := plan.near_targets.get(series[:2])) is not None:
            change = with_beyond(change, near)
        minute = series, at_ms // MINUTE_MS
        panes = self._of_minute.get(minute)
        if panes is None:
            if at_ms == LIVE:
                panes = [self._pane(PaneKey(series, "live", 0))]
                self._of_minute[minute] = panes
            else:
                slices = plan.slices(series.agreement, series.measure)
                if slices is None:
                    return
                panes = []
                for width, keep_ms in slices.keep_ms:
                    key = _new(PaneKey, (series, width, slices.start_ms(width, at_ms), ""))
                    if at_ms < expired_ms - keep_ms and self._is_too_late(change, key, expired_ms - keep_ms):
                        self._too_late += 1
                    else:
                        panes.append(self._changed.get(key) or self._pane(key))
                # Then no change of the minute is too late.
                if at_ms - at_ms % MINUTE_MS >= expired_ms - slices.shortest_keep_ms:
                    self._of_minute[minute] = panes
        if change[3] >= 0 and change[6] < 0:
            self._taken.append((panes, change[3]))
            change = change._replace(value_ms=-1)
        if (change[4] is None and change[5] is None) or not self.parts:
            apply(panes, change)
            return
        apply(panes, change._replace(call=None, outage=None))
        item = change._replace(counts=(), value_ms=-1)
        for key in [key for key in self._keys(change, plan) if key in self._changed]:
            part = self.parts.key_of(key, change)
            apply([self._changed.get(part) or self._pane(part)], item)

    def oldest_ms(self, plan: Plan) -> int:
        """Return the instant from which on no change of a subject is too late for any pane of its series."""
        return self._expired_ms - at_once(plan.keeping(self.subject))

    def _added(self, sums: Sums, plan: Plan) -> dict[tuple[SeriesKey, Counts], int]:
        """Put what was summed up elsewhere into the panes: nothing is too late (`oldest_ms`). Return what is live."""
        for minute in sums.minutes:
            series, number, *_ = minute
            keys = self._keys(Change(series, number * MINUTE_MS, ()), plan)
            panes = self._of_minute[series, number] = [self._changed.get(key) or self._pane(key) for key in keys]
            add(panes, minute)
        for change in sums.changes:
            self._apply(change, self._expired_ms, plan)
        for at_ms, encoded in sums.new.items():
            self._expiries.note_all(at_ms, encoded)
        return live_changes(sums)

    def _leave_out(self, changes: Iterable[Late], plan: Plan) -> None:
        """Put changes into the late panes of windows: what their statements leave out."""
        for window, change in changes:
            series, at_ms = change[0], change[1]
            slices = plan.slices(series.agreement, series.measure)
            width = width_for(window)
            # Of what is older the statement was made long ago.
            if slices is not None and at_ms >= self._expired_ms - slices.kept_ms(width):
                key = PaneKey(series, late_width(window), slices.start_ms(width, at_ms))
                apply([self._changed.get(key) or self._pane(key)], change)

    def _keys(self, change: Change, plan: Plan) -> list[PaneKey]:
        """Return the keys of the panes that a change belongs to, without their parts."""
        series, at_ms = change[0], change[1]
        if at_ms == LIVE:
            return [PaneKey(series, "live", 0)]
        slices = plan.slices(series.agreement, series.measure)
        assert slices is not None  # a clock of the measure was timed under this book
        return [PaneKey(series, width, slices.start_ms(width, at_ms)) for width, _ in slices.keep_ms]

    def _is_too_late(self, change: Change, key: PaneKey, kept_from_ms: int) -> bool:
        """Return whether a change's pane is gone for good.

        What is still there is corrected whatever its age, and an outage begins long before its end is in a window.
        """
        if key in self._changed or self.rows.get(encode_pane_key(key)) is not None:
            return False
        if change.outage is None or change.times < 0:
            return True
        _, record = change.outage
        return 0 < record.restored_ms < kept_from_ms

    def _pane(self, key: PaneKey) -> Pane:
        """Return a pane that this batch has not changed before, a new one if there is none."""
        encoded = encode_pane_key(key)
        row = self.rows.get(encoded)
        if row is None:
            row = empty_pane()
            self._note_expiry(key, encoded)
        assert isinstance(row, Pane)
        self._changed[key] = row
        return row

    def _note_expiry(self, key: PaneKey, encoded: bytes) -> None:
        if key.width != "live":
            self._expiries.note(key.start_ms + _kept_ms(key, self.plan), encoded)

    def forget_batch(self) -> None:
        """Forget what a batch has changed so far: it failed, and its rows are as they were before it."""
        self._changed.clear()
        self._of_minute.clear()
        self._taken.clear()
        self._too_late = 0

    def remember(self) -> None:
        """Take note that the rows are as this engine has left them: `recall` goes back to this moment."""
        self._memory = self.parts.remember(), self._expired_ms
        self._dropped = []

    def recall(self) -> None:
        """Go back to what was remembered last: what came since failed, and its rows are as they were then.

        Panes that had expired are there again. They go an hour later, should it be them on which the work fails.
        """
        self.forget_batch()
        again_ms = self._expired_ms + HOUR_MS
        parts, self._expired_ms = self._memory
        self.parts.recall(parts)
        for encoded in self._dropped or ():
            self._expiries.note(again_ms, encoded)
        self._dropped = []

    def _effects(
        self, alerts: list[Alert], rejected: Sequence[tuple[int, str]] = (), repeats: int = 0, together: int = 0
    ) -> Effects:
        for panes_of, value_ms in self._taken:
            take_out(panes_of, value_ms)
        divided = self.parts.divide(self._changed)
        self._changed.update(divided)
        for key in divided:
            self._note_expiry(key, encode_pane_key(key))
        changed: dict[PaneKey, Pane | None] = {**self._changed}
        has_parts = bool(self.parts)
        for key, pane in self._changed.items():
            if key[3] and key.width == "live" and not any(pane):
                self.parts.forget(key)
                changed[key] = None
                self.rows.put(encode_pane_key(key), None)
            else:
                self.rows.put(encode_pane_key(key), pane)
        panes = {key: changed[key] for key in in_order(changed)} if has_parts else changed
        effects = Effects(alerts, panes, list(rejected), repeats, self._too_late, len(divided), together)
        self.forget_batch()
        return effects


_new: Final[Callable[..., Any]] = tuple.__new__
"""Makes the tuples of the hot path directly: their constructors take three times as long."""


def _kept_ms(key: PaneKey, plan: Plan | None) -> int:
    """Return how long a pane is kept after its start."""
    slices = plan.slices(key.series.agreement, key.series.measure) if plan else None
    return slices.dropped_after_ms(key.width) if slices else 366 * DAY_MS + 25 * HOUR_MS
