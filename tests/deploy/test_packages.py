"""What `pip install .` packs: the program, and nothing of the native package beside it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

from tests.deploy.stack import ROOT


def test_the_wheel_holds_no_rust_and_nothing_that_cargo_left(tmp_path: Path):
    # given a tree in which cargo has built
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tmp_path / name)
    shutil.copytree(ROOT / "monitor", tmp_path / "monitor", ignore=shutil.ignore_patterns("target", "__pycache__"))
    left = tmp_path / "monitor" / "native" / "target" / "release"
    left.mkdir(parents=True)
    for name in ("fingerprint.json", "build.py", "rules.yaml"):
        (left / name).write_text("0")

    build = "from setuptools.build_meta import build_wheel; build_wheel('out')"
    subprocess.run([sys.executable, "-c", build], cwd=tmp_path, capture_output=True, check=True)

    (wheel,) = (tmp_path / "out").iterdir()
    names = ZipFile(wheel).namelist()
    assert "monitor/cli/root.py" in names
    assert "monitor/pages/templates" in {str(Path(name).parent) for name in names}
    assert [name for name in names if name.startswith("monitor/native/") or name.endswith((".rs", ".so"))] == []
