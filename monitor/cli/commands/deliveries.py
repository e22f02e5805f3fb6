"""``sla-monitor deliveries``: the result of each notice, alerts that nobody was told of, and resending."""

from __future__ import annotations

import asyncio
from typing import Final

import click
import msgspec
from rich.text import Text

from monitor.cli.terminal.failing import FAILED
from monitor.cli.terminal.options import by_option, example, json_option, settings_option
from monitor.cli.terminal.output import Output
from monitor.config.settings.settings import Settings
from monitor.core.paging import delivery
from monitor.read_model.deliveries import newest_deliveries, read_deliveries
from monitor.read_model.present import present_ms
from monitor.read_model.responses import respond
from monitor.wire.envelopes import DeliveryData
from monitor.wire.responses import Resend
from monitor.wire.times import READERS, instant
from monitor.wire.visible import printable
from monitor.wire.wording import plural

_STYLES: Final = {
    "delivered": "green",
    **dict.fromkeys(("rejected", "misconfigured", "expired", "gone"), "bold red"),
}
_WAITS_FOR_SOMEBODY: Final = frozenset({"gone", "misconfigured"})


@click.group(
    invoke_without_command=True,
    epilog=example(
        "sla-monitor deliveries --failed",
        "sla-monitor deliveries --not-told",
        "sla-monitor deliveries resend 9c8b0d2a7f1e4c5db6a3f0e1d2c4b5a6",
    ),
)
@click.option(
    "--failed",
    is_flag=True,
    help="Only what was refused or has expired, and what waits for somebody to mend or enable its receiver.",
)
@click.option("--not-told", is_flag=True, help="The alerts that nobody was told of instead, each with the reason.")
@click.option("--receiver", metavar="NAME", help="Only to this receiver.")
@click.option("--last", type=click.IntRange(min=1), default=50, show_default=True, help="How many, the newest.")
@settings_option
@json_option
@click.pass_context
def deliveries(
    ctx: click.Context,
    out: Output,
    settings: Settings,
    failed: bool,  # noqa: FBT001 - click's
    not_told: bool,  # noqa: FBT001 - click's
    receiver: str | None,
    last: int,
) -> None:
    """List the notices to on-call with what became of each, the newest last."""
    if ctx.invoked_subcommand is not None:
        return
    told = read_deliveries(settings, out.note)
    if not_told:
        _show_not_told(out, told.not_told, last)
        return
    found = [
        one
        for one in told.notices
        if receiver in (None, one.receiver)
        and (not failed or one.result in delivery.FAILED or one.result in _WAITS_FOR_SOMEBODY)
    ]
    for one in found[-last:]:
        out.record(**msgspec.to_builtins(one))
    if told.not_told:
        count = plural(len(told.not_told), "alert was", "alerts were")
        out.say(f"{count} told to nobody: sla-monitor deliveries --not-told", style="dim")
    if not found:
        out.say("No deliveries.")
        return
    out.table(
        ("id", "at", "receiver", "what", "result", "tries", "status", "title"),
        [
            (
                one.notice,
                instant(one.at_ms, READERS, seconds=True),
                one.receiver,
                one.action,
                Text(one.result, _STYLES.get(one.result, "yellow")),
                str(one.attempt),
                f"{one.status or ''} {one.detail}".strip(),
                printable(one.title.encode()),
            )
            for one in found[-last:]
        ],
    )
    of = plural(len(found), "notice")
    out.say(f"{len(found[-last:])} of {of}. Send a failed one again: sla-monitor deliveries resend ID", style="dim")


def _show_not_told(out: Output, found: list[DeliveryData], last: int) -> None:
    shown = found[-last:]
    for one in shown:
        out.record(**msgspec.to_builtins(one))
    if not found:
        out.say("Of every alert somebody was told.")
        return
    out.table(
        ("at", "alert", "reason", "until", "title", "why"),
        [
            (
                instant(one.at_ms, READERS, seconds=True),
                printable(one.key.encode()),
                Text(one.reason or "", "yellow"),
                "" if one.next_ms is None else instant(one.next_ms, READERS),
                printable(one.title.encode()),
                one.detail,
            )
            for one in shown
        ],
    )
    out.say(f"{len(shown)} of {plural(len(found), 'alert')} that nobody was told of.", style="dim")


@deliveries.command(epilog=example("sla-monitor deliveries resend 9c8b0d2a7f1e4c5db6a3f0e1d2c4b5a6"))
@click.argument("notice_id", metavar="ID")
@by_option
@settings_option
@json_option
def resend(out: Output, settings: Settings, notice_id: str, by: str) -> None:
    """Have a failed notice sent again, with what failed of its page after it.

    ID is that of the list. The worker that owns the page sends it, under the same id. What failed is kept for 7 days.
    """
    found = next((one for one in newest_deliveries(settings, out.note) if one.notice == notice_id), None)
    if found is None or found.result not in delivery.FAILED or found.next is not None:
        why = "there is no such notice" if found is None else f"it is {found.result}"
        if found is not None and found.next_ms is not None:
            why += f" and is tried again by itself at {instant(found.next_ms, READERS)}"
        out.note(f"error, for whoever runs this: {notice_id} cannot be sent again: {why}")
        click.get_current_context().exit(FAILED)
    respond(settings, Resend(notice=notice_id, at_ms=asyncio.run(present_ms(settings)), by=by))
    out.record(notice=notice_id, receiver=found.receiver, key=found.key, by=by)
    out.say(f"Asked for: {found.action} to {found.receiver}. See sla-monitor deliveries.", style="green")
