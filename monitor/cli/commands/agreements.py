"""``sla-monitor agreements``: publish versions to their topic, and list the published ones."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import click
import orjson

from monitor.cli.terminal.options import example, json_option, settings_option, yes_option
from monitor.cli.terminal.output import Output
from monitor.config.agreements.checking import book_of, read_documents
from monitor.config.agreements.differences import describe_difference
from monitor.config.agreements.document import AgreementDocument
from monitor.config.agreements.levels import level_mistakes
from monitor.config.agreements.overlaps import overlap_warnings
from monitor.config.settings.settings import Settings
from monitor.errors import ConfigError, Mistake
from monitor.read_model.agreements import read_published
from monitor.read_model.present import present_ms
from monitor.read_model.terms import term_json, term_text
from monitor.read_model.topics import Outgoing, send_all
from monitor.stream.agents.books import agreement_key
from monitor.stream.kafka.rights import agreements_writer
from monitor.wire.visible import printable
from monitor.wire.wording import plural


class Change(NamedTuple):
    """A version that is not published yet, and how it differs from the one before it."""

    document: AgreementDocument
    differences: list[str]


@click.group(epilog=example("sla-monitor agreements apply deploy/agreements"))
def agreements() -> None:
    """Publish agreements to Kafka, and list what is published. Workers follow without a restart."""


@agreements.command(epilog=example("sla-monitor agreements apply deploy/agreements --bootstrap kafka:9092"))
@click.argument("paths", metavar="DIR...", nargs=-1, required=True, type=click.Path(path_type=Path))
@yes_option
@settings_option
@json_option
def apply(out: Output, settings: Settings, paths: tuple[Path, ...], yes: bool) -> None:  # noqa: FBT001 - click's
    """Show what changes, ask, and publish the versions that are new: all of them or none.

    A published version never changes: to amend an agreement, write a new version. Files with mistakes publish nothing.
    """
    documents = read_documents(paths, alone=False)
    published = asyncio.run(read_published(settings))
    changes = changes_of(documents, published.documents)
    for change in changes:
        agreement = change.document.agreement
        out.say(change.document.name, style="bold")
        for line in change.differences:
            out.say(f"  {line}")
        out.record(
            agreement=agreement.id, version=agreement.version, file=change.document.file, differences=change.differences
        )
    for warning in _overlaps(changes, published.documents):
        out.note(f"warning: {warning}")
    if not changes:
        out.say(f"All {len(documents)} versions are published already: nothing to do.")
        return
    if not yes:
        click.confirm(
            f"Publish {plural(len(changes), 'version')} to {settings.bootstrap}?", abort=True, err=out.as_json
        )
    records = [
        Outgoing(
            settings.topics.agreements,
            agreement_key(change.document.agreement.id, change.document.agreement.version),
            orjson.dumps(change.document.document),
            partition=0,
        )
        for change in changes
    ]
    asyncio.run(send_all(settings, records, transactional_id=agreements_writer(settings.app_id)))
    out.say(f"{plural(len(changes), 'version')} published.", style="green")


@agreements.command("list", epilog=example("sla-monitor agreements list --json"))
@settings_option
@json_option
def list_published(out: Output, settings: Settings) -> None:
    """List the published versions."""
    published = asyncio.run(read_published(settings))
    now_ms = asyncio.run(present_ms(settings))
    found = sorted(published.documents.values(), key=lambda one: (one.agreement.id, one.agreement.version))
    rows = []
    for one in found:
        agreement = one.agreement
        valid_from = str(one.document["valid_from"])
        rows.append(
            (
                agreement.id,
                str(agreement.version),
                agreement.status,
                valid_from,
                term_text(agreement, now_ms),
                agreement.customer,
                agreement.name,
            )
        )
        out.record(
            term=term_json(agreement, now_ms),
            agreement=agreement.id,
            version=agreement.version,
            status=agreement.status,
            valid_from=valid_from,
            customer=agreement.customer,
            name=agreement.name,
            document=one.document,
        )
    if rows:
        out.table(("agreement", "version", "status", "valid from", "term", "customer", "name"), rows)
    else:
        out.say("No agreements are published: sla-monitor agreements apply DIR")
    for key, why in published.unreadable.items():
        out.note(f"warning: {printable(key)} cannot be read by this version of the monitor: {why}")


def changes_of(documents: Sequence[AgreementDocument], published: dict[bytes, AgreementDocument]) -> list[Change]:
    """Return the new versions, each with its differences to the version before it (in the files or published).

    Raises:
        ConfigError: a published version has another text, or versions contradict each other.
    """
    mistakes: list[Mistake] = []
    together = dict(published)
    new = []
    for one in sorted(documents, key=lambda one: (one.agreement.id, one.agreement.version)):
        key = agreement_key(one.agreement.id, one.agreement.version)
        before = published.get(key)
        if before is None:
            together[key] = one
            new.append(one)
        elif changed := describe_difference(before.document, one.document):
            mistakes.append(
                one.source.mistake(
                    ("version",),
                    f"{one.name} is published with another text: {'; '.join(changed)}",
                    "a published version never changes: give the new text the next version number",
                )
            )
    if mistakes:
        raise ConfigError(mistakes)
    wrong, _ = level_mistakes(together.values())
    if wrong:
        raise ConfigError(wrong)
    book_of(together.values())
    return [Change(one, describe_difference(_earlier(one, together.values()), one.document)) for one in new]


def _overlaps(changes: Sequence[Change], published: dict[bytes, AgreementDocument]) -> list[Mistake]:
    """Return where new versions bind the same subjects as others, new or published, at the same level."""
    new = [one.document for one in changes]
    names = {one.name for one in new}
    together = [*new, *(one for one in published.values() if one.name not in names)]
    found = overlap_warnings(together, book_of(together).agreements)
    return [warning for winner, loser, warning in found if {winner.name, loser.name} & names]


def _earlier(one: AgreementDocument, others: Any) -> dict[str, Any] | None:  # noqa: ANN401 - a view of a dict
    numbers = {
        other.agreement.version: other.document
        for other in others
        if other.agreement.id == one.agreement.id and other.agreement.version < one.agreement.version
    }
    return numbers[max(numbers)] if numbers else None
