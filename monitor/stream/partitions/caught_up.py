"""The judgement whether a partition has caught up with its source, so that deadlines may be judged by the clock.

The clock proves nothing from the opening until the position has reached the end that the source had then, nor after
this process stood still: records that disprove a breach may wait in the source. A batch is caught up if it reaches the
end that the broker named less than a second ago, or if its newest record is less than a second old. When a timer is
late, or the consumer has not heard from the broker, the broker is asked for the source's end first.
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
"""A timer that fires later than this (real seconds) does not trust the known end of the source."""
STALE_VIEW_MS: Final = 2000
"""Nor does a timer whose consumer has not heard from the broker for this long (real milliseconds)."""
FRESH_MS: Final = 1000
"""A batch, or the end that the broker named, is fresh below this age (real milliseconds)."""
ASK_TIMEOUT_S: Final = 2.0


class Standing:
    """The distance of one partition from the end of its source.

    ``target`` is the offset that must be reached before anything counts as caught up; None once it was reached. While
    not ``trusted``, the broker must be asked for the end anew.
    """

    def __init__(self, name: str, upstream: Upstream) -> None:
        self.name = name
        self.target: int | None = None
        self.trusted = True
        self._asked_ms = 0
        self._is_answered = True
        self._upstream = upstream

    def opened(self, end: int, position: int) -> bool:
        """Take the end of the source at the time of the opening; return whether the position has reached it."""
        self.target = end
        self._asked_ms = wall_ms()
        return self._reached(position)

    def heard(self) -> bool:
        """Return whether the broker has reported the source's end lately, to the consumer or to this object."""
        view = self._upstream.view()
        latest = self._asked_ms if view is None else max(self._asked_ms, view.fetched_ms)
        return abs(wall_ms() - latest) <= STALE_VIEW_MS  # the clock may have been set back

    def judge(self, batch: Batch, position: int) -> bool:
        """Return whether a batch that leads to ``position`` is caught up."""
        if not self.trusted or not self._reached(position):
            return False
        now = wall_ms()
        if position >= batch.highwater and abs(now - batch.fetched_ms) < FRESH_MS:
            return True
        return bool(batch.records) and abs(now - batch.records[-1].timestamp) < FRESH_MS

    async def ask(self, position: int) -> bool:
        """Ask the broker for the end of the source; return whether the position has reached it. No answer means no."""
        try:
            async with asyncio.timeout(ASK_TIMEOUT_S):
                self.target = await self._upstream.end_offset()
        except (TimeoutError, KafkaError) as error:
            if self._is_answered:  # this is asked every few seconds while the broker is away: one line is enough
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
