"""``sla-monitor report``: a finished period as pages, a spreadsheet or a table."""

from __future__ import annotations

import asyncio
import signal
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Final

import click

from monitor.cli.terminal.instants import Instant
from monitor.cli.terminal.options import example, json_option, settings_option
from monitor.cli.terminal.output import Output
from monitor.cli.terminal.places import try_places
from monitor.cli.terminal.progress import LEAST, progress
from monitor.cli.terminal.recorded import FILE, agreements_option, table_option
from monitor.config.agreements.checking import load_agreements
from monitor.config.settings.settings import Settings
from monitor.replay.files import replay_files
from monitor.reports.follower import write_announced
from monitor.reports.forms import FORMS, Form, check_form, forms_of, write
from monitor.reports.model import make_report
from monitor.reports.period import GRAMMAR
from monitor.reports.scope import scope_of
from monitor.reports.sources import Sources, from_replay
from monitor.reports.topics import read_report
from monitor.wire.times import instant

_STDOUT: Final = Path("-")


@click.command(
    epilog=example(
        "sla-monitor report acme --period 2026-11 --format pdf --out acme.pdf",
        "sla-monitor report --data incidents.csv.gz --mapping mapping.yaml --agreements agreements/",
        "sla-monitor report acme --data events.jsonl --agreements agreements/ --period 2026-Q4 --format xlsx",
        "sla-monitor report acme --data events.jsonl --agreements sla/ --customer finance --format pdf --out acme.pdf",
        "sla-monitor report --follow --out /srv/reports --format pdf --format xlsx",
    )
)
@click.argument("agreement_id", metavar="[AGREEMENT]", required=False)
@click.option("--period", "period_text", metavar="NAME", help=f"{GRAMMAR}.  [default: the newest closed one]")
@click.option("--customer", default="", metavar="NAME", help="Only what this customer may see, of its own figures.")
@click.option(
    "--format", "formats", multiple=True, type=click.Choice(FORMS), help="May be given several times.  [default: pdf]"
)
@click.option(
    "--out",
    "place",
    type=click.Path(path_type=Path),
    help="File (- is stdout), or a folder.  [default: named after the report]",
)
@click.option("--data", multiple=True, type=FILE, help="Recorded data; may be given several times.")
@click.option("--mapping", type=FILE, help="How rows become events. Without it the files hold events.")
@table_option
@agreements_option()
@click.option("--until", "until_ms", type=Instant(), help="With --data: where time ends.  [default: data]")
@click.option("--follow", is_flag=True, help="Write each report that is announced, as it is announced, for ever.")
@click.option(
    "--heartbeat",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="With --follow: touch this file at each look for announcements.",
)
@settings_option
@json_option
def report(
    out: Output,
    settings: Settings,
    *,
    agreement_id: str | None,
    period_text: str | None,
    customer: str,
    formats: tuple[str, ...],
    place: Path | None,
    follow: bool,
    heartbeat: Path | None,
    **recorded: Any,  # noqa: ANN401 - click's
) -> None:
    """Report a period of an agreement: objectives, missed targets, outages, leads, credits, and what is not counted.

    Without --data the topics are read: statements and alerts as they were judged. With --data recorded data is
    measured, without Kafka. AGREEMENT may be left out where only one measured something. A period that still runs
    can be reported by its name: its figures are those so far; with --data --until moves the end.

    With --follow the reports that agreements promise (reports) are written as soon as their periods are finished, also
    those that were announced before, into a folder for each agreement: --out, or the setting reports.folder. A file
    that is there is not written again.
    """
    is_recorded = any(one not in ((), None) for one in recorded.values())
    if follow:
        if is_recorded or agreement_id or period_text or customer:
            raise click.UsageError("--follow takes --out and --format only: the announcements name the rest.")
        _follow(out, settings, place, forms_of(formats), heartbeat)
        return
    forms = forms_of(formats) or _by_ending(place)
    for form in forms:
        check_form(form)
    if place is not None and len(forms) > 1 and not place.is_dir():
        raise click.BadParameter("several formats need a folder that exists", param_hint="--out")
    try_places([("--out", None if place is None or place.is_dir() else place)])
    if is_recorded:
        sources = _from_data(**recorded)
        made = make_report(sources, scope_of(sources, agreement_id, period_text, customer))
    else:
        with progress(least=LEAST) as on_progress:
            choose = partial(scope_of, agreement_id=agreement_id, period_text=period_text, customer=customer)
            made = asyncio.run(read_report(settings, choose, on_progress))
    for form in forms:
        content = write(made, form, tell=lambda text: out.note(f"note: {text}"))
        path = _file(place, f"{made.name}.{form}")
        if path == _STDOUT:
            click.get_binary_stream("stdout").write(content)
            continue
        path.write_bytes(content)
        out.say(
            f"{path}: {made.agreement.id}, {made.period.title}, as of {instant(made.as_of_ms, made.agreement.zone)}."
        )
        out.record(
            file=str(path), format=form, agreement=made.agreement.id, version=made.agreement.version,
            customer=made.customer or None, period=made.period.name, from_ms=made.period.from_ms,
            to_ms=made.period.to_ms, closed=made.is_closed, as_of_ms=made.as_of_ms, kept=made.kept,
            missed=made.missed, undecided=made.undecided,
        )  # fmt: skip


def _follow(out: Output, settings: Settings, place: Path | None, forms: list[Form], heartbeat: Path | None) -> None:
    folder = place if place is not None or settings.reports.folder is None else Path(settings.reports.folder)
    if folder is None:
        raise click.UsageError("--follow needs a folder: --out, or reports.folder in the settings.")
    forms = forms or forms_of(settings.reports.formats or ["pdf"])
    for form in forms:
        check_form(form)
    try_places([("--out", folder / "report")])
    # Ctrl-C is how one stops following; SIGTERM is how systemd and containers do.
    with suppress(KeyboardInterrupt, asyncio.CancelledError):
        asyncio.run(_write_announced(out, settings, folder, forms, heartbeat))


async def _write_announced(
    out: Output, settings: Settings, folder: Path, forms: list[Form], heartbeat: Path | None
) -> None:
    task = asyncio.current_task()
    assert task is not None  # this is a coroutine of one
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    looked = (lambda: None) if heartbeat is None else heartbeat.touch
    async for one in write_announced(settings, folder, forms, out.note, follow=True, looked=looked):
        for path in one.files:
            out.say(f"{path}: {one.report.agreement.id}, {one.report.period.title}, for {one.announced.receiver}.")
            out.record(
                file=str(path), agreement=one.report.agreement.id, period=one.report.period.name,
                receiver=one.announced.receiver, customer=one.report.customer or None, reason=one.announced.reason,
                due_ms=one.announced.due_ms,
            )  # fmt: skip


def _by_ending(place: Path | None) -> list[Form]:
    """Return the form that the name of the file asks for, else pages to print."""
    ending = "" if place is None else place.suffix.removeprefix(".").lower()
    return forms_of([ending]) or ["pdf"]


def _file(place: Path | None, name: str) -> Path:
    if place is None:
        return Path(name)
    return place / name if place.is_dir() else place


def _from_data(
    data: tuple[Path, ...],
    mapping: Path | None,
    more: tuple[tuple[Path, Path], ...],
    agreements: tuple[Path, ...],
    until_ms: int | None,
) -> Sources:
    if not data or not agreements:
        raise click.UsageError("--data goes with --agreements (and --mapping, where the files hold no events).")
    if more and mapping is None:
        raise click.UsageError("--table goes with --mapping.")
    book = load_agreements(agreements)
    with progress() as on_progress:
        result = replay_files(data, mapping, book, more=more, until_ms=until_ms, cut=True, on_progress=on_progress)
    files = ", ".join(one.name for one in (*data, *(one for one, _ in more)))
    return from_replay(result, book, files)
