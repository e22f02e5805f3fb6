"""Python's garbage collector in a process that is a worker: it runs seldom, and where little is alive.

A batch makes some ten thousand tuples, none of them in cycles, and drops them with its commit. Python's default is a
collection every 700 allocations: that takes a third of a worker's time. Nothing can interrupt a collection, at 0.3 µs
an object that was made since the last one and is still alive.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from typing import Final

COLLECTOR_THRESHOLDS: Final = (100_000, 16_000, 1)
"""By themselves collections come only if one batch makes very much: a look at 100,000 objects takes 30 ms. What is
alive then is looked at again with all objects only, which is very rare."""
YOUNG: Final = 10_000
"""Young objects from which on a collection between two batches pays."""
MOST_YOUNG: Final = 70_000
"""Young objects from which on a collection cannot wait."""
REST: Final = 40
"""The pause after a collection, as a multiple of its length. Most of what was made before it will have gone by itself:
records that wait for their batch, and what is being sent."""


def calm_collector() -> None:
    """Make the garbage collector run less often: for a process that is a worker and nothing else."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECTOR_THRESHOLDS)


class YoungCollector:
    """Looks at the young objects between batches, in a small share of the time, however many batches come.

    Where few come, few objects are young, so collections are short. ``now_s`` is a monotonic clock in seconds.
    """

    def __init__(self, now_s: Callable[[], float] = time.perf_counter) -> None:
        self._now_s = now_s
        self._rests_until_s = 0.0

    def collect(self) -> None:
        """Have the young objects looked at now, when a batch is done: what the batch needed has gone by itself.

        By itself the collector comes amid a batch, most often, and looks at all of that.
        """
        young = gc.get_count()[0]
        if young <= YOUNG:
            return
        started_s = self._now_s()
        if young <= MOST_YOUNG and started_s < self._rests_until_s:
            return
        gc.collect(0)
        ended_s = self._now_s()
        self._rests_until_s = ended_s + REST * (ended_s - started_s)


collect_young: Final = YoungCollector().collect
"""Have the young objects of this process looked at, if it is time."""
