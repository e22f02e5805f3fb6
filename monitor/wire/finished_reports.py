"""The announcements of finished reports, as CloudEvents 1.0 in JSON.

The key is ``agreement/period/receiver``, the type ``sla.report``, the id a hash of the key and of ``as_of``.
"""

from __future__ import annotations

from typing import Final

import msgspec

from monitor.core.paging.pages import hash_of
from monitor.core.windows.reports import FinishedReport
from monitor.wire.announcements import key_text
from monitor.wire.cloud_events import decoded, record
from monitor.wire.envelopes import ReportData, ReportEnvelope
from monitor.wire.instants import rfc3339


def encode_report(report: FinishedReport, source: str) -> tuple[bytes, bytes]:
    """Return key and value of the record that announces a report. ``source`` is the CloudEvents source."""
    text = key_text(report.agreement, report.period, report.receiver)
    as_of = rfc3339(report.as_of_ms)
    data = ReportData(
        agreement=report.agreement,
        version=report.version,
        window=report.window,  # type: ignore[arg-type]  # calendar periods only are reported
        period=report.period,
        zone=report.zone,
        from_=rfc3339(report.from_ms),
        from_ms=report.from_ms,
        to=rfc3339(report.to_ms),
        to_ms=report.to_ms,
        receiver=report.receiver,
        reason=report.reason,
        as_of=as_of,
        as_of_ms=report.as_of_ms,
        due=rfc3339(report.due_ms),
        due_ms=report.due_ms,
        statistics=list(report.statistics),
    )
    event_id = hash_of(text, str(report.as_of_ms))
    return record(ReportEnvelope, "sla.report", data, event_id=event_id, source=source, subject=text, time=as_of)


def decode_report(value: bytes | None) -> FinishedReport:
    """Return the report that a record of the reports topic announces.

    Raises:
        DecodeError: the record announces none.
    """
    data = decoded(_decoder, value).data
    return FinishedReport(
        agreement=data.agreement,
        version=data.version,
        window=data.window,
        period=data.period,
        zone=data.zone,
        from_ms=data.from_ms,
        to_ms=data.to_ms,
        receiver=data.receiver,
        statistics=tuple(data.statistics),
        reason=data.reason,
        as_of_ms=data.as_of_ms,
        due_ms=data.due_ms,
    )


_decoder: Final = msgspec.json.Decoder(ReportEnvelope)
