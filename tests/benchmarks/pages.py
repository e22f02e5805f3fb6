"""Milliseconds for each web page with 10,000 series, 10,000 alerts and 500 clocks at risk, and news on 100 streams.

The pages are asked within the process, so it is the time that the server works: the processor's time is measured. They
are asked after news, when the model is to be asked anew, and again. Streams are followed over connections of this
machine: what is told is how long after news the last of them has its message.
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Final

import httpx

from monitor.core.alerts.alert import Alert, AlertKey
from monitor.core.time.units import HOUR_MS
from monitor.pages.access import Access
from monitor.pages.app import make_app
from monitor.pages.changes import PAUSE_S
from monitor.pages.server import PagesServer
from monitor.pages.site import Site
from monitor.stream.partitions.clock import HandClock
from tests.benchmarks import write_json
from tests.pages import records
from tests.pages.many import BUSY, busy_status
from tests.pages.test_board import MONDAY_10
from tests.pages.topic import Topic

SERIES: Final = 10_000
ALERTS: Final = 10_000
OPEN: Final = 500
ROUNDS: Final = 7
STREAMS: Final = 100
PAGES: Final = {
    "now": "/", "now, one customer": "/?customer=c42", "wall": "/?wall=1", "agreements": "/agreements",
    "agreement": "/agreements/desk", "alerts": "/alerts", "alerts, searched": "/alerts?q=nothing+like+it",
    "statements": "/statements", "silences": "/silences", "api status": "/api/v1/status",
    "api statements": "/api/v1/statements?size=500",
}  # fmt: skip


def _alert(number: int) -> Alert:
    key = AlertKey("ticket", f"T-{number}", "desk", "fix", 1)
    labels = {"agreement": "desk", "promise": "fix", "subject": "ticket"}
    state = "at_risk" if number < OPEN else "resolved"
    return Alert(
        f"{number:032x}", key, state, MONDAY_10, "elapsed_75", 1, labels, due_ms=MONDAY_10 + HOUR_MS + number,
        budget_ms=4 * HOUR_MS, details=(("customer", f"c{number}"),),
    )  # fmt: skip


def _topic() -> Topic:
    return Topic([
        records.published(BUSY),
        *[records.status(busy_status(number)) for number in range(SERIES)],
        *[records.statement(busy_status(number, closed=True)) for number in range(SERIES)],
        *[records.alert(_alert(number)) for number in reversed(range(ALERTS))],
    ])  # fmt: skip


async def _measure() -> dict[str, dict[str, float]]:
    topic, clock = _topic(), HandClock(MONDAY_10)

    async def read_row(_subject: object, _subject_id: str) -> None:
        return None

    app = make_app(Site(topic, clock), read_row, Access({}, ["pages"]))
    found = {}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://pages") as client:
        for name, address in PAGES.items():
            first, again = [], []
            for _ in range(ROUNDS):
                topic.take([records.status(busy_status(0))])
                first.append(await _took_ms(client, address))
                again.append(await _took_ms(client, address))
            found[name] = {"after_news_ms": min(first), "again_ms": min(again)}
    return found


async def _streamed_ms() -> float:
    topic = _topic()

    async def read_row(_subject: object, _subject_id: str) -> None:
        return None

    app = make_app(Site(topic, HandClock(MONDAY_10)), read_row, Access({}))
    came: asyncio.Queue[None] = asyncio.Queue()
    async with (
        PagesServer(app, "127.0.0.1", 0) as server,
        httpx.AsyncClient(limits=httpx.Limits(max_connections=STREAMS), timeout=60) as client,
    ):

        async def follow() -> None:
            async with client.stream("GET", f"{server.address}/changes") as answer:
                async for line in answer.aiter_lines():
                    if line.startswith("data:"):
                        came.put_nowait(None)

        following = [asyncio.create_task(follow()) for _ in range(STREAMS)]
        for _ in range(STREAMS):
            await came.get()
        await asyncio.sleep(PAUSE_S + 0.5)  # the shortest time between two messages is over
        began = time.perf_counter()
        topic.take([records.status(busy_status(0))])
        for _ in range(STREAMS):
            await came.get()
        took_ms = (time.perf_counter() - began) * 1000
        for one in following:
            one.cancel()
        await asyncio.gather(*following, return_exceptions=True)
    return took_ms


async def _took_ms(client: httpx.AsyncClient, address: str) -> float:
    began = time.process_time()
    answer = await client.get(address)
    took_ms = (time.process_time() - began) * 1000
    assert answer.status_code == 200, (address, answer.status_code)
    return took_ms


def main(json_path: Path | None = None) -> None:
    found = asyncio.run(_measure())
    for name, figures in found.items():
        print(f"{name:20} {figures['after_news_ms']:8.1f} ms after news {figures['again_ms']:8.1f} ms again")
    slowest = max(one["after_news_ms"] for one in found.values())
    print(f"slowest {slowest:.0f} ms (wanted: 300 ms)")
    streamed_ms = asyncio.run(_streamed_ms())
    print(f"{STREAMS} streams: the last has the news after {streamed_ms:.0f} ms")
    write_json({"pages": found, "slowest_ms": slowest, "streams": STREAMS, "streamed_ms": streamed_ms}, json_path)
