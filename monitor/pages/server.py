"""The HTTP server of the pages, inside a loop that runs already: nothing of it outlives its ``async with`` block."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Final, Self

import uvicorn
from fastapi import FastAPI

from monitor.errors import ConfigError, Mistake

_BACKLOG: Final = 128
_LEAVE_S: Final = 1
"""So long answers that are under way may take when the server stops."""


class _Server(uvicorn.Server):
    """A server that leaves the signals to the process that it is a part of."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


class PagesServer:
    """Serves the pages' application while its ``async with`` block runs. Port 0 means a free one: see ``address``.

    Raises:
        ConfigError: on entering the block, if it cannot listen there.
    """

    def __init__(self, app: FastAPI, host: str, port: int, *, connections: int = 256) -> None:
        self._app = app
        self.host = host
        self.port = port
        self._server = _Server(
            uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                server_header=False,
                lifespan="off",
                ws="none",
                limit_concurrency=connections,
                timeout_keep_alive=15,
                timeout_graceful_shutdown=_LEAVE_S,
                proxy_headers=False,
            )
        )
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        listener = self._listen()
        self.port = listener.getsockname()[1]
        self._task = asyncio.create_task(self._server.serve(sockets=[listener]))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        assert self._task is not None, "it was entered"
        self._app.state.streams.close()
        self._server.should_exit = True
        with suppress(asyncio.CancelledError):
            await self._task

    @property
    def address(self) -> str:
        """The address of the first page: ``http://127.0.0.1:6080``."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    async def ended(self) -> None:
        """Return when the server has ended."""
        assert self._task is not None, "it was entered"
        await asyncio.shield(self._task)

    def _listen(self) -> socket.socket:
        listener = socket.socket(socket.AF_INET6 if ":" in self.host else socket.AF_INET)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((self.host, self.port))
            listener.listen(_BACKLOG)
            listener.setblocking(False)
        except OSError as error:
            listener.close()
            message = f"cannot listen on {self.host} port {self.port}: {error.strerror or error}"
            hint = "choose a free port (0: any) on an address of this machine"
            raise ConfigError(
                [Mistake(file="settings", line=None, path="pages", message=message, hint=hint)]
            ) from error
        return listener
