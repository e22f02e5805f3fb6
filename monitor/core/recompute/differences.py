"""Differences between two verdicts on the same subjects and periods (domain.md §3).

It has two uses. One compares verdicts as judged with verdicts recomputed from all events known by now. The other
compares recorded events under one agreement with the same events under another. Differences are listed; no verdict is
changed.

Clocks are compared by their announcements: the instants at which they broke. Periods are compared by figures (value,
numerator, denominator) and verdicts. Both sides are read in the same way, and neither is assumed to be right.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from monitor.core.alerts.alert import OF_SERIES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from monitor.core.alerts.alert import Alert
    from monitor.core.objectives.status import WindowStatus
    from monitor.core.series.figures import Figure
    from monitor.core.series.series import SeriesKey

ClockVerdict = Literal["met", "breached", "open", "cancelled", "undated", "none"]
"""The verdict on a clock: ``breached`` also while it is open and past due, ``undated`` if its record has no due
instant, ``none`` if nothing was promised."""

TakenBack = Literal["", "voided", "rearmed"]

_CLOSE: Final = 1e-9
"""The relative tolerance of a comparison, because sums of fractions may be added in another order."""


class ClockId(NamedTuple):
    """One cycle of one clock of one subject."""

    subject: str
    subject_id: str
    agreement: str
    clock: str
    cycle: int


class Announced(NamedTuple):
    """The announced breaches of one clock.

    ``breached_ms`` are the instants (event time) of its breaches, in the order of their announcement, and ``versions``
    the agreement's versions by which each was judged. ``taken_back`` is the state that took back the last breach, if
    one did. ``told_ms`` is when the first breach was announced; None if none was.
    """

    breached_ms: tuple[int, ...] = ()
    taken_back: TakenBack = ""
    versions: tuple[int, ...] = ()
    told_ms: int | None = None


NOTHING: Final = Announced()


class ClockDifference(NamedTuple):
    """A clock for which the two sides announce different breaches."""

    clock: ClockId
    one: Announced
    other: Announced


class FigureDifference(NamedTuple):
    """A figure of a period that differs between the two sides; None if a side does not have it."""

    indicator: str
    one: Figure | None
    other: Figure | None


class VerdictDifference(NamedTuple):
    """An objective that is judged differently; "" if a side does not judge it."""

    objective: str
    one: str
    other: str


class PeriodId(NamedTuple):
    """One closed period of one series."""

    series: SeriesKey
    window: str
    from_ms: int


class PeriodDifference(NamedTuple):
    """A period that the two sides state differently; None if a side does not state it."""

    period: PeriodId
    one: WindowStatus | None
    other: WindowStatus | None
    figures: tuple[FigureDifference, ...]
    verdicts: tuple[VerdictDifference, ...]


def announced(alerts: Iterable[tuple[Alert, int]], until_ms: int) -> dict[ClockId, Announced]:
    """Return the announced breaches of each clock.

    Args:
        alerts: each with the instant of its announcement; those of one key in the order of announcement. Alerts of
            series are skipped, and so is a second alert with the same id.
        until_ms: breaches after this instant of event time do not count.
    """
    found: dict[ClockId, Announced] = {}
    seen: set[str] = set()
    for alert, told_ms in alerts:
        key = alert.key
        if key.kind in OF_SERIES or alert.id in seen:
            continue
        seen.add(alert.id)
        clock = ClockId(key.kind, key.what, key.agreement, key.promise, key.cycle)
        known = found.get(clock, NOTHING)
        if alert.state == "breached" and alert.at_ms <= until_ms:
            found[clock] = Announced(
                (*known.breached_ms, alert.at_ms),
                "",
                (*known.versions, alert.version),
                known.told_ms if known.breached_ms else told_ms,
            )
        elif known.breached_ms and alert.state in ("voided", "rearmed"):
            found[clock] = known._replace(taken_back="voided" if alert.state == "voided" else "rearmed")
    return found


def clock_differences(one: Mapping[ClockId, Announced], other: Mapping[ClockId, Announced]) -> list[ClockDifference]:
    """Return the clocks whose announced breaches differ, ordered by clock."""
    return [
        ClockDifference(clock, mine, theirs)
        for clock in sorted({*one, *other})
        if (mine := one.get(clock, NOTHING)).breached_ms != (theirs := other.get(clock, NOTHING)).breached_ms
    ]


def period_id(statement: WindowStatus) -> PeriodId:
    """Return the id of a statement's period."""
    return PeriodId(statement.series, statement.window, statement.from_ms)


def period_differences(one: Iterable[WindowStatus], other: Iterable[WindowStatus]) -> list[PeriodDifference]:
    """Return the periods that are stated differently, ordered by period.

    A period that only one side states differs only if something happened in it: an empty statement counts as none.
    """
    ours, theirs = ({period_id(status): status for status in statuses} for statuses in (one, other))
    found = []
    for period in sorted({*ours, *theirs}):
        mine, their = ours.get(period), theirs.get(period)
        figures = _figure_differences(mine, their)
        verdicts = _verdict_differences(mine, their)
        if figures or (verdicts and mine is not None and their is not None):
            found.append(PeriodDifference(period, mine, their, figures, verdicts))
    return found


def _figure_differences(one: WindowStatus | None, other: WindowStatus | None) -> tuple[FigureDifference, ...]:
    ours, theirs = (
        {} if side is None else {figure.indicator: figure for figure in side.figures} for side in (one, other)
    )
    pairs = [(name, ours.get(name), theirs.get(name)) for name in dict.fromkeys((*ours, *theirs))]
    return tuple(FigureDifference(*pair) for pair in pairs if not _same(pair[1], pair[2]))


def _same(one: Figure | None, other: Figure | None) -> bool:
    """Return whether two figures are equal. A figure without numerator and denominator equals an absent one."""
    if one is None or other is None:
        figure = one or other
        return figure is None or not (figure.numerator or figure.denominator)
    return (
        _close(one.value, other.value)
        and _close(one.numerator, other.numerator)
        and _close(one.denominator, other.denominator)
    )


def _close(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return math.isclose(one, other, rel_tol=_CLOSE)


def _verdict_differences(one: WindowStatus | None, other: WindowStatus | None) -> tuple[VerdictDifference, ...]:
    ours, theirs = (
        {} if side is None else {verdict.objective: verdict.verdict for verdict in side.verdicts}
        for side in (one, other)
    )
    return tuple(
        VerdictDifference(name, ours.get(name, ""), theirs.get(name, ""))
        for name in dict.fromkeys((*ours, *theirs))
        if ours.get(name) != theirs.get(name)
    )


def clock_counts(verdicts: Mapping[ClockId, ClockVerdict]) -> dict[tuple[str, str], Counter[ClockVerdict]]:
    """Return how many clocks had each verdict, by agreement and clock."""
    found: dict[tuple[str, str], Counter[ClockVerdict]] = {}
    for clock, verdict in verdicts.items():
        found.setdefault((clock.agreement, clock.clock), Counter())[verdict] += 1
    return found


def objective_counts(statements: Iterable[WindowStatus]) -> dict[tuple[str, str, str], Counter[str]]:
    """Return how many closed periods had each verdict, by agreement, objective and window."""
    found: dict[tuple[str, str, str], Counter[str]] = {}
    for status in statements:
        for verdict in status.verdicts:
            place = status.series.agreement, verdict.objective, status.window
            found.setdefault(place, Counter())[verdict.verdict] += 1
    return found


def other_verdicts(
    one: Mapping[ClockId, ClockVerdict], other: Mapping[ClockId, ClockVerdict]
) -> list[tuple[ClockId, ClockVerdict, ClockVerdict]]:
    """Return the clocks that the two sides judge differently, each with both verdicts, ordered by clock."""
    return [
        (clock, mine, theirs)
        for clock in sorted({*one, *other})
        if (mine := one.get(clock, "none")) != (theirs := other.get(clock, "none"))
    ]
