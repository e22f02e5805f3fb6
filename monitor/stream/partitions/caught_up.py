"""Whether a partition has caught up with its source: whether the clock may judge.

From the opening until the position has reached the source's end of that time, and whenever this process stood still,
the clock proves nothing: records that disprove a breach may wait in the source. A batch is caught up if it reaches the
end that the broker named less than a second ago, or if its newest record is less than a second old. A timer that is
late, or a consumer that has not heard from the broker, asks for the source's end first.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from aiokafka.errors import KafkaError

from monitor.stream.kafka.batch import Batch
from monitor.stream.partitions.clock import wall_ms
from monitor.stream.partitions.ports import Upstream

log = logging.getLogger(__name__)

LATE_S: Final = 0.5
"""A timer that fires later than this (real seconds) does not trust what was known of the source."""
STALE_VIEW_MS: Final = 2000
"""Nor does one whose consumer has not heard from the broker for this long (real milliseconds)."""
FRESH_MS: Final = 1000
"""A batch, or the broker's word on the end, is fresh below this age (real milliseconds)."""
ASK_TIMEOUT_S: Final = 2.0


class Standing:
    """How one partition stands to the end of its source.

    ``target`` is the offset that must be reached before anything counts as caught up; None: it was reached. Without
    ``trusted`` the broker must be asked for it anew.
    """

    def __init__(self, name: str, upstream: Upstream) -> None:
        self.name = name
        self.target: int | None = None
        self.trusted = True
        self._asked_ms = 0
        self._is_answered = True
        self._upstream = upstream

    def opened(self, end: int, position: int) -> bool:
        """Take the end of the source at the time of the opening; return whether the position is there."""
        self.target = end
        self._asked_ms = wall_ms()
        return self._reached(position)

    def heard(self) -> bool:
        """Return whether the broker has lately said how far the source goes, to the consumer or to us."""
        view = self._upstream.view()
        latest = self._asked_ms if view is None else max(self._asked_ms, view.fetched_ms)
        return abs(wall_ms() - latest) <= STALE_VIEW_MS  # the clock may have been set back

    def judge(self, batch: Batch, position: int) -> bool:
        """Return whether a batch, after which the position will be ``position``, is caught up."""
        if not self.trusted or not self._reached(position):
            return False
        now = wall_ms()
        if position >= batch.highwater and abs(now - batch.fetched_ms) < FRESH_MS:
            return True
        return bool(batch.records) and abs(now - batch.records[-1].timestamp) < FRESH_MS

    async def ask(self, position: int) -> bool:
        """Ask the broker how far the source goes; return whether the position is there. No answer means no."""
        try:
            async with asyncio.timeout(ASK_TIMEOUT_S):
                self.target = await self._upstream.end_offset()
        except (TimeoutError, KafkaError) as error:
            if self._is_answered:  # every few seconds while the broker is away: once is enough
                log.warning("%s: cannot ask for the end of the source: %r", self.name, error)
            self.trusted = self._is_answered = False
            return False
        self.trusted = self._is_answered = True
        self._asked_ms = wall_ms()
        return self._reached(position)

    def _reached(self, position: int) -> bool:
        if self.target is not None and position < self.target:
            return False
        self.target = None
        return True
