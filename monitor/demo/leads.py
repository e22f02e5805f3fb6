"""Simulated leads: marketing finds and hands over, sales follows up, wins and loses."""

from __future__ import annotations

from typing import Final

from monitor.core.time.units import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS
from monitor.demo.hours import Day, arrivals, busy
from monitor.demo.traffic import Process, Story, Surge, Traffic

HISTORY_MS: Final = 21 * DAY_MS
"""How far back leads reach: deals take days, and a month's goal is measured from its first day on."""
PER_HOUR: Final = 1.25
SOURCES: Final = {"web": 5, "webinar": 2, "newsletter": 2, "referral": 2, "outbound": 1}
"""By weight; the first three are marketing's."""
SEGMENTS: Final = {"small-business": 6, "mid-market": 3, "enterprise": 1}
DEALS: Final = {"small-business": 900.0, "mid-market": 2_200.0, "enterprise": 7_000.0}
"""Medians of the amounts."""
NURTURED_SHARE: Final = 0.2
AUTOMATIC_SHARE: Final = 0.6
FORGOTTEN_SHARE: Final = 0.06
ANSWER_SHARE: Final = 0.45
DISQUALIFIED_SHARE: Final = 0.15
WON_SHARE: Final = 0.14
MOST_ATTEMPTS: Final = 6
_AT_WORK: Final = 0.5


class Funnel:
    """The leads of one company, and the people who work on them in their hours."""

    def __init__(self, traffic: Traffic) -> None:
        self.traffic = traffic
        self.surge = Surge()
        self._leads = 0

    def arrivals(self, from_ms: int, intensity: float, day: Day = busy) -> Process:
        """Let leads come in."""
        for at_ms, comes in arrivals(self.traffic, from_ms, PER_HOUR * intensity, self.surge, day):
            yield at_ms
            if comes:
                self.traffic.start(self.lead(self.new(), at_ms), at_ms)

    def new(self) -> Story:
        """Return a new lead."""
        self._leads += 1
        source, segment = (self.traffic.random.choices(tuple(of), tuple(of.values()))[0] for of in (SOURCES, SEGMENTS))
        return Story(
            self.traffic, "lead", f"L-{self._leads:06}",
            source=source, segment=segment, score=float(self.traffic.random.randrange(20, 100)),
            team="field-sales" if segment == "enterprise" else "inside-sales",
        )  # fmt: skip

    def lead(self, story: Story, at_ms: int) -> Process:
        """Let a lead run its course."""
        traffic = self.traffic
        story.tell("created", at_ms)
        waits_ms = 2 * DAY_MS if traffic.chance(NURTURED_SHARE) else 20 * MINUTE_MS
        now_ms = self._at_work(at_ms + traffic.spread(waits_ms))
        yield now_ms
        story.tell("handed_over", now_ms)
        if traffic.chance(AUTOMATIC_SHARE):  # "thank you for your interest" is no attempt to reach anybody
            story.tell("attempted", now_ms + 2 * SECOND_MS, channel="mail", automatic=True)
        median_ms = 3 * HOUR_MS if traffic.chance(FORGOTTEN_SHARE) else 11 * MINUTE_MS
        for _ in range(MOST_ATTEMPTS):
            now_ms = self._at_work(now_ms + traffic.spread(median_ms))
            yield now_ms
            story.tell("attempted", now_ms, channel=traffic.random.choice(("phone", "mail")))
            if traffic.chance(ANSWER_SHARE):
                story.tell("contacted", now_ms + MINUTE_MS)
                break
            median_ms = 5 * HOUR_MS
        else:
            now_ms = self._at_work(now_ms + DAY_MS)
            yield now_ms
            story.tell("lost", now_ms, reason="never reached")
            return
        if traffic.chance(DISQUALIFIED_SHARE):
            story.tell("disqualified", now_ms + 5 * MINUTE_MS, reason="no need")
            return
        now_ms = self._at_work(now_ms + traffic.spread(5 * HOUR_MS))
        yield now_ms
        story.tell("qualified", now_ms)
        now_ms = self._at_work(now_ms + traffic.spread(40 * HOUR_MS))
        yield now_ms
        if traffic.chance(WON_SHARE):
            amount = traffic.spread(DEALS[str(story.attributes["segment"])] * 100, 0.5) / 100
            story.tell("won", now_ms, amount=amount)
        else:
            story.tell("lost", now_ms, reason="chose another")

    def forgotten(self, at_ms: int) -> Process:
        """Let a lead be handed over, and nobody call for 50 minutes: at risk, breached (promised: 30), resolved."""
        story = self.new()
        story.attributes |= {"source": "web", "segment": "mid-market", "team": "inside-sales"}
        story.tell("created", at_ms)
        yield (at_ms := at_ms + 4 * MINUTE_MS)
        story.tell("handed_over", at_ms, delay_ms=2 * SECOND_MS)
        yield (at_ms := at_ms + 50 * MINUTE_MS)
        story.tell("attempted", at_ms, channel="phone")
        story.tell("contacted", at_ms + MINUTE_MS)
        yield (at_ms := at_ms + 3 * HOUR_MS)
        story.tell("lost", at_ms, reason="chose another")

    @staticmethod
    def _at_work(at_ms: int) -> int:
        """Return an instant, or the next one at which people are at work."""
        while busy(at_ms) < _AT_WORK:
            at_ms += HOUR_MS - at_ms % HOUR_MS
        return at_ms
