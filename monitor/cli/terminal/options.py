"""Options that many commands share."""

from __future__ import annotations

import functools
import getpass
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import click

from monitor.cli.terminal.output import Output
from monitor.config.settings.settings import Settings, load_settings
from monitor.errors import ConfigError

Command = Callable[..., Any]
BOOTSTRAP_VARIABLE: Final = "SLA_MONITOR_BOOTSTRAP"


def json_option(command: Command) -> Command:
    """Add ``--json``; the command takes ``out``, where it prints."""

    @click.option("--json", "as_json", is_flag=True, help="Print JSON lines for machines.")
    @functools.wraps(command)
    def wrapped(*args: Any, as_json: bool, **kwargs: Any) -> Any:  # noqa: ANN401 - click's
        return command(*args, out=Output(as_json=as_json), **kwargs)

    return wrapped


def settings_option(command: Command) -> Command:
    """Add ``--settings`` and ``--bootstrap``; the command takes ``settings``."""

    @click.option(
        "--settings",
        "file",
        type=click.Path(path_type=Path, dir_okay=False),
        help="Settings file (YAML). Without it the one that SLA_MONITOR_SETTINGS names.",
    )
    @click.option("--bootstrap", metavar="HOST:PORT", help="Kafka brokers; comes before file and environment.")
    @functools.wraps(command)
    def wrapped(*args: Any, file: Path | None, bootstrap: str | None, **kwargs: Any) -> Any:  # noqa: ANN401 - click's
        return command(*args, settings=read_settings(file, bootstrap), **kwargs)

    return wrapped


def read_settings(file: Path | None, bootstrap: str | None = None) -> Settings:
    """Return the settings of a file and the environment, with the brokers that the command line names.

    Raises:
        ConfigError: all mistakes.
    """
    if not bootstrap:
        return load_settings(file, os.environ)
    try:
        return load_settings(file, {**os.environ, BOOTSTRAP_VARIABLE: bootstrap})
    except ConfigError as error:
        raise ConfigError(
            [
                replace(one, file="command line", path="--bootstrap") if one.path == BOOTSTRAP_VARIABLE else one
                for one in error.mistakes
            ]
        ) from None


def yes_option(command: Command) -> Command:
    """Add ``--yes``, which answers the question before something is written."""
    return click.option("--yes", is_flag=True, help="Do not ask.")(command)


def example(*lines: str) -> str:
    """Return the last part of a command's help: how it is called."""
    # click wraps no paragraph that begins with this character.
    return "\n".join(("\b", "Example:" if len(lines) == 1 else "Examples:", *(f"  {line}" for line in lines)))


def by_option(command: Command) -> Command:
    """Add ``--by``, who asks; the user of this machine if it is left out."""
    return click.option("--by", default=_user, metavar="NAME", help="Who asks. [default: your user name]")(command)


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a container's user may have no name
        return ""
