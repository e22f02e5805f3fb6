"""``health``: what a container engine asks, and what its exit code says."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import orjson
import pytest

from monitor.cli.commands.health import address_of
from monitor.config.settings.web import WebSettings
from tests.cli.conftest import Run

PAGES = {"/healthz": (200, "alive\n"), "/readyz": (503, "not all partitions are open yet\n")}


class Pages(BaseHTTPRequestHandler):
    def do_GET(self):
        status, text = PAGES[self.path]
        self.send_response(status)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_):
        pass


@pytest.fixture
def port() -> Iterator[int]:
    """The port of a worker that is alive and not ready."""
    with HTTPServer(("127.0.0.1", 0), Pages) as server:
        serving = threading.Thread(target=server.serve_forever, args=(0.01,))
        serving.start()
        yield server.server_port
        server.shutdown()
        serving.join()


def test_a_worker_that_is_alive_is_exit_code_0(port: int, run: Run):
    result = run("health", "--url", f"http://127.0.0.1:{port}")
    assert (result.exit_code, result.stdout) == (0, "alive\n")


def test_one_that_is_not_ready_is_exit_code_1_with_its_own_words(port: int, run: Run):
    result = run("health", "--ready", "--json", "--url", f"http://127.0.0.1:{port}/")
    assert result.exit_code == 1
    assert orjson.loads(result.stdout)["why"] == "not all partitions are open yet"


def test_it_finds_the_worker_where_the_settings_say(port: int, run: Run):
    environment = {"SLA_MONITOR_WEB_HOST": "0.0.0.0", "SLA_MONITOR_WEB_PORT": str(port)}
    assert run("health", env=environment).exit_code == 0


def test_nobody_there_is_exit_code_1(run: Run):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        result = run("health", "--url", url)
    assert result.exit_code == 1
    assert result.stdout.startswith(f"no answer from {url}/healthz: ")


def test_one_that_never_answers_is_exit_code_1_after_the_timeout(run: Run):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        result = run("health", "--timeout", "0.1", "--url", f"http://127.0.0.1:{silent.getsockname()[1]}")
    assert result.exit_code == 1
    assert "timed out" in result.stdout


@pytest.mark.parametrize("url", ["127.0.0.1:6066", "file:///etc/passwd", "http://", "http://a:b", "https://a:1"])
def test_what_is_no_address_is_wrong_use(url: str, run: Run):
    assert run("health", "--url", url).exit_code == 2


@pytest.mark.parametrize(
    ("host", "asked"),
    [("0.0.0.0", "127.0.0.1"), ("::", "[::1]"), ("10.1.2.3", "10.1.2.3"), ("::1", "[::1]"), ("worker", "worker")],
)
def test_a_worker_that_listens_everywhere_is_asked_on_this_machine(host: str, asked: str):
    assert address_of(WebSettings(host=host, port=80)) == f"http://{asked}:80"
