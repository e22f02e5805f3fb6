"""What takes minutes runs only when it is asked for."""

from __future__ import annotations

import pytest


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if "build" in config.option.markexpr:
        return
    for item in items:
        if item.get_closest_marker("build"):
            item.add_marker(pytest.mark.skip(reason="takes minutes the first time: pytest -m build"))
