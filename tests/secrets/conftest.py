"""Canaries, and an installation whose receivers are full of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import orjson
import pytest

from tests.e2e.conftest import installation, own_environment
from tests.secrets.canaries import KINDS, Canaries, receiver

__all__ = ["installation", "own_environment"]


@pytest.fixture
def canaries() -> Canaries:
    """None placed yet."""
    return Canaries()


@asynccontextmanager
async def echo() -> AsyncIterator[str]:
    """A hostile receiver, and a hostile proxy: it refuses, and says back all that it was told."""

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(
            (int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0
        )
        told = head + await reader.readexactly(length)
        as_json = orjson.dumps({"message": told.decode("utf-8", "replace")[:12_000]})
        body = as_json if b"slack" not in told else told  # a text for one of them
        writer.write(b"HTTP/1.1 401 No\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(refuse, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


@pytest.fixture
def settings_file(tmp_path: Path, canaries: Canaries, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A settings file with a receiver of each kind, every text of which is a canary from the environment."""
    file = tmp_path / "canaries.yaml"
    address = "https://receiver.example"
    receivers = {kind: receiver(kind, canaries, address, secrets_only=False) for kind in KINDS}
    file.write_bytes(orjson.dumps({"receivers": {kind: {**one, "insecure": True} for kind, one in receivers.items()}}))
    for name, text in canaries.environment.items():
        monkeypatch.setenv(name, text)
    return file
