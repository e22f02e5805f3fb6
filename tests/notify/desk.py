"""A service on 127.0.0.1 that answers as a test says and keeps what it was told."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

from aiohttp import web


class Desk:
    """Answers each path with what the test set for it, 200 otherwise; ``hang`` paths answer when the desk closes."""

    def __init__(self):
        self.answers = {}
        self.told = []
        self.heard = asyncio.Queue()
        self.open = asyncio.Event()
        self.busy = asyncio.Semaphore(0)
        self.url = ""
        self.otherwise = (200, b"", {})

    async def answer(self, request):
        self.told.append((request.path, dict(request.headers), await request.read()))
        self.heard.put_nowait(self.told[-1][2])
        answer = self.answers.get(request.path, self.otherwise)
        if answer == "hang":
            self.busy.release()
            await self.open.wait()
            return web.Response()
        if answer == "close":
            request.transport.close()
            return web.Response()
        status, body, headers = answer
        return web.Response(status=status, body=body, headers=headers)

    def paths(self):
        return [path for path, _, _ in self.told]

    @classmethod
    @asynccontextmanager
    async def started(cls, port=0, **options):
        desk = cls()
        runner = web.ServerRunner(web.Server(desk.answer), shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", port, **options)
        await site.start()
        port = runner.addresses[0][1]
        desk.url = f"{'https' if options.get('ssl_context') else 'http'}://127.0.0.1:{port}"
        try:
            yield desk
        finally:
            desk.open.set()
            await runner.cleanup()
