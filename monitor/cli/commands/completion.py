"""``sla-monitor completion``: the script with which a shell completes commands and options."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from monitor.cli.terminal.options import example


@click.command(
    epilog=example(
        'eval "$(sla-monitor completion bash)"                    # in ~/.bashrc',
        'eval "$(sla-monitor completion zsh)"                     # in ~/.zshrc',
        "sla-monitor completion fish > ~/.config/fish/completions/sla-monitor.fish",
    )
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print a script that completes commands and options in a shell."""
    found = get_completion_class(shell)
    assert found is not None
    click.echo(found(ctx.find_root().command, {}, "sla-monitor", "_SLA_MONITOR_COMPLETE").source())
