"""The protocols between the stream layer and its users, with fakes in the tests.

This module imports nothing of the layers `partitions` and `agents`, so all of them may import it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from aiokafka.structs import ConsumerRecord

from monitor.stream.kafka.batch import View

if TYPE_CHECKING:
    import asyncio

    from monitor.core.pieces import Pieces


WAKE_BYTES: Final = 8
"""The length of the head of an encoded row. Two rows of a codec that have the same head wake at the same instant."""


class RowCodec(Protocol):
    """The encoding of the rows of one source. The instant at which a row wakes stands at its head (`WAKE_BYTES`)."""

    def encode(self, key: bytes, row: object) -> bytes:
        """Return the row as bytes."""
        ...

    def decode(self, key: bytes, encoded: bytes) -> object:
        """Return the row. Raises StateError if the bytes are not a row."""
        ...

    def wake_ms(self, encoded: bytes) -> int:
        """Return the instant at which the row needs attention, 0 for none.

        Must be cheap: a restore asks it of each row.
        """
        ...


class Now(NamedTuple):
    """The present of one batch or tick: the instant, and whether the clock may judge by it. The runner makes it.

    While not ``caught_up`` the clock proves nothing: records that disprove a breach may still wait in the source.
    """

    ms: int
    caught_up: bool

    def unproved(self) -> Now:
        """Return the same instant where the clock proves nothing: further records are still to be folded."""
        return Now(self.ms, caught_up=False)

    def horizon_ms(self, watermark_ms: int) -> int:
        """Return the instant up to which deadlines are judged: now, or the watermark while the clock proves nothing."""
        return self.ms if self.caught_up else max(0, watermark_ms)


class Processor(Protocol):
    """The work on the records of one source partition. It only folds: it reads, puts and emits on its state.

    Long work is done in pieces. Between two pieces other work may run, but nobody asks this processor for other work,
    or changes rows of its state, before it is done. Two things may be asked at any time: ``next_tick_ms``, and the
    figures of the processor that are shown to people. If the partition is taken away between two pieces, the rest is
    never done, and nothing of it is written.
    """

    def restore(self) -> Pieces[None]:
        """Rebuild from the rows the fields that stand in memory, in pieces. Called once, before anything else."""
        ...

    def batch(self, records: Sequence[ConsumerRecord], now: Now, *, due: bool = True) -> Pieces[None]:
        """Apply records that were not applied before, in order, in pieces.

        Without ``due`` only the records are worked on: rows that are due are left to ``tick``.
        """
        ...

    def tick(self, now: Now) -> Pieces[bool]:
        """Work on the rows that are due (``state.due_keys``), in pieces; return whether more is left to do at once.

        Long work is left to further ticks, so that it is committed in parts.
        """
        ...

    def next_tick_ms(self) -> int | None:
        """Return when ``tick`` is wanted next for reasons other than the rows' own wakes; None if there are none."""
        ...

    def committed(self) -> None:
        """Take note that everything put and emitted is committed: the fields in memory are now right."""
        ...

    def recover(self, error: Exception) -> Pieces[str]:
        """Return to the fields of the last commit, in pieces: a batch or a tick failed and was taken back.

        Return a name, for people, of the row or series that is left alone from now on because the work on it fails; ""
        if none is.
        """
        ...


class Writer(Protocol):
    """The part of a transactional ``AIOKafkaProducer`` that a state needs."""

    async def begin_transaction(self) -> None:
        """Begin."""
        ...

    async def commit_transaction(self) -> None:
        """Commit, after waiting for all records that were sent."""
        ...

    def failure(self) -> BaseException | None:
        """Return the error that broke the open transaction, if there is one."""
        ...

    async def partitions_for(self, topic: str) -> set[int]:
        """Return a topic's partitions."""
        ...

    def create_batch(self) -> Any:  # noqa: ANN401 - aiokafka's BatchBuilder
        """Return an empty batch."""
        ...

    async def send_batch(self, batch: Any, topic: str, *, partition: int) -> asyncio.Future[Any]:  # noqa: ANN401
        """Queue a batch; the result resolves when the broker has it."""
        ...


class Upstream(Protocol):
    """The consumer, reduced to the calls that one partition needs."""

    def view(self) -> View | None:
        """Return the consumer's view of the partition, if it has one."""
        ...

    async def first_offset(self) -> int:
        """Ask the broker for the first offset."""
        ...

    async def end_offset(self) -> int:
        """Ask the broker for the last stable offset."""
        ...

    async def committed_offset(self) -> int | None:
        """Ask the broker for the offset that the group has committed; None if it has committed none."""
        ...

    async def seek(self, offset: int) -> None:
        """Continue reading from an offset."""
        ...

    def finished(self, message: Any) -> None:  # noqa: ANN401 - Faust's message
        """Report that a batch was worked on or dropped."""
        ...
