"""Rounds of chaos on a real Kafka: ``python -m tests.chaos [--rounds N] [--seed S]``.

Each round starts workers and a load, disturbs workers and the broker by a plan made from the round's seed, and then
compares all that was written with what an independent oracle says. Rounds have the seeds S, S + 1 and so on. The exit
code is 1 if a round failed; it says how to run that round again, and where its logs are.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.chaos.plans import random_plan
from tests.chaos.rounds import one_round
from tests.kafka.broker import KafkaBroker, UnavailableError, quick_broker

ROUNDS_A_BROKER = 5
"""A killed broker opens the logs of all topics before it answers: after so many rounds a new, empty one takes over."""


@contextmanager
def broker_of(round_number: int, brokers: list[KafkaBroker]) -> Iterator[KafkaBroker]:
    """Lend the broker of a round; ``brokers`` holds the one that runs."""
    if round_number % ROUNDS_A_BROKER == 0:
        stop(brokers)
    if not brokers:
        brokers.append(quick_broker().__enter__())
    try:
        yield brokers[0]
    except BaseException:
        stop(brokers)  # whatever it is in: the next round gets a new one
        raise


def stop(brokers: list[KafkaBroker]) -> None:
    while brokers:
        brokers.pop().__exit__()


def run(rounds: int, seed: int) -> list[int]:
    """Run the rounds, print a line or two of each, and return the seeds of those that failed."""
    failed: list[int] = []
    brokers: list[KafkaBroker] = []
    faults = 0
    began = time.monotonic()
    try:
        for number in range(rounds):
            each = seed + number
            plan = random_plan(each)
            faults += sum(step.action != "start" for step in plan)
            print(f"round {number + 1}/{rounds}  seed {each}  plan: {', '.join(map(str, plan))}", flush=True)
            started = time.monotonic()
            folder = Path(tempfile.mkdtemp(prefix=f"sla-monitor-chaos-{each}-"))
            try:
                with broker_of(number, brokers) as broker:
                    outcome = asyncio.run(one_round(each, broker.bootstrap, broker, folder))
            except UnavailableError:
                raise
            except Exception as error:  # noqa: BLE001 - whatever it is: the round failed, the others are run
                failed.append(each)
                print(f"  FAILED after {time.monotonic() - started:.1f} s: {type(error).__name__}: {error}")
                print(f"  logs: {folder}; once more: python -m tests.chaos --rounds 1 --seed {each}", flush=True)
            else:
                shutil.rmtree(folder)
                print(f"  exact: {outcome}, {time.monotonic() - started:.1f} s", flush=True)
    finally:
        stop(brokers)
    spent_s = time.monotonic() - began
    print(f"{rounds - len(failed)} of {rounds} rounds exact, {faults} faults, {spent_s:.0f} s")
    if failed:
        print(f"failed: {', '.join(f'--seed {each}' for each in failed)}")
    return failed


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.chaos",
        description="Disturb workers and their broker under load, and check that nothing is lost or told twice.",
    )
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="how many (default: 5)")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="seed of the first round (default: 1)")
    asked = parser.parse_args()
    # That clients try again while the broker is down is what this program makes them do.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    try:
        return 1 if run(asked.rounds, asked.seed) else 0
    except UnavailableError as reason:
        print(reason, file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
