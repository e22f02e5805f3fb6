"""What the stream layer needs from others, and what others give to it: protocols, with fakes in the tests.

Nothing of the stream layer is imported here: all of it may import this.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, Protocol

from aiokafka.structs import ConsumerRecord

from monitor.stream.kafka.batch import View

if TYPE_CHECKING:
    import asyncio

    from monitor.core.pieces import Pieces


WAKE_BYTES: Final = 8
"""Two encoded rows of a codec that begin with the same bytes, so many of them, wake at the same instant."""


class RowCodec(Protocol):
    """How the rows of one source become bytes; in front stands the instant at which the row wakes (`WAKE_BYTES`)."""

    def encode(self, key: bytes, row: object) -> bytes:
        """Return the row as bytes."""
        ...

    def decode(self, key: bytes, encoded: bytes) -> object:
        """Return the row. Raises StateError if the bytes are none."""
        ...

    def wake_ms(self, encoded: bytes) -> int:
        """Return the instant at which the row needs attention, 0 for none. Must be cheap: a restore asks each row."""
        ...


class Processor(Protocol):
    """What is done with the records of one source partition. It folds only: it reads, puts and emits on its state.

    What may take long is done in pieces: others may run between two of them, but nobody asks this processor for other
    work before it is done, nor changes rows of its state. Only ``next_tick_ms`` may be asked at any time, and what is
    shown of the processor to whoever watches. If the partition is taken away meanwhile, the rest is never done: nothing
    of it was written.
    """

    def restore(self) -> Pieces[None]:
        """Find in the rows what stands in memory, in pieces. Called once, before anything else."""
        ...

    def batch(
        self,
        records: Sequence[ConsumerRecord],
        now_ms: int,
        caught_up: bool,  # noqa: FBT001 - a fact
        *,
        due: bool = True,
    ) -> Pieces[None]:
        """Apply records that were not applied before, in order, in pieces.

        Without ``due`` nothing is done but what the records ask for: what is due is left to ``tick``.
        """
        ...

    def tick(self, now_ms: int, caught_up: bool) -> Pieces[bool]:  # noqa: FBT001 - a fact
        """Do what is due (``state.due_keys``), in pieces; return whether more is left to do at once.

        What takes long is left to further ticks, so that it is committed in parts.

        While not ``caught_up`` the clock proves nothing: records that disprove a breach may still wait in the source.
        """
        ...

    def next_tick_ms(self) -> int | None:
        """Return when ``tick`` is wanted next apart from the rows' own wakes; None: not at all."""
        ...

    def committed(self) -> None:
        """Take note that all that was put and emitted is committed: whatever stands in memory is now right."""
        ...

    def recover(self, error: Exception) -> Pieces[str]:
        """Make what stands in memory as it was after the last commit: a batch or a tick failed and was taken back.

        In pieces, as ``restore``.

        Return what will be left alone from now on because the work on it fails, for people; "" if nothing.
        """
        ...


class Writer(Protocol):
    """The part of a transactional ``AIOKafkaProducer`` that a state needs."""

    async def begin_transaction(self) -> None:
        """Begin."""
        ...

    async def commit_transaction(self) -> None:
        """Commit, waiting for all that was sent."""
        ...

    def failure(self) -> BaseException | None:
        """Return what broke the open transaction, if anything did."""
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
    """The consumer, as far as one partition needs it."""

    def view(self) -> View | None:
        """Return what the consumer knows of the partition."""
        ...

    async def first_offset(self) -> int:
        """Ask the broker for the first offset."""
        ...

    async def end_offset(self) -> int:
        """Ask the broker for the last stable offset."""
        ...

    async def committed_offset(self) -> int | None:
        """Ask the broker for the offset that the group has committed; None: none."""
        ...

    async def seek(self, offset: int) -> None:
        """Read on from an offset."""
        ...

    def finished(self, message: Any) -> None:  # noqa: ANN401 - Faust's message
        """Tell that a batch was worked on or dropped."""
        ...
