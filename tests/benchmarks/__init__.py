"""Measurements, one module each: ``python -m tests.benchmarks NAME [--json FILE]``.

A benchmark is a module of this folder with ``main(json_path: Path | None) -> None``; the first line of its docstring
says what it measures.
"""

from __future__ import annotations

import json
from time import perf_counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def seconds_per_call(batch: Callable[[], object], calls: int, rounds: int = 7) -> float:
    """Return the seconds of one call, where ``batch`` makes ``calls`` of them: the best of some rounds.

    The best round is the one that the machine's other work disturbed least.
    """
    best = float("inf")
    for _ in range(rounds):
        start = perf_counter()
        batch()
        best = min(best, perf_counter() - start)
    return best / calls


def write_json(figures: dict[str, object], path: Path | None) -> None:
    """Write the figures for machines, if a file was asked for."""
    if path:
        path.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
