"""Simulated tickets of an IT service desk, from the report to the solution."""

from __future__ import annotations

from typing import Final, NamedTuple

from monitor.core.time.units import HOUR_MS, MINUTE_MS, SECOND_MS
from monitor.demo.hours import Day, arrivals, busy
from monitor.demo.traffic import Process, Story, Surge, Traffic

PER_HOUR: Final = 42.0
"""Tickets in a busy hour."""
CUSTOMERS: Final = {"finance": 4, "hr": 2, "logistics": 3}
SERVICES: Final = {"mail": 5, "payroll": 2, "vpn": 3}
PRIORITIES: Final = {"P1": 3, "P2": 15, "P3": 50, "P4": 32}
"""By weight."""


class Pace(NamedTuple):
    """How fast the desk is with tickets of a priority: medians in minutes of each step after the one before."""

    acknowledge: float
    respond: float
    resolve: float


PACES: Final = {
    "P1": Pace(3, 2, 60),
    "P2": Pace(6, 14, 150),
    "P3": Pace(16, 45, 360),
    "P4": Pace(18, 110, 700),
}
SECOND_LINE_SHARE: Final = 0.3
HANDOVER_DELAY_MS: Final = 300
AUTOMATIC_SHARE: Final = 0.7
CANCEL_SHARE: Final = 0.02
PRIORITY_CHANGE_SHARE: Final = 0.05
PAUSE_SHARE: Final = 0.3
REOPEN_SHARE: Final = 0.04


class ServiceDesk:
    """The desk: its tickets and how slow it is at the moment."""

    def __init__(self, traffic: Traffic) -> None:
        self.traffic = traffic
        self.surge = Surge()
        self.slowness = Surge()
        self._tickets = 0

    def arrivals(self, from_ms: int, intensity: float, day: Day = busy) -> Process:
        """Let tickets come in."""
        for at_ms, comes in arrivals(self.traffic, from_ms, PER_HOUR * intensity, self.surge, day):
            yield at_ms
            if comes:
                self.traffic.start(self.ticket(self.draw(), at_ms), at_ms)

    def draw(self) -> Story:
        """Return a new ticket of anybody on anything."""
        customer, service, priority = (self._one_of(of) for of in (CUSTOMERS, SERVICES, PRIORITIES))
        return self.new(customer, service, priority)

    def new(self, customer: str, service: str, priority: str, *, parent: str = "") -> Story:
        """Return a new ticket; ``parent`` is the incident that it belongs to."""
        self._tickets += 1
        number = f"T-{self._tickets:06}"
        story = Story(self.traffic, "ticket", number, customer=customer, service=service, priority=priority)
        if parent:
            story.attributes["parent"] = parent
        return story

    def ticket(self, story: Story, at_ms: int) -> Process:
        """Let a ticket run its course."""
        traffic = self.traffic
        story.tell("opened", at_ms, channel=traffic.random.choice(("portal", "mail", "phone")))
        if traffic.chance(AUTOMATIC_SHARE):  # "we have received your message" answers nobody's question
            story.tell("responded", at_ms + 2 * SECOND_MS, automatic=True)
        if traffic.chance(CANCEL_SHARE):
            now_ms = at_ms + traffic.spread(10 * MINUTE_MS)
            yield now_ms
            story.tell("cancelled", now_ms, reason="opened by mistake")
            return
        now_ms = at_ms + self._takes(self._pace(story).acknowledge, at_ms)
        yield now_ms
        story.attributes["team"] = self._team(story)
        story.tell("acknowledged", now_ms, agent=f"desk-{traffic.random.randrange(12):02}")
        if story.attributes["team"] != "first-line":
            story.tell("assigned", now_ms, delay_ms=HANDOVER_DELAY_MS, once=True)
        if traffic.chance(PRIORITY_CHANGE_SHARE):
            now_ms += traffic.random.randrange(MINUTE_MS, 5 * MINUTE_MS)
            yield now_ms
            story.attributes["priority"] = self._one_of(PRIORITIES)
            story.tell("priority_changed", now_ms)
        now_ms += self._takes(self._pace(story).respond, now_ms)
        yield now_ms
        story.tell("responded", now_ms, public=True)
        if traffic.chance(PAUSE_SHARE):
            now_ms += traffic.spread(5 * MINUTE_MS)
            yield now_ms
            story.tell("paused", now_ms, reason="waiting_for_customer")
            now_ms += traffic.spread(50 * MINUTE_MS)
            yield now_ms
            story.tell("customer_replied", now_ms)
            story.tell("resumed", now_ms)
        now_ms += self._takes(self._pace(story).resolve, now_ms)
        yield now_ms
        story.tell("resolved", now_ms)
        if traffic.chance(REOPEN_SHARE):
            now_ms += traffic.spread(20 * MINUTE_MS)
            yield now_ms
            story.tell("reopened", now_ms, reason="not solved")
            now_ms += self._takes(self._pace(story).resolve / 2, now_ms)
            yield now_ms
            story.tell("resolved", now_ms)
        now_ms += traffic.spread(HOUR_MS)
        yield now_ms
        story.tell("closed", now_ms)

    def _team(self, story: Story) -> str:
        """Choose the team of a ticket: a fault of remote access may be the carrier's to mend."""
        if not self.traffic.chance(SECOND_LINE_SHARE):
            return "first-line"
        return "carrier" if story.attributes["service"] == "vpn" else "second-line"

    def _pace(self, story: Story) -> Pace:
        return PACES[str(story.attributes["priority"])]

    def _takes(self, median_minutes: float, at_ms: int) -> int:
        return self.traffic.spread(median_minutes * MINUTE_MS * self.slowness.factor(at_ms))

    def _one_of(self, weights: dict[str, int]) -> str:
        return self.traffic.random.choices(tuple(weights), tuple(weights.values()))[0]
