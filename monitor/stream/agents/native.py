"""The native fast path of tickets (the optional package ``sla-monitor-native``), as a partition's agent asks it.

The package decodes and folds plain facts and puts their rows; its source is in ``monitor/native``. Python stays the
definition: what the package does not know is folded by the engine, and no row, pane or alert tells which of the two it
was. The package knows no agreements. It is told what follows from the book when it asks: which clocks start with facts
like one, on which terms, and when their calendars are open.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from typing import Any, Final, Protocol

from aiokafka.structs import ConsumerRecord

from monitor.core.agreements.book import Book
from monitor.core.clocks.clock import Terms
from monitor.core.clocks.clock_value import Clock
from monitor.core.clocks.starting import clocks_started
from monitor.core.clocks.terms import STARTS, Plan
from monitor.core.facts.events import ATTRIBUTES, TYPES, Event, Fact
from monitor.core.pieces import Pieces, lots
from monitor.core.series.series import SeriesKey
from monitor.core.series.sums import Sums
from monitor.core.subjects.engine import SourceEngine
from monitor.core.subjects.fast_path import is_weighed
from monitor.core.subjects.rows import PANE, SUBJECT
from monitor.core.time.calendar import EARLIEST_MS, LATEST_MS, AlwaysOpen, Calendar
from monitor.core.time.periods import period
from monitor.core.time.units import DAY_MS
from monitor.core.time.windows import WIDTH_MS
from monitor.errors import ConfigError, Mistake
from monitor.stream.agents.tally import Tally, count_later
from monitor.stream.kafka.pace import Pace
from monitor.stream.partitions.partition import PartitionState
from monitor.wire import contract
from monitor.wire.partials import encode_partial
from monitor.wire.rows import SOURCE_ROWS

try:
    import sla_monitor_native as _package
except ImportError:
    _package = None

log = logging.getLogger(__name__)

Native = Any
"""The package, of the interface that this module knows. It has no types."""

INTERFACE: Final = 5
"""The arguments and results of the package's calls; it says the same of itself."""
LONGEST_ROW: Final = 1 << 15
"""Bytes of a row from which on Python folds its subject."""
PANES_AT_ONCE: Final = 512
"""Panes that are sent before the time is checked: 1 µs each."""
_LONGEST_KEY: Final = 4 * contract.MAX_ID + len(SUBJECT)
_YEAR_MS: Final = 366 * DAY_MS
_TICKET: Final = "ticket"

_Rule = tuple[str, str, int, str, int]
"""A clock's agreement, measure, version, calendar and budget (ms)."""


_Asked = tuple[
    Sequence[int], Sequence[tuple[_Rule, int]], Sequence[tuple[int, int]], Sequence[tuple[tuple[str, str], int]]
]
"""What a step asks for: first facts, clocks, calendars and local days, the last by agreement and measure."""


class Piece(Protocol):
    """The records of a piece of a batch, as the package has read them."""

    others: Sequence[int]
    """The places of the records that are not plain."""
    newest_ms: int


def chosen(setting: str) -> Native | None:
    """Return the package to use, by the setting ``native``, and say so in the log; None: Python does all.

    Raises:
        ConfigError: it is required and not there, or of another interface.
    """
    if setting == "off":
        log.info("the native fast path is off, by the setting native: all facts are folded in Python")
        return None
    why = _unusable(_package)
    if not why:
        log.info("the native fast path is on: sla-monitor-native %s", _package.__version__)
        return _package
    if setting == "required":
        hint = "install it, or write native: auto"
        raise ConfigError(
            [Mistake(file="settings", line=None, path="native", message=f"is required, but {why}", hint=hint)]
        )
    log.info("the native fast path is off: %s; all facts are folded in Python", why)
    return None


def _unusable(package: Native) -> str:
    """Return why the package cannot be used; "": it can."""
    if package is None:
        return "the package sla-monitor-native is not installed"
    is_known = getattr(package, "INTERFACE", None) == INTERFACE
    kinds = SOURCE_ROWS.kinds
    versions = kinds[SUBJECT].layout.version, kinds[PANE].layout.version
    if not is_known or versions != (package.ROW_VERSION, package.PANE_VERSION):
        return "sla-monitor-native is of another release: install that of this program"
    return ""


class NativeWay:
    """The fast path of one source partition of tickets. Between two pieces it keeps only what follows from the book."""

    def __init__(self, package: Native, state: PartitionState, engine: SourceEngine, tally: Tally) -> None:
        self._package = package
        self._state = state
        self._engine = engine
        self._tally = tally
        self._plan: Plan | None = None
        self._told: _Told | None = None
        """None: nothing was told yet, or not since the package failed."""
        self._asked: _Asked = (), (), (), ()

    @property
    def is_used(self) -> bool:
        """Whether the package was told of the book."""
        return self._told is not None

    def prepare(self, book: Book, pace: Pace) -> Pieces[None]:
        """Take over the book, in pieces. Called before each piece of a batch."""
        plan = yield from pace.kept_by(self._engine.planned(book))
        if plan is not self._plan or (self._told is not None and self._told.native.is_full()):
            self._plan = plan
            self._told = _Told(self._package, plan, self._engine.retention_ms)

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
        state = self._state
        try:
            rows, packed, decoded, touched, wakes = state.layers(SUBJECT)
            panes = None if self._engine.parts else state.layers(PANE).touched
            folded, left, sums, *asked = self._told.native.step(
                piece, horizon_ms, self._engine.oldest_ms(self._plan), rows, packed, decoded, touched, panes, wakes,
                max(0, min(LONGEST_ROW, state.max_record_bytes - _LONGEST_KEY)),
            )  # fmt: skip
        except self._package.Fault as fault:
            self._failed(fault)
            return sorted(set(range(count)).difference(piece.others)), None
        self._asked = tuple(asked)
        if folded:
            count_later(state, self._tally.ways, (state.topic, "native"), folded)
        return left, Sums(*sums)

    def answer(self, piece: Piece, left: Sequence[tuple[int, Event, ConsumerRecord]]) -> None:
        """Tell what the last step asked for: the next piece may need it. ``left`` are the events that it left."""
        firsts, clocks, calendars, days = self._asked
        self._asked = (), (), (), ()
        told = self._told
        if told is None:
            return
        for number, at_ms in calendars:
            told.tell_calendar(number, at_ms)
        for measure, at_ms in days:
            told.tell_day(measure, at_ms)
        for rule, start_ms in clocks:
            told.tell_terms(rule, start_ms)
        if firsts:
            facts = {place: event.fact for place, event, _ in left}
            for place in firsts:
                if place in facts:
                    told.tell_promise(piece, place, facts[place])

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


class _Told:
    """What the package was told of one book.

    It asks by ticket. Where a ticket is counted, or its report lacks required fields, Python takes the first fact, and
    those that may change what it counts for beside its clocks. Due instants of the record need no word of the book:
    facts that bring one are not plain, nor are their clocks.
    """

    def __init__(self, package: Native, plan: Plan, retention_ms: int) -> None:
        self._plan = plan
        book = plan.book
        instants = set(contract.INSTANTS) | set(contract.INSTANTS.values())
        by_type: dict[type, list[str]] = {str: [], bool: []}
        others = ["specversion", *instants]
        for name, kind in ATTRIBUTES.items():
            (others if name in instants else by_type.get(kind, others)).append(name)
        self.native = package.Plan(
            subject=_TICKET,
            types=sorted(TYPES[_TICKET]),
            names=(by_type[str], by_type[bool], others),
            limits=(
                contract.MAX_ID, contract.MAX_TEXT, contract.MAX_INTEGER, contract.SECONDS[1], contract.LATEST_MS,
            ),
            stamp=book.stamp,
            retention_ms=retention_ms,
            series_type=SeriesKey,
        )  # fmt: skip
        filters = [each.covers for each in book.agreements]
        filters += [rule.where for each in book.agreements for rule in (*each.clocks, *each.tickets)]
        choosing = {"priority", *(name for one in filters for name, _ in one.any_of)}
        begins = {one.valid_from_ms for one in book.agreements}
        ends = {one.terminates_ms for one in book.agreements if one.terminates_ms is not None}
        self._cuts = sorted(begins | ends)
        self.native.choose(
            starts=sorted(STARTS[_TICKET]),
            general=sorted(plan.general[_TICKET] | {"cancelled"}),
            deciding=[(name, None if some is None else sorted(some)) for name, some in plan.weighing.items()],
            counts_all=book.counts_tickets,
            choosing=sorted(choosing),
            required=sorted(book.requires),
            cuts=self._cuts,
        )
        self._always: int = self.native.keep_always()
        self._calendars: dict[int, tuple[Calendar, int, int]] = {}
        """By number: each calendar, and from when to when (ms) it was told."""
        self._numbers: dict[Calendar, int] = {}
        self._terms: dict[tuple[_Rule, int], int | None] = {}
        self._measures: set[tuple[str, str]] = set()
        """The measures of which it was told into which panes their instants belong."""

    def tell_promise(self, piece: Piece, place: int, fact: Fact) -> None:
        """Tell which clocks start with a first fact like the one at a place of a piece."""
        if self._is_driven(fact) or is_weighed(fact, self._plan):
            self.native.keep_promise(piece, place, None)
            return
        starts = []
        for clock, of in clocks_started(_TICKET, fact, fact.attributes, self._plan):
            number = self._number_of(clock, of)
            if number is None or clock.extra is not None:
                self.native.keep_promise(piece, place, None)
                return
            starts.append((*clock.series[:2], clock.version, clock.calendar, list(of.rule.by), number))
        self.native.keep_promise(piece, place, starts)

    def _is_driven(self, fact: Fact) -> bool:
        """Return whether the ticket's state drives any clock that is promised for a first fact."""
        plan = self._plan
        if fact.type not in plan.touching[_TICKET]:
            return False
        agreements = plan.book.in_force(fact.attributes, fact.time_ms)
        return any(plan.is_driven(rule) for agreement in agreements for rule in agreement.clocks)

    def tell_terms(self, rule: _Rule, start_ms: int) -> None:
        """Tell the terms of a clock that has started before."""
        agreement, measure, version, calendar, budget_ms = rule
        clock = Clock(
            SeriesKey(agreement, measure, ()), version, 1, start_ms, budget_ms, calendar, 0, False,
            "running", start_ms, 0, 0, 0, 0, 0, 0, [], [],
        )  # fmt: skip
        self._number_of(clock, self._plan.terms(clock))

    def _number_of(self, clock: Clock, of: Terms | None) -> int | None:
        """Return the number of a clock's terms, after telling them; None: Python works on such clocks."""
        rule = (*clock.series[:2], clock.version, clock.calendar, clock.budget_ms)
        span = self._plan.book.edition_span(clock.series.agreement, clock.version, clock.start_ms)
        known = rule, span[0]
        if known in self._terms:
            return self._terms[known]
        number = None
        if of is None or of.is_general or of.by_instant or of.is_fixed or clock.extra is not None:
            self.native.keep_for_python(rule, *span)
        else:
            self._tell_slices(clock.series[:2])
            near = (self._plan.near_targets or {}).get(clock.series[:2], {})
            number = self.native.keep_terms(
                rule,
                *span,
                limit_ms=of.limit_ms,
                warnings=[one.elapsed_ms for one in of.thresholds],
                calendar=self._calendar(of.calendar, clock.start_ms),
                stops=sorted(of.metric.stop),
                pause_on=None if of.rule.pause_on is None else sorted(of.rule.pause_on),
                near=[target for targets in near.values() for target in targets],
            )
        self._terms[known] = number
        return number

    def _tell_slices(self, measure: tuple[str, str]) -> None:
        """Tell into which panes the instants of a measure belong."""
        slices = self._plan.slices(*measure)
        if slices is None or measure in self._measures:
            return
        self._measures.add(measure)
        widths = [(width, WIDTH_MS.get(width, 0), slices.dropped_after_ms(width)) for width, _ in slices.keep_ms]
        self.native.keep_slices(*measure, widths, slices.zone, slices.cuts_ms)

    def tell_day(self, measure: tuple[str, str], at_ms: int) -> None:
        """Tell the local day that holds an instant, by the zone of a measure."""
        slices = self._plan.slices(*measure)
        if slices is not None:
            self.native.keep_day(slices.zone, *period(slices.zone, "day", at_ms))

    def _calendar(self, calendar: Calendar, at_ms: int) -> int:
        """Return the number of a calendar, after telling it around an instant."""
        if isinstance(calendar, AlwaysOpen):
            return self._always
        if calendar not in self._numbers:
            spans = calendar.compiled(at_ms - _YEAR_MS, at_ms + 2 * _YEAR_MS)
            number = self._numbers[calendar] = self.native.keep_spans(None, *spans)
            self._calendars[number] = calendar, spans.from_ms, spans.to_ms
        return self._numbers[calendar]

    def tell_calendar(self, number: int, at_ms: int) -> None:
        """Tell a calendar around another instant as well."""
        calendar, from_ms, to_ms = self._calendars[number]
        if not EARLIEST_MS <= at_ms <= LATEST_MS or (from_ms <= EARLIEST_MS and to_ms >= LATEST_MS):
            return
        spans = calendar.compiled(min(from_ms, at_ms - _YEAR_MS), max(to_ms, at_ms + 2 * _YEAR_MS))
        self.native.keep_spans(number, *spans)
        self._calendars[number] = calendar, spans.from_ms, spans.to_ms
