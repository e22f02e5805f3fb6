"""What the deployment's README says can be typed."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import orjson
import pytest

from monitor.config.settings.settings import catalogue
from monitor.metrics.catalogue import CATALOGUE
from tests.cli.conftest import Run, folder, kafka, lines, own_environment, run
from tests.deploy.stack import FILE, ROOT, parse

__all__ = ["folder", "kafka", "own_environment", "run"]

README = ROOT / "deploy" / "README.md"
TEXT = README.read_text(encoding="utf-8")
BLOCKS = [
    line for block in re.findall(r"^```sh\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE) for line in block.splitlines()
]
IN_TEXT = re.findall(r"`(sla-monitor [^`]+)`", TEXT)


def commands() -> list[str]:
    """All commands of ours, as the shell would cut them."""
    typed = [part for line in [*BLOCKS, *IN_TEXT] for part in re.split(r"\s+(?:\||&&)\s+|\s+#", line)]
    return sorted({one for one in typed if one.startswith("sla-monitor ") and "…" not in one})


@pytest.mark.parametrize("command", commands())
def test_every_command_is_one(command: str):
    arguments = shlex.split(command)[1:]
    if arguments[0] == "replay":  # its files are the reader's
        arguments = [one.replace("EXPORT.csv", __file__).replace("MAPPING.yaml", __file__) for one in arguments]
    if arguments in (["check"], ["agreements", "apply"]):
        return  # named in a sentence, without their files
    parse(arguments)


def test_most_commands_were_found():
    assert len(commands()) >= 9
    assert any(line.startswith("python -m tests.benchmarks full_job") for line in BLOCKS)


def test_the_benchmarks_that_it_names_exist():
    listed = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks", "-h"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    named = {line.split()[3] for line in BLOCKS if line.startswith("python -m tests.benchmarks")}
    assert named
    assert all(re.search(rf"^  {name} ", listed, re.MULTILINE) for name in named)


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(((?!http)[^)#]+)\)", TEXT))))
def test_every_link_leads_somewhere(link: str):
    assert (README.parent / link).exists()


@pytest.mark.parametrize("path", sorted(set(re.findall(r"(?<![\w/])deploy/[\w@./-]*\w", "\n".join(BLOCKS)))))
def test_every_file_that_a_command_uses_is_there(path: str):
    assert (ROOT / path).exists()


def test_every_metric_that_it_names_is_in_the_catalogue():
    named = set(re.findall(r"`(?:absent\()?(sla_[a-z_]+)", TEXT))
    assert len(named) > 6
    assert {re.sub(r"_(bucket|count|sum)$", "", name) for name in named} <= set(CATALOGUE)


BOUNDS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in TEXT[TEXT.index("| bound | setting |") :].split("\n\n")[0].splitlines()[2:]
]


@pytest.mark.parametrize("row", BOUNDS, ids=[row[0][:40] for row in BOUNDS])
def test_a_bound_has_a_setting_or_a_reason_a_counter_and_a_rule(row: list[str]):
    _, setting, beyond, counter, rule = row
    settings = {one.name for one in catalogue()}
    if not setting.startswith("fixed"):
        assert set(re.findall(r"`([^`]+)`", setting)) <= settings, setting
    assert beyond
    if rule != "–":
        assert set(re.findall(r"`([^`]+)`", counter)) <= set(CATALOGUE)
        text = "".join(path.read_text() for path in (ROOT / "deploy" / "prometheus" / "rules").iterdir())
        (alert,) = re.findall(rf"- alert: {rule.strip('`')}\n((?:(?!- alert:).*\n)*)", text)
        assert counter.strip("`") in alert or alert.count("sla_deliveries_")


def test_all_bounds_were_found():
    assert len(BOUNDS) >= 14


def test_the_ports_that_it_names_are_those_of_the_compose_file():
    named = set(re.findall(r"`([A-Z0-9_]+_PORT)`", TEXT))
    assert named == set(re.findall(r"\$\{([A-Z0-9_]+_PORT):-", FILE.read_text()))


@pytest.mark.usefixtures("kafka")
def test_published_agreements_can_be_read_back_and_applied_elsewhere(run: Run, tmp_path: Path):
    # given the examples, published
    assert run("agreements", "apply", ROOT / "deploy" / "agreements", "--yes").exit_code == 0
    published = lines(run("agreements", "list", "--json"))

    # when each document becomes a file of one line, as jq and split make them
    for number, one in enumerate(published):
        (tmp_path / f"agreement-{number}.yaml").write_bytes(orjson.dumps(one["document"]) + b"\n")

    # then they are the same agreements: nothing is left to publish
    assert "nothing to do" in run("agreements", "apply", tmp_path, "--yes").stdout
    assert len(published) == 8
