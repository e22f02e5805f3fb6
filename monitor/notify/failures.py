"""Why no answer came, in words without addresses: the messages of the exceptions are full of them."""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable
from typing import Any, Final

import aiohttp

from monitor.notify.bounded import EndlessAnswerError


class UnreadableCertificatesError(OSError):
    """The receiver's file of certificates holds none."""


def words_for(error: Exception) -> str:
    """Return what went wrong before an answer came."""
    for kind, words in _WORDS:
        if isinstance(error, kind):
            return words(error)
    return f"what it answers is no HTTP: {type(error).__name__}"


def _of_system(error: OSError) -> str:
    return os.strerror(error.errno) if error.errno and error.errno > 0 else type(error).__name__


def _of_certificate(error: aiohttp.ClientConnectorCertificateError) -> str:
    why = error.certificate_error
    return why.verify_message if isinstance(why, ssl.SSLCertVerificationError) else type(why).__name__


# The first that fits: those that are a kind of another come before it.
_WORDS: Final[tuple[tuple[type[Exception], Callable[[Any], str]], ...]] = (
    (TimeoutError, lambda _: "no answer in time"),
    (
        aiohttp.ClientConnectorCertificateError,
        lambda error: f"its certificate is not trusted: {_of_certificate(error)}",
    ),
    (aiohttp.ClientConnectorSSLError, lambda _: "TLS failed: does it speak https?"),
    (aiohttp.ClientConnectorDNSError, lambda _: "its host has no address (DNS)"),
    (aiohttp.ClientProxyConnectionError, lambda error: f"the proxy cannot be reached: {_of_system(error.os_error)}"),
    (aiohttp.ClientHttpProxyError, lambda error: f"the proxy refuses: {error.status}"),
    (aiohttp.ClientConnectorError, lambda error: f"cannot be reached: {_of_system(error.os_error)}"),
    (EndlessAnswerError, lambda _: "its answer has no end"),
    (aiohttp.ServerDisconnectedError, lambda _: "closed the connection without an answer"),
    (OSError, lambda error: f"the connection broke: {_of_system(error)}"),
)
