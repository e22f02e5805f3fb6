"""The parts that every page is made of: the live model as its viewer may see it, the clock, and the templates."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any, Final, Protocol

from fastapi import Depends, Query, Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import escape

from monitor.core.time.periods import period_text
from monitor.core.time.units import SECOND_MS
from monitor.pages import wording
from monitor.pages.board import Board, board
from monitor.pages.filters import Filters
from monitor.pages.viewers import NOBODY, View, Viewer
from monitor.read_model.live import Live
from monitor.reports.model import Report
from monitor.reports.scope import Scope
from monitor.reports.sources import Sources
from monitor.stream.partitions.clock import Clock
from monitor.wire.outcome_words import claim_left, follows
from monitor.wire.visible import visible
from monitor.wire.wording import duration, instant, quantity, summary

TEMPLATES: Final = Path(__file__).parent / "templates"
PAGES: Final = (("/", "Now"), ("/agreements", "Agreements"), ("/alerts", "Alerts"), ("/statements", "Statements"))
FOR_CUSTOMERS: Final = frozenset({"/agreements", "/statements"})

BOARDS: Final = 64
"""How many boards are kept for those who ask for the same."""

Asked = Annotated[str, Query(max_length=200)]
"""A filter in an address."""


def _filters(
    agreement: Asked = "", customer: Asked = "", service: Asked = "", team: Asked = "", queue: Asked = ""
) -> Filters:
    return Filters(agreement, customer, service, team, queue)


AskedFilters = Annotated[Filters, Depends(_filters)]
"""All filters of the board in an address."""


ReportOf = Callable[[Callable[[Sources], Scope]], Awaitable[Report]]
"""Makes the report of a scope that is chosen from the material, which is read for it: that takes a while."""


class Source(Protocol):
    """Where the live model comes from: see `monitor.read_model.live.Follower`."""

    live: Live
    failure: str
    is_complete: bool
    read_share: float

    async def news(self) -> None:
        """Return when something has changed."""
        ...


class Site:
    """The live model, the clock by which time is left, and the templates. ``speed``: how fast that clock runs.

    ``report_of`` makes reports; None: none are made here.
    """

    def __init__(self, source: Source, clock: Clock, *, speed: float = 1.0, report_of: ReportOf | None = None) -> None:
        self.source = source
        self.clock = clock
        self.speed = speed
        self.report_of = report_of
        self._boards: OrderedDict[tuple[object, ...], Board] = OrderedDict()
        self._templates = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=select_autoescape(default=True),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            # Names of others must not hide or turn round what stands beside them. Escaping comes after it.
            finalize=lambda value: visible(value) if type(value) is str else value,
        )
        self._templates.filters.update(
            duration=duration, verdict=wording.verdict, sign=wording.sign, local=wording.local, instant=instant,
            machine=wording.machine, percent=wording.percent, promised=wording.promised, exact=escape,
            quantity=quantity, summary=summary, figures=wording.figures, follows=follows, claim_left=claim_left,
            period=period_text,
        )  # fmt: skip

    def view(self, request: Request) -> View:
        """Return the model as the one who asks may see it."""
        viewer: Viewer = getattr(request.state, "viewer", NOBODY)
        return View(self.source.live, viewer, self.clock.now_ms())

    def board(self, view: View, filters: Filters) -> Board:
        """Return the board of a viewer. Whoever asks for the same within a second is shown the same."""
        live, length_ms = self.source.live, max(1, round(SECOND_MS * self.speed))
        key = id(live), live.version, view.now_ms // length_ms, view.viewer, filters
        found = self._boards.get(key)
        if found is None:
            found = board(view.overview(), filters, view.text_of, speed=self.speed)
            self._boards[key] = found
            if len(self._boards) > BOARDS:
                self._boards.popitem(last=False)
        return found

    def nobody(self) -> View:
        """Return a view that shows nothing, for pages that everybody may see."""
        return View(self.source.live, NOBODY, self.clock.now_ms())

    def page(self, template: str, view: View, *, status: int = 200, **values: Any) -> HTMLResponse:  # noqa: ANN401 - whatever the template shows
        """Return a page for a viewer."""
        source = self.source
        viewer = view.viewer
        pages = [one for one in PAGES if viewer.is_inside or (one[0] in FOR_CUSTOMERS and viewer is not NOBODY)]
        return HTMLResponse(
            self._templates.get_template(template).render(
                speed=self.speed,
                viewer=viewer,
                pages=pages,
                now_ms=view.now_ms,
                failure=source.failure,
                is_complete=source.is_complete,
                read_share=source.read_share,
                unreadable=source.live.unreadable,
                **values,
            ),
            status,
        )
