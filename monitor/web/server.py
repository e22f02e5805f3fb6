"""Three read-only pages: /healthz (alive), /readyz (ready) and /metrics. Nothing else is served.

Served without authentication, so it listens on this machine only unless it is told otherwise.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from inspect import isawaitable
from types import TracebackType
from typing import Final, Self

from aiohttp import web

from monitor.errors import ConfigError, Mistake

Probe = Callable[[], tuple[bool, str]]
"""Returns whether all is well, and a line that says why (not)."""
Page = tuple[bytes, str]
Metrics = Callable[[str], Page | Awaitable[Page]]
"""Takes the ``Accept`` header; returns body and content type, at once or later."""

_SHUTDOWN_S: Final = 1.0


class WebServer:
    """Serves the three pages while its ``async with`` block runs. Port 0 means a free one: see ``address``.

    Raises:
        ConfigError: on entering the block, if it cannot listen there.
    """

    def __init__(
        self, host: str = "127.0.0.1", port: int = 6066, *, alive: Probe, ready: Probe, metrics: Metrics
    ) -> None:
        self.host = host
        self.port = port
        self._metrics = metrics
        app = web.Application()
        app.router.add_get("/healthz", _probe(alive))
        app.router.add_get("/readyz", _probe(ready))
        app.router.add_get("/metrics", self._scrape)
        app.on_response_prepare.append(_sign)
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=_SHUTDOWN_S)

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, self.host, self.port).start()
        except OSError as error:
            await self._runner.cleanup()
            message = f"cannot listen on {self.host} port {self.port}: {error.strerror or error}"
            hint = "choose a free port (0: any) on an address of this machine"
            raise ConfigError([Mistake(file="settings", line=None, path="web", message=message, hint=hint)]) from error
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._runner.cleanup()

    @property
    def address(self) -> str:
        """Where it is served, without a path: ``http://127.0.0.1:6066``."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    async def _scrape(self, request: web.Request) -> web.Response:
        found = self._metrics(", ".join(request.headers.getall("Accept", ())))
        body, content_type = await found if isawaitable(found) else found
        return web.Response(body=body, headers={"Content-Type": content_type})


def _probe(question: Probe) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def answer(_request: web.Request) -> web.Response:
        well, why = question()
        status = HTTPStatus.OK if well else HTTPStatus.SERVICE_UNAVAILABLE
        return web.Response(status=status, text=why.rstrip("\n") + "\n")

    return answer


async def _sign(_request: web.Request, response: web.StreamResponse) -> None:
    """Tell no versions, and let no cache keep an answer about the present."""
    response.headers["Server"] = "sla-monitor"
    response.headers["Cache-Control"] = "no-store"
