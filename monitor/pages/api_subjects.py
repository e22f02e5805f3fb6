"""The answers of the API about one subject: what `sla-monitor explain` tells, as typed models."""

from __future__ import annotations

from monitor.core.facts.events import Fact, Subject, Value
from monitor.core.series.series import LIVE, Change
from monitor.core.subjects.explanation import Standing
from monitor.pages.api_models import AlertOut, Model
from monitor.pages.subjects import Explained, Known
from monitor.pages.viewers import View
from monitor.wire.instants import rfc3339
from monitor.wire.wording import time_allowed, why


class StretchOut(Model):
    """A stretch of a clock's life: counted, closed, on a holiday, paused with its reason, or solved."""

    kind: str
    from_ms: int
    to_ms: int
    reason: str


class OriginOut(Model):
    """The level of the agreement that gives the target."""

    agreement: str
    version: int
    level: str


class ContributionOut(Model):
    """The elapsed time split in five ways; each split but that by party adds up to ``elapsed_ms``."""

    elapsed_ms: int
    parties: dict[str, int]
    teams: dict[str, int]
    agents: dict[str, int]
    states: dict[str, int]
    reasons: dict[str, int]


class MissOut(Model):
    """A clock of a supporting agreement that had missed its target when this one did."""

    agreement: str
    version: int
    kind: str
    clock: str
    missed_ms: int


class ClockOut(Model):
    """A clock at the instant of the answer. ``due_ms`` is null if it is never due as it stands."""

    agreement: str
    version: int
    clock: str
    metric: str
    cycle: int
    standing: Standing
    why: str
    priority: str
    target: str
    target_of: str
    calendar: str
    budget_ms: int
    days: int
    by_minute: int
    strict: bool
    due_at: str
    start_ms: int
    stop_ms: int | None
    due_ms: int | None
    elapsed_ms: int
    wall_ms: int
    flagged: bool
    stretches: list[StretchOut]
    origin: OriginOut
    contribution: ContributionOut
    supporting: list[MissOut]

    @classmethod
    def of(cls, known: Explained) -> ClockOut:
        """Return a clock as the API tells it."""
        one = known.one
        return cls(
            **{
                name: value
                for name, value in one._asdict().items()
                if name in cls.model_fields and name not in ("stretches", "origin", "contribution")
            },
            why=why(one),
            target=time_allowed(one.target),
            stretches=[
                StretchOut(kind=part.kind, from_ms=part.start_ms, to_ms=part.end_ms, reason=part.reason)
                for part in one.stretches
            ],
            origin=OriginOut(**one.origin._asdict()),
            contribution=ContributionOut(**one.contribution._asdict(), parties=dict(known.parties)),
            supporting=[MissOut(**miss._asdict()) for miss in known.under],
        )


class FactOut(Model):
    """One event of the subject, in the order in which events count."""

    id: str
    type: str
    time: str
    time_ms: int
    attributes: dict[str, Value]

    @classmethod
    def of(cls, one: Fact) -> FactOut:
        """Return a fact as the API tells it."""
        return cls(
            id=one.id, type=one.type, time=rfc3339(one.time_ms), time_ms=one.time_ms, attributes=dict(one.attributes)
        )


class CountOut(Model):
    """What a subject counts as in a series, at an instant or (null) as long as it is open."""

    agreement: str
    measure: str
    values: list[str]
    at_ms: int | None
    counts: dict[str, int]

    @classmethod
    def of(cls, one: Change) -> CountOut:
        """Return a change of counts as the API tells it."""
        series = one.series
        return cls(
            agreement=series.agreement, measure=series.measure, values=list(series.values),
            at_ms=None if one.at_ms == LIVE else one.at_ms, counts=dict(one.counts),
        )  # fmt: skip


class SubjectOut(Model):
    """A ticket, a call, an outage or a lead: its clocks, its alerts, its events and where it counts."""

    kind: Subject
    id: str
    now_ms: int
    attributes: dict[str, Value]
    clocks: list[ClockOut]
    alerts: list[AlertOut]
    counts: list[CountOut]
    facts: list[FactOut]

    @classmethod
    def of(cls, known: Known, view: View) -> SubjectOut:
        """Return a subject as the API tells it."""
        row = known.row
        return cls(
            kind=known.kind, id=known.id, now_ms=view.now_ms, attributes={} if row is None else dict(row.known()),
            clocks=[ClockOut.of(one) for one in known.clocks], alerts=[AlertOut.of(one) for one in known.alerts],
            counts=[CountOut.of(one) for one in row.shown if view.viewer.sees(one.series.agreement)] if row else [],
            facts=[] if row is None else [FactOut.of(one) for one in row.facts],
        )  # fmt: skip
