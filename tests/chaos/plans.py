"""Plans of a round of chaos, made from a seed: which worker, or the broker, is disturbed when, and how."""

from __future__ import annotations

import random
from collections.abc import Iterator

from tests.kafka.chaos import BROKER, Step

SESSION_S = 3.0
"""The session of the workers in a round: who is silent for longer loses its partitions."""
FAULTS_FROM_S = 2.0
"""A worker takes so long to start."""
FAULTS_UNTIL_S = 8.0


def random_plan(seed: int) -> list[Step]:
    """Return the steps of a round, in the order of their times. The same seed gives the same plan.

    Up to three workers start, each is disturbed on its own several times, and in most rounds the broker is disturbed
    too. At least one worker runs at the end.
    """
    chance = random.Random(seed)
    workers = chance.choices((1, 2, 3), (20, 35, 45))[0]
    steps: list[Step] = []
    for worker in range(workers):
        at_s = chance.uniform(0, 0.5) if worker == 0 else chance.uniform(0, 4)
        steps += [Step(at_s, "start", worker), *_worker_faults(chance, worker, at_s + FAULTS_FROM_S)]
    if workers > 1 and chance.random() < 0.2:  # one leaves for good
        steps.append(Step(FAULTS_UNTIL_S + 1, "term", chance.randrange(workers)))
    steps += _broker_faults(chance, chance.choices((0, 1, 2), (25, 50, 25))[0])
    return sorted(steps, key=lambda step: step.at_s)


def _worker_faults(chance: random.Random, worker: int, at_s: float) -> Iterator[Step]:
    at_s += chance.uniform(0, 2)
    while at_s < FAULTS_UNTIL_S:
        match chance.choice(("kill", "long freeze", "short freeze", "term")):
            case "kill":
                yield Step(at_s, "kill", worker)
                at_s += chance.uniform(1, 3)  # it is sometimes killed while it starts again
            case "term":
                yield Step(at_s, "term", worker)
                at_s += chance.uniform(0.2, 2)
                yield Step(at_s, "start", worker)
                at_s += chance.uniform(1, 3)
            case freeze:
                yield Step(at_s, "freeze", worker)
                at_s += SESSION_S + chance.uniform(0.7, 2) if freeze == "long freeze" else chance.uniform(0.2, 2)
                yield Step(at_s, "thaw", worker)
        at_s += chance.uniform(0.3, 3)


def _broker_faults(chance: random.Random, faults: int) -> Iterator[Step]:
    at_s = chance.uniform(2.5, 5)
    for _ in range(faults):
        undo = chance.choice(("start", "thaw"))
        yield Step(at_s, "kill" if undo == "start" else "freeze", BROKER)
        at_s += chance.uniform(0.1, 2) if undo == "start" else chance.uniform(0.3, 3.5)
        yield Step(at_s, undo, BROKER)
        at_s += chance.uniform(3, 5)  # it needs two seconds to start
