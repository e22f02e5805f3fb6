"""Longest step, memory and largest record of floods: waiting calls, repeat callers, outages, tickets due at once."""

from __future__ import annotations

import asyncio
import uuid
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from resource import RUSAGE_SELF, getrusage
from time import process_time
from typing import TYPE_CHECKING, Any

from monitor.core.agreements.measures import CallRule, Filter, OutageRule
from monitor.core.time.units import HOUR_MS, MINUTE_MS
from monitor.core.time.windows import Window
from monitor.stream.partitions.collector import calm_collector
from tests.benchmarks import write_json
from tests.core.stories import agreement, clock, ms
from tests.stream.flow import Flow

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from pathlib import Path

START_MS = ms("Mon 09:00")
BATCH = 2_000
DAY, HOUR = Window("day"), Window("rolling", HOUR_MS)


async def calls(n: int, repeat_within_ms: int = 0) -> Flow:
    """n calls are queued within an hour and wait; then all are answered."""
    rule = CallRule(
        id="answer", where=Filter(), by=(), windows=(DAY, HOUR), answer_within_ms=20_000,
        repeat_within_ms=repeat_within_ms,
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
    return await calls(n, 24 * HOUR_MS)


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
    figures = {name: _alone(flood, n) for name, (flood, n) in FLOODS.items()}
    for name, one in figures.items():
        steps = ", ".join(f"{step} {ms:.0f}" for step, ms in one["longest_ms"].items())
        print(
            f"{name:8} {one['subjects']:>7,} subjects  {one['cpu_seconds']:5.1f} s  {one['peak_mib']:4.0f} MiB  "
            f"largest record {one['largest_record_bytes']:,} bytes  longest steps, ms: {steps}"
        )
    write_json(figures, json_path)


def _alone(flood: Callable[[int], Coroutine[Any, Any, Flow]], n: int) -> dict[str, Any]:
    """Run a flood in a process of its own, so that its memory is its own."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_measured, flood, n).result()


def _measured(flood: Callable[[int], Coroutine[Any, Any, Flow]], n: int) -> dict[str, Any]:
    calm_collector()
    began = process_time()
    flow = asyncio.run(flood(n))
    return {
        "subjects": n,
        "cpu_seconds": process_time() - began,
        "peak_mib": getrusage(RUSAGE_SELF).ru_maxrss / 1024,
        "largest_record_bytes": flow.largest,
        "longest_ms": {step: longest * 1000 for step, longest in flow.held.items()},
    }
