"""Simulated call queues: Poisson arrivals, a fixed number of agents, callers who lose patience (an M/M/c+M queue)."""

from __future__ import annotations

from collections import deque
from typing import Any, Final, NamedTuple

from monitor.core.time.units import HOUR_MS, MINUTE_MS, SECOND_MS
from monitor.demo.hours import Day, arrivals, busy
from monitor.demo.traffic import Process, Story, Surge, Traffic


class Line(NamedTuple):
    """A queue: calls in a busy hour, agents, median talk in seconds, mean patience in seconds."""

    queue: str
    per_hour: float
    agents: int
    talk_s: float
    patience_s: float


LINES: Final = (
    Line("support", 92, 9, 190, 150),
    Line("billing", 55, 7, 200, 180),
    Line("sales", 42, 6, 240, 90),
)
ISSUES: Final = ("login", "invoice", "delivery", "outage", "contract", "other")
CALLBACK_SHARE: Final = 0.25
FLOW_OUT_SHARE: Final = 0.01
HOLD_SHARE: Final = 0.15
SOLVED_SHARE: Final = 0.82
PASSED_ON_SHARE: Final = 0.25
"""Of the calls that were not solved: those that go on to the second level."""
AGAIN_SHARE: Final = 0.3
"""Of the calls that were not solved: those whose callers call again."""


class Queue:
    """One queue with its agents."""

    def __init__(self, traffic: Traffic, line: Line) -> None:
        self.traffic = traffic
        self.line = line
        self.surge = Surge()
        self.free = line.agents
        self.waiting: deque[Story] = deque()
        self._free_since: deque[int] = deque()
        """Since when agents are available, of those who had a call before."""
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
        for _ in range(min(agents, len(self._free_since))):
            self._free_since.popleft()
        yield to_ms
        for _ in range(agents):
            self._released(to_ms)
        self._take_next(to_ms)

    def _released(self, now_ms: int) -> None:
        self.free += 1
        if self.free > 0:
            self._free_since.append(now_ms)

    def _call(self, at_ms: int, caller: str = "", issue: str = "") -> Process:
        traffic, line = self.traffic, self.line
        self._calls += 1
        story = Story(
            traffic,
            "call",
            f"{line.queue.upper()}-{self._calls:06}",
            queue=line.queue,
            channel="phone",
            caller=caller or f"caller-{traffic.random.randrange(4_000):04}",
            issue=issue or traffic.random.choice(ISSUES),
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
            back_ms = gone_ms + traffic.spread(15 * MINUTE_MS, 0.5)
            yield back_ms
            self.waiting.append(story)  # for an agent, while the customer does something else
            self._take_next(back_ms)
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
        agent = f"{self.line.queue}-{traffic.random.randrange(self.line.agents):02}"
        idle: dict[str, Any] = {"idle_ms": now_ms - self._free_since.popleft()} if self._free_since else {}
        now_ms += traffic.random.randrange(500, 4 * SECOND_MS)  # it rings
        yield now_ms
        story.tell("answered", now_ms, agent=agent, **idle)
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
        solved = traffic.chance(SOLVED_SHARE)
        if not solved and traffic.chance(PASSED_ON_SHARE):
            story.tell("transferred", now_ms, reason="second level")
        elif not solved and traffic.chance(AGAIN_SHARE):
            again_ms = now_ms + traffic.spread(HOUR_MS)
            who, issue = str(story.attributes["caller"]), str(story.attributes["issue"])
            traffic.start(self._call(again_ms, who, issue), again_ms)
        score = 5.0 if solved else 2.0
        story.tell(
            "ended", now_ms, talk_ms=talk_ms, hold_ms=hold_ms, wrap_up_ms=wrap_up_ms, resolved=solved, score=score
        )
        now_ms += wrap_up_ms
        yield now_ms
        self._released(now_ms)
        self._take_next(now_ms)
