"""What was capped or refused is told in the log, in one line a kind and minute however much it is."""

from __future__ import annotations

import asyncio
import itertools
import logging

import pytest

from monitor.stream.agents.capping import Capping, Places
from monitor.stream.agents.tally import Tally
from tests.stream.running import until


class Worker:
    """A worker's counts, and what was told of them."""

    def __init__(self, caplog: pytest.LogCaptureFixture) -> None:
        self.tally = Tally()
        self.places: Places = {}
        self.capping = Capping(self.tally, lambda: self.places, pace_s=0.001)
        self._caplog = caplog

    def told(self, now_s: float) -> list[str]:
        self._caplog.clear()
        self.capping.look(now_s)
        assert all(one.levelno == logging.WARNING for one in self._caplog.records)
        return [one.partition("since this worker started: ")[2] for one in self._caplog.messages]


@pytest.fixture
def worker(caplog: pytest.LogCaptureFixture) -> Worker:
    return Worker(caplog)


def test_nothing_is_told_of_a_worker_that_capped_nothing(worker: Worker) -> None:
    worker.places = {("desk", "resolution"): (1_000, 0)}

    assert worker.told(0) == []


def test_everything_that_was_capped_is_told_with_its_number(worker: Worker) -> None:
    worker.tally.dead_letters["tickets", "ledger_full"] = 999_000
    worker.places = {("desk", "resolution"): (1_000, 99_000), ("desk", "response"): (3, 0)}
    worker.tally.divided["calls"] = 40
    worker.tally.together["tickets"] = 7

    dead, series, panes, together = worker.told(0)

    assert dead.startswith("999,000 records of tickets are dead letters, ledger_full: the subject has as many events")
    assert series.startswith("99,000 series of desk/resolution are counted together as other, 1,000 are shown")
    assert panes.startswith("40 parts of panes of calls")
    assert together.startswith("7 late tickets events were told together")


def test_what_grows_is_told_again_after_a_minute_and_only_then(worker: Worker) -> None:
    worker.tally.dead_letters["tickets", "not_json"] = 1
    assert len(worker.told(100)) == 1

    worker.tally.dead_letters["tickets", "not_json"] = 1_000
    assert worker.told(159) == []
    (line,) = worker.told(160)
    assert line.startswith("1,000 records of tickets")
    assert worker.told(1_000) == []


def test_a_series_that_leaves_the_rest_and_comes_again_is_no_news(worker: Worker) -> None:
    minutes = itertools.count(0, 60)
    for in_rest, lines in ((5, 1), (4, 0), (5, 0), (6, 1)):
        worker.places = {("desk", "resolution"): (10, in_rest)}
        assert len(worker.told(next(minutes))) == lines


async def test_what_was_capped_last_is_told_when_the_worker_stops(
    worker: Worker, caplog: pytest.LogCaptureFixture
) -> None:
    running = asyncio.ensure_future(worker.capping.run())
    worker.tally.dead_letters["tickets", "ledger_full"] = 1
    await until(lambda: bool(caplog.messages))
    worker.tally.dead_letters["tickets", "ledger_full"] = 2

    running.cancel()
    await asyncio.gather(running, return_exceptions=True)

    first, last = caplog.messages
    assert "1 record of" in first
    assert "2 records" in last
