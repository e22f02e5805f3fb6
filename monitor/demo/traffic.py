"""The stage of the simulation: processes that take turns in event time, and the mail that carries their events.

A process is a generator: it yields the instant at which it wants to go on. What it tells is an event that *arrives*
later than it happened: mostly within a second, sometimes minutes late and so out of order, sometimes twice. Everything
is drawn from one seeded source of chance, and no clock is read: the same seed gives the same traffic, however its time
is cut into steps.
"""

from __future__ import annotations

import heapq
from collections.abc import Generator
from itertools import count
from math import log
from random import Random
from typing import Final

from monitor.core.facts.events import Event, Fact, Subject, Value
from monitor.core.time.units import MINUTE_MS, SECOND_MS

Process = Generator[int, None, None]

LATE_SHARE: Final = 0.03
VERY_LATE_SHARE: Final = 0.005
TWICE_SHARE: Final = 0.015


class Traffic:
    """Runs processes and keeps their events until they arrive. ``suffix`` ends the id of every subject."""

    def __init__(self, seed: int, suffix: str = "") -> None:
        self.suffix = suffix
        self.random = Random(seed)  # noqa: S311 - simulated chance has to be repeatable, not secret
        self._agenda: list[tuple[int, int, Process]] = []
        self._mail: list[tuple[int, int, Event]] = []
        self._turns = count(1)

    def beside(self, seed: int) -> Traffic:
        """Return the same stage with its own source of chance: draws there change nothing here."""
        other = Traffic(seed, self.suffix)
        other._agenda, other._mail, other._turns = self._agenda, self._mail, self._turns
        return other

    def start(self, process: Process, at_ms: int) -> None:
        """Let a process begin at an instant."""
        heapq.heappush(self._agenda, (at_ms, self._turn(), process))

    def run(self, until_ms: int) -> None:
        """Let all processes go on up to and including an instant."""
        while self._agenda and self._agenda[0][0] <= until_ms:
            at_ms, _, process = heapq.heappop(self._agenda)
            wanted_ms = next(process, None)
            if wanted_ms is not None:
                heapq.heappush(self._agenda, (max(at_ms, wanted_ms), self._turn(), process))

    def arrived(self, until_ms: int) -> list[Event]:
        """Take out the events that have arrived by an instant, in the order of arrival."""
        found = []
        while self._mail and self._mail[0][0] <= until_ms:
            found.append(heapq.heappop(self._mail)[2])
        return found

    def post(self, event: Event, delay_ms: int | None = None, *, once: bool = False) -> None:
        """Send an event on its way; it arrives after a delay that is left to chance unless it is given.

        ``once``: it does not arrive twice, and with a given delay takes nothing from the source of chance.
        """
        at_ms = event.fact.time_ms
        if delay_ms is None:
            chance = self.random.random()
            if chance < VERY_LATE_SHARE:
                delay_ms = self.random.randrange(3 * MINUTE_MS, 8 * MINUTE_MS)
            elif chance < VERY_LATE_SHARE + LATE_SHARE:
                delay_ms = self.random.randrange(5 * SECOND_MS, 90 * SECOND_MS)
            else:
                delay_ms = self.random.randrange(40, 800)
        heapq.heappush(self._mail, (at_ms + delay_ms, self._turn(), event))
        if not once and self.random.random() < TWICE_SHARE:
            again_ms = at_ms + delay_ms + self.random.randrange(SECOND_MS, 30 * SECOND_MS)
            heapq.heappush(self._mail, (again_ms, self._turn(), event))

    def spread(self, median_ms: float, sigma: float = 0.6) -> int:
        """Draw a duration as people's work takes it: log-normal around its median."""
        return max(1, round(self.random.lognormvariate(log(median_ms), sigma)))

    def chance(self, share: float) -> bool:
        """Return true in this share of all cases."""
        return self.random.random() < share

    def _turn(self) -> int:
        return next(self._turns)


class Story:
    """One ticket, call, outage or lead: each of its events carries its attributes of that time."""

    def __init__(self, traffic: Traffic, subject: Subject, subject_id: str, **attributes: Value) -> None:
        self.traffic = traffic
        self.subject: Subject = subject
        self.subject_id = subject_id + traffic.suffix
        self.attributes: dict[str, Value] = attributes
        self._told = 0

    def tell(self, what: str, at_ms: int, *, delay_ms: int | None = None, once: bool = False, **details: Value) -> None:
        """Tell one fact; ``details`` belong to it alone. ``delay_ms`` and ``once`` are those of `Traffic.post`."""
        self._told += 1
        fact = Fact(at_ms, self._told, f"{self.subject_id}.{self._told}", what, self.attributes | details)
        self.traffic.post(Event(self.subject, self.subject_id, fact), delay_ms, once=once)


class Surge:
    """How much more than usual comes in, from time to time."""

    def __init__(self) -> None:
        self._stretches: list[tuple[int, int, float]] = []

    def add(self, from_ms: int, to_ms: int, factor: float) -> None:
        """Multiply the arrivals within ``[from_ms, to_ms)``."""
        self._stretches.append((from_ms, to_ms, factor))

    def factor(self, at_ms: int) -> float:
        """Return the factor of an instant."""
        found = 1.0
        for from_ms, to_ms, factor in self._stretches:
            if from_ms <= at_ms < to_ms:
                found *= factor
        return found
