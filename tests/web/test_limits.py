"""Whoever reaches the port holds up neither the worker nor the next probe."""

from __future__ import annotations

import asyncio
import re
import resource
import subprocess
import sys
import time
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import aiohttp
import pytest

from monitor.bootstrap import limits_of
from monitor.config.settings.web import WebSettings
from monitor.web.door import Door, Limits
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
        page = (await get(free_port, "/metrics"))[1]
        assert events(page) > before
        assert float(re.search(r'^sla_web_cut_off_total\{reason="connections"\} (\S+)$', page, re.MULTILINE)[1]) > 100
        assert started.poll() is None
    finally:
        storm.set()
        await asyncio.gather(*clients, return_exceptions=True)
        if started.poll() is None:
            started.kill()
        started.communicate()


HURRIED = Limits(connections=5, scrapes=3, headers_s=0.3, answer_s=0.6)
PATIENT = HURRIED._replace(headers_s=60.0, answer_s=60.0)
"""Whoever is cut off is so for the number of connections, not for its time."""


@pytest.fixture
def door(request):
    return Door(getattr(request, "param", HURRIED))


@pytest.fixture
async def server(door):
    worker = Worker()
    page = b"x" * PAGE, "text/plain"
    async with WebServer(port=0, alive=worker.alive, ready=worker.ready, metrics=lambda _: page, door=door) as running:
        yield running


def cut_off(door: Door) -> dict[str, int]:
    """Return what was counted; each reason is there from the start."""
    assert door.cut_off_by.keys() == {"no_request", "answer_not_taken", "connections", "scrapes"}
    return {why: count for why, count in door.cut_off_by.items() if count}


async def closed(reader: asyncio.StreamReader) -> bool:
    with suppress(ConnectionError):
        return await asyncio.wait_for(reader.read(), 30) == b""
    return True


async def test_a_connection_that_asks_nothing_is_closed(server, door):
    async with connection(server.port, b"GET /healthz HT") as reader:
        assert await closed(reader)

    assert cut_off(door) == {"no_request": 1}


async def test_an_answer_that_nobody_takes_is_cut_off_and_forgotten(server, door):
    async with connection(server.port, SCRAPE):
        await until(lambda: len(door._scrapes) == 1)
        await until(lambda: not door._open)
        assert not door._scrapes
        assert cut_off(door) == {"answer_not_taken": 1}


async def test_who_is_answered_or_leaves_is_not_cut_off(server, door):
    async with connection(server.port, b"GET /hea"):
        await until(lambda: bool(door._open))
    assert (await get(server.port, "/healthz"))[0] == 200
    assert (await get(server.port, "/metrics"))[0] == 200

    await until(lambda: not door._open)
    assert cut_off(door) == {}


@pytest.mark.parametrize("door", [PATIENT], indirect=True)
async def test_the_newest_scrape_is_answered_however_many_are_not_taken(server, door):
    async with AsyncExitStack() as slow:
        for _ in range(door.limits.scrapes):
            await slow.enter_async_context(connection(server.port, SCRAPE))
        await until(lambda: len(door._scrapes) == door.limits.scrapes)

        status, text = await get(server.port, "/metrics")

        assert (status, len(text)) == (200, PAGE)
        assert len(door._scrapes) <= door.limits.scrapes
        assert cut_off(door)["scrapes"] == 1


@pytest.mark.parametrize("door", [PATIENT], indirect=True)
async def test_of_too_many_connections_the_oldest_that_asked_nothing_goes(server, door):
    most = door.limits.connections
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(connection(server.port, SCRAPE))
        await until(lambda: bool(door._scrapes))
        (busy,) = door._scrapes
        idle = [await stack.enter_async_context(connection(server.port)) for _ in range(most - 1)]
        await until(lambda: len(door._open) == most)
        gone = asyncio.ensure_future(closed(idle[0]))

        assert (await get(server.port, "/healthz"))[0] == 200

        assert await gone
        assert busy in door._open, "the one that was being answered stayed"
        assert cut_off(door) == {"connections": 1}


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


def test_the_limits_are_those_of_the_settings():
    web = WebSettings(max_connections=9, max_scrapes=2, headers_timeout="300ms", answer_timeout="1s")

    assert limits_of(web) == Limits(connections=9, scrapes=2, headers_s=0.3, answer_s=1.0)
    assert limits_of(WebSettings()) == Limits()
