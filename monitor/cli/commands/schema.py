"""``sla-monitor schema``: the published formats."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import click
import orjson

from monitor.asyncapi import asyncapi_document
from monitor.cli.terminal.options import example, json_option, read_settings
from monitor.cli.terminal.output import Output
from monitor.core.facts.events import SUBJECTS, Subject
from monitor.wire.announcements import announcement_schema
from monitor.wire.envelopes import Kind
from monitor.wire.events import cloudevent_schema, contract_table, event_schema

_ANNOUNCED: Final[dict[str, Kind]] = {
    "alerts": "alert",
    "status": "status",
    "statements": "statement",
    "reports": "report",
    "notices": "notice",
    "deliveries": "delivery",
}


@click.command(
    epilog=example(
        "sla-monitor schema events ticket > ticket-event.schema.json",
        "sla-monitor schema asyncapi > asyncapi.json",
        "sla-monitor schema table",
    )
)
@click.argument("what", type=click.Choice(["events", *_ANNOUNCED, "asyncapi", "table"]))
@click.argument("subject", required=False, type=click.Choice(SUBJECTS))
@click.option("--cloudevents", is_flag=True, help="Events as structured CloudEvents 1.0 instead of plain JSON.")
@click.option(
    "--settings",
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Of asyncapi: the settings that name the topics.  [default: the file that SLA_MONITOR_SETTINGS names]",
)
@json_option
def schema(
    out: Output,
    what: str,
    subject: Subject | None,
    cloudevents: bool,  # noqa: FBT001 - click's
    file: Path | None,
) -> None:
    """Print the JSON Schema (draft 2020-12) of a topic.

    WHAT is events (of one SUBJECT: ticket, call, outage, lead; or of all four), alerts, status, statements, reports,
    notices (what generic receivers get), deliveries, or table: the event contract as Markdown. asyncapi is an
    AsyncAPI 3 document of all topics, also of those between the workers: keys, headers, partitions, configuration, and
    these schemas.
    """
    if what != "events" and (subject or cloudevents):
        raise click.UsageError("SUBJECT and --cloudevents belong to events.")
    if file is not None and what != "asyncapi":
        raise click.UsageError("--settings belongs to asyncapi.")
    if what == "table":
        if out.as_json:
            raise click.UsageError("The table has no JSON form: use schema events --json.")
        click.echo(contract_table(), nl=False)
        return
    if what == "asyncapi":
        found = asyncapi_document(read_settings(file))
    elif what == "events":
        found = _events(subject, cloudevents=cloudevents)
    else:
        found = announcement_schema(_ANNOUNCED[what])
    out.raw(orjson.dumps(found, option=0 if out.as_json else orjson.OPT_INDENT_2))


def _events(subject: Subject | None, *, cloudevents: bool) -> dict[str, Any]:
    of = cloudevent_schema if cloudevents else event_schema
    if subject:
        return of(subject)
    form = "cloudevent" if cloudevents else "event"
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:sla-monitor:{form}",
        "title": "An event of any subject",
        "anyOf": [of(one) for one in SUBJECTS],
    }
