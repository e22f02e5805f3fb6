"""The lists of alerts and of statements: searched, filtered, in pages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Annotated, Final, Generic, NamedTuple, TypeVar
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from monitor.core.alerts.alert import Alert
from monitor.core.objectives.status import WindowStatus
from monitor.core.time.windows import COHORT
from monitor.pages.board import about_of
from monitor.pages.filters import Filters, passes
from monitor.pages.site import Asked, Site
from monitor.pages.viewers import View
from monitor.wire.wording import summary

T = TypeVar("T")
PAGE: Final = 50
LAST_PAGE: Final = 2_000
STATES: Final = ("at_risk", "breached", "resolved", "voided", "rearmed")
KINDS: Final = ("ticket", "call", "outage", "lead", "objective", "burn", "termination")
VERDICTS: Final = ("breached", "met", "low_sample", "no_data", "provisional")

PageNumber = Annotated[int, Query(ge=1, le=LAST_PAGE)]


class Part(NamedTuple, Generic[T]):
    """One page of a list, and whether there is another one after it."""

    items: Sequence[T]
    number: int
    has_more: bool


def part_of(found: Iterable[T], number: int, size: int = PAGE) -> Part[T]:
    """Return a page of a list. Only the items up to its end are made."""
    items = list(islice(found, (number - 1) * size, number * size + 1))
    return Part(items[:size], number, len(items) > size)


def found_alerts(view: View, filters: Filters, state: str, kind: str, words: str) -> Iterator[Alert]:
    """Yield the alerts that are asked for, the newest first. Each of the ``words`` is in the sentence or the key."""
    agreements = {one.id: one for one in view.overview().agreements}
    wanted = words.casefold().split()
    for alert in view.alerts():
        key = alert.key
        if (state and alert.state != state) or (kind and key.kind != kind):
            continue
        if filters.is_set and not passes(filters, key.agreement, agreements.get(key.agreement), about_of(alert)):
            continue
        if wanted:
            text = f"{summary(alert)} {key.text()}".casefold()
            if not all(word in text for word in wanted):
                continue
        yield alert


def found_statements(
    view: View, filters: Filters, verdict: str, window: str, words: str, *, only_credits: bool
) -> Iterator[WindowStatus]:
    """Yield the statements that are asked for, the newest period first."""
    agreements = {one.id: one for one in view.overview().agreements}
    wanted = words.casefold().split()
    for one in view.statements():
        series = one.series
        if window and window not in (one.window, one.window.partition(COHORT)[0]):
            continue
        if verdict and all(other.verdict != verdict for other in one.verdicts):
            continue
        if only_credits and not one.consequences:
            continue
        if filters.is_set and not passes(filters, series.agreement, agreements.get(series.agreement), one.labels):
            continue
        if wanted:
            named = [
                series.agreement,
                series.measure,
                *one.labels.values(),
                *(other.objective for other in one.verdicts),
            ]
            text = " ".join(named).casefold()
            if not all(word in text for word in wanted):
                continue
        yield one


def list_routes(site: Site) -> APIRouter:
    """Return the routes of both lists."""
    router = APIRouter()

    @router.get("/alerts", response_class=HTMLResponse)
    async def alerts(
        request: Request,
        agreement: Asked = "",
        customer: Asked = "",
        state: Asked = "",
        kind: Asked = "",
        q: Asked = "",
        page: PageNumber = 1,
    ) -> HTMLResponse:
        """List what was announced."""
        view = site.view(request)
        filters = Filters(agreement, customer)
        found = part_of(found_alerts(view, filters, state, kind, q), page)
        asked = {"agreement": agreement, "customer": customer, "state": state, "kind": kind, "q": q}
        choices = {"agreement": _agreements(view), "state": STATES, "kind": KINDS}
        return site.page(
            "alerts.html", view, part=found, asked=asked, choices=choices, acks=view.acknowledgements(),
            zones=_zones(view), query=_query,
        )  # fmt: skip

    @router.get("/statements", response_class=HTMLResponse)
    async def statements(
        request: Request,
        agreement: Asked = "",
        customer: Asked = "",
        verdict: Asked = "",
        window: Asked = "",
        q: Asked = "",
        page: PageNumber = 1,
        *,
        credits_only: Annotated[bool, Query(alias="credits")] = False,
    ) -> HTMLResponse:
        """List the statements of closed periods."""
        view = site.view(request)
        wanted = found_statements(view, Filters(agreement, customer), verdict, window, q, only_credits=credits_only)
        asked = {"agreement": agreement, "customer": customer, "verdict": verdict, "window": window, "q": q}
        asked |= {"credits": "1"} if credits_only else {}
        windows = sorted({one.window for one in view.statements()})
        choices = {"agreement": _agreements(view), "verdict": VERDICTS, "window": windows}
        return site.page(
            "statements.html", view, part=part_of(wanted, page), asked=asked, choices=choices, zones=_zones(view),
            query=_query,
        )  # fmt: skip

    return router


def _agreements(view: View) -> list[str]:
    return sorted(one.id for one in view.overview().agreements)


def _zones(view: View) -> dict[str, str]:
    return {one.id: one.zone for one in view.overview().agreements}


def _query(asked: dict[str, str], **more: object) -> str:
    """Return the query string of an address with what is asked for, and a page."""
    return "?" + urlencode({name: value for name, value in {**asked, **more}.items() if value})
