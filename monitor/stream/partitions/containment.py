"""The one place around the work on a record: it confines a failure to the record or row that causes it.

A batch is folded as a whole and committed in one transaction. If anything in it raises (decoding, mapping, folding,
wording, encoding), all of it is taken back and it is folded again in halves, each committed by itself, until the
failing record stands alone. That record becomes a dead letter (``internal_error``, with the exception's kind and
place). Its neighbours are committed as if it had not been there. Halving changes no announcement: batch boundaries
never do.

A tick that fails is taken back, too, and repeated with fewer rows until the failing row is found (`SetAside`).

Only four failures reach the runner and stop the worker: lost ownership and a broker that does not answer (both come
from a commit), rows that cannot be read, and a process without memory (`StateError`).
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from operator import attrgetter
from pathlib import PurePath
from typing import Final, NamedTuple

from aiokafka.structs import ConsumerRecord

from monitor.counters import PartitionStats
from monitor.errors import StateError
from monitor.stream.kafka.fetched import Unreadable
from monitor.stream.kafka.pace import Pace, in_turns
from monitor.stream.partitions.partition import PartitionState
from monitor.stream.partitions.ports import Now, Processor
from monitor.stream.partitions.shortage import stop_if_short
from monitor.stream.partitions.sources import Place, Source
from monitor.wire.deadletters import INTERNAL_ERROR, SKIPPED, UNREADABLE

log = logging.getLogger(__name__)

TRACEBACKS: Final = 100
"""The most places in the program whose traceback is logged, once each: the next records fail in the same way."""
_PACKAGE: Final = "monitor"


class Letter(NamedTuple):
    """A record that is to become a dead letter, with the reason."""

    record: ConsumerRecord
    reason: str
    detail: str


def place_of(error: BaseException) -> str:
    """Return where in this program an exception was raised, as ``monitor/wire/events.py:120 in decode``."""
    found, trace = "", error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        parts = PurePath(code.co_filename).parts
        if _PACKAGE in parts:
            start = len(parts) - 1 - parts[::-1].index(_PACKAGE)
            found = f"{'/'.join(parts[start:])}:{trace.tb_lineno} in {code.co_name}"
        trace = trace.tb_next
    return found or "outside of the program"


def internal_error(record: ConsumerRecord, error: BaseException) -> Letter:
    """Return the dead letter of a record on which the program failed, and log the failure.

    Raises:
        StateError: the process has no memory left: the record is not to blame.
    """
    stop_if_short(error)
    place = place_of(error)
    _report(f"record {record.topic}/{record.partition}/{record.offset} becomes a dead letter", place, error)
    return Letter(record, INTERNAL_ERROR, f"{type(error).__name__} at {place}: {error}")


_reported: set[tuple[type[BaseException], str]] = set()


def _report(what: str, place: str, error: BaseException) -> None:
    kind = type(error), place
    is_new = kind not in _reported and len(_reported) < TRACEBACKS
    _reported.add(kind) if is_new else None
    log.error(
        "a fault of the program, please report it: %s: %s at %s: %s", what, type(error).__name__, place, error,
        exc_info=error if is_new else None,
    )  # fmt: skip


class Containment:
    """The work of one processor on its partition: fold and commit, each failure confined to its record or row.

    ``commit`` writes the changes of the state together with the position that it is given. A source without ``burial``
    has no topic for dead letters: a failure of its work stops the worker.
    """

    def __init__(
        self,
        state: PartitionState,
        source: Source,
        processor: Processor,
        stats: PartitionStats,
        commit: Callable[[int], Awaitable[None]],
    ) -> None:
        self.processor = processor
        self._state = state
        self._source = source
        self._stats = stats
        self._write = commit

    async def batch(self, records: Sequence[ConsumerRecord], end: int, now: Now) -> None:
        """Fold records and commit them, up to the position ``end``."""
        burial = self._source.burial
        skips = {} if burial is None else burial.skips()
        records, letters = _usable(records, skips) if skips or _any_unreadable(records) else (records, [])
        started = time.perf_counter()
        try:
            self._bury(letters)
            # Other partitions' commits take a few turns of the loop each: they must not wait for a whole fold.
            await in_turns(self.processor.batch(records, now))
            await self._seal()
        except StateError:
            raise
        except Exception as error:  # noqa: BLE001 - any failure: the record's neighbours must not suffer
            stop_if_short(error)
            await self._take_back(error)
            await self._by_halves(records, letters, end, now)
            return
        self._stats.batch_seconds.add(time.perf_counter() - started)
        await self._commit(end)

    async def tick(self, now: Now) -> bool:
        """Work on due rows and commit; return whether more is left."""
        state = self._state
        if state.set_aside.keys:
            state.set_aside.look_again()
        try:
            more = await in_turns(self.processor.tick(now))
            await self._seal()
        except StateError:
            raise
        except Exception as error:  # noqa: BLE001 - any failure: other rows must not suffer
            stop_if_short(error)
            suspects = state.suspects()
            # Before the rows that were due are noted as due again.
            row = state.set_aside.failed(suspects)
            left_alone = await self._take_back(error) or ("" if row is None else f"row {row[:80]!r}")
            if left_alone:
                _report(f"{state.name}: {left_alone} is left alone for an hour", place_of(error), error)
            elif not suspects:
                _report(f"{state.name}: the work on what is due fails", place_of(error), error)
            return bool(suspects or left_alone)
        if state.dirty:
            await self._commit(state.position)
        else:
            state.settle()
            self.processor.committed()
        state.set_aside.succeeded()
        return more

    async def _by_halves(self, records: Sequence[ConsumerRecord], letters: list[Letter], end: int, now: Now) -> None:
        """Fold a batch that holds a failing record again, in halves.

        ``letters`` are buried with the next part that succeeds.
        """
        todo = [records]
        while todo:
            part = todo.pop()
            try:
                self._bury(letters)
                # Due rows are left to ticks: if one of them fails, that is no fault of these records.
                at = now.unproved() if todo else now
                await in_turns(self.processor.batch(part, at, due=False))
                await self._seal()
            except StateError:
                raise
            except Exception as error:  # noqa: BLE001 - see above
                stop_if_short(error)
                await self._take_back(error)
                if len(part) > 1:
                    middle = len(part) // 2
                    todo += [part[middle:], part[:middle]]
                elif part:
                    letters = [*letters, internal_error(part[0], error)]
            else:
                await self._commit(part[-1].offset + 1 if todo and part else end)
                letters = []
            await asyncio.sleep(0)
        if letters or self._state.position < end:
            self._bury(letters)
            await self._commit(end)

    async def _commit(self, position: int) -> None:
        await self._write(position)
        self.processor.committed()

    async def _seal(self) -> None:
        """Encode the rows that were put, so that a row that does not encode is found before anything is written.

        No row is added between two pauses: nobody else puts rows on this state.
        """
        await in_turns(Pace().kept_by(self._state.pack()))

    async def _take_back(self, error: Exception) -> str:
        """Undo all work since the last commit; return the name of the row or series that is left alone from now on.

        The rows are restored at once, the processor's fields in pieces. Nothing is folded until both are: the partition
        has only one task, and it waits for this.
        """
        if self._source.burial is None:
            raise error
        self._stats.faults += 1
        self._state.take_back()
        return await in_turns(Pace().kept_by(self.processor.recover(error)))

    def _bury(self, letters: Sequence[Letter]) -> None:
        for one in letters:
            assert self._source.burial is not None
            self._source.burial.bury(self._state, *one)


_VALUE: Final = attrgetter("value")


def _any_unreadable(records: Sequence[ConsumerRecord]) -> bool:
    return Unreadable in set(map(type, map(_VALUE, records)))


def _usable(
    records: Sequence[ConsumerRecord], skips: Mapping[Place, str]
) -> tuple[Sequence[ConsumerRecord], list[Letter]]:
    """Return the records that can be worked on, and the dead letters of the others.

    The others are records that an operator has asked to skip, and those that stand for a batch that cannot be read.
    """
    usable, letters = [], []
    for one in records:
        if (why := skips.get((one.topic, one.partition, one.offset))) is not None:
            letters.append(Letter(one, SKIPPED, why))
        elif isinstance(one.value, Unreadable):
            letters.append(Letter(one, UNREADABLE, one.value.why))
        else:
            usable.append(one)
    return usable, letters
