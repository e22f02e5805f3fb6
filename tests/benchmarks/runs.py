"""Figures of several runs of a benchmark: each run's, with the minimum, the median and the maximum.

Each run is a process of its own, so that none inherits the memory or the warmth of the one before it. A ratio is made
of figures of one run, by the benchmark; here ratios are compared like any other figure.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple

ROOT = Path(__file__).parents[2]


class Spread(NamedTuple):
    """One figure of several runs, in their order."""

    runs: tuple[float, ...]

    @property
    def minimum(self) -> float:
        return min(self.runs)

    @property
    def median(self) -> float:
        return float(median(self.runs))

    @property
    def maximum(self) -> float:
        return max(self.runs)


def spreads(runs: Sequence[Mapping[str, object]]) -> dict[str, Spread]:
    """Return each number of the runs' figures under its path, ``by_priority.per_s``; what a run lacks is left out."""
    found: dict[str, list[float]] = {}
    for figures in runs:
        for path, value in _numbers("", figures):
            found.setdefault(path, []).append(value)
    return {path: Spread(tuple(values)) for path, values in found.items()}


def _numbers(path: str, value: object) -> Iterator[tuple[str, float]]:
    if isinstance(value, Mapping):
        for name, part in value.items():
            yield from _numbers(f"{path}.{name}" if path else str(name), part)
    elif isinstance(value, list):
        for place, part in enumerate(value):
            yield from _numbers(f"{path}.{place}", part)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield path, float(value)


def table(found: Mapping[str, Spread]) -> str:
    """Return a line for each figure: minimum, median, maximum, and the figure of each run."""
    width = max([6, *map(len, found)])
    lines = [f"{'figure':{width}}{'minimum':>13}{'median':>13}{'maximum':>13}   runs"]
    for path, one in found.items():
        three = "".join(f"{number(value):>13}" for value in (one.minimum, one.median, one.maximum))
        lines.append(f"{path:{width}}{three}   {'  '.join(map(number, one.runs))}")
    return "\n".join(lines)


def number(value: float) -> str:
    """Return a number with at least three digits that count."""
    if value == int(value):
        return f"{value:,.0f}"
    size = abs(value)
    return f"{value:,.0f}" if size >= 1_000 else f"{value:.1f}" if size >= 100 else f"{value:.3g}"


def repeat(name: str, runs: int, arguments: Sequence[str], json_path: Path | None) -> None:
    """Run a benchmark several times, print what its runs have in common, and write it for machines if asked.

    Raises:
        SystemExit: a run failed; what the runs before it have shown is printed and written.
    """
    done: list[dict[str, object]] = []
    code = 0
    with tempfile.TemporaryDirectory(prefix="sla-monitor-benchmark-") as folder:
        for place in range(1, runs + 1):
            print(f"run {place} of {runs}", flush=True)
            file = Path(folder, f"{place}.json")
            command = [sys.executable, "-m", "tests.benchmarks", name, "--one-run", "--json", str(file), *arguments]
            code = subprocess.run(command, cwd=ROOT, check=False).returncode
            if file.exists():
                done.append(json.loads(file.read_text(encoding="utf-8")))
            if code:
                break
    found = spreads(done)
    if found:
        print(f"\n{table(found)}")
    if json_path:
        spread = {
            path: {"minimum": one.minimum, "median": one.median, "maximum": one.maximum} for path, one in found.items()
        }
        json_path.write_text(json.dumps({"runs": done, "spread": spread}, indent=2) + "\n", encoding="utf-8")
    if code:
        raise SystemExit(f"run {place} of {runs} failed")
