"""Alerts in rows: an instant or amount that an alert does not have is None in the core, and -1 in a row.

Rows have held -1 since the first release, so their bytes stay as they are. Only this module knows of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from monitor.core.alerts.alert import Alert
from monitor.core.paging.delivery import FailedRow, OutboxRow
from monitor.core.paging.notices import Notice
from monitor.core.paging.pages import AlertRow

_NONE: Final = -1
_FIRST: Final = Alert._fields.index("start_ms")
_END: Final = Alert._fields.index("wall_ms") + 1


def known(amount_ms: int | None) -> int | None:
    """Return an instant or amount of an alert that was read as the core has it: below 0 means that there is none."""
    return None if amount_ms is None or amount_ms < 0 else amount_ms


def stored(row: object) -> object:
    """Return a row of a partition of alerts as it is written."""
    return _with_alerts(row, _stored)


def restored(row: object) -> object:
    """Return a row of a partition of alerts as the core has it."""
    return _with_alerts(row, _restored)


def _with_alerts(row: object, change: Callable[[Alert], Alert]) -> object:
    match row:
        case AlertRow():
            return row._replace(alert=change(row.alert))
        case OutboxRow():
            return row._replace(waiting=[one._replace(notice=_notice(one.notice, change)) for one in row.waiting])
        case FailedRow():
            return row._replace(failed=[one._replace(notice=_notice(one.notice, change)) for one in row.failed])
        case _:
            return row


def _notice(notice: Notice, change: Callable[[Alert], Alert]) -> Notice:
    return notice._replace(alerts=tuple(map(change, notice.alerts)))


def _stored(alert: Alert) -> Alert:
    times = _times(alert)
    return _with_times(alert, [_NONE if one is None else one for one in times]) if None in times else alert


def _restored(alert: Alert) -> Alert:
    times = [known(one) for one in _times(alert)]
    return _with_times(alert, times) if None in times else alert


def _times(alert: Alert) -> tuple[int | None, ...]:
    return alert.start_ms, alert.due_ms, alert.budget_ms, alert.elapsed_ms, alert.wall_ms


def _with_times(alert: Alert, times: Sequence[int | None]) -> Alert:
    """Return the alert with other times. Not by ``_replace``, which takes six times as long."""
    return tuple.__new__(Alert, (*alert[:_FIRST], *times, *alert[_END:]))
