"""``schema``: what is printed is the schema that holds."""

from __future__ import annotations

import jsonschema
import orjson
import pytest

from monitor.core.alerts.alert import Alert, AlertKey
from monitor.core.facts.events import SUBJECTS
from monitor.wire.announcements import encode_alert
from monitor.wire.contract import contract_table
from tests.cli.conftest import Run

TICKET = {"id": "e1", "type": "opened", "time": "2026-01-05T09:00:00Z", "ticket": "T-1"}
CALL = {"id": "e1", "type": "queued", "time": 1_767_603_600_000, "call": "C-1"}
CLOUD = {
    "specversion": "1.0", "id": "e1", "source": "desk", "type": "sla.ticket.opened", "subject": "T-1",
    "time": "2026-01-05T09:00:00Z", "data": {"priority": "P1"},
}  # fmt: skip


def accepts(schema: str, document: object) -> bool:
    loaded = orjson.loads(schema)
    jsonschema.Draft202012Validator.check_schema(loaded)
    return jsonschema.Draft202012Validator(loaded).is_valid(document)


def test_the_schema_of_a_subject_takes_its_events_only(run: Run):
    schema = run("schema", "events", "ticket").stdout
    assert accepts(schema, TICKET)
    assert not accepts(schema, CALL)


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_without_a_subject_it_takes_events_of_all_of_them(run: Run, form: tuple[str, ...]):
    schema = run("schema", "events", *form).stdout
    assert accepts(schema, TICKET)
    assert accepts(schema, CALL)
    assert not accepts(schema, {**CALL, "type": "opened"})


def test_cloudevents_have_their_own_schema(run: Run):
    schema = run("schema", "events", "ticket", "--cloudevents").stdout
    assert accepts(schema, CLOUD)
    assert not accepts(schema, TICKET)


@pytest.mark.parametrize("what", ["alerts", "status", "statements", "reports", "notices"])
def test_what_is_announced_has_a_schema(run: Run, what: str):
    alert = Alert("0" * 32, AlertKey("ticket", "T-1", "desk", "resolution", 1), "breached", 1, "due", 1, {})
    _, value = encode_alert(alert, "test")
    assert accepts(run("schema", what).stdout, orjson.loads(value)) == (what == "alerts")


def test_the_table_is_that_of_the_contract(run: Run):
    assert run("schema", "table").stdout == contract_table()
    assert all(subject in contract_table() for subject in SUBJECTS)


def test_a_subject_goes_with_events_only(run: Run):
    assert run("schema", "alerts", "ticket").exit_code == 2
    assert run("schema", "table", "--json").exit_code == 2
