"""Acknowledging and silencing from the pages, where the settings switch it on: the page of silences, and the forms.

What is asked for is written to the topic of responses, as the commands do, and shown once it came back from there. Only
operators who are signed in may; that a form stands on a page of this server was proved at the door. Each request leaves
a line in the log: who, what, from where.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from monitor.config.reading.quantities import positive_duration
from monitor.errors import BrokerError
from monitor.pages.forms import form_of
from monitor.pages.proxy import Proxy
from monitor.pages.site import Asked, Site
from monitor.pages.viewers import View
from monitor.read_model.responses import done_with, label_of, new_silence
from monitor.wire.fields import has_control
from monitor.wire.responses import Acknowledgement, SilenceResponse, response_key
from monitor.wire.responses import Response as Answer

log = logging.getLogger(__name__)

DURATIONS: Final = {
    "30m": "30 minutes", "1h": "1 hour", "2h": "2 hours", "4h": "4 hours", "8h": "8 hours", "1d": "1 day",
    "3d": "3 days", "7d": "7 days",
}  # fmt: skip
"""How long a silence may be asked for, and the words for it."""
SHOWN_S: Final = 3.0
"""So long an answer waits for what was written to come back through the topic."""
LONGEST_WORD: Final = 500
WRITERS: Final = 4
"""So many write at once; others wait."""


def silence_routes(site: Site) -> APIRouter:
    """Return the route of the page of silences: for those inside, whoever may write."""
    router = APIRouter()

    @router.get("/silences", response_class=HTMLResponse)
    async def silences(request: Request, agreement: Asked = "", promise: Asked = "") -> HTMLResponse:
        """List the silences that hold, and show the form for a new one."""
        view = site.view(request)
        if not view.viewer.is_inside:
            what = "Silences are not for you to see."
            return site.page("nothing.html", view, status=HTTPStatus.NOT_FOUND, what=what)
        agreements = sorted(one.id for one in view.overview().agreements)
        return site.page(
            "silences.html", view, silences=view.silences(), agreements=agreements, durations=DURATIONS,
            zones={one.id: one.zone for one in view.overview().agreements},
            asked={"agreement": agreement, "promise": promise}, longest=LONGEST_WORD,
        )  # fmt: skip

    return router


def respond_routes(site: Site, proxy: Proxy) -> APIRouter:
    """Return the routes that take the forms."""
    router = APIRouter()
    answers = _Answers(site, proxy)

    @router.post("/acknowledge")
    async def acknowledge(request: Request) -> Response:
        """Acknowledge an alert that is out."""
        view, form = await answers.asked(request)
        key = form.get("key", "")
        if all(one.alert.key.text() != key for one in view.overview().out):
            raise HTTPException(HTTPStatus.NOT_FOUND, f"No alert {key} is out: it may be over by now.")
        answer = Acknowledgement(target=key, at_ms=view.now_ms, by=view.viewer.name, note=_words(form, "note"))
        return await answers.write(request, "acknowledge", [answer], key=key, note=answer.note)

    @router.post("/silence")
    async def silence(request: Request) -> Response:
        """Begin a silence now."""
        view, form = await answers.asked(request)
        agreement, lasts = form.get("agreement", ""), form.get("for", "")
        if all(one.id != agreement for one in view.overview().agreements):
            raise _impossible(f"No agreement {agreement} is published.")
        if lasts not in DURATIONS:
            raise _impossible("A silence lasts as long as the form offers; the command takes other times.")
        labels = _labels(form)
        begun = new_silence(
            agreement, positive_duration(lasts), now_ms=view.now_ms, promise=_words(form, "promise"), labels=labels,
            reason=_words(form, "reason"), by=view.viewer.name,
        )  # fmt: skip
        return await answers.write(
            request, "silence", [begun], id=begun.id, agreement=agreement, promise=begun.promise,
            label=", ".join(f"{name}={value}" for name, value in labels.items()),
            until_ms=begun.until_ms, reason=begun.reason,
        )  # fmt: skip

    @router.post("/silence/expire")
    async def expire(request: Request) -> Response:
        """End a silence now."""
        view, form = await answers.asked(request)
        found = [one for one in view.silences() if one.id == form.get("id")]
        if not found:
            raise HTTPException(HTTPStatus.NOT_FOUND, "This silence has ended already.")
        ended = found[0]
        return await answers.write(request, "expire silence", [], ended, id=ended.id, agreement=ended.agreement)

    return router


class _Answers:
    """Lets operators write, one line of the log for each request."""

    def __init__(self, site: Site, proxy: Proxy) -> None:
        self._site = site
        self._proxy = proxy
        self._writing = asyncio.Semaphore(WRITERS)

    async def asked(self, request: Request) -> tuple[View, dict[str, str]]:
        """Return what an operator asks for.

        Raises:
            HTTPException: 403 for anybody else.
        """
        view = self._site.view(request)
        if not view.viewer.may_respond:
            self._audit(request, logging.WARNING, "refused", request.url.path, {})
            raise HTTPException(HTTPStatus.FORBIDDEN, "Only operators who are signed in may acknowledge and silence.")
        return view, await form_of(request)

    async def write(
        self, request: Request, action: str, answers: Sequence[Answer], *ended: SilenceResponse, **what: str | int
    ) -> Response:
        """Write to the topic of responses, wait for it to come back, and lead back to the page.

        Raises:
            HTTPException: 503 if Kafka did not take it.
        """
        site = self._site
        write = site.write
        assert write is not None, "its routes are there where it may be written"
        over = [response_key(one) for one in ended]
        done = done_with(site.source.live.responses(), site.now_ms())
        try:
            async with self._writing:
                await write(answers, without=[*done, *over])
        except BrokerError as error:
            self._audit(request, logging.ERROR, "not written", action, what)
            raise HTTPException(HTTPStatus.SERVICE_UNAVAILABLE, f"It was not written: {error}") from error
        self._audit(request, logging.INFO, "written", action, what)
        await self._shown([(response_key(one), one) for one in answers] + [(key, None) for key in over])
        return RedirectResponse(_back(request), HTTPStatus.SEE_OTHER)

    async def _shown(self, wanted: Sequence[tuple[bytes, Answer | None]]) -> None:
        source = self._site.source
        try:
            async with asyncio.timeout(SHOWN_S):
                while any(source.live.response(key) != answer for key, answer in wanted):
                    await source.news()
        except TimeoutError:
            log.warning("what was written did not come back from the topic of responses within %g s", SHOWN_S)

    def _audit(self, request: Request, level: int, outcome: str, action: str, what: dict[str, str | int]) -> None:
        viewer = self._site.view(request).viewer
        event = {
            "action": action, "outcome": outcome, "by": viewer.name, "role": viewer.role, "via": viewer.via,
            "from": self._proxy.address(request), **what,
        }  # fmt: skip
        told = " ".join(f"{name}={value!r}" for name, value in event.items() if value != "")
        log.log(level, "audit: %s", told, extra={"event": event})


def _impossible(why: str) -> HTTPException:
    return HTTPException(HTTPStatus.UNPROCESSABLE_ENTITY, why)


def _labels(form: dict[str, str]) -> dict[str, str]:
    """Return the labels of a form, which stand one a line."""
    labels: dict[str, str] = {}
    for line in filter(None, map(str.strip, form.get("label", "").splitlines())):
        try:
            name, value = label_of(_allowed("label", line))
        except ValueError as error:
            raise _impossible(f"The label {error}.") from error
        if name in labels:
            raise _impossible(f"The label {name} stands there twice: an alert has one of it.")
        labels[name] = value
    return labels


def _words(form: dict[str, str], name: str) -> str:
    return _allowed(name, form.get(name, ""))


def _allowed(name: str, words: str) -> str:
    if has_control(words) or len(words) > LONGEST_WORD:
        raise _impossible(f"The field {name} is too long, or holds control characters.")
    return words


def _back(request: Request) -> str:
    """Return the page on which the form stands: an address of this server, whatever the header says."""
    page = urlsplit(request.headers.get("referer", ""))
    path = "/" + page.path.lstrip("/\\")
    return f"{path}?{page.query}" if page.query else path
