"""The root of the commands: what belongs to ``sla-monitor`` itself."""

from __future__ import annotations

import click

from monitor.cli.ack import ack
from monitor.cli.agreement_show import show as _show_agreement
from monitor.cli.agreements import agreements
from monitor.cli.check import check
from monitor.cli.completion import completion
from monitor.cli.dead_letters import dead_letters
from monitor.cli.deliveries import deliveries
from monitor.cli.demo import demo
from monitor.cli.explain import explain_command
from monitor.cli.failing import EXIT_CODES, Commands
from monitor.cli.health import health
from monitor.cli.init import init
from monitor.cli.receivers import receivers
from monitor.cli.recompute import recompute
from monitor.cli.replay import replay
from monitor.cli.schema import schema
from monitor.cli.settings import settings
from monitor.cli.silence import silence
from monitor.cli.simulate import simulate
from monitor.cli.statements import statements
from monitor.cli.status import status
from monitor.cli.tail import tail
from monitor.cli.topics import topics
from monitor.cli.traffic import traffic
from monitor.cli.worker import worker

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
    health,
    topics,
    check,
    agreements,
    schema,
    dead_letters,
    status,
    explain_command,
    statements,
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
