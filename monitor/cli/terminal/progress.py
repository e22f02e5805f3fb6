"""Bars on stderr for long work; nothing where stderr is no terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from monitor.read_model.history import OnProgress

LEAST: Final = 2_000
"""Fewer than this are read before anybody would see a bar."""


@contextmanager
def progress(*, least: int = 0, transient: bool = False) -> Iterator[OnProgress]:
    """Show a bar for each thing that is being done, if there are at least so many; ``transient``: until it is done."""
    tasks: dict[str, TaskID] = {}
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not sys.stderr.isatty(), transient=transient) as bars:

        def on_progress(what: str, done: int, total: int) -> None:
            if total < least:
                return
            if what not in tasks:
                tasks[what] = bars.add_task(what, total=total)
            bars.update(tasks[what], completed=done, total=total)

        yield on_progress
