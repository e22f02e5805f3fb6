"""The courier over real sockets: whatever a receiver does is an outcome, and no receiver waits for another."""

from __future__ import annotations

import asyncio
import shutil
import socket
import ssl
import subprocess
import threading
import time
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from itertools import chain, repeat

import aiohttp
import orjson
import pytest
from aiohttp.client_proto import ResponseHandler
from standardwebhooks import Webhook

from monitor.core.paging.notices import Courier, Outcome
from monitor.notify.bounded import BoundedConnector
from monitor.notify.courier import WebhookCourier
from monitor.stream.agents.deliveries import Deliveries
from tests.notify.desk import Desk
from tests.notify.given import SECRET, notice, receiver

NOW_MS = 1_772_452_800_000


@pytest.fixture
async def desk():
    async with Desk.started() as one:
        yield one


def courier_of(**receivers):
    return WebhookCourier(receivers, "sla-monitor", lambda: NOW_MS)


def generic(url, **changes):
    return receiver("generic", url=url, **changes)


async def delivered(courier, name="pager", **changes):
    return await courier.deliver(name, notice(**changes))


async def test_sentences_are_in_the_zone_of_the_agreements_version_and_fields_in_utc(desk):
    asked = []

    def zone_of(agreement, version):
        asked.append((agreement, version))
        return "Europe/Berlin"

    courier = WebhookCourier({"pager": generic(f"{desk.url}/hook")}, "sla-monitor", lambda: NOW_MS, zone_of)
    assert (await delivered(courier)).kind == "delivered"
    assert (await delivered(courier, alerts=())).kind == "delivered"

    (alert,) = orjson.loads(desk.told[0][2])["data"]["alerts"]
    data = alert["data"]
    assert asked == [("desk", 3)]
    assert (data["annotations"]["due"], data["due"]) == (
        "2026-03-02 12:30 CET",
        "2026-03-02T11:30:00.000Z",
    )


async def test_a_notice_arrives_signed_and_whole(desk):
    courier: Courier = courier_of(pager=generic(f"{desk.url}/hook?a=%2F&b=1"))

    assert await courier.deliver("pager", notice(title="Ünïcode \U0001f525")) == Outcome("delivered", 200, "200")

    ((path, headers, body),) = desk.told
    assert path == "/hook"
    assert orjson.loads(body)["data"]["title"] == "Ünïcode \U0001f525"
    assert headers["webhook-timestamp"] == str(NOW_MS // 1000)
    assert headers["User-Agent"] == "sla-monitor"
    when = datetime.fromtimestamp(NOW_MS / 1000, UTC)
    assert headers["webhook-signature"].split()[0] == Webhook(SECRET).sign(headers["webhook-id"], when, body.decode())


async def test_only_receivers_of_the_settings_are_known():
    courier = courier_of(pager=generic("http://127.0.0.1:9/"))

    assert (courier.knows("pager"), courier.knows("other")) == (True, False)
    assert (await courier.deliver("other", notice())).kind == "misconfigured"


@pytest.mark.parametrize(
    ("status", "headers", "expected"),
    [
        (204, {}, Outcome("delivered", 204, "204")),
        (429, {"Retry-After": "7"}, Outcome("retry", 429, "429", 7_000)),
        (503, {"Retry-After": "Mon, 02 Mar 2026 12:01:00 GMT"}, Outcome("retry", 503, "503", 60_000)),
        (500, {}, Outcome("retry", 500, "500")),
        (410, {}, Outcome("gone", 410, "410")),
        (422, {}, Outcome("rejected", 422, "422")),
    ],
)
async def test_its_answer_is_the_outcome(status, headers, expected, desk):
    desk.answers["/hook"] = (status, b"", headers)

    assert await delivered(courier_of(pager=generic(f"{desk.url}/hook"))) == expected


async def test_of_several_requests_each_waits_for_the_one_before_it(desk):
    alert = "/v2/alerts/desk/2026-03-02/7"
    courier = courier_of(genie=receiver("opsgenie", url=desk.url))
    desk.answers |= {f"{alert}/{last}": (202, b"{}", {}) for last in ("priority", "notes")}

    assert (await courier.deliver("genie", notice("update"))).kind == "delivered"
    assert desk.paths() == [f"{alert}/priority", f"{alert}/notes"]

    desk.answers[f"{alert}/priority"] = (429, b"", {})
    assert (await courier.deliver("genie", notice("update"))).kind == "retry"
    assert desk.paths()[2:] == [f"{alert}/priority"]


async def test_a_redirect_is_not_followed(desk):
    desk.answers["/hook"] = (307, b"", {"Location": f"{desk.url}/elsewhere"})

    found = await delivered(courier_of(pager=generic(f"{desk.url}/hook")))

    assert found.kind == "retry"
    assert "write the new address into the settings" in found.detail
    assert desk.paths() == ["/hook"]


async def test_a_long_answer_is_not_read_to_its_end(desk):
    desk.answers["/hook"] = (400, b"x" * (8 << 20), {})

    found = await delivered(courier_of(pager=generic(f"{desk.url}/hook")))

    assert found.status == 400
    assert len(found.detail) < 300


async def test_nobody_listens():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]

        found = await delivered(courier_of(pager=generic(f"http://127.0.0.1:{port}/hook")))

    assert found == Outcome("retry", 0, "cannot be reached: Connection refused")


async def test_it_hangs_up_without_an_answer(desk):
    desk.answers["/hook"] = "close"

    found = await delivered(courier_of(pager=generic(f"{desk.url}/hook")))

    assert found == Outcome("retry", 0, "closed the connection without an answer")


async def test_a_courier_is_of_any_event_loop_and_leaves_nothing_behind(desk):
    courier = courier_of(pager=generic(f"{desk.url}/hook"))

    def elsewhere():
        return asyncio.run(courier.deliver("pager", notice())).kind

    assert await asyncio.to_thread(elsewhere) == "delivered"
    assert (await courier.deliver("pager", notice())).kind == "delivered"


async def test_its_answer_is_no_http():
    async def speak(_reader, writer):
        writer.write(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(speak, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        found = await delivered(courier_of(pager=generic(f"http://127.0.0.1:{port}/")))

    assert (found.kind, found.status) == ("retry", 0)
    assert "127.0.0.1" not in found.detail


async def test_a_body_that_breaks_off_changes_nothing_about_its_status():
    async def speak(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 99\r\n\r\nno such hook")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(speak, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        found = await delivered(courier_of(pager=generic(f"http://127.0.0.1:{port}/")))

    assert found == Outcome("rejected", 400, "400: no such hook")


class Hostile:
    """Listens and answers every connection with pieces, one after the other, until it is hung up on."""

    def __init__(self, pieces, every_s=0.0):
        self.pieces = pieces
        self.every_s = every_s
        self.sent = 0
        self.url = ""
        self.talks = {}

    async def speak(self, reader, writer):
        self.talks[asyncio.current_task()] = writer
        try:
            await reader.readuntil(b"\r\n\r\n")
            for piece in self.pieces:
                writer.write(piece)
                self.sent += len(piece)
                await writer.drain()
                await asyncio.sleep(self.every_s)
            await reader.read()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    @classmethod
    @asynccontextmanager
    async def started(cls, pieces, **options):
        one = cls(pieces, **options)
        async with await asyncio.start_server(one.speak, "127.0.0.1", 0) as server:
            one.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
            try:
                yield one
            finally:  # no socket is left open behind a test
                for writer in one.talks.values():
                    writer.transport.abort()
                await asyncio.wait(one.talks, timeout=10)
                await asyncio.sleep(0)


HEAD = b"HTTP/1.1 400 Bad Request\r\n"
BODY = b"Content-Type: text/plain\r\nContent-Length: 99999999999\r\n\r\n"


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        (repeat(b"HTTP/1.1 100 Continue\r\n\r\n" * 1_000), ("retry", 0)),
        (repeat(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 500), ("retry", 0)),
        (chain([HEAD], repeat(b"X-More: x\r\n" * 1_000)), ("retry", 0)),
        (chain([HEAD, b"X-Long: "], repeat(b"x" * 20_000)), ("retry", 0)),
        (chain([HEAD + BODY], repeat(b"x" * 20_000)), ("rejected", 400)),
        (chain([HEAD + BODY], repeat(b"<" * 20_000)), ("rejected", 400)),
        (chain([HEAD + b"Transfer-Encoding: chunked\r\n\r\n"], repeat(b"1\r\nx\r\n" * 3_000)), ("rejected", 400)),
        (chain([HEAD + b"Transfer-Encoding: chunked\r\n\r\n"], repeat(b"0" * 20_000)), ("rejected", 400)),
    ],
    ids=["100", "103", "headers", "header", "body", "tags", "chunks", "chunk size"],
)
async def test_an_answer_without_end_costs_neither_time_nor_bytes(pieces, expected):
    loop = asyncio.get_running_loop()
    async with Hostile.started(pieces) as server:
        started, cpu = loop.time(), time.process_time()
        found = await delivered(courier_of(pager=generic(server.url, timeout="20s")))

        assert found[:2] == expected
        assert len(found.detail) < 320
        # Without a bound this goes on until the time-out, as fast as both sides can.
        assert loop.time() - started < 5
        assert time.process_time() - cpu < 1
        # What lies in the buffers of the sockets was sent and never received.
        assert server.sent < 16 << 20


@pytest.mark.parametrize(
    "pieces",
    [
        repeat(b"HTTP/1.1 100 Continue\r\n\r\n"),
        chain([HEAD], repeat(b"X-More: x\r\n")),
        (bytes([one]) for one in HEAD * 100),
        chain([HEAD + b"X-Long: "], repeat(b"x")),
    ],
    ids=["100", "headers", "byte by byte", "header"],
)
async def test_an_answer_that_trickles_is_given_up_in_time(pieces):
    loop = asyncio.get_running_loop()
    async with Hostile.started(pieces, every_s=0.02) as server:
        started = loop.time()
        found = await delivered(courier_of(pager=generic(server.url, timeout="300ms")))

    assert found == Outcome("retry", 0, "no answer in time")
    assert loop.time() - started < 5


async def test_a_body_that_trickles_is_given_up_in_time_and_its_status_counts():
    loop = asyncio.get_running_loop()
    async with Hostile.started(chain([HEAD + BODY], repeat(b"x")), every_s=0.02) as server:
        started = loop.time()
        found = await delivered(courier_of(pager=generic(server.url, timeout="300ms")))

    assert found[:2] == ("rejected", 400)
    assert loop.time() - started < 5


async def test_an_answer_without_end_says_so():
    async with Hostile.started(repeat(b"HTTP/1.1 100 Continue\r\n\r\n" * 1_000)) as server:
        found = await delivered(courier_of(pager=generic(server.url)))

    assert found == Outcome("retry", 0, "its answer has no end")


def test_connections_are_bounded_by_what_aiohttp_makes_them_with():
    """`BoundedConnector` replaces a private attribute: this fails if another version of aiohttp has none."""

    async def handlers():
        async with aiohttp.TCPConnector() as plain, BoundedConnector() as bounded:
            return plain._factory(), bounded._factory()

    plain, bounded = asyncio.run(handlers())
    assert type(plain) is ResponseHandler
    assert isinstance(bounded, ResponseHandler)
    assert type(bounded).data_received is not ResponseHandler.data_received


async def test_no_answer_in_time(desk):
    desk.answers["/hook"] = "hang"

    found = await delivered(courier_of(pager=generic(f"{desk.url}/hook", timeout="100ms")))

    assert found == Outcome("retry", 0, "no answer in time")


async def test_the_name_of_the_host_is_not_known(monkeypatch):
    def unknown(*_arguments, **_options):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)

    found = await delivered(courier_of(pager=generic("https://nowhere.example/")))

    assert found == Outcome("retry", 0, "its host has no address (DNS)")


async def test_a_slow_receiver_delays_no_other(desk):
    desk.answers["/slow"] = "hang"
    courier = courier_of(
        slow=generic(f"{desk.url}/slow", max_connections=2),
        quick=generic(f"{desk.url}/quick"),
    )
    deliveries = Deliveries(courier)

    def attempt(name):
        return deliveries.attempt(name, notice(), partial(asyncio.sleep, 0))

    waiting = [asyncio.create_task(attempt("slow")) for _ in range(50)]
    for _ in range(2):
        await desk.busy.acquire()

    for _ in range(20):
        assert (await attempt("quick")).kind == "delivered"

    assert desk.paths().count("/slow") == 2, "the others wait for their turn"
    assert not any(task.done() for task in waiting)
    desk.open.set()
    assert {found.kind for found in await asyncio.gather(*waiting)} == {"delivered"}


async def test_a_name_server_that_hangs_delays_no_other(desk, monkeypatch):
    look_up, go_on = socket.getaddrinfo, threading.Event()

    def slow(host, *arguments, **options):
        if host == "slow.example":
            go_on.wait(30)
        return look_up("127.0.0.1" if host.endswith(".example") else host, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    port = desk.url.rpartition(":")[2]
    courier = courier_of(
        slow=generic(f"http://slow.example:{port}/slow", max_connections=64, insecure=True),
        quick=generic(f"http://quick.example:{port}/quick", insecure=True),
    )
    waiting = [asyncio.create_task(courier.deliver("slow", notice())) for _ in range(64)]

    assert (await courier.deliver("quick", notice())).kind == "delivered"
    assert "/slow" not in desk.paths()
    go_on.set()
    assert {found.kind for found in await asyncio.gather(*waiting)} == {"delivered"}


async def test_proxies_of_the_environment_are_not_asked_but_those_of_the_settings(desk, monkeypatch):
    async with Desk.started() as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("http_proxy", proxy.url)

        assert (await delivered(courier_of(pager=generic(f"{desk.url}/plain")))).kind == "delivered"
        assert proxy.told == []
        assert (await delivered(courier_of(pager=generic(f"{desk.url}/asked", proxy=proxy.url)))).kind == "delivered"

        assert len(proxy.told) == 1
    assert desk.paths() == ["/plain"]


async def test_a_delivery_that_is_cancelled_is_cancelled(desk):
    desk.answers["/hook"] = "hang"
    waiting = asyncio.create_task(courier_of(pager=generic(f"{desk.url}/hook")).deliver("pager", notice()))
    await desk.busy.acquire()

    waiting.cancel()

    with pytest.raises(asyncio.CancelledError):
        await waiting


class TestTls:
    @pytest.fixture
    def certificate(self, tmp_path):
        if shutil.which("openssl") is None:
            pytest.skip("openssl is not installed: there is nothing to make a certificate with")
        subprocess.run(
            "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=desk"
            f" -addext subjectAltName=IP:127.0.0.1 -keyout {tmp_path}/key.pem -out {tmp_path}/desk.pem".split(),
            check=True,
            capture_output=True,
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tmp_path / "desk.pem", tmp_path / "key.pem")
        return tmp_path / "desk.pem", context

    async def test_only_certificates_that_are_trusted_are_told_anything(self, certificate):
        file, context = certificate
        async with Desk.started(ssl_context=context) as desk:
            trusting = await delivered(courier_of(pager=generic(f"{desk.url}/a", ca_file=str(file))))
            strict = await delivered(courier_of(pager=generic(f"{desk.url}/b")))
            told = desk.paths()

        assert trusting.kind == "delivered"
        assert (strict.kind, strict.detail) == ("retry", "its certificate is not trusted: self-signed certificate")
        assert told == ["/a"]

    async def test_a_plain_server_is_asked_for_tls(self, desk):
        found = await delivered(courier_of(pager=generic(desk.url.replace("http:", "https:"))))

        assert found == Outcome("retry", 0, "TLS failed: does it speak https?")

    async def test_a_file_that_holds_no_certificates_is_told(self, tmp_path):
        (tmp_path / "none.pem").write_text("nothing")

        for file in ("none.pem", "missing.pem"):
            found = await delivered(courier_of(pager=generic("https://127.0.0.1:9/", ca_file=str(tmp_path / file))))
            assert found == Outcome("misconfigured", 0, "ca_file holds no certificates that can be read")
