"""The native fast path (the optional package ``sla-monitor-native``), as a partition's agent asks it: of tickets.

What both kinds have in common stands in `native_way.py`, what is of calls alone in `native_calls.py`.

The package decodes and folds plain facts and puts their rows; its source is in ``monitor/native``. Python stays the
definition: what the package does not know is folded by the engine, and no row, pane or alert tells which of the two it
was. The package knows no agreements. It is told what follows from the book when it asks: which clocks start with facts
like one, on which terms, and when their calendars are open.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Final

from aiokafka.structs import ConsumerRecord

from monitor.core.clocks.clock import Terms
from monitor.core.clocks.clock_value import Clock
from monitor.core.clocks.starting import clocks_started
from monitor.core.clocks.terms import STARTS, Plan
from monitor.core.facts.events import Event, Fact
from monitor.core.series.series import SeriesKey
from monitor.core.series.sums import Sums
from monitor.core.subjects.fast_path import is_weighed
from monitor.core.subjects.rows import PANE, SUBJECT
from monitor.core.time.calendar import EARLIEST_MS, LATEST_MS, AlwaysOpen, Calendar
from monitor.core.time.units import DAY_MS
from monitor.errors import ConfigError, Mistake
from monitor.stream.agents.native_way import Native, NativeWay, Piece, Told, contract_of, turns_of
from monitor.wire.rows import SOURCE_ROWS

try:
    import sla_monitor_native as _package
except ImportError:
    _package = None

log = logging.getLogger(__name__)

INTERFACE: Final = 6
"""The arguments and results of the package's calls; it says the same of itself."""
_YEAR_MS: Final = 366 * DAY_MS
_TICKET: Final = "ticket"

_Rule = tuple[str, str, int, str, int]
"""A clock's agreement, measure, version, calendar and budget (ms)."""


_Asked = tuple[
    Sequence[int], Sequence[tuple[_Rule, int]], Sequence[tuple[int, int]], Sequence[tuple[tuple[str, str], int]]
]
"""What a step asks for: first facts, clocks, calendars and local days, the last by agreement and measure."""


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


class TicketsWay(NativeWay["_ToldTickets"]):
    """The fast path of tickets."""

    _asked: _Asked = (), (), (), ()

    def _tell(self, plan: Plan) -> _ToldTickets:
        return _ToldTickets(self._package, plan, self._engine.retention_ms)

    def _stepped(
        self, told: _ToldTickets, plan: Plan, piece: Piece, horizon_ms: int
    ) -> tuple[int, Sequence[int], Sums]:
        rows, packed, decoded, touched, wakes = self._state.layers(SUBJECT)
        panes = None if self._engine.parts else self._state.layers(PANE).touched
        folded, left, sums, *asked = told.native.step(
            piece, horizon_ms, self._engine.oldest_ms(plan), rows, packed, decoded, touched, panes, wakes,
            self._longest_row,
        )  # fmt: skip
        self._asked = tuple(asked)
        return folded, left, Sums(*sums)

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


class _ToldTickets(Told):
    """What the package was told of one book.

    It asks by ticket. Where a ticket is counted, or its report lacks required fields, Python takes the first fact, and
    those that may change what it counts for beside its clocks. Due instants of the record need no word of the book:
    facts that bring one are not plain, nor are their clocks.
    """

    def __init__(self, package: Native, plan: Plan, retention_ms: int) -> None:
        book = plan.book
        super().__init__(package.Plan(**contract_of(_TICKET), stamp=book.stamp, retention_ms=retention_ms), plan)
        filters = [each.covers for each in book.agreements]
        filters += [rule.where for each in book.agreements for rule in (*each.clocks, *each.tickets)]
        choosing = {"priority", *(name for one in filters for name, _ in one.any_of)}
        self._cuts = turns_of(book)
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
            number = self.native.keep_terms(
                rule,
                *span,
                limit_ms=of.limit_ms,
                warnings=[one.elapsed_ms for one in of.thresholds],
                calendar=self._calendar(of.calendar, clock.start_ms),
                stops=sorted(of.metric.stop),
                pause_on=None if of.rule.pause_on is None else sorted(of.rule.pause_on),
                near=self._near(clock.series[:2]),
            )
        self._terms[known] = number
        return number

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
