"""Simulated outages of a network operator: some repaired step by step, some within announced maintenance."""

from __future__ import annotations

from typing import Final

from monitor.core.time.units import HOUR_MS, MINUTE_MS
from monitor.demo.traffic import Process, Story, Surge, Traffic

SITES: Final = {"metro-ring": 120, "dsl-access": 5_400, "mpls-core": 310}
"""Connected sites of each service."""
HOURS_BETWEEN: Final = 2.5
STEPWISE_SHARE: Final = 0.5
DEGRADED_SHARE: Final = 0.3
SLOW_SHARE: Final = 0.08


class Network:
    """The operator's services and their outages."""

    def __init__(self, traffic: Traffic) -> None:
        self.traffic = traffic
        self.surge = Surge()
        self._outages = 0

    def failures(self, from_ms: int, intensity: float) -> Process:
        """Let outages happen, day and night alike."""
        now_ms = from_ms
        while True:
            rate = intensity / (HOURS_BETWEEN * HOUR_MS)
            now_ms += 1 + int(self.traffic.random.expovariate(rate))
            yield now_ms
            service = self.traffic.random.choice(tuple(SITES))
            priority = "P1" if self.traffic.chance(0.3) else "P2"
            self.traffic.start(self.outage(self.new(service, priority), now_ms), now_ms)

    def new(self, service: str, priority: str) -> Story:
        """Return a new outage of a service."""
        self._outages += 1
        return Story(self.traffic, "outage", f"O-{self._outages:05}", service=service, priority=priority)

    def outage(
        self,
        story: Story,
        at_ms: int,
        *,
        acknowledge_ms: int | None = None,
        restore_ms: int | None = None,
        stepwise: bool | None = None,
    ) -> Process:
        """Let an outage run its course; arguments that are not given are drawn by chance."""
        traffic = self.traffic
        total = SITES[str(story.attributes["service"])]
        affected = traffic.random.randrange(total // 5, total + 1)
        story.attributes["customers_total"] = total
        story.tell("started", at_ms, customers_affected=affected)
        now_ms = at_ms + (acknowledge_ms or traffic.spread(2 * MINUTE_MS, 0.5))
        yield now_ms
        story.tell("acknowledged", now_ms, team="noc")
        now_ms += traffic.spread(4 * MINUTE_MS)
        yield now_ms
        story.tell("responded", now_ms, team="field")
        if traffic.chance(DEGRADED_SHARE):
            now_ms += traffic.spread(3 * MINUTE_MS)
            yield now_ms
            affected = min(total, affected * 2)
            story.tell("impact_changed", now_ms, customers_affected=affected)
        back_ms = restore_ms or traffic.spread((150 if traffic.chance(SLOW_SHARE) else 35) * MINUTE_MS)
        if traffic.chance(STEPWISE_SHARE) if stepwise is None else stepwise:
            now_ms += back_ms // 2
            yield now_ms
            story.tell("restored", now_ms, customers_affected=max(1, affected // 4))
            now_ms += back_ms - back_ms // 2
        else:
            now_ms += back_ms
        yield now_ms
        story.tell("restored", now_ms, customers_affected=0)
        now_ms += traffic.spread(90 * MINUTE_MS)
        yield now_ms
        story.tell("resolved", now_ms)

    def blip(self, story: Story, at_ms: int, length_ms: int) -> Process:
        """Let a service be gone for a moment: it comes back by itself."""
        total = SITES[str(story.attributes["service"])]
        story.tell("started", at_ms, customers_affected=total // 2, customers_total=total)
        yield at_ms + length_ms
        story.tell("restored", at_ms + length_ms)
        story.tell("resolved", at_ms + length_ms)

    def blindness(self, service: str, from_ms: int, to_ms: int) -> Process:
        """Let the monitor of a service see nothing for a while."""
        self._outages += 1
        story = Story(self.traffic, "outage", f"B-{self._outages:05}", service=service)
        story.tell("monitoring_lost", from_ms)
        yield to_ms
        story.tell("monitoring_restored", to_ms)

    def maintenance(self, service: str, announced_ms: int, starts_ms: int, ends_ms: int) -> Process:
        """Let work be announced, begin in time and end a little early."""
        self._outages += 1
        story = Story(self.traffic, "outage", f"M-{self._outages:05}", service=service)
        yield announced_ms
        story.tell("maintenance_announced", announced_ms, starts_at_ms=starts_ms, ends_at_ms=ends_ms)
        yield starts_ms
        story.tell("maintenance_started", starts_ms)
        over_ms = ends_ms - (ends_ms - starts_ms) // 6
        yield over_ms
        story.tell("maintenance_ended", over_ms)
