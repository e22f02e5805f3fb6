"""The benchmarks that need a Kafka run to their end at tiny size, and check what the worker says."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.benchmarks.runs import ROOT

if TYPE_CHECKING:
    from pathlib import Path


def figures(kafka: str, file: Path, *arguments: str) -> dict[str, Any]:
    """Return the figures of one run."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks", *arguments, "--runs", "1", "--json", str(file)],
        cwd=ROOT, env={**os.environ, "SLA_TEST_BOOTSTRAP": kafka}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    (run,) = json.loads(file.read_text())["runs"]
    return run


@pytest.mark.alone  # beside others a tiny job is over before its first commit is seen
@pytest.mark.parametrize(("subject", "number"), [("calls", 6_000), ("outages", 8_000), ("leads", 4_000)])
def test_a_full_job_says_what_it_holds_of_each_subject(kafka: str, tmp_path: Path, subject: str, number: int) -> None:
    run = figures(kafka, tmp_path / "f.json", "full_job", "--subject", subject, "--number", str(number))

    assert run["by_default"]["to_plain"] == pytest.approx(
        run["by_default"]["per_s"] / run["by_default"]["plain_loop_per_s"]
    )
    assert (run["by_default"]["breaches"] > 0) == (subject == "leads")


@pytest.mark.parametrize(
    ("axis", "sizes"),
    [("subjects", (0, 300)), ("agreements", (1, 20)), ("series", (1, 20)), ("workers", (1, 2)), ("partitions", (1, 3))],
)
def test_growth_measures_all_events_at_each_size(kafka: str, tmp_path: Path, axis: str, sizes: tuple[int, int]) -> None:
    asked = ["growth", "--axis", axis, "--tickets", "200", "--sizes", *map(str, sizes)]

    run = figures(kafka, tmp_path / "f.json", *asked)

    assert [run[f"{axis} {size}"]["events"] for size in sizes] == [400, 400]
    assert run[f"{axis} {sizes[0]}"]["cpu_to_first"] == 1
    assert run[f"{axis} {sizes[1]}"]["cpu_us"] > 0


def test_a_killed_worker_is_ready_again_with_all_its_rows_and_sooner_with_an_instance_id(
    kafka: str, tmp_path: Path
) -> None:
    run = figures(kafka, tmp_path / "f.json", "recovery", "--tickets", "300")

    assert run["with_instance_id"]["rows"] >= 300
    assert 0 < run["with_instance_id"]["ready_s"] < run["without"]["ready_s"]


def test_peers_are_compared_on_the_same_job_and_each_is_checked(kafka: str, tmp_path: Path) -> None:
    run = figures(kafka, tmp_path / "f.json", "peers", "--only", "sla-monitor", "stock-faust", "--tickets", "1500")

    assert {name: run[name]["wrong"] for name in ("sla-monitor", "stock-faust")} == {
        "sla-monitor": [],
        "stock-faust": [],
    }
    assert run["sla-monitor"]["breaches"] > run["stock-faust"]["breaches"] > 0
    assert run["sla-monitor"]["to_plain"] == pytest.approx(run["sla-monitor"]["per_s"] / run["plain-loop"]["per_s"])


@pytest.mark.skipif(shutil.which("mvn") is None, reason="there is no mvn to build it with")
def test_kafka_streams_does_the_job_of_the_peers(kafka: str, tmp_path: Path) -> None:
    names = ["kafka-streams-dsl", "kafka-streams-processor"]

    run = figures(kafka, tmp_path / "f.json", "peers", "--only", *names, "--tickets", "1500")

    if reason := run[names[0]].get("skipped"):
        pytest.skip(reason)
    assert [run[name]["wrong"] for name in names] == [[], []]
    assert all(run[name]["breaches"] > 0 for name in names)
