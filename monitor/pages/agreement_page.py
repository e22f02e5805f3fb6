"""The pages of agreements: the list, and one agreement in plain words with how its promises are kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final, NamedTuple

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from monitor.config.agreements.effective import effective_text
from monitor.core.agreements.agreement import Agreement
from monitor.core.agreements.schedule import began_ms
from monitor.core.objectives.consequence import MONEY, Consequence
from monitor.core.objectives.status import ObjectiveVerdict, WindowStatus
from monitor.core.time.periods import CALENDAR_KINDS
from monitor.core.time.windows import WindowKind
from monitor.pages.board import Board, Budget, Standing
from monitor.pages.burn_down import BurnDown, burn_down
from monitor.pages.filters import Filters
from monitor.pages.reports import Finished, Reports
from monitor.pages.site import Site
from monitor.pages.viewers import View
from monitor.read_model.overview import Overview
from monitor.read_model.reports import report_rows
from monitor.read_model.terms import AMENDED, term_text
from monitor.wire.promises import Promise, origin_text, promises_of

PERIODS: Final = 12
"""How many closed periods a trend shows."""
BURNS: Final = 24
"""How many budgets are drawn, those with the least left."""
LISTED_REPORTS: Final = 6
"""How many finished periods of each kind an agreement lists with their reports; the API lists all."""


class Trend(NamedTuple):
    """The newest closed periods of an objective in one series and window, the oldest first."""

    window: str
    labels: Mapping[str, str]
    periods: tuple[tuple[WindowStatus, ObjectiveVerdict], ...]


class Promised(NamedTuple):
    """An objective with how it stands and how it stood; of a customer's page only the latter."""

    promise: Promise
    standing: Standing | None
    trend: Trend | None


class Version(NamedTuple):
    """A version of an agreement, and its lines that the version before did not have, or had."""

    agreement: Agreement
    added: tuple[Promise, ...]
    removed: tuple[Promise, ...]


def agreement_routes(site: Site, reports: Reports) -> APIRouter:
    """Return the routes of the list and of one agreement."""
    router = APIRouter()

    @router.get("/agreements", response_class=HTMLResponse)
    async def agreements(request: Request) -> HTMLResponse:
        """List the agreements, each with how many of its objectives are broken."""
        view = site.view(request)
        found = site.board(view, Filters())
        verdicts: dict[str, list[str]] = {}
        for one in found.standings:
            verdicts.setdefault(one.agreement.id, []).append(one.verdict)
        listed = view.overview().agreements
        return site.page("agreements.html", view, agreements=listed, verdicts=verdicts, terms=_terms(listed, view))

    @router.get("/agreements/{agreement_id}", response_class=HTMLResponse)
    async def agreement(request: Request, agreement_id: str) -> HTMLResponse:
        """Show one agreement."""
        view = site.view(request)
        overview = view.overview()
        one = next((other for other in overview.agreements if other.id == agreement_id), None)
        if one is None:
            what = f"No agreement {agreement_id} is published, or it is not for you to see."
            return site.page("nothing.html", view, status=HTTPStatus.NOT_FOUND, what=what)
        found = site.board(view, Filters(agreement=agreement_id))
        finished = listed_reports(one, reports.finished(view, agreement_id)) if reports.forms else []
        return site.page(
            "agreement.html", view, **_shown(view, overview, one, found), finished=finished, forms=reports.forms
        )

    return router


def listed_reports(one: Agreement, finished: Iterable[Finished]) -> list[Finished]:
    """Return the newest finished periods of each kind: first those that are promised to be reported, then long ones."""
    promised = [rights.every for rights in one.reports]
    by_kind: dict[WindowKind, list[Finished]] = {}
    for found in finished:
        by_kind.setdefault(found.period.window, []).append(found)
    kinds = sorted(by_kind, key=lambda kind: (kind not in promised, -CALENDAR_KINDS.index(kind)))
    return [found for kind in kinds for found in by_kind[kind][:LISTED_REPORTS]]


def _terms(agreements: Iterable[Agreement], view: View) -> dict[str, str]:
    return {one.id: term_text(one, view.now_ms) for one in agreements}


def _shown(view: View, overview: Overview, one: Agreement, found: Board) -> dict[str, Any]:
    statements = [other for other in view.statements() if other.series.agreement == one.id]
    texts = view.texts(one.id)
    standings = {other.objective: other for other in found.standings if other.worst is not None}
    promises = promises_of(one)
    objectives = {other.id for other in one.objectives}
    inside = view.viewer.is_inside
    return {
        "one": one,
        "measures": [other for other in promises if other.id not in objectives],
        "objectives": [
            Promised(other, standings.get(other.id), trend_of(other.id, statements, standings.get(other.id)))
            for other in promises
            if other.of.startswith("objective of")
        ],
        "consequences": [
            other for other in promises if other.id in objectives and not other.of.startswith("objective")
        ],
        "origins": {other.id: origin_text(one, other.id) for other in promises} if one.lineage else {},
        "hours": hours_of(effective_text(one, view.documents()).document.get("calendars")),
        "term": term_text(one, view.now_ms),
        "amended": AMENDED[one.amendments],
        "reports": report_rows(one, view.now_ms, began_ms(texts, one)),
        "burns": [_burn_down(other, view) for other in found.budgets[:BURNS]] if inside else [],
        "due": _due(statements, view.now_ms),
        "versions": versions_of(texts),
        "supporting": [other for other in overview.agreements if any(to.agreement == one.id for to in other.supports)],
        "board": found,
        "inside": inside,
    }


def _burn_down(one: Budget, view: View) -> BurnDown:
    return burn_down(one, view.course(one.status, one.figure.objective))


def trend_of(objective: str, statements: Iterable[WindowStatus], standing: Standing | None) -> Trend | None:
    """Return the trend of an objective: of its worst series if that has statements, in the window with the most."""
    groups: dict[tuple[object, str], list[tuple[WindowStatus, ObjectiveVerdict]]] = {}
    for status in statements:
        for verdict in status.verdicts:
            if verdict.objective == objective:
                groups.setdefault((status.series, status.window), []).append((status, verdict))
    if not groups:
        return None
    worst = standing.worst.status.series if standing is not None and standing.worst is not None else None

    def place(key: tuple[object, str]) -> tuple[bool, int, int]:
        newest = groups[key][0][0]
        return key[0] == worst, min(len(groups[key]), PERIODS), newest.to_ms - newest.from_ms

    chosen = max(groups, key=place)
    periods = sorted(groups[chosen], key=lambda found: found[0].from_ms)[-PERIODS:]
    return Trend(chosen[1], periods[0][0].labels, tuple(periods))


def versions_of(texts: Sequence[Agreement]) -> list[Version]:
    """Return the versions of an agreement, the newest first, each with what changed in its promises."""
    found: list[Version] = []
    before: list[Promise] | None = None
    for text in texts:
        lines = promises_of(text)
        added = tuple(one for one in lines if before is not None and one not in before)
        removed = tuple(one for one in before or () if one not in lines)
        found.append(Version(text, added, removed))
        before = lines
    return found[::-1]


def hours_of(calendars: object) -> dict[str, str]:
    """Return the calendars of a document in words: ``mon-fri 08:00-18:00; holidays DE BE; 2 other dates``."""
    if not isinstance(calendars, dict):
        return {}
    return {str(name): _hours(one) for name, one in calendars.items()}


def _hours(one: object) -> str:
    if not isinstance(one, dict):
        return str(one)
    parts = []
    hours = one.get("hours")
    if isinstance(hours, dict):
        parts.append(", ".join(f"{days} {_intervals(of)}" for days, of in hours.items()))
    elif hours is not None:
        parts.append(_intervals(hours))
    holidays = one.get("holidays")
    if isinstance(holidays, dict):
        named = [str(holidays[name]) for name in ("country", "subdivision") if name in holidays]
        more = len(holidays.get("dates") or ())
        parts.append(
            "closed on holidays" + (f" of {' '.join(named)}" if named else "") + (f" and {more} more" if more else "")
        )
    exceptions = one.get("exceptions")
    if isinstance(exceptions, dict):
        parts.append(", ".join(f"{day} {_intervals(of)}" for day, of in exceptions.items()))
    return "; ".join(parts)


def _intervals(of: object) -> str:
    return " and ".join(map(str, of)) if isinstance(of, list) else str(of)


def _due(statements: Iterable[WindowStatus], now_ms: int) -> list[Consequence]:
    """Return what can still be claimed or used, the first to end first."""
    found = [
        due
        for status in statements
        for due in status.consequences
        if (due.kind in MONEY or due.breach) and (not due.claim_until_ms or due.claim_until_ms > now_ms)
    ]
    return sorted(found, key=lambda due: (not due.claim_until_ms, due.claim_until_ms))
