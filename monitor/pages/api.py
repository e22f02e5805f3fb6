"""The API: the same as the pages, as JSON. Lists come in pages, answers have ETags, errors are problem details."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import APIRouter, HTTPException, Query, Request, Response
from fastapi.exceptions import RequestValidationError

from monitor.core.facts.events import Subject
from monitor.pages.answers import answer
from monitor.pages.api_models import (
    AgreementOut,
    AlertOut,
    ArrivedOut,
    DueClockOut,
    Listed,
    Model,
    Problem,
    ReportOut,
    StatementOut,
    StatusOut,
)
from monitor.pages.api_subjects import SubjectOut
from monitor.pages.changes import Streams
from monitor.pages.due_page import DueReading, rows_of
from monitor.pages.lists import AskedAlerts, AskedStatements, PageNumber, Part, found_alerts, found_statements, part_of
from monitor.pages.reports import MEDIA_TYPES, AskedCustomer, AskedForm, Reports, answer_of
from monitor.pages.site import Asked, AskedFilters, Site
from monitor.pages.subjects import Subjects

PREFIX: Final = "/api/v1"
PROBLEM: Final = "application/problem+json"
_ERRORS: Final[dict[int | str, dict[str, Any]]] = {
    code: {"content": {PROBLEM: {"schema": Problem.model_json_schema()}}, "description": HTTPStatus(code).phrase}
    for code in (401, 403, 404, 422, 503)
}
Size = Annotated[int, Query(ge=1, le=500)]


def api_routes(
    site: Site, streams: Streams, reports: Reports, subjects: Subjects, clocks: DueReading | None = None
) -> APIRouter:
    """Return the routes of the API. ``clocks`` reads what is due next; None: nobody can ask for it."""
    router = APIRouter(prefix=PREFIX, responses=_ERRORS)

    @router.get("/status", response_model=StatusOut)
    async def status(request: Request, filters: AskedFilters) -> Response:
        """Return how all stands: what breaks next, what was missed and is open, and each objective, worst first."""
        view = site.view(request)
        if not view.viewer.is_inside:
            raise HTTPException(HTTPStatus.FORBIDDEN, "running figures are not for customers: ask for statements")
        found = site.board(view, filters)
        return _answer(request, StatusOut.of(found, complete=site.source.is_complete))

    @router.get("/alerts", response_model=Listed[AlertOut])
    async def alerts(request: Request, asked: AskedAlerts, page: PageNumber = 1, size: Size = 100) -> Response:
        """Return the announcements that are kept, the newest first."""
        found = part_of(found_alerts(site.view(request), asked), page, size)
        return _listed(request, [AlertOut.of(one) for one in found.items], found)

    @router.get("/statements", response_model=Listed[StatementOut])
    async def statements(request: Request, asked: AskedStatements, page: PageNumber = 1, size: Size = 100) -> Response:
        """Return the statements of closed periods that are kept, the newest period first."""
        found = part_of(found_statements(site.view(request), asked), page, size)
        return _listed(request, [StatementOut.of(one) for one in found.items], found)

    @router.get("/agreements", response_model=Listed[AgreementOut])
    async def agreements(request: Request, page: PageNumber = 1, size: Size = 100) -> Response:
        """Return the agreements as they hold now."""
        found = part_of(site.view(request).overview().agreements, page, size)
        return _listed(request, [AgreementOut.of(one) for one in found.items], found)

    @router.get("/agreements/{agreement_id}", response_model=AgreementOut)
    async def agreement(request: Request, agreement_id: str) -> Response:
        """Return one agreement as it holds now."""
        found = [one for one in site.view(request).overview().agreements if one.id == agreement_id]
        if not found:
            raise HTTPException(HTTPStatus.NOT_FOUND, f"no agreement {agreement_id} is published, or it is not for you")
        return _answer(request, AgreementOut.of(found[0]))

    _watching(router, site, streams)
    _asking_kafka(router, site, reports, subjects, clocks)
    return router


def _watching(router: APIRouter, site: Site, streams: Streams) -> None:
    """Add the routes that tell what comes: alerts and events."""

    @router.get(
        "/changes",
        response_class=Response,
        responses={200: {"content": {"text/event-stream": {}}, "description": "Server-sent events of the type alert"}},
    )
    async def changes(request: Request) -> Response:
        """Stream each new alert as a server-sent event; after a break those since ``Last-Event-ID``."""
        if not site.view(request).viewer.is_inside:
            raise HTTPException(HTTPStatus.FORBIDDEN, "alerts are not for customers: ask for statements")
        return streams.alerts(request)

    @router.get("/arrivals", response_model=Listed[ArrivedOut])
    async def arrivals(request: Request) -> Response:
        """Return which events arrived within the hour, of all customers together; nothing before it was looked."""
        if site.view(request).viewer.role != "operator":
            raise HTTPException(HTTPStatus.FORBIDDEN, "which events arrive is of all customers together: for operators")
        found = [ArrivedOut.of(one) for one in site.arrivals.known()]
        return _listed(request, found, Part(found, 1, has_more=False))


def _asking_kafka(
    router: APIRouter, site: Site, reports: Reports, subjects: Subjects, clocks: DueReading | None
) -> None:
    """Add the routes for which topics are read when they are asked for."""

    @router.get("/due", response_model=Listed[DueClockOut])
    async def due(request: Request, filters: AskedFilters, page: PageNumber = 1, size: Size = 100) -> Response:
        """Return the clocks that run, at risk or not yet, by the open time that is left."""
        view = site.view(request)
        if not view.viewer.is_inside:
            raise HTTPException(HTTPStatus.FORBIDDEN, "what is due is not for customers: ask for statements")
        if clocks is None:
            raise HTTPException(HTTPStatus.NOT_FOUND, "what is due next is not read here")
        read = await clocks.newest()
        found = part_of(rows_of(view, read, filters, len(read)), page, size)
        return _listed(request, [DueClockOut.of(one) for one in found.items], found)

    @router.get("/subjects/{kind}/{subject_id:path}", response_model=SubjectOut)
    async def subject(request: Request, kind: Subject, subject_id: str) -> Response:
        """Return why the clocks of a ticket, a call, an outage or a lead stand as they do, and where it counts."""
        view = site.view(request)
        return _answer(request, SubjectOut.of(await subjects.known(view, kind, subject_id), view))

    @router.get("/reports", response_model=Listed[ReportOut])
    async def finished(request: Request, agreement: Asked = "", page: PageNumber = 1, size: Size = 100) -> Response:
        """Return the finished periods of which there is a report, the newest first."""
        found = part_of(reports.finished(site.view(request), agreement), page, size)
        return _listed(request, [ReportOut.of(one, reports.forms) for one in found.items], found)

    @router.get(
        "/reports/{agreement_id}/{period}",
        response_class=Response,
        responses={200: {"content": {one: {} for one in MEDIA_TYPES.values()}, "description": "The report as a file"}},
    )
    async def report(
        request: Request, agreement_id: str, period: str, form: AskedForm = "pdf", customer: AskedCustomer = ""
    ) -> Response:
        """Return the report of a finished period as a file. It is made now, which takes some seconds."""
        return answer_of(request, await reports.file(site.view(request), agreement_id, period, form, customer))


def _listed(request: Request, items: list[Any], part: Part[Any]) -> Response:
    after = str(request.url.include_query_params(page=part.number + 1).replace(scheme="", netloc=""))
    found: Listed[Any] = Listed(
        items=items, page=part.number, has_more=part.has_more, next=after if part.has_more else None
    )
    return _answer(request, found)


def _answer(request: Request, told: Model) -> Response:
    return answer(request, told.model_dump_json(by_alias=True).encode(), "application/json")


def problem(status: int, detail: str, errors: list[str] | None = None) -> Response:
    """Return what went wrong as problem details."""
    told = Problem(title=HTTPStatus(status).phrase, status=status, detail=detail, errors=errors or [])
    return Response(told.model_dump_json().encode(), status, media_type=PROBLEM)


def invalid(error: RequestValidationError) -> Response:
    """Return which parts of a request are wrong. What was sent is not repeated."""
    errors = [f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()]
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, "the request is not as the API describes it", errors)
