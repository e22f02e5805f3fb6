"""Options of commands that read recorded data, and of those that also answer from it, without Kafka."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

import click

from monitor.cli.terminal.output import Output
from monitor.cli.terminal.progress import LEAST, progress
from monitor.config.agreements.checking import load_agreements
from monitor.core.agreements.book import Book
from monitor.replay.files import load_tables
from monitor.replay.own_events import read_own_events
from monitor.replay.readers import Reading, read_tables
from monitor.wire.wording import plural

_Command = TypeVar("_Command", bound=Callable[..., Any])

FILE: Final = click.Path(path_type=Path, exists=True, dir_okay=False, allow_dash=True)
"""A file that is read; - is standard input."""
_FILE: Final = click.Path(path_type=Path, exists=True, dir_okay=False)

table_option: Final = click.option(
    "--table",
    "more",
    multiple=True,
    type=(FILE, FILE),
    metavar="DATA MAPPING",
    help="Another file with a mapping of its own; may be given several times.",
)
"""``--table DATA MAPPING``, as ``more``."""


def agreements_option(said: str = "", *, required: bool = False) -> Callable[[_Command], _Command]:
    """Return the option ``--agreements``; ``said`` stands before what it takes."""
    return click.option(
        "--agreements",
        multiple=True,
        required=required,
        type=click.Path(path_type=Path, exists=True),
        help=f"{said}{'agreement' if said else 'Agreement'} file or folder; may be given several times.",
    )


class Recorded(NamedTuple):
    """Files of recorded data with the mapping that makes events of them (None: they hold events), and agreements.

    ``more`` are further tables, each with a mapping of its own.
    """

    data: tuple[Path, ...]
    mapping: Path | None
    more: tuple[tuple[Path, Path], ...]
    agreements: tuple[Path, ...]

    def read(self, out: Output) -> Reading:
        """Return the events; say how many rows were refused."""
        with progress(least=LEAST) as on_progress:
            if self.mapping is None:
                reading = read_own_events(self.data, on_progress)
            else:
                reading = read_tables(load_tables(self.data, self.mapping, self.more), on_progress)
        for reason, count in reading.reasons().items():
            out.note(f"{plural(count, 'row')} rejected: {reason}")
        return reading

    def book(self) -> Book:
        """Return the agreements."""
        return load_agreements(self.agreements)


def recorded_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that `Recorded` is made of; the command takes ``recorded``: what was given, or None."""

    @click.option("--data", multiple=True, type=_FILE, help="Read recorded events from this file, not from Kafka.")
    @click.option("--mapping", type=_FILE, help="With --data: how rows become events. Without it they are events.")
    @table_option
    @agreements_option("With --data: ")
    @functools.wraps(command)
    def wrapped(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - click's
        given = Recorded(*(kwargs.pop(name) for name in Recorded._fields))
        if bool(given.data) != bool(given.agreements) or (given.mapping and not given.data):
            raise click.UsageError("--data goes with --agreements (and --mapping, where the files hold no events).")
        if given.more and not given.mapping:
            raise click.UsageError("--table goes with --mapping.")
        return command(*args, recorded=given if given.data else None, **kwargs)

    return wrapped
