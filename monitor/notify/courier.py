"""The courier: one attempt to tell one notice by HTTP, and what came of it.

Every receiver has a line of its own: its connections, and its thread that looks up the name of its host. However slow
one is, no other waits. Whoever calls the courier keeps to the number of attempts that may be under way (``places``).
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from monitor.config.receivers.base import secrets_of
from monitor.config.receivers.registry import Receiver, reading_of, requests_for
from monitor.config.receivers.requests import Answer, Request, Sender
from monitor.core.paging.notices import Notice, Outcome
from monitor.notify.answers import outcome, without_secrets
from monitor.notify.bounded import BoundedConnector
from monitor.notify.failures import UnreadableCertificatesError, words_for

ZoneOf = Callable[[str, int], str]
"""Tells the zone of an agreement, by its id and version."""

_MOST_READ: Final = 16 << 10
"""Bytes of an answer that are read: enough for the reason of a refusal."""

_SHORTEST_TIMEOUT_S: Final = 0.001
"""0 would mean none."""

_OWN_HEADERS: Final = {"User-Agent": "sla-monitor", "Accept": "*/*", "Accept-Encoding": "identity"}


class WebhookCourier:
    """Delivers notices by HTTP. See `monitor.core.paging.notices.Courier`.

    Redirects are not followed: they would carry what is secret to where nobody wrote it should go. Neither proxies nor
    passwords are taken from the environment. Nothing stays open between attempts.
    """

    def __init__(
        self,
        receivers: Mapping[str, Receiver],
        source: str,
        now_ms: Callable[[], int],
        zone_of: ZoneOf = lambda *_: "UTC",
    ) -> None:
        """``source`` is the CloudEvents source of what is told; ``now_ms`` tells the time of an attempt.

        ``zone_of`` tells the zone of a version of an agreement, in which sentences tell instants.
        """
        self._lines = {name: _Line(one, Sender(source, name), now_ms, zone_of) for name, one in receivers.items()}

    def knows(self, receiver: str) -> bool:
        """Return whether the settings have a receiver of this name."""
        return receiver in self._lines

    def places(self, receiver: str) -> int:
        """Return how many attempts to a receiver may be under way at the same time."""
        return self._lines[receiver].places

    async def deliver(self, receiver: str, notice: Notice) -> Outcome:
        """Attempt one delivery."""
        line = self._lines.get(receiver)
        if line is None:
            return Outcome("misconfigured", 0, "the settings have no receiver of this name")
        return await line.deliver(notice)


class _Line:
    """The line to one receiver."""

    def __init__(self, receiver: Receiver, sender: Sender, now_ms: Callable[[], int], zone_of: ZoneOf) -> None:
        self._receiver = receiver
        self._sender = sender
        self._zone_of = zone_of
        self._now_ms = now_ms
        self.places = receiver.max_connections
        self._resolver = _Resolver()

    async def deliver(self, notice: Notice) -> Outcome:
        now_ms = self._now_ms()
        deadline_s = asyncio.get_running_loop().time() + self._receiver.timeout_ms / 1000
        # All alerts of a notice are of one agreement.
        zone = self._zone_of(notice.alerts[0].key.agreement, notice.alerts[0].version) if notice.alerts else "UTC"
        first, *others = requests_for(self._receiver, notice, self._sender._replace(zone=zone), now_ms)
        found = await self._attempt(first, now_ms, deadline_s)
        for request in others:
            if found.kind == "delivered":
                found = await self._attempt(request, now_ms, deadline_s)
        return found

    async def _attempt(self, request: Request, now_ms: int, deadline_s: float) -> Outcome:
        try:
            answer = await self._ask(request, deadline_s)
        except UnreadableCertificatesError:
            return Outcome("misconfigured", 0, "ca_file holds no certificates that can be read")
        except (aiohttp.ClientError, OSError) as error:  # OSError: time-outs and broken connections too
            return Outcome("retry", 0, without_secrets(words_for(error), secrets_of(self._receiver)))
        return outcome(answer, reading_of(self._receiver), secrets_of(self._receiver), now_ms)

    async def _ask(self, request: Request, deadline_s: float) -> Answer:
        proxy = self._receiver.proxy.get_secret_value() if self._receiver.proxy else None
        left_s = max(deadline_s - asyncio.get_running_loop().time(), _SHORTEST_TIMEOUT_S)
        # A page is rare: a connection that was kept for it would mostly be one that the other side has closed.
        async with (
            aiohttp.ClientSession(
                connector=BoundedConnector(force_close=True, resolver=self._resolver, ssl=self._trusted()),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers=_OWN_HEADERS,
                auto_decompress=False,
                trust_env=False,
            ) as session,
            session.request(
                request.method,
                URL(request.url, encoded=True),
                data=request.body,
                headers=request.headers,
                allow_redirects=False,
                proxy=proxy,
                timeout=aiohttp.ClientTimeout(total=left_s),
            ) as response,
        ):
            return Answer(response.status, await _beginning(response), response.headers.get("Retry-After"))

    def _trusted(self) -> ssl.SSLContext | bool:
        """Return the certificates that are trusted: read each time, for they are renewed."""
        if self._receiver.ca_file is None:
            return True
        try:
            return ssl.create_default_context(cafile=self._receiver.ca_file)
        except OSError as error:  # also ssl.SSLError: what is in the file is no certificate
            raise UnreadableCertificatesError from error


class _Resolver(AbstractResolver):
    """Looks host names up in a thread of its own: a name server that hangs takes no thread from others."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(max_workers=1, thread_name_prefix="receiver-name")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        look_up = partial(socket.getaddrinfo, host, port, family, socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
        found = await asyncio.get_running_loop().run_in_executor(self._threads, look_up)
        return [
            ResolveResult(
                hostname=host,
                host=str(address[0]),
                port=port,
                family=one_family,
                proto=protocol,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for one_family, _, protocol, _, address in found
        ]

    async def close(self) -> None:
        """Keep the thread: it serves the attempts to come, and ends with the resolver."""


async def _beginning(response: aiohttp.ClientResponse) -> bytes:
    """Return the beginning of the body. The status has been read by now: a body that breaks off changes nothing."""
    body = bytearray()
    try:
        async for chunk in response.content.iter_any():
            body += chunk
            if len(body) >= _MOST_READ:
                break
    except (aiohttp.ClientError, OSError):
        pass
    return bytes(body[:_MOST_READ])
