"""``sla-monitor receivers``: who is told, how it stands with them, and trying them out."""

from __future__ import annotations

import asyncio

import click
import orjson

from monitor.bootstrap import courier_of
from monitor.cli.terminal.failing import FAILED
from monitor.cli.terminal.options import by_option, example, json_option, settings_option
from monitor.cli.terminal.output import Output
from monitor.config.agreements.checking import parse_document
from monitor.config.settings.settings import Settings
from monitor.core.alerts.alert import Alert, AlertKey, alert_id
from monitor.core.paging.delivery import FAILED as FAILED_RESULTS
from monitor.core.paging.notices import Courier, Notice, Outcome
from monitor.core.paging.pages import hash_of
from monitor.errors import ConfigError
from monitor.read_model.deliveries import newest_deliveries
from monitor.read_model.present import present_ms
from monitor.read_model.responses import respond, responses_of
from monitor.read_model.topics import read_all
from monitor.stream.partitions.clock import wall_ms
from monitor.wire.responses import Enable
from monitor.wire.times import READERS, instant
from monitor.wire.visible import printable


@click.group(epilog=example("sla-monitor receivers list", "sla-monitor receivers test on-call"))
def receivers() -> None:
    """List the receivers of on-call, try one out, and enable one that wanted no more."""


@receivers.command("list", epilog=example("sla-monitor receivers list"))
@settings_option
@json_option
def list_receivers(out: Output, settings: Settings) -> None:
    """List the receivers that published agreements name or that were told, and how it stands with each."""
    named = _named(settings)
    told = newest_deliveries(settings, out.note)
    responses = responses_of(settings)
    courier = _courier(settings)
    rows = []
    for receiver in sorted({*named, *(one.receiver for one in told)}):
        own = [one for one in told if one.receiver == receiver]
        delivered_ms = max((one.at_ms for one in own if one.result == "delivered"), default=None)
        gone_ms = max((one.at_ms for one in own if one.result == "gone"), default=None)
        enabled = responses.get(f"enable/{receiver}".encode())
        is_disabled = gone_ms is not None and gone_ms > max(delivered_ms or 0, enabled.at_ms if enabled else 0)
        is_described = courier is not None and courier.knows(receiver)
        waiting = sum(one.next_ms is not None for one in own)
        failed = sum(one.next_ms is None and one.result in FAILED_RESULTS for one in own)
        is_misconfigured = bool(own) and own[-1].result == "misconfigured"
        out.record(
            receiver=receiver,
            described=is_described,
            disabled=is_disabled,
            misconfigured=is_misconfigured,
            agreements=sorted(named.get(receiver, ())),
            delivered_ms=delivered_ms,
            waiting=waiting,
            failed=failed,
        )
        state = "ready" if is_described else "not in the settings"
        if is_misconfigured:
            state = f"misconfigured ({own[-1].status or own[-1].detail})"
        state = "disabled (410)" if is_disabled else state
        last = instant(delivered_ms, READERS) if delivered_ms is not None else "never"
        rows.append((receiver, state, ", ".join(sorted(named.get(receiver, ()))), last, str(waiting), str(failed)))
    if rows:
        out.table(("receiver", "state", "named by", "last delivered", "waiting", "failed"), rows)
    else:
        out.say("No receivers: no published agreement names one under notify.")


@receivers.command("test", epilog=example("sla-monitor receivers test on-call"))
@click.argument("name")
@settings_option
@json_option
def try_out(out: Output, settings: Settings, name: str) -> None:
    """Send a harmless test notice at once, and then its end: nothing stays open.

    It goes out from here, not from a worker: no Kafka is needed.
    """
    courier = courier_of(settings)
    if not courier.knows(name):
        out.note(f"error, for the author of the settings: they describe no receiver {printable(name.encode())!r}")
        click.get_current_context().exit(FAILED)
    outcomes = asyncio.run(_deliver(courier, trial_notices(settings.app_id, name, wall_ms()), name))
    for action, outcome in outcomes:
        out.record(receiver=name, action=action, result=outcome.kind, status=outcome.status, detail=outcome.detail)
        shown = f"{outcome.status or ''} {outcome.detail}".strip()
        out.say(
            f"{action}: {outcome.kind} {shown}".rstrip(), style="green" if outcome.kind == "delivered" else "bold red"
        )
    if any(outcome.kind != "delivered" for _, outcome in outcomes):
        click.get_current_context().exit(FAILED)


@receivers.command(epilog=example("sla-monitor receivers enable on-call"))
@click.argument("name")
@by_option
@settings_option
@json_option
def enable(out: Output, settings: Settings, name: str, by: str) -> None:
    """Tell a receiver again that has answered 410; what waits for it goes out at once."""
    if name not in _named(settings) and all(one.receiver != name for one in newest_deliveries(settings, out.note)):
        out.note(f"error, for whoever runs this: nobody names a receiver {printable(name.encode())!r}")
        click.get_current_context().exit(FAILED)
    respond(settings, Enable(receiver=name, at_ms=asyncio.run(present_ms(settings)), by=by))
    out.record(receiver=name, by=by)
    out.say(f"{name} is told again.", style="green")


def trial_notices(installation: str, name: str, now_ms: int) -> list[Notice]:
    """Return a test notice and its end."""
    key = AlertKey("ticket", "test", "test", "test", 1)
    page = f"{installation}/test/{name}/{now_ms}"
    title = "Test of sla-monitor: nothing is wrong"
    labels = {"agreement": "test", "promise": "test"}
    begun = Alert(alert_id(key, "breached", "", now_ms), key, "breached", now_ms, "due", 1, labels)
    ended = begun._replace(id=alert_id(key, "resolved", "", now_ms), state="resolved", reason="stopped")
    first = Notice(
        hash_of(page, "1"), page, "trigger", "info", now_ms, title, (begun,), is_test=True, installation=installation
    )
    return [first, first._replace(id=hash_of(page, "2"), action="resolve", alerts=(ended,))]


async def _deliver(courier: Courier, notices: list[Notice], name: str) -> list[tuple[str, Outcome]]:
    outcomes: list[tuple[str, Outcome]] = []
    for notice in notices:
        outcomes.append((notice.action, await courier.deliver(name, notice)))
        if outcomes[-1][1].kind != "delivered":
            break
    return outcomes


def _named(settings: Settings) -> dict[str, set[str]]:
    """Return the receivers that published agreements name, with the ids of these agreements."""
    documents = {record.key: record.value for record in asyncio.run(read_all(settings, settings.topics.agreements))}
    found: dict[str, set[str]] = {}
    for value in documents.values():
        try:
            agreement = parse_document(orjson.loads(value or b"null"), "published").agreement
        except (orjson.JSONDecodeError, ConfigError):
            continue
        for receiver in agreement.notify.everybody():
            found.setdefault(receiver, set()).add(agreement.id)
    return found


def _courier(settings: Settings) -> Courier | None:
    try:
        return courier_of(settings)
    except ConfigError:
        return None
