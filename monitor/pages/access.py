"""Who asks: tokens in a header or a cookie, or a proxy's word; the page to sign in; the door that everything passes.

A token is a long random text; only its hash is known here. Browsers keep it in a cookie that scripts cannot read and
that other sites cannot send. Whatever may change something is taken from pages of this server only. Without tokens and
proxy everybody is an operator: then the server listens on this machine only, and is asked under a name of this machine,
so that no page of another site gets at it by a name of its own (DNS rebinding).
"""

from __future__ import annotations

import hashlib
import logging
import secrets
from collections.abc import Iterable
from http import HTTPStatus
from typing import Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from monitor.config.settings.pages import PagesSettings, is_loopback
from monitor.pages.api import PREFIX, problem
from monitor.pages.forms import form_of, is_from_here
from monitor.pages.proxy import Proxy
from monitor.pages.site import Site
from monitor.pages.viewers import EVERYBODY, Viewer

log = logging.getLogger(__name__)

COOKIE: Final = "sla-monitor"
KEPT_S: Final = 30 * 24 * 3600
_READING: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_OPEN: Final = ("/static/", "/sign-in")
HEALTH: Final = "/healthz"
"""Asked by machines under any name: it tells nothing but whether Kafka can be read."""
_TOKEN_BYTES: Final = 32


def new_token() -> tuple[str, str]:
    """Return a new random token and its hash for the settings."""
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    return token, hash_of(token)


def hash_of(token: str) -> str:
    """Return the hash of a token. A fast hash is enough: nobody guesses 256 random bits."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()


class Access:
    """Knows the viewers by their tokens, or by what the proxy says of them.

    ``hosts`` are the names to be asked under where there are neither.
    """

    def __init__(
        self,
        viewers: dict[str, Viewer],
        hosts: Iterable[str] = (),
        *,
        proxy: Proxy | None = None,
        secure_cookie: bool = True,
    ) -> None:
        self._viewers = viewers
        self._hosts = frozenset(one.lower() for one in hosts)
        self.proxy = proxy or Proxy(PagesSettings())
        self.secure_cookie = secure_cookie

    @classmethod
    def of(cls, settings: PagesSettings) -> Access:
        """Return the access that the settings describe."""
        viewers = {
            one.sha256: Viewer(one.role, one.name, frozenset(one.agreements), frozenset(one.customers), via="token")
            for one in settings.tokens
        }
        return cls(viewers, settings.hosts, proxy=Proxy(settings), secure_cookie=settings.secure_cookie)

    @property
    def asks(self) -> bool:
        """Whether readers have to say who they are."""
        return self.has_tokens or self.proxy.is_set

    @property
    def has_tokens(self) -> bool:
        """Whether one can sign in with a token."""
        return bool(self._viewers)

    def by_token(self, token: str) -> Viewer | None:
        """Return who has a token; None if nobody has it."""
        return self._viewers.get(hash_of(token))

    def who(self, request: Request) -> Viewer | None:
        """Return who asks; None for somebody unknown, or if the server is asked under a foreign name."""
        if not self.asks:
            name = (request.url.hostname or "").lower()
            return EVERYBODY if is_loopback(name) or name in self._hosts else None
        named = self.proxy.who(request)
        if named is not None:
            return named
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return self.by_token(token.strip())
        return self.by_token(request.cookies.get(COOKIE, ""))


class Door:
    """Lets a request in with its viewer, or sends it to the page where one signs in."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app = app
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, if somebody known asks."""
        request = Request(scope)
        if scope["path"] == HEALTH:
            await self._app(scope, receive, send)
            return
        viewer = self._access.who(request)
        answer: Response | None = None
        if viewer is not None:
            scope.setdefault("state", {})["viewer"] = viewer
        elif not self._access.asks:
            answer = problem(HTTPStatus.MISDIRECTED_REQUEST, "this server is for this machine only")
        elif not self._access.has_tokens:
            answer = problem(HTTPStatus.FORBIDDEN, "the proxy in front of this server names nobody who has a role here")
        elif not scope["path"].startswith(_OPEN):
            answer = _ask_for_token(request)
        if answer is None and scope["method"] not in _READING and not is_from_here(request):
            answer = problem(HTTPStatus.FORBIDDEN, "this was not sent by a page of this server")
            if viewer is not None:
                log.warning("refused: %s of %s was not sent by a page of this server", scope["path"], viewer.name)
        await (answer or self._app)(scope, receive, send)


def _ask_for_token(request: Request) -> Response:
    if not request.url.path.startswith(PREFIX):
        return RedirectResponse("/sign-in", HTTPStatus.SEE_OTHER)
    answer = problem(HTTPStatus.UNAUTHORIZED, "a token is needed")
    answer.headers["WWW-Authenticate"] = "Bearer"
    return answer


def sign_in_routes(site: Site, access: Access) -> APIRouter:
    """Return the routes to sign in and out, and the one of health."""
    router = APIRouter()

    @router.get(HEALTH)
    async def health() -> Response:
        """Say whether the topics are followed."""
        source = site.source
        if source.failure:
            return Response("Kafka cannot be read\n", HTTPStatus.SERVICE_UNAVAILABLE, media_type="text/plain")
        told = "following the topics" if source.is_complete else "reading the topics"
        return Response(f"{told}\n", media_type="text/plain")

    @router.get("/sign-in")
    async def form() -> Response:
        """Show the form."""
        return site.page("sign_in.html", site.nobody(), wrong=False)

    @router.post("/sign-in")
    async def sign_in(request: Request) -> Response:
        """Keep a token in a cookie."""
        token, address = (await form_of(request)).get("token", ""), access.proxy.address(request)
        viewer = access.by_token(token) if token else None
        if viewer is None:
            log.warning("somebody at %s tried to sign in with an unknown token", address)
            return site.page("sign_in.html", site.nobody(), status=HTTPStatus.FORBIDDEN, wrong=True)
        log.info("%s (%s) signed in from %s", viewer.name, viewer.role, address)
        answer = RedirectResponse("/", HTTPStatus.SEE_OTHER)
        answer.set_cookie(
            COOKIE, token, max_age=KEPT_S, httponly=True, secure=access.secure_cookie, samesite="strict", path="/"
        )
        return answer

    @router.post("/sign-out")
    async def sign_out() -> Response:
        """Forget the token."""
        answer = RedirectResponse("/sign-in", HTTPStatus.SEE_OTHER)
        answer.delete_cookie(COOKIE, httponly=True, secure=access.secure_cookie, samesite="strict", path="/")
        return answer

    return router
