"""What breaks next is found among the rows that wake soon: nothing is missed, and events pay nothing for it."""

from __future__ import annotations

import asyncio

import pytest

from monitor.bootstrap import Monitor
from monitor.config.settings.settings import Settings
from monitor.core.pieces import at_once
from monitor.core.time.units import HOUR_MS, MINUTE_MS
from monitor.errors import StateError
from monitor.stream.agents.coming import Coming
from tests.core.stories import agreement, clock, ms
from tests.stream.flow import Flow
from tests.stream.running import until

START_MS = ms("Mon 09:00")
DESK = agreement(clock("resolution", {"P1": "4h", "P2": "30h"}))


def opened(name, at_ms, priority="P1"):
    return name, {"id": f"{name}-opened", "type": "opened", "time": at_ms, "priority": priority}


def resolved(name, at_ms):
    return name, {"id": f"{name}-resolved", "type": "resolved", "time": at_ms}


def looked(flow, now_ms):
    """What is due, by the values of the series."""
    found = at_once(Coming(lambda: [flow.state], lambda: now_ms).looking())
    return {series.values: list(instants) for (series, _), instants in found.items()}


@pytest.fixture
def desk():
    return Flow("tickets", "ticket", DESK)


async def test_the_due_instants_of_a_series_come_in_their_order(desk):
    await desk.send(
        opened("T-2", START_MS + MINUTE_MS), opened("T-1", START_MS), now_ms=START_MS + MINUTE_MS
    )  # fmt: skip

    assert looked(desk, START_MS + MINUTE_MS) == {("P1",): [START_MS + 4 * HOUR_MS, START_MS + 4 * HOUR_MS + MINUTE_MS]}


async def test_a_clock_that_has_stopped_or_is_past_due_is_not_to_come(desk):
    opening = [opened("T-1", START_MS), opened("T-2", START_MS), opened("T-3", START_MS + HOUR_MS)]
    await desk.send(*opening, now_ms=START_MS + HOUR_MS)
    await desk.send(resolved("T-1", START_MS + 2 * HOUR_MS), now_ms=START_MS + 2 * HOUR_MS)
    later_ms = START_MS + 4 * HOUR_MS + MINUTE_MS
    await desk.tick(later_ms)

    assert looked(desk, later_ms) == {("P1",): [START_MS + 5 * HOUR_MS]}


async def test_what_is_due_after_a_day_is_left_out_until_it_comes_near(desk):
    await desk.send(opened("T-1", START_MS, "P2"), now_ms=START_MS)
    assert looked(desk, START_MS) == {}

    await desk.tick(START_MS + 7 * HOUR_MS)
    assert looked(desk, START_MS + 7 * HOUR_MS) == {("P2",): [START_MS + 30 * HOUR_MS]}


async def test_a_worker_that_takes_over_knows_it_at_once(desk):
    await desk.send(opened("T-1", START_MS), now_ms=START_MS)
    before = looked(desk, START_MS)
    desk.restart()

    assert looked(desk, START_MS) == before != {}


async def test_what_is_not_committed_is_not_told(desk):
    await desk.send(opened("T-1", START_MS), now_ms=START_MS, take_back=True)

    assert looked(desk, START_MS) == {}


async def test_a_damaged_partition_hides_no_other(desk):
    class Damaged:
        def waking_until(self, until_ms, limit):  # noqa: ARG002 - as the real one
            raise StateError("a row has 3 bytes")
            yield

    await desk.send(opened("T-1", START_MS), now_ms=START_MS)
    found = at_once(Coming(lambda: [Damaged(), desk.state], lambda: START_MS).looking())

    assert [series.values for series, _ in found] == [("P1",)]


async def test_it_goes_on_looking_beside_the_worker(desk):
    coming = Coming(lambda: [desk.state], lambda: START_MS, pace_s=0.001)
    looking = asyncio.ensure_future(coming.run())
    await desk.send(opened("T-1", START_MS), now_ms=START_MS)
    await until(lambda: bool(coming.due))
    await desk.send(resolved("T-1", START_MS + MINUTE_MS), now_ms=START_MS + MINUTE_MS)
    await until(lambda: not coming.due)
    looking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await looking


async def test_a_partition_is_passed_over_while_it_catches_up(desk):
    monitor = Monitor(Settings())
    at = desk.state.topic, desk.state.partition
    monitor.pipeline.subjects[at] = desk.state
    stats = monitor.app.stats.partition(*at)

    stats.caught_up = False  # most of what looks due was met long ago, in what it has not read yet
    behind = monitor.caught_up_subjects()
    stats.caught_up = True

    assert (behind, monitor.caught_up_subjects()) == ([], [desk.state])
