"""Whoever reaches the port holds up neither the worker nor the next probe."""

from __future__ import annotations

import asyncio
import resource
import subprocess
import sys
import time
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import aiohttp
import pytest

from monitor.web import door
from monitor.web.server import WebServer
from tests.stream.running import until
from tests.web.test_server import Worker

FILES = 300
TRICKLING = 400
STORM_S = 12.0
PAGE = 32 << 20
"""Bytes of /metrics: more than any socket takes by itself."""


@asynccontextmanager
async def connection(port: int, say: bytes = b""):
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 10)
    writer.write(say)
    try:
        yield reader
    finally:
        writer.transport.abort()
        with suppress(ConnectionError):
            await writer.wait_closed()


SCRAPE = b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"


async def trickle(port: int, storm: asyncio.Event) -> None:
    """Send a request byte by byte, again and again: as a slow loris does."""
    while not storm.is_set():
        with suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                for byte in b"GET /metrics HTTP/1.1\r\nHost: x\r\nX-Long: " + b"x" * 1_000:
                    writer.write(bytes([byte]))
                    await writer.drain()
                    with suppress(TimeoutError):
                        await asyncio.wait_for(storm.wait(), 0.5)
                    if storm.is_set():
                        break
            finally:
                writer.close()


async def get(port: int, path: str, timeout_s: float = 8.0) -> tuple[int, str]:
    async with (
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(timeout_s)) as session,
        session.get(f"http://127.0.0.1:{port}{path}") as answer,
    ):
        return answer.status, await answer.text()


def events(metrics: str) -> float:
    return sum(float(line.split()[-1]) for line in metrics.splitlines() if line.startswith("sla_events_total{"))


@pytest.fixture
def free_port() -> int:
    import socket  # noqa: PLC0415 - here only

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def test_400_trickling_clients_neither_block_a_probe_nor_kill_a_worker_with_few_files(tmp_path, free_port):
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4_096, most), most))
    # The demonstration is a worker with its broker and traffic.
    started = subprocess.Popen(  # noqa: ASYNC220 - it only starts it
        ["sh", "-c", f'ulimit -n {FILES}; exec "$@"', "sh", sys.executable, "-m", "monitor", "demo", "--json",
         "--port", str(free_port)],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=tmp_path,
    )  # fmt: skip
    storm = asyncio.Event()
    clients: list[asyncio.Task[None]] = []
    try:

        async def ready() -> bool:
            with suppress(OSError, aiohttp.ClientError, TimeoutError):
                return (await get(free_port, "/readyz"))[0] == 200
            return False

        deadline = time.monotonic() + 60
        while not await ready():
            assert started.poll() is None, started.stderr.read()
            assert time.monotonic() < deadline
            await asyncio.sleep(0.1)
        before = events((await get(free_port, "/metrics"))[1])
        clients = [asyncio.create_task(trickle(free_port, storm)) for _ in range(TRICKLING)]
        until_s = time.monotonic() + STORM_S
        answers = []
        while time.monotonic() < until_s:
            answers.append((await get(free_port, "/healthz"))[0])
            await asyncio.sleep(0.1)
        assert set(answers) == {200}
        assert len(answers) > 5
        assert events((await get(free_port, "/metrics"))[1]) > before
        assert started.poll() is None
    finally:
        storm.set()
        await asyncio.gather(*clients, return_exceptions=True)
        if started.poll() is None:
            started.kill()
        started.communicate()


@pytest.fixture
def hurried(monkeypatch):
    monkeypatch.setattr(door, "HEADERS_S", 0.3)
    monkeypatch.setattr(door, "ANSWER_S", 0.6)
    monkeypatch.setattr(door, "MOST_CONNECTIONS", 5)


@pytest.fixture
def patient(hurried, monkeypatch):  # noqa: ARG001 - it is overruled
    """Whoever is cut off is so for the number of connections, not for its time."""
    monkeypatch.setattr(door, "HEADERS_S", 60.0)
    monkeypatch.setattr(door, "ANSWER_S", 60.0)


@pytest.fixture
async def server(hurried):  # noqa: ARG001 - it sets the limits
    worker = Worker()
    page = b"x" * PAGE, "text/plain"
    async with WebServer(port=0, alive=worker.alive, ready=worker.ready, metrics=lambda _: page) as running:
        yield running


async def closed(reader: asyncio.StreamReader) -> bool:
    with suppress(ConnectionError):
        return await asyncio.wait_for(reader.read(), 30) == b""
    return True


async def test_a_connection_that_asks_nothing_is_closed(server):
    async with connection(server.port, b"GET /healthz HT") as reader:
        assert await closed(reader)


async def test_an_answer_that_nobody_takes_is_cut_off_and_forgotten(server):
    async with connection(server.port, SCRAPE):
        await until(lambda: len(server._door._scrapes) == 1)
        await until(lambda: not server._door._open)
        assert not server._door._scrapes


@pytest.mark.usefixtures("patient")
async def test_the_newest_scrape_is_answered_however_many_are_not_taken(server):
    async with AsyncExitStack() as slow:
        for _ in range(door.MOST_SCRAPES * 2):
            await slow.enter_async_context(connection(server.port, SCRAPE))
        await until(lambda: len(server._door._scrapes) == door.MOST_SCRAPES)

        status, text = await get(server.port, "/metrics")

        assert (status, len(text)) == (200, PAGE)
        assert len(server._door._scrapes) <= door.MOST_SCRAPES


@pytest.mark.usefixtures("patient")
async def test_of_too_many_connections_the_oldest_that_asked_nothing_goes(server):
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(connection(server.port, SCRAPE))
        await until(lambda: bool(server._door._scrapes))
        (busy,) = server._door._scrapes
        idle = [await stack.enter_async_context(connection(server.port)) for _ in range(door.MOST_CONNECTIONS - 1)]
        await until(lambda: len(server._door._open) == door.MOST_CONNECTIONS)
        gone = asyncio.ensure_future(closed(idle[0]))

        assert (await get(server.port, "/healthz"))[0] == 200

        assert await gone
        assert busy in server._door._open, "the one that was being answered stayed"


async def test_a_connection_is_for_one_request(server):
    async with connection(server.port, b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n" * 50) as reader:
        answer = await asyncio.wait_for(reader.read(), 30)

    assert answer.count(b"HTTP/1.1 200") == 1
    assert b"Connection: close" in answer


@pytest.mark.parametrize(
    "too_much",
    [
        b"GET /" + b"x" * 5_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 10_000 + b"\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: x\r\n" + b"X: y\r\n" * 500 + b"\r\n",
        b"\x16\x03\x01\x02\x00 no HTTP\r\n\r\n",
    ],
)
async def test_a_request_of_too_much_is_refused_and_the_connection_closed(server, too_much):
    async with connection(server.port, too_much) as reader:
        answer = await asyncio.wait_for(reader.read(), 30)

    assert answer.startswith((b"HTTP/1.0 400", b"HTTP/1.1 400")), answer[:200]
