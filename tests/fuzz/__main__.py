"""Hostile records against a worker's processors: ``python -m tests.fuzz [--inputs N] [--seed S] [--native WAY]``.

``--native both`` has the same records folded by the native package and in Python: what is committed must be the same.
The exit code is 1 if a worker would have stopped, a good record was lost, or the two differ.

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

from tests.fuzz.run import Result, run


def tell(result: Result) -> None:
    """Print what came of a run."""
    print(f"{result.inputs:,} hostile records in {result.seconds:.0f} s: no worker stopped, no good record was lost")
    natively = [f"{count:,} facts of {topic}" for topic, count in sorted(result.native.items())]
    folded = ", ".join(natively) or "nothing"
    print(f"folded natively: {folded}; merged natively: {result.merged:,} panes")
    print("dead letters: " + ", ".join(f"{reason} {count:,}" for reason, count in result.reasons.most_common()))
    for place, count in result.faults.most_common():
        print(f"contained fault, {count} times: {place}")


def main() -> int:
    """Run, and print what came of it."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--inputs", type=int, default=100_000, metavar="N")
    parser.add_argument("--seed", type=int, default=None, metavar="S", help="of an earlier run, to repeat it")
    parser.add_argument(
        "--native", choices=["required", "off", "both"], help="how the worker folds; as installed if not told"
    )
    asked = parser.parse_args()
    seed = secrets.randbelow(10**9) if asked.seed is None else asked.seed
    logging.disable(logging.CRITICAL)
    print(f"seed {seed}", flush=True)
    results = []
    for native in ("required", "off") if asked.native == "both" else (asked.native,):
        try:
            results.append(asyncio.run(run(asked.inputs, seed, lambda line: print(line, flush=True), native=native)))
        except BaseException:  # noqa: BLE001 - what would have stopped a worker is the finding
            traceback.print_exc()
            print(f"FAILED: repeat it with --inputs {asked.inputs} --seed {seed} --native {native}")
            return 1
    for result in results:
        tell(result)
    if len({result.digests for result in results}) > 1:
        print(f"FAILED: what was committed differs: --inputs {asked.inputs} --seed {seed} --native both")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
