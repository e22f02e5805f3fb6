"""``sla-monitor silence``: nobody is told for a while. The clocks and the figures go on."""

from __future__ import annotations

import asyncio

import click

from monitor.cli.terminal.failing import FAILED
from monitor.cli.terminal.options import by_option, example, json_option, settings_option
from monitor.cli.terminal.output import Output
from monitor.config.reading.quantities import positive_duration
from monitor.config.reading.shape import did_you_mean
from monitor.config.settings.settings import Settings
from monitor.read_model.present import present_ms
from monitor.read_model.responses import label_of, new_silence, respond, responses_of, withdraw
from monitor.read_model.topics import read_all
from monitor.wire.instants import rfc3339
from monitor.wire.responses import SilenceResponse, response_key
from monitor.wire.times import READERS, instant


@click.group(epilog=example("sla-monitor silence add --agreement it-service-desk --for 2h --reason 'data centre move'"))
def silence() -> None:
    """Mute alerts for a while: delivery and escalation stop, the clocks and the figures go on."""


class _Duration(click.ParamType):
    """``90s``, ``15m``, ``2h``, ``1d``: milliseconds."""

    name = "duration"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the milliseconds."""
        if isinstance(value, int):
            return value
        try:
            return positive_duration(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


@silence.command(
    epilog=example(
        "sla-monitor silence add --agreement network-operator --for 2h --reason 'planned work'",
        "sla-monitor silence add --agreement call-centre --promise asa --label queue=sales --for 30m",
    )
)
@click.option("--agreement", required=True, metavar="ID", help="Whose alerts.")
@click.option("--promise", default="", metavar="ID", help="Of this clock or objective only.")
@click.option("--label", "labels", multiple=True, metavar="NAME=VALUE", help="With this label only; may be repeated.")
@click.option("--for", "for_ms", type=_Duration(), required=True, metavar="DURATION", help="How long: 30m, 2h, 1d.")
@click.option("--reason", default="", help="Why, for those who wonder.")
@by_option
@settings_option
@json_option
def add(
    out: Output,
    settings: Settings,
    agreement: str,
    promise: str,
    labels: tuple[str, ...],
    for_ms: int,
    reason: str,
    by: str,
) -> None:
    """Begin a silence now. What is still out when it ends is told then."""
    try:
        wanted = dict(map(label_of, labels))
    except ValueError as error:
        raise click.UsageError(f"--label {error}.") from error
    known = {
        (record.key or b"").rpartition(b"/")[0].decode(errors="replace")
        for record in asyncio.run(read_all(settings, settings.topics.agreements))
    }
    if agreement not in known:
        hint = did_you_mean(agreement, known)
        out.note(f"error, for whoever runs this: no agreement {agreement!r} is published{f' ({hint})' if hint else ''}")
        click.get_current_context().exit(FAILED)
    now_ms = asyncio.run(present_ms(settings))
    begun = new_silence(agreement, for_ms, now_ms=now_ms, promise=promise, labels=wanted, reason=reason, by=by)
    respond(settings, begun)
    _record(out, begun)
    out.say(f"Silence {begun.id}: nobody is told until {instant(begun.until_ms, READERS)}.", style="green")
    out.say(f"End it earlier: sla-monitor silence expire {begun.id}", style="dim")


@silence.command("list", epilog=example("sla-monitor silence list --json"))
@click.option("--all", "with_past", is_flag=True, help="Those that have ended, too.")
@settings_option
@json_option
def list_silences(out: Output, settings: Settings, with_past: bool) -> None:  # noqa: FBT001 - click's
    """List the silences that hold."""
    now_ms = asyncio.run(present_ms(settings))
    found = sorted(
        (
            one
            for one in responses_of(settings).values()
            if isinstance(one, SilenceResponse) and (with_past or one.until_ms > now_ms)
        ),
        key=lambda one: one.until_ms,
    )
    for one in found:
        _record(out, one)
    if not found:
        out.say("No silences.")
        return
    out.table(
        ("id", "until", "agreement", "promise", "labels", "by", "reason"),
        [
            (
                one.id,
                instant(one.until_ms, READERS),
                one.agreement,
                one.promise or "all",
                _labels(one),
                one.by,
                one.reason,
            )
            for one in found
        ],
    )


@silence.command(epilog=example("sla-monitor silence expire 1f0c22ab"))
@click.argument("silence_id", metavar="ID")
@settings_option
@json_option
def expire(out: Output, settings: Settings, silence_id: str) -> None:
    """End a silence now: what is out is told."""
    one = responses_of(settings).get(f"silence/{silence_id}".encode())
    if not isinstance(one, SilenceResponse):
        out.note(f"error, for whoever runs this: there is no silence {silence_id}: see sla-monitor silence list")
        click.get_current_context().exit(FAILED)
    withdraw(settings, response_key(one))
    _record(out, one)
    out.say(f"Silence {silence_id} has ended.", style="green")


def _labels(one: SilenceResponse) -> str:
    return ", ".join(f"{name}={value}" for name, value in one.labels.items())


def _record(out: Output, one: SilenceResponse) -> None:
    out.record(
        id=one.id,
        agreement=one.agreement,
        promise=one.promise,
        labels=one.labels,
        at_ms=one.at_ms,
        until=rfc3339(one.until_ms),
        until_ms=one.until_ms,
        reason=one.reason,
        by=one.by,
    )
