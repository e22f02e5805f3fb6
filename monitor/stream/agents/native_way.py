"""What the native fast paths of tickets and of calls have in common: decoding, faults, and sending panes."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, Generic, Protocol, TypeVar

from aiokafka.structs import ConsumerRecord

from monitor.core.agreements.book import Book
from monitor.core.clocks.terms import Plan
from monitor.core.facts.events import ATTRIBUTES, TYPES, Event, Subject
from monitor.core.pieces import Pieces, lots
from monitor.core.series.retention import Slices
from monitor.core.series.series import SeriesKey
from monitor.core.series.sums import Sums
from monitor.core.subjects.engine import SourceEngine
from monitor.core.subjects.rows import PANE, SUBJECT
from monitor.core.time.periods import period
from monitor.core.time.windows import WIDTH_MS
from monitor.stream.agents.tally import Tally, count_later
from monitor.stream.kafka.pace import Pace
from monitor.stream.partitions.partition import PartitionState
from monitor.wire import contract
from monitor.wire.partials import encode_partial

log = logging.getLogger(__name__)

Native = Any
"""The package, of the interface that `monitor.stream.agents.native` knows. It has no types."""

LONGEST_ROW: Final = 1 << 15
"""Bytes of a row from which on Python folds its subject."""
PANES_AT_ONCE: Final = 512
"""Panes that are sent before the time is checked: 1 µs each."""
_LONGEST_KEY: Final = 4 * contract.MAX_ID + len(SUBJECT)


class Piece(Protocol):
    """The records of a piece of a batch, as the package has read them."""

    others: Sequence[int]
    """The places of the records that are not plain."""
    newest_ms: int


class Told:
    """What the package was told of one book. ``native`` is where it keeps that."""

    def __init__(self, native: Native, plan: Plan) -> None:
        self.native = native
        self._plan = plan
        self._measures: set[tuple[str, str]] = set()
        """The measures of which it was told into which panes their instants belong."""

    def _tell_slices(self, measure: tuple[str, str]) -> None:
        """Tell into which panes the instants of a measure belong."""
        slices = self._plan.slices(*measure)
        if slices is None or measure in self._measures:
            return
        self._measures.add(measure)
        self.native.keep_slices(*measure, _widths_of(slices), slices.zone, slices.cuts_ms)

    def tell_day(self, measure: tuple[str, str], at_ms: int) -> None:
        """Tell the local day that holds an instant, by the zone of a measure."""
        slices = self._plan.slices(*measure)
        if slices is not None:
            self.native.keep_day(slices.zone, *period(slices.zone, "day", at_ms))

    def _near(self, measure: tuple[str, str]) -> list[tuple[int, str]]:
        """Return the targets near which durations of a measure are counted: each in ms, with the name of its count."""
        near = (self._plan.near_targets or {}).get(measure, {})
        return [target for targets in near.values() for target in targets]


_T = TypeVar("_T", bound=Told)


class NativeWay(ABC, Generic[_T]):
    """The fast path of one source partition. Between two pieces it keeps only what follows from the book."""

    def __init__(self, package: Native, state: PartitionState, engine: SourceEngine, tally: Tally) -> None:
        self._package = package
        self._state = state
        self._engine = engine
        self._tally = tally
        self._plan: Plan | None = None
        self._told: _T | None = None
        """None: Python folds all facts of this book, or the package has failed and is told anew."""

    @property
    def is_used(self) -> bool:
        """Whether any fact of this book is folded natively."""
        return self._told is not None

    def prepare(self, book: Book, pace: Pace) -> Pieces[None]:
        """Take over the book, in pieces. Called before each piece of a batch."""
        plan = yield from pace.kept_by(self._engine.planned(book))
        if plan is not self._plan or (self._told is not None and self._told.native.is_full()):
            yield from pace.kept_by(plan.keeping(self._engine.subject))  # each step asks for it
            self._plan = plan
            self._told = self._tell(plan)

    @abstractmethod
    def _tell(self, plan: Plan) -> _T | None:
        """Return what is told of a book before anything is asked; None: its promises are not for the package."""

    def read(self, records: Sequence[ConsumerRecord], max_bytes: int, latest_ms: int) -> Piece | None:
        """Decode the records that are plain, up to an instant; None: Python decodes all."""
        if self._told is None:
            return None
        try:
            piece: Piece = self._told.native.read(records, max_bytes, latest_ms)
        except self._package.Fault as fault:
            self._failed(fault)
            return None
        return piece

    def step(self, piece: Piece, horizon_ms: int, count: int) -> tuple[Sequence[int], Sums | None]:
        """Fold what was decoded, judging deadlines up to the horizon, and put the rows.

        Return the places of the records that Python decodes and folds after all, and what changed in the series; most
        of it stands in panes already.
        """
        assert self._told is not None  # it has read the piece
        assert self._plan is not None
        try:
            folded, left, sums = self._stepped(self._told, self._plan, piece, horizon_ms)
        except self._package.Fault as fault:
            self._failed(fault)
            return sorted(set(range(count)).difference(piece.others)), None
        if folded:
            count_later(self._state, self._tally.ways, (self._state.topic, "native"), folded)
        return left, sums

    @abstractmethod
    def _stepped(self, told: _T, plan: Plan, piece: Piece, horizon_ms: int) -> tuple[int, Sequence[int], Sums]:
        """Fold what was decoded; return how many facts were folded, and what `step` returns."""

    @property
    def _longest_row(self) -> int:
        """The most bytes of a row that the package puts."""
        return max(0, min(LONGEST_ROW, self._state.max_record_bytes - _LONGEST_KEY))

    @abstractmethod
    def answer(self, piece: Piece, left: Sequence[tuple[int, Event, ConsumerRecord]]) -> None:
        """Tell what the last step asked for: the next piece may need it. ``left`` are the events that it left."""

    def send(self, panes: Iterable[bytes], source: str, topic: str) -> Pieces[None]:
        """Send panes as their rows are, in pieces. ``panes`` are the keys of these rows."""
        state = self._state
        end, head = encode_partial(source, b"", b"")
        for keys in lots(panes, PANES_AT_ONCE):
            rows, packed, *_ = state.layers(PANE)
            state.emit_all(topic, self._package.partials(keys, rows, packed, end, head))
            yield

    def _failed(self, fault: Exception) -> None:
        """Let Python fold a piece on which the package failed. What it was told may be half, so it is told anew."""
        log.error(
            "%s: a fault of sla-monitor-native, please report it: %s; Python folds these records",
            self._state.name, fault,
        )  # fmt: skip
        self._tally.native_faults[self._state.topic] += 1
        self._plan = self._told = None


def contract_of(subject: Subject, numbers: Mapping[str, type] = MappingProxyType({})) -> dict[str, Any]:
    """Return what the package is told of the events of a subject.

    ``numbers`` are the attributes that are plain beside texts and flags: whole numbers and numbers, by their types.
    """
    instants = set(contract.INSTANTS) | set(contract.INSTANTS.values())
    by_type: dict[type, list[str]] = {str: [], bool: [], int: [], float: []}
    others = ["specversion", *instants]
    for name, kind in ATTRIBUTES.items():
        is_plain = name not in instants and (kind in (str, bool) or name in numbers)
        (by_type[kind] if is_plain else others).append(name)
    return {
        "subject": subject,
        "types": sorted(TYPES[subject]),
        "names": (by_type[str], by_type[bool], by_type[int], by_type[float], others),
        "limits": (
            contract.MAX_ID, contract.MAX_TEXT, contract.MAX_INTEGER, contract.SECONDS[1], contract.LATEST_MS,
        ),
        "series_type": SeriesKey,
    }  # fmt: skip


def turns_of(book: Book) -> list[int]:
    """Return the instants at which a version takes effect or ends (ms), ascending."""
    begins = {one.valid_from_ms for one in book.agreements}
    ends = {one.terminates_ms for one in book.agreements if one.terminates_ms is not None}
    return sorted(begins | ends)


def _widths_of(slices: Slices) -> list[tuple[str, int, int]]:
    """Return the widths of a measure's panes: the name, the length (ms; 0: a local day), and how long each is kept."""
    return [(width, WIDTH_MS.get(width, 0), slices.dropped_after_ms(width)) for width, _ in slices.keep_ms]
