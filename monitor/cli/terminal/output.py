"""The output of commands: readable text for people, JSON lines for machines, notes on stderr for both."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import Any, Final

import click
import orjson
from rich.console import Console, ConsoleOptions, ConsoleRenderable, RenderHook, RenderResult
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from monitor.wire.visible import for_terminal, json_for_terminal

_PIPE_COLUMNS: Final = 200
"""Tables that nobody sees on a terminal are not squeezed into 80 columns."""

STYLES: Final = {
    "breached": "bold red",
    "at_risk": "yellow",
    "resolved": "green",
    "voided": "cyan",
    "rearmed": "cyan",
    "met": "green",
    "on_track": "green",
    "no_data": "dim",
    "low_sample": "dim",
    "provisional": "dim",
}
"""Colours of states and verdicts. ``NO_COLOR`` turns all off."""


class Output:
    """Where one command prints.

    It prints texts of other people. Characters that a terminal would obey are shown escaped, in every form of the
    output.
    """

    def __init__(self, *, as_json: bool = False) -> None:
        self.as_json = as_json
        self.is_terminal = sys.stdout.isatty()
        # Ids and names are other people's: nothing in them is markup.
        self.console = Console(
            markup=False, highlight=False, emoji=False, width=None if self.is_terminal else _PIPE_COLUMNS
        )
        self.console.push_render_hook(_Escaping())

    def say(self, text: str | Text = "", style: str | None = None) -> None:
        """Print a line for people."""
        if not self.as_json:
            self.console.print(text, style=style, soft_wrap=True)

    def note(self, text: str) -> None:
        """Print a line on stderr, whatever the form of the output."""
        click.echo(for_terminal(text), err=True)

    def record(self, **values: Any) -> None:  # noqa: ANN401 - whatever JSON holds
        """Print a line for machines."""
        if self.as_json:
            self.raw(orjson.dumps(values))

    def raw(self, line: bytes) -> None:
        """Print a line of JSON."""
        click.echo(json_for_terminal(line))

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[str | Text]], title: str | None = None) -> None:
        """Print a table for people."""
        if not self.as_json:
            self.console.print(table_of(columns, rows, title))


def table_of(columns: Sequence[str], rows: Sequence[Sequence[str | Text]], title: str | None = None) -> Table:
    """Return a table as all commands draw them."""
    table = Table(
        title=title,
        title_justify="left",
        title_style="bold",
        box=None,
        pad_edge=False,
        header_style="dim",
        show_header=any(columns),
    )
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(cell if isinstance(cell, Text) else Text(for_terminal(cell)) for cell in row))
    return table


class _Escaping(RenderHook):
    """Escapes the segments that a console prints."""

    def process_renderables(self, renderables: list[ConsoleRenderable]) -> list[ConsoleRenderable]:
        """Return the segments to print in their place."""
        return [_Escaped(renderables)]


class _Escaped:
    def __init__(self, renderables: Iterable[ConsoleRenderable]) -> None:
        self._renderables = renderables

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for one in self._renderables:
            for segment in console.render(one, options):
                text, style, control = segment
                yield segment if control or text.isprintable() else Segment(for_terminal(text), style)
