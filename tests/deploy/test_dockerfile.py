"""The Dockerfile, as far as it can be judged without building it. (``pytest -m build`` builds it.)"""

from __future__ import annotations

import json
import re
import tomllib

from monitor.config.settings.web import WebSettings
from tests.deploy.stack import ROOT, parse

TEXT = (ROOT / "deploy" / "Dockerfile").read_text()
LINES = re.sub(r"^#.*\n", "", TEXT, flags=re.MULTILINE).replace("\\\n", " ").splitlines()


def instruction(word: str) -> str:
    """What the last instruction of this kind says."""
    return [line.partition(" ")[2].strip() for line in LINES if line.startswith(f"{word} ")][-1]


def arguments() -> dict[str, str]:
    """The build arguments with their defaults."""
    return dict(line.split(" ", 1)[1].split("=", 1) for line in LINES if line.startswith("ARG "))


def test_its_bases_are_pinned_and_may_be_others():
    assert arguments().keys() == {"BASE", "RUST", "NATIVE"}
    python = re.fullmatch(r"python:3\.13\.\d+-slim-(\w+)@sha256:[0-9a-f]{64}", arguments()["BASE"])
    rust = re.fullmatch(r"rust:(1\.\d+)\.\d+-slim-(\w+)@sha256:[0-9a-f]{64}", arguments()["RUST"])
    assert python is not None
    assert rust is not None
    assert python[1] == rust[2], "one C library: the wheel is linked with that of one and runs with that of the other"
    needed = tomllib.loads((ROOT / "monitor/native/Cargo.toml").read_text(encoding="utf-8"))["package"]["rust-version"]
    assert tuple(map(int, rust[1].split("."))) >= tuple(map(int, needed.split(".")))
    bases = {line.split()[1] for line in LINES if line.startswith("FROM")}
    assert bases == {"${BASE}", "${RUST}", "native-${NATIVE}"}
    assert LINES[max(number for number, line in enumerate(LINES) if line.startswith("FROM"))] == "FROM ${BASE}"


def test_the_native_package_is_built_by_its_lock_in_a_stage_of_its_own_or_left_out():
    stages = re.split(r"^FROM ", "\n".join(LINES), flags=re.MULTILINE)[1:]
    (built,) = [one for one in stages if one.startswith("${RUST} AS native-1\n")]
    (left_out,) = [one for one in stages if one.startswith("${BASE} AS native-0\n")]
    assert arguments()["NATIVE"] == "1"
    assert "maturin build --release --locked --out /wheels" in built
    assert "/wheels" in left_out
    last = stages[-1]
    assert "cargo" not in last
    assert re.findall(r"COPY (.*)", last) == ["--from=build /opt/sla-monitor /opt/sla-monitor"]


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
    assert {name for name in copied if not name.startswith("monitor/")} == let_through
    assert all((ROOT / name).exists() for name in copied)
    tools, packages, ours, native = re.findall(r"bin/pip install ([^&]*)", " ".join(LINES))
    assert "--require-hashes -r /tmp/requirements.txt" in tools, "every file by its hash"
    assert "--require-hashes -r requirements.txt" in packages
    assert "--no-deps --no-build-isolation" in ours, "nothing else is fetched, setuptools neither"
    assert "--no-deps --no-index" in native


def test_what_the_image_holds_is_named_in_the_project_file():
    """README and licence are read by the build: without them it fails."""
    project = (ROOT / "pyproject.toml").read_text()
    assert 'readme = "README.md"' in project
    assert 'license-files = ["LICENSE"]' in project
