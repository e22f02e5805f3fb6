"""Two verdicts (domain.md §3): as judged, and as recomputed from the same events with all that is known by now."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from monitor.core.alerts.alert import Alert
from monitor.core.objectives.consequence import Consequence
from monitor.core.objectives.consequences import consequences_of
from monitor.core.objectives.status import WindowStatus
from monitor.core.recompute.causes import Arrived, Cause, clock_cause, period_cause
from monitor.core.recompute.differences import (
    ClockDifference,
    PeriodDifference,
    PeriodId,
    announced,
    clock_differences,
    period_differences,
    period_id,
)
from monitor.core.series.series import is_rest
from monitor.core.time.windows import COHORT
from monitor.replay.local import Progress
from monitor.replay.simulate import Outcome, clock_id, outcome

if TYPE_CHECKING:
    from monitor.core.agreements.book import Book
    from monitor.core.recompute.differences import ClockVerdict


class ClockFinding(NamedTuple):
    """A clock of which other breaches were announced than are recomputed; ``verdict`` is the recomputed one."""

    difference: ClockDifference
    verdict: ClockVerdict
    cause: Cause


class PeriodFinding(NamedTuple):
    """A period whose statement differs from its recomputation, with the consequences of both."""

    difference: PeriodDifference
    judged: tuple[Consequence, ...]
    recomputed: tuple[Consequence, ...]
    cause: Cause


@dataclass(slots=True, kw_only=True)
class Judged:
    """The alerts and statements that were announced, each with the instant of its record, in that order."""

    alerts: list[tuple[Alert, int]] = field(default_factory=list)
    statements: list[tuple[WindowStatus, int]] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recomputed:
    """The differences, and how much was compared.

    ``not_kept`` counts clocks and periods that were judged by events which the topics hold no more.
    ``in_rest`` counts recomputed periods of series that the monitor stated together, beyond ``max_series``.
    """

    clocks: list[ClockFinding]
    periods: list[PeriodFinding]
    compared_clocks: int
    compared_periods: int
    not_kept: int
    in_rest: int = 0


def recompute(
    judged: Judged,
    arrived: Sequence[Arrived],
    book: Book,
    *,
    until_ms: int,
    from_ms: int = 0,
    kept_from_ms: int = 0,
    agreement: str | None = None,
    on_progress: Progress | None = None,
) -> Recomputed:
    """Judge events again and compare the result with the verdicts as judged.

    Args:
        judged: the announced alerts and statements.
        arrived: the events, in the order of their arrival.
        book: the agreements as they are known now.
        until_ms: up to when time passes; what happens later does not count.
        from_ms: breaches and periods before it are not compared.
        kept_from_ms: since when the events are complete.
        agreement: compare this one only.
        on_progress: as `run_replay`.
    """
    events = [one.event for one in arrived if one.event.fact.time_ms < until_ms]
    again = outcome(events, book, until_ms=until_ms, on_progress=on_progress)
    by_subject: dict[tuple[str, str], list[Arrived]] = {}
    for one in arrived:
        by_subject.setdefault((one.event.subject, one.event.subject_id), []).append(one)

    def asked(agreement_id: str) -> bool:
        return agreement is None or agreement_id == agreement

    ours = announced(judged.alerts, until_ms)
    known = {clock: one for clock, one in ours.items() if (clock.subject, clock.subject_id) in by_subject}
    theirs = announced(((alert, alert.at_ms) for alert in again.result.alerts), until_ms)
    versions = {clock_id(record): record.agreement_version for record in again.result.records}
    clocks = [
        ClockFinding(
            one,
            again.verdicts.get(one.clock, "none"),
            clock_cause(one, versions, by_subject[one.clock.subject, one.clock.subject_id]),
        )
        for one in clock_differences(known, theirs)
        if asked(one.clock.agreement) and max((*one.one.breached_ms, *one.other.breached_ms)) >= from_ms
    ]
    stated = {period_id(one): (one, told_ms) for one, told_ms in judged.statements if _has_closed(one, book, until_ms)}
    comparable = {
        place: one for place, one in stated.items() if place.from_ms >= kept_from_ms and asked(place.series.agreement)
    }
    mine = [one for one, _ in comparable.values() if one.from_ms >= from_ms]
    other = [
        one
        for one in again.result.statements
        if one.from_ms >= max(from_ms, kept_from_ms) and asked(one.series.agreement)
    ]
    followed = _by_period(consequences_of([one for one, _ in stated.values()], book))
    follows = _by_period(again.consequences)
    other, in_rest = _comparable(mine, other)
    mine = [one for one in mine if not is_rest(one.series)]
    periods = [
        PeriodFinding(
            one,
            followed.get(one.period, ()),
            follows.get(one.period, ()),
            period_cause(one, stated[one.period][1] if one.period in stated else None, _counted(one, arrived, again)),
        )
        for one in period_differences(mine, other)
    ]
    return Recomputed(
        clocks=clocks,
        periods=periods,
        compared_clocks=len([one for one in {*known, *again.verdicts} if asked(one.agreement)]),
        compared_periods=len({period_id(one) for one in (*mine, *other)}),
        in_rest=in_rest,
        not_kept=len(ours) - len(known) + sum(place.from_ms < kept_from_ms for place in stated),
    )


def _comparable(mine: Iterable[WindowStatus], other: Iterable[WindowStatus]) -> tuple[list[WindowStatus], int]:
    """Return the recomputed statements that can be compared, and how many cannot.

    Series beyond ``max_series`` were stated as one, the rest; recomputed they are stated one by one.
    """
    stated = {period_id(one) for one in mine}
    rests = {_slot(one) for one in mine if is_rest(one.series)}
    found, in_rest = [], 0
    for one in other:
        if period_id(one) not in stated and _slot(one) in rests:
            in_rest += 1
        else:
            found.append(one)
    return found, in_rest


def _slot(one: WindowStatus) -> tuple[str, str, str, int]:
    """Return the measure, the window and the period of a statement."""
    return one.series.agreement, one.series.measure, one.window, one.from_ms


def _has_closed(statement: WindowStatus, book: Book, until_ms: int) -> bool:
    if COHORT in statement.window:
        return statement.as_of_ms <= until_ms
    agreement = book.exact(statement.series.agreement, statement.version)
    return statement.to_ms + (agreement.allowed_lateness_ms if agreement else 0) <= until_ms


def _by_period(consequences: Iterable[Consequence]) -> dict[PeriodId, tuple[Consequence, ...]]:
    found: dict[PeriodId, tuple[Consequence, ...]] = {}
    for one in consequences:
        place = PeriodId(one.series, one.window, one.from_ms)
        found[place] = (*found.get(place, ()), one)
    return found


def _counted(one: PeriodDifference, arrived: Iterable[Arrived], again: Outcome) -> list[Arrived]:
    """Return the events that a period's measure counts: those of the subjects in its series, where clocks tell them."""
    series = one.period.series
    newest = again.book.latest(series.agreement)
    rule = newest.measure(series.measure) if newest else None
    clock = newest.clock(series.measure) if newest else None
    if clock is not None:
        ids = {
            record.subject_id
            for record in again.result.records
            if (record.agreement, record.clock, tuple(record.labels.values()))
            == (series.agreement, series.measure, series.values)
        }
        return [item for item in arrived if item.event.subject == clock.subject and item.event.subject_id in ids]
    return [item for item in arrived if rule is not None and item.event.subject == rule.subject_kind]
