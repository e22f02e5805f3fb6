"""The clocks that broke their promise in a period: by how much, for which reason, and whose time it was."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from monitor.core.agreements.parties import by_party
from monitor.core.alerts.alert import OF_SERIES, Alert, AlertKey
from monitor.core.subjects.contribution import NOBODY
from monitor.replay.records import ClockRecord
from monitor.reports.scope import Scope
from monitor.reports.sources import Sources
from monitor.reports.words import shown
from monitor.wire.times import duration
from monitor.wire.wording import plural, stretch, supporting_text

_SHARES: Final = 3
"""The largest shares of the time that a reason names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """One clock that missed its target. Durations are the counted time (business hours, without pauses).

    ``over_ms`` is by how much the allowed time was exceeded, up to ``done_ms`` or, while it is open (None), up to the
    instant of the report; None where that is not known. ``reason`` tells where the time went.
    """

    kind: str
    subject: str
    promise: str
    cycle: int
    priority: str
    customer: str
    team: str
    due_ms: int | None
    done_ms: int | None
    is_open: bool
    allowed_ms: int | None
    used_ms: int | None
    reason: str
    supporting: str = ""

    @property
    def over_ms(self) -> int | None:
        """By how much the allowed time was exceeded; None where it is not known."""
        if self.used_ms is None or self.allowed_ms is None:
            return None
        return max(0, self.used_ms - self.allowed_ms)


class Tally(NamedTuple):
    """How many clocks of a promise and priority were missed, and how many of them are still open."""

    promise: str
    priority: str
    missed: int
    still_open: int


class Share(NamedTuple):
    """The time that a party or team had the missed clocks, and its part of all of their time."""

    name: str
    time_ms: int
    part: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BreachPart:
    """All breaches of a period, the longest overrun first. ``voided`` came out not to be breaches after all."""

    rows: tuple[Breach, ...]
    tally: tuple[Tally, ...]
    shares: tuple[Share, ...]
    voided: int


def breach_part(sources: Sources, scope: Scope) -> BreachPart:
    """Return the clocks whose due instant passed in the period without being met."""
    course: dict[AlertKey, list[Alert]] = {}
    for alert in sources.alerts:
        key = alert.key
        if key.agreement == scope.agreement.id and key.kind not in OF_SERIES and _is_shown(scope, alert):
            course.setdefault(key, []).append(alert)
    records: dict[tuple[str, str, str, int], ClockRecord] = {
        (one.subject, one.subject_id, one.clock, one.cycle): one
        for one in sources.records
        if one.agreement == scope.agreement.id and one.verdict in ("breached", "overdue")
    }
    rows: list[Breach] = []
    totals: Counter[str] = Counter()
    voided = 0
    for key, told in course.items():
        place = next((n for n in range(len(told) - 1, -1, -1) if told[n].state == "breached"), None)
        if place is None or not scope.period.holds(told[place].at_ms):
            continue
        after = told[place + 1 :]
        if any(one.state in ("voided", "rearmed") for one in after):
            voided += 1
            continue
        record = records.get((key.kind, key.what, key.promise, key.cycle))
        ended = next((one for one in after if one.state == "resolved"), None)
        rows.append(_breach(told[place], ended, record, scope))
        totals.update(_shares(record, scope))
    whole = totals.total()
    return BreachPart(
        rows=tuple(sorted(rows, key=lambda one: (-(one.over_ms or 0), one.promise, one.subject))),
        tally=_tally(rows),
        shares=tuple(Share(name, ms, ms / whole) for name, ms in totals.most_common() if whole),
        voided=voided,
    )


def _is_shown(scope: Scope, alert: Alert) -> bool:
    if not scope.may_see(alert.key.promise):
        return False
    return not scope.customer or scope.is_own(alert.labels | dict(alert.details))


def _breach(alert: Alert, ended: Alert | None, record: ClockRecord | None, scope: Scope) -> Breach:
    known = alert.labels | dict(alert.details)
    is_open = ended is None
    done_ms = None if ended is None else ended.at_ms
    used_ms = alert.elapsed_ms if ended is None else ended.elapsed_ms
    allowed_ms = alert.budget_ms
    if record is not None:
        is_open, done_ms = record.stop_ms is None, record.stop_ms
        used_ms, allowed_ms = record.elapsed_ms, record.budget_ms
    return Breach(
        kind=alert.key.kind,
        subject=shown(alert.key.what),
        promise=alert.key.promise,
        cycle=alert.key.cycle,
        priority=shown(record.priority if record is not None and record.priority else known.get("priority", "")),
        customer=shown(known.get("customer", "")),
        team="" if scope.customer else shown(known.get("team", "")),
        due_ms=alert.due_ms,
        done_ms=done_ms,
        is_open=is_open,
        allowed_ms=allowed_ms,
        used_ms=used_ms,
        reason=_reason(alert, record, scope),
        supporting=""
        if scope.customer
        else "; ".join(supporting_text(one, scope.agreement.zone) for one in alert.supporting),
    )


def _reason(alert: Alert, record: ClockRecord | None, scope: Scope) -> str:
    """Return where the time went: with whom it was, else of which stretches it is made."""
    told = _parts({name: ms for name, ms in _shares(record, scope).items() if name != NOBODY})
    states = {} if record is None else {name: ms for name, ms in record.contribution.states.items() if name}
    if len(states) > 1 or not told:
        told += _parts({name.replace("_", " "): ms for name, ms in states.items()})
    if not told and alert.stretches is not None:
        lengths: dict[str, int] = {}
        for one in alert.stretches.newest:
            lengths[stretch(one)] = lengths.get(stretch(one), 0) + one.end_ms - one.start_ms
        told = _parts(lengths) if len(lengths) > 1 else []
    if alert.supporting and not scope.customer:
        told.append(f"missed under it: {', '.join(f'{one.clock} of {one.agreement}' for one in alert.supporting)}")
    return "; ".join(told)


def _shares(record: ClockRecord | None, scope: Scope) -> Mapping[str, int]:
    """Return whose the elapsed time was: the parties' share of the work, else the teams'. A customer sees parties."""
    if record is None:
        return {}
    teams = record.contribution.teams
    parties = by_party(scope.agreement.parties, teams)
    return parties or ({} if scope.customer else teams)


def _parts(shares: Mapping[str, int]) -> list[str]:
    """Return the largest shares of a time in words, as one sentence or none; a single one is all of it."""
    largest = sorted(((name, ms) for name, ms in shares.items() if ms), key=lambda one: -one[1])
    if len(largest) <= 1:
        return [shown(name) for name, _ in largest]
    return [", ".join(f"{shown(name)} {duration(ms)}" for name, ms in largest[:_SHARES])]


def _tally(rows: Sequence[Breach]) -> tuple[Tally, ...]:
    counts = Counter((one.promise, one.priority) for one in rows)
    still = Counter((one.promise, one.priority) for one in rows if one.is_open)
    return tuple(Tally(*key, counts[key], still[key]) for key in sorted(counts))


def sentence(part: BreachPart) -> str:
    """Return how many clocks were missed, in words."""
    still = sum(one.is_open for one in part.rows)
    told = plural(len(part.rows), "clock") + " missed the target"
    if still:
        told += f", {still:,} of them still open"
    return told + (f"; {plural(part.voided, 'breach', 'breaches')} came out to be none" if part.voided else "")
