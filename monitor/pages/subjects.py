"""What is known of a ticket, a call, an outage or a lead: its clocks explained, its alerts, where it counts."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Final, NamedTuple

from fastapi import HTTPException

from monitor.config.agreements.checking import book_of
from monitor.core.agreements.clock_metrics import METRICS
from monitor.core.agreements.parties import by_party
from monitor.core.alerts.alert import Alert, SupportingMiss
from monitor.core.clocks.due import missed_ms
from monitor.core.clocks.supporting import Misses
from monitor.core.clocks.terms import Plan
from monitor.core.facts.events import Subject
from monitor.core.subjects.explanation import Explanation, explain
from monitor.core.subjects.rows import SubjectRow
from monitor.errors import SlaMonitorError
from monitor.pages.viewers import View

log = logging.getLogger(__name__)

ReadRow = Callable[[Subject, str], Awaitable[SubjectRow | None]]
"""Reads the newest row of a subject: all of a changelog, so it takes a while."""

SUBJECTS: Final[dict[str, Subject]] = {subject: subject for subject, metrics in METRICS.items() if metrics}
READ_S: Final = 20.0
"""So long the row of a subject may take to be read."""
READERS: Final = 2
"""So many rows are read at once; others wait."""


class Explained(NamedTuple):
    """One clock: why it stands as it does, what was missed under it, and whose of the parties its time was."""

    one: Explanation
    under: tuple[SupportingMiss, ...]
    parties: Mapping[str, int]
    zone: str


class Known(NamedTuple):
    """What a viewer may know of a subject. ``row`` is None if nothing of it may be shown but alerts."""

    kind: Subject
    id: str
    row: SubjectRow | None
    clocks: list[Explained]
    alerts: list[Alert]


class Subjects:
    """Reads what is known of subjects."""

    def __init__(self, read_row: ReadRow) -> None:
        self._read_row = read_row
        self._reading = asyncio.Semaphore(READERS)

    async def known(self, view: View, kind: str, subject_id: str) -> Known:
        """Return what a viewer may know of a subject.

        Raises:
            HTTPException: that is nothing, or the state of the workers cannot be read; the detail says why.
        """
        if kind not in SUBJECTS or not view.viewer.is_inside:
            detail = f"There are no pages of the kind {kind}, or they are not for you to see."
            raise HTTPException(HTTPStatus.NOT_FOUND, detail)
        try:
            async with asyncio.timeout(READ_S), self._reading:
                row = await self._read_row(SUBJECTS[kind], subject_id)
        except TimeoutError:
            raise _unread(kind, subject_id, "reading the workers' state took too long: try again") from None
        except SlaMonitorError as error:
            raise _unread(kind, subject_id, str(error)) from None
        clocks = [] if row is None else explained(view, row)
        alerts = [one for one in view.alerts() if (one.key.kind, one.key.what) == (kind, subject_id)]
        is_counted = row is not None and any(view.viewer.sees(one.series.agreement) for one in row.shown)
        if not clocks and not alerts and not is_counted:
            why = "nothing is promised for it" if row is not None else "it is finished for long, or was never seen"
            raise HTTPException(HTTPStatus.NOT_FOUND, f"No {kind} {subject_id} is to be shown: {why}.")
        return Known(SUBJECTS[kind], subject_id, row if clocks or is_counted else None, clocks, alerts)


def _unread(kind: str, subject_id: str, reason: str) -> HTTPException:
    log.warning("the row of %s %s cannot be read: %s", kind, subject_id, reason)
    detail = f"The state of {kind} {subject_id} cannot be read now: {reason}."
    return HTTPException(HTTPStatus.SERVICE_UNAVAILABLE, detail)


def explained(view: View, row: SubjectRow) -> list[Explained]:
    """Return the clocks of a subject under agreements that may be seen."""
    plan = Plan(book_of(view.documents()))
    misses = Misses(row.clocks, plan)
    found = []
    for clock in row.clocks:
        terms = plan.terms(clock)
        if terms is None or not view.viewer.sees(clock.series.agreement):
            continue
        one = explain(row, clock, terms, view.now_ms)
        missed_at_ms = missed_ms(clock, terms)
        under = misses.under(clock, missed_at_ms) if missed_at_ms is not None and missed_at_ms <= view.now_ms else ()
        text = view.text_of(one.agreement, one.version)
        parties = by_party(text.parties if text else (), one.contribution.teams)
        seen = tuple(miss for miss in under if view.viewer.sees(miss.agreement))
        found.append(Explained(one, seen, parties, terms.agreement.zone))
    return found
