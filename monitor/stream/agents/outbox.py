"""The work on a partition of alerts: page whom the agreements name, deliver the notices, apply people's responses."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Final, NamedTuple

from aiokafka.structs import ConsumerRecord

from monitor.core.paging.delivery import Delivery, DeliveryResult
from monitor.core.paging.not_told import COUNTED_ONLY, NotTold
from monitor.core.paging.outbox import Outbox
from monitor.core.paging.paging import Paging
from monitor.core.pieces import Pieces, lots
from monitor.errors import DecodeError
from monitor.stream.agents.books import Books, SeenBook
from monitor.stream.agents.deliveries import Deliveries, Instant
from monitor.stream.agents.responses import Responses
from monitor.stream.agents.sweep import Sweep
from monitor.stream.agents.tally import Outlets, Tally, bury, count_later
from monitor.stream.kafka.pace import Pace
from monitor.stream.partitions.partition import PartitionState
from monitor.stream.partitions.ports import Now
from monitor.wire.announcements import decode_alert
from monitor.wire.deliveries import encode_delivery, encode_not_told
from monitor.wire.instants import rfc3339
from monitor.wire.responses import Acknowledgement, Enable, Resend, Response
from monitor.wire.rows import HeardRow

log = logging.getLogger(__name__)

RECORDS_AT_ONCE: Final = 256
"""Alerts that are applied before other work may run."""
TICK_ROWS: Final = 300
"""Rows that one tick works on before it lets other work run."""
ROWS_AT_ONCE: Final = 64
"""Rows that are read without a pause when a partition is opened: the largest have a megabyte."""
HEARD: Final = b"r"
ALERT: Final = b"a"
PAGED: Final = (ALERT,)
WAITING: Final = (b"o", b"f", b"d")
"""The first bytes of the keys of rows that hold notices in the outbox, failed notices and disabled receivers."""
_WHO_MUST_ACT: Final[dict[DeliveryResult, str]] = {
    "rejected": "the receiver refuses what it is sent",
    "misconfigured": "whoever writes the settings must mend the receiver there",
    "gone": "whoever runs the monitor must give it a new address, or enable it: sla-monitor receivers enable",
    "expired": "nobody was told",
}
"""The words of the log line on a result that somebody must know of."""


class Waiting(NamedTuple):
    """The notices that wait for one receiver: how many, and since when the oldest one waits.

    ``misconfigured`` counts the pages whose last attempt failed because of the settings.
    """

    notices: int
    oldest_ms: int
    misconfigured: int


class Notify:
    """Pages whom the agreements name, and delivers the notices.

    An attempt is for a notice that was committed before its tick. It begins after the commit of its tick, which proves
    that the partition is still ours; its outcome is folded by a later tick. So wherever a worker dies in between, the
    row still holds the notice, and the next owner attempts it again under the same id.
    """

    def __init__(
        self,
        state: PartitionState,
        *,
        books: Books,
        responses: Responses,
        deliveries: Deliveries,
        outlets: Outlets,
        tally: Tally,
        deliver_for_ms: int,
        repeat_ms: Callable[[str], int] = lambda _receiver: 0,
        stamp: Callable[[str], str] = lambda _receiver: "",
    ) -> None:
        self.state = state
        self.books = books
        self.responses = responses
        self.outlets = outlets
        self.tally = tally
        self._deliveries = deliveries
        self._deliver_for_ms = deliver_for_ms
        self._repeat_ms = repeat_ms
        self._stamp = stamp
        self._sweep = Sweep()  # alerts to judge again: the agreements or people's responses have changed
        self.under_way = deliveries.under_way()
        self._silences: Counter[str] = Counter()  # of this batch or tick, by reason: alerts of a backlog are many
        self.paging, self.outbox = self._empty()
        self._seen = SeenBook(books)
        self._heard_end = -1
        self._fresh = False

    def _empty(self) -> tuple[Paging, Outbox]:
        paging = Paging(
            self.state,
            too_old_ms=self._deliver_for_ms,
            installation=self.outlets.source,
            repeat_ms=self._repeat_ms,
            not_told=self._record_silence,
        )
        return paging, Outbox(self.state, deliver_for_ms=self._deliver_for_ms)

    def restore(self) -> Pieces[None]:
        """Rebuild pages and outbox from the rows, in pieces. No attempt is under way.

        Until that is done, the figures of before are shown.
        """
        paging, outbox = self._empty()
        keys = yield from self.state.keys_by_kind()
        for find, firsts in ((paging.restore, PAGED), (outbox.restore, WAITING)):
            for lot in lots((key for first in firsts for key in keys.get(first, ())), ROWS_AT_ONCE):
                find(lot)
                # Nothing was put since the last commit: it lets go of rows that were only read, before they are many.
                self.state.settle()
                yield
        self.paging, self.outbox = paging, outbox
        self._seen.book, self._heard_end = self.books.book, -1
        paging.book, paging.silences = self._seen.book, self.responses.silences
        self._fresh = bool(outbox.disabled)

    # -- announcements

    def batch(
        self,
        records: Sequence[ConsumerRecord],
        now: Now,
        *,
        due: bool = True,  # noqa: ARG002 - ticks send the pages
    ) -> Pieces[None]:
        """Apply announcements."""
        self.paging.book, self.paging.silences = self.books.book, self.responses.silences
        pace = Pace()
        for place, record in enumerate(records):
            if pace.is_over() or (place and place % RECORDS_AT_ONCE == 0):
                yield
            try:
                alert = decode_alert(record.value)
            except DecodeError as error:
                bury(self.state, self.outlets, self.tally, record, error.reason, error.detail)
                continue
            self.paging.hear(alert, now.ms)
        self._count_silences()

    # -- ticks

    def tick(self, now: Now) -> Pieces[bool]:
        """Attempt notices that are due, take the outcomes of earlier attempts, page; return whether more is left.

        An attempt may end between two pieces: its outcome waits for the next tick, which it asks for. If the partition
        is let go meanwhile, its attempts are cut off for good, and those that this tick wants never begin.
        """
        pace, now_ms = Pace(), now.ms
        # First of all: the notices in the rows now were committed, those that this tick puts were not.
        began = Instant.now()
        attempts, expired = self.outbox.due(now_ms)
        if attempts or self.under_way.wants_proof:
            self.state.prove()
            self.state.after_commit(partial(self.under_way.start, attempts, began))
        if self._fresh:
            self._compare_stamps(now_ms)
        for settled in expired:
            self._tell(settled.deliveries)
            self.paging.lost(settled.agreement, settled.receiver, settled.lost)
            if pace.is_over():
                yield
        for result in self.under_way.take():
            settled = self.outbox.settle(result.notice, result.outcome, now_ms, self._stamp(result.receiver))
            self._tell(settled.deliveries)
            self.paging.lost(settled.agreement, settled.receiver, settled.lost)
            if pace.is_over():
                yield
        # While alerts wait to be read, pages that are out may be over already: only notices in the outbox go on.
        more = now.caught_up and (yield from pace.kept_by(self._page(now_ms)))
        self._count_silences()
        due_ms = self.outbox.next_ms()
        return more or self.under_way.has_results or (due_ms is not None and due_ms <= now_ms)

    def next_tick_ms(self) -> int | None:
        """Return when a tick is wanted for reasons other than due alerts and pages."""
        under_way = self.under_way
        if self._fresh or self._sweep.left or under_way.has_results or under_way.wants_proof or self._changed():
            return 0
        return self.outbox.next_ms()

    def committed(self) -> None:
        """Do nothing: the fields in memory follow from the rows."""

    def recover(self, error: Exception) -> Pieces[str]:  # noqa: ARG002 - the fault is of a row or record
        """Go back to the rows. Attempts under way are cut off and begun again, with the same ids."""
        # At once: if the partition is let go between two pieces, it is the new ones that are cut off.
        self.under_way.cut_off()
        self.under_way = self._deliveries.under_way()
        self._silences.clear()
        yield from self.restore()
        if self._sweep.left:
            self._sweep = Sweep.of((yield from self.state.keys_of(ALERT)))
        return ""

    def close(self) -> None:
        """Cut off the attempts under way: the partition is let go."""
        self.under_way.cut_off()

    # -- figures

    def waiting(self) -> dict[str, Waiting]:
        """Return the notices that wait, by receiver."""
        found: dict[str, Waiting] = {}
        for line in self.outbox.lines.values():
            one = found.get(line.receiver, Waiting(0, line.oldest_ms, 0))
            found[line.receiver] = Waiting(
                one.notices + line.notices, min(one.oldest_ms, line.oldest_ms), one.misconfigured + line.misconfigured
            )
        return found

    def open_pages(self) -> Counter[str]:
        """Return how many pages each receiver has."""
        return self.paging.open_pages()

    # -- parts of a tick

    def _changed(self) -> bool:
        return self._seen.is_old or self.responses.end != self._heard_end

    def _page(self, now_ms: int) -> Pieces[bool]:
        """Work on alerts and pages that are due; return whether more are."""
        if self._changed():
            # Responses and agreements that come while the keys are gathered are applied now, or by the next tick.
            keys = yield from self.state.keys_of(ALERT)
            self._seen.book = self.paging.book = self.books.book
            self.paging.silences = self.responses.silences
            self._hear_people(now_ms)
            self._sweep = Sweep.of(keys)
        limit = min(TICK_ROWS, self.state.set_aside.limit)
        if self._sweep.left:
            # Before any page is sent: its alerts may have been silenced.
            keys = self._sweep.next(limit)
            self._sweep = self._sweep.after(keys)
            for key in self.state.looked_at(keys):
                self.paging.look(key, now_ms)
                yield
            return True
        keys = self.state.due_keys(now_ms, limit)
        for key in keys:
            if key[:1] == ALERT:
                self.paging.look(key, now_ms)
            elif key[:1] == b"f":
                self.outbox.forget(key)
            yield
        for key in keys:
            if key[:1] == b"p":
                self._turn(key, now_ms)
                yield
        return len(keys) >= limit

    def _turn(self, key: bytes, now_ms: int) -> None:
        turn = self.paging.turn(key, now_ms)
        if turn is not None:
            put = self.outbox.skip if turn.idle else self.outbox.put
            self._tell(put(turn.page.agreement, turn.page.receiver, turn.notice, now_ms))

    def _hear_people(self, now_ms: int) -> None:
        heard = self.state.get(HEARD)
        offset = heard.offset if isinstance(heard, HeardRow) else 0
        if offset > self.responses.end:
            log.warning("%s: the topic of responses was made anew: all of them are heard again", self.state.name)
            offset = 0
        for response in self.responses.since(offset):
            self._obey(response, now_ms)
        self._heard_end = self.responses.end
        if self._heard_end != offset:
            self.state.put(HEARD, HeardRow(self._heard_end))

    def _obey(self, response: Response, now_ms: int) -> None:
        match response:
            case Acknowledgement():
                self.paging.acknowledge(response.target, now_ms)
            case Resend():
                again = self.outbox.resend(response.notice, now_ms)
                if again is not None:
                    self._tell(again.deliveries)
                    if again.notice.action == "trigger":
                        self.paging.lost(again.agreement, again.receiver, again.notice.key, lost=False)
            case Enable():
                self.outbox.enable(response.receiver, now_ms)
            case _:  # silences hold by themselves
                pass

    def _compare_stamps(self, now_ms: int) -> None:
        """Enable receivers whose setting differs from the one with which they were disabled."""
        self._fresh = False
        for receiver, row in tuple(self.outbox.disabled.items()):
            if row.stamp != self._stamp(receiver):
                log.info("%s: receiver %s has a new setting: it is told again", self.state.name, receiver)
                self.outbox.enable(receiver, now_ms)

    def _tell(self, deliveries: Iterable[Delivery]) -> None:
        for one in deliveries:
            count_later(self.state, self.tally.deliveries, (one.receiver, one.result))
            if one.result in _WHO_MUST_ACT:
                next_ms = one.next_ms
                again = "it is not tried again" if next_ms is None else f"it is tried again at {rfc3339(next_ms)}"
                log.log(
                    logging.ERROR if one.result == "misconfigured" else logging.WARNING,
                    "receiver %s: notice %s (%s) %s: %s; %s; %s",
                    one.receiver, one.notice.id, one.notice.title, one.result, one.detail,
                    _WHO_MUST_ACT[one.result], again,
                )  # fmt: skip
            key, value = encode_delivery(one, self.outlets.source)
            self.state.emit(self.outlets.deliveries, key, value)

    def _record_silence(self, one: NotTold) -> None:
        """Count and record that nobody is notified of an alert, in the transaction that decided it."""
        self._silences[one.reason] += 1
        if one.reason in COUNTED_ONLY:
            return
        key, value = encode_not_told(one, self.outlets.source)
        self.state.emit(self.outlets.deliveries, key, value)

    def _count_silences(self) -> None:
        """Count the decisions of this batch or tick not to tell, once they are committed."""
        for reason, times in self._silences.items():
            count_later(self.state, self.tally.not_told, reason, times)
        self._silences.clear()
