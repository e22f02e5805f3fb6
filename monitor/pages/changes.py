"""The stream of changes: tells each open page that there is something new, at most once a second."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from http import HTTPStatus
from typing import Final

from fastapi import APIRouter, Response
from fastapi.responses import StreamingResponse

from monitor.pages.site import Site

PAUSE_S: Final = 1.0
"""The shortest time between two changes."""
LONGEST_S: Final = 10.0
"""So often a page is renewed without any news: time goes on."""


class Streams:
    """The open streams of changes, and how many there may be."""

    def __init__(self, site: Site, most: int) -> None:
        self._site = site
        self._most = most
        self._open = 0

    def routes(self) -> APIRouter:
        """Return its route."""
        router = APIRouter()

        @router.get("/changes", response_model=None)
        async def changes() -> Response:
            if self._open >= self._most:
                return Response("too many open streams", HTTPStatus.SERVICE_UNAVAILABLE, {"Retry-After": "10"})
            return StreamingResponse(
                self._changes(), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"}
            )

        return router

    async def _changes(self) -> AsyncIterator[str]:
        self._open += 1
        try:
            yield "retry: 2000\n\n"
            while True:
                told = self._standing()
                yield f"event: changed\ndata: {told[1]}\n\n"
                await asyncio.sleep(PAUSE_S)
                # What came meanwhile is told at once: its news is over.
                if self._standing() == told:
                    with suppress(TimeoutError):
                        async with asyncio.timeout(LONGEST_S):
                            await self._site.source.news()
        finally:
            self._open -= 1

    def _standing(self) -> tuple[int, int, str]:
        source = self._site.source
        return id(source.live), source.live.version, source.failure
