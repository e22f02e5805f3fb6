"""Headless Chromium, driven through its DevTools protocol."""

from __future__ import annotations

import asyncio
import base64
import itertools
import shutil
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

BINARY = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage", "--hide-scrollbars",
    "--remote-debugging-port=0",
)  # fmt: skip
START_S = 30.0


class Tab:
    """One page of a browser."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)

    async def call(self, method: str, **parameters):
        """Call a method of the protocol and return its result."""
        number = next(self._numbers)
        await self._socket.send_json({"id": number, "method": method, "params": parameters})
        while True:
            answer = await self._socket.receive_json(timeout=30)
            if answer.get("id") == number:
                assert "error" not in answer, (method, answer["error"])
                return answer["result"]

    async def evaluate(self, script: str):
        """Return the value of an expression in JavaScript."""
        told = await self.call("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in told, told["exceptionDetails"]
        return told["result"].get("value")

    async def open(self, url: str, width: int, height: int, headers: Mapping[str, str]) -> None:
        """Open a page in a window of that size. What is outside the window would not be drawn."""
        await self.call("Network.enable")
        await self.call("Network.setExtraHTTPHeaders", headers=dict(headers))
        await self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False
        )
        told = await self.call("Page.navigate", url=url)
        assert not told.get("errorText"), f"{url}: {told['errorText']}"

    async def picture(self) -> bytes:
        """Return what is drawn now as a PNG."""
        told = await self.call("Page.captureScreenshot", format="png")
        return base64.b64decode(told["data"])


@asynccontextmanager
async def browser(folder: Path, host: str) -> AsyncIterator[Tab]:
    """Start a browser with a new profile in a folder; it ends with the block.

    It reaches that host and no other: whoever else a page asks for something would be told the password, too.
    """
    profile = folder / "profile"
    process = await asyncio.create_subprocess_exec(
        BINARY, *FLAGS, f"--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE {host}", f"--user-data-dir={profile}",
        "about:blank",
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        port = await _port(profile / "DevToolsActivePort", process)
        async with aiohttp.ClientSession() as session:
            async with session.put(f"http://127.0.0.1:{port}/json/new?about:blank") as answer:
                address = (await answer.json(content_type=None))["webSocketDebuggerUrl"]
            async with session.ws_connect(address, max_msg_size=0) as socket:
                yield Tab(socket)
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def _port(file: Path, process: asyncio.subprocess.Process) -> int:
    deadline = time.monotonic() + START_S
    while not (told := _told(file)):
        assert process.returncode is None, "the browser ended at once"
        assert time.monotonic() < deadline, "the browser does not open its DevTools"
        await asyncio.sleep(0.05)
    return int(told.split()[0])


def _told(file: Path) -> str:
    return file.read_text() if file.exists() else ""
