"""A benchmark's runs: each figure of each run, with the minimum, the median and the maximum."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.benchmarks.runs import ROOT, Spread, number, spreads, table

if TYPE_CHECKING:
    from pathlib import Path


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.benchmarks", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )


def test_each_number_is_found_under_its_path_and_texts_and_truths_are_no_numbers():
    first = {"by_customer": {"per_s": 10.0, "delays": [3, 4]}, "subject": "tickets", "is_stopped": True}
    second = {"by_customer": {"per_s": 30.0, "delays": [5]}}

    assert spreads([first, second]) == {
        "by_customer.per_s": Spread((10.0, 30.0)),
        "by_customer.delays.0": Spread((3.0, 5.0)),
        "by_customer.delays.1": Spread((4.0,)),
    }


def test_a_spread_knows_its_minimum_median_and_maximum():
    one = Spread((5.0, 1.0, 2.0))

    assert (one.minimum, one.median, one.maximum) == (1.0, 2.0, 5.0)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (0.11271, "0.113"), (39_137.4, "39,137"), (12.0, "12"), (123.4, "123.4"), (1_234_567.0, "1,234,567")],
)
def test_numbers_have_three_digits_that_count(value: float, text: str):
    assert number(value) == text


def test_a_table_shows_the_figure_of_each_run_in_their_order():
    _, line = table({"per_s": Spread((5.0, 1.0, 2.0))}).splitlines()

    assert line.split() == ["per_s", "1", "2", "5", "5", "1", "2"]


def test_a_benchmark_is_run_as_often_as_asked_and_its_file_holds_each_run_and_the_spread(tmp_path: Path):
    file = tmp_path / "figures.json"

    # when a benchmark runs twice at tiny size
    done = run("scrape", "--runs", "2", "--json", str(file), "--series", "3", "5", "--times", "2")

    # then its output has both runs and the table, and the file says the same
    assert done.returncode == 0, done.stderr
    assert "run 2 of 2" in done.stdout
    written = json.loads(file.read_text())
    bytes_of_runs = [one["3 series"]["page_bytes"] for one in written["runs"]]
    assert len(bytes_of_runs) == 2
    assert written["spread"]["3 series.page_bytes"]["maximum"] == max(bytes_of_runs) > 0
    assert max(bytes_of_runs) < written["spread"]["5 series.page_bytes"]["minimum"]


def test_a_run_that_fails_ends_the_benchmark_with_its_number():
    done = run("scrape", "--runs", "2", "--series", "0", "--times", "0")

    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "run 1 of 2 failed"
    assert "run 2 of 2" not in done.stdout
