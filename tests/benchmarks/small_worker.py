"""A worker that may have 1 GiB: five floods after one another and together; what it takes, how late, what it capped.

A real Kafka, ``sla-monitor worker`` as a process, a receiver. 10^5 customers, 10^5 tickets due in one second, a queue
of 10^5 waiting calls, a ticket with 10^6 events, and a customer with half of all tickets; beside them neighbours, who
must get their figures and alerts all the time. ``--size 10000`` and ``--limit 512`` (MiB) make all of it smaller.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from tests.benchmarks import write_json
from tests.kafka.broker import KafkaBroker
from tests.kafka.limited import MIB
from tests.kafka.small_worker import CAPS, Coped, SmallWorker

if TYPE_CHECKING:
    from collections.abc import Callable

RUNS = 1
"""It takes many minutes."""
STORIES = ("one_after_the_other", "together")


def options(parser: argparse.ArgumentParser) -> None:
    """Add what this benchmark can be asked."""
    parser.add_argument("--size", type=int, default=100_000, help="customers, tickets due at once, calls that wait")
    parser.add_argument("--limit", type=int, default=1024, help="MiB that the worker may have")
    parser.add_argument("--max-series", type=int, default=1_000, help="the worker's setting max_series")
    parser.add_argument("--only", choices=STORIES, help="the floods one after the other, or together; not both")
    parser.add_argument("--within", type=float, default=900, help="seconds in which it must have coped with a flood")


def main(json_path: Path | None, asked: argparse.Namespace) -> None:
    figures: dict[str, object] = {"limit_mib": asked.limit, "max_series": asked.max_series}
    wrong: list[str] = []
    with KafkaBroker() as broker, tempfile.TemporaryDirectory(prefix="sla-monitor-small-") as folder:
        print(f"a worker with {asked.limit:,} MiB, max_series {asked.max_series:,}, {asked.size:,} of everything\n")
        print(
            f"{'':44}{'events':>10}{'s':>7}{'CPU s':>7}{'MiB':>6}{'of it':>9}{'scrape s':>9}{'alert s':>8}{'most':>6}"
        )
        for which in (asked.only,) if asked.only else STORIES:
            story = SmallWorker(
                broker.bootstrap, Path(folder, which), asked.size, asked.limit * MIB, asked.max_series,
                within_s=asked.within,
            )  # fmt: skip
            rows = asyncio.run(run(story, which, lambda one: print(line(one, asked.limit), flush=True)))
            figures[which] = {one.name: asdict(one) | {"delays_s": one.delays_s[-1:]} for one in rows}
            wrong += [f"{one.name}: {what}" for one in rows for what in one.differences]
            print(told(story, rows))
    write_json(figures, json_path)
    if wrong:
        raise SystemExit("\n".join(["not as it must be:", *wrong]))


async def run(story: SmallWorker, which: str, show: Callable[[Coped], None]) -> list[Coped]:
    """Run a story and return how the worker coped with its floods, at last with what it left on its topics."""
    rows = []
    async with story.running():
        rows.append(await story.idle())
        show(rows[-1])
        async for one in getattr(story, which)():
            rows.append(one)
            show(one)
            if one.differences:  # all that follows would differ, too
                return rows
        rows[-1].differences += story.letters_differ()
    return rows


def line(one: Coped, limit_mib: int) -> str:
    middle, most = (one.delays_s[len(one.delays_s) // 2], one.delays_s[-1]) if one.delays_s else (0.0, 0.0)
    return (
        f"{one.name:40}{one.events:>10,}{one.seconds:7.1f}{one.cpu_s:7.1f}{one.peak_mib:6.0f}"
        f"{one.data_mib / limit_mib:6.2f}{one.scrape_s:9.2f}{one.health_s:9.2f}{middle:8.2f}{most:6.1f}"
    )


def told(story: SmallWorker, rows: list[Coped]) -> str:
    """Return what the worker has said of what it capped, of its pages, and in its log."""
    capped = {metric: max(one.capped.get(metric, 0) for one in rows) for metric in CAPS}
    storm = max((one for one in rows), key=lambda one: one.storm_s)
    lines = [f"  capped: {number:,.0f} {CAPS[metric]} ({metric})" for metric, number in capped.items() if number]
    lines.append(f"  the last alert of {story.size:,} that were due in one second came {storm.storm_s:.1f} s after it")
    lines.append("  pages: " + ", ".join(f"{what} {count:,}" for what, count in sorted(story.told.items())))
    lines.append(f"  the process stood still {max(one.stalls for one in rows):.0f} times for over half a second")
    lines += [f"  log: {one[:160]}" for one in story.complaints()]
    return "\n".join([*lines, ""])
