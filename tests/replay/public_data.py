"""Where the public data is: SLA_TEST_DATA, or a folder ``shared/data`` beside the checkout; never in the project."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MAPPINGS = ROOT / "tests" / "mappings"
AGREEMENTS = MAPPINGS / "agreements"


def data_file(name: str) -> Path:
    """Return a file of the data sets; skip the test where it is missing."""
    folder = Path(os.environ.get("SLA_TEST_DATA") or ROOT.parent / "shared" / "data")
    path = folder / name
    if not path.exists():
        pytest.skip(f"needs the public data: {name} is not in shared/data beside the checkout, nor in SLA_TEST_DATA")
    return path
