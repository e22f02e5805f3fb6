"""The reports of finished periods: which there are for a viewer, and their files, made when they are asked for."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http import HTTPStatus
from typing import Annotated, Final, NamedTuple

from fastapi import APIRouter, HTTPException, Query, Request, Response

from monitor.core.agreements.agreement import Agreement
from monitor.core.objectives.status import WindowStatus
from monitor.errors import BrokerError, ReportError
from monitor.pages.answers import answer
from monitor.pages.site import ReportOf, Site
from monitor.pages.viewers import View, Viewer
from monitor.reports.forms import Form, installed_forms, write
from monitor.reports.period import Period
from monitor.reports.scope import Scope, periods_of, scope_of
from monitor.reports.sources import Sources

MAKE_S: Final = 120.0
"""So long a report may take: all topics are read for it."""
MOST_ASKED: Final = 5
"""So many reports may be asked for at once; they are made one after the other."""
MEDIA_TYPES: Final[dict[Form, str]] = {
    "html": "text/html; charset=utf-8",
    "pdf": "application/pdf",
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
AskedCustomer = Annotated[str, Query(max_length=200)]
AskedForm = Annotated[Form, Query(alias="format")]


class Finished(NamedTuple):
    """A finished period of an agreement, and the customers for whom the viewer gets a report of their own."""

    agreement: Agreement
    period: Period
    customers: tuple[str, ...]


class File(NamedTuple):
    """A report as a file."""

    name: str
    form: Form
    content: bytes


class Reports:
    """The reports of finished periods for viewers of a site."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._asked = 0
        self._one_at_a_time = asyncio.Lock()
        self._writer = ThreadPoolExecutor(1, "reports")  # matplotlib draws in one thread at a time

    @property
    def forms(self) -> list[Form]:
        """The forms in which a report can be made here."""
        return installed_forms() if self._site.report_of is not None else []

    def finished(self, view: View, agreement_id: str = "") -> list[Finished]:
        """Return the finished periods that the viewer may see, the newest first; of one agreement if it is named."""
        by_agreement: dict[str, list[WindowStatus]] = {}
        for one in view.statements():
            by_agreement.setdefault(one.series.agreement, []).append(one)
        found = [
            Finished(agreement, period, tuple(sorted(view.viewer.customers)))
            for agreement in view.overview().agreements
            if agreement_id in ("", agreement.id)
            for period in periods_of(by_agreement.get(agreement.id, ()), agreement.zone)
        ]
        return sorted(found, key=lambda one: (-one.period.to_ms, one.agreement.id, one.period.from_ms))

    async def file(self, view: View, agreement_id: str, period: str, form: Form, customer: str) -> File:
        """Return a report as a file.

        Raises:
            HTTPException: there is none like that for the viewer, or it cannot be made now; the detail says why.
        """
        viewer = view.viewer
        if self._site.report_of is None or all(one.id != agreement_id for one in view.overview().agreements):
            raise HTTPException(HTTPStatus.NOT_FOUND, f"no agreement {agreement_id} is published, or it is not for you")
        if not viewer.is_inside:
            if not customer and len(viewer.customers) > 1:
                raise HTTPException(HTTPStatus.UNPROCESSABLE_ENTITY, "name the customer that the report is for")
            customer = customer or next(iter(viewer.customers), "")
            if customer not in viewer.customers:
                raise HTTPException(HTTPStatus.NOT_FOUND, f"no report is for customer {customer}, or it is not for you")
        if self._asked >= MOST_ASKED:
            raise HTTPException(HTTPStatus.SERVICE_UNAVAILABLE, "other reports are being made", {"Retry-After": "30"})
        self._asked += 1
        choose = partial(choose_for, viewer, agreement_id, period, customer)
        try:
            async with asyncio.timeout(MAKE_S), self._one_at_a_time:
                return await self._make(self._site.report_of, choose, form)
        except TimeoutError:
            detail = "reading the topics took too long: make it with sla-monitor report"
            raise HTTPException(HTTPStatus.SERVICE_UNAVAILABLE, detail) from None
        except ReportError as error:
            raise HTTPException(HTTPStatus.NOT_FOUND, str(error)) from None
        except BrokerError as error:
            raise HTTPException(HTTPStatus.SERVICE_UNAVAILABLE, f"the topics cannot be read: {error}") from None
        finally:
            self._asked -= 1

    async def _make(self, report_of: ReportOf, choose: partial[Scope], form: Form) -> File:
        report = await report_of(choose)
        content = await asyncio.get_running_loop().run_in_executor(self._writer, write, report, form)
        return File(f"{report.name}.{form}", form, content)


def choose_for(viewer: Viewer, agreement_id: str, period: str, customer: str, sources: Sources) -> Scope:
    """Return the scope of a report for a viewer, having taken from its material what the viewer may not see."""
    if sources.book.latest(agreement_id) is None:
        raise ReportError(f"no agreement {agreement_id} is published")
    sources.alerts = [
        one._replace(supporting=tuple(miss for miss in one.supporting if viewer.sees(miss.agreement)))
        for one in sources.alerts
        if viewer.sees(one.key.agreement)
    ]
    if viewer.is_inside:
        return scope_of(sources, agreement_id, period, customer)
    sources.statements = [one for one in sources.statements if viewer.sees_statement(one)]
    sources.running = []
    readers = frozenset({"customer"}) | viewer.customers
    return scope_of(sources, agreement_id, period, customer, readers)


def report_routes(site: Site, reports: Reports) -> APIRouter:
    """Return the route of the files of reports."""
    router = APIRouter()

    @router.get("/reports/{agreement_id}/{period}")
    async def report(
        request: Request, agreement_id: str, period: str, form: AskedForm = "html", customer: AskedCustomer = ""
    ) -> Response:
        """Show the report of a finished period, or return it as a file to keep."""
        return answer_of(request, await reports.file(site.view(request), agreement_id, period, form, customer))

    return router


def answer_of(request: Request, file: File) -> Response:
    """Return a report as an answer: a page to read, or a file to keep. It may run and fetch nothing."""
    placed = "inline" if file.form == "html" else "attachment"
    headers = {"Content-Disposition": f'{placed}; filename="{file.name}"'}
    if file.form == "html":
        headers["Content-Security-Policy"] = (
            f"default-src 'none'; img-src data:; style-src {' '.join(_hashes(file.content.decode()))}; "
            "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox"
        )
    return answer(request, file.content, MEDIA_TYPES[file.form], headers)


def _hashes(page: str) -> Iterable[str]:
    """Return what the style sheets in a page are known by to its security policy."""
    for style in re.findall(r"<style>(.*?)</style>", page, re.DOTALL):
        digest = hashlib.sha256(style.encode()).digest()
        yield f"'sha256-{base64.b64encode(digest).decode()}'"
