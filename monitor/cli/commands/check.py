"""``sla-monitor check``: are these agreement files right, and which promises do they hold?"""

from __future__ import annotations

from pathlib import Path

import click

from monitor.cli.terminal.failing import FAILED
from monitor.cli.terminal.options import example, json_option
from monitor.cli.terminal.output import Output
from monitor.cli.terminal.promises import origin_text, promises_of
from monitor.config.agreements.checking import check_agreements
from monitor.config.agreements.document import AgreementDocument
from monitor.core.agreements.agreement import Agreement
from monitor.errors import Mistake
from monitor.wire.instants import rfc3339


@click.command(epilog=example("sla-monitor check deploy/agreements"))
@click.argument("paths", metavar="DIR...", nargs=-1, required=True, type=click.Path(path_type=Path))
@json_option
def check(out: Output, paths: tuple[Path, ...]) -> None:
    """Check agreement files, and show what they promise.

    All mistakes are told at once, each with its line and a hint; then the exit code is 1. Warnings are no mistakes.
    """
    found = check_agreements(paths)
    for mistake in found.mistakes:
        _tell(out, "mistake", mistake)
    for warning in found.warnings:
        _tell(out, "warning", warning)
    if found.mistakes:
        count = len(found.mistakes)
        out.note(f"error, for the author of the file: {count} {'mistake' if count == 1 else 'mistakes'} to correct")
        click.get_current_context().exit(FAILED)
    for document in found.documents:
        for agreement in found.editions(document):
            _show(out, document, agreement)
    out.say(f"{len(found.documents)} agreement version(s) without mistakes, {len(found.warnings)} warning(s).")


def _show(out: Output, document: AgreementDocument, agreement: Agreement) -> None:
    """Show the promises of a version, each with the level that says it and its beginning."""
    rows = promises_of(agreement)
    valid_from = str(document.document["valid_from"])
    levels: dict[str, object] = {}
    if agreement.level:
        since = rfc3339(agreement.edition_ms) if agreement.edition_ms else valid_from
        levels = {"level": agreement.level, "under": agreement.under, "edition_from": since}
        levels["origins"] = {path: origin._asdict() for path, origin in agreement.origins.items()}
    out.record(
        kind="agreement",
        file=document.file,
        agreement=agreement.id,
        version=agreement.version,
        name=agreement.name,
        status=agreement.status,
        valid_from=valid_from,
        promises=[row._asdict() for row in rows],
        **levels,
    )
    title = f"{document.name}: {agreement.name} ({agreement.status}, from {valid_from})"
    if agreement.lineage:
        title += f", {agreement.level} level under {agreement.lineage[-1]}, as of {levels['edition_from']}"
        told = [(*row, origin_text(agreement, row.id)) for row in rows]
        out.table(("promise", "of", "what", "for", "windows", "said by"), told, title=title)
    else:
        out.table(("promise", "of", "what", "for", "windows"), rows, title=title)
    out.say()


def _tell(out: Output, kind: str, mistake: Mistake) -> None:
    out.record(
        kind=kind,
        file=mistake.file,
        line=mistake.line,
        path=mistake.path,
        message=mistake.message,
        hint=mistake.hint,
    )
    out.say(f"{mistake}" if kind == "mistake" else f"warning: {mistake}")
