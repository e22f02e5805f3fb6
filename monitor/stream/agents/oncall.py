"""One worker's part in paging on-call staff: processors, deliveries under way, people's responses, figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import NamedTuple

from monitor.core.paging.notices import Courier
from monitor.stream.agents.books import Books
from monitor.stream.agents.deliveries import Deliveries
from monitor.stream.agents.outbox import Notify
from monitor.stream.agents.responses import Responses
from monitor.stream.agents.tally import Outlets, Tally
from monitor.stream.partitions.partition import PartitionState
from monitor.stream.partitions.sources import Place


class ReceiverStanding(NamedTuple):
    """The figures of one receiver: notices that wait, since when the oldest waits, pages, and whether it is disabled.

    ``misconfigured`` counts the pages that wait for somebody to correct the receiver's settings.
    """

    receiver: str
    pending: int
    oldest_pending_ms: int | None
    pages: int
    disabled: bool
    misconfigured: int


class OnCall:
    """Makes the processors of the partitions of alerts, and keeps those of the partitions that this worker owns."""

    def __init__(
        self,
        *,
        books: Books,
        outlets: Outlets,
        tally: Tally,
        courier: Courier | None,
        deliver_for_ms: int,
        stamp: Callable[[str], str],
        repeat_ms: Callable[[str], int],
    ) -> None:
        self.responses = Responses()
        self.deliveries = Deliveries(courier)
        self.restores = 0
        self._books = books
        self._outlets = outlets
        self._tally = tally
        self._deliver_for_ms = deliver_for_ms
        self._stamp = stamp
        self._repeat_ms = repeat_ms
        self._owned: dict[int, Notify] = {}

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call a listener when processors want a tick: an attempt ended or needs a proof, or somebody responded."""
        self.responses.on_change(listener)
        self.deliveries.on_result(listener)

    def skips(self) -> Mapping[Place, str]:
        """Return the records that operators have asked to skip, with their reasons."""
        return self.responses.skips

    def notify(self, state: PartitionState) -> Notify:
        """Return the processor of a partition of alerts. Call it once the rows of the partition have been read."""
        self.restores += 1
        processor = Notify(
            state,
            books=self._books,
            responses=self.responses,
            deliveries=self.deliveries,
            outlets=self._outlets,
            tally=self._tally,
            deliver_for_ms=self._deliver_for_ms,
            stamp=self._stamp,
            repeat_ms=self._repeat_ms,
        )
        self._owned[state.partition] = processor
        return processor

    def let_go(self, state: PartitionState) -> None:
        """Cut off the attempts under way of a partition that is given away."""
        processor = self._owned.get(state.partition)
        if processor is not None and processor.state is state:
            processor.close()
            del self._owned[state.partition]

    def standings(self) -> list[ReceiverStanding]:
        """Return the figures of each receiver that the agreements name or that has pages or notices here."""
        owned = tuple(self._owned.values())
        waiting = [one.waiting() for one in owned]
        pages = sum((one.open_pages() for one in owned), Counter[str]())
        disabled = {receiver for one in owned for receiver in one.outbox.disabled}
        named = {receiver for one in self._books.book.agreements for receiver in one.notify.everybody()}
        return [
            ReceiverStanding(
                receiver,
                sum(one[receiver].notices for one in waiting if receiver in one),
                min((one[receiver].oldest_ms for one in waiting if receiver in one), default=None),
                pages[receiver],
                receiver in disabled,
                sum(one[receiver].misconfigured for one in waiting if receiver in one),
            )
            for receiver in sorted(named.union(pages, disabled, *waiting))
        ]
