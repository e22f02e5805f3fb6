"""Forms that browsers send: read within bounds, and taken from pages of this server only."""

from __future__ import annotations

import asyncio
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from fastapi import Request

LONGEST: Final = 16_384
"""The most bytes of a form: the key of an alert, and a word or two."""
READ_S: Final = 10.0
"""So long a form may take to arrive."""
_FIELDS: Final = 20


async def form_of(request: Request) -> dict[str, str]:
    """Return the fields of a form by name, the first of each; none of a form that is too long, slow or no form."""
    body = b""
    try:
        async with asyncio.timeout(READ_S):
            async for part in request.stream():
                body += part
                if len(body) > LONGEST:
                    return {}
        fields = parse_qsl(body.decode("utf-8", "replace"), max_num_fields=_FIELDS)
    except (TimeoutError, ValueError):
        return {}
    return {name: value.strip() for name, value in reversed(fields)}


def is_from_here(request: Request) -> bool:
    """Return whether a browser says that a form stands on a page of this server.

    Every browser says it in ``Sec-Fetch-Site`` (over TLS, and on this machine), or in ``Origin``; no page of another
    site can make it say so. The cookie of the sign-in is not sent by other sites either; that of a proxy may be.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = request.headers.get("origin", "")
    return bool(origin) and urlsplit(origin).netloc == request.headers.get("host", "")
