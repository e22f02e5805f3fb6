import pytest

from monitor.core.facts.events import Event
from monitor.replay.to_kafka import to_kafka
from tests.replay.desk import event

EVENTS = [
    event("ticket", "T2", "opened", "08:02"),
    event("ticket", "T1", "opened", "08:00"),
    event("ticket", "T1", "resolved", "08:10"),
]


class Line:
    """A producer that notes when it was handed what, on a clock that only sleeping moves."""

    def __init__(self) -> None:
        self.seconds = 100.0
        self.sent: list[tuple[float, str]] = []

    async def send(self, one: Event) -> None:
        self.sent.append((self.seconds, f"{one.subject_id}-{one.fact.type}"))

    def now(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        self.seconds += seconds


@pytest.mark.parametrize(("speed", "instants"), [(1.0, [100, 220, 700]), (60.0, [100, 102, 110]), (None, [100] * 3)])
async def test_events_are_sent_in_order_at_their_pace_or_faster(speed, instants):
    line = Line()

    sent = await to_kafka(EVENTS, line.send, speed=speed, now=line.now, sleep=line.sleep)

    assert sent == 3
    assert line.sent == list(zip(instants, ["T1-opened", "T2-opened", "T1-resolved"], strict=True))


async def test_the_end_is_told_and_nothing_is_nothing():
    line = Line()
    told: list[tuple[int, int]] = []

    await to_kafka(
        EVENTS, line.send, speed=None, now=line.now, sleep=line.sleep, on_progress=lambda *of: told.append(of)
    )
    none = await to_kafka([], line.send, now=line.now)

    assert told == [(3, 3)]
    assert none == 0


@pytest.mark.parametrize("speed", [0.0, -1.0, float("nan")])
async def test_a_speed_that_gets_nowhere_is_refused(speed):
    line = Line()

    with pytest.raises(ValueError, match="above 0"):
        await to_kafka(EVENTS, line.send, speed=speed, now=line.now)
