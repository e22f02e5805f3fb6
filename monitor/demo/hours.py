"""The busy hours of the simulated world: how much comes in at each hour of its local day."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from monitor.core.time.units import HOUR_MS, MINUTE_MS
from monitor.demo.traffic import Surge, Traffic

ZONE: Final = ZoneInfo("Europe/Berlin")

_WORKDAY: Final = (
    0.05, 0.03, 0.03, 0.03, 0.04, 0.08, 0.25, 0.6, 0.95, 1.15, 1.2, 1.1,
    0.8, 0.95, 1.1, 1.05, 0.9, 0.65, 0.4, 0.3, 0.2, 0.15, 0.1, 0.07,
)  # fmt: skip
"""Share of the busy rate by local hour: a peak in the late morning, a dip at noon."""
_WEEKEND: Final = 0.25
_SATURDAY: Final = 5
_STEP_MS: Final = 5 * MINUTE_MS

Day = Callable[[int], float]
"""Share of the busy rate at an instant, epoch milliseconds."""


@lru_cache(maxsize=64)
def _busy(hour: int) -> float:
    local = datetime.fromtimestamp(hour * HOUR_MS / 1000, ZONE)
    return _WORKDAY[local.hour] * (_WEEKEND if local.weekday() >= _SATURDAY else 1.0)


def busy(at_ms: int) -> float:
    """Return the share of the busy rate at an instant."""
    return _busy(at_ms // HOUR_MS)


def always_busy(at_ms: int) -> float:  # noqa: ARG001 - a day without hours
    """Return 1 at every instant: a day on which there is always something to see."""
    return 1.0


def arrivals(
    traffic: Traffic, from_ms: int, per_hour: float, surge: Surge, day: Day = busy
) -> Iterator[tuple[int, bool]]:
    """Return the instants of a Poisson stream whose rate follows the day and a surge, endlessly.

    The rate is held for five minutes at a time; a step in which nothing comes is told too (False), so that nobody
    waits through a quiet night at the rate of its beginning.
    """
    at_ms = from_ms
    while True:
        rate = per_hour * day(at_ms) * surge.factor(at_ms) / HOUR_MS
        gap_ms = 1 + int(traffic.random.expovariate(rate))
        if gap_ms <= _STEP_MS:
            at_ms += gap_ms
            yield at_ms, True
        else:
            at_ms += _STEP_MS
            yield at_ms, False


def busy_start_ms(before_ms: int) -> int:
    """Return a good instant to start a demonstration at: the last Tuesday, Wednesday or Thursday at 15:05, local time.

    Then every calendar of the example agreements is open, and the first hour stays within it.
    """
    day = (
        datetime.fromtimestamp(before_ms / 1000, UTC)
        .astimezone(ZONE)
        .replace(hour=15, minute=5, second=0, microsecond=0)
    )
    while day.weekday() not in {1, 2, 3} or day.timestamp() * 1000 > before_ms:
        day -= timedelta(days=1)
    return int(day.timestamp() * 1000)
