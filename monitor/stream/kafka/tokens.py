"""Access tokens for SASL/OAUTHBEARER, fetched with client credentials (RFC 6749, section 4.4)."""

from __future__ import annotations

import asyncio
import base64
import http.client
import json
import ssl
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from typing import Any, Final

from aiokafka.abc import AbstractTokenProvider
from aiokafka.errors import KafkaConnectionError

FETCH_TIMEOUT_S: Final = 10.0
LARGEST_ANSWER: Final = 64 << 10
USED_SHARE: Final = 0.8
"""A token is used for this share of its life, so that it is still valid when a connection that uses it is accepted."""
LONGEST_S: Final = 86_400.0
WITHOUT_EXPIRY_S: Final = 60.0
"""The lifetime that is assumed of a token whose answer has no ``expires_in``."""


class TokenUnavailableError(KafkaConnectionError):  # type: ignore[misc]
    """There is no token at the moment. One of aiokafka's errors: its clients then try to connect again."""


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: the client's secret goes to the address in the settings and to no other."""

    def redirect_request(self, *_: Any) -> None:  # noqa: ANN401 - urllib's signature
        return None


class ClientCredentials(AbstractTokenProvider):  # type: ignore[misc]
    """Fetches tokens and keeps each until a fifth of its life is left.

    The clients of a worker live in two event loops (Faust's consumer has a thread of its own). So the fetch is a plain
    call in a thread, under a lock: all connections that open at once wait for one fetch.
    """

    def __init__(
        self,
        endpoint: str,
        client_id: str,
        client_secret: str,
        *,
        scope: str | None = None,
        context: ssl.SSLContext | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.endpoint = endpoint
        self._login = _basic(client_id, client_secret)
        self._form = {"grant_type": "client_credentials", **({"scope": scope} if scope else {})}
        handlers = [_NoRedirects(), urllib.request.HTTPSHandler(context=context)]
        if endpoint.startswith("http:"):
            handlers.append(urllib.request.ProxyHandler({}))  # an endpoint on this machine: no proxy may see the secret
        self._open = urllib.request.build_opener(*handlers).open
        self._now = now
        self._lock = threading.Lock()
        self._token = ""
        self._good_until = float("-inf")

    def __repr__(self) -> str:
        """Return a text with the endpoint and without a secret."""
        return f"ClientCredentials({self.endpoint})"

    async def token(self) -> str:
        """Return a token that is valid for a while yet.

        Raises:
            TokenUnavailableError: the endpoint did not give one; the message has the reason.
        """
        if self._now() < self._good_until:
            return self._token
        return await asyncio.get_running_loop().run_in_executor(None, self._fresh)

    def _fresh(self) -> str:
        with self._lock:
            if self._now() >= self._good_until:
                asked = self._now()
                self._token, lifetime_s = self._fetch()
                self._good_until = asked + lifetime_s * USED_SHARE
            return self._token

    def _fetch(self) -> tuple[str, float]:
        request = urllib.request.Request(  # noqa: S310 - https or this machine: the settings allow nothing else
            self.endpoint,
            data=urllib.parse.urlencode(self._form).encode(),
            headers={"Authorization": self._login, "Accept": "application/json"},
        )
        try:
            with self._open(request, timeout=FETCH_TIMEOUT_S) as response:
                answer = response.read(LARGEST_ANSWER)
        except urllib.error.HTTPError as error:
            with error:
                raise self._unavailable(f"answers {error.code}{_refusal(error.read(LARGEST_ANSWER))}") from None
        except urllib.error.URLError as error:
            raise self._unavailable(f"cannot be reached: {error.reason}") from error
        except (OSError, http.client.HTTPException) as error:
            raise self._unavailable(f"cannot be reached: {error!r}") from error
        try:
            told = json.loads(answer)
            token, lifetime_s = told["access_token"], float(told.get("expires_in", WITHOUT_EXPIRY_S))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            raise self._unavailable("answers without an access_token") from None
        if not isinstance(token, str) or not token.isascii() or not token.isprintable():
            raise self._unavailable("answers with an access_token that is no text of ASCII")
        return token, min(lifetime_s, LONGEST_S)

    def _unavailable(self, why: str) -> TokenUnavailableError:
        return TokenUnavailableError(f"the token endpoint {self.endpoint} {why}")


def _basic(client_id: str, client_secret: str) -> str:
    """Return the header that names the client. RFC 6749, section 2.3.1, encodes both parts as a form does."""
    pair = f"{urllib.parse.quote_plus(client_id)}:{urllib.parse.quote_plus(client_secret)}"
    return "Basic " + base64.b64encode(pair.encode()).decode()


def _refusal(answer: bytes) -> str:
    """Return the error that an answer names: a word of RFC 6749, section 5.2, and nothing else of the answer."""
    try:
        error = json.loads(answer)["error"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return ""
    if not isinstance(error, str) or not error.replace("_", "").isalnum() or len(error) > 40:  # noqa: PLR2004
        return ""
    return f" ({error}: look at client_id, client_secret and scope)"
