"""What a flood costs: waiting calls, outages, repeat callers, tickets due at once; the longest step, rows, memory."""

from __future__ import annotations

import asyncio
import gc
import os
import resource
import sys
import time
import uuid
from typing import TYPE_CHECKING

from monitor.core.measures import HOUR_MS, MINUTE_MS, CallRule, Filter, OutageRule, Window
from tests.benchmarks import write_json
from tests.core.stories import agreement, clock, ms
from tests.stream.flow import Flow

if TYPE_CHECKING:
    from pathlib import Path

START_MS = ms("Mon 09:00")
BATCH = 2_000
DAY, HOUR = Window("day"), Window("rolling", HOUR_MS)


async def calls(n: int, repeats: str = "") -> Flow:
    """n calls are queued within an hour and wait; then all are answered."""
    rule = CallRule(
        id="answer", where=Filter(), by=(), windows=(DAY, HOUR), answer_within_ms=20_000,
        repeat_within_ms=24 * HOUR_MS if repeats else 0,
    )  # fmt: skip
    flow = Flow("calls", "call", agreement(rule))
    ids = [str(uuid.UUID(int=number << 64 | 7)) for number in range(n)]
    gap_ms = HOUR_MS / n
    for start in range(0, n, BATCH):
        some = range(start, min(n, start + BATCH))
        now_ms = START_MS + round((some[-1] + 1) * gap_ms)
        await flow.send(
            *[(ids[i], fact("queued", i, START_MS + round(i * gap_ms), caller=f"c{i}")) for i in some], now_ms=now_ms
        )
        await flow.tick(now_ms)
        await flow.look(now_ms)
    later_ms = START_MS + HOUR_MS
    for start in range(0, n, BATCH):
        some = range(start, min(n, start + BATCH))
        await flow.send(*[(ids[i], fact("answered", n + i, later_ms + i)) for i in some], now_ms=later_ms + n)
    await flow.look(later_ms + n + 1_000)
    return flow


async def repeats(n: int) -> Flow:
    """The same calls, each of another caller: who calls again is looked for."""
    return await calls(n, "repeats")


async def outages(n: int) -> Flow:
    """n outages begin within a quarter of an hour; then all are restored."""
    rule = OutageRule(id="up", where=Filter(), by=(), windows=(DAY, HOUR))
    flow = Flow("outages", "outage", agreement(rule))
    ids = [str(uuid.UUID(int=number << 64 | 7)) for number in range(n)]
    gap_ms = 15 * MINUTE_MS / n
    for start in range(0, n, BATCH):
        some = range(start, min(n, start + BATCH))
        now_ms = START_MS + round((some[-1] + 1) * gap_ms)
        await flow.send(*[(ids[i], fact("started", i, START_MS + round(i * gap_ms))) for i in some], now_ms=now_ms)
    await flow.look(START_MS + 15 * MINUTE_MS)
    for start in range(0, n, BATCH):
        some = range(start, min(n, start + BATCH))
        later_ms = START_MS + HOUR_MS
        await flow.send(*[(ids[i], fact("resolved", n + i, later_ms + i)) for i in some], now_ms=later_ms + n)
    await flow.look(START_MS + HOUR_MS + n + 1_000)
    return flow


async def due(n: int) -> Flow:
    """n tickets were opened in one second, and are due in one."""
    flow = Flow("tickets", "ticket", agreement(clock(budgets={"*": "1h"}, windows=(DAY, HOUR))))
    for start in range(0, n, BATCH):
        some = range(start, min(n, start + BATCH))
        await flow.send(*[(f"T-{i}", fact("opened", i, START_MS)) for i in some], now_ms=START_MS + 1_000)
    await flow.tick(START_MS + HOUR_MS)
    await flow.look(START_MS + HOUR_MS)
    return flow


def fact(kind: str, number: int, time_ms: int, **more: object) -> dict[str, object]:
    return {"id": f"e{number}", "type": kind, "time": time_ms, **more}


FLOODS = {"calls": (calls, 100_000), "repeats": (repeats, 100_000), "outages": (outages, 80_000), "due": (due, 100_000)}


def main(json_path: Path | None) -> None:
    figures: dict[str, object] = {}
    asked = os.environ.get("FLOODS", ",".join(FLOODS)).split(",")
    for name in asked:
        flood, n = FLOODS[name]
        if (child := os.fork()) == 0:  # so that each has its own memory
            try:
                if os.environ.get("NOGC"):
                    gc.disable()
                began = time.perf_counter()
                flow = asyncio.run(flood(n))
                show(name, n, flow, time.perf_counter() - began)
                sys.stdout.flush()
            finally:
                os._exit(0)
        os.waitpid(child, 0)
    write_json(figures, json_path)


def show(name: str, n: int, flow: Flow, seconds: float) -> None:
    held = "  ".join(
        f"{step} {1000 * longest:.0f} ms ({flow.seconds[step]:.1f} s)" for step, longest in flow.held.items()
    )
    print(
        f"{name:8} {n:,} in {seconds:.1f} s: largest record {flow.largest:,} bytes, "
        f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB; longest steps: {held}; parts {len(flow.ingest.engine.parts)}"
    )
