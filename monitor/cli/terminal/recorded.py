"""Options of commands that also answer from recorded data, without Kafka."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple

import click

from monitor.cli.terminal.output import Output
from monitor.cli.terminal.progress import LEAST, progress
from monitor.config.agreements.checking import load_agreements
from monitor.config.mappings.mapping import load_mapping
from monitor.core.agreements.book import Book
from monitor.replay.own_events import read_own_events
from monitor.replay.readers import Reading, read_events

_FILE: Final = click.Path(path_type=Path, exists=True, dir_okay=False)


class Recorded(NamedTuple):
    """Files of recorded data with the mapping that makes events of them (None: they hold events), and agreements."""

    data: tuple[Path, ...]
    mapping: Path | None
    agreements: tuple[Path, ...]

    def read(self, out: Output) -> Reading:
        """Return the events; say how many rows were refused."""
        with progress(least=LEAST) as on_progress:
            if self.mapping is None:
                reading = read_own_events(self.data, on_progress)
            else:
                reading = read_events(self.data, load_mapping(self.mapping), on_progress)
        for reason, count in reading.reasons().items():
            out.note(f"{count:,} rows rejected: {reason}")
        return reading

    def book(self) -> Book:
        """Return the agreements."""
        return load_agreements(self.agreements)


def recorded_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--data``, ``--mapping`` and ``--agreements``; the command takes ``recorded``: `Recorded`, or None."""

    @click.option("--data", multiple=True, type=_FILE, help="Read recorded events from this file, not from Kafka.")
    @click.option("--mapping", type=_FILE, help="With --data: how rows become events. Without it they are events.")
    @click.option(
        "--agreements",
        multiple=True,
        type=click.Path(path_type=Path, exists=True),
        help="With --data: agreement file or folder; may be given several times.",
    )
    @functools.wraps(command)
    def wrapped(*args: Any, data: Any, mapping: Any, agreements: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - click's
        if bool(data) != bool(agreements) or (mapping and not data):
            raise click.UsageError("--data goes with --agreements (and --mapping, where the files hold no events).")
        recorded = Recorded(data, mapping, agreements) if data else None
        return command(*args, recorded=recorded, **kwargs)

    return wrapped
