"""Looks for known vulnerabilities in what is locked: ``python deploy/supply/audit.py [FILE…]``.

The files are requirements-test.txt and what builds the native package, unless others are named. For packages of Python
it runs pip-audit, which it installs into an environment of its own, against the database of OSV; of the crates in a
Cargo.lock it asks that database itself. Exit code 0: none is known, or the database could not be asked (then it says
so, and that nothing was checked). 1: some are known. 2: the audit itself does not work.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import tomllib
import urllib.request
import venv
from pathlib import Path
from typing import Any

PIP_AUDIT = "pip-audit==2.10.1"
OSV = "https://api.osv.dev/v1/query"
ROOT = Path(__file__).parents[2]
FILES = ("requirements-test.txt", "monitor/native/requirements.txt", "monitor/native/Cargo.lock")
TIMEOUT_S = 10
UNREACHABLE = ("ConnectionError", "Timeout", "NameResolutionError", "ServiceError", "HTTPError", "ProxyError")


def verdict(found: dict[str, Any], file: str) -> tuple[int, str]:
    """Return exit code and words for the answer of pip-audit.

    A package that it skipped was not checked: where all were, its source is not there, however well it says it went.
    """
    packages = found["dependencies"]
    skipped = [one["name"] for one in packages if "skip_reason" in one]
    known = [
        f"{one['name']} {one['version']}: {bug['id']}, mended in {', '.join(bug['fix_versions']) or 'no version yet'}"
        for one in packages
        for bug in one.get("vulns", ())
    ]
    checked = len(packages) - len(skipped)
    if known:
        return 1, "\n".join([f"audit of {file}: {len(known)} known vulnerabilities", *known])
    if not checked:
        return 0, f"audit of {file}: NOT DONE: the source knows none of its {len(packages)} packages"
    words = f"audit of {file}: no known vulnerability in {checked} packages"
    return 0, words + (f"; NOT CHECKED: {', '.join(skipped)}" if skipped else "")


def judge(code: int, out: str, err: str, file: str) -> tuple[int, str]:
    """Return exit code and words for a run of pip-audit."""
    try:
        found = json.loads(out)
    except ValueError:
        last = (err.strip().splitlines() or [f"exit code {code}"])[-1]
        if any(word in err for word in UNREACHABLE):
            return 0, f"audit of {file}: NOT DONE: its source cannot be reached: {last}"
        return 2, f"audit of {file}: pip-audit failed: {last}"
    return verdict(found, file)


def bugs(answers: list[dict[str, Any]], crate: str) -> list[dict[str, Any]]:
    """Return what OSV's answers on one version of a crate tell, in the words of pip-audit.

    That nobody maintains a crate any more, and other notices, are no bugs of the version.
    """
    found = []
    for told in (one for answer in answers for one in answer.get("vulns", ())):
        concerned = [one for one in told.get("affected", ()) if one.get("package", {}).get("name") == crate]
        kinds = {(one.get("database_specific") or {}).get("informational") for one in concerned}
        if kinds <= {"unmaintained", "notice"} and concerned:
            continue
        fixes = [
            event["fixed"]
            for one in concerned
            for span in one.get("ranges", ())
            for event in span.get("events", ())
            if "fixed" in event
        ]
        found.append({"id": told["id"], "fix_versions": fixes})
    return found


def ask(address: str, crate: str, version: str) -> list[dict[str, Any]]:
    """Ask OSV of a version of a crate; return its answers, one a page.

    Raises:
        OSError: it cannot be reached.
        ValueError: that is no answer of it.
    """
    question: dict[str, Any] = {"package": {"name": crate, "ecosystem": "crates.io"}, "version": version}
    answers: list[dict[str, Any]] = []
    while not answers or question.get("page_token"):
        request = urllib.request.Request(  # noqa: S310 - the address is this file's, or a test's
            address, json.dumps(question).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:  # noqa: S310 - see above
            answers.append(json.load(answer))
        question["page_token"] = answers[-1].get("next_page_token")
    return answers


def crates(lock: Path, address: str) -> tuple[int, str]:
    """Return exit code and words for the crates of a lock."""
    packages = []
    for one in tomllib.loads(lock.read_text(encoding="utf-8"))["package"]:
        if "source" not in one:
            continue  # ours
        try:
            answers = ask(address, one["name"], one["version"])
        except OSError as error:
            return 0, f"audit of {lock.name}: NOT DONE: its source cannot be reached: {error}"
        except ValueError as error:
            return 2, f"audit of {lock.name}: its source does not answer as OSV does: {error}"
        packages.append({"name": one["name"], "version": one["version"], "vulns": bugs(answers, one["name"])})
    return verdict({"dependencies": packages}, lock.name)


def pip_audit(folder: Path) -> Path:
    """Install pip-audit into an environment of its own.

    Raises:
        subprocess.CalledProcessError: pip cannot get it.
    """
    venv.create(folder, with_pip=True)
    subprocess.run(
        [folder / "bin" / "pip", "install", "-q", "--disable-pip-version-check", PIP_AUDIT],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    return folder / "bin" / "pip-audit"


def python_packages(program: str, file: str) -> tuple[int, str]:
    """Return exit code and words for the packages of a lock, as pip-audit finds them."""
    done = subprocess.run(
        [program, "--vulnerability-service", "osv", "--timeout", str(TIMEOUT_S), "--requirement", file,
         "--require-hashes", "--disable-pip", "--format", "json", "--progress-spinner", "off"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return judge(done.returncode, done.stdout, done.stderr, Path(file).name)


def main(arguments: list[str]) -> int:
    """Audit the files that are named; return the exit code."""
    worst = 0
    files = arguments or [str(ROOT / name) for name in FILES]
    with tempfile.TemporaryDirectory() as work:
        program = os.environ.get("PIP_AUDIT")
        if program is None and any(not file.endswith(".lock") for file in files):
            try:
                program = str(pip_audit(Path(work, "venv")))
            except subprocess.CalledProcessError as error:
                print(f"audit: NOT DONE: {PIP_AUDIT} cannot be installed: {error.stderr.strip()[-300:]}")
        for file in files:
            if file.endswith(".lock"):
                code, words = crates(Path(file), os.environ.get("OSV_QUERY", OSV))
            elif program is not None:
                code, words = python_packages(program, file)
            else:
                continue  # it has been said
            print(words)
            worst = max(worst, code)
    return worst


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
