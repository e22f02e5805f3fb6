"""Nanoseconds of one add to the sketch and of its bucket, beside ddsketch."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from ddsketch import DDSketch

from monitor.core.series.sketch import RELATIVE_ERROR, add, bucket_of, quantile, quantiles
from tests.benchmarks import seconds_per_call, write_json

if TYPE_CHECKING:
    from pathlib import Path

VALUES = 20_000


def main(json_path: Path | None) -> None:
    seeded = random.Random(7)
    # Resolution times: a median of an hour, spread over minutes to days.
    values = [int(seeded.lognormvariate(15.1, 1.2)) for _ in range(VALUES)]
    buckets: dict[int, int] = {}
    theirs = DDSketch(relative_accuracy=RELATIVE_ERROR)

    def loop_only():
        for _ in values:
            pass

    def bucket_all():
        for value in values:
            bucket_of(value)

    def add_all():
        for value in values:
            add(buckets, value)

    def add_all_to_theirs():
        for value in values:
            theirs.add(value)

    empty_ns, bucket_ns, add_ns, theirs_ns = (
        seconds_per_call(batch, VALUES) * 1e9 for batch in (loop_only, bucket_all, add_all, add_all_to_theirs)
    )
    figures = {
        "bucket_of_ns": bucket_ns - empty_ns,
        "add_ns": add_ns - empty_ns,
        "ddsketch_add_ns": theirs_ns - empty_ns,
        "ratio": (theirs_ns - empty_ns) / (add_ns - empty_ns),
        "quantile_us": seconds_per_call(lambda: quantile(buckets, 0.95), 1) * 1e6,
        "five_quantiles_us": seconds_per_call(lambda: quantiles(buckets, (0.5, 0.9, 0.95, 0.99, 1)), 1) * 1e6,
        "buckets": len(buckets),
    }
    print(f"bucket_of  {figures['bucket_of_ns']:6.0f} ns")
    print(f"add        {figures['add_ns']:6.0f} ns")
    print(f"ddsketch   {figures['ddsketch_add_ns']:6.0f} ns    {figures['ratio']:.1f} times as long")
    print(f"quantile   {figures['quantile_us']:6.1f} µs    over {figures['buckets']} buckets")
    print(f"quantiles  {figures['five_quantiles_us']:6.1f} µs    five of them at once")
    write_json(figures, json_path)
