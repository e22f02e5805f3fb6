"""Tokens for OAUTHBEARER: fetched once for all who wait, renewed in time, and what is told of one that fails."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from monitor.stream.kafka.tokens import LARGEST_ANSWER, ClientCredentials, TokenUnavailableError

SECRET = "s3cret/ü"


class Endpoint:
    """A token endpoint that answers what it is told to."""

    def __init__(self) -> None:
        self.status, self.headers = 200, {}  # type: tuple[int, dict[str, str]]
        self.body: bytes | None = None
        self.lifetime_s: object = 100
        self.asked: list[tuple[str, str, str]] = []
        self.delay_s = 0.0
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.do_POST()

            def do_POST(self) -> None:
                form = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
                endpoint.asked.append((self.path, self.headers["Authorization"], form))
                time.sleep(endpoint.delay_s)
                self.send_response(endpoint.status)
                for name, value in endpoint.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                told = {"access_token": f"token-{len(endpoint.asked)}", "expires_in": endpoint.lifetime_s}
                self.wfile.write(endpoint.body if endpoint.body is not None else json.dumps(told).encode())

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}/token"


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    one = Endpoint()
    thread = threading.Thread(target=one.server.serve_forever, daemon=True)
    thread.start()
    yield one
    one.server.shutdown()
    one.server.server_close()
    thread.join()


class Hand:
    """A clock that is turned by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def credentials(endpoint: Endpoint, **options: Any) -> ClientCredentials:
    return ClientCredentials(endpoint.address, "monitor", SECRET, **options)


async def test_the_client_proves_itself_and_asks_for_its_scope(endpoint: Endpoint) -> None:
    assert await credentials(endpoint, scope="kafka all").token() == "token-1"

    (asked,) = endpoint.asked
    assert asked == (
        "/token", "Basic bW9uaXRvcjpzM2NyZXQlMkYlQzMlQkM=", "grant_type=client_credentials&scope=kafka+all",
    )  # fmt: skip


async def test_a_token_is_used_for_four_fifths_of_its_life(endpoint: Endpoint) -> None:
    clock = Hand()
    one = credentials(endpoint, now=clock)

    assert await one.token() == "token-1"
    clock.now = 79.9
    assert await one.token() == "token-1"
    clock.now = 80.0
    assert await one.token() == "token-2"


@pytest.mark.parametrize("lifetime_s", [0, -5])
async def test_a_token_without_a_life_is_used_once(lifetime_s: int, endpoint: Endpoint) -> None:
    endpoint.lifetime_s = lifetime_s
    one = credentials(endpoint, now=Hand())

    assert [await one.token(), await one.token()] == ["token-1", "token-2"]


async def test_connections_that_open_at_once_in_two_loops_wait_for_one_fetch(endpoint: Endpoint) -> None:
    endpoint.delay_s = 0.2
    one = credentials(endpoint)

    async def many() -> list[str]:
        return list(await asyncio.gather(*(one.token() for _ in range(20))))

    here, there = await asyncio.gather(many(), asyncio.to_thread(lambda: asyncio.run(many())))

    assert set(here + there) == {"token-1"}
    assert len(endpoint.asked) == 1


@pytest.mark.parametrize(
    ("status", "body", "told"),
    [
        (401, b'{"error": "invalid_client"}', r"answers 401 \(invalid_client: look at client_id, "),
        (400, b'{"error": "<script>"}', "answers 400$"),
        (500, b"[" * LARGEST_ANSWER, "answers 500$"),
        (200, b"<html>", "answers without an access_token$"),
        (200, b"[]", "answers without an access_token$"),
        (200, b'{"access_token": "a", "expires_in": "soon"}', "answers without an access_token$"),
        (200, b'{"access_token": "a\\u0001b"}', "answers with an access_token that is no text of ASCII$"),
        (200, b'{"access_token": 7}', "answers with an access_token that is no text of ASCII$"),
        (200, b'{"access_token": "' + b"a" * LARGEST_ANSWER + b'"}', "answers without an access_token$"),
    ],
    ids=lambda value: value[:24].decode() if isinstance(value, bytes) else "",
)  # fmt: skip
async def test_an_endpoint_that_gives_none_is_told_with_its_address_and_no_secret(
    status: int, body: bytes, told: str, endpoint: Endpoint
) -> None:
    endpoint.status, endpoint.body = status, body
    one = credentials(endpoint)

    with pytest.raises(TokenUnavailableError, match=f"the token endpoint {endpoint.address} {told}") as refused:
        await one.token()

    assert SECRET not in f"{refused.value!r} {one!r}"


async def test_the_secret_follows_no_redirect(endpoint: Endpoint) -> None:
    endpoint.status, endpoint.headers = 302, {"Location": f"{endpoint.address}/elsewhere"}

    with pytest.raises(TokenUnavailableError, match="answers 302"):
        await credentials(endpoint).token()

    assert [path for path, *_ in endpoint.asked] == ["/token"]


async def test_the_secret_for_this_machine_passes_no_proxy(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)

    assert await credentials(endpoint).token() == "token-1"


async def test_an_endpoint_that_is_not_there_is_told() -> None:
    one = ClientCredentials("http://127.0.0.1:1/token", "monitor", SECRET)

    with pytest.raises(TokenUnavailableError, match=r"cannot be reached: .*refused"):
        await one.token()
