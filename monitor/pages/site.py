"""The parts that every page is made of: the live model as its viewer may see it, the clock, and the templates."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable
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
from monitor.read_model.arrivals import Arrivals
from monitor.read_model.live import Live
from monitor.reports.model import Report
from monitor.reports.scope import Scope
from monitor.reports.sources import Sources
from monitor.stream.partitions.clock import Clock
from monitor.wire.instants import rfc3339
from monitor.wire.outcome_words import claim_left, follows, pace_text, sample_text
from monitor.wire.responses import Response
from monitor.wire.times import duration, instant
from monitor.wire.visible import visible
from monitor.wire.wording import quantity, summary

TEMPLATES: Final = Path(__file__).parent / "templates"
PAGES: Final = (
    ("/", "Now"),
    ("/agreements", "Agreements"),
    ("/alerts", "Alerts"),
    ("/statements", "Statements"),
    ("/silences", "Silences"),
)
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


class WriteResponses(Protocol):
    """Writes responses and takes others away: see `monitor.read_model.responses.write_responses`."""

    async def __call__(self, responses: Iterable[Response], *, without: Iterable[bytes]) -> None:
        """Return when Kafka has taken them."""
        ...


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
    """The live model, and the templates. ``clock`` is real time; time is left by the clock that the topics tell.

    ``write`` writes to the topic of responses; None: the pages write nothing. ``arrivals`` is which events arrive.
    ``report_of`` makes reports; None: none are made here.
    """

    def __init__(
        self,
        source: Source,
        clock: Clock,
        *,
        write: WriteResponses | None = None,
        arrivals: Arrivals | None = None,
        report_of: ReportOf | None = None,
    ) -> None:
        self.source = source
        self._clock = clock
        self.write = write
        self.arrivals = arrivals or Arrivals()
        self.report_of = report_of
        self.shows_due = False
        """Whether there is a page of all that is due next."""
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
            duration=duration, verdict=wording.verdict, sign=wording.sign, instant=instant,
            machine=rfc3339, percent=wording.percent, promised=wording.promised, exact=escape,
            quantity=quantity, summary=summary, figures=wording.figures, follows=follows, claim_left=claim_left,
            period=period_text, sample=sample_text, pace=pace_text,
        )  # fmt: skip

    def now_ms(self) -> int:
        """Return the present instant by the clock of the installation."""
        return self.source.live.clock.at(self._clock.now_ms())

    def view(self, request: Request) -> View:
        """Return the model as the one who asks may see it."""
        viewer: Viewer = getattr(request.state, "viewer", NOBODY)
        return View(self.source.live, viewer, self.now_ms())

    def board(self, view: View, filters: Filters) -> Board:
        """Return the board of a viewer. Whoever asks for the same within a second is shown the same."""
        live = self.source.live
        length_ms = max(1, round(SECOND_MS * live.clock.speed))
        key = id(live), live.version, view.now_ms // length_ms, view.viewer, filters
        found = self._boards.get(key)
        if found is None:
            found = board(view.overview(), filters, view.text_of)
            self._boards[key] = found
            if len(self._boards) > BOARDS:
                self._boards.popitem(last=False)
        return found

    def nobody(self) -> View:
        """Return a view that shows nothing, for pages that everybody may see."""
        return View(self.source.live, NOBODY, self.now_ms())

    def page(self, template: str, view: View, *, status: int = 200, **values: Any) -> HTMLResponse:  # noqa: ANN401 - whatever the template shows
        """Return a page for a viewer."""
        source = self.source
        viewer = view.viewer
        pages = [one for one in PAGES if viewer.is_inside or (one[0] in FOR_CUSTOMERS and viewer is not NOBODY)]
        return HTMLResponse(
            self._templates.get_template(template).render(
                speed=source.live.clock.speed,
                viewer=viewer,
                pages=pages,
                shows_due=self.shows_due,
                responds=self.write is not None and viewer.may_respond,
                now_ms=view.now_ms,
                failure=source.failure,
                is_complete=source.is_complete,
                read_share=source.read_share,
                unreadable=source.live.unreadable,
                **values,
            ),
            status,
        )
