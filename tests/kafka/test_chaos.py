"""Workers are killed, frozen, stopped and started under load, while changelogs are compacted: each effect once."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.kafka.chaos import Fleet, Step, run_chaos
from tests.kafka.counting import CountingJob

PLANS = {
    "one worker, killed in mid-batch": [
        Step(0, "start", 0), Step(6, "kill", 0), Step(10, "kill", 0),
    ],
    "a worker joins and one leaves": [
        Step(0, "start", 0), Step(0, "start", 1), Step(6, "start", 2), Step(11, "term", 0),
    ],
    "one of two is killed": [
        Step(0, "start", 0), Step(0, "start", 1), Step(7, "kill", 0),
    ],
    "one of two is frozen for longer than its session": [
        Step(0, "start", 0), Step(0, "start", 1), Step(6, "freeze", 0), Step(18, "thaw", 0),
    ],
    "the only worker is frozen for longer than its session": [
        Step(0, "start", 0), Step(6, "freeze", 0), Step(16, "thaw", 0),
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


async def test_a_rolling_restart_with_static_membership_moves_no_partition(kafka: str, tmp_path: Path) -> None:
    job = CountingJob(kafka, tmp_path, static=True, session_s=20.0)
    await job.create()
    fleet = Fleet(job.command, tmp_path)
    plan = [
        Step(0, "start", 0), Step(0, "start", 1),
        Step(8, "term", 0), Step(10, "start", 0),
        Step(16, "term", 1), Step(18, "start", 1),
    ]  # fmt: skip

    await run_chaos(fleet, plan, produce=lambda: job.produce(seconds=22, rate=3000), settled=job.settled)

    assert await job.check() > 10_000
    lives = [
        [
            re.findall(r"in/(\d+): \d+ rows restored", life)
            for life in re.split("worker of .* starts", fleet.log(worker))[1:]
        ]
        for worker in (0, 1)
    ]
    assert sorted(lives[0][1] + lives[1][1]) == ["0", "1", "2", "3"], "each partition was opened once after its restart"
    assert min(len(lives[0][0]), len(lives[1][0])) == 2, "the restart of one opens nothing at the other"


async def test_a_frozen_worker_that_was_replaced_says_so_in_one_line_and_is_restarted(
    kafka: str, tmp_path: Path
) -> None:
    job = CountingJob(kafka, tmp_path)
    await job.create()
    fleet = Fleet(job.command, tmp_path)
    plan = [Step(0, "start", 0), Step(0, "start", 1), Step(6, "freeze", 0), Step(18, "thaw", 0)]

    await run_chaos(fleet, plan, produce=lambda: job.produce(seconds=24, rate=3000), settled=job.settled)

    assert await job.check() > 10_000
    log = fleet.log(0)
    assert "the process stood still" in log
    for line in log.splitlines():
        assert "Traceback" not in line, log[-4000:]
