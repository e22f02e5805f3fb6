"""The application: its routes, and the headers of each of its answers."""

from __future__ import annotations

from http import HTTPStatus
from importlib.metadata import version
from pathlib import Path
from typing import Final

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.staticfiles import StaticFiles
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from monitor.pages.access import Access, Door, sign_in_routes
from monitor.pages.agreement_page import agreement_routes
from monitor.pages.api import PREFIX, api_routes, invalid, problem
from monitor.pages.changes import Streams
from monitor.pages.due_page import DueReading, ReadDue, due_routes
from monitor.pages.lists import list_routes
from monitor.pages.now import now_routes
from monitor.pages.reports import Reports, report_routes
from monitor.pages.respond import respond_routes, silence_routes
from monitor.pages.site import Site
from monitor.pages.subject_page import subject_routes
from monitor.pages.subjects import ReadRow, Subjects

STATIC: Final = Path(__file__).parent / "static"
HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
"""Nothing from other hosts, no script or style in a page, and no other site may frame it."""


class Signed:
    """Adds those of `HEADERS` that an answer lacks. No function around requests: it would hold up streams."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, with the headers added."""

        async def signed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                is_asset = scope["path"].startswith("/static/")
                # A browser asks whether a file is still the same, so that a new release shows at once.
                headers.setdefault("Cache-Control", "no-cache" if is_asset else "no-store")
            await send(message)

        await self._app(scope, receive, signed)


def _wrong(site: Site, request: Request, status: int, detail: str) -> Response:
    if request.url.path.startswith(PREFIX):
        return problem(status, detail)
    title = "Nothing here" if status == HTTPStatus.NOT_FOUND else HTTPStatus(status).phrase
    return site.page("nothing.html", site.view(request), status=status, what=detail, title=title)


def make_app(
    site: Site, read_row: ReadRow, access: Access, *, read_due: ReadDue | None = None, max_streams: int = 100
) -> FastAPI:
    """Return the application over a site. It writes responses at most.

    ``read_row`` reads the row of a subject, ``read_due`` the clocks that are due next; None: nobody can ask for them.
    """
    site.shows_due = read_due is not None
    app = FastAPI(
        title="sla-monitor",
        version=version("sla-monitor"),
        summary="What is promised, what became of it, and what breaks next. Read only.",
        openapi_url=f"{PREFIX}/openapi.json",
        docs_url=None,  # it would load scripts of another host
        redoc_url=None,
    )
    streams = Streams(site, max_streams)
    app.state.streams = streams
    reports, subjects = Reports(site), Subjects(read_row)
    clocks = None if read_due is None else DueReading(read_due)
    app.include_router(api_routes(site, streams, reports, subjects, clocks))
    app.include_router(now_routes(site), include_in_schema=False)
    app.include_router(agreement_routes(site, reports), include_in_schema=False)
    app.include_router(list_routes(site), include_in_schema=False)
    app.include_router(subject_routes(site, subjects), include_in_schema=False)
    app.include_router(silence_routes(site), include_in_schema=False)
    if clocks is not None:
        app.include_router(due_routes(site, clocks), include_in_schema=False)
    if site.write is not None:
        app.include_router(respond_routes(site, access.proxy), include_in_schema=False)
    app.include_router(report_routes(site, reports), include_in_schema=False)
    app.include_router(streams.routes(), include_in_schema=False)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    app.include_router(sign_in_routes(site, access), include_in_schema=False)
    app.add_middleware(Door, access=access)
    app.add_middleware(Signed)

    @app.exception_handler(StarletteHTTPException)
    async def refused(request: Request, error: StarletteHTTPException) -> Response:
        answer = _wrong(site, request, error.status_code, str(error.detail))
        answer.headers.update(error.headers or {})
        return answer

    @app.exception_handler(RequestValidationError)
    async def not_understood(request: Request, error: RequestValidationError) -> Response:
        if request.url.path.startswith(PREFIX):
            return invalid(error)
        return _wrong(site, request, HTTPStatus.UNPROCESSABLE_ENTITY, "This address asks for something impossible.")

    return app
