"""Workers are killed, frozen, stopped and started under load, while changelogs are compacted: each effect once.

What a whole monitor does then, and also in a rolling restart of static members: ``test_monitor_chaos.py``.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.kafka.chaos import Fleet, Step, run_chaos
from tests.kafka.counting import CountingJob

pytestmark = pytest.mark.alone

PLANS = {
    "one is killed, one joins and one leaves": [
        Step(0, "start", 0), Step(0, "start", 1), Step(5, "kill", 1), Step(9, "start", 2), Step(13, "term", 0),
    ],
    "one of two is frozen for longer than its session": [
        Step(0, "start", 0), Step(0, "start", 1), Step(6, "freeze", 0), Step(16, "thaw", 0),
    ],
}  # fmt: skip


@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS.keys())
async def test_every_effect_happens_once_when(plan: list[Step], kafka: str, tmp_path: Path) -> None:
    job = CountingJob(kafka, tmp_path)
    await job.create()
    fleet = Fleet(job.command, tmp_path)

    await run_chaos(
        fleet, plan, produce=lambda: job.produce(seconds=max(step.at_s for step in plan) + 4, rate=3000),
        settled=job.settled,
    )  # fmt: skip

    assert await job.check() > 10_000
    for worker in {step.target for step in plan}:
        log = fleet.log(worker)
        assert "Traceback" not in log, log[-4000:]
    if any(step.action == "freeze" for step in plan):
        assert "the process stood still" in fleet.log(0)
