"""The announcements of the monitor: alerts, status and statements, as CloudEvents 1.0 in JSON.

The envelopes (`monitor.wire.envelopes`) are the format: they encode, they decode, and the published schemas are made
from them.

| topic | key | CloudEvents type | id |
|---|---|---|---|
| alerts | the alert's key | ``sla.alert.<state>`` | the alert's id: the same for the same announcement, always |
| status | ``agreement/measure/values…/window`` | ``sla.status`` | hash of the key and of ``as_of`` |
| statements | the status key and the period's start | ``sla.statement`` | hash of the key: a period has one statement |
| reports | `monitor.wire.finished_reports` | ``sla.report`` | |
"""

from __future__ import annotations

import hashlib
from typing import Any, Final

import msgspec

from monitor.core.alerts.alert import Alert, AlertKey, SupportingMiss
from monitor.core.alerts.stretches import Stretch, Stretches
from monitor.core.objectives.status import ObjectiveVerdict, WindowStatus
from monitor.core.paging.notices import Notice
from monitor.core.series.figures import Figure
from monitor.core.series.series import SeriesKey
from monitor.wire.alert_rows import known
from monitor.wire.cloud_events import decoded, encode, enveloped, record
from monitor.wire.envelopes import (
    AlertData,
    AlertEnvelope,
    FigureData,
    NoticeData,
    NoticeEnvelope,
    StatementEnvelope,
    StatusData,
    StatusEnvelope,
    StretchData,
    StretchesData,
    SupportingData,
    VerdictData,
    announcement_schema,
)
from monitor.wire.instants import rfc3339
from monitor.wire.outcomes import budget_data, budget_of, consequence_data, consequence_of
from monitor.wire.visible import visible
from monitor.wire.wording import explain

__all__ = [
    "announcement_schema",
    "decode_alert",
    "decode_statement",
    "decode_status",
    "encode_alert",
    "encode_notice",
    "encode_statement",
    "encode_status",
    "stretches_json",
]


def encode_alert(alert: Alert, source: str) -> tuple[bytes, bytes]:
    """Return key and value of the record that announces an alert. ``source`` is the CloudEvents source."""
    envelope = _alert_envelope(alert, source)
    return envelope.subject.encode(), encode(envelope)


def encode_notice(notice: Notice, source: str, receiver: str, link: str | None, shown: int, zone: str = "UTC") -> bytes:
    """Return the body of a notice to a generic receiver, with the first ``shown`` of its alerts.

    Their texts tell instants in ``zone``.
    """
    at = rfc3339(notice.at_ms)
    data = NoticeData(
        key=notice.key,
        action=notice.action,
        severity=notice.severity,
        title=visible(notice.title),
        at=at,
        at_ms=notice.at_ms,
        step=notice.step,
        test=notice.is_test,
        receiver=receiver,
        alerts_total=len(notice.alerts),
        alerts=[_alert_envelope(alert, source, zone) for alert in notice.alerts[:shown]],
        link=link,
        repeat=notice.is_repeat,
    )
    return encode(
        enveloped(
            NoticeEnvelope, f"sla.notice.{notice.action}", data,
            event_id=notice.id, source=source, subject=notice.key, time=at,
        )
    )  # fmt: skip


def _alert_envelope(alert: Alert, source: str, zone: str = "UTC") -> AlertEnvelope:
    kind, what, agreement, promise, cycle = alert.key
    text = alert.key.text()
    at = rfc3339(alert.at_ms)
    start_ms, due_ms = alert.start_ms, alert.due_ms
    # Positional arguments, not keywords: with so many fields that takes a fifth of the time.
    data = AlertData(
        text,
        kind,
        what,
        agreement,
        alert.version,
        promise,
        cycle,
        alert.state,
        alert.reason,
        at,
        alert.at_ms,
        alert.backfill,
        alert.labels,
        explain(alert, zone),
        dict(alert.details),
        None if start_ms is None else rfc3339(start_ms),
        start_ms,
        None if due_ms is None else rfc3339(due_ms),
        due_ms,
        alert.budget_ms,
        alert.elapsed_ms,
        alert.wall_ms,
        alert.indicator,
        alert.window,
        alert.value,
        alert.target,
        alert.numerator,
        alert.denominator,
        None if alert.stretches is None else _stretches_data(alert.stretches),
        [
            SupportingData(one.agreement, one.version, one.kind, one.clock, rfc3339(one.missed_ms), one.missed_ms)  # type: ignore[arg-type]  # a Kind, though the core says str
            for one in alert.supporting
        ],
    )
    return enveloped(
        AlertEnvelope, f"sla.alert.{alert.state}", data, event_id=alert.id, source=source, subject=text, time=at
    )


def decode_alert(value: bytes | None) -> Alert:
    """Return the alert that a record of the alerts topic announces.

    Raises:
        DecodeError: the record is not an alert.
    """
    envelope = decoded(_alert_decoder, value)
    data = envelope.data
    return Alert(
        envelope.id,
        AlertKey(data.kind, data.what, data.agreement, data.promise, data.cycle),
        data.state,
        data.at_ms,
        data.reason,
        data.version,
        data.labels,
        known(data.start_ms),
        known(data.due_ms),
        known(data.budget_ms),
        known(data.elapsed_ms),
        known(data.wall_ms),
        data.indicator,
        data.window,
        data.value,
        data.target,
        data.numerator,
        data.denominator,
        data.backfill,
        tuple(data.details.items()),
        None if data.stretches is None else _stretches(data.stretches),
        tuple(
            SupportingMiss(one.agreement, one.version, one.kind, one.clock, one.missed_ms) for one in data.supporting
        ),
    )


def stretches_json(stretches: Stretches | None) -> dict[str, Any] | None:
    """Return the stretches of an alert in the JSON form of the alert's record."""
    found: dict[str, Any] | None = None if stretches is None else msgspec.to_builtins(_stretches_data(stretches))
    return found


def _stretches_data(stretches: Stretches) -> StretchesData:
    return StretchesData(
        [StretchData(kind, from_ms, to_ms, reason) for from_ms, to_ms, kind, reason in stretches.newest],
        stretches.left_out,
        stretches.left_out_ms,
        stretches.left_out_counted_ms,
    )


def _stretches(data: StretchesData) -> Stretches:
    return Stretches(
        tuple(Stretch(one.from_ms, one.to_ms, one.kind, one.reason) for one in data.newest),
        data.left_out,
        data.left_out_ms,
        data.left_out_counted_ms,
    )


def encode_status(status: WindowStatus, source: str) -> tuple[bytes, bytes]:
    """Return key and value of the record with the present status of a series in a window."""
    text = _series_text(status.series, status.window)
    return record(
        StatusEnvelope, "sla.status", _status_data(status),
        event_id=_hash(f"{text}@{status.as_of_ms}"), source=source, subject=text, time=rfc3339(status.as_of_ms),
    )  # fmt: skip


def status_key(series: SeriesKey, window: str) -> bytes:
    """Return the key of the status records of a series in a window; a record without a value ends the status."""
    return _series_text(series, window).encode()


def encode_statement(status: WindowStatus, source: str) -> tuple[bytes, bytes]:
    """Return key and value of the record with the final figures of a closed calendar period.

    Raises:
        ValueError: the period is not closed.
    """
    if not status.closed:
        raise ValueError(f"a statement is of a closed period, {status.window} from {status.from_ms} is open")
    text = f"{_series_text(status.series, status.window)}/{rfc3339(status.from_ms)}"
    return record(
        StatementEnvelope, "sla.statement", _status_data(status),
        event_id=_hash(text), source=source, subject=text, time=rfc3339(status.to_ms),
    )  # fmt: skip


def decode_status(value: bytes | None) -> WindowStatus:
    """Return the status that a record of the status topic holds.

    Raises:
        DecodeError: the record is not a status.
    """
    return _window_status(decoded(_status_decoder, value).data)


def decode_statement(value: bytes | None) -> WindowStatus:
    """Return the closed period that a record of the statements topic states.

    Raises:
        DecodeError: the record is not a statement.
    """
    return _window_status(decoded(_statement_decoder, value).data)


def _status_data(status: WindowStatus) -> StatusData:
    series = status.series
    return StatusData(
        agreement=series.agreement,
        version=status.version,
        measure=series.measure,
        values=list(series.values),
        labels=status.labels,
        window=status.window,
        from_=rfc3339(status.from_ms),
        from_ms=status.from_ms,
        to=rfc3339(status.to_ms),
        to_ms=status.to_ms,
        as_of=rfc3339(status.as_of_ms),
        as_of_ms=status.as_of_ms,
        closed=status.closed,
        figures=[
            FigureData(
                one.indicator,
                one.numerator,
                one.denominator,
                one.unit,  # type: ignore[arg-type]  # one of the units, though the core says str
                one.formula,
                one.value,
                one.lacking,
            )
            for one in status.figures
        ],
        verdicts=[
            VerdictData(
                one.objective,
                one.indicator,
                one.comparison,  # type: ignore[arg-type]  # a Comparison, though the core says str
                one.target,
                one.sample,
                one.minimum_sample,
                one.verdict,
                one.value,
                one.at_risk,
            )
            for one in status.verdicts
        ],
        live=status.live,
        budgets=[budget_data(one) for one in status.budgets],
        consequences=[consequence_data(one) for one in status.consequences],
        audience=list(status.audience),
        parts=status.parts,
        details=dict(status.details),
        before=dict(status.before),
    )


def _window_status(data: StatusData) -> WindowStatus:
    series = SeriesKey(data.agreement, data.measure, tuple(data.values))
    return WindowStatus(
        series,
        data.labels,
        data.window,
        data.from_ms,
        data.to_ms,
        data.as_of_ms,
        data.version,
        tuple(
            Figure(one.indicator, one.value, one.numerator, one.denominator, one.unit, one.formula, one.lacking)
            for one in data.figures
        ),
        tuple(
            ObjectiveVerdict(
                one.objective,
                one.indicator,
                one.comparison,
                one.target,
                one.at_risk,
                one.value,
                one.sample,
                one.minimum_sample,
                one.verdict,
            )
            for one in data.verdicts
        ),
        data.live,
        data.closed,
        tuple(budget_of(one) for one in data.budgets),
        tuple(consequence_of(one, series, data.window) for one in data.consequences),
        tuple(data.audience),
        data.parts,
        tuple(data.details.items()),
        tuple(data.before.items()),
    )


def _series_text(series: SeriesKey, window: str) -> str:
    return key_text(series.agreement, series.measure, *series.values, window)


def key_text(*parts: str) -> str:
    """Return the parts of a key as one text, in which they can still be told apart."""
    return "/".join(part.replace("%", "%25").replace("/", "%2F") for part in parts)


def _hash(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


_alert_decoder: Final = msgspec.json.Decoder(AlertEnvelope)
_status_decoder: Final = msgspec.json.Decoder(StatusEnvelope)
_statement_decoder: Final = msgspec.json.Decoder(StatementEnvelope)
