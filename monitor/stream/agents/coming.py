"""What breaks next: the due instants of open clocks, by series. `monitor.bootstrap` runs it beside the worker.

Events cost nothing: the worker notes anyway when each row wishes to wake, and no clock is due before its row wakes. So
only the rows that wake within the next day are read, now and then, and for at most half a percent of the time.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from monitor.core.clocks.clock_value import OPEN
from monitor.core.pieces import Pieces
from monitor.core.series.series import SeriesKey
from monitor.core.subjects.rows import SubjectRow
from monitor.core.time.units import DAY_MS
from monitor.errors import StateError
from monitor.stream.kafka.pace import Pace, in_turns
from monitor.stream.partitions.partition import PartitionState

PACE_S: Final = 1.0
"""The shortest pause between two rounds."""
REST: Final = 200
"""The pause after a round, as a multiple of its length."""
HORIZON_MS: Final = DAY_MS
"""Clocks that are due later than this are not looked for."""
MOST_ROWS: Final = 20_000
"""The most rows of a partition that one round reads, those first that wake first."""

Due = Mapping[tuple[SeriesKey, int], Sequence[int]]
"""The due instants (ms) of the open clocks of each series, by the version of the agreement; earliest first."""


class Coming:
    """Looks for the clocks that are due next, in the partitions of subjects that this worker owns.

    ``states`` returns those partitions, ``now_ms`` the instant of the worker's clock.
    """

    def __init__(
        self, states: Callable[[], Iterable[PartitionState]], now_ms: Callable[[], int], *, pace_s: float = PACE_S
    ) -> None:
        self._states = states
        self._now_ms = now_ms
        self._pace_s = pace_s
        self.due: Due = {}
        """As the last round found it. Instants that have passed since are still among them."""

    async def run(self) -> None:
        """Look at an even pace until cancelled."""
        while True:
            began = time.perf_counter()
            pace = Pace()
            self.due = await in_turns(pace.kept_by(self.looking()))
            spent_s = time.perf_counter() - began - pace.others_s
            await asyncio.sleep(max(self._pace_s, REST * spent_s))

    def looking(self) -> Pieces[Due]:
        """Return what is due from now on until the horizon, in pieces."""
        now_ms = self._now_ms()
        found: defaultdict[tuple[SeriesKey, int], list[int]] = defaultdict(list)
        for state in list(self._states()):
            try:
                rows = yield from state.waking_until(now_ms + HORIZON_MS, MOST_ROWS)
            except StateError:
                continue  # a damaged row stops the work on the partition, and is told there
            for row in rows:
                if isinstance(row, SubjectRow):
                    for clock in row.clocks:
                        if clock.state in OPEN and not clock.breached_ms and 0 < clock.due_ms <= now_ms + HORIZON_MS:
                            found[clock.series, clock.version].append(clock.due_ms)
            yield
        return {series: sorted(instants) for series, instants in found.items()}
