"""``sla-monitor settings``: the value of each setting, and its origin."""

from __future__ import annotations

import os
from pathlib import Path

import click

from monitor.cli.terminal.options import BOOTSTRAP_VARIABLE, example, json_option, read_settings
from monitor.cli.terminal.output import Output
from monitor.config.settings.settings import shown


@click.command(epilog=example("SLA_MONITOR_TOPICS_PARTITIONS=16 sla-monitor settings --settings monitor.yaml"))
@click.option("--settings", "file", type=click.Path(path_type=Path, dir_okay=False), help="Settings file (YAML).")
@click.option("--bootstrap", metavar="HOST:PORT", help="Kafka brokers; comes before file and environment.")
@json_option
def settings(out: Output, file: Path | None, bootstrap: str | None) -> None:
    """Show every setting with its value and its origin.

    The origin is a line of the file, a variable, or the default. Secrets are not shown.
    """
    rows = [
        one._replace(origin="--bootstrap") if bootstrap and one.origin == BOOTSTRAP_VARIABLE else one
        for one in shown(read_settings(file, bootstrap))
    ]
    for one in rows:
        out.record(
            name=one.name,
            value=one.value,
            origin=one.origin,
            variable=one.variable or None,
            description=one.description,
        )
    out.table(("setting", "value", "from"), [(one.name, one.value, one.origin) for one in rows])
    if not file and not os.environ.get("SLA_MONITOR_SETTINGS"):
        out.say("No settings file: name one with --settings or SLA_MONITOR_SETTINGS.", style="dim")
