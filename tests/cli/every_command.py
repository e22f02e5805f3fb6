"""Every command that reads the settings, for laws over all of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from monitor.cli.root import root

FOREVER = {("worker",), ("traffic",), ("web",)}
"""Commands that do not end. The worker is looked at by itself, below; the others have no other settings than it."""


def commands(group: click.Group = root, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Return every command that reads the settings."""
    for name, one in sorted(group.commands.items()):
        here = (*path, name)
        if isinstance(one, click.Group):
            yield from commands(one, here)
        if any("--settings" in parameter.opts for parameter in one.params) and here not in FOREVER:
            yield here, one


COMMANDS = dict(commands())


def arguments_of(command: click.Command, tmp_path: Path) -> list[str]:
    """Return arguments with which a command gets as far as it can without somebody at the keyboard."""
    found = []
    for parameter in command.params:
        if isinstance(parameter, click.Argument):
            kinds = getattr(parameter.type, "choices", None)
            wants_file = isinstance(parameter.type, click.Path)
            found.append(str(tmp_path) if wants_file else kinds[0] if kinds else "slack")
        elif parameter.required:
            found += [parameter.opts[0], "1h" if "for" in parameter.opts[0] else "x"]
        elif "--no-follow" in parameter.secondary_opts:
            found.append("--no-follow")
        elif "--yes" in parameter.opts:
            found.append("--yes")
    return found
