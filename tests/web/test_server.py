"""The three pages, asked over real sockets."""

from __future__ import annotations

import asyncio
import socket

import aiohttp
import pytest

from monitor.errors import ConfigError
from monitor.metrics.exporter import Exporter
from monitor.metrics.snapshot import Snapshot
from monitor.web.server import WebServer


class Worker:
    """A worker to ask, whose answers the test sets."""

    def __init__(self):
        self.living = (True, "running")
        self.prepared = (False, "2 of 8 partitions open")
        self.accepted = []

    def alive(self):
        return self.living

    def ready(self):
        return self.prepared

    def metrics(self, accept):
        self.accepted.append(accept)
        return b"sla_up 1\n", "text/plain; version=0.0.4; charset=utf-8"


@pytest.fixture
def worker():
    return Worker()


@pytest.fixture
async def server(worker):
    async with WebServer(port=0, alive=worker.alive, ready=worker.ready, metrics=worker.metrics) as running:
        yield running


@pytest.fixture
async def ask(server):
    async with aiohttp.ClientSession(server.address) as session:

        async def asked(path, method="GET", **options):
            async with session.request(method, path, **options) as answer:
                return answer.status, await answer.text(), answer.headers

        yield asked


async def test_a_living_worker_is_alive_before_it_is_ready(ask):
    assert (await ask("/healthz"))[:2] == (200, "running\n")
    assert (await ask("/readyz"))[:2] == (503, "2 of 8 partitions open\n")


async def test_the_answers_change_with_the_worker(ask, worker):
    worker.prepared = (True, "8 of 8 partitions open")
    worker.living = (False, "lag 5000 and no progress for 60 s")
    assert (await ask("/readyz"))[0] == 200
    assert (await ask("/healthz"))[:2] == (503, "lag 5000 and no progress for 60 s\n")


async def test_metrics_come_as_the_scraper_accepts_them(ask, worker):
    status, body, headers = await ask("/metrics", headers={"Accept": "application/openmetrics-text"})
    assert (status, body) == (200, "sla_up 1\n")
    assert headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert worker.accepted == ["application/openmetrics-text"]


async def test_metrics_may_take_their_time(worker):
    async def later(accept):
        await asyncio.sleep(0)
        return worker.metrics(accept)

    async with (
        WebServer(port=0, alive=worker.alive, ready=worker.ready, metrics=later) as server,
        aiohttp.ClientSession() as session,
        session.get(f"{server.address}/metrics") as answer,
    ):
        assert await answer.text() == "sla_up 1\n"


@pytest.mark.parametrize(
    "path", ["/", "/table", "/router", "/metrics/", "/healthz/x", "/../etc/passwd", "/favicon.ico"]
)
async def test_nothing_else_is_served(ask, path):
    assert (await ask(path))[0] == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
async def test_pages_are_only_read(ask, path, method):
    status, _, headers = await ask(path, method)
    assert status == 405
    assert set(headers["Allow"].split(",")) == {"GET", "HEAD"}


@pytest.mark.parametrize(("path", "expected"), [("/healthz", 200), ("/readyz", 503), ("/metrics", 200)])
async def test_head_tells_the_status_without_a_body(ask, path, expected):
    assert (await ask(path, "HEAD"))[:2] == (expected, "")


@pytest.mark.parametrize("path", ["/healthz", "/nothing"])
async def test_no_answer_tells_versions_or_may_be_cached(ask, path):
    headers = (await ask(path))[2]
    assert headers["Server"] == "sla-monitor"
    assert headers["Cache-Control"] == "no-store"


async def test_it_listens_on_this_machine_only_and_says_where(server):
    assert server.address == f"http://127.0.0.1:{server.port}"
    assert server.port > 0
    assert {one.getsockname()[0] for one in server._listener.sockets} == {"127.0.0.1"}


async def test_a_taken_port_names_who_must_act(server, worker):
    second = WebServer(port=server.port, alive=worker.alive, ready=worker.ready, metrics=worker.metrics)
    with pytest.raises(ConfigError, match=rf"web: cannot listen on 127.0.0.1 port {server.port}.*choose a free port"):
        async with second:
            pass


async def test_after_the_block_nobody_listens(worker):
    async with WebServer(port=0, alive=worker.alive, ready=worker.ready, metrics=worker.metrics) as server:
        port = server.port
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0


def test_an_address_of_the_new_internet_is_written_in_brackets(worker):
    server = WebServer("::1", 6066, alive=worker.alive, ready=worker.ready, metrics=worker.metrics)
    assert server.address == "http://[::1]:6066"


async def test_an_exporter_is_what_it_serves(worker):
    scrape = Exporter(lambda: Snapshot(rebalances=3)).scrape
    async with (
        WebServer(port=0, alive=worker.alive, ready=worker.ready, metrics=scrape) as server,
        aiohttp.ClientSession() as session,
        session.get(f"{server.address}/metrics") as answer,
    ):
        assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        assert "\nsla_rebalances_total 3.0\n" in await answer.text()


async def test_a_page_that_fails_is_an_error_and_the_others_go_on(worker, caplog):
    def broken(_accept):
        raise RuntimeError("no snapshot")

    async with (
        WebServer(port=0, alive=worker.alive, ready=worker.ready, metrics=broken) as server,
        aiohttp.ClientSession(server.address) as session,
    ):
        async with session.get("/metrics") as answer:
            assert answer.status == 500
            assert "no snapshot" not in await answer.text()
        async with session.get("/healthz") as answer:
            assert answer.status == 200
    assert "no snapshot" in caplog.text
