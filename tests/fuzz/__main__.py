"""Hostile records against a worker's processors: ``python -m tests.fuzz [--inputs N] [--seed S]``.

The exit code is 1 if a worker would have stopped or a good record was lost.

A dead letter ``internal_error`` is a fault of the program that was contained: each is listed with its place, and the
first one of a place with its record. What came of the long runs stands in ``tests/fuzz/RESULTS.md``.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import secrets
import sys
import traceback

from tests.fuzz.run import run


def main() -> int:
    """Run, and print what came of it."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--inputs", type=int, default=100_000, metavar="N")
    parser.add_argument("--seed", type=int, default=None, metavar="S", help="of an earlier run, to repeat it")
    asked = parser.parse_args()
    seed = secrets.randbelow(10**9) if asked.seed is None else asked.seed
    logging.disable(logging.CRITICAL)
    print(f"seed {seed}", flush=True)
    try:
        result = asyncio.run(run(asked.inputs, seed, lambda line: print(line, flush=True)))
    except BaseException:  # noqa: BLE001 - what would have stopped a worker is the finding
        traceback.print_exc()
        print(f"FAILED: repeat it with --inputs {asked.inputs} --seed {seed}")
        return 1
    print(f"{result.inputs:,} hostile records in {result.seconds:.0f} s: no worker stopped, no good record was lost")
    print("dead letters: " + ", ".join(f"{reason} {count:,}" for reason, count in result.reasons.most_common()))
    for place, count in result.faults.most_common():
        print(f"contained fault, {count} times: {place}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
