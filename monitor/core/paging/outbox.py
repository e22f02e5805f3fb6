"""The outbox: notices that wait for their delivery, one after the other for each page, until they arrive or expire.

A notice is committed before it is attempted. So after a crash of the worker it is attempted again, with the same id. At
most one notice of a page is under way at a time.

- A trigger and a resolve are never skipped. An update that has not arrived is replaced by the next notice of its page,
  which carries the update's alerts too.
- If a page's trigger could not be delivered, the next update begins the page. A resolve is kept beside the failed
  trigger, so that both are sent when somebody sends the failed trigger again.
- The notices of a disabled receiver wait until it is enabled or they expire.
- Only a notice that the receiver itself refuses is given up before it expires, and not at the first refusal: a proxy
  may have refused it.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from typing import Final, NamedTuple

from monitor.core.paging.delivery import (
    KEPT_MS,
    MOST_REFUSALS,
    Attempt,
    Delivery,
    DeliveryResult,
    DisabledRow,
    Failed,
    FailedRow,
    OutboxRow,
    Settled,
    Waiting,
    disabled_key,
    failed_key,
    outbox_key,
    pause_ms,
)
from monitor.core.paging.notices import Notice, Outcome
from monitor.core.paging.pages import merged
from monitor.core.rows import Rows

_DISABLED: Final = Outcome("gone", 410, "the receiver is disabled: it has answered 410")


class Resent(NamedTuple):
    """A failed notice that is sent again by hand, and the deliveries to announce for it."""

    deliveries: list[Delivery]
    agreement: str
    receiver: str
    notice: Notice


class _Line(NamedTuple):
    """The summary of an outbox row, kept so that the row need not be decoded."""

    receiver: str
    notices: int
    oldest_ms: int
    misconfigured: bool


class Outbox:
    """The notices of one partition. Its state in memory is derived from the rows and rebuilt by `restore`.

    ``due`` is called only between two commits, before anything is put, so every notice that it returns is committed.
    """

    def __init__(self, rows: Rows, *, deliver_for_ms: int) -> None:
        self.deliver_for_ms = deliver_for_ms
        self.disabled: dict[str, DisabledRow] = {}
        self.lines: dict[bytes, _Line] = {}
        self._rows = rows
        self._failed: dict[str, str] = {}  # the page's key by the notice's id
        self._flying: set[bytes] = set()
        self._next: dict[bytes, int] = {}
        self._heap: list[tuple[int, bytes]] = []

    def restore(self, keys: Iterable[bytes]) -> None:
        """Rebuild from the rows the waiting notices, the failed ones and the disabled receivers. None is under way."""
        for key in keys:
            row = self._rows.get(key) if key[:1] in (b"o", b"f", b"d") else None
            if isinstance(row, OutboxRow):
                self._line_up(key, row)
            elif isinstance(row, FailedRow):
                self._failed.update((one.notice.id, one.notice.key) for one in row.failed)
            elif isinstance(row, DisabledRow):
                self.disabled[row.receiver] = row

    def next_ms(self) -> int | None:
        """Return the next instant at which a notice must be attempted or expires; None: no notice waits."""
        while self._heap and self._next.get(self._heap[0][1]) != self._heap[0][0]:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    # -- waiting notices

    def put(self, agreement: str, receiver: str, notice: Notice, now_ms: int) -> list[Delivery]:
        """Queue a notice behind those that wait under its key. A repeat is dropped while another notice waits."""
        key = outbox_key(notice.key)
        row = self._row(key)
        waiting = [] if row is None else list(row.waiting)
        if waiting and notice.is_repeat:
            return []
        told = []
        if waiting and waiting[-1].notice.action == "update":
            old = waiting.pop()
            notice = merged(old.notice, notice)
            told.append(_told(old, agreement, receiver, "replaced", now_ms))
        new = Waiting(notice, now_ms, now_ms)
        self._store(key, OutboxRow(agreement, receiver, [*waiting, new]))
        return [*told, _told(new, agreement, receiver, "pending", now_ms, next_ms=now_ms)]

    def skip(self, agreement: str, receiver: str, notice: Notice, now_ms: int) -> list[Delivery]:
        """Keep a notice as skipped: it is sent only if the failed one before it is sent again."""
        return self._fail(Waiting(notice, now_ms, now_ms), agreement, receiver, "skipped", now_ms)

    def due(self, now_ms: int) -> tuple[list[Attempt], list[Settled]]:
        """Return the notices to attempt now, and the results of those that expired while their receiver was disabled.

        A returned notice is under way until `settle` takes its outcome.
        """
        attempts, expired = [], []
        while (next_ms := self.next_ms()) is not None and next_ms <= now_ms:
            _, key = heapq.heappop(self._heap)
            del self._next[key]
            row = self._row(key)
            assert row is not None
            head = row.waiting[0]
            if row.receiver not in self.disabled:
                self._flying.add(key)
                attempts.append(Attempt(row.receiver, head.notice))
            elif now_ms >= head.queued_ms + self.deliver_for_ms:
                expired.append(self._give_up(key, row, head, _DISABLED, "expired", now_ms))
            else:
                self._schedule(key, head.queued_ms + self.deliver_for_ms)
        return attempts, expired

    def settle(self, notice: Notice, outcome: Outcome, now_ms: int, stamp: str = "") -> Settled:
        """Take the outcome of an attempt. ``stamp`` identifies the receiver's present settings."""
        key = outbox_key(notice.key)
        self._flying.discard(key)
        row = self._row(key)
        assert row is not None  # a notice that is under way may be replaced, never taken away
        whose = row.agreement, row.receiver
        head = row.waiting[0]
        if outcome.kind == "gone":
            self._disable(row.receiver, now_ms, stamp)
        if head.notice.id != notice.id:  # it was replaced while it was under way
            self._schedule(key, head.next_ms)
            if outcome.kind != "delivered":
                return Settled([], *whose)
            late = Waiting(notice, now_ms, now_ms, attempts=1)
            return Settled([_told(late, *whose, "delivered", now_ms, outcome)], *whose)
        tried = head._replace(attempts=head.attempts + 1)
        if outcome.kind == "delivered":
            self._store(key, row._replace(waiting=row.waiting[1:]))
            told = _told(tried, *whose, "delivered", now_ms, outcome)
            return Settled([*self._supersede(notice.key, now_ms), told], *whose)
        deadline_ms = head.queued_ms + self.deliver_for_ms
        if outcome.kind == "rejected":
            tried = tried._replace(refusals=head.refusals + 1)
            if tried.refusals >= MOST_REFUSALS:
                return self._give_up(key, row, tried, outcome, "rejected", now_ms)
        if outcome.kind == "gone":
            next_ms = deadline_ms
        elif now_ms >= deadline_ms:
            return self._give_up(key, row, tried, outcome, "expired", now_ms)
        else:
            # Even if the receiver asks for a longer pause, one more attempt is made before the notice expires.
            pause = max(pause_ms(notice.id, tried.attempts), outcome.retry_after_ms or 0)
            next_ms = min(now_ms + pause, deadline_ms)
        tried = tried._replace(next_ms=next_ms, misconfigured=outcome.kind == "misconfigured")
        self._store(key, row._replace(waiting=[tried, *row.waiting[1:]]))
        return Settled([_told(tried, *whose, outcome.kind, now_ms, outcome, next_ms=next_ms)], *whose)

    # -- by hand

    def resend(self, notice_id: str, now_ms: int) -> Resent | None:
        """Queue a failed notice again, with the skipped resolve after it; None: the notice is not kept."""
        page = self._failed.get(notice_id, "")
        row = self._rows.get(failed_key(page))
        if not isinstance(row, FailedRow):
            return None
        self.forget(failed_key(page))
        again = [Waiting(one.notice, now_ms, now_ms, one.attempts) for one in row.failed]
        key = outbox_key(page)
        present = self._row(key)
        waiting = [] if present is None else present.waiting
        first = 1 if key in self._flying else 0
        waiting = [*waiting[:first], *again, *waiting[first:]]
        whose = row.agreement, row.receiver
        self._store(key, OutboxRow(*whose, waiting))
        return Resent([_told(one, *whose, "pending", now_ms, next_ms=now_ms) for one in again], *whose, again[0].notice)

    def forget(self, key: bytes) -> None:
        """Drop the row of a page's failed notices."""
        row = self._rows.get(key)
        if isinstance(row, FailedRow):
            for one in row.failed:
                self._failed.pop(one.notice.id, None)
            self._rows.put(key, None)

    def enable(self, receiver: str, now_ms: int) -> None:
        """Deliver to a disabled receiver again; the notices that waited for it are due at once."""
        if self.disabled.pop(receiver, None) is None:
            return
        self._rows.put(disabled_key(receiver), None)
        for key, line in self.lines.items():
            if line.receiver == receiver and key not in self._flying:
                self._schedule(key, now_ms)

    def _disable(self, receiver: str, now_ms: int, stamp: str) -> None:
        row = self.disabled[receiver] = DisabledRow(receiver, now_ms, stamp)
        self._rows.put(disabled_key(receiver), row)

    # -- rows

    def _give_up(
        self, key: bytes, row: OutboxRow, tried: Waiting, outcome: Outcome, result: DeliveryResult, now_ms: int
    ) -> Settled:
        """Give up the first notice, and adjust the notices behind it.

        If a trigger is given up, a resolve behind it is skipped and an update behind it becomes the trigger.
        """
        rest = row.waiting[1:]
        told = self._fail(tried, row.agreement, row.receiver, result, now_ms, outcome)
        lost = tried.notice.action == "trigger"
        if lost and rest:
            behind = rest[0]
            if behind.notice.action == "resolve":
                told.extend(self._fail(behind, row.agreement, row.receiver, "skipped", now_ms))
                rest = []
            else:
                rest = [behind._replace(notice=behind.notice._replace(action="trigger")), *rest[1:]]
                lost = False
        self._store(key, row._replace(waiting=rest))
        return Settled(told, row.agreement, row.receiver, tried.notice.key if lost else "")

    def _fail(
        self, waiting: Waiting, agreement: str, receiver: str, result: DeliveryResult, now_ms: int,
        outcome: Outcome | None = None,
    ) -> list[Delivery]:  # fmt: skip
        """Keep a failed notice. It replaces earlier failed ones of its page: only the newest is worth sending again."""
        page = waiting.notice.key
        told, before = [], self._rows.get(failed_key(page))
        kept = before.failed if isinstance(before, FailedRow) and result == "skipped" else []
        if not kept:
            told = self._supersede(page, now_ms)
        kept = [*kept, Failed(waiting.notice, waiting.attempts)]
        row = FailedRow(now_ms + KEPT_MS, agreement, receiver, kept)
        self._rows.put(failed_key(page), row)
        self._failed[waiting.notice.id] = page
        return [*told, _told(waiting, agreement, receiver, result, now_ms, outcome)]

    def _supersede(self, page: str, now_ms: int) -> list[Delivery]:
        """Drop the failed notices of a page, because a newer notice replaces them; return their deliveries."""
        row = self._rows.get(failed_key(page))
        if not isinstance(row, FailedRow):
            return []
        self.forget(failed_key(page))
        return [
            _told(Waiting(one.notice, now_ms, now_ms, one.attempts), row.agreement, row.receiver, "replaced", now_ms)
            for one in row.failed
        ]

    def _row(self, key: bytes) -> OutboxRow | None:
        row = self._rows.get(key)
        return row if isinstance(row, OutboxRow) else None

    def _store(self, key: bytes, row: OutboxRow) -> None:
        self._rows.put(key, row if row.waiting else None)
        self._line_up(key, row)

    def _line_up(self, key: bytes, row: OutboxRow) -> None:
        if not row.waiting:
            self.lines.pop(key, None)
            self._next.pop(key, None)
            return
        oldest_ms = min(one.queued_ms for one in row.waiting)
        self.lines[key] = _Line(row.receiver, len(row.waiting), oldest_ms, row.waiting[0].misconfigured)
        if key not in self._flying:
            self._schedule(key, row.waiting[0].next_ms)

    def _schedule(self, key: bytes, next_ms: int) -> None:
        if self._next.get(key) != next_ms:
            self._next[key] = next_ms
            heapq.heappush(self._heap, (next_ms, key))


def _told(
    waiting: Waiting, agreement: str, receiver: str, result: DeliveryResult, now_ms: int,
    outcome: Outcome | None = None, *, next_ms: int | None = None,
) -> Delivery:  # fmt: skip
    return Delivery(
        waiting.notice, agreement, receiver, result, now_ms, waiting.queued_ms,
        waiting.attempts, outcome.status if outcome else 0, outcome.detail if outcome else "", next_ms,
    )  # fmt: skip
