"""The host's clock is set by an hour while a worker runs: what is told is true by what the clock says afterwards."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import pytest

from monitor.stream.partitions.clock import WallClock
from tests.e2e.installation import Installation, Worker, desk_agreement, eventually

HOUR_MS = 3_600_000
DESK = desk_agreement("""\
clocks:
  - {id: resolution, metric: resolution, targets: {P1: 4s, P2: 30m, "*": 2h}, by: [priority], windows: [day]}
objectives:
  - {id: in-time, of: resolution, indicator: compliance, target: 90 %, windows: [day]}
""")


class Host:
    """The clock of the host, as the monitor and its consumer read it. ``step_ms`` sets it."""

    def __init__(self) -> None:
        self.step_ms = 0

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000 + self.step_ms

    def module(self) -> Any:
        return SimpleNamespace(
            time_ns=lambda: self.now_ms() * 1_000_000, time=lambda: self.now_ms() / 1000, monotonic=time.monotonic
        )


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Host:
    made = Host()
    monkeypatch.setattr("monitor.stream.partitions.clock.time", made.module())
    monkeypatch.setattr("aiokafka.consumer.fetcher.time", made.module())
    return made


async def opened(installation: Installation, ticket: str, at_ms: int, priority: str) -> None:
    await installation.send(installation.event("ticket", ticket, "opened", at_ms, {"priority": priority}))


async def breached(installation: Installation) -> list[tuple[str, str, int]]:
    return [(one["what"], one["state"], one["at_ms"]) for one in await installation.told() if one["kind"] == "ticket"]


async def told(installation: Installation, count: int, within_s: float) -> list[tuple[str, str, int]]:
    async def enough() -> bool:
        return len(await breached(installation)) >= count

    await eventually(enough, within_s)
    return await breached(installation)


async def judged(worker: Worker, since_ms: int, host: Host) -> None:
    """Wait until the objectives have been judged by the new time."""

    async def is_judged() -> bool:
        return any(since_ms <= one.as_of_ms <= host.now_ms() for one in worker.monitor.pipeline.statuses())

    await eventually(is_judged, 15)


async def test_a_clock_that_is_set_forward_brings_what_is_due_by_then_at_once_and_nothing_else(
    installation: Installation, host: Host, caplog: pytest.LogCaptureFixture
) -> None:
    installation.clock = WallClock()
    await installation.publish(DESK)
    async with installation.worker() as worker:
        began_ms = host.now_ms()
        await opened(installation, "T-1", began_ms, "P2")  # due in 30 min
        await opened(installation, "T-2", began_ms, "P3")  # due in 2 h
        await worker.caught_up()
        host.step_ms = HOUR_MS

        found = await told(installation, 1, 10)

        assert found == [("T-1", "breached", began_ms + HOUR_MS // 2 + 1)]
        assert worker.monitor.app.stats.clock_steps == 1
        assert "the clock of this host was set by +3600.0 s" in caplog.text
        await judged(worker, began_ms + HOUR_MS, host)
        # and what is opened by the new time is due by it
        later_ms = host.now_ms()
        await opened(installation, "T-3", later_ms, "P1")
        assert (await told(installation, 2, 15))[1:] == [("T-3", "breached", later_ms + 4_001)]
        assert (await worker.metrics()).value("sla_clock_steps_total") == 1


async def test_a_clock_that_is_set_back_misses_no_deadline_and_takes_nothing_back(
    installation: Installation, host: Host
) -> None:
    installation.clock = WallClock()
    await installation.publish(DESK)
    async with installation.worker() as worker:
        began_ms = host.now_ms()
        await opened(installation, "T-1", began_ms, "P1")
        first = await told(installation, 1, 15)
        assert first == [("T-1", "breached", began_ms + 4_001)]
        host.step_ms = -HOUR_MS

        # when tickets come, one with the time of the others, one with that of this host
        now_ms = host.now_ms()
        await opened(installation, "T-2", now_ms, "P1")
        await opened(installation, "T-3", now_ms + HOUR_MS - 60_000, "P1")

        # then each is due by the clock as it is now: the first one in seconds, the other one not yet
        assert set(await told(installation, 2, 20)) == {*first, ("T-2", "breached", now_ms + 4_001)}
        assert worker.monitor.tally.dead_letters == {}
        assert worker.monitor.ready()[0]
        # and when the clock is set right, the other one's deadline is told
        host.step_ms = 0
        assert set(await told(installation, 3, 15)) == {
            *first, ("T-2", "breached", now_ms + 4_001), ("T-3", "breached", now_ms + HOUR_MS - 55_999),
        }  # fmt: skip
        assert worker.monitor.app.stats.clock_steps == 2
