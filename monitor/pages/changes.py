"""The streams of changes: that a page is to be renewed, and each new alert. At most one message a second."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from http import HTTPStatus
from typing import Any, Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from monitor.core.alerts.alert import Alert
from monitor.pages.api_models import AlertOut
from monitor.pages.site import Site

PAUSE_S: Final = 1.0
"""The shortest time between two changes."""
LONGEST_S: Final = 10.0
"""So often a page is renewed without any news: time goes on."""
MOST_ALERTS: Final = 1_000
"""The most alerts that one message brings after a break."""


class _Stream(StreamingResponse):
    """A stream of messages that tells when it is over, also if it never began."""

    def __init__(self, messages: AsyncIterator[str], ended: Callable[[], None]) -> None:
        super().__init__(messages, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})
        self._told_when_over = ended

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the messages."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._told_when_over()


class Streams:
    """The open streams, and how many there may be."""

    def __init__(self, site: Site, most: int) -> None:
        self._site = site
        self._most = most
        self._open = 0
        self._closing = asyncio.Event()

    def routes(self) -> APIRouter:
        """Return the route of the stream that the pages follow."""
        router = APIRouter()

        @router.get("/changes", response_model=None)
        async def changes() -> Response:
            return self._streamed(self._changes())

        return router

    def alerts(self, request: Request) -> Response:
        """Return the stream of new alerts."""
        return self._streamed(self._alerts(request))

    def _streamed(self, messages: AsyncIterator[str]) -> Response:
        if self._open >= self._most:
            return Response("too many open streams", HTTPStatus.SERVICE_UNAVAILABLE, {"Retry-After": "10"})
        self._open += 1
        return _Stream(messages, self._ended)

    def _ended(self) -> None:
        self._open -= 1

    def close(self) -> None:
        """End all streams: the server stops, and browsers ask again by themselves."""
        self._closing.set()

    async def _changes(self) -> AsyncIterator[str]:
        yield "retry: 2000\n\n"
        while not self._closing.is_set():
            told = self._standing()
            yield f"event: changed\ndata: {told[1]}\n\n"
            await self._news_since(told)

    async def _alerts(self, request: Request) -> AsyncIterator[str]:
        yield "retry: 2000\n\n"
        last = request.headers.get("last-event-id") or next((one.id for one in self._site.view(request).alerts()), "")
        while not self._closing.is_set():
            told = self._standing()
            new = self._since(request, last)
            for one in reversed(new):
                yield f"event: alert\nid: {one.id}\ndata: {AlertOut.of(one).model_dump_json()}\n\n"
            if new:
                last = new[0].id
            else:
                yield ": nothing new\n\n"
            await self._news_since(told)

    def _since(self, request: Request, last: str) -> list[Alert]:
        """Return the alerts after the last one that was told, the newest first."""
        new: list[Alert] = []
        for one in self._site.view(request).alerts():
            if one.id == last or len(new) == MOST_ALERTS:
                break
            new.append(one)
        return new

    async def _news_since(self, told: tuple[int, int, str]) -> None:
        await self._unless_closing(asyncio.sleep(PAUSE_S))
        # What came meanwhile is told at once: its news is over.
        if self._standing() == told and not self._closing.is_set():
            await self._unless_closing(self._site.source.news())

    async def _unless_closing(self, wanted: Coroutine[Any, Any, None]) -> None:
        """Wait for something, but no longer than a page may stay as it is, nor after the streams are closed."""
        waiting = [asyncio.ensure_future(wanted), asyncio.ensure_future(self._closing.wait())]
        try:
            await asyncio.wait(waiting, timeout=LONGEST_S, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in waiting:
                one.cancel()

    def _standing(self) -> tuple[int, int, str]:
        source = self._site.source
        return id(source.live), source.live.version, source.failure
