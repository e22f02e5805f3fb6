"""``sla-monitor agreements show``: the effective agreement, and which level says each value."""

from __future__ import annotations

import asyncio

import click
import orjson

from monitor.cli.terminal.options import example, json_option, settings_option
from monitor.cli.terminal.output import Output
from monitor.config.agreements.checking import book_of
from monitor.config.agreements.effective import effective_text
from monitor.config.settings.settings import Settings
from monitor.core.agreements.agreement import Agreement, Origin
from monitor.core.agreements.schedule import began_ms
from monitor.core.time.periods import period_date
from monitor.read_model.agreements import read_published
from monitor.read_model.present import present_ms
from monitor.read_model.reports import report_rows, reports_json
from monitor.read_model.terms import AMENDED, term_json, term_text
from monitor.wire.instants import rfc3339


@click.command(epilog=example("sla-monitor agreements show acme", "sla-monitor agreements show acme --json"))
@click.argument("agreement_id", metavar="ID")
@click.option("--version", type=click.IntRange(min=1), metavar="N", help="This version, not the one that holds now.")
@settings_option
@json_option
def show(out: Output, settings: Settings, agreement_id: str, version: int | None) -> None:
    """Show an agreement with what it inherits from the levels above, and which of them says each value.

    It is the text that holds now (or the first one, if none does yet) of what is published.
    """
    published = asyncio.run(read_published(settings))
    documents = list(published.documents.values())
    book, now_ms = book_of(documents), asyncio.run(present_ms(settings))
    if version is None:
        first = next((one for one in book.agreements if one.id == agreement_id), None)
        found = book.version(agreement_id, now_ms) or first
    else:
        found = book.exact(agreement_id, version, now_ms)
    if found is None:
        what = agreement_id if version is None else f"{agreement_id} version {version}"
        raise click.ClickException(f"no agreement {what!r} is published: sla-monitor agreements list")
    text = effective_text(found, documents)
    begin_ms = began_ms(book.agreements, found)
    since_ms = found.edition_ms or found.valid_from_ms
    since = period_date(found.zone, since_ms)
    out.record(
        agreement=found.id, version=found.version, level=found.level, lineage=found.lineage, since=rfc3339(since_ms),
        term=term_json(found, now_ms), amendments=found.amendments, binding=found.binding or None,
        parties=[party._asdict() for party in found.parties],
        service={"name": found.service, "details": dict(found.details)},
        reports=reports_json(found, now_ms, begin_ms), document=text.document,
        values=[{"path": one.path, "value": one.value, "origin": one.origin._asdict()} for one in text.values],
    )  # fmt: skip
    title = f"{found.id} version {found.version}: {found.name} ({found.status}, this text from {since})"
    rows = [(one.path, _written(one.value), origin_words(one.origin)) for one in text.values]
    out.table(("part", "value", "said by"), rows, title=title)
    out.say(_parties(found))
    if reports := report_rows(found, now_ms, begin_ms):
        out.table(("for", "statistics", "every", "last report", "next report"), reports, title="Reports")
    if told := term_text(found, now_ms):
        out.say(f"It {told}.")
    out.say(f"A period in which it is amended is stated {AMENDED[found.amendments]}.")


def _parties(agreement: Agreement) -> str:
    """Return the parties of an agreement with their roles, and whether it is a contract."""
    words = ", ".join(f"{one.name} ({one.role})" for one in agreement.parties)
    kind = {"": "Agreement", "contract": "Contract", "informal": "Informal agreement"}[agreement.binding]
    return f"{kind} between {words}."


def origin_words(origin: Origin) -> str:
    """Return who says something: ``acme v1 (customer level)``."""
    return f"{origin.agreement} v{origin.version}" + (f" ({origin.level} level)" if origin.level else "")


def _written(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(one, str | int | float) for one in value):
        return ", ".join(map(str, value))
    return orjson.dumps(value).decode()
