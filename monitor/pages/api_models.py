"""The answers of the API, as typed models: durations and instants are in milliseconds, instants also in RFC 3339."""

from __future__ import annotations

from typing import Generic, Literal, TypeVar
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field

from monitor.core.agreements.agreement import Agreement
from monitor.core.alerts.alert import Alert
from monitor.core.objectives.status import ObjectiveVerdict, WindowStatus
from monitor.pages.board import Board, Due, Standing
from monitor.pages.due_page import DueRow
from monitor.pages.reports import Finished
from monitor.read_model.arrivals import Arrived
from monitor.reports.forms import Form
from monitor.wire.instants import rfc3339
from monitor.wire.outcome_words import follows
from monitor.wire.promises import promises_of
from monitor.wire.wording import summary

T = TypeVar("T")


class Model(BaseModel):
    """Base of the answers."""

    model_config = ConfigDict(frozen=True)


class Problem(Model):
    """What went wrong, as RFC 9457 describes it."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str = ""
    errors: list[str] = []


class Listed(Model, Generic[T]):
    """One page of a list. ``next`` is the address of the page after it."""

    items: list[T]
    page: int
    has_more: bool
    next: str | None = None


class AlertOut(Model):
    """One announcement."""

    id: str
    key: str
    kind: str
    what: str
    agreement: str
    version: int
    promise: str
    cycle: int
    state: Literal["at_risk", "breached", "resolved", "voided", "rearmed"]
    reason: str
    at: str
    at_ms: int
    due_ms: int | None
    window: str
    indicator: str
    value: float | None
    target: float | None
    numerator: float | None
    denominator: float | None
    backfill: bool
    labels: dict[str, str]
    details: dict[str, str]
    summary: str

    @classmethod
    def of(cls, one: Alert) -> AlertOut:
        """Return an alert as the API tells it."""
        return cls(
            **one.key._asdict() | {"key": one.key.text()}, id=one.id, version=one.version, state=one.state,
            reason=one.reason, at=rfc3339(one.at_ms), at_ms=one.at_ms, due_ms=one.due_ms, window=one.window,
            indicator=one.indicator, value=one.value, target=one.target, numerator=one.numerator,
            denominator=one.denominator, backfill=one.backfill, labels=one.labels, details=dict(one.details),
            summary=summary(one),
        )  # fmt: skip


class VerdictOut(Model):
    """A figure against its target."""

    objective: str
    indicator: str
    comparison: str
    target: float
    value: float | None
    sample: int
    minimum_sample: int
    verdict: str

    @classmethod
    def of(cls, one: ObjectiveVerdict) -> VerdictOut:
        """Return a verdict as the API tells it."""
        found = one._asdict()
        return cls(**{name: found[name] for name in cls.model_fields})


class FigureOut(Model):
    """A figure with its formula."""

    indicator: str
    value: float | None
    numerator: float
    denominator: float
    unit: str
    formula: str
    lacking: int


class StatementOut(Model):
    """The final figures of one series in one closed period."""

    agreement: str
    version: int
    measure: str
    labels: dict[str, str]
    window: str
    from_: str = Field(alias="from")
    to: str
    from_ms: int
    to_ms: int
    parts: int
    figures: list[FigureOut]
    verdicts: list[VerdictOut]
    consequences: list[str]

    @classmethod
    def of(cls, one: WindowStatus) -> StatementOut:
        """Return a statement as the API tells it."""
        return cls(
            agreement=one.series.agreement, version=one.version, measure=one.series.measure, labels=one.labels,
            window=one.window, **{"from": rfc3339(one.from_ms)}, to=rfc3339(one.to_ms), from_ms=one.from_ms,
            to_ms=one.to_ms, parts=one.parts, figures=[FigureOut(**figure._asdict()) for figure in one.figures],
            verdicts=[VerdictOut.of(verdict) for verdict in one.verdicts],
            consequences=[f"{due.objective}: {follows(due)}" for due in one.consequences],
        )  # fmt: skip


class PromiseOut(Model):
    """One line of an agreement, in words."""

    id: str
    of: str
    promise: str
    windows: str


class AgreementOut(Model):
    """One agreement, as it holds now."""

    id: str
    version: int
    name: str
    kind: str
    provider: str
    customer: str
    service: str
    status: str
    zone: str
    valid_from: str
    promises: list[PromiseOut]

    @classmethod
    def of(cls, one: Agreement) -> AgreementOut:
        """Return an agreement as the API tells it."""
        return cls(
            id=one.id, version=one.version, name=one.name, kind=one.kind, provider=one.provider, customer=one.customer,
            service=one.service, status=one.status, zone=one.zone, valid_from=rfc3339(one.valid_from_ms),
            promises=[PromiseOut(id=p.id, of=p.of, promise=p.what, windows=p.windows) for p in promises_of(one)],
        )  # fmt: skip


class ReportOut(Model):
    """A finished period of an agreement, and the addresses of its report by form.

    ``customers`` are those for whom the reader gets reports: if they are several, ``&customer=`` names the one.
    """

    agreement: str
    period: str
    title: str
    window: str
    from_: str = Field(alias="from")
    to: str
    from_ms: int
    to_ms: int
    customers: list[str]
    files: dict[str, str]

    @classmethod
    def of(cls, one: Finished, forms: list[Form]) -> ReportOut:
        """Return a finished period as the API tells it."""
        period = one.period
        address = f"/api/v1/reports/{quote(one.agreement.id, safe='')}/{period.name}"
        return cls(
            agreement=one.agreement.id, period=period.name, title=period.title, window=period.window,
            **{"from": rfc3339(period.from_ms)}, to=rfc3339(period.to_ms), from_ms=period.from_ms, to_ms=period.to_ms,
            customers=list(one.customers), files={form: f"{address}?format={form}" for form in forms},
        )  # fmt: skip


class DueOut(Model):
    """A clock that is at risk, or missed and still open. ``left_ms`` counts open hours; below zero it is late."""

    kind: str
    what: str
    agreement: str
    promise: str
    cycle: int
    state: str
    due_ms: int | None
    left_ms: int | None
    runs: bool
    paused: bool
    about: dict[str, str]

    @classmethod
    def of(cls, one: Due) -> DueOut:
        """Return a clock as the API tells it."""
        key = one.alert.key
        return cls(
            kind=key.kind, what=key.what, agreement=key.agreement, promise=key.promise, cycle=key.cycle,
            state=one.alert.state, due_ms=one.alert.due_ms, left_ms=one.left_ms, runs=one.runs, paused=one.is_held,
            about=one.about,
        )  # fmt: skip


class DueClockOut(Model):
    """A clock that runs and is not missed, at risk or not yet. ``left_ms`` counts open hours."""

    subject: Literal["ticket", "call", "outage", "lead"]
    subject_id: str
    agreement: str
    version: int
    promise: str
    cycle: int
    due: str
    due_ms: int
    left_ms: int
    runs: bool
    used: float
    budget_ms: int
    at_risk: bool
    about: dict[str, str]

    @classmethod
    def of(cls, row: DueRow) -> DueClockOut:
        """Return a clock as the API tells it."""
        one = row.clock
        return cls(
            subject=one.subject, subject_id=one.subject_id, agreement=one.agreement, version=one.version,
            promise=one.promise, cycle=one.cycle, due=rfc3339(one.due_ms), due_ms=one.due_ms, left_ms=row.left_ms,
            runs=row.runs, used=row.used, budget_ms=one.budget_ms, at_risk=one.at_risk, about=dict(one.about),
        )  # fmt: skip


class ArrivedOut(Model):
    """What arrived of one kind of event. ``newest_ms`` is null if there was none, or nobody could read it."""

    subject: Literal["ticket", "call", "outage", "lead"]
    records: int
    since: str
    since_ms: int
    newest: str | None
    newest_ms: int | None

    @classmethod
    def of(cls, one: Arrived) -> ArrivedOut:
        """Return what arrived as the API tells it."""
        newest = None if one.newest_ms is None else rfc3339(one.newest_ms)
        return cls(
            subject=one.subject, records=one.records, since=rfc3339(one.since_ms), since_ms=one.since_ms,
            newest=newest, newest_ms=one.newest_ms,
        )  # fmt: skip


class StandingOut(Model):
    """One objective over all its series and windows, by the worst of them."""

    agreement: str
    objective: str
    measure: str
    verdict: str
    counts: dict[str, int]
    worst: VerdictOut | None
    labels: dict[str, str]
    window: str | None

    @classmethod
    def of(cls, one: Standing) -> StandingOut:
        """Return an objective as the API tells it."""
        worst = one.worst
        return cls(
            agreement=one.agreement.id, objective=one.objective, measure=one.measure, verdict=one.verdict,
            counts=dict(one.counts), worst=None if worst is None else VerdictOut.of(worst.verdict),
            labels={} if worst is None else worst.status.labels, window=None if worst is None else worst.status.window,
        )  # fmt: skip


class StatusOut(Model):
    """How all stands: what breaks next, what was missed and is open, and each objective, worst first."""

    as_of: str | None
    as_of_ms: int | None
    now_ms: int
    late_ms: int | None
    complete: bool
    broken: int
    at_risk: int
    next: list[DueOut]
    missed: list[DueOut]
    objectives: list[StandingOut]

    @classmethod
    def of(cls, one: Board, *, complete: bool) -> StatusOut:
        """Return the board as the API tells it."""
        return cls(
            as_of=None if one.as_of_ms is None else rfc3339(one.as_of_ms), as_of_ms=one.as_of_ms, now_ms=one.now_ms,
            late_ms=one.late_ms, complete=complete, broken=one.objectives("breached"),
            at_risk=one.objectives("at_risk"), next=[DueOut.of(due) for due in (*one.next, *one.held)],
            missed=[DueOut.of(due) for due in one.missed],
            objectives=[StandingOut.of(standing) for standing in one.standings],
        )  # fmt: skip
