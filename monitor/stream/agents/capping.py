"""The log lines about records and series that a worker has capped or refused. `monitor.bootstrap` runs it.

None of it is silent. It reads the same counts that `/metrics` shows. A count that has grown since its last line gets a
new line, at most one line per kind in `AGAIN_S`. So a flood of a million records is a line a minute, not a million
lines.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from monitor.stream.agents.tally import Tally
from monitor.wire.deadletters import DEAD_LETTER_REASONS
from monitor.wire.wording import plural

log = logging.getLogger(__name__)

PACE_S: Final = 5.0
"""Between two comparisons of the counts."""
AGAIN_S: Final = 60.0
"""The shortest time between two lines of one kind."""

Places = Mapping[tuple[str, str], tuple[int, int]]
"""By agreement and measure, how many series are shown by themselves and how many are counted together."""


class Capping:
    """Compares the counts with those that were logged last."""

    def __init__(
        self, tally: Tally, places: Callable[[], Places], *, pace_s: float = PACE_S, again_s: float = AGAIN_S
    ) -> None:
        self._tally = tally
        self._places = places
        self._pace_s = pace_s
        self._again_s = again_s
        self._told: dict[object, tuple[int, float]] = {}
        """The count in the last line of each kind, and when that line was logged (monotonic seconds)."""

    async def run(self) -> None:
        """Compare at an even pace until cancelled, and once more at the cancellation."""
        try:
            while True:
                await asyncio.sleep(self._pace_s)
                self.look(time.monotonic())
        finally:
            self.look(time.monotonic() + self._again_s)

    def look(self, now_s: float) -> None:
        """Log each count that has grown, unless a line of its kind was logged less than ``again_s`` ago."""
        for kind, count, text in self._counts():
            told, at_s = self._told.get(kind, (0, -self._again_s))
            if count > told and now_s - at_s >= self._again_s:
                self._told[kind] = count, now_s
                log.warning("since this worker started: %s", text)

    def _counts(self) -> Iterator[tuple[object, int, str]]:
        tally = self._tally
        for (topic, reason), count in sorted(tally.dead_letters.items()):
            why = DEAD_LETTER_REASONS.get(reason, "see the letter")
            are = "is a dead letter" if count == 1 else "are dead letters"
            yield (topic, reason), count, f"{plural(count, 'record')} of {topic} {are}, {reason}: {why}"
        for (agreement, measure), (shown, rest) in sorted(self._places().items()):
            text = f"{rest:,} series of {agreement}/{measure} are counted together as other, {shown:,} are shown"
            yield (agreement, measure), rest, f"{text} (setting max_series)"
        for topic, count in sorted(tally.divided.items()):
            yield ("divided", topic), count, f"{count:,} parts of panes of {topic}: so much waits, or is down, at once"
        for topic, count in sorted(tally.together.items()):
            yield ("together", topic), count, f"{count:,} late {topic} events were told together, not one by one"
