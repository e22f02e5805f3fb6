"""``sla-monitor tail``: follow the alerts, status, statements and finished reports of the monitor."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import aclosing
from typing import Final, Literal, get_args

import click
from aiokafka.structs import ConsumerRecord
from rich.text import Text

from monitor.cli.terminal.options import example, json_option, settings_option
from monitor.cli.terminal.output import STYLES, Output
from monitor.config.settings.settings import Settings
from monitor.core.alerts.alert import Alert
from monitor.core.objectives.status import WindowStatus
from monitor.core.windows.reports import FinishedReport, ReportReason
from monitor.errors import DecodeError
from monitor.read_model.topics import committed
from monitor.wire.announcements import decode_alert, decode_statement, decode_status
from monitor.wire.finished_reports import decode_report
from monitor.wire.times import READERS, duration, instant
from monitor.wire.wording import quantity, stretch, summary

What = Literal["alerts", "status", "statements", "reports"]


@click.command(epilog=example("sla-monitor tail alerts", "sla-monitor tail statements --no-follow --json"))
@click.argument("what", type=click.Choice(get_args(What)))
@click.option("--from-start", is_flag=True, help="Begin with the oldest that is kept, not with what comes next.")
@click.option("--follow/--no-follow", default=True, help="Wait for more (the default), or tell what is there and end.")
@click.option("--for", "for_s", type=click.FloatRange(min=0, min_open=True), metavar="SECONDS", help="End after that.")
@click.option("--stretches", is_flag=True, help="Show below each alert what its elapsed time is made of.")
@settings_option
@json_option
def tail(
    out: Output,
    settings: Settings,
    what: What,
    from_start: bool,  # noqa: FBT001 - click's
    follow: bool,  # noqa: FBT001 - click's
    for_s: float | None,
    stretches: bool,  # noqa: FBT001 - click's
) -> None:
    """Print alerts, status, statements or finished reports as they come.

    Only what was committed is read. Times are in your zone (TZ); with --json the records
    are printed as they are on the topic.
    """
    try:
        begin = from_start or not follow
        asyncio.run(_follow(out, settings, what, from_start=begin, follow=follow, for_s=for_s, stretches=stretches))
    except KeyboardInterrupt:
        if not follow:
            raise
        # Ctrl-C is how one stops following.


async def _follow(
    out: Output,
    settings: Settings,
    what: What,
    *,
    from_start: bool,
    follow: bool,
    for_s: float | None,
    stretches: bool,
) -> None:
    topic = getattr(settings.topics, what)
    until = None if for_s is None else time.monotonic() + for_s
    async with aclosing(committed(settings, [topic], from_start=from_start, follow=follow)) as lots:
        async for records in lots:
            for record in records:
                _print(out, what, record, stretches=stretches)
            if until is not None and time.monotonic() >= until:
                return


def _print(out: Output, what: What, record: ConsumerRecord, *, stretches: bool) -> None:
    if record.value is None:
        return
    try:
        line = _LINES[what](record.value)
    except DecodeError as error:
        out.note(f"{record.topic}/{record.partition}/{record.offset} is none of ours: {error}")
        return
    if out.as_json:
        out.raw(record.value)
    else:
        out.say(line)
        if stretches and what == "alerts":
            for text in stretch_lines(decode_alert(record.value)):
                out.say(text)


def alert_line(value: bytes) -> Text:
    """Return an alert as one line: instant, state and sentence."""
    alert = decode_alert(value)
    return Text.assemble(
        (instant(alert.at_ms, READERS, seconds=True), "dim"),
        " ",
        (f"{alert.state:<8}", STYLES.get(alert.state, "")),
        " ",
        summary(alert, READERS),
    )


def stretch_lines(alert: Alert) -> list[str]:
    """Return the stretches of an alert's clock, one a line, the oldest first."""
    if alert.stretches is None:
        return []
    newest, left_out, left_out_ms, counted_ms = alert.stretches
    lines = [f"    {left_out} older: {duration(left_out_ms)}, of it {duration(counted_ms)} open"] if left_out else []
    return lines + [
        f"    {instant(one.start_ms, READERS)} – {instant(one.end_ms, READERS)}  "
        f"{duration(one.end_ms - one.start_ms)} {stretch(one)}"
        for one in newest
    ]


def status_line(status: WindowStatus) -> Text:
    """Return a status or a statement as one line: whose, which window, the figures, and the verdicts."""
    series = "/".join((status.series.agreement, status.series.measure, *status.series.values))
    figures = ", ".join(
        f"{one.indicator} {quantity(one.unit, one.value)}" for one in status.figures if one.value is not None
    )
    at_ms = status.to_ms if status.closed else status.as_of_ms
    window = f"{status.window} from {instant(status.from_ms, READERS)}" if status.closed else status.window
    line = Text.assemble(
        (instant(at_ms, READERS, seconds=True), "dim"),
        " ",
        (series, "bold"),
        f" {window}: {figures or 'no figures yet'}",
    )
    for verdict in status.verdicts:
        line.append(f" | {verdict.objective} ")
        line.append(verdict.verdict.replace("_", " "), STYLES.get(verdict.verdict, ""))
    return line


def report_line(report: FinishedReport) -> Text:
    """Return the announcement of a finished report as one line: when, whose, for whom, and by when it is promised.

    Its period and due instant are in the zone of the agreement.
    """
    line = Text.assemble(
        (instant(report.as_of_ms, READERS, seconds=True), "dim"),
        " ",
        (f"{report.agreement} {report.period}", "bold"),
        f" for {report.receiver}, version {report.version}: {_REASONS[report.reason]}, "
        f"due {instant(report.due_ms, report.zone)}",
    )
    if report.statistics:
        line.append(f" | {', '.join(report.statistics)}")
    return line


_REASONS: Final[dict[ReportReason, str]] = {
    "closed": "the period is closed",
    "cohort": "a promise that outlasts the period is stated",
    "late": "stated late",
}
"""Why a report is announced, in words."""
_LINES: Final[dict[What, Callable[[bytes], Text]]] = {
    "alerts": alert_line,
    "status": lambda value: status_line(decode_status(value)),
    "statements": lambda value: status_line(decode_statement(value)),
    "reports": lambda value: report_line(decode_report(value)),
}
