"""Three read-only pages: /healthz (alive), /readyz (ready) and /metrics. Nothing else is served.

They are served without authentication, so the server listens on this machine only, unless the settings name another
address. No client can hold up the worker or the next probe: see `monitor.web.door`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from inspect import isawaitable
from types import TracebackType
from typing import Final, Self

from aiohttp import web

from monitor.errors import ConfigError, Mistake
from monitor.web.door import Connection, Door
from monitor.wire.visible import visible

Probe = Callable[[], tuple[bool, str]]
"""Returns whether all is well, and a line that says why or why not."""
Page = tuple[bytes, str]
Metrics = Callable[[str], Page | Awaitable[Page]]
"""Takes the ``Accept`` header; returns body and content type, at once or later."""

_SHUTDOWN_S: Final = 1.0
_WAITING_IN_THE_KERNEL: Final = 32
"""Connections that may wait in the kernel before the loop accepts, and so counts, any of them."""


class WebServer:
    """Serves the three pages while its ``async with`` block runs. Port 0 means a free one: see ``address``.

    Raises:
        ConfigError: on entering the block, if it cannot listen there.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 6066,
        *,
        alive: Probe,
        ready: Probe,
        metrics: Metrics,
        door: Door | None = None,
    ) -> None:
        self.host = host
        self.port = port
        self._metrics = metrics
        self._door = door or Door()
        self._listener: asyncio.Server | None = None
        app = web.Application(middlewares=[self._come_in])
        app.router.add_get("/healthz", _probe(alive))
        app.router.add_get("/readyz", _probe(ready))
        app.router.add_get("/metrics", self._scrape)
        app.on_response_prepare.append(_sign)
        self._runner = web.AppRunner(app, handle_signals=False, shutdown_timeout=_SHUTDOWN_S)

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        served = self._runner.server
        assert served is not None, "it has been set up"
        try:
            self._listener = await asyncio.get_running_loop().create_server(
                lambda: Connection(self._door, served), self.host, self.port, backlog=_WAITING_IN_THE_KERNEL
            )
        except OSError as error:
            await self._runner.cleanup()
            message = f"cannot listen on {self.host} port {self.port}: {error.strerror or error}"
            hint = "choose a free port (0: any) on an address of this machine"
            raise ConfigError([Mistake(file="settings", line=None, path="web", message=message, hint=hint)]) from error
        self.port = self._listener.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._listener is not None:
            self._listener.close()
        await self._runner.cleanup()

    @property
    def address(self) -> str:
        """The address of the server, without a path: ``http://127.0.0.1:6066``."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    @web.middleware
    async def _come_in(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        connection = request.protocol
        assert isinstance(connection, Connection), "none comes in otherwise"
        connection.asked()
        if request.path == "/metrics":
            self._door.scrapes(connection)
        return await handler(request)

    async def _scrape(self, request: web.Request) -> web.Response:
        found = self._metrics(", ".join(request.headers.getall("Accept", ())))
        body, content_type = await found if isawaitable(found) else found
        return web.Response(body=body, headers={"Content-Type": content_type})


def _probe(question: Probe) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def answer(_request: web.Request) -> web.Response:
        well, why = question()
        status = HTTPStatus.OK if well else HTTPStatus.SERVICE_UNAVAILABLE
        return web.Response(status=status, text=visible(why.rstrip("\n")) + "\n")

    return answer


async def _sign(_request: web.Request, response: web.StreamResponse) -> None:
    """Set the headers of an answer: no versions and no caching, and the connection ends with the answer."""
    response.headers["Server"] = "sla-monitor"
    response.headers["Cache-Control"] = "no-store"
    response.headers["Connection"] = "close"
    response.force_close()
