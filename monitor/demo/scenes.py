"""Scenes that happen in the first hour of each demonstration, so that nobody has to wait for bad luck.

Chance alone would show every kind of alert sooner or later; these scenes show them within an hour of simulated time.
All instants are minutes after the start. (The promises are those of deploy/agreements.)

    0 ── metro-ring fails, nobody takes notice for 8 min (promised: 5)        breached, then resolved
    1 ── a P1 ticket lies for 25 min (acknowledge: 10)                        at risk, breached, resolved
    2 ── a P1 ticket is answered after 6 min; its events arrive at 18         breached, then voided
    3 ── a P1 ticket turns out to be a P3 after 9 min                         at risk, then rearmed
    4 ── a lead is handed over, nobody calls for 50 min (promised: 30)        at risk, breached, resolved
    5 ── support is flooded and short of agents for 20 min                    service level breached, later resolved
   10 ── metro-ring is gone for 40 s                                         momentary: in MAIFI only
   12 ── mail is down: a storm of tickets, the desk falls behind              a row of breaches
   15 ── the monitor of mpls-core sees nothing for 9 min                     coverage below 100 %
   20 ── announced maintenance on dsl-access with an outage inside of it      excluded from the availability
   30 ── mpls-core fails, far into its budget of 2 h                          restore at risk
"""

from __future__ import annotations

from monitor.core.time.units import HOUR_MS, MINUTE_MS, SECOND_MS
from monitor.demo.call_centre import Queue
from monitor.demo.network import Network
from monitor.demo.service_desk import ServiceDesk
from monitor.demo.traffic import Process, Traffic

ABSENT_AGENTS = 6
STORM_TICKETS = 45


class Scenes:
    """Sets the scenes of a simulation that starts at ``start_ms``."""

    def __init__(self, traffic: Traffic, start_ms: int, *, support: Queue, desk: ServiceDesk, network: Network) -> None:
        self.traffic = traffic
        self.start_ms = start_ms
        self.support = support
        self.desk = desk
        self.network = network

    def set(self) -> None:
        """Hand all scenes to the traffic."""
        self._later(0, self._unnoticed_outage(self._at(0)))
        self._later(1, self._forgotten_ticket(self._at(1)))
        self._later(2, self._answered_in_time_told_late(self._at(2)))
        self._later(3, self._not_so_urgent(self._at(3)))
        self._flood(self._at(5), self._at(25))
        self._later(12, self._mail_storm(self._at(12)))
        announced_ms = self.start_ms - 50 * HOUR_MS
        maintenance = self.network.maintenance("dsl-access", announced_ms, self._at(20), self._at(50))
        self.traffic.start(maintenance, announced_ms)
        self._later(10, self.network.blip(self.network.new("metro-ring", "P2"), self._at(10), 40 * SECOND_MS))
        self._later(15, self.network.blindness("mpls-core", self._at(15), self._at(24)))
        self._later(24, self._outage("dsl-access", "P2", 24, restore_minutes=12))
        self._later(30, self._outage("mpls-core", "P1", 30, restore_minutes=130))

    def _at(self, minutes: float) -> int:
        return self.start_ms + round(minutes * MINUTE_MS)

    def _later(self, minutes: float, process: Process) -> None:
        self.traffic.start(process, self._at(minutes))

    def _outage(self, service: str, priority: str, minutes: float, *, restore_minutes: float) -> Process:
        story = self.network.new(service, priority)
        return self.network.outage(
            story, self._at(minutes), restore_ms=round(restore_minutes * MINUTE_MS), stepwise=False
        )

    def _unnoticed_outage(self, at_ms: int) -> Process:
        story = self.network.new("metro-ring", "P1")
        return self.network.outage(story, at_ms, acknowledge_ms=8 * MINUTE_MS, restore_ms=25 * MINUTE_MS, stepwise=True)

    def _forgotten_ticket(self, at_ms: int) -> Process:
        story = self.desk.new("finance", "vpn", "P1")
        story.tell("opened", at_ms, channel="phone", delay_ms=SECOND_MS)
        yield (at_ms := at_ms + 25 * MINUTE_MS)
        story.tell("acknowledged", at_ms, agent="desk-03", delay_ms=SECOND_MS)
        yield (at_ms := at_ms + 2 * MINUTE_MS)
        story.tell("responded", at_ms, public=True)
        yield (at_ms := at_ms + HOUR_MS)
        story.tell("resolved", at_ms)

    def _answered_in_time_told_late(self, at_ms: int) -> Process:
        story = self.desk.new("logistics", "vpn", "P1")
        story.tell("opened", at_ms, channel="phone", delay_ms=SECOND_MS)
        yield (at_ms := at_ms + 6 * MINUTE_MS)
        story.tell("acknowledged", at_ms, agent="desk-07", delay_ms=10 * MINUTE_MS)
        story.tell("responded", at_ms + 20 * SECOND_MS, public=True, delay_ms=10 * MINUTE_MS - 20 * SECOND_MS)
        yield (at_ms := at_ms + HOUR_MS)
        story.tell("resolved", at_ms)

    def _not_so_urgent(self, at_ms: int) -> Process:
        story = self.desk.new("hr", "mail", "P1")
        story.tell("opened", at_ms, channel="mail", delay_ms=SECOND_MS)
        yield (at_ms := at_ms + 9 * MINUTE_MS)
        story.attributes["priority"] = "P3"
        story.tell("priority_changed", at_ms, delay_ms=SECOND_MS)
        yield (at_ms := at_ms + 15 * MINUTE_MS)
        story.tell("acknowledged", at_ms, agent="desk-01")
        yield (at_ms := at_ms + 30 * MINUTE_MS)
        story.tell("responded", at_ms, public=True)
        yield (at_ms := at_ms + 3 * HOUR_MS)
        story.tell("resolved", at_ms)

    def _flood(self, from_ms: int, to_ms: int) -> None:
        self.support.surge.add(from_ms, to_ms, 2.5)
        self.traffic.start(self.support.absence(from_ms, to_ms, ABSENT_AGENTS), from_ms)

    def _mail_storm(self, at_ms: int) -> Process:
        self.desk.slowness.add(at_ms, at_ms + 40 * MINUTE_MS, 3.0)
        first = self.desk.new("finance", "mail", "P1")
        self.traffic.start(self.desk.ticket(first, at_ms), at_ms)
        customers = ("finance", "hr", "logistics")
        for _ in range(STORM_TICKETS):
            at_ms += 1 + int(self.traffic.random.expovariate(1 / (12 * SECOND_MS)))
            yield at_ms
            customer = self.traffic.random.choice(customers)
            story = self.desk.new(customer, "mail", "P2", parent=first.subject_id)
            self.traffic.start(self.desk.ticket(story, at_ms), at_ms)
