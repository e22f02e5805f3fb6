"""Replay to Kafka: the same events to the topics, at the pace at which they happened or faster.

The caller hands in the send (a producer's) and the clock, so that this is a loop over instants and nothing else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable

from monitor.core.facts.events import Event

Send = Callable[[Event], Awaitable[object]]
"""Hands one event to a producer; returns when it has taken it over, not when the broker has."""

YIELD_EVERY = 500
"""Events after which other tasks get a turn at full speed."""


async def to_kafka(
    events: Iterable[Event],
    send: Send,
    *,
    speed: float | None = 1.0,
    now: Callable[[], float],
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    on_progress: Callable[[int, int], None] | None = None,
) -> int:
    """Send events in the order of their times and return how many they were.

    Args:
        events: in any order; their times are sent as they are.
        send: sends one event.
        speed: seconds of the events per real second; None: as fast as the producer takes them.
        now: real seconds, from any zero (``loop.time``).
        sleep: waits real seconds.
        on_progress: told how many were sent, and of how many.

    Raises:
        ValueError: the speed is not above 0.
    """
    if speed is not None and not speed > 0:
        raise ValueError(f"the speed must be above 0, not {speed}")
    ordered = sorted(events, key=lambda event: event.fact[:3])
    if not ordered:
        return 0
    first_ms = ordered[0].fact.time_ms
    began = now()
    for number, event in enumerate(ordered, 1):
        if speed is not None:
            wait = began + (event.fact.time_ms - first_ms) / 1000 / speed - now()
            if wait > 0:
                await sleep(wait)
        await send(event)
        if number % YIELD_EVERY == 0:
            await sleep(0)
            if on_progress is not None:
                on_progress(number, len(ordered))
    if on_progress is not None:
        on_progress(len(ordered), len(ordered))
    return len(ordered)
