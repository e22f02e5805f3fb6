"""The supply chain: the lock agrees with the project and with what is installed, the bill of materials with the lock.

What makes them stands in deploy/supply: lock.sh, sbom.py, crates.py, audit.py, digests.sh.
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
import threading
import tomllib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.metadata import requires, version
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.deploy.stack import ROOT
from tests.kafka.broker import free_port

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


audit, crates = load("audit"), load("crates")
NATIVE = ROOT / "monitor" / "native"
CARGO = tomllib.loads((NATIVE / "Cargo.toml").read_text(encoding="utf-8"))
CRATES = {
    f"{one['name']}@{one['version']}": one
    for one in tomllib.loads((NATIVE / "Cargo.lock").read_text(encoding="utf-8"))["package"]
}
ALLOWED = set(tomllib.loads((NATIVE / "deny.toml").read_text(encoding="utf-8"))["licenses"]["allow"])


# -- the lock


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-test.txt", "monitor/native/requirements.txt"])
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


# -- the crates of the native package


def test_the_native_package_has_the_version_of_the_program_and_is_built_by_what_is_locked():
    project = tomllib.loads((NATIVE / "pyproject.toml").read_text(encoding="utf-8"))
    ours = PROJECT["project"]
    assert CARGO["package"]["version"] == project["project"]["version"] == ours["version"]
    assert CARGO["package"]["license"] == project["project"]["license"] == ours["license"]
    assert project["project"]["requires-python"] == ours["requires-python"]
    assert (NATIVE / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()
    assert project["tool"]["maturin"]["locked"]
    (builder,) = map(Requirement, project["build-system"]["requires"])
    assert builder.specifier.contains(lock("monitor/native/requirements.txt")[builder.name].version)


def test_a_fault_in_the_native_package_unwinds_and_no_code_of_it_is_unsafe():
    assert CARGO["profile"]["release"]["panic"] == "unwind"
    assert CARGO["profile"]["release"]["overflow-checks"]
    assert CARGO["lints"]["rust"]["unsafe_code"] == "forbid"


def test_the_bill_of_materials_of_the_native_package_is_of_its_lock_and_under_licences_that_are_allowed():
    bom = json.loads((SUPPLY / "sbom-native.cdx.json").read_text(encoding="utf-8"))
    root = bom["metadata"]["component"]
    told = {one["bom-ref"]: one for one in [root, *bom["components"]]}
    assert (root["name"], root["version"]) == (CARGO["package"]["name"], CARGO["package"]["version"])
    assert told.keys() <= CRATES.keys()
    wanted = {name for name, one in CARGO["dependencies"].items() if isinstance(one, str) or not one.get("optional")}
    needs = {one["ref"]: {each.partition("@")[0] for each in one["dependsOn"]} for one in bom["dependencies"]}
    assert needs[root["bom-ref"]] == wanted
    assert needs.keys() == told.keys()
    for name, one in told.items():
        assert one["purl"] == f"pkg:cargo/{name}"
        assert crates.permitted(one["licenses"][0]["expression"], ALLOWED), name
    assert crates.complaints(list(CRATES.values()), [], ALLOWED) == []


@pytest.mark.parametrize(
    ("expression", "whether"),
    [
        ("MIT", True),
        ("GPL-3.0-only", False),
        ("GPL-3.0-only OR MIT", True),
        ("GPL-3.0-only/MIT", True),
        ("GPL-3.0-only AND MIT", False),
        ("(MIT OR GPL-3.0-only) AND Unicode-3.0", True),
        ("(MIT OR GPL-3.0-only) AND GPL-3.0-only", False),
        ("MIT OR GPL-3.0-only AND GPL-3.0-only", True),
        ("GPL-3.0-only WITH LLVM-exception", False),
        ("Apache-2.0 WITH LLVM-exception OR GPL-3.0-only", True),
        ("", False),
        ("(MIT", False),
        ("MIT)", False),
        ("MIT MIT", False),
    ],
)
def test_a_licence_is_allowed_where_it_leaves_a_choice_that_is(expression: str, *, whether: bool):
    assert crates.permitted(expression, {"MIT", "Unicode-3.0", "Apache-2.0 WITH LLVM-exception"}) is whether


def test_a_crate_from_elsewhere_without_checksum_or_under_another_licence_is_told():
    ours = {"name": "ours", "version": "1"}
    good = {"name": "good", "version": "1", "source": crates.REGISTRY, "checksum": "c"}
    assert crates.complaints([ours, good], [{**good, "license": "MIT"}], {"MIT"}) == []
    wrong = [
        {**good, "name": "forked", "source": "git+https://example.org/forked"},
        {"name": "bare", "version": "1", "source": crates.REGISTRY},
        {"name": "vendored", "version": "1"},
    ]
    said = crates.complaints(
        [ours, good, *wrong], [{**good, "license": "GPL-3.0-only"}, {**good, "license": None}], {"MIT"}
    )
    assert [one.partition(":")[0] for one in said] == [
        "forked 1", "bare 1", "crates without a source", "good 1", "good 1"
    ]  # fmt: skip


@pytest.mark.skipif(shutil.which("cargo") is None, reason="there is no cargo to ask for the crates' licences")
def test_what_cargo_says_of_the_crates_is_what_is_written():
    done = subprocess.run([sys.executable, SUPPLY / "crates.py"], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout) == (
        0, f"crates: {len(CRATES) - 1}, all from the registry by checksum, under licences that are allowed\n"
    )  # fmt: skip


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
    program.write_text(
        f"#!/bin/sh\necho \"$@\" >> {tmp_path}/asked\ncat <<'END'\n{answer(orjson=[BUG])}\nEND\nexit 1\n"
    )
    program.chmod(0o755)

    done = subprocess.run(
        [sys.executable, SUPPLY / "audit.py"],
        env={**os.environ, "PIP_AUDIT": str(program), "OSV_QUERY": f"http://127.0.0.1:{free_port()}"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 1, done.stderr
    assert "orjson 1.0: PYSEC-2026-1" in done.stdout
    assert "audit of Cargo.lock: NOT DONE: its source cannot be reached" in done.stdout
    asked = (tmp_path / "asked").read_text()
    assert f"--requirement {ROOT / 'requirements-test.txt'}" in asked
    assert f"--requirement {NATIVE / 'requirements.txt'}" in asked
    assert asked.count("--require-hashes") == 2


OSV_BUG = {
    "id": "RUSTSEC-2026-1",
    "affected": [
        {
            "package": {"name": "pyo3", "ecosystem": "crates.io"},
            "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": "9.9.9"}]}],
        }
    ],
}
"""A record as OSV gives it, of a crate that is in the lock."""


def notice(kind: str) -> dict[str, Any]:
    return {"id": "N", "affected": [{"package": {"name": "pyo3"}, "database_specific": {"informational": kind}}]}


@pytest.fixture
def osv() -> Iterator[tuple[str, dict[str, list[Any]], list[dict[str, Any]]]]:
    """A database: its address, its answers to come by crate, and what it was asked."""
    answers: dict[str, list[Any]] = {}
    asked: list[dict[str, Any]] = []

    class Database(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            asked.append(question)
            waiting = answers.get(question["package"]["name"], [])
            said = waiting.pop(0) if waiting else {}
            self.send_response(200)
            self.end_headers()
            self.wfile.write(said if isinstance(said, bytes) else json.dumps(said).encode())

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Database) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/v1/query", answers, asked
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("said", "code", "words"),
    [
        ([{}], 0, f"no known vulnerability in {len(CRATES) - 1} packages"),
        ([{"vulns": [OSV_BUG]}], 1, "RUSTSEC-2026-1, mended in 9.9.9"),
        ([{"vulns": [notice("unsound")]}], 1, "N, mended in no version yet"),
        ([{"vulns": [notice("unmaintained"), notice("notice")]}], 0, "no known vulnerability"),
        ([{"vulns": [{"id": "M"}]}], 1, "M, mended in no version yet"),
        ([{"vulns": [], "next_page_token": "more"}, {"vulns": [OSV_BUG]}], 1, "RUSTSEC-2026-1"),
        ([b"<html>"], 2, "does not answer as OSV does"),
    ],
    ids=["none", "bug", "unsound", "notices", "of no package", "second page", "another server"],
)
def test_the_audit_asks_of_every_crate_and_fails_on_what_is_known(
    osv: tuple[str, dict[str, list[Any]], list[dict[str, Any]]], said: list[Any], code: int, words: str
):
    address, answers, asked = osv
    pages = len(said)
    answers["pyo3"] = said

    found, told = audit.crates(NATIVE / "Cargo.lock", address)

    assert (found, told.partition(": ")[0]) == (code, "audit of Cargo.lock")
    assert words in told
    pyo3 = [one for one in asked if one["package"] == {"name": "pyo3", "ecosystem": "crates.io"}]
    assert [one["version"] for one in pyo3] == [
        CRATES[next(one for one in CRATES if one.startswith("pyo3@"))]["version"]
    ] * pages
    if code < 2:
        assert {f"{one['package']['name']}@{one['version']}" for one in asked} == {
            name for name, one in CRATES.items() if "source" in one
        }


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
    assert len(re.findall(rf"^\S+:\S+: pinned sha256:\S+, the tag is {new} now$", told.stdout, re.MULTILINE)) == 6
    assert (tmp_path / "docker-compose.yml").read_text().count(new) == 4
    assert (tmp_path / "deploy" / "Dockerfile").read_text().count(new) == 2
    again = compare()
    assert (again.returncode, again.stdout.count(": as pinned")) == (0, 6)


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
