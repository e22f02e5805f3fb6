"""The page of a ticket, a call, an outage or a lead: the explanation of its clocks, as pictures and as ledgers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Final, NamedTuple

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from monitor.config.agreements.checking import book_of
from monitor.core.agreements.clock_metrics import METRICS
from monitor.core.agreements.parties import by_party
from monitor.core.alerts.alert import SupportingMiss
from monitor.core.alerts.stretches import Stretch
from monitor.core.clocks.due import missed_ms
from monitor.core.clocks.supporting import Misses
from monitor.core.clocks.terms import Plan
from monitor.core.facts.events import Subject
from monitor.core.subjects.explanation import Explanation, explain
from monitor.core.subjects.rows import SubjectRow
from monitor.errors import SlaMonitorError
from monitor.pages.site import Site
from monitor.pages.viewers import View
from monitor.wire.wording import stretch, supporting_text, time_allowed, why

log = logging.getLogger(__name__)

ReadRow = Callable[[Subject, str], Awaitable[SubjectRow | None]]
"""Reads the newest row of a subject: all of a changelog, so it takes a while."""

SUBJECTS: Final[dict[str, Subject]] = {subject: subject for subject, metrics in METRICS.items() if metrics}
READ_S: Final = 20.0
"""So long the row of a subject may take to be read."""
READERS: Final = 2
"""So many rows are read at once; others wait."""
WIDTH: Final = 1000
_STANDINGS: Final = {"overdue": "breached", "running": "on_track", "paused": "on_track"}


class Bar(NamedTuple):
    """A stretch in the picture: where it is, its kind, and its words."""

    x: float
    width: float
    kind: str
    words: str


class Picture(NamedTuple):
    """The life of a clock as a picture of `WIDTH`: its stretches, and the instants that matter.

    ``late`` is the part after the due instant; None if it was in time. ``due`` is None without a due instant, ``now``
    if the clock has stopped.
    """

    bars: tuple[Bar, ...]
    due: float | None
    late: tuple[float, float] | None
    now: float | None
    now_ms: int


class Ledger(NamedTuple):
    """One stretch as a line: what it is, what of it counts, and the elapsed time up to its end."""

    part: Stretch
    words: str
    counted_ms: int
    total_ms: int


class Told(NamedTuple):
    """One clock, as the page shows it."""

    one: Explanation
    verdict: str
    why: str
    allowed: str
    picture: Picture
    ledger: tuple[Ledger, ...]
    shares: tuple[tuple[str, tuple[tuple[str, int], ...]], ...]
    under: tuple[str, ...]
    zone: str

    @property
    def instants(self) -> list[tuple[str, int]]:
        """When it was or is due, and when it stopped or what time it is, in their order."""
        one, picture = self.one, self.picture
        end = ("stopped", one.stop_ms) if one.stop_ms is not None else ("now", picture.now_ms)
        due = [("due", one.due_ms)] if one.due_ms is not None else []
        return sorted([end, *due], key=lambda named: named[1])


def subject_routes(site: Site, read_row: ReadRow) -> APIRouter:
    """Return the route of a subject."""
    router = APIRouter()
    reading = asyncio.Semaphore(READERS)

    @router.get("/subjects/{kind}/{subject_id:path}", response_class=HTMLResponse)
    async def subject(request: Request, kind: str, subject_id: str) -> HTMLResponse:
        """Explain why the clocks of a subject stand as they do."""
        view = site.view(request)
        if kind not in SUBJECTS or not view.viewer.is_inside:
            return _nothing(site, view, f"There are no pages of the kind {kind}, or they are not for you to see.")
        try:
            async with asyncio.timeout(READ_S), reading:
                row = await read_row(SUBJECTS[kind], subject_id)
        except TimeoutError:
            return _unread(site, view, f"{kind} {subject_id}", "reading the workers' state took too long: try again")
        except SlaMonitorError as error:
            return _unread(site, view, f"{kind} {subject_id}", str(error))
        told = [] if row is None else told_of(view, row)
        alerts = [one for one in view.alerts() if (one.key.kind, one.key.what) == (kind, subject_id)]
        if not told and not alerts:
            known = "nothing is promised for it" if row is not None else "it is finished for long, or was never seen"
            return _nothing(site, view, f"No {kind} {subject_id} is to be shown: {known}.")
        facts = row.facts if row is not None and told else ()
        return site.page(
            "subject.html", view, kind=kind, what=subject_id, told=told, alerts=alerts, facts=facts,
            acks=view.acknowledgements(), out=view.out_ids(), width=WIDTH,
            attributes=row.known() if row is not None and told else {},
            zone=told[0].zone if told else _zone_of(view, alerts[0].key.agreement),
        )  # fmt: skip

    return router


def _zone_of(view: View, agreement_id: str) -> str:
    return next((one.zone for one in view.overview().agreements if one.id == agreement_id), "UTC")


def _nothing(site: Site, view: View, what: str) -> HTMLResponse:
    return site.page("nothing.html", view, status=HTTPStatus.NOT_FOUND, what=what)


def _unread(site: Site, view: View, name: str, reason: str) -> HTMLResponse:
    log.warning("the row of %s cannot be read: %s", name, reason)
    what = f"The state of {name} cannot be read now: {reason}."
    return site.page("nothing.html", view, status=HTTPStatus.SERVICE_UNAVAILABLE, what=what)


def told_of(view: View, row: SubjectRow) -> list[Told]:
    """Return the clocks of a subject under agreements that may be seen, the broken ones first."""
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
        found.append(_told(one, under, view, terms.agreement.zone))
    return sorted(found, key=lambda told: (told.verdict != "breached", told.verdict != "at_risk"))


def _told(one: Explanation, under: Sequence[SupportingMiss], view: View, zone: str) -> Told:
    text = view.text_of(one.agreement, one.version)
    return Told(
        one,
        _STANDINGS.get(one.standing, one.standing),
        why(one, zone),
        f"by its {one.due_at}" if one.due_at else time_allowed(one.target),
        picture_of(one, view.now_ms),
        ledger_of(one.stretches),
        _shares(one, by_party(text.parties if text else (), one.contribution.teams)),
        tuple(supporting_text(miss, zone) for miss in under),
        zone,
    )


def picture_of(one: Explanation, now_ms: int) -> Picture:
    """Return the life of a clock as a picture."""
    ends = [part.end_ms for part in one.stretches]
    is_open = one.stop_ms is None
    life_ms = max([one.start_ms, *ends, *([now_ms] if is_open else [one.stop_ms or 0])])
    to_ms = max(life_ms, one.due_ms if one.due_ms is not None and (is_open or one.due_ms <= life_ms) else life_ms)
    span = max(1, to_ms - one.start_ms)

    def x(at_ms: int) -> float:
        return min(WIDTH, max(0.0, (at_ms - one.start_ms) / span * WIDTH))

    bars = tuple(
        Bar(x(part.start_ms), max(1.0, x(part.end_ms) - x(part.start_ms)), part.kind, stretch(part))
        for part in one.stretches
    )
    due = x(one.due_ms) if one.due_ms is not None and one.due_ms <= to_ms else None
    is_late = one.standing in ("breached", "overdue") and due is not None and one.due_ms is not None
    late = (due, x(life_ms) - due) if is_late and due is not None and x(life_ms) > due else None
    return Picture(bars, due, late, x(now_ms) if is_open else None, now_ms)


def ledger_of(stretches: Sequence[Stretch]) -> tuple[Ledger, ...]:
    """Return the stretches as lines that add up."""
    total_ms, found = 0, []
    for part in stretches:
        counted_ms = part.end_ms - part.start_ms if part.kind == "counted" else 0
        total_ms += counted_ms
        found.append(Ledger(part, stretch(part), counted_ms, total_ms))
    return tuple(found)


def _shares(one: Explanation, parties: Mapping[str, int]) -> tuple[tuple[str, tuple[tuple[str, int], ...]], ...]:
    of = one.contribution
    named = (("party", parties), ("team", of.teams), ("agent", of.agents), ("state", of.states), ("pause", of.reasons))
    return tuple(
        (name, tuple(sorted(shares.items(), key=lambda share: -share[1]))) for name, shares in named if len(shares) > 1
    )
