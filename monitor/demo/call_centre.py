"""Simulated call queues: Poisson arrivals, a fixed number of agents, callers who lose patience (an M/M/c+M queue)."""

from __future__ import annotations

from collections import deque
from typing import Final, NamedTuple

from monitor.demo.hours import Day, arrivals, busy
from monitor.demo.traffic import MINUTE_MS, SECOND_MS, Process, Story, Surge, Traffic


class Line(NamedTuple):
    """A queue: calls in a busy hour, agents, median talk in seconds, mean patience in seconds."""

    queue: str
    per_hour: float
    agents: int
    talk_s: float
    patience_s: float


LINES: Final = (
    Line("support", 95, 9, 190, 150),
    Line("billing", 55, 7, 200, 180),
    Line("sales", 42, 6, 240, 90),
)
ISSUES: Final = ("login", "invoice", "delivery", "outage", "contract", "other")
CALLBACK_SHARE: Final = 0.04
FLOW_OUT_SHARE: Final = 0.01
HOLD_SHARE: Final = 0.15


class Queue:
    """One queue with its agents."""

    def __init__(self, traffic: Traffic, line: Line) -> None:
        self.traffic = traffic
        self.line = line
        self.surge = Surge()
        self.free = line.agents
        self.waiting: deque[Story] = deque()
        self._calls = 0

    def arrivals(self, from_ms: int, intensity: float, day: Day = busy) -> Process:
        """Let calls come in."""
        for at_ms, comes in arrivals(self.traffic, from_ms, self.line.per_hour * intensity, self.surge, day):
            yield at_ms
            if comes:
                self.traffic.start(self._call(at_ms), at_ms)

    def absence(self, from_ms: int, to_ms: int, agents: int) -> Process:
        """Let agents be away for a while: each leaves after the call at hand."""
        yield from_ms
        self.free -= agents
        yield to_ms
        self.free += agents
        self._take_next(to_ms)

    def _call(self, at_ms: int) -> Process:
        traffic, line = self.traffic, self.line
        self._calls += 1
        story = Story(
            traffic,
            "call",
            f"{line.queue.upper()}-{self._calls:06}",
            queue=line.queue,
            channel="phone",
            caller=f"caller-{traffic.random.randrange(4_000):04}",
            issue=traffic.random.choice(ISSUES),
        )
        story.tell("queued", at_ms)
        self.waiting.append(story)
        self._take_next(at_ms)
        if story not in self.waiting:
            return
        gone_ms = at_ms + 1 + int(traffic.random.expovariate(1 / (line.patience_s * SECOND_MS)))
        yield gone_ms
        if story not in self.waiting:
            return
        self.waiting.remove(story)
        if gone_ms - at_ms > MINUTE_MS and traffic.chance(CALLBACK_SHARE):
            story.tell("callback_requested", gone_ms)
        elif traffic.chance(FLOW_OUT_SHARE):
            story.tell("transferred", gone_ms, reason="overflow")
        else:
            story.tell("abandoned", gone_ms)

    def _take_next(self, now_ms: int) -> None:
        while self.free > 0 and self.waiting:
            self.free -= 1
            self.traffic.start(self._serve(self.waiting.popleft(), now_ms), now_ms)

    def _serve(self, story: Story, now_ms: int) -> Process:
        traffic = self.traffic
        now_ms += traffic.random.randrange(500, 4 * SECOND_MS)  # it rings
        yield now_ms
        story.tell("answered", now_ms, agent=f"{self.line.queue}-{traffic.random.randrange(self.line.agents):02}")
        talk_ms = traffic.spread(self.line.talk_s * SECOND_MS, 0.5)
        hold_ms = 0
        if traffic.chance(HOLD_SHARE):
            now_ms += talk_ms // 2
            yield now_ms
            story.tell("held", now_ms)
            hold_ms = traffic.spread(40 * SECOND_MS)
            now_ms += hold_ms
            yield now_ms
            story.tell("retrieved", now_ms)
            now_ms += talk_ms - talk_ms // 2
        else:
            now_ms += talk_ms
        yield now_ms
        wrap_up_ms = traffic.spread(25 * SECOND_MS)
        solved = traffic.chance(0.82)
        story.tell("ended", now_ms, talk_ms=talk_ms, hold_ms=hold_ms, wrap_up_ms=wrap_up_ms, resolved=solved)
        now_ms += wrap_up_ms
        yield now_ms
        self.free += 1
        self._take_next(now_ms)
