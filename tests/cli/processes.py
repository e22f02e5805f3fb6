"""Commands as processes of their own: started, read, stopped by their id."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

STOP_TIMEOUT_S = 30.0


@contextmanager
def process(
    *arguments: str, environment: dict[str, str] | None = None, folder: Path
) -> Iterator[subprocess.Popen[str]]:
    """Run a command in a folder; whatever becomes of the test, it ends."""
    started = subprocess.Popen(
        [sys.executable, "-m", "monitor", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=folder,
        env={**os.environ, "NO_COLOR": "1", **(environment or {})},
    )
    try:
        yield started
    finally:
        if started.poll() is None:
            started.kill()
        started.communicate()


def stop(started: subprocess.Popen[str], by: signal.Signals) -> tuple[int, str, str]:
    """Send a signal and return exit code, stdout and stderr.

    Raises:
        subprocess.TimeoutExpired: it goes on after half a minute.
    """
    started.send_signal(by)
    out, err = started.communicate(timeout=STOP_TIMEOUT_S)
    return started.returncode, out, err
