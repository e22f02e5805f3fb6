"""The root of the commands: the options of ``sla-monitor`` itself."""

from __future__ import annotations

import click

from monitor.cli.commands.ack import ack
from monitor.cli.commands.agreement_show import show as _show_agreement
from monitor.cli.commands.agreements import agreements
from monitor.cli.commands.check import check
from monitor.cli.commands.completion import completion
from monitor.cli.commands.dead_letters import dead_letters
from monitor.cli.commands.deliveries import deliveries
from monitor.cli.commands.demo import demo
from monitor.cli.commands.explain import explain_command
from monitor.cli.commands.health import health
from monitor.cli.commands.init import init
from monitor.cli.commands.receivers import receivers
from monitor.cli.commands.recompute import recompute
from monitor.cli.commands.replay import replay
from monitor.cli.commands.report import report
from monitor.cli.commands.schema import schema
from monitor.cli.commands.settings import settings
from monitor.cli.commands.silence import silence
from monitor.cli.commands.simulate import simulate
from monitor.cli.commands.statements import statements
from monitor.cli.commands.status import status
from monitor.cli.commands.tail import tail
from monitor.cli.commands.topics import topics
from monitor.cli.commands.traffic import traffic
from monitor.cli.commands.web import web
from monitor.cli.commands.worker import worker
from monitor.cli.terminal.failing import EXIT_CODES, Commands

__all__ = ["root"]


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="\n\n".join(
        (
            "Try it without installing anything else:  sla-monitor demo",
            "\n".join(("\b", "Exit codes:", *(f"  {code:<4} {text}" for code, text in EXIT_CODES.items()))),
        )
    ),
)
@click.version_option(package_name="sla-monitor", prog_name="sla-monitor")
def root() -> None:
    """Watch service level agreements on tickets, calls, outages and leads while they happen.

    Events come in over Kafka; alerts, figures and statements go out, and /metrics serves Prometheus. What is promised
    stands in agreement files. Settings come from a file (--settings) and from the environment (SLA_MONITOR_…).
    """


agreements.add_command(_show_agreement)
for _command in (
    demo,
    init,
    worker,
    web,
    health,
    topics,
    check,
    agreements,
    schema,
    dead_letters,
    status,
    explain_command,
    statements,
    report,
    tail,
    deliveries,
    ack,
    silence,
    receivers,
    replay,
    settings,
    completion,
    traffic,
    simulate,
    recompute,
):
    root.add_command(_command)
