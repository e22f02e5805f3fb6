"""The envelopes of the monitor's announcements: CloudEvents 1.0, from which the published schemas are made.

Instants are RFC 3339 text in UTC for people and ``…_ms`` integers beside it for machines; all durations are
milliseconds. Optional fields are absent, never null. The docstrings of the classes are the descriptions in the schemas.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

import msgspec

from monitor.core.agreements.consequence_rules import Basis
from monitor.core.alerts.alert import AlertState
from monitor.core.alerts.stretches import StretchKind
from monitor.core.objectives.consequence import Cap, ConsequenceKind
from monitor.core.objectives.status import Verdict
from monitor.core.paging.delivery import DeliveryResult
from monitor.core.paging.not_told import NotToldReason
from monitor.core.paging.notices import Action, Severity
from monitor.core.windows.reports import ReportReason
from monitor.wire.contract import MAX_INTEGER

Kind = Literal["alert", "status", "statement", "report", "notice", "delivery"]

Text = Annotated[str, msgspec.Meta(extra_json_schema={"format": "date-time"})]
"""An instant as RFC 3339 text."""
Ms = Annotated[int, msgspec.Meta(description="milliseconds", ge=-MAX_INTEGER, le=MAX_INTEGER)]
"""A duration, or an instant since the epoch."""
Number = Annotated[int, msgspec.Meta(ge=0, le=MAX_INTEGER)]
"""A count, or a version. It is bounded, like all numbers of an alert, because a row takes no much larger one."""


Decimals = Annotated[str, msgspec.Meta(pattern=r"^[0-9]+(\.[0-9]+)?$", description="a decimal number")]
"""An amount of money, or a share: a decimal number as text."""


class StretchData(msgspec.Struct, frozen=True, omit_defaults=True):
    """A stretch of a clock's life: counted (open hours), closed, on a holiday, paused or solved (until reopened)."""

    kind: StretchKind
    from_ms: Ms
    to_ms: Ms
    reason: str = ""


class StretchesData(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the elapsed time is made of: the newest stretches, and the number and length of the older ones."""

    newest: list[StretchData]
    left_out: Number = 0
    left_out_ms: Ms = 0
    left_out_counted_ms: Ms = 0


class SupportingData(msgspec.Struct, frozen=True):
    """A clock of an OLA or UC on the same subject that had missed its target when the SLA's was breached."""

    agreement: str
    version: Number
    kind: Literal["sla", "ola", "uc"]
    clock: str
    missed: Text
    missed_ms: Ms


class AlertData(msgspec.Struct, frozen=True, omit_defaults=True):
    """One announcement of a clock (a ticket's, an outage's …) or of an objective. All of one life share ``key``."""

    key: str
    kind: str
    what: str
    agreement: str
    version: Number
    promise: str
    cycle: Number
    state: AlertState
    reason: str
    at: Text
    at_ms: Ms
    backfill: bool
    labels: dict[str, str]
    annotations: dict[str, str]
    details: dict[str, str] = {}
    start: Text | None = None
    start_ms: Ms | None = None
    due: Text | None = None
    due_ms: Ms | None = None
    budget_ms: Ms | None = None
    elapsed_ms: Ms | None = None
    wall_ms: Ms | None = None
    indicator: str = ""
    window: str = ""
    value: float | None = None
    target: float | None = None
    numerator: float | None = None
    denominator: float | None = None
    stretches: StretchesData | None = None
    supporting: list[SupportingData] = []


class FigureData(msgspec.Struct, frozen=True, omit_defaults=True):
    """One indicator with what it was made of. Without a value nothing was offered: neither 0 nor 100 %.

    ``lacking`` is how many subjects it leaves out because no event says how much they count.
    """

    indicator: str
    numerator: float
    denominator: float
    unit: Literal["ratio", "ms", "count", "amount"]
    formula: str
    value: float | None = None
    lacking: int = 0


class VerdictData(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of one objective."""

    objective: str
    indicator: str
    comparison: Literal[">=", "<="]
    target: float
    sample: int
    minimum_sample: int
    verdict: Verdict
    value: float | None = None
    at_risk: float | None = None


class BurnData(msgspec.Struct, frozen=True, omit_defaults=True):
    """How fast an error budget burns in a window. Without a rate nothing happened, or there is no budget to burn."""

    window: str
    bad: float
    all: float
    rate: float | None = None


class BudgetData(msgspec.Struct, kw_only=True, frozen=True, omit_defaults=True):
    """The error budget of an objective: amounts in ``unit``. It is a share of ``all``."""

    objective: str
    method: Literal["events", "timeslices"]
    unit: Literal["count", "ms"]
    total: float
    consumed: float
    remaining: float
    exhausted: bool
    consumed_share: float | None = None
    burns: list[BurnData] = []
    all: float = 0.0


class EvidenceData(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a consequence rests on: the figure, unrounded, and the periods that were missed, by their starts."""

    indicator: str
    value: float
    target: float
    numerator: float
    denominator: float
    formula: str
    misses_ms: list[Ms] = []


class ConsequenceData(msgspec.Struct, kw_only=True, frozen=True, omit_defaults=True):
    """What follows from a closed period for one objective. Amounts are decimals, as text.

    ``amount`` is due by the tier, ``payable`` what the caps leave of it, ``bound_by`` the cap that left less. Damages
    are ``rate`` times ``quantity``: of hours, of cases, or 1. ``breach`` names the kind of breach after which the
    customer may terminate at once.
    """

    objective: str
    kind: ConsequenceKind
    version: int
    from_: Text = msgspec.field(name="from")
    from_ms: Ms
    to: Text
    to_ms: Ms
    evidence: EvidenceData
    amount: Decimals = "0.00"
    currency: str = ""
    fee: Decimals = "0.00"
    share: Decimals = "0.00"
    tier: float = 0.0
    claim_until: Text | None = None
    claim_until_ms: Ms = 0
    payable: Decimals | None = None
    bound_by: Cap | Literal[""] = ""
    basis: Basis | Literal[""] = ""
    quantity: Decimals | None = None
    rate: Decimals | None = None
    breach: str = ""


class StatusData(msgspec.Struct, kw_only=True, frozen=True, omit_defaults=True):
    """All figures and verdicts of one series in one window ``[from, to)``.

    ``before`` holds, by objective, the values of the newest closed period of the same window.
    """

    agreement: str
    version: int
    measure: str
    values: list[str]
    labels: dict[str, str]
    window: str
    from_: Text = msgspec.field(name="from")
    from_ms: Ms
    to: Text
    to_ms: Ms
    as_of: Text
    as_of_ms: Ms
    closed: bool
    figures: list[FigureData]
    verdicts: list[VerdictData]
    live: dict[str, int]
    budgets: list[BudgetData] = []
    consequences: list[ConsequenceData] = []
    audience: list[str] = []
    parts: int = 1
    details: dict[str, str] = {}
    before: dict[str, float] = {}


class _Envelope(msgspec.Struct, kw_only=True, frozen=True):
    specversion: Literal["1.0"]
    id: str
    source: str
    subject: str
    time: Text
    datacontenttype: Literal["application/json"]


class AlertEnvelope(_Envelope, kw_only=True, frozen=True):
    """An alert as a CloudEvent. ``subject`` is the alert's key, ``time`` when the state truly changed."""

    type: Literal[
        "sla.alert.at_risk", "sla.alert.breached", "sla.alert.resolved", "sla.alert.voided", "sla.alert.rearmed"
    ]
    data: AlertData


class StatusEnvelope(_Envelope, kw_only=True, frozen=True):
    """The present standing of a series in a window as a CloudEvent: the newest of a key replaces those before it."""

    type: Literal["sla.status"]
    data: StatusData


class StatementEnvelope(_Envelope, kw_only=True, frozen=True):
    """The final figures of a calendar period as a CloudEvent: one for each series, window and period."""

    type: Literal["sla.statement"]
    data: StatusData


class ReportData(msgspec.Struct, kw_only=True, frozen=True, omit_defaults=True, rename={"from_": "from"}):
    """That the report of a finished period can be made, for one receiver of the agreement's ``reports``.

    ``period`` is its name (``2026-11``, ``2026-Q4``, ``2026-W48``), ``statistics`` the measures that the receiver sees
    (absent: all). ``reason``: ``closed`` is the first announcement of the period, ``cohort`` brings the statements of
    promises that outlast it, ``late`` brings others, made after this or a later period was announced. ``due`` is until
    when it is promised.
    """

    agreement: str
    version: Number
    window: Literal["day", "week", "month", "quarter", "year"]
    period: str
    zone: str
    from_: Text
    from_ms: Ms
    to: Text
    to_ms: Ms
    receiver: str
    reason: ReportReason
    as_of: Text
    as_of_ms: Ms
    due: Text
    due_ms: Ms
    statistics: list[str] = []


class ReportEnvelope(_Envelope, kw_only=True, frozen=True):
    """A finished report as a CloudEvent: the newest of a key replaces those before it."""

    type: Literal["sla.report"]
    data: ReportData


class NoticeData(msgspec.Struct, kw_only=True, frozen=True, omit_defaults=True):
    """One message to a receiver.

    ``alerts`` are announcements as they stand on their topic, but for their texts, which tell instants in the zone of
    the agreement. The most urgent is the first; of a storm there are those that fit: ``alerts_total`` counts all.
    ``repeat``: nothing has happened since the last notice of the page; it stands and nobody has acknowledged it.
    """

    key: str
    action: Action
    severity: Severity
    title: str
    at: Text
    at_ms: Ms
    step: int
    test: bool
    receiver: str
    alerts_total: int
    alerts: list[AlertEnvelope]
    link: str | None = None
    repeat: bool = False


class NoticeEnvelope(_Envelope, kw_only=True, frozen=True):
    """A notice as a CloudEvent, for generic receivers. ``subject`` is its key: the same from trigger to resolve."""

    type: Literal["sla.notice.trigger", "sla.notice.update", "sla.notice.resolve"]
    data: NoticeData


class DeliveryData(msgspec.Struct, kw_only=True, frozen=True, omit_defaults=True):
    """What became of a notice to one receiver: of one attempt, or that it begins or ends to wait.

    All of one page share ``key``, all of one notice ``notice``. ``attempt`` counts from 1 (0: none); ``status``
    is that of HTTP (0: there was no answer).

    ``not_told`` is the result of a decision to tell nobody of an alert, and has a ``reason``: ``key`` is the alert's,
    ``receiver`` is empty, ``next`` is when a silence ends.
    """

    notice: str
    key: str
    agreement: str
    receiver: str
    action: Action
    severity: Severity
    title: str
    step: int
    alerts: int
    result: DeliveryResult | Literal["not_told"]
    attempt: int
    status: int
    detail: str
    at: Text
    at_ms: Ms
    queued: Text
    queued_ms: Ms
    next: Text | None = None
    next_ms: Ms | None = None
    reason: NotToldReason | None = None


class DeliveryEnvelope(_Envelope, kw_only=True, frozen=True):
    """What became of a notice as a CloudEvent. ``subject`` is the notice's id."""

    type: Literal["sla.delivery"]
    data: DeliveryData


ENVELOPES: Final[dict[Kind, type[_Envelope]]] = {
    "alert": AlertEnvelope,
    "status": StatusEnvelope,
    "statement": StatementEnvelope,
    "report": ReportEnvelope,
    "notice": NoticeEnvelope,
    "delivery": DeliveryEnvelope,
}


def announcement_schema(kind: Kind) -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of the records of a topic that the monitor writes, or of its notices."""
    schema = msgspec.json.schema(ENVELOPES[kind])
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:sla-monitor:announcement:{kind}",
        **schema,
    }
