"""A backlog of days: who works it off, in whichever portions, states what a worker from the start has stated."""

import gc
from datetime import UTC, datetime

import pytest

from monitor.core.facts.events import Event, Fact
from monitor.replay.local import run_replay
from monitor.stream.kafka.pace import HOLD_S
from monitor.wire.announcements import decode_statement
from tests.replay.desk import book, ms
from tests.stream.flow import Flow

HOUR_MS = 3_600_000
BEGAN_MS = ms("2024-03-01T00:00:00")
PHONES = """
agreement: phones
calls:
  - {id: line, answer_within: 20s, windows: [tumbling-15m, tumbling-1h, 1h, day]}
"""
BOOK = book(PHONES)


def calls(hours):
    """Calls every five minutes, each answered after ten seconds and ended soon: ``(instant, call, type)``."""
    found = []
    for number in range(hours * 12):
        at_ms = BEGAN_MS + number * 300_000
        found += [(at_ms, number, "queued"), (at_ms + 10_000, number, "answered"), (at_ms + 90_000, number, "ended")]
    return sorted(found)


def counted(statements):
    """The calls of each stated period; none is stated twice."""
    found = {}
    for one in statements:
        level = next(figure for figure in one.figures if figure.indicator == "SL1")
        assert (one.window, one.from_ms) not in found
        found[one.window, one.from_ms] = level.numerator, level.denominator
    return found


def replayed(history, until_ms):
    events = [
        Event("call", f"C{number}", Fact(at_ms, 0, f"C{number}-{kind}", kind, {})) for at_ms, number, kind in history
    ]
    return counted(run_replay(events, BOOK, until_ms=until_ms).statements)


class Worker(Flow):
    """A worker with one partition of calls, and all that it has stated."""

    def __init__(self):
        super().__init__("calls", "call", *BOOK.agreements)
        self.stated = []

    async def take(self, history, now_ms, *, caught_up=True):
        await self.send(*(
            (f"C{number}", {
                "id": f"C{number}-{kind}", "type": kind, "time": datetime.fromtimestamp(at_ms / 1_000, UTC).isoformat(),
            })
            for at_ms, number, kind in history
        ), now_ms=now_ms, caught_up=caught_up)  # fmt: skip
        await self.tick(now_ms, caught_up=caught_up)

    async def look(self, now_ms):
        await super().look(now_ms)
        written = self.partials._writer.committed.pop(("statements", 0), [])
        self.stated += [decode_statement(value) for _, value, _ in written]


@pytest.mark.parametrize("looks", [True, False])
@pytest.mark.parametrize(("hours", "portion"), [(60, 300), (120, 100_000)])
async def test_a_first_start_through_a_long_backlog_states_all_of_it(hours, portion, looks):
    history, now_ms = calls(hours), BEGAN_MS + (hours + 1) * HOUR_MS
    worker = Worker()
    for start in range(0, len(history), portion):
        await worker.take(history[start : start + portion], now_ms, caught_up=start + portion >= len(history))
        if looks:
            await worker.look(now_ms)
    await worker.tick(now_ms)
    await worker.look(now_ms)

    stated = counted(worker.stated)
    quarters = {from_ms: counts for (window, from_ms), counts in stated.items() if window == "tumbling-15m"}
    assert stated == replayed(history, now_ms)
    assert len(quarters) == hours * 4 + 3
    assert {calls for _, calls in quarters.values()} == {0, 3}


async def test_a_worker_that_was_down_for_days_states_what_one_that_was_not_has_stated():
    history, now_ms = calls(80), BEGAN_MS + 81 * HOUR_MS
    steady, stopped = Worker(), Worker()
    for hour in range(81):
        part = [one for one in history if hour * HOUR_MS <= one[0] - BEGAN_MS < (hour + 1) * HOUR_MS]
        at_ms = BEGAN_MS + (hour + 1) * HOUR_MS
        await steady.take(part, at_ms)
        await steady.look(at_ms)
        if hour < 8:
            await stopped.take(part, at_ms)
            await stopped.look(at_ms)
    stopped.restart()
    await stopped.take([one for one in history if one[0] >= BEGAN_MS + 8 * HOUR_MS], now_ms)
    await stopped.look(now_ms)

    assert counted(stopped.stated) == counted(steady.stated) == replayed(history, now_ms)


async def test_no_step_of_a_backlog_that_is_stated_late_holds_the_others():
    history, now_ms = calls(240), BEGAN_MS + 241 * HOUR_MS
    worker = Worker()
    await worker.take(history, now_ms)
    worker.held.clear()
    worker.seconds.clear()
    gc.collect()
    gc.disable()  # a collection of all that the test suite holds would be a step's
    try:
        await worker.look(now_ms)
    finally:
        gc.enable()

    assert len(worker.stated) > 1_200
    # Beyond its turn: of the work itself, as processors differ. A step closes a few of the thousand periods.
    assert worker.held["look"] - HOLD_S < worker.seconds["look"] / 10
