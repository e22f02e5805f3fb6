"""All that is due next, also clocks that are not at risk yet, read from the workers' state when asked; and its page."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus
from typing import Annotated, Final, NamedTuple

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import HTMLResponse

from monitor.core.time.calendar import AlwaysOpen
from monitor.errors import SlaMonitorError
from monitor.pages.board import time_left
from monitor.pages.filters import Filters, passes
from monitor.pages.site import AskedFilters, Site
from monitor.pages.viewers import View
from monitor.read_model.due import DueClock

ReadDue = Callable[[], Awaitable[Sequence[DueClock]]]
"""Reads the clocks that are due next: all of the changelogs, so it takes a while."""

READ_S: Final = 20.0
"""So long reading may take."""
FRESH_S: Final = 10.0
"""So long what was read is shown to others, too."""
SHOWN: Final = 100


class DueRow(NamedTuple):
    """A clock with the open time that is left, and whether its calendar is open now."""

    clock: DueClock
    left_ms: int
    runs: bool
    zone: str

    @property
    def used(self) -> float:
        """The used share of the budget, 0 to 1."""
        budget_ms = self.clock.budget_ms
        return min(1.0, max(0.0, 1 - self.left_ms / budget_ms)) if budget_ms else 1.0


def due_routes(site: Site, clocks: DueReading) -> APIRouter:
    """Return the route of the page."""
    router = APIRouter()

    @router.get("/due", response_class=HTMLResponse)
    async def due(
        request: Request, filters: AskedFilters, rows: Annotated[int, Query(ge=1, le=1000)] = SHOWN
    ) -> HTMLResponse:
        """List the open clocks by the time that is left."""
        view = site.view(request)
        if not view.viewer.is_inside:
            raise HTTPException(HTTPStatus.NOT_FOUND, "What is due is not for you to see.")
        found = rows_of(view, await clocks.newest(), filters, rows)
        return site.page("due.html", view, found=found, filters=filters, more=len(found) == rows)

    return router


class DueReading:
    """Reads once for all who ask at the same time, and for those who ask shortly after."""

    def __init__(self, read_due: ReadDue) -> None:
        self._read = read_due
        self._lock = asyncio.Lock()
        self._found: Sequence[DueClock] = ()
        self._read_at = -FRESH_S

    async def newest(self) -> Sequence[DueClock]:
        """Return the clocks that are due next, at most `FRESH_S` old.

        Raises:
            HTTPException: they could not be read.
        """
        try:
            async with asyncio.timeout(READ_S), self._lock:
                if time.monotonic() - self._read_at >= FRESH_S:
                    self._found = await self._read()
                    self._read_at = time.monotonic()
                return self._found
        except TimeoutError:
            raise _unread("reading the workers' state took too long: try again") from None
        except SlaMonitorError as error:
            raise _unread(str(error)) from error


def rows_of(view: View, clocks: Sequence[DueClock], filters: Filters, most: int) -> list[DueRow]:
    """Return the wanted clocks that may be seen and are due next, by the open time that is left."""
    agreements = {one.id: one for one in view.overview().agreements}
    found: list[DueRow] = []
    for one in clocks:
        agreement = view.text_of(one.agreement, one.version) or agreements.get(one.agreement)
        if agreement is None or one.due_ms < view.now_ms or not passes(filters, one.agreement, agreement, one.about):
            continue
        calendar = agreement.calendars.get(one.calendar) or AlwaysOpen()
        found.append(DueRow(one, *time_left(calendar, one.due_ms, view.now_ms), agreement.zone))
        if len(found) == most:
            break
    return sorted(found, key=lambda row: (row.left_ms, row.clock.due_ms))


def _unread(why: str) -> HTTPException:
    return HTTPException(HTTPStatus.SERVICE_UNAVAILABLE, f"What is due next could not be read: {why}.")
