"""An installation of its own for each story."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.e2e.installation import Installation, at

Start = Callable[..., AsyncIterator[Installation]]


@pytest.fixture(autouse=True)
def own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of whoever runs the tests reaches a command."""
    for name in [name for name in os.environ if name.startswith("SLA_MONITOR_")]:
        monkeypatch.delenv(name)


@pytest.fixture
async def installation(tmp_path: Path) -> AsyncIterator[Installation]:
    """An installation whose clock stands at Monday, 2026-01-05 09:00 UTC."""
    folder = tmp_path / "agreements"
    folder.mkdir()
    async with AsyncExitStack() as stack:
        yield await stack.enter_async_context(Installation.started(at("2026-01-05 09:00"), folder))
