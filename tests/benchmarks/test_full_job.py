"""Which interpreters full_job takes, and what its jobs are."""

from __future__ import annotations

import subprocess
import sys
import venv
from typing import TYPE_CHECKING

import orjson
import pytest

from tests.benchmarks.full_job import cases, version_of
from tests.benchmarks.kinds import KINDS
from tests.benchmarks.runs import ROOT

if TYPE_CHECKING:
    from pathlib import Path


def test_an_interpreter_without_the_packages_is_refused_and_the_message_names_what_to_install(tmp_path: Path):
    venv.create(tmp_path, symlinks=True)
    bare = str(tmp_path / "bin" / "python")

    with pytest.raises(SystemExit, match=r"cannot run .*ModuleNotFoundError: .*install requirements-test\.txt"):
        version_of(bare)


def test_an_interpreter_that_is_none_is_refused(tmp_path: Path):
    with pytest.raises(SystemExit, match="No such file"):
        version_of(str(tmp_path / "python"))


def test_this_interpreter_can_run_the_worker():
    assert version_of(sys.executable) == " ".join(sys.version.split())


@pytest.mark.parametrize("subject", ["tickets", *KINDS])
def test_a_job_is_in_the_order_of_its_times_and_each_event_has_an_id_of_its_own(subject: str):
    for work in cases(subject, 500).values():
        events = [orjson.loads(value) for _, value in work.records]
        times = [event["time"] for event in events]

        assert times == sorted(times)
        assert len({event["id"] for event in events}) == len(events) >= 1_000
        assert [key.decode() for key, _ in work.records] == [event[subject.removesuffix("s")] for event in events]


def test_the_plain_loop_loads_nothing_of_the_monitor():
    told = subprocess.run(
        [sys.executable, "-c", "import sys, tests.benchmarks.plain_loop; print(*sys.modules)"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip

    assert "aiokafka" in told.split()
    assert not {"monitor.bootstrap", "faust", "pydantic"} & set(told.split())
