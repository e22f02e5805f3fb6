"""The page Now: what is broken, what breaks next, and how long is left."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from monitor.pages.board import Board
from monitor.pages.site import AskedFilters, Site

MOST_CHOICES: Final = 200
"""Of more values nobody chooses from a list: one is written."""


def now_routes(site: Site) -> APIRouter:
    """Return the routes of the page."""
    router = APIRouter()

    @router.get("/", response_class=HTMLResponse)
    async def now(
        request: Request,
        filters: AskedFilters,
        *,
        wall: bool = False,
        rows: Annotated[int, Query(ge=1, le=1000)] = 12,
    ) -> Response:
        """Show how all stands. ``wall`` is for a screen on the wall; ``rows`` is the length of each table."""
        view = site.view(request)
        if not view.viewer.is_inside:
            return RedirectResponse("/agreements")
        found = site.board(view, filters)
        return site.page(
            "now.html", view, board=found, filters=filters, wall=wall, rows=rows, zone=_zone(found),
            most_choices=MOST_CHOICES, acks=view.acknowledgements(), silences=len(view.silences()),
            # Of all customers together: so it is for those who see them all.
            arrived=[one for one in site.arrivals.known() if view.viewer.role == "operator"],
        )  # fmt: skip

    return router


def _zone(found: Board) -> str:
    """Return the zone in which instants of no agreement are shown: the one that most agreements have."""
    zones = Counter(one.agreement.zone for one in found.standings)
    return zones.most_common(1)[0][0] if zones else "UTC"
