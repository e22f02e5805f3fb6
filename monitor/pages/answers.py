"""Answers with ETags: what a caller has already is not sent again."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from http import HTTPStatus

from fastapi import Request, Response


def answer(request: Request, body: bytes, media_type: str, headers: Mapping[str, str] | None = None) -> Response:
    """Return an answer with its ETag, or that the caller has it already."""
    etag = f'"{hashlib.blake2b(body, digest_size=16).hexdigest()}"'
    every = {"ETag": etag, "Cache-Control": "private, no-cache", **(headers or {})}
    known = [one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")]
    if etag in known or "*" in known:
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=every)
    return Response(body, media_type=media_type, headers=every)
