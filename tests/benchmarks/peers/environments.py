"""The interpreters that run Quix Streams and Bytewax: this one, a named one, or one that is made in the cache.

They are the extra ``bench`` of pyproject.toml. Quix Streams wants an older confluent-kafka than the locked one of the
tests, so they are not among the tests' requirements: unless this interpreter has a package, or ``--python-peers`` names
one that has, a virtual environment for it is made beside the jars of Kafka, once for each version and Python.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Final

from tests.benchmarks.peers.running import UnavailableError
from tests.benchmarks.runs import ROOT
from tests.kafka.broker import cache_folder

INSTALL_S: Final = 300
JSON: Final = "orjson"
"""Every tool of Python reads events with it."""
_BARE: Final = re.compile(r"[A-Za-z0-9._-]+")


def requirement(package: str) -> str:
    """Return the requirement of a package in the extra ``bench``."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return next(one for one in project["optional-dependencies"]["bench"] if bare(one) == package)


def bare(text: str) -> str:
    """Return the package that a requirement names."""
    found = _BARE.match(text)
    assert found, text
    return found[0]


def python_with(package: str, named: str | None) -> str:
    """Return an interpreter that can import a package of the extra ``bench``.

    Raises:
        UnavailableError: the named one cannot, or none can be made; the message says why.
    """
    if named:
        if not _imports(named, package):
            raise UnavailableError(f"{named} cannot import {package}: install the extra `bench` there")
        return named
    if _imports(sys.executable, package):
        return sys.executable
    wanted = requirement(package)
    folder = cache_folder() / f"peers-{re.sub(r'[^A-Za-z0-9.]+', '-', wanted)}-python{_version()}"
    if not folder.is_dir():
        _make(folder, wanted)
    return str(folder / "bin" / "python")


def _make(folder: Path, wanted: str) -> None:
    """Make a virtual environment with one requirement.

    Raises:
        UnavailableError: pip cannot, or takes too long.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    # An environment cannot be moved: it is made under another name, and a whole one is found through a link.
    work = Path(tempfile.mkdtemp(prefix=f"{folder.name}-", dir=folder.parent))
    try:
        _run([sys.executable, "-m", "venv", str(work)], wanted)
        _run([str(work / "bin" / "pip"), "install", "-q", "--only-binary", ":all:", wanted, JSON], wanted)
        folder.symlink_to(work)
    except (OSError, UnavailableError):
        shutil.rmtree(work)
        if not folder.is_dir():  # else another run was faster
            raise


def _run(command: list[str], wanted: str) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise UnavailableError(f"pip has not installed {wanted} within {INSTALL_S} s") from error
    if done.returncode:
        why = next((one for one in done.stderr.splitlines() if "ERROR" in one), done.stderr[-300:])
        raise UnavailableError(f"pip cannot install {wanted} for Python {_version()}: {why}")


def _imports(python: str, package: str) -> bool:
    command = [python, "-c", f"import {package}"]
    try:
        done = subprocess.run(command, capture_output=True, check=False, cwd=os.sep)
    except OSError as error:
        raise UnavailableError(f"{python}: {error.strerror}") from error
    return done.returncode == 0


def _version() -> str:
    return f"{sys.version_info.major}.{sys.version_info.minor}"
