"""``sla-monitor schema``: the published formats."""

from __future__ import annotations

from typing import Any, Final

import click
import orjson

from monitor.cli.terminal.options import example, json_option
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
    epilog=example("sla-monitor schema events ticket > ticket-event.schema.json", "sla-monitor schema table")
)
@click.argument("what", type=click.Choice(["events", *_ANNOUNCED, "table"]))
@click.argument("subject", required=False, type=click.Choice(SUBJECTS))
@click.option("--cloudevents", is_flag=True, help="Events as structured CloudEvents 1.0 instead of plain JSON.")
@json_option
def schema(out: Output, what: str, subject: Subject | None, cloudevents: bool) -> None:  # noqa: FBT001 - click's
    """Print the JSON Schema (draft 2020-12) of a topic.

    WHAT is events (of one SUBJECT: ticket, call, outage, lead; or of all four), alerts, status, statements, reports,
    notices (what generic receivers get), deliveries, or table: the event contract as Markdown.
    """
    if what != "events" and (subject or cloudevents):
        raise click.UsageError("SUBJECT and --cloudevents belong to events.")
    if what == "table":
        if out.as_json:
            raise click.UsageError("The table has no JSON form: use schema events --json.")
        click.echo(contract_table(), nl=False)
        return
    found = announcement_schema(_ANNOUNCED[what]) if what != "events" else _events(subject, cloudevents=cloudevents)
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
