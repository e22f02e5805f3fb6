"""What all tests share."""

from __future__ import annotations

import signal
import tempfile
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from tests.turns import Turns

# A shared machine may pause a test for longer than Hypothesis' 200 ms; a law is not about time.
settings.register_profile("suite", deadline=None)
settings.load_profile("suite")

# A shell has the commands ignore Ctrl-C that it starts in the background, and so would all that the tests start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

TURNS: pytest.StashKey[tempfile.TemporaryDirectory[str]] = pytest.StashKey()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell each process that pytest-xdist starts (``-n``) where the turns of the run are."""
    stash = node.config.stash
    if TURNS not in stash:
        made = stash[TURNS] = tempfile.TemporaryDirectory()
        node.config.add_cleanup(made.cleanup)
    node.workerinput["turns"] = stash[TURNS].name


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, Any, Any]:
    """Have nothing run beside a test that is marked ``alone``."""
    given = getattr(item.config, "workerinput", None)
    if given is None:  # there is one process only
        return (yield)
    with Turns(Path(given["turns"])).turn(alone=item.get_closest_marker("alone") is not None):
        return (yield)
