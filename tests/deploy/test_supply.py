"""The supply chain: the lock agrees with the project and with what is installed, the bill of materials with the lock.

What makes them stands in deploy/supply: lock.sh, sbom.py, audit.py, digests.sh.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import requires, version
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.deploy.stack import ROOT

SUPPLY = ROOT / "deploy" / "supply"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
BOM = json.loads((SUPPLY / "sbom.cdx.json").read_text(encoding="utf-8"))
LINUX = {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix"}


class Locked(NamedTuple):
    version: str
    extras: frozenset[str]
    marker: str
    hashes: frozenset[str]


def lock(name: str) -> dict[str, Locked]:
    """Read a lock: each package's version, where it is wanted, and the hashes of its files."""
    text = re.sub(r"\s*\\\n\s*", " ", (ROOT / name).read_text(encoding="utf-8"))
    found = {}
    for line in text.splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        wanted, *hashes = line.split(" --hash=")
        requirement = Requirement(wanted)
        (specifier,) = requirement.specifier
        assert specifier.operator == "==", line
        name_of = canonicalize_name(requirement.name)
        if name_of in found and requirement.marker is not None and not requirement.marker.evaluate():
            continue  # another Python's version of it
        found[name_of] = Locked(
            specifier.version,
            frozenset(requirement.extras),
            str(requirement.marker or ""),
            frozenset(one.strip() for one in hashes),
        )
    return found


PROGRAM, TESTS = lock("requirements.txt"), lock("requirements-test.txt")


def asked_for(extra: str | None = None) -> list[Requirement]:
    """Return what the project asks for; an extra that asks for another extra of the project asks for what that does."""
    project = PROJECT["project"]
    asked = [
        Requirement(one) for one in (project["optional-dependencies"][extra] if extra else project["dependencies"])
    ]
    own = [one for one in asked if one.name == project["name"]]
    return [one for one in asked if one not in own] + [
        more for one in own for name in one.extras for more in asked_for(name)
    ]


def load(name: str) -> Any:
    """Import a script of deploy/supply."""
    spec = importlib.util.spec_from_file_location(name, SUPPLY / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


audit = load("audit")


# -- the lock


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-test.txt"])
def test_every_line_of_a_lock_is_one_version_with_the_hashes_of_its_files(name: str):
    for package, locked in lock(name).items():
        assert locked.hashes, package
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", one) for one in locked.hashes), package


def test_the_lock_holds_what_the_project_asks_for_and_nothing_that_nobody_asks_for():
    build = [Requirement(one) for one in PROJECT["build-system"]["requires"]]
    for locked, wanted in ((PROGRAM, [*asked_for(), *build]), (TESTS, [*asked_for(), *asked_for("test"), *build])):
        for one in wanted:
            assert one.specifier.contains(locked[canonicalize_name(one.name)].version), one
        reached: set[str] = set()
        waiting = [canonicalize_name(one.name) for one in wanted]
        while waiting:
            name = waiting.pop()
            if name in reached:
                continue
            reached.add(name)
            needed = [
                each
                for each in map(Requirement, requires(name) or ())
                if each.marker is None
                or any(each.marker.evaluate({"extra": extra}) for extra in ("", *locked[name].extras))
            ]
            waiting += [canonicalize_name(each.name) for each in needed]
            # pip 23 takes a package with an extra for another one than without, and asks for its hash
            assert all(each.extras <= locked[canonicalize_name(each.name)].extras for each in needed), name
        assert reached == {name for name, one in locked.items() if not one.marker or Marker(one.marker).evaluate()}


def test_the_tests_run_on_the_versions_that_the_program_is_installed_with():
    assert PROGRAM.items() <= TESTS.items()


@pytest.mark.skipif(not os.environ.get("CI"), reason="what is installed on this machine is its owner's")
def test_what_is_installed_is_what_is_locked():
    wanted = {name: one.version for name, one in TESTS.items() if not one.marker or Marker(one.marker).evaluate()}
    assert {name: version(name) for name in wanted} == wanted


def test_the_readme_installs_from_the_lock_and_names_the_pythons_of_the_project():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    shells = re.findall(r"^```sh\n(.*?)^```", readme, re.DOTALL | re.MULTILINE)[:2]
    for block, name in zip(shells, ("requirements.txt", "requirements-test.txt"), strict=True):
        assert re.search(rf"pip install -q --require-hashes -r {re.escape(name)} &&", block)
        assert "pip install -q --no-deps --no-build-isolation" in block
    versions = [one.rpartition(" ")[2] for one in PROJECT["project"]["classifiers"] if ":: Python :: 3." in one]
    assert f"Python {versions[0]} to {versions[-1]}" in readme
    assert PROJECT["project"]["requires-python"] == f">={versions[0]}"


# -- the bill of materials


def test_the_bill_of_materials_is_that_of_the_lock():
    wanted = {
        name: one.version for name, one in PROGRAM.items() if not one.marker or Marker(one.marker).evaluate(LINUX)
    }
    told = {canonicalize_name(one["name"]): one for one in BOM["components"]}
    assert {name: one["version"] for name, one in told.items()} == wanted
    for name, one in told.items():
        assert canonicalize_name(one["purl"].removeprefix("pkg:pypi/").partition("@")[0]) == name
        assert one["purl"].endswith(f"@{one['version']}")


def test_the_bill_of_materials_is_of_this_version_and_says_what_needs_what_and_under_which_licence():
    root = BOM["metadata"]["component"]
    assert (BOM["bomFormat"], BOM["specVersion"]) == ("CycloneDX", "1.6")
    assert (root["name"], root["version"]) == (PROJECT["project"]["name"], PROJECT["project"]["version"])
    refs = {one["bom-ref"]: canonicalize_name(one["name"]) for one in [*BOM["components"], root]}
    needs = {refs[one["ref"]]: {refs[each] for each in one["dependsOn"]} for one in BOM["dependencies"]}
    assert needs["sla-monitor"] == {canonicalize_name(one.name) for one in asked_for()}
    assert {"mode-streaming", "aiokafka"} <= needs["faust-streaming"]
    assert [one["name"] for one in BOM["components"] if not one.get("licenses")] == []


# -- the audit


def answer(**packages: list[dict[str, Any]] | str) -> str:
    """What pip-audit prints: bugs of a package, or why it was skipped."""
    return json.dumps({
        "dependencies": [
            {"name": name, "skip_reason": found} if isinstance(found, str)
            else {"name": name, "version": "1.0", "vulns": found}
            for name, found in packages.items()
        ],
        "fixes": [],
    })  # fmt: skip


BUG = {"id": "PYSEC-2026-1", "fix_versions": ["1.1"]}


@pytest.mark.parametrize(
    ("out", "err", "code", "words"),
    [
        (answer(a=[], b=[]), "", 0, "no known vulnerability in 2 packages"),
        (answer(a=[], b=[BUG]), "", 1, "b 1.0: PYSEC-2026-1, mended in 1.1"),
        (answer(a=[{"id": "X", "fix_versions": []}], b="?"), "", 1, "a 1.0: X, mended in no version yet"),
        (answer(a=[], b="not found"), "", 0, "in 1 packages; NOT CHECKED: b"),
        # pip-audit says "No known vulnerabilities found" when its source knows none of the packages
        (answer(a="not found", b="not found"), "", 0, "NOT DONE: the source knows none of its 2 packages"),
        ("", "requests.exceptions.ConnectionError: no such host", 0, "NOT DONE: its source cannot be reached"),
        ("", "ERROR:pip_audit._cli:invalid requirements input", 2, "pip-audit failed: ERROR"),
        ("", "", 2, "pip-audit failed: exit code 1"),
    ],
)
def test_the_audit_fails_on_what_is_known_and_says_what_was_not_checked(out: str, err: str, code: int, words: str):
    found, said = audit.judge(1, out, err, "requirements.txt")

    assert found == code
    assert said.startswith("audit of requirements.txt: ")
    assert words in said


def test_the_audit_asks_for_the_whole_lock_and_its_exit_code_is_the_verdict(tmp_path: Path):
    # given a pip-audit that knows a bug of what it was given
    program = tmp_path / "pip-audit"
    program.write_text(f"#!/bin/sh\necho \"$@\" > {tmp_path}/asked\ncat <<'END'\n{answer(orjson=[BUG])}\nEND\nexit 1\n")
    program.chmod(0o755)

    done = subprocess.run(
        [sys.executable, SUPPLY / "audit.py"], env={**os.environ, "PIP_AUDIT": str(program)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 1, done.stderr
    assert "orjson 1.0: PYSEC-2026-1" in done.stdout
    asked = (tmp_path / "asked").read_text()
    assert f"--requirement {ROOT / 'requirements-test.txt'}" in asked
    assert "--require-hashes" in asked


# -- images


def test_a_digest_that_its_tag_no_longer_has_is_told_and_written(tmp_path: Path):
    # given the files, and a registry in which every tag has moved
    for name in ("deploy/supply/digests.sh", "deploy/Dockerfile", "docker-compose.yml"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "skopeo").write_text("#!/bin/sh\nprintf moved\n")
    (tmp_path / "bin" / "skopeo").chmod(0o755)
    new = f"sha256:{hashlib.sha256(b'moved').hexdigest()}"

    def compare(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["sh", tmp_path / "deploy" / "supply" / "digests.sh", *arguments],
            env={**os.environ, "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}"},
            capture_output=True, text=True, check=False,
        )  # fmt: skip

    told = compare("--write")

    assert told.returncode == 1, told.stderr
    assert len(re.findall(rf"^\S+:\S+: pinned sha256:\S+, the tag is {new} now$", told.stdout, re.MULTILINE)) == 5
    assert (tmp_path / "docker-compose.yml").read_text().count(new) == 4
    assert new in (tmp_path / "deploy" / "Dockerfile").read_text()
    again = compare()
    assert (again.returncode, again.stdout.count(": as pinned")) == (0, 5)


# -- what is written about it


@pytest.mark.parametrize("name", ["threat-model.md", "SECURITY.md"])
def test_every_file_that_the_policy_and_the_threat_model_name_is_there(name: str):
    file = ROOT / "deploy" / name
    text = file.read_text(encoding="utf-8")
    links = set(re.findall(r"\]\(((?!http)[^)#]+)", text))
    paths = set(re.findall(r"`((?:tests|deploy)/[\w./-]+)`", text))
    assert links
    assert paths
    assert all((file.parent / link).exists() for link in links)
    assert [path for path in paths if not (ROOT / path).exists()] == []
