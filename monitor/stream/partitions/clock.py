"""Clocks: the source of the time that is handed to the core.

The only module of the project that reads the machine's clock; the linter refuses that everywhere else (`banned-api` in
pyproject.toml). Durations are measured with monotonic clocks, in any module: those tell no instant. A worker judges
deadlines by its ``Clock``. Whether it has caught up with its source is judged by real time (``wall_ms``), independently
of that clock.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from math import inf
from typing import Protocol

Listener = Callable[[], None]


def wall_ms() -> int:
    """Return real time: the operating system's clock, epoch milliseconds."""
    return time.time_ns() // 1_000_000  # noqa: TID251 - the one reading


class Clock(Protocol):
    """The clock by which a worker judges deadlines."""

    def now_ms(self) -> int:
        """Return the present instant, epoch milliseconds."""
        ...

    def seconds_until(self, instant_ms: int) -> float:
        """Return the real seconds until an instant: 0 if it is past, ``inf`` if only turning the clock reaches it."""
        ...

    def on_turn(self, listener: Listener) -> Listener:
        """Call ``listener`` whenever the clock is set by hand; return the function that removes the listener."""
        ...


class WallClock:
    """Real time."""

    def now_ms(self) -> int:
        """Return the present instant, epoch milliseconds."""
        return wall_ms()

    def seconds_until(self, instant_ms: int) -> float:
        """Return the real seconds until an instant, at least 0."""
        return max(0.0, (instant_ms - wall_ms()) / 1000)

    def on_turn(self, listener: Listener) -> Listener:  # noqa: ARG002 - nobody turns it
        """Never call the listener."""
        return _nothing


class FastClock:
    """Runs ``speed`` times as fast as real time from ``start_ms`` on: for demonstrations.

    Raises:
        ValueError: the speed is not above 0.
    """

    def __init__(self, speed: float, start_ms: int) -> None:
        if not speed > 0:
            raise ValueError(f"a clock's speed must be above 0, not {speed}")
        self.speed = speed
        self.start_ms = start_ms
        self._started = time.monotonic()

    def now_ms(self) -> int:
        """Return the present instant, epoch milliseconds."""
        return self.start_ms + int((time.monotonic() - self._started) * 1000 * self.speed)

    def seconds_until(self, instant_ms: int) -> float:
        """Return the real seconds until an instant of this clock, at least 0."""
        elapsed = time.monotonic() - self._started
        return max(0.0, (instant_ms - self.start_ms) / 1000 / self.speed - elapsed)

    def on_turn(self, listener: Listener) -> Listener:  # noqa: ARG002 - nobody turns it
        """Never call the listener."""
        return _nothing


class HandClock:
    """Stands still until it is turned: for tests. It never goes back."""

    def __init__(self, start_ms: int) -> None:
        self._now_ms = start_ms
        self._listeners: list[Listener] = []

    def now_ms(self) -> int:
        """Return the instant to which the clock was turned, epoch milliseconds."""
        return self._now_ms

    def seconds_until(self, instant_ms: int) -> float:
        """Return 0 for an instant that the clock has reached, else ``inf``."""
        return 0.0 if instant_ms <= self._now_ms else inf

    def advance(self, by_ms: int) -> None:
        """Turn the clock forward and call all listeners.

        Raises:
            ValueError: the step is negative.
        """
        if by_ms < 0:
            raise ValueError(f"a clock does not go back: {by_ms} ms")
        self._now_ms += by_ms
        for listener in tuple(self._listeners):
            listener()

    def on_turn(self, listener: Listener) -> Listener:
        """Call ``listener`` at each turn; return the function that removes the listener."""
        self._listeners.append(listener)

        def unlisten() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return unlisten


def _nothing() -> None:
    pass
