"""``sla-monitor check``: are these files right, which promises do agreements hold, which events do mappings make?"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from monitor.cli.terminal.failing import FAILED
from monitor.cli.terminal.mappings import condition_text, lines_of
from monitor.cli.terminal.options import example, json_option
from monitor.cli.terminal.output import Output
from monitor.config.agreements.checking import NOTHING_CHECKED, Check, check_agreements
from monitor.config.agreements.document import AgreementDocument
from monitor.config.mappings.mapping import columns_of, live_mistakes, load_mapping, mappings_among
from monitor.core.agreements.agreement import Agreement
from monitor.errors import ConfigError, Mistake
from monitor.wire.instants import rfc3339
from monitor.wire.mapping_rules import RowMapping
from monitor.wire.promises import origin_text, promises_of
from monitor.wire.times import instant
from monitor.wire.wording import plural


@click.command(epilog=example("sla-monitor check deploy/agreements", "sla-monitor check deploy/mappings/jira.yaml"))
@click.argument("paths", metavar="PATH...", nargs=-1, required=True, type=click.Path(path_type=Path))
@json_option
def check(out: Output, paths: tuple[Path, ...]) -> None:
    """Check agreements and mappings, and show what they promise, and which events they make.

    Each path is a file or a folder of files (*.yaml). All mistakes are told at once, each with its line and a hint;
    then the exit code is 1. Warnings are no mistakes.
    """
    agreements, mappings = mappings_among(paths)
    mistakes: list[Mistake] = []
    warnings: list[Mistake] = []
    read: list[tuple[Path, RowMapping]] = []
    for file in mappings:
        try:
            read.append((file, load_mapping(file, warnings=warnings)))
        except ConfigError as error:
            mistakes += error.mistakes
    found = check_agreements(agreements) if agreements else NOTHING_CHECKED
    mistakes += found.mistakes
    for mistake in mistakes:
        _tell(out, "mistake", mistake)
    for warning in (*warnings, *found.warnings):
        _tell(out, "warning", warning)
    if mistakes:
        count = len(mistakes)
        out.note(f"error, for the author of the file: {count} {'mistake' if count == 1 else 'mistakes'} to correct")
        click.get_current_context().exit(FAILED)
    _show_all(out, found if agreements else None, read)


def _show_all(out: Output, found: Check | None, mappings: Sequence[tuple[Path, RowMapping]]) -> None:
    if found is not None:
        for document in found.documents:
            for agreement in found.editions(document):
                _show(out, document, agreement)
    for file, mapping in mappings:
        _show_mapping(out, file, mapping)
    if mappings:
        out.say(f"{plural(len(mappings), 'mapping')} without mistakes.")
    if found is not None:
        versions, warnings = plural(len(found.documents), "agreement version"), plural(len(found.warnings), "warning")
        out.say(f"{versions} without mistakes, {warnings}.")


def _show_mapping(out: Output, file: Path, mapping: RowMapping) -> None:
    """Show the events that a mapping makes, the columns that it reads, and whether it can stand before a topic."""
    why_not = live_mistakes(file)
    columns = sorted(columns_of(mapping))
    out.record(
        kind="mapping",
        file=str(file),
        mapping=mapping.name,
        subject=mapping.subject,
        events=[one._asdict() for one in lines_of(mapping)],
        columns=columns,
        live=not why_not,
    )
    out.table(
        ("event", "at", "when", "attributes"),
        lines_of(mapping),
        title=f"{mapping.name}: events of {mapping.subject}s, ids {mapping.subject_id}",
    )
    for one in mapping.reject:
        out.say(f"rejects as {one.reason}: {' and '.join(condition_text(condition) for condition in one.when)}")
    if mapping.where:
        out.say(f"only rows in which {' and '.join(condition_text(condition) for condition in mapping.where)}")
    out.say(f"reads the columns {', '.join(columns)}")
    for mistake in why_not:
        out.say(f"for files only: {mistake.path} {mistake.message}")
    out.say()


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
        edition = instant(agreement.edition_ms, agreement.zone) if agreement.edition_ms else valid_from
        title += f", {agreement.level} level under {agreement.lineage[-1]}, as of {edition}"
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
