"""The Dockerfile, as far as it can be judged without building it. (``pytest -m build`` builds it.)"""

from __future__ import annotations

import json
import re

from monitor.config.settings.web import WebSettings
from tests.deploy.stack import ROOT, parse

TEXT = (ROOT / "deploy" / "Dockerfile").read_text()
LINES = re.sub(r"^#.*\n", "", TEXT, flags=re.MULTILINE).replace("\\\n", " ").splitlines()


def instruction(word: str) -> str:
    """What the last instruction of this kind says."""
    return [line.partition(" ")[2].strip() for line in LINES if line.startswith(f"{word} ")][-1]


def test_its_base_is_pinned_and_may_be_another():
    assert re.fullmatch(r"BASE=python:3\.13\.\d+-slim-\w+@sha256:[0-9a-f]{64}", instruction("ARG"))
    assert {line for line in LINES if line.startswith("FROM")} == {"FROM ${BASE} AS build", "FROM ${BASE}"}


def test_what_it_runs_is_in_exec_form_and_of_ours():
    entry, command = json.loads(instruction("ENTRYPOINT")), json.loads(instruction("CMD"))
    assert entry == ["sla-monitor"]
    parse(command)
    check = json.loads(instruction("HEALTHCHECK").partition("CMD ")[2])
    assert check[0] == "sla-monitor"
    parse(check[1:])


def test_it_runs_as_a_number_that_is_not_root_and_stops_as_a_worker_stops():
    user, group = map(int, instruction("USER").split(":"))
    assert user > 0
    assert group > 0
    assert instruction("STOPSIGNAL") == "SIGTERM"
    assert int(instruction("EXPOSE")) == WebSettings().port


def test_every_file_that_it_copies_is_let_through_and_the_packages_are_pinned():
    let_through = {
        line.removeprefix("!") for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")
    }
    copied = {
        source.removeprefix("./")
        for line in LINES
        if line.startswith("COPY ") and "--from" not in line
        for source in line.split()[1:-1]
    }
    assert copied == let_through
    assert all((ROOT / name).exists() for name in copied)
    installs = re.findall(r"bin/pip install ([^&]*)", " ".join(LINES))
    assert len(installs) == 2
    assert "--require-hashes -r requirements.txt" in installs[0], "every file by its hash"
    assert "--no-deps --no-build-isolation" in installs[1], "nothing else is fetched, setuptools neither"


def test_what_the_image_holds_is_named_in_the_project_file():
    """README and licence are read by the build: without them it fails."""
    project = (ROOT / "pyproject.toml").read_text()
    assert 'readme = "README.md"' in project
    assert 'license-files = ["LICENSE"]' in project
