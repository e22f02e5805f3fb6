"""``sla-monitor ack``: somebody looks after it."""

from __future__ import annotations

import asyncio

import click

from monitor.cli.terminal.failing import FAILED
from monitor.cli.terminal.options import by_option, example, json_option, settings_option
from monitor.cli.terminal.output import Output
from monitor.config.settings.settings import Settings
from monitor.read_model.deliveries import newest_deliveries
from monitor.read_model.present import present_ms
from monitor.read_model.responses import respond
from monitor.read_model.topics import read_all
from monitor.wire.responses import Acknowledgement
from monitor.wire.visible import printable


@click.command(epilog=example("sla-monitor ack ticket/T-1042/it-service-desk/resolution/1 --note 'on my way'"))
@click.argument("key", metavar="ALERT-OR-PAGE-KEY")
@by_option
@click.option("--note", default="", help="A word to those who read along.")
@settings_option
@json_option
def ack(out: Output, settings: Settings, key: str, by: str, note: str) -> None:
    """Acknowledge an alert, or all alerts of a page: nobody else is told of them.

    The clock and the figures go on. An alert that breaks afterwards is told as any other.
    """
    if not _is_known(out, settings, key):
        out.note(f"error, for whoever runs this: no alert and no page has the key {printable(key.encode())}")
        click.get_current_context().exit(FAILED)
    answer = Acknowledgement(target=key, at_ms=asyncio.run(present_ms(settings)), by=by, note=note)
    respond(settings, answer)
    out.record(target=key, at_ms=answer.at_ms, by=by, note=note)
    out.say(f"Acknowledged{f' by {by}' if by else ''}: nobody else is told of it.", style="green")


def _is_known(out: Output, settings: Settings, key: str) -> bool:
    if any(one.key == key for one in newest_deliveries(settings, out.note)):
        return True
    return any(record.key == key.encode() for record in asyncio.run(read_all(settings, settings.topics.alerts)))
