"""Plans of chaos: repeatable, and such that a round can end."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.chaos.plans import random_plan
from tests.kafka.chaos import BROKER, Step

SEEDS = range(1, 301)


def last(plan: list[Step], target: int | str) -> Step:
    return [step for step in plan if step.target == target][-1]


def test_a_seed_is_a_plan():
    assert random_plan(7) == random_plan(7)
    assert len({tuple(random_plan(seed)) for seed in SEEDS}) == len(SEEDS)


def test_all_kinds_of_faults_come_and_freezes_are_longer_and_shorter_than_the_session():
    found = Counter((step.action, step.target == BROKER) for seed in SEEDS for step in random_plan(seed))
    assert {action for action, _ in found} == {"start", "kill", "term", "freeze", "thaw"}
    assert all(found[action, True] > 50 for action in ("kill", "start", "freeze", "thaw"))
    assert all(found[action, False] > 200 for action in ("kill", "term", "freeze"))


@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_frozen_is_thawed_a_broker_comes_back_and_a_worker_is_left(seed: int):
    plan = random_plan(seed)
    assert plan == sorted(plan, key=lambda step: step.at_s)
    workers = {step.target for step in plan} - {BROKER}
    assert 1 <= len(workers) <= 3
    assert all(last(plan, worker).action != "freeze" for worker in workers)
    assert any(last(plan, worker).action != "term" for worker in workers)
    if any(step.target == BROKER for step in plan):
        assert last(plan, BROKER).action in ("start", "thaw")
