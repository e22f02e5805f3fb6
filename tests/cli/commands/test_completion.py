"""``completion``: shells complete commands and options."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

from tests.cli.conftest import Run


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_has_a_script_that_it_can_read(run: Run, shell: str):
    script = run("completion", shell).stdout
    assert "_SLA_MONITOR_COMPLETE" in script
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    read = subprocess.run([shell, "-n"], input=script, text=True, capture_output=True, timeout=10, check=False)
    assert (read.returncode, read.stderr) == (0, "")


@pytest.mark.parametrize(
    ("words", "expected"),
    [("sla-monitor dead", {"dead-letters"}), ("sla-monitor topics ", {"accept-loss", "acls", "check", "create"}),
     ("sla-monitor tail alerts --fr", {"--from-start"}),
     ("sla-monitor tail ", {"alerts", "status", "statements", "reports"})],
)  # fmt: skip
def test_what_the_script_asks_for_is_answered(words: str, expected: set[str]):
    given = {"_SLA_MONITOR_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
    answer = subprocess.run(
        [sys.executable, "-m", "monitor"], env={**os.environ, **given}, text=True, capture_output=True, timeout=30,
        check=False,
    )  # fmt: skip
    assert {line.partition(",")[2] for line in answer.stdout.splitlines()} == expected, answer.stderr
