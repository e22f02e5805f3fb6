"""Looks for known vulnerabilities in what is locked: ``python deploy/supply/audit.py [FILE]``.

The file is requirements-test.txt unless another is named. It runs pip-audit, which it installs into an environment of
its own, against the database of OSV. Exit code 0: none is known, or the database could not be asked (then it says so,
and that nothing was checked). 1: some are known. 2: the audit itself does not work.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path
from typing import Any

PIP_AUDIT = "pip-audit==2.10.1"
ROOT = Path(__file__).parents[2]
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


def main(arguments: list[str]) -> int:
    """Audit the files that are named; return the exit code."""
    worst = 0
    with tempfile.TemporaryDirectory() as work:
        program = os.environ.get("PIP_AUDIT")
        if program is None:
            try:
                program = str(pip_audit(Path(work, "venv")))
            except subprocess.CalledProcessError as error:
                print(f"audit: NOT DONE: {PIP_AUDIT} cannot be installed: {error.stderr.strip()[-300:]}")
                return 0
        for file in arguments or [str(ROOT / "requirements-test.txt")]:
            done = subprocess.run(
                [program, "--vulnerability-service", "osv", "--timeout", "10", "--requirement", file,
                 "--require-hashes", "--disable-pip", "--format", "json", "--progress-spinner", "off"],
                capture_output=True, text=True, check=False,
            )  # fmt: skip
            code, words = judge(done.returncode, done.stdout, done.stderr, Path(file).name)
            print(words)
            worst = max(worst, code)
    return worst


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
