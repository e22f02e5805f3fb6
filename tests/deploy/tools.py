"""Tools of others that say whether our files are right, built once from Go modules into a cache."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from tests.kafka.broker import cache_folder

COMPOSE = ("github.com/compose-spec/compose-go/v2/cmd", "v2.16.2")
KUSTOMIZE = ("sigs.k8s.io/kustomize/kustomize/v5", "v5.7.1")


def go_tool(module: tuple[str, str]) -> Path:
    """Return a program, built with Go if it is not in the cache; skip the test where it cannot be had."""
    path, version = module
    program = cache_folder() / f"{path.replace('/', '+')}@{version}"
    if program.exists():
        return program
    if shutil.which("go") is None:
        pytest.skip(f"there is no go to build {path} with")
    cache_folder().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache_folder()) as work:
        built = subprocess.run(
            ["go", "install", f"{path}@{version}"],
            env={**os.environ, "GOBIN": work},
            cwd=work, capture_output=True, text=True, timeout=600, check=False,
        )  # fmt: skip
        if built.returncode:
            pytest.skip(f"go cannot build {path}@{version}: {built.stderr[-300:]}")
        (one,) = Path(work).iterdir()
        one.replace(program)
    return program
