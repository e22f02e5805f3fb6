"""``sla-monitor status``: how things stand, once or all the time."""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing
from typing import Final

import click
import orjson
from rich.console import Group, RenderableType
from rich.live import Live
from rich.text import Text

from monitor.cli.terminal.failing import BROKEN
from monitor.cli.terminal.options import example, json_option, settings_option
from monitor.cli.terminal.output import STYLES, Output, table_of
from monitor.cli.terminal.progress import LEAST, progress
from monitor.config.settings.settings import Settings
from monitor.read_model.overview import Line, Out, Overview, Seen
from monitor.read_model.terms import is_warned_of, term_text
from monitor.read_model.topics import committed
from monitor.stream.partitions.clock import wall_ms
from monitor.wire.outcome_words import sample_text
from monitor.wire.promises import promises_of
from monitor.wire.times import READERS, duration, instant
from monitor.wire.wording import explain, plural

SHOWN: Final = 20
PICTURE_S: Final = 1.0


@click.command(
    epilog=example(
        "sla-monitor status",
        "sla-monitor status --agreement it-service-desk --watch",
        "sla-monitor status --json | jq .alerts",
    )
)
@click.option("--agreement", metavar="ID", help="Only of this agreement.")
@click.option("--watch", is_flag=True, help="Go on, and show every second how things stand; Ctrl-C ends it.")
@click.option("--for", "for_s", type=click.FloatRange(min=0, min_open=True), metavar="SECONDS", help="Watch so long.")
@click.option("--all", "show_all", is_flag=True, help=f"Show all lines, not the {SHOWN} worst of each table.")
@settings_option
@json_option
def status(
    out: Output,
    settings: Settings,
    agreement: str | None,
    watch: bool,  # noqa: FBT001 - click's
    for_s: float | None,
    show_all: bool,  # noqa: FBT001 - click's
) -> None:
    """Show what is promised, what became of it, and what is at risk now, with the time that is left.

    Worst first. It is read from the topics: what the workers have committed. The exit code is 3 while a promise is
    broken, and 0 otherwise. Times are in your zone (TZ). With --json each picture is one line; while watching, one
    whenever something has changed.
    """
    limit = None if show_all else SHOWN
    if watch or for_s is not None:
        try:
            last = asyncio.run(_watch(out, settings, agreement, limit, for_s))
        except KeyboardInterrupt:
            return  # that is how one stops watching
    else:
        last = asyncio.run(_once(out, settings, agreement, limit))
    if last is not None and last.breached:
        click.get_current_context().exit(BROKEN)


def _topics(settings: Settings) -> list[str]:
    one = settings.topics
    return [one.agreements, one.status, one.alerts, one.markers]


async def _once(out: Output, settings: Settings, agreement: str | None, limit: int | None) -> Overview:
    seen = Seen(settings.topics)
    with progress(least=LEAST, transient=True) as on_progress:
        lots = committed(settings, _topics(settings), on_progress=lambda done, total: on_progress("read", done, total))
        async for records in lots:
            seen.take(records)
    found = seen.overview(seen.clock.at(wall_ms()), agreement)
    if out.as_json:
        out.raw(orjson.dumps(found.as_json()))
    else:
        out.console.print(picture(found, limit))
    if seen.unreadable:
        out.note(f"warning: {plural(seen.unreadable, 'record')} could not be read by this version of the monitor")
    return found


async def _watch(
    out: Output, settings: Settings, agreement: str | None, limit: int | None, for_s: float | None
) -> Overview | None:
    seen, found, told = Seen(settings.topics), None, b""
    until = None if for_s is None else time.monotonic() + for_s
    shown_at = -PICTURE_S
    live = Live(console=out.console, auto_refresh=False) if out.is_terminal and not out.as_json else None
    async with aclosing(committed(settings, _topics(settings), follow=True)) as lots:
        try:
            async for records in lots:
                seen.take(records)
                now = time.monotonic()
                # Only once it has read what was there: half of it is no picture.
                if not records and now - shown_at >= PICTURE_S:
                    shown_at, found = now, seen.overview(seen.clock.at(wall_ms()), agreement)
                    if live is not None:
                        live.start()
                        live.update(picture(found, limit), refresh=True)
                    elif (changed := _fingerprint(found)) != told:
                        told = changed
                        if out.as_json:
                            out.raw(orjson.dumps(found.as_json()))
                        else:
                            out.console.print(picture(found, limit))
                if until is not None and now >= until:
                    break
        finally:
            if live is not None:
                live.stop()
    return found


def _fingerprint(found: Overview) -> bytes:
    """Return the parts of a picture that change by more than the passing of time."""
    still = found._replace(now_ms=0, as_of_ms=None, out=tuple(one._replace(remaining_ms=None) for one in found.out))
    lines = tuple(one._replace(status=one.status._replace(as_of_ms=0)) for one in found.lines)
    return orjson.dumps(still._replace(lines=lines).as_json())


def picture(found: Overview, limit: int | None) -> RenderableType:
    """Return an overview as people see it."""
    parts: list[RenderableType] = [_headline(found)]
    if found.out:
        shown = found.out[:limit]
        rows = [(*_out_row(one), *_said_by(found, one)) for one in shown]
        heads = ("now", "what", "promise", "time left", "due", "", *_SAID_BY[: found.has_levels])
        parts += ["", table_of(heads, rows), *_more(found.out, shown)]
    if found.lines:
        lines = found.lines[:limit]
        columns = ("verdict", "objective", "for", "window", "value", "target", "of", *_SAID_BY[: found.has_levels])
        parts += ["", table_of(columns, [
            (
                Text(one.verdict.verdict.replace("_", " "), STYLES.get(one.verdict.verdict, "")),
                f"{one.status.series.agreement} {one.verdict.objective}",
                one.about,
                one.status.window,
                *one.figures,
                sample_text(one.status, one.verdict),
                *_said_by(found, one),
            )
            for one in lines
        ]), *_more(found.lines, lines)]  # fmt: skip
    if found.agreements:
        heads = ("agreement", "version", "customer", "service", "status", "promises", "term")
        parts += ["", table_of(heads, [
            (one.id, str(one.version), one.customer, one.service, one.status, str(len(promises_of(one))),
             Text(term_text(one, found.now_ms), "yellow" if is_warned_of(one, found.now_ms) else ""))
            for one in found.agreements
        ])]  # fmt: skip
    for one in found.agreements:
        if is_warned_of(one, found.now_ms):
            parts.append(Text(f"warning: {one.id} {term_text(one, found.now_ms)}", "yellow"))
    return Group(*parts)


_SAID_BY: Final = ("said by",)


def _said_by(found: Overview, one: Line | Out) -> tuple[str, ...]:
    """Return the cell that tells which level says a target; none where there are no levels."""
    if not found.has_levels:
        return ()
    origin = found.origin_of(one)
    return (f"{origin.agreement} v{origin.version}" if origin else "",)


def _headline(found: Overview) -> Text:
    if not found.agreements:
        return Text("Nothing is promised: sla-monitor agreements apply DIR")
    line = Text(f"as of {instant(found.now_ms, READERS, seconds=True)}  ", "dim")
    for count, word, style in ((found.breached, "broken", "breached"), (found.at_risk, "at risk", "at_risk")):
        line.append(f"{count} {word}", STYLES[style] if count else "dim").append("  ")
    kept = sum(one.verdict.verdict in ("met", "on_track") for one in found.lines)
    line.append(f"{plural(kept, 'objective')} kept", STYLES["met"] if kept else "dim")
    if found.as_of_ms is None:
        line.append("  nothing was judged yet: does a worker run?", "yellow")
    elif found.late_ms is not None:
        line.append(f"  judged last {duration(found.late_ms, days=True)} ago", "yellow")
    return line


def _out_row(one: Out) -> tuple[str | Text, ...]:
    alert, style = one.alert, STYLES.get(one.alert.state, "")
    told = explain(alert, READERS)
    if one.remaining_ms is None:
        left = told.get("value", "")
    else:
        late = one.remaining_ms < 0
        left = f"{duration(abs(one.remaining_ms), days=True)}{' late' if late else ''}"
    who = ", ".join(f"{name} {value}" for name, value in (alert.labels | dict(alert.details)).items() if name in _WHO)
    return (
        Text("broken" if alert.state == "breached" else "at risk", style),
        f"{alert.key.kind} {alert.key.what}",
        f"{alert.key.agreement} {alert.key.promise}",
        Text(left, style),
        told.get("due", told.get("target", "")),
        who,
    )


_WHO: Final = frozenset({"customer", "service", "priority", "queue", "team"})


def _more(found: tuple[object, ...], shown: tuple[object, ...]) -> list[RenderableType]:
    hidden = len(found) - len(shown)
    return [Text(f"… and {hidden} more: --all", "dim")] if hidden else []
