"""The streams of changes: that a page is to be renewed, and each new alert. At most one message a second."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from http import HTTPStatus
from typing import Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse

from monitor.core.alerts.alert import Alert
from monitor.pages.api_models import AlertOut
from monitor.pages.site import Site

PAUSE_S: Final = 1.0
"""The shortest time between two changes."""
LONGEST_S: Final = 10.0
"""So often a page is renewed without any news: time goes on."""
MOST_ALERTS: Final = 1_000
"""The most alerts that one message brings after a break."""


class Streams:
    """The open streams, and how many there may be."""

    def __init__(self, site: Site, most: int) -> None:
        self._site = site
        self._most = most
        self._open = 0

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
        return StreamingResponse(
            self._counted(messages), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"}
        )

    async def _counted(self, messages: AsyncIterator[str]) -> AsyncIterator[str]:
        self._open += 1
        try:
            async for one in messages:
                yield one
        finally:
            self._open -= 1

    async def _changes(self) -> AsyncIterator[str]:
        yield "retry: 2000\n\n"
        while True:
            told = self._standing()
            yield f"event: changed\ndata: {told[1]}\n\n"
            await self._news_since(told)

    async def _alerts(self, request: Request) -> AsyncIterator[str]:
        yield "retry: 2000\n\n"
        last = request.headers.get("last-event-id") or next((one.id for one in self._site.view(request).alerts()), "")
        while True:
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
        await asyncio.sleep(PAUSE_S)
        # What came meanwhile is told at once: its news is over.
        if self._standing() == told:
            with suppress(TimeoutError):
                async with asyncio.timeout(LONGEST_S):
                    await self._site.source.news()

    def _standing(self) -> tuple[int, int, str]:
        source = self._site.source
        return id(source.live), source.live.version, source.failure
