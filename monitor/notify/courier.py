"""The courier: one attempt to tell one notice by HTTP, and what came of it.

Every receiver has a line of its own: its connections, its limit of attempts at the same time, and its thread that looks
up the name of its host. However slow one is, no other waits.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from types import TracebackType
from typing import Final, Self

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from monitor.config.receivers import Receiver, secrets_of
from monitor.core.notices import Notice, Outcome
from monitor.notify.answers import outcome, without_secrets
from monitor.notify.failures import UnreadableCertificatesError, words_for
from monitor.notify.kinds import reading_of, requests_for
from monitor.notify.requests import Answer, Request, Sender

_MOST_READ: Final = 16 << 10
"""Bytes of an answer that are read: enough for the reason of a refusal."""

_CLOSED: Final = Outcome("retry", 0, "the courier was closed")
_OWN_HEADERS: Final = {"User-Agent": "sla-monitor", "Accept": "*/*", "Accept-Encoding": "identity"}


class WebhookCourier:
    """Delivers notices by HTTP. See `monitor.core.notices.Courier`.

    Redirects are not followed: they would carry what is secret to where nobody wrote it should go. Neither proxies nor
    passwords are taken from the environment.
    """

    def __init__(self, receivers: Mapping[str, Receiver], source: str, now_ms: Callable[[], int]) -> None:
        """``source`` is the CloudEvents source of what is told; ``now_ms`` tells the time of an attempt."""
        self._lines = {name: _Line(one, Sender(source, name), now_ms) for name, one in receivers.items()}

    def knows(self, receiver: str) -> bool:
        """Return whether the settings have a receiver of this name."""
        return receiver in self._lines

    async def deliver(self, receiver: str, notice: Notice) -> Outcome:
        """Attempt one delivery."""
        line = self._lines.get(receiver)
        if line is None:
            return Outcome("rejected", 0, "the settings have no receiver of this name")
        return await line.deliver(notice)

    async def close(self) -> None:
        """Close all connections. What is under way ends as a network error; so does all that is asked for later."""
        for line in self._lines.values():
            await line.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()


class _Line:
    """The line to one receiver."""

    def __init__(self, receiver: Receiver, sender: Sender, now_ms: Callable[[], int]) -> None:
        self._receiver = receiver
        self._sender = sender
        self._now_ms = now_ms
        self._free = asyncio.Semaphore(receiver.max_connections)
        self._resolver = _Resolver()
        self._session: aiohttp.ClientSession | None = None
        self._is_closed = False

    async def deliver(self, notice: Notice) -> Outcome:
        # Waiting for a place is not a part of the attempt: its time-out begins with it.
        async with self._free:
            if self._is_closed:
                return _CLOSED
            now_ms = self._now_ms()
            first, *others = requests_for(self._receiver, notice, self._sender, now_ms)
            found = await self._attempt(first, now_ms)
            for request in others:
                if found.kind == "delivered":
                    found = await self._attempt(request, now_ms)
            return found

    async def close(self) -> None:
        self._is_closed = True
        if self._session is not None:
            await self._session.close()
            self._session = None
        await self._resolver.close()

    async def _attempt(self, request: Request, now_ms: int) -> Outcome:
        try:
            answer = await self._ask(request)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if not self._is_closed or (task is not None and task.cancelling()):
                raise
            return _CLOSED  # what was cancelled is the look-up of the host's name, not this task
        except UnreadableCertificatesError:
            return Outcome("rejected", 0, "ca_file holds no certificates that can be read")
        except (aiohttp.ClientError, OSError) as error:  # OSError: time-outs and broken connections too
            return Outcome("retry", 0, without_secrets(words_for(error), secrets_of(self._receiver)))
        return outcome(answer, reading_of(self._receiver), secrets_of(self._receiver), now_ms)

    async def _ask(self, request: Request) -> Answer:
        session = self._opened()
        proxy = self._receiver.proxy.get_secret_value() if self._receiver.proxy else None
        async with session.request(
            request.method,
            URL(request.url, encoded=True),
            data=request.body,
            headers=request.headers,
            allow_redirects=False,
            proxy=proxy,
        ) as response:
            return Answer(response.status, await _beginning(response), response.headers.get("Retry-After"))

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            trusted: ssl.SSLContext | bool = True
            if self._receiver.ca_file is not None:
                try:
                    trusted = ssl.create_default_context(cafile=self._receiver.ca_file)
                except OSError as error:  # also ssl.SSLError: what is in the file is no certificate
                    raise UnreadableCertificatesError from error
            self._session = aiohttp.ClientSession(
                # A page is rare: a connection that was kept for it is mostly one that the other side has closed.
                connector=aiohttp.TCPConnector(force_close=True, limit=0, resolver=self._resolver, ssl=trusted),
                timeout=aiohttp.ClientTimeout(total=self._receiver.timeout_ms / 1000),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers=_OWN_HEADERS,
                auto_decompress=False,
                trust_env=False,
            )
        return self._session


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
        self._threads.shutdown(wait=False, cancel_futures=True)


async def _beginning(response: aiohttp.ClientResponse) -> bytes:
    """Return the beginning of the body. The status has been read by now: a body that breaks off changes nothing."""
    body = b""
    try:
        async for chunk in response.content.iter_any():
            body += chunk
            if len(body) >= _MOST_READ:
                break
    except (aiohttp.ClientError, OSError):
        pass
    return body[:_MOST_READ]
