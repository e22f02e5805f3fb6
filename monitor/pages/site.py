"""What every page is made of: the live model, the clock, and the templates."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, Protocol

from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import escape

from monitor.pages import wording
from monitor.read_model.live import Live
from monitor.stream.partitions.clock import Clock
from monitor.wire.visible import visible
from monitor.wire.wording import duration, quantity

TEMPLATES: Final = Path(__file__).parent / "templates"


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
    """The live model, the clock by which time is left, and the templates. ``speed``: how fast that clock runs."""

    def __init__(self, source: Source, clock: Clock, *, speed: float = 1.0) -> None:
        self.source = source
        self.clock = clock
        self.speed = speed
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
            duration=duration, verdict=wording.verdict, sign=wording.sign, local=wording.local,
            machine=wording.machine, percent=wording.percent, promised=wording.promised, exact=escape,
            quantity=quantity,
        )  # fmt: skip

    def page(self, template: str, **values: Any) -> HTMLResponse:  # noqa: ANN401 - whatever the template shows
        """Return a page."""
        source = self.source
        return HTMLResponse(
            self._templates.get_template(template).render(
                site=self,
                failure=source.failure,
                is_complete=source.is_complete,
                read_share=source.read_share,
                unreadable=source.live.unreadable,
                **values,
            )
        )
