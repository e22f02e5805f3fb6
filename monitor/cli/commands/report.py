"""``sla-monitor report``: a finished period as pages, a spreadsheet or a table."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import click

from monitor.cli.terminal.instants import Instant
from monitor.cli.terminal.options import example
from monitor.cli.terminal.output import Output
from monitor.cli.terminal.places import try_places
from monitor.cli.terminal.progress import progress
from monitor.config.agreements.checking import load_agreements
from monitor.core.agreements.book import Book
from monitor.replay.files import replay_files
from monitor.replay.local import ReplayResult, run_replay
from monitor.replay.own_events import read_own_events
from monitor.reports.forms import FORMS, Form, check_form, forms_of, write
from monitor.reports.model import make_report
from monitor.reports.period import GRAMMAR
from monitor.reports.scope import scope_of
from monitor.reports.sources import Sources, from_replay
from monitor.wire.wording import instant

_FILE: Final = click.Path(path_type=Path, exists=True, dir_okay=False, allow_dash=True)
_STDOUT: Final = Path("-")


@click.command(
    epilog=example(
        "sla-monitor report --data incidents.csv.gz --mapping mapping.yaml --agreements agreements/",
        "sla-monitor report acme --data events.jsonl --agreements agreements/ --period 2026-Q4 --format xlsx",
        "sla-monitor report acme --data events.jsonl --agreements sla/ --customer finance --format pdf --out acme.pdf",
    )
)
@click.argument("agreement_id", metavar="[AGREEMENT]", required=False)
@click.option("--period", "period_text", metavar="NAME", help=f"{GRAMMAR}.  [default: the newest closed one]")
@click.option("--customer", default="", metavar="NAME", help="Only what this customer may see, of its own figures.")
@click.option(
    "--format", "formats", multiple=True, type=click.Choice(FORMS), help="May be given several times.  [default: pdf]"
)
@click.option(
    "--out", type=click.Path(path_type=Path), help="File (- is stdout), or a folder.  [default: named after the report]"
)
@click.option("--data", multiple=True, type=_FILE, help="Recorded data; may be given several times.")
@click.option("--mapping", type=_FILE, help="How rows become events. Without it the files hold events.")
@click.option(
    "--table", "more", multiple=True, type=(_FILE, _FILE), metavar="DATA MAPPING", help="Another file with its mapping."
)
@click.option(
    "--agreements", multiple=True, type=click.Path(path_type=Path, exists=True), help="Agreement file or folder."
)
@click.option(
    "--until", "until_ms", type=Instant(), help="Where time ends; later events are left out.  [default: data]"
)
def report(
    agreement_id: str | None,
    period_text: str | None,
    customer: str,
    formats: tuple[str, ...],
    out: Path | None,
    **recorded: Any,  # noqa: ANN401 - click's
) -> None:
    """Report a period of an agreement: objectives, missed targets, outages, leads, credits, and what is not counted.

    The report is made from recorded data. AGREEMENT may be left out where only one measured something. A period that
    still runs at the end of the data can be reported by its name: its figures are those so far; --until moves the end.
    """
    forms = forms_of(formats) or _by_ending(out)
    for form in forms:
        check_form(form)
    if out is not None and len(forms) > 1 and not out.is_dir():
        raise click.BadParameter("several formats need a folder that exists", param_hint="--out")
    try_places([("--out", None if out is None or out.is_dir() else out)])
    sources = _from_data(**recorded)
    made = make_report(sources, scope_of(sources, agreement_id, period_text, customer))
    printed = Output()
    for form in forms:
        content = write(made, form, tell=lambda text: printed.note(f"note: {text}"))
        path = _place(out, f"{made.name}.{form}")
        if path == _STDOUT:
            click.get_binary_stream("stdout").write(content)
            continue
        path.write_bytes(content)
        printed.say(f"{path}: {made.agreement.id}, {made.period.title}, as of {instant(made.as_of_ms)}.")


def _by_ending(out: Path | None) -> list[Form]:
    """Return the form that the name of the file asks for, else pages to print."""
    ending = "" if out is None else out.suffix.removeprefix(".").lower()
    return forms_of([ending]) or ["pdf"]


def _place(out: Path | None, name: str) -> Path:
    if out is None:
        return Path(name)
    return out / name if out.is_dir() else out


def _from_data(
    data: tuple[Path, ...],
    mapping: Path | None,
    more: tuple[tuple[Path, Path], ...],
    agreements: tuple[Path, ...],
    until_ms: int | None,
) -> Sources:
    if not data or not agreements:
        raise click.UsageError("--data and --agreements are needed (and --mapping, where the files hold no events).")
    if more and mapping is None:
        raise click.UsageError("--table goes with --mapping.")
    book = load_agreements(agreements)
    with progress() as on_progress:
        if mapping is None:
            result = _own_events(data, book, until_ms, on_progress)
        else:
            result = replay_files(data, mapping, book, more=more, until_ms=until_ms, cut=True, on_progress=on_progress)
    files = ", ".join(one.name for one in (*data, *(one for one, _ in more)))
    return from_replay(result, book, files)


def _own_events(data: tuple[Path, ...], book: Book, until_ms: int | None, on_progress: Any) -> ReplayResult:  # noqa: ANN401
    reading = read_own_events(data, on_progress)
    events = [one for one in reading.events if until_ms is None or one.fact.time_ms < until_ms]
    result = run_replay(events, book, until_ms=until_ms, reading=reading, on_progress=on_progress)
    result.cut = len(reading.events) - len(events)
    return result
