"""Who gets which statistics when, as people read it."""

from __future__ import annotations

from typing import Any

from monitor.core.agreements.agreement import Agreement
from monitor.core.agreements.schedule import DueReport, schedule
from monitor.core.time.periods import period_date
from monitor.wire.instants import rfc3339
from monitor.wire.times import instant


def reports_json(agreement: Agreement, now_ms: int, begin_ms: int) -> list[dict[str, Any]]:
    """Return each schedule of an agreement, with the report before and after an instant, for JSON."""
    found = []
    for rights in agreement.reports:
        dates = schedule(agreement, rights, now_ms, begin_ms)
        found.append(
            {
                "to": list(rights.to),
                "every": rights.every,
                "statistics": list(rights.statistics) or [one.id for one in agreement.measures()],
                "within_ms": rights.within_ms or None,
                "last": _json(dates.last),
                "next": _json(dates.next),
            }
        )
    return found


def report_rows(agreement: Agreement, now_ms: int, begin_ms: int) -> list[tuple[str, ...]]:
    """Return each schedule of an agreement as cells: who, what, how often, the newest report, and the next one."""
    rows: list[tuple[str, ...]] = []
    for rights in agreement.reports:
        dates = schedule(agreement, rights, now_ms, begin_ms)
        what = ", ".join(rights.statistics) or "all statistics"
        last = (
            "" if dates.last is None else f"{_period(agreement, dates.last)}, {_since(agreement, dates.last, now_ms)}"
        )
        next_ = (
            ""
            if dates.next is None
            else f"{_period(agreement, dates.next)}, due {instant(dates.next.due_ms, agreement.zone)}"
        )
        rows.append((", ".join(rights.to), what, rights.every, last, next_))
    return rows


def _since(agreement: Agreement, one: DueReport, now_ms: int) -> str:
    word = "due" if now_ms < one.due_ms else "was due"
    stated, due = instant(one.stated_ms, agreement.zone), instant(one.due_ms, agreement.zone)
    return f"stated {stated}, {word} {due}"


def _period(agreement: Agreement, one: DueReport) -> str:
    first, last = (period_date(agreement.zone, at_ms) for at_ms in (one.from_ms, one.to_ms - 1))
    return first if first == last else f"{first} to {last}"


def _json(one: DueReport | None) -> dict[str, str] | None:
    if one is None:
        return None
    return {
        "from": rfc3339(one.from_ms), "to": rfc3339(one.to_ms), "stated": rfc3339(one.stated_ms),
        "due": rfc3339(one.due_ms),
    }  # fmt: skip
