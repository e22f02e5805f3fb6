"""The compose file as a test reads it, and its commands as they run without Docker."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import click
import yaml

from monitor.cli.root import root

ROOT = Path(__file__).parents[2]
FILE = ROOT / "docker-compose.yml"
_VARIABLE = re.compile(r"\$\$|\$\{[A-Z0-9_]+:-([^}]*)\}")


def services() -> dict[str, Any]:
    """All services, with variables at their defaults."""
    return yaml.safe_load(interpolated(FILE.read_text()))["services"]


def interpolated(text: str) -> str:
    return _VARIABLE.sub(lambda found: "$" if found[0] == "$$" else found[1], text)


def ours(found: dict[str, Any]) -> dict[str, Any]:
    """The services that run this program."""
    return {name: one for name, one in found.items() if one["image"].startswith("sla-monitor:")}


def parse(arguments: list[str]) -> None:
    """Have click parse a command line without running it.

    Raises:
        click.UsageError: there is no such command, or it does not take that.
    """
    context = root.make_context("sla-monitor", list(arguments))
    command: click.Command = root
    rest = [*context._protected_args, *context.args]
    while isinstance(command, click.Group) and (rest or not command.invoke_without_command):
        name, found, rest = command.resolve_command(context, rest)
        assert found is not None
        command = found
        context = command.make_context(name, rest, parent=context)
        if isinstance(command, click.Group):
            rest = [*context._protected_args, *context.args]
