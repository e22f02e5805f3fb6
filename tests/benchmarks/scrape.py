"""Milliseconds of a scrape of /metrics at 100, 1,000 and 10,000 series, the loop's longest hold, the page's bytes.

Sources, evaluator and exporter of one worker, without Kafka; the scraper is a process of its own and asks over HTTP.
``--series`` names other sizes, ``--times`` how often each page is asked for.
"""

from __future__ import annotations

import asyncio
import gc
from statistics import median
from typing import TYPE_CHECKING

from monitor.stream.partitions.collector import calm_collector
from tests.benchmarks import write_json
from tests.benchmarks.series import SCRAPES, scraped, worker_of

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

SERIES = (100, 1_000, 10_000)


def options(parser: argparse.ArgumentParser) -> None:
    """Add what can be asked."""
    parser.add_argument("--series", type=int, nargs="+", default=SERIES, metavar="N", help="how many series, each")
    parser.add_argument("--times", type=int, default=SCRAPES, metavar="N", help=f"scrapes of each page [{SCRAPES}]")


def main(json_path: Path | None, asked: argparse.Namespace) -> None:
    figures: dict[str, object] = {}
    for series in asked.series:
        worker = worker_of(series)
        calm_collector()  # as the worker command does
        seconds, holds, size = asyncio.run(scraped(worker, asked.times))
        figures[f"{series:,} series"] = {
            "first_ms": seconds[0] * 1e3,
            "best_ms": min(seconds) * 1e3,
            "median_ms": median(seconds) * 1e3,
            "longest_ms": max(seconds) * 1e3,
            "hold_ms": max(holds) * 1e3,
            "page_bytes": size,
        }
        print(
            f"{series:>7,} series: first scrape {seconds[0] * 1e3:.1f} ms, best {min(seconds) * 1e3:.1f}, median "
            f"{median(seconds) * 1e3:.1f}, longest {max(seconds) * 1e3:.1f}; loop held {max(holds) * 1e3:.1f} ms; "
            f"{size:,} bytes"
        )
        del worker
        gc.unfreeze()
    write_json(figures, json_path)
