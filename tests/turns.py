"""Turns for tests that run in several processes: side by side, or one of them alone."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Turns:
    """Locks that the processes of one run share; ``folder`` is where their files are."""

    def __init__(self, folder: Path) -> None:
        self.queue = folder / "queue"
        self.floor = folder / "floor"

    @contextmanager
    def turn(self, *, alone: bool) -> Iterator[None]:
        """Wait for a turn and hold it: with others that are not alone, or with nobody else."""
        with self.floor.open("a") as floor:
            # Whoever waits to be alone keeps the queue meanwhile. Else tests that follow each other would go before it.
            with self.queue.open("a") as queue:
                fcntl.flock(queue, fcntl.LOCK_EX)
                fcntl.flock(floor, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
            yield
