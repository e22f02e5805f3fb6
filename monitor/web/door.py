"""The door of the web server: how many connections may be open, and for how long.

A worker has few file descriptors to spare, and anybody who reaches its port needs no password. So a connection is for
one request. Its headers must come in time, and its answer must be taken in time. When there are too many connections,
the oldest that has sent no request yet is closed. A probe sends its request in the first packet, so it is always
served.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any, Final, Literal, NamedTuple, get_args

from aiohttp import web

Why = Literal["no_request", "answer_not_taken", "connections", "scrapes"]
"""The reasons to cut off a connection: its time was up, or its place was needed. A closed set: it labels a counter."""
REQUEST: Final[dict[str, Any]] = {"max_line_size": 4_096, "max_field_size": 8_190, "max_headers": 64}
"""The most bytes of a line and of a header, and the most headers. They are no settings, as no probe and no scraper
comes near them. A longer request is answered with 400."""


class Limits(NamedTuple):
    """The limits on the connections to the port. They are the settings under ``web``."""

    connections: int = 64
    scrapes: int = 4
    """Answers of /metrics that are under way, each a few megabytes that the client may not take."""
    headers_s: float = 5.0
    """The time in which a connection must send its request."""
    answer_s: float = 20.0
    """The time in which it must take the answer: longer than any sensible scrape interval for so large a page."""


class Connection(web.RequestHandler):
    """One connection, from its opening until it is let go or cut off."""

    __slots__ = ("_deadline", "_door", "has_asked")

    def __init__(self, door: Door, server: web.Server) -> None:
        options: dict[str, Any] = {"access_log": None, **REQUEST}
        super().__init__(server, loop=asyncio.get_running_loop(), **options)
        self._door = door
        self._deadline: asyncio.TimerHandle | None = None
        self.has_asked = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Enter the door, and start the time limit for the request."""
        super().connection_made(transport)
        self._door.enter(self)
        self._end_in(self._door.limits.headers_s)

    def asked(self) -> None:
        """Take note that a whole request has come, and start the time limit for the answer."""
        self.has_asked = True
        self._end_in(self._door.limits.answer_s)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Leave the door, and end the time limit."""
        if self._deadline is not None:
            self._deadline.cancel()
        self._door.leave(self)
        super().connection_lost(exc)

    def cut_off(self) -> None:
        """End the connection now, without the rest of the answer."""
        if self.transport is not None:
            self.transport.abort()

    def _too_late(self) -> None:
        self._door.cut_off(self, "answer_not_taken" if self.has_asked else "no_request")

    def _end_in(self, seconds: float) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = asyncio.get_running_loop().call_later(seconds, self._too_late)


class Door:
    """The connections of one server. ``cut_off_by`` counts those that were cut off, by `Why`."""

    def __init__(self, limits: Limits = Limits()) -> None:  # noqa: B008 - it never changes
        self.limits = limits
        self.cut_off_by: Counter[str] = Counter(dict.fromkeys(get_args(Why), 0))
        self._open: dict[Connection, None] = {}
        self._scrapes: dict[Connection, None] = {}

    def enter(self, one: Connection) -> None:
        """Let a connection in. If there are too many, another one is cut off."""
        if len(self._open) >= self.limits.connections:
            oldest = next(iter(self._open))
            self.cut_off(next((other for other in self._open if not other.has_asked), oldest), "connections")
        self._open[one] = None

    def scrapes(self, one: Connection) -> None:
        """Take note that a connection asks for the metrics.

        If there are too many such connections, the oldest is cut off.
        """
        if len(self._scrapes) >= self.limits.scrapes:
            self.cut_off(next(iter(self._scrapes)), "scrapes")
        self._scrapes[one] = None

    def leave(self, one: Connection) -> None:
        """Forget a connection that has ended."""
        self._open.pop(one, None)
        self._scrapes.pop(one, None)

    def cut_off(self, one: Connection, why: Why) -> None:
        """Cut off a connection now, and count the reason."""
        self.leave(one)
        self.cut_off_by[why] += 1
        one.cut_off()
