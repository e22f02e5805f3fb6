"""The lists of alerts and of statements: searched, filtered, in pages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Annotated, Final, Generic, NamedTuple, TypeVar
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request
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


class AlertsAsked(NamedTuple):
    """The alerts that are asked for: each of the words of ``q`` is in the sentence or the key."""

    agreement: str
    customer: str
    state: str
    kind: str
    q: str


def _alerts_asked(
    agreement: Asked = "", customer: Asked = "", state: Asked = "", kind: Asked = "", q: Asked = ""
) -> AlertsAsked:
    return AlertsAsked(agreement, customer, state, kind, q)


class StatementsAsked(NamedTuple):
    """The statements that are asked for: each of the words of ``q`` is in a name. ``only_credits``: with an outcome."""

    agreement: str
    customer: str
    verdict: str
    window: str
    q: str
    only_credits: bool


def _statements_asked(
    agreement: Asked = "",
    customer: Asked = "",
    verdict: Asked = "",
    window: Asked = "",
    q: Asked = "",
    only_credits: Annotated[bool, Query(alias="credits")] = False,  # noqa: FBT002
) -> StatementsAsked:
    return StatementsAsked(agreement, customer, verdict, window, q, only_credits)


AskedAlerts = Annotated[AlertsAsked, Depends(_alerts_asked)]
AskedStatements = Annotated[StatementsAsked, Depends(_statements_asked)]


def found_alerts(view: View, asked: AlertsAsked) -> Iterator[Alert]:
    """Yield the alerts that are asked for, the newest first."""
    agreements = {one.id: one for one in view.overview().agreements}
    filters, wanted = Filters(asked.agreement, asked.customer), asked.q.casefold().split()
    for alert in view.alerts():
        key = alert.key
        if (asked.state and alert.state != asked.state) or (asked.kind and key.kind != asked.kind):
            continue
        if filters.is_set and not passes(filters, key.agreement, agreements.get(key.agreement), about_of(alert)):
            continue
        if wanted:
            of = agreements.get(key.agreement)
            text = f"{summary(alert, of.zone if of else 'UTC')} {key.text()}".casefold()
            if not all(word in text for word in wanted):
                continue
        yield alert


def found_statements(view: View, asked: StatementsAsked) -> Iterator[WindowStatus]:
    """Yield the statements that are asked for, the newest period first."""
    agreements = {one.id: one for one in view.overview().agreements}
    filters, wanted = Filters(asked.agreement, asked.customer), asked.q.casefold().split()
    for one in view.statements():
        series = one.series
        if asked.window and asked.window not in (one.window, one.window.partition(COHORT)[0]):
            continue
        if asked.verdict and all(other.verdict != asked.verdict for other in one.verdicts):
            continue
        if asked.only_credits and not one.consequences:
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
    async def alerts(request: Request, asked: AskedAlerts, page: PageNumber = 1) -> HTMLResponse:
        """List what was announced."""
        view = site.view(request)
        found = part_of(found_alerts(view, asked), page)
        choices = {"agreement": _agreements(view), "state": STATES, "kind": KINDS}
        return site.page(
            "alerts.html", view, part=found, asked=asked._asdict(), choices=choices, acks=view.acknowledgements(),
            zones=_zones(view), query=_query, out=view.out_ids(),
        )  # fmt: skip

    @router.get("/statements", response_class=HTMLResponse)
    async def statements(request: Request, asked: AskedStatements, page: PageNumber = 1) -> HTMLResponse:
        """List the statements of closed periods."""
        view = site.view(request)
        shown = asked._asdict()
        shown |= {"credits": "1"} if shown.pop("only_credits") else {}
        windows = sorted({one.window for one in view.statements()})
        choices = {"agreement": _agreements(view), "verdict": VERDICTS, "window": windows}
        return site.page(
            "statements.html", view, part=part_of(found_statements(view, asked), page), asked=shown, choices=choices,
            zones=_zones(view), query=_query,
        )  # fmt: skip

    return router


def _agreements(view: View) -> list[str]:
    return sorted(one.id for one in view.overview().agreements)


def _zones(view: View) -> dict[str, str]:
    return {one.id: one.zone for one in view.overview().agreements}


def _query(asked: dict[str, str], **more: object) -> str:
    """Return the query string of an address with what is asked for, and a page."""
    return "?" + urlencode({name: value for name, value in {**asked, **more}.items() if value})
