"""A whole monitor is killed, frozen, stopped and restarted under load: alerts and figures are those of calm weather.

``python -m tests.chaos`` runs any number of rounds with other loads and other disturbances, the broker's among them.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.plans import random_plan
from tests.chaos.rounds import disturb, one_round
from tests.kafka.broker import KafkaBroker, UnavailableError, quick_broker
from tests.kafka.chaos import BROKER, Fleet, Step
from tests.kafka.monitor_job import MonitorJob
from tests.kafka.monitor_load import Load, agreement

pytestmark = pytest.mark.alone

SECONDS = 20.0
"""For so long new tickets come in; the last of them is due 24 s later."""
SESSION_S = 6.0
SEED = 26
"""Of a round in which three workers and the broker are killed, frozen and stopped."""

PLANS = {
    "killed, frozen and stopped": [
        Step(0, "start", 0), Step(0, "start", 1), Step(3, "start", 2),
        Step(9, "kill", 0), Step(13, "freeze", 1), Step(18, "term", 2), Step(22, "kill", 0), Step(23, "start", 2),
        Step(26, "thaw", 1), Step(34, "kill", 2),
    ],
    "alone, killed and frozen": [
        Step(0, "start", 0), Step(7, "kill", 0), Step(14, "freeze", 0), Step(25, "thaw", 0), Step(30, "kill", 0),
    ],
}  # fmt: skip


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


@pytest.fixture(scope="module")
def broker() -> Iterator[KafkaBroker]:
    """A broker to be disturbed: not the one that other tests use."""
    try:
        with quick_broker() as started:
            yield started
    except UnavailableError as reason:
        pytest.skip(str(reason))


async def test_a_round_of_chaos_is_exact_when_the_broker_is_killed_and_frozen_too(
    broker: KafkaBroker, tmp_path: Path
) -> None:
    assert {("kill", BROKER), ("freeze", BROKER)} <= {(step.action, step.target) for step in random_plan(SEED)}

    outcome = await one_round(SEED, broker.bootstrap, broker, tmp_path)

    assert outcome.events > 3_000
    assert outcome.alerts > 1_000
