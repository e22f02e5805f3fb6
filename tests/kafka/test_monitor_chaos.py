"""A whole monitor is killed, frozen, stopped and restarted under load: alerts and figures are those of calm weather.

``SLA_TEST_CHAOS_RUNS=10 pytest -m kafka -k chaos`` adds that many runs with other loads and other disturbances.
"""

from __future__ import annotations

import logging
import os
import random
import re
import time
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.kafka.chaos import Fleet, Step, run_chaos
from tests.kafka.monitor_job import MonitorJob, Topics
from tests.kafka.monitor_load import Load, agreement
from tests.kafka.monitor_oracle import Word, words

log = logging.getLogger(__name__)

SECONDS = 20.0
"""For so long new tickets come in; the last of them is due 24 s later."""
SESSION_S = 6.0
STOPS = ("another worker owns this partition by now", "or this process stood still")
"""Why a worker may stop: it was replaced while it was frozen, or frozen in mid-commit."""


def random_plan(seed: int) -> list[Step]:
    """Return disturbances of three workers, each on its own, until the last deadlines."""
    chance = random.Random(seed)
    plan = []
    for worker in range(3):
        at_s = chance.uniform(0, 4)
        plan.append(Step(at_s, "start", worker))
        at_s += chance.uniform(4, 9)
        while at_s < 38:
            match chance.choice(("kill", "freeze", "term")):
                case "kill":
                    plan.append(Step(at_s, "kill", worker))
                case "freeze":
                    plan.append(Step(at_s, "freeze", worker))
                    at_s += SESSION_S + chance.uniform(1.5, 6)
                    plan.append(Step(at_s, "thaw", worker))
                case "term":
                    plan.append(Step(at_s, "term", worker))
                    at_s += chance.uniform(2, 5)
                    plan.append(Step(at_s, "start", worker))
            at_s += chance.uniform(6, 14)
    return sorted(plan)


PLANS = {
    "killed, frozen and stopped": [
        Step(0, "start", 0), Step(0, "start", 1), Step(3, "start", 2),
        Step(9, "kill", 0), Step(13, "freeze", 1), Step(18, "term", 2), Step(22, "kill", 0), Step(23, "start", 2),
        Step(26, "thaw", 1), Step(34, "kill", 2),
    ],
    "alone, killed and frozen": [
        Step(0, "start", 0), Step(7, "kill", 0), Step(14, "freeze", 0), Step(25, "thaw", 0), Step(30, "kill", 0),
    ],
    **{f"seed {n}": random_plan(n) for n in range(1, 1 + int(os.environ.get("SLA_TEST_CHAOS_RUNS", "0")))},
}  # fmt: skip


class Outcome(NamedTuple):
    """What a run did."""

    events: int
    alerts: int
    stops: int
    """Workers that stopped by themselves."""


async def disturb(fleet: Fleet, job: MonitorJob, plan: list[Step], load: Load) -> Outcome:
    """Run workers under load while the plan is followed, and compare all that they wrote with what must be."""
    await job.create()
    health: dict[int, dict[str, Any]] = {}
    workers = len({step.worker for step in plan})
    async with job.topics() as topics:

        async def settled() -> bool:
            await topics.read()
            over_ms = max(word.at_ms for one in load.stories for word in words(one.subject, one.id, one.facts))
            if over_ms > time.time() * 1000 or job.lag(topics) or not topics.is_quiet():
                return False
            health.update(await job.health(fleet))
            return len(fleet.running()) == workers and all(one["ready"] for one in health.values())

        await run_chaos(
            fleet, plan, produce=lambda: load.produce(job.bootstrap, job.sources), settled=settled, timeout_s=180
        )
        alerts = check_output(job, topics, load)
    stops = check_workers(job, fleet, health)
    outcome = Outcome(load.sent, alerts, stops)
    log.info("%s; the load was at most %.1f s late; exits %s", outcome, load.behind_s, fleet.exits)
    return outcome


def check_output(job: MonitorJob, topics: Topics, load: Load) -> int:
    """Assert that all that was written is what must be; return the number of alerts."""
    alerts = job.alerts(topics)
    repeated = {one for one, times in Counter(alert.id for alert in alerts).items() if times > 1}
    assert not repeated, f"announced more than once: {[alert for alert in alerts if alert.id in repeated][:10]}"
    told = Counter(
        Word(alert.key.text(), alert.state, alert.reason, alert.at_ms)
        for alert in alerts
        if alert.key.kind != "objective"
    )
    wanted = Counter(word for story in load.stories for word in words(story.subject, story.id, story.facts))
    assert told == wanted, f"too many: {sorted(told - wanted)[:20]}\nlacking: {sorted(wanted - told)[:20]}"

    local = job.local(topics, int(time.time() * 1000))
    assert not job.rows_differ(topics, local)[:10]
    assert not job.panes_differ(topics, local)[:10]
    assert not job.status_differs(topics, local)[:10]
    assert not job.objectives_differ(topics)[:10]
    assert not job.dead_letters_differ(topics)[:10]
    return len(alerts)


def check_workers(job: MonitorJob, fleet: Fleet, health: dict[int, dict[str, Any]]) -> int:
    """Assert that each worker works and each partition has one owner, and that whoever stopped said why in one line."""
    assert all(one["alive"] and one["ready"] and one["open"] and not one["lag"] for one in health.values()), health
    owners = Counter(partition for one in health.values() for partition in one["open"])
    assert len(owners) == (len(job.sources) + 2) * job.partitions, owners  # and partials and alerts
    assert set(owners.values()) == {1}, owners
    stops = [line for worker in health for line in fleet.log(worker).splitlines() if "worker stops" in line]
    assert all(any(reason in line for reason in STOPS) for line in stops), stops
    for life in fleet.lives:
        # -15: stopped before it was up; -9: a plan may kill a worker that has said why it stops and has not ended yet
        told = {0: {0}, 1: {1}, -9: {0, 1}, -15: {0}}
        assert life.log.count("worker stops") in told.get(life.code, set()), life
    for worker in health:
        assert "Traceback" not in fleet.log(worker), fleet.log(worker)[-6000:]
    return len(stops)


@pytest.mark.parametrize(("number", "plan"), list(enumerate(PLANS.values())), ids=PLANS.keys())
async def test_alerts_and_figures_are_exact_when_workers_are(
    number: int, plan: list[Step], kafka: str, tmp_path: Path
) -> None:
    job = MonitorJob(kafka, tmp_path, [agreement(int(time.time() * 1000))], session_s=SESSION_S)
    load = Load(number, seconds=SECONDS, tickets=900, calls=150, outages=4)

    outcome = await disturb(Fleet(job.command, tmp_path), job, plan, load)

    assert outcome.events > 20_000
    assert outcome.alerts > 5_000


async def test_a_rolling_restart_of_static_members_moves_nothing_and_changes_nothing(
    kafka: str, tmp_path: Path
) -> None:
    job = MonitorJob(kafka, tmp_path, [agreement(int(time.time() * 1000))], session_s=20.0, static=True)
    load = Load(99, seconds=SECONDS, tickets=900, calls=150, outages=4)
    fleet = Fleet(job.command, tmp_path)
    plan = [
        Step(0, "start", 0), Step(0, "start", 1),
        Step(9, "term", 0), Step(11, "start", 0), Step(18, "term", 1), Step(20, "start", 1), Step(27, "kill", 0),
    ]  # fmt: skip

    outcome = await disturb(fleet, job, plan, load)

    assert outcome.stops == 0
    opened = [
        [re.findall(r"(\S+/\d+): \d+ rows restored", life) for life in re.split("worker of .* starts", fleet.log(one))]
        for one in (0, 1)
    ]
    _, _, restarted, killed = opened[0]
    _, _, other = opened[1]
    assert sorted(restarted) == sorted(killed), "who comes back has what it had"
    assert len(restarted + other) == len(set(restarted + other)) == 24, "each partition is opened once after a restart"
