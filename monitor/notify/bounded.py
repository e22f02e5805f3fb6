"""Connections of the courier on which a service can send only so much: it hangs up on one whose answer has no end.

aiohttp bounds the length of a header and the number of them, and what is waiting of a body; it reads interim answers
(``100 Continue``) for as long as they come.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Final

import aiohttp
from aiohttp.client_proto import ResponseHandler

MOST_RECEIVED: Final = 64 << 10
"""Bytes of one answer, all its headers and interim answers included."""


class EndlessAnswerError(aiohttp.ClientError):
    """The service sends more than an answer may hold, and no status was among it."""


class BoundedConnector(aiohttp.TCPConnector):
    """A connector whose connections are cut when they have received `MOST_RECEIVED` bytes.

    A body that is cut off is one that breaks off: its status has been read.
    """

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 - TCPConnector's
        super().__init__(**options)
        handler: type[ResponseHandler] = _BoundedHandler
        self._factory = partial(handler, loop=self._loop)


class _BoundedHandler(ResponseHandler):
    """Counts what it receives."""

    _received = 0

    def data_received(self, data: bytes) -> None:
        left = max(0, MOST_RECEIVED - self._received)
        self._received += len(data)
        if left:
            super().data_received(data[:left])
        if len(data) > left and self.transport is not None:
            self.set_exception(EndlessAnswerError())  # for whoever waits for a status
            self.transport.abort()
