"""The native fast path of calls, as a partition's agent asks it (`monitor.stream.agents.native_way`).

The package takes calls without clocks: nothing is announced of them, and what they count follows from their facts. It
is told by which rules a call is counted, given the attributes that choose rules.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from aiokafka.structs import ConsumerRecord

from monitor.core.agreements.agreement import Agreement
from monitor.core.agreements.measures import CallRule
from monitor.core.clocks.terms import STARTS, Plan
from monitor.core.facts.events import Event
from monitor.core.series import parts
from monitor.core.series.series import Change, encode_pane_key
from monitor.core.series.sums import Sums
from monitor.core.subjects.rows import PANE, SUBJECT
from monitor.stream.agents.native_way import Native, NativeWay, Piece, Told, contract_of, turns_of
from monitor.wire import contract

_CALL: Final = "call"
_NUMBERS: Final = {"talk_ms": int, "hold_ms": int, "wrap_up_ms": int, "idle_ms": int, "score": float}
"""The numbers that events of calls bring."""

_LONGEST_PANE: Final = 1 << 17
"""Bytes of the row of a pane from which on Python changes it."""

_Question = tuple[bytes, int, Sequence[str | None]]
"""By which rules is a call counted? Under which key the package keeps the answer, when the call's first fact happened
(ms), and the texts of the attributes that choose."""


class CallsWay(NativeWay["_ToldCalls"]):
    """The fast path of calls."""

    _asked: tuple[Sequence[_Question], Sequence[tuple[tuple[str, str], int]]] = (), ()
    """What the last step asked for: rules, and local days by agreement and measure."""

    def _tell(self, plan: Plan) -> _ToldCalls | None:
        """Tell of a book; where reports must have fields, or a clock's target follows a priority, Python folds all."""
        if _CALL not in plan.book.counted or plan.book.requires or _CALL in plan.followed:
            return None
        return _ToldCalls(self._package, plan, self._engine.retention_ms)

    def _stepped(self, told: _ToldCalls, plan: Plan, piece: Piece, horizon_ms: int) -> tuple[int, Sequence[int], Sums]:
        state, engine = self._state, self._engine
        layers = *state.layers(SUBJECT)[:4], state.layers(PANE).touched, state.layers(SUBJECT).wakes
        apart = dict.fromkeys(map(encode_pane_key, engine.parts))
        most = max(self._longest_row, min(_LONGEST_PANE, state.max_record_bytes // 2)), parts.LARGEST
        folded, left, minutes, changes, put, new, *asked = told.native.step(
            piece, horizon_ms, engine.oldest_ms(plan), *layers, apart, self._longest_row, most
        )
        rules, days = asked
        self._asked = rules, days
        return folded, left, Sums((), minutes, put, new, [Change(*one) for one in changes])

    def answer(self, piece: Piece, left: Sequence[tuple[int, Event, ConsumerRecord]]) -> None:  # noqa: ARG002 - the base's
        """Tell what the last step asked for: the next piece may need it."""
        (rules, days), self._asked = self._asked, ((), ())
        told = self._told
        if told is None:
            return
        for measure, at_ms in days:
            told.tell_day(measure, at_ms)
        for question in rules:
            told.tell_rules(*question)


class _ToldCalls(Told):
    """What the package was told of one book."""

    def __init__(self, package: Native, plan: Plan, retention_ms: int) -> None:
        book = plan.book
        measured = [rule for agreement in book.agreements for rule in agreement.calls]
        is_timed = any(rule.subject == _CALL for agreement in book.agreements for rule in agreement.clocks)
        filters = [agreement.covers for agreement in book.agreements] + [rule.where for rule in measured]
        self._choosing = sorted({name for one in filters for name, _ in one.any_of})
        native = package.Calls(
            **contract_of(_CALL, _NUMBERS),
            stamp=book.stamp,
            retention_ms=retention_ms,
            soonest_ms=min(plan.soonest_ms(_CALL), contract.LATEST_MS),
            general=sorted(STARTS[_CALL]) if is_timed else [],
            choosing=self._choosing,
            cuts=turns_of(book),
        )
        super().__init__(native, plan)
        self._numbers: dict[tuple[str, int, int, str], int] = {}
        """The numbers of rules by agreement, version and edition, and measure."""

    def tell_rules(self, choice: bytes, first_ms: int, values: Iterable[str | None]) -> None:
        """Tell by which rules calls are counted that began at an instant, and have these values of `choosing`."""
        attributes = {name: value for name, value in zip(self._choosing, values, strict=True) if value is not None}
        found = [
            self._number_of(agreement, rule)
            for agreement in self._plan.book.in_force(attributes, first_ms)
            for rule in agreement.calls
            if rule.where.matches(attributes)
        ]
        self.native.keep_promise(choice, found)

    def _number_of(self, agreement: Agreement, rule: CallRule) -> int:
        """Return the number of a rule, after telling it."""
        key = agreement.id, agreement.version, agreement.edition_ms, rule.id
        number = self._numbers.get(key)
        if number is None:
            measure = agreement.id, rule.id
            self._tell_slices(measure)
            number = self._numbers[key] = self.native.keep_rule(
                *measure,
                by=list(rule.by),
                longest_ms=rule.longest_ms,
                short_abandon_ms=rule.short_abandon_ms,
                give_up_after_ms=rule.give_up_after_ms,
                repeats=rule.repeat_within_ms > 0,
                near=self._near(measure),
            )
        return number
