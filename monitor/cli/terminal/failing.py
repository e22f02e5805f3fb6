"""How commands fail: one line on stderr that names who must act, and an exit code; never a traceback for our errors."""

from __future__ import annotations

import logging
from typing import Any, Final

import click

from monitor.errors import AccessError, BrokerError, ConfigError, DecodeError, SlaMonitorError, StateError
from monitor.wire.visible import for_terminal

FAILED: Final = 1
MISUSED: Final = 2
BROKEN: Final = 3
DIFFERENT: Final = 4
INTERRUPTED: Final = 130

EXIT_CODES: Final = {
    0: "all is well",
    FAILED: "it failed, or found mistakes",
    MISUSED: "the command was used wrongly",
    BROKEN: "a promise is broken (status)",
    DIFFERENT: "what was judged differs from what is recomputed (recompute)",
    INTERRUPTED: "it was interrupted",
}
"""What each exit code means, for all commands."""

_WHO: Final[tuple[tuple[type[SlaMonitorError], str], ...]] = (
    (ConfigError, "the author of the file"),
    (AccessError, "who keeps the security settings"),
    (BrokerError, "the operator of Kafka"),
    (DecodeError, "the producer of the record"),
    (StateError, "the operator of the worker"),
)

# Without a handler their complaints, which we tell in our own words, would go to stderr too.
for _name in ("aiokafka", "faust", "mode", "asyncio"):
    logging.getLogger(_name).addHandler(logging.NullHandler())


class Commands(click.Group):
    """The root of the commands: turns their exceptions into a line and an exit code."""

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - click's own signature
        """Run the command."""
        try:
            return super().invoke(ctx)
        except SlaMonitorError as error:
            tell(error)
            ctx.exit(FAILED)
        except KeyboardInterrupt:
            ctx.exit(INTERRUPTED)


def tell(error: SlaMonitorError) -> None:
    """Print an error on stderr, with who must act. All mistakes of files come first, each on its line."""
    who = next((who for kind, who in _WHO if isinstance(error, kind)), "whoever runs this")
    text = str(error)
    if isinstance(error, ConfigError):
        click.echo(for_terminal(text), err=True)
        count = len(error.mistakes)
        text = "1 mistake to correct" if count == 1 else f"{count} mistakes to correct"
        if {mistake.file for mistake in error.mistakes} <= {"environment", "command line"}:
            who = "whoever runs this"
    click.echo(for_terminal(f"error, for {who}: {' '.join(text.split())}"), err=True)
