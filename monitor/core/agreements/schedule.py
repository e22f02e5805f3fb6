"""The schedule of statistics: when a report of statements is due to those who may see them (domain.md §1).

A report covers one period of the agreement's zone. Its statements stand once the period has closed: after its end and
the allowed lateness. It is due then, or ``within_ms`` after the end of the period where the agreement allows longer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from monitor.core.time.periods import period

if TYPE_CHECKING:
    from collections.abc import Iterable

    from monitor.core.agreements.agreement import Agreement, Rights


class DueReport(NamedTuple):
    """The report of one period ``[from_ms, to_ms)``: when its statements stand, and until when it is due."""

    from_ms: int
    to_ms: int
    stated_ms: int
    due_ms: int


class Schedule(NamedTuple):
    """The newest report whose statements stand, and the one after it; None where there is none (any more)."""

    last: DueReport | None
    next: DueReport | None


def began_ms(versions: Iterable[Agreement], agreement: Agreement) -> int:
    """Return when an agreement began: the first of its versions that bound anybody."""
    return min(
        (one.valid_from_ms for one in versions if one.id == agreement.id and one.status != "draft"),
        default=agreement.valid_from_ms,
    )


def schedule(agreement: Agreement, rights: Rights, now_ms: int, begin_ms: int) -> Schedule:
    """Return the reports before and after an instant.

    A draft binds nobody: nothing is reported under it.

    Args:
        agreement: the version that holds.
        rights: one of its schedules.
        now_ms: the instant.
        begin_ms: when the agreement began (`began_ms`): an amendment does not cut a period in two.
    """
    if agreement.status == "draft":
        return Schedule(None, None)
    # Of the period that holds this instant no statement stands yet, of the one before it all do.
    at_ms = max(now_ms - agreement.allowed_lateness_ms, begin_ms)
    start_ms = period(agreement.zone, rights.every, at_ms).start_ms
    last = report_of(agreement, rights, start_ms - 1, begin_ms) if start_ms > begin_ms else None
    found = report_of(agreement, rights, at_ms, begin_ms)
    if found is None:  # the agreement is over: its last period was cut off at its end
        assert agreement.terminates_ms is not None
        return Schedule(report_of(agreement, rights, agreement.terminates_ms - 1, begin_ms), None)
    return Schedule(last, found)


def report_of(agreement: Agreement, rights: Rights, at_ms: int, begin_ms: int) -> DueReport | None:
    """Return the report of the period that holds an instant; None from the agreement's end on."""
    until_ms = agreement.terminates_ms
    if until_ms is not None and at_ms >= until_ms:
        return None
    of = period(agreement.zone, rights.every, at_ms)
    from_ms = max(of.start_ms, begin_ms)
    to_ms = of.end_ms if until_ms is None else min(of.end_ms, until_ms)
    stated_ms = to_ms + agreement.allowed_lateness_ms
    return DueReport(from_ms, to_ms, stated_ms, max(stated_ms, to_ms + rights.within_ms))
