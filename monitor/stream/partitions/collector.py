"""Python's garbage collector in a process that is a worker: it runs seldom, and where little is alive.

A batch makes some ten thousand tuples, none of them in cycles, and drops them with its commit. Python's default is a
collection every 700 allocations: that takes a third of a worker's time. Nothing can interrupt a collection, at 0.3 µs
an object that was made since the last one and is still alive.
"""

from __future__ import annotations

import gc
from typing import Final

COLLECTOR_THRESHOLDS: Final = (50_000, 0, 16_000)
"""By themselves collections are of at most 100,000 young objects: each second one takes in what the one before it left.
A collection of all objects is very rare."""
YOUNG: Final = 10_000
"""Young objects from which on a collection between two batches pays."""


def calm_collector() -> None:
    """Make the garbage collector run less often: for a process that is a worker and nothing else."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECTOR_THRESHOLDS)


def collect_young() -> None:
    """Have the young objects looked at now, when a batch is done: what the batch needed has gone by itself.

    By itself the collector comes amid a batch, most often, and looks at all of that.
    """
    if gc.get_count()[0] > YOUNG:
        gc.collect(1)
